//! Damaged files: what is torn is cut, what is damaged is named and kept, everything else continues.

use super::*;
use crate::wal::{self, FILE_HEADER_BYTES, reader};

/// Makes a store with three deliveries in one WAL file, each a commit of its own; returns where records begin.
fn three_records(dir: &Path) -> Vec<usize> {
    let (store, _) = open(dir);
    for i in 0..3 {
        store.append(delivery("g", i * 4, 4)).expect("room");
    }
    drop(store);
    let bytes = std::fs::read(wal_file(dir)).expect("readable");
    let contents = reader::read(&bytes, reader::FileContext::Last).expect("an intact file");
    let mut starts: Vec<usize> = contents.records.iter().map(|(_, range)| range.start).collect();
    starts.push(bytes.len());
    assert_eq!((starts.len(), starts[0]), (4, FILE_HEADER_BYTES));
    starts
}

/// Copies the store and changes its WAL file.
fn with_wal(from: &Path, change: impl FnOnce(&mut Vec<u8>)) -> tempfile::TempDir {
    let to = tempfile::tempdir().expect("a scratch directory");
    for name in ["STORE", "catalog.sqlite", "catalog.sqlite-wal", "control.sqlite", "control.sqlite-wal"] {
        let _ = std::fs::copy(from.join(name), to.path().join(name));
    }
    let source = wal_file(from);
    let mut bytes = std::fs::read(&source).expect("readable");
    change(&mut bytes);
    std::fs::create_dir(to.path().join("wal")).expect("room");
    std::fs::write(to.path().join("wal").join(source.file_name().expect("a file")), bytes).expect("room");
    to
}

#[test]
fn torn_tail_is_cut_and_reported_at_every_byte_of_the_last_record() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let starts = three_records(dir.path());
    // Every byte of the header, and a sample of the body: each cut opens a whole store.
    let cuts = (starts[2]..starts[3]).filter(|at| at - starts[2] < 70 || at % 16 == 0 || starts[3] - at < 4);
    for cut in cuts {
        let torn = with_wal(dir.path(), |bytes| {
            wal::mark(bytes, starts[2] as u64);
            bytes.truncate(cut);
        });
        let (store, recovery) = open(torn.path());
        assert_events(&store, 8);
        assert_eq!(recovery.damaged, [], "cut at {cut}");
        let expected = (cut > starts[2]).then_some((starts[2] as u64, (cut - starts[2]) as u64));
        assert_eq!(recovery.torn.first().map(|torn| (torn.offset, torn.n_bytes)), expected, "cut at {cut}");
        store.append(delivery("g", 8, 4)).expect("room");
        drop(store);
        let (store, recovery) = open(torn.path());
        assert_eq!((recovery.torn, recovery.damaged), (vec![], vec![]), "a tail is cut once");
        assert_events(&store, 12);
    }
}

#[test]
fn damage_to_the_last_record_is_named_from_its_acknowledgement_on() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(delivery("g", 0, 4)).expect("room");
    let kept = std::fs::metadata(wal_file(dir.path())).expect("a file").len() as usize;
    let (answer, answered) = std::sync::mpsc::channel();
    let from = dir.path().to_owned();
    // The files at the moment of the answer are those that a process killed then would leave.
    let copies = move |_| {
        let whole = with_wal(&from, |_| ());
        let short = with_wal(&from, |bytes| _ = bytes.pop());
        let without = with_wal(&from, |bytes| bytes.truncate(kept));
        let changed = with_wal(&from, |bytes| bytes[kept + 90] ^= 1);
        let unmarked = with_wal(&from, |bytes| {
            bytes[wal::MARK_OFFSET] ^= 1;
            bytes.truncate(kept);
        });
        answer.send([whole, short, without, changed, unmarked]).expect("the test waits");
    };
    store.append_then(delivery("g", 4, 4), copies).expect("room");
    for (number, copy) in answered.recv().expect("an answer").iter().enumerate() {
        for start in 0..3 {
            let (store, recovery) = open(copy.path());
            let is_whole = number == 0;
            assert_events(&store, if is_whole { 8 } else { 4 });
            assert_eq!((recovery.torn.len(), recovery.damaged.is_empty()), (0, is_whole), "{number} {start}");
            assert_eq!(store.status().damaged.is_empty(), is_whole, "{number} {start}");
            assert_eq!(store.snapshot(&[], TimeRange::ALL).damaged.is_empty(), is_whole, "{number} {start}");
        }
    }
}

#[test]
fn flipped_byte_in_the_middle_is_quarantined_and_the_rest_replayed() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let starts = three_records(dir.path());
    for at in [starts[1], starts[1] + 9, starts[1] + 30, starts[1] + 60, starts[2] - 1] {
        let damaged = with_wal(dir.path(), |bytes| bytes[at] ^= 0x40);
        let (store, recovery) = open(damaged.path());
        assert_eq!(events(&store), [0, 1, 2, 3, 8, 9, 10, 11]);
        assert_eq!(recovery.damaged.len(), 1, "byte {at}");
        assert_eq!(recovery.damaged[0].offset, starts[1] as u64);
        assert_eq!(store.status().damaged, recovery.damaged);
        let kept: Vec<_> = std::fs::read_dir(damaged.path().join("quarantine")).expect("readable").flatten().collect();
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].metadata().expect("readable").len(), (starts[2] - starts[1]) as u64);
        let before = sequences(&store).last().copied().expect("events");
        let receipt = store.append(delivery("g", 100, 1)).expect("room");
        assert!(receipt.first_sequence >> 48 > before >> 48, "lost sequences are never given again");
    }
}

