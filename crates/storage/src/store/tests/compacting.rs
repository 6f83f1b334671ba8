//! Compaction: nothing changes by it, whatever happens meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::{COMPACTION_FAULT_POINTS, Fault};

/// Appends `n_flushes` times ten events of two groups and flushes each time.
fn flush_often(store: &Store, n_flushes: u64) {
    for flush in 0..n_flushes {
        store.append(delivery("g", flush * 10, 6)).expect("room");
        store.append(delivery("h", flush * 10 + 6, 4)).expect("room");
        store.flush().expect("room");
    }
}

fn segment_files(dir: &Path) -> usize {
    let partitions = std::fs::read_dir(dir.join("segments")).expect("readable").flatten();
    partitions.map(|partition| std::fs::read_dir(partition.path()).expect("readable").count()).sum()
}

#[test]
fn small_segments_become_one_and_nothing_changes() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    flush_often(&store, 7);
    let before = (events(&store), sequences(&store), store.groups());
    store.compact().expect("room");
    let status = store.status();
    assert!(status.segments < 4 && status.compactions > 0, "{} segments", status.segments);
    assert_eq!((status.compactions_failed, status.compaction_due), (0, 0));
    assert_eq!(segment_files(dir.path()) as u64, status.segments);
    assert_eq!((events(&store), sequences(&store)), (before.0, before.1));
    let sizes = |groups: &[crate::GroupStatus]| groups.iter().map(|g| (g.n_events, g.bytes_raw)).collect::<Vec<_>>();
    assert_eq!(sizes(&store.groups()), sizes(&before.2));
    drop(store);
    let (store, recovery) = open(dir.path());
    assert_eq!((recovery.damaged.len(), recovery.segments), (0, status.segments));
    assert_events(&store, 70);
    assert_eq!(store.verify().1, []);
}

#[test]
fn who_asks_for_compaction_waits_for_what_was_there_and_not_for_what_comes() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    // Segments are numbered by the clock, which must continue.
    let now = std::sync::atomic::AtomicI64::new(options(dir.path()).clock.now().0);
    let clock = Clock::new(move || Timestamp(now.fetch_add(Timestamp::SECOND, Ordering::Relaxed)));
    let (store, _) = Store::open(Options { clock, ..options(dir.path()) }).expect("a new store");
    let held = store.upkeep.compactor.hold();
    flush_often(&store, 7);
    let newest = || store.segments.state().segments.iter().map(|stored| stored.segment.meta.segment).max();
    let last = newest().expect("some");
    flush_often(&store, 7);
    assert!(newest().expect("some") > last);
    let due = |last| store.upkeep.compactor.next_job(last).into_iter().collect::<Vec<u128>>();
    assert_eq!(due(0), []);
    assert!(due(last).len() > 1 && due(last).iter().all(|id| *id <= last));
    assert!(due(u128::MAX).iter().any(|id| *id > last));
    drop(held);
}

#[test]
fn a_snapshot_keeps_the_files_that_it_reads_and_no_longer() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = Store::open(Options { open_files_max: 1, ..options(dir.path()) }).expect("a new store");
    let held = store.upkeep.compactor.hold();
    flush_often(&store, 7);
    drop(held);
    let snapshot = store.snapshot(&[], TimeRange::ALL);
    store.compact().expect("room");
    assert!(store.status().segments < 7);
    assert_eq!(segment_files(dir.path()) as u64, 7 + store.status().segments, "files of the snapshot stay");
    assert_eq!(events_of(&snapshot), (0..70).collect::<Vec<_>>());
    assert!(store.status().segment_files_open <= 1);
    drop(snapshot);
    store.retire().expect("room");
    assert_eq!(segment_files(dir.path()) as u64, store.status().segments);
    assert_events(&store, 70);
}

