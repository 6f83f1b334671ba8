//! Flush: partitions, limits, and snapshots while it continues.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use super::*;
use crate::AppendError;

#[test]
fn days_get_segments_of_their_own_and_further_days_share_one() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let mut builder = BatchBuilder::new();
    // Two events on each of the first ten days back, three on the eleventh.
    for i in 0..23 {
        let day = if i == 22 { 10 } else { i % 11 };
        builder.set_timestamp(Timestamp(NOW - day * Timestamp::DAY + i));
        builder.set_message(&format!("event {i}"));
        builder.field_integer("n", i);
        builder.commit();
    }
    let part = Part { group: group("g"), batch: builder.finish() };
    store.append(Delivery { key: None, position: None, raw_bytes: 230, parts: vec![part] }).expect("room");
    store.flush().expect("room");
    assert_events(&store, 23);
    let names = |dir: &Path| {
        let entries = std::fs::read_dir(dir.join("segments")).expect("readable");
        let mut names: Vec<String> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    let partitions = names(dir.path());
    assert_eq!(partitions.len(), 9);
    assert!(partitions.contains(&"mixed".to_owned()) && partitions.contains(&"2026-11-10".to_owned()));
    assert_eq!(store.status().segments, 9);
    assert_eq!(store.groups()[0].bytes_raw, 230);
    drop(store);
    let (store, recovery) = open(dir.path());
    assert_eq!((recovery.segments, recovery.events_replayed), (9, 0));
    assert_events(&store, 23);
    let day = TimeRange { from: Timestamp(NOW), to: Timestamp(NOW + Timestamp::HOUR) };
    let snapshot = store.snapshot(&[], day);
    assert_eq!((snapshot.runs.len(), snapshot.segments_total, snapshot.segments_pruned), (1, 9, 8));
}

#[test]
fn a_snapshot_counts_every_event_once_while_events_come_and_are_flushed() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let (n_acknowledged, n_sent) = (AtomicI64::new(0), AtomicI64::new(0));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for i in 0..400 {
                n_sent.fetch_add(3, Ordering::SeqCst);
                store.append(delivery("g", i * 3, 3)).expect("room");
                n_acknowledged.fetch_add(3, Ordering::SeqCst);
            }
            done.store(true, Ordering::SeqCst);
        });
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                store.flush().expect("room");
            }
        });
        while !done.load(Ordering::SeqCst) {
            let least = n_acknowledged.load(Ordering::SeqCst);
            let found = events(&store);
            let most = n_sent.load(Ordering::SeqCst);
            assert!(found.iter().copied().eq(0..found.len() as i64), "an event is missing or there twice");
            assert!((least..=most).contains(&(found.len() as i64)), "{least} {} {most}", found.len());
        }
    });
    assert_events(&store, 1200);
    drop(store);
    assert_events(&open(dir.path()).0, 1200);
}

#[test]
fn old_hot_events_are_due_for_a_flush() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let ahead = Arc::new(AtomicI64::new(0));
    let of_clock = ahead.clone();
    let clock = Clock::new(move || Timestamp(NOW + of_clock.load(Ordering::SeqCst)));
    let (store, _) = Store::open(Options { clock, ..options(dir.path()) }).expect("a store");
    store.append(delivery("g", 0, 1)).expect("room");
    let now = Timestamp(NOW + 10 * Timestamp::MINUTE);
    assert!(!store.segments.is_flush_due(Timestamp(now.0 - 1)));
    assert!(store.segments.is_flush_due(now));
    // The flusher looks at the clock by itself.
    ahead.store(10 * Timestamp::MINUTE, Ordering::SeqCst);
    while store.status().flushes == 0 {
        std::thread::yield_now();
    }
    assert!(!store.segments.is_flush_due(now));
    assert_events(&store, 1);
}