#[test]
fn a_wal_file_whose_header_is_damaged_is_kept_aside() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    three_records(dir.path());
    let damaged = with_wal(dir.path(), |bytes| bytes[20] ^= 1);
    let (store, recovery) = open(damaged.path());
    assert_events(&store, 0);
    assert_eq!(recovery.damaged.len(), 1);
    assert_eq!(std::fs::read_dir(damaged.path().join("quarantine")).expect("readable").count(), 1);
    store.append(delivery("g", 0, 1)).expect("everything else goes on");
}

#[test]
fn a_wal_file_that_was_not_finished_is_no_damage() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(delivery("g", 0, 5)).expect("room");
    drop(store);
    let next = dir.path().join("wal/0000000000000002.tmp");
    std::fs::write(&next, b"catat").expect("room");
    let (store, recovery) = open(dir.path());
    assert_eq!((recovery.torn.len(), recovery.damaged.len()), (0, 0));
    assert!(!next.exists());
    assert_events(&store, 5);
}

#[test]
fn a_missing_or_damaged_segment_is_reported_and_the_others_answer() {
    for is_missing in [true, false] {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let (store, _) = open(dir.path());
        store.append(delivery("lost", 100, 5)).expect("room");
        store.flush().expect("room");
        let segments = dir.path().join("segments");
        let day = std::fs::read_dir(&segments).expect("readable").flatten().next().expect("a partition").path();
        let lost = std::fs::read_dir(&day).expect("readable").flatten().next().expect("a segment").path();
        store.append(delivery("g", 0, 5)).expect("room");
        store.flush().expect("room");
        drop(store);
        if is_missing {
            std::fs::remove_file(&lost).expect("removable");
        } else {
            let mut bytes = std::fs::read(&lost).expect("readable");
            bytes[3] ^= 1;
            std::fs::write(&lost, bytes).expect("writable");
        }
        let (store, _) = open(dir.path());
        assert_events(&store, 5);
        let pattern = |name: &str| [types::GroupPattern::new(name)];
        assert_eq!(store.snapshot(&pattern("g"), TimeRange::ALL).damaged, []);
        let damaged = store.snapshot(&pattern("lost"), TimeRange::ALL).damaged;
        assert_eq!(damaged.len(), 1);
        assert!(lost.ends_with(damaged[0].file.strip_prefix("segments/").expect("a segment")), "{}", damaged[0]);
        assert_eq!(store.status().damaged, damaged);
    }
}

#[test]
fn verifying_finds_damage_inside_a_segment() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(delivery("g", 0, 500)).expect("room");
    store.flush().expect("room");
    let (n_bytes, damaged) = store.verify();
    assert!(n_bytes > 0 && damaged.is_empty());
    let day = dir.path().join("segments/2026-11-20");
    let path = std::fs::read_dir(&day).expect("readable").flatten().next().expect("a segment").path();
    let mut bytes = std::fs::read(&path).expect("readable");
    bytes[100] ^= 1;
    std::fs::write(&path, bytes).expect("writable");
    let (_, damaged) = store.verify();
    assert_eq!(damaged.len(), 1);
    assert!(path.ends_with(damaged[0].file.strip_prefix("segments/").expect("a segment")));
}

#[test]
fn a_segment_from_elsewhere_is_kept_aside() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(delivery("g", 0, 5)).expect("room");
    store.close().expect("room");
    drop(store);
    let foreign = dir.path().join("segments/mixed");
    std::fs::create_dir_all(&foreign).expect("room");
    std::fs::write(foreign.join("x.seg"), b"not a segment").expect("room");
    let (store, recovery) = open(dir.path());
    assert_eq!(recovery.damaged.len(), 1);
    assert!(dir.path().join("quarantine/segments-mixed-x.seg").exists());
    assert_events(&store, 5);
}

#[test]
fn a_damaged_catalog_is_kept_aside_and_made_anew_from_the_segments() {
    for n_bytes_kept in [0, 1, 3000] {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let (store, _) = open(dir.path());
        store.append(delivery("g", 0, 10)).expect("room");
        store.flush().expect("room");
        store.append(delivery("g", 10, 5)).expect("room");
        drop(store);
        let path = dir.path().join("catalog.sqlite");
        let mut bytes = std::fs::read(&path).expect("readable");
        bytes.iter_mut().skip(n_bytes_kept).for_each(|byte| *byte = 0x55);
        std::fs::write(&path, bytes).expect("writable");
        let _ = std::fs::remove_file(dir.path().join("catalog.sqlite-wal"));
        let (store, recovery) = open(dir.path());
        assert_events(&store, 15);
        assert!(recovery.damaged.iter().any(|damage| damage.file == "catalog.sqlite"), "{:?}", recovery.damaged);
        assert!(dir.path().join("quarantine/catalog.sqlite").exists());
        store.append(delivery("g", 15, 5)).expect("room");
        drop(store);
        assert_events(&open(dir.path()).0, 20);
    }
}