/// Puts segments together with a crash armed at `point`, opens again, and expects every event once.
fn crash_at(point: &str) {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    flush_often(&store, 3);
    store.append(delivery("g", 30, 10)).expect("room");
    // The last flush would wake the compaction thread before the fault is armed.
    let held = store.upkeep.compactor.hold();
    store.flush().expect("room");
    store.segments.options.faults.arm(point, Fault::Crash);
    drop(held);
    let _ = store.compact();
    assert!(store.segments.options.faults.has_crashed(), "{point} was not reached");
    assert_events(&store, 40);
    drop(store);
    let (store, recovery) = open(dir.path());
    assert_eq!(recovery.damaged, [], "{point}");
    assert_events(&store, 40);
    store.compact().expect("room");
    assert_events(&store, 40);
    assert_eq!(segment_files(dir.path()) as u64, store.status().segments, "{point}: files are left over");
    drop(store);
    let (store, recovery) = open(dir.path());
    assert_eq!((recovery.unfinished_removed, recovery.damaged.len()), (0, 0), "{point}");
    assert_events(&store, 40);
}

#[test]
fn a_crash_at_any_step_loses_and_repeats_nothing() {
    COMPACTION_FAULT_POINTS.iter().for_each(|point| crash_at(point));
}

#[test]
fn a_failed_compaction_changes_nothing_and_is_tried_again() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let faults = &store.segments.options.faults;
    for point in ["compact.start", "compact.verify", "compact.commit"] {
        faults.arm(point, Fault::Errno(28));
    }
    flush_often(&store, 5);
    for point in ["compact.start", "compact.verify", "compact.commit"] {
        assert!(store.compact().is_err(), "{point}");
        assert_events(&store, 50);
        assert_eq!(segment_files(dir.path()), 5, "{point}");
        faults.disarm(point);
    }
    store.compact().expect("room");
    assert_events(&store, 50);
    assert!(segment_files(dir.path()) < 5);
}

#[test]
fn a_catalog_that_lost_the_transaction_takes_the_new_segments() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.segments.options.faults.arm("compact.start", Fault::Errno(5));
    flush_often(&store, 5);
    drop(store);
    let copy = |from: &str, to: &str| {
        for suffix in ["", "-wal", "-shm"] {
            let (from, to) = (dir.path().join(format!("{from}{suffix}")), dir.path().join(format!("{to}{suffix}")));
            let _ = std::fs::remove_file(&to);
            let _ = std::fs::copy(&from, &to);
        }
    };
    copy("catalog.sqlite", "saved");
    let (store, _) = open(dir.path());
    store.compact().expect("room");
    drop(store);
    copy("saved", "catalog.sqlite");
    let (store, recovery) = open(dir.path());
    assert_eq!((recovery.segments_adopted, recovery.unfinished_removed), (1, 0));
    assert_events(&store, 50);
    drop(store);
    let (store, recovery) = open(dir.path());
    assert_eq!((recovery.segments_adopted, recovery.damaged.len()), (0, 0));
    assert_events(&store, 50);
}

#[test]
fn what_was_deleted_is_gone_from_the_files() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(delivery("g", 0, 10)).expect("room");
    store.append(delivery("secret", 10, 10)).expect("room");
    store.flush().expect("room");
    store.delete_group(&group("secret")).expect("room");
    store.compact().expect("room");
    assert_events(&store, 10);
    let segments = store.segments.state().segments.clone();
    let runs: Vec<String> =
        segments.iter().flat_map(|s| s.segment.summaries()).map(|run| run.group.to_string()).collect();
    assert_eq!(runs, ["g"]);
    assert_eq!(segment_files(dir.path()), 1);
}