#[test]
fn many_hot_events_are_flushed_and_too_many_are_refused() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = Store::open(Options { flush_bytes: 100_000, ..options(dir.path()) }).expect("a store");
    store.segments.options.faults.arm("flush.start", crate::Fault::Errno(5));
    let mut n = 0;
    let refused = loop {
        match store.append(delivery("g", n, 100)) {
            Ok(_) => n += 100,
            Err(error) => break error,
        }
        assert!(n < 100_000, "hot events have no bound");
    };
    assert_eq!(refused, AppendError::Overloaded { retry_after_s: 1 });
    assert!((100_000..150_000).contains(&store.status().hot_bytes));
    assert_events(&store, n as i64);
    store.segments.options.faults.disarm("flush.start");
    store.flush().expect("room");
    store.append(delivery("g", n, 100)).expect("room again");
    assert_events(&store, n as i64 + 100);
}

#[test]
fn a_failed_flush_is_tried_again_with_the_same_events() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(keyed("g", 0, 5, 1, 1)).expect("room");
    for point in ["flush.start", "segment.write", "segment.sync_directory", "batch_ids.write", "catalog.commit"] {
        store.segments.options.faults.arm(point, crate::Fault::Errno(28));
        assert!(store.flush().is_err(), "{point}");
        store.append(delivery("g", store.status().events_accepted, 1)).expect("accepting goes on");
        assert!(events(&store).len() as u64 == store.status().events_accepted);
        store.segments.options.faults.disarm(point);
    }
    store.flush().expect("room");
    let status = store.status();
    assert_eq!((status.hot_events, status.stored_events), (0, 10));
    assert_events(&store, 10);
    drop(store);
    let (store, recovery) = open(dir.path());
    assert_eq!((recovery.events_replayed, recovery.unfinished_removed), (0, 0));
    assert_events(&store, 10);
}

#[test]
fn a_full_disk_is_said_before_anything_is_accepted() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let full = Options { disk_reserve_bytes: u64::MAX / 2, ..options(dir.path()) };
    let (store, _) = Store::open(full).expect("a full disk can be read");
    assert!(matches!(store.append(keyed("g", 0, 5, 1, 1)), Err(AppendError::DiskFull { .. })));
    assert_events(&store, 0);
    drop(store);
    let (store, recovery) = open(dir.path());
    assert_eq!(recovery.records_replayed, 0);
    assert!(!store.append(keyed("g", 0, 5, 1, 1)).expect("room").duplicate);
}

#[test]
fn a_write_that_finds_the_disk_full_leaves_no_trace() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(delivery("g", 0, 1)).expect("room");
    store.segments.options.faults.arm("wal.write", crate::Fault::Errno(28));
    assert!(matches!(store.append(delivery("h", 1, 1)), Err(AppendError::DiskFull { .. })));
    store.segments.options.faults.disarm("wal.write");
    store.append(delivery("h", 1, 1)).expect("room again, without a restart");
    drop(store);
    let (store, recovery) = open(dir.path());
    assert_eq!((recovery.torn, recovery.damaged), (Vec::new(), Vec::new()));
    assert_events(&store, 2);
}

#[test]
fn a_store_on_a_full_disk_opens_answers_and_takes_events_when_there_is_room() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(delivery("g", 0, 1)).expect("room");
    drop(store);
    let full = options(dir.path());
    full.faults.arm("wal.rotate", crate::Fault::Errno(28));
    let (store, recovery) = Store::open(full).expect("a full disk can be read");
    assert_eq!(recovery.events_replayed, 1);
    assert_events(&store, 1);
    assert!(matches!(store.append(delivery("h", 1, 1)), Err(AppendError::DiskFull { .. })));
    assert!(store.flush().is_err(), "no room for that either");
    store.segments.options.faults.disarm("wal.rotate");
    store.append(delivery("h", 1, 1)).expect("room, without a restart");
    store.flush().expect("room");
    store.append(delivery("h", 2, 1)).expect("room");
    drop(store);
    let (store, recovery) = open(dir.path());
    assert_eq!((recovery.torn, recovery.damaged, recovery.events_replayed), (Vec::new(), Vec::new(), 1));
    assert_events(&store, 3);
}
