//! WAL files that vanish, are cut off or are emptied are noticed, and nothing else is taken for it.

use super::*;
use crate::{FAULT_POINTS, Fault, wal};

/// Returns a store whose WAL files hold five events each.
fn options_of_small_files(dir: &Path) -> Options {
    Options { wal_segment_bytes: 1, ..options(dir) }
}

fn open_small(dir: &Path) -> (Arc<Store>, Recovery) {
    Store::open(options_of_small_files(dir)).expect("a store that can be opened")
}

/// Appends five events for each number.
fn append(store: &Store, numbers: std::ops::Range<u64>) {
    for n in numbers {
        store.append(delivery("g", n * 5, 5)).expect("room");
    }
}

/// Makes a store of four WAL files with five events each and an empty fifth one.
fn four_files(dir: &Path) -> Vec<u64> {
    let (store, _) = open_small(dir);
    append(&store, 0..4);
    drop(store);
    let numbers = wal::list(&dir.join("wal")).expect("readable");
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    numbers
}

/// Expects the damage to be named, answers to say so, and the other events; returns the first problem.
#[track_caller]
fn expect_lost(dir: &Path, file: &str, expected: &[i64]) {
    for start in 0..2 {
        let (store, recovery) = open_small(dir);
        let named = recovery.damaged.iter().find(|damage| damage.file == file);
        assert!(named.is_some(), "start {start}: {file} is not in {:?}", recovery.damaged);
        assert_eq!(events(&store), expected);
        let snapshot = store.snapshot(&[types::GroupPattern::new("g")], TimeRange::ALL);
        assert!(snapshot.damaged.iter().any(|damage| damage.file == file), "an answer says that it is partial");
        assert!(store.status().damaged.iter().any(|damage| damage.file == file));
    }
    let (store, _) = open_small(dir);
    let before = sequences(&store).last().copied().unwrap_or(0);
    let receipt = store.append(delivery("g", 100, 1)).expect("everything else goes on");
    assert!(receipt.first_sequence >> 48 > before >> 48, "lost sequences are never given again");
    store.flush().expect("room");
    drop(store);
    let (store, recovery) = open_small(dir);
    assert_eq!(recovery.damaged, [], "once released nothing is missed any more");
    assert_eq!(events(&store).len(), expected.len() + 1);
}

fn all_but(lost: std::ops::Range<i64>) -> Vec<i64> {
    (0..20).filter(|n| !lost.contains(n)).collect()
}

#[test]
fn a_wal_file_that_vanished_is_missed_wherever_it_stood() {
    for number in 1..=4i64 {
        let dir = tempfile::tempdir().expect("a scratch directory");
        four_files(dir.path());
        std::fs::remove_file(wal::path_of(&dir.path().join("wal"), number as u64)).expect("removable");
        expect_lost(dir.path(), &wal::name_of(number as u64), &all_but((number - 1) * 5..number * 5));
    }
}

#[test]
fn the_last_wal_files_are_missed_too() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    four_files(dir.path());
    for number in 3..=5 {
        std::fs::remove_file(wal::path_of(&dir.path().join("wal"), number)).expect("removable");
    }
    expect_lost(dir.path(), &wal::name_of(3), &all_but(10..20));
}

#[test]
fn the_only_wal_file_is_missed_before_and_after_a_flush() {
    for is_flushed in [false, true] {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let (store, _) = open(dir.path());
        store.append(delivery("g", 0, 5)).expect("room");
        if is_flushed {
            store.flush().expect("room");
            store.append(delivery("g", 5, 5)).expect("room");
        }
        drop(store);
        std::fs::remove_dir_all(dir.path().join("wal")).expect("removable");
        let kept: Vec<i64> = if is_flushed { (0..5).collect() } else { Vec::new() };
        expect_lost(dir.path(), &wal::name_of(if is_flushed { 2 } else { 1 }), &kept);
    }
}

#[test]
fn a_wal_file_that_was_emptied_or_cut_off_is_named() {
    for (number, n_kept) in [(1, 0), (2, 0), (2, 50), (2, 128), (2, 200), (4, 128), (4, 0), (5, 0)] {
        let dir = tempfile::tempdir().expect("a scratch directory");
        four_files(dir.path());
        let path = wal::path_of(&dir.path().join("wal"), number);
        let file = std::fs::OpenOptions::new().write(true).open(&path).expect("writable");
        file.set_len(n_kept).expect("room");
        let lost = (number as i64 - 1) * 5..number as i64 * 5;
        for start in 0..3 {
            let (store, recovery) = open_small(dir.path());
            let named = recovery.damaged.iter().any(|damage| damage.file == wal::name_of(number));
            assert!(named, "file {number} cut to {n_kept}, start {start}: {:?}", recovery.damaged);
            let found = events(&store).into_iter().filter(|n| *n < 100);
            assert_eq!(found.collect::<Vec<_>>(), all_but(lost.clone()));
            assert!(!store.snapshot(&[], TimeRange::ALL).damaged.is_empty());
            store.append(delivery("g", 100 + start, 1)).expect("everything else goes on");
        }
    }
}