#[test]
fn days_leave_a_mixed_segment_when_they_are_worth_it() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let mut builder = BatchBuilder::new();
    for i in 0..62_000 {
        // Twelve days with five thousand events, one with two thousand. Four and that one are not among the first eight.
        let day = if i < 60_000 { i % 12 } else { -1 };
        builder.set_timestamp(Timestamp(NOW - day * Timestamp::DAY + i));
        builder.set_message(&format!("event {i}"));
        builder.field_integer("n", i);
        builder.commit();
    }
    let part = Part { group: group("g"), batch: builder.finish() };
    store.append(Delivery { key: None, position: None, raw_bytes: 62_000, parts: vec![part] }).expect("room");
    store.flush().expect("room");
    store.compact().expect("room");
    assert_events(&store, 62_000);
    let segments = store.segments.state().segments.clone();
    assert_eq!(segments.len(), 13);
    let mixed = segments.iter().find(|stored| stored.segment.meta.partition == segment::MIXED_PARTITION);
    assert_eq!(mixed.map(|stored| stored.segment.summaries()[0].n_events), Some(2000));
}

#[test]
fn a_snapshot_counts_every_event_once_while_segments_are_put_together() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for flush in 0..40 {
                store.append(delivery("g", flush * 5, 5)).expect("room");
                store.flush().expect("room");
                store.compact().expect("room");
            }
            done.store(true, Ordering::SeqCst);
        });
        while !done.load(Ordering::SeqCst) {
            let found = events(&store);
            assert!(found.iter().copied().eq(0..found.len() as i64), "an event is missing or there twice");
        }
    });
    assert_events(&store, 200);
    let snapshot = store.snapshot(&[], TimeRange::ALL);
    flush_often(&store, 0);
    store.compact().expect("room");
    assert!(snapshot.runs.iter().all(|run| run.read(0, &["n"], &RowSet::all(run.block_rows(0))).is_ok()));
}

/// Values that the columns of the widest block would have if every row had every field.
fn cells_of_widest_block(store: &Store) -> usize {
    let runs = store.snapshot(&[], TimeRange::ALL).runs;
    let cells = |run: &std::sync::Arc<dyn types::Run>| run.block_rows(0) * run.field_names().expect("names").len();
    runs.iter().map(cells).max().unwrap_or(0)
}

#[test]
fn names_without_end_are_divided_among_segments_and_all_are_found() {
    const PER_EVENT: usize = 50;
    const N_EVENTS: usize = 600;
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let name = |number: usize| format!("id_{number:07}");
    for events in (0..N_EVENTS).collect::<Vec<_>>().chunks(20) {
        let mut builder = BatchBuilder::new();
        for event in events {
            builder.set_timestamp(Timestamp(NOW + *event as i64));
            (0..PER_EVENT).for_each(|at| builder.field_integer(&name(event * PER_EVENT + at), at as i64));
            builder.commit();
        }
        let part = Part { group: group("g"), batch: builder.finish() };
        store.append(Delivery { key: None, position: None, raw_bytes: 1000, parts: vec![part] }).expect("room");
        if events[0] % 400 == 380 {
            store.flush().expect("room");
        }
    }
    store.flush().expect("room");
    let n_flushed = store.status().segments;
    assert!(n_flushed > 2 && cells_of_widest_block(&store) <= 4 << 20, "{}", cells_of_widest_block(&store));
    store.compact().expect("room");
    assert!(cells_of_widest_block(&store) <= 16 << 20, "{}", cells_of_widest_block(&store));
    assert!(store.status().segments <= n_flushed && store.status().compaction_due == 0);
    assert_eq!(store.groups()[0].bytes_raw, 1000 * N_EVENTS as u64 / 20);
    let runs = store.snapshot(&[], TimeRange::ALL).runs;
    for number in [0, 1, 9_999, 10_000, 20_001, N_EVENTS * PER_EVENT - 1] {
        let mut found = Vec::new();
        for run in &runs {
            let column = run.read(0, &[&name(number)], &RowSet::all(run.block_rows(0))).expect("intact").remove(0);
            found.extend((0..column.n_rows()).filter_map(|row| column.value(row)));
        }
        assert_eq!(found, [Value::Integer((number % PER_EVENT) as i64)], "{number}");
    }
}