#[test]
fn the_last_wal_file_cut_off_where_a_record_ends_is_named() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(delivery("g", 0, 5)).expect("room");
    let kept = std::fs::metadata(wal_file(dir.path())).expect("a file").len();
    store.append(delivery("g", 5, 5)).expect("room");
    drop(store);
    let file = std::fs::OpenOptions::new().write(true).open(wal_file(dir.path())).expect("writable");
    file.set_len(kept).expect("room");
    for _ in 0..3 {
        let (store, recovery) = open(dir.path());
        assert_eq!(recovery.damaged.len(), 1);
        assert_eq!(recovery.damaged[0].offset, kept);
        assert_events(&store, 5);
    }
}

#[test]
fn starts_without_events_make_no_files_and_no_alarm() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    for _ in 0..5 {
        let (_, recovery) = open(dir.path());
        assert_eq!(recovery.damaged, []);
    }
    assert_eq!(wal::list(&dir.path().join("wal")).expect("readable"), [1]);
    four_files(dir.path());
    for n in 20..25 {
        let (store, recovery) = open_small(dir.path());
        assert_eq!(recovery.damaged, []);
        assert_events(&store, n);
        store.append(delivery("g", n as u64, 1)).expect("room");
    }
}

#[test]
fn a_crash_at_any_step_of_going_on_in_the_next_file_is_no_damage() {
    for point in FAULT_POINTS.iter().filter(|point| point.starts_with("wal.") && **point != "wal.remove") {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let (store, _) = open_small(dir.path());
        append(&store, 0..2);
        store.segments.options.faults.arm(point, Fault::Crash);
        // The event is durable before the next file is begun, unless its own write is what fails.
        let is_accepted = store.append(delivery("g", 10, 5)).is_ok();
        let is_accepted_then = store.append(delivery("g", 15, 5)).is_ok();
        assert!(store.segments.options.faults.has_crashed() && !is_accepted_then, "{point}");
        drop(store);
        for _ in 0..2 {
            let (store, recovery) = open_small(dir.path());
            assert_eq!((recovery.damaged, recovery.torn), (vec![], vec![]), "{point}");
            assert!(!is_accepted || events(&store).len() >= 15, "{point}");
        }
    }
}

#[test]
fn an_error_at_any_step_of_the_wal_loses_nothing_acknowledged() {
    let steps = FAULT_POINTS.iter().filter(|point| point.starts_with("wal."));
    for point in steps.chain(&["wal.mark"]) {
        for errno in [5, 28] {
            let dir = tempfile::tempdir().expect("a scratch directory");
            let (store, _) = open_small(dir.path());
            append(&store, 0..2);
            store.segments.options.faults.arm(point, Fault::Errno(errno));
            let accepted = (2..4).filter(|n| store.append(delivery("g", n * 5, 5)).is_ok());
            let mut expected: Vec<i64> = (0..10).chain(accepted.flat_map(|n| n as i64 * 5..n as i64 * 5 + 5)).collect();
            let _ = store.flush();
            store.segments.options.faults.disarm(point);
            let is_poisoned = store.status().poisoned.is_some();
            let is_sync = ["wal.sync", "wal.sync_directory", "wal.seal"].contains(point);
            let is_failed_write = *point == "wal.write" && errno == 5;
            assert_eq!(is_poisoned, is_sync || is_failed_write, "{point} {errno}");
            if store.append(delivery("g", 50, 2)).is_ok() {
                assert!(!is_poisoned, "{point}");
                expected.extend([50, 51]);
            }
            assert_eq!(events(&store), expected, "{point} {errno}");
            drop(store);
            let (store, recovery) = open_small(dir.path());
            assert_eq!(recovery.damaged, [], "{point} {errno}");
            let found = events(&store);
            assert!(expected.iter().all(|n| found.contains(n)), "{point} {errno}: {found:?}");
        }
    }
}

#[test]
fn a_full_disk_whose_file_cannot_be_shortened_stops_everything() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(delivery("g", 0, 5)).expect("room");
    let faults = &store.segments.options.faults;
    faults.arm("wal.write", Fault::Errno(28));
    assert!(matches!(store.append(delivery("g", 5, 5)), Err(crate::AppendError::DiskFull { .. })));
    assert!(store.status().poisoned.is_none());
    faults.arm("wal.truncate", Fault::Errno(5));
    assert!(matches!(store.append(delivery("g", 5, 5)), Err(crate::AppendError::Poisoned(_))));
    drop(store);
    assert_events(&open(dir.path()).0, 5);
}
