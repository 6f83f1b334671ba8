//! Acknowledged is durable, and nothing is stored twice.

use std::time::Duration;

use super::*;
use crate::{AppendError, FeedItem, OpenError};

#[test]
fn what_was_acknowledged_is_there_after_a_restart_without_close() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, recovery) = open(dir.path());
    assert!(recovery.created);
    let receipt = store.append(delivery("g", 0, 10)).expect("room");
    assert_eq!((receipt.duplicate, receipt.n_events), (false, 10));
    assert_events(&store, 10);
    drop(store);
    let (store, recovery) = open(dir.path());
    assert_eq!((recovery.events_replayed, recovery.torn.len(), recovery.damaged.len()), (10, 0, 0));
    store.append(delivery("g", 10, 5)).expect("room");
    assert_events(&store, 15);
    let sequences = sequences(&store);
    assert!(sequences.windows(2).all(|pair| pair[0] < pair[1]), "{sequences:?}");
    store.close().expect("room");
    assert_eq!(store.append(delivery("g", 15, 1)), Err(AppendError::ShuttingDown));
    drop(store);
    let (store, recovery) = open(dir.path());
    assert_eq!((recovery.events_replayed, recovery.segments), (0, 1));
    assert_events(&store, 15);
    store.append(delivery("g", 15, 1)).expect("room");
    assert_events(&store, 16);
    assert!(super::sequences(&store).windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn sequences_follow_the_order_in_which_events_were_sent() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let receipt = store.append(delivery("g", 0, 3)).expect("room");
    drop(store);
    let (store, _) = open(dir.path());
    // Event 0 is the youngest and was sent first.
    let snapshot = store.snapshot(&[], TimeRange::ALL);
    let ids = snapshot.runs[0].read(0, &["@id"], &RowSet::all(3)).expect("memory");
    let sequence = |row| match ids[0].value(row) {
        Some(Value::String(id)) => types::EventId::decode(&id).expect("an id").sequence,
        _ => panic!("an id is a text"),
    };
    assert_eq!([sequence(2), sequence(1), sequence(0)].map(|s| s - receipt.first_sequence), [0, 1, 2]);
}

#[test]
fn a_repeated_batch_is_stored_once_before_and_after_restart_and_flush() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let first = store.append(keyed("g", 0, 4, 1, 1)).expect("room");
    let again = |store: &Store| store.append(keyed("g", 0, 4, 1, 1)).expect("room");
    let check = |receipt: crate::Receipt| {
        assert!(receipt.duplicate);
        assert_eq!((receipt.first_sequence, receipt.n_events), (first.first_sequence, 4));
    };
    check(again(&store));
    assert_eq!(store.append(keyed("g", 4, 4, 1, 2)), Err(AppendError::KeyConflict));
    drop(store);
    let (store, _) = open(dir.path());
    check(again(&store));
    store.flush().expect("room");
    check(again(&store));
    drop(store);
    let (store, recovery) = open(dir.path());
    assert_eq!(recovery.events_replayed, 0);
    check(again(&store));
    assert_eq!(store.append(keyed("g", 4, 4, 1, 2)), Err(AppendError::KeyConflict));
    assert_events(&store, 4);
    assert_eq!(store.status().batch_ids, 1);
}

#[test]
fn a_batch_sent_many_times_at_once_is_stored_once() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let n_fresh = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..16)
            .map(|i| {
                let store = &store;
                scope.spawn(move || {
                    let mine = store.append(keyed("g", 0, 4, 1, 1)).expect("room");
                    store.append(keyed("g", 4 + i, 1, 100 + i as u8, 1)).expect("room");
                    usize::from(!mine.duplicate)
                })
            })
            .collect();
        senders.into_iter().map(|sender| sender.join().expect("no panic")).sum::<usize>()
    });
    assert_eq!(n_fresh, 1);
    assert_events(&store, 20);
}

#[test]
fn bytes_of_a_shipped_file_are_accepted_once() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let shipped = |from, start, end| Delivery { position: Some(position(start, end)), ..delivery("g", from, 1) };
    assert_eq!(store.append(shipped(0, 0, 10)).expect("room").high_water, Some(10));
    assert_eq!(store.append(shipped(1, 20, 30)).expect("room").high_water, Some(30));
    assert_eq!(store.append(shipped(2, 5, 15)), Err(AppendError::PositionChanged));
    assert_eq!(store.missing(&position(0, 40)), [10..20, 30..40]);
    drop(store);
    let (store, _) = open(dir.path());
    assert_eq!(store.missing(&position(0, 40)), [10..20, 30..40]);
    store.flush().expect("room");
    drop(store);
    let (store, _) = open(dir.path());
    assert_eq!(store.append(shipped(2, 9, 11)), Err(AppendError::PositionChanged));
    assert_eq!(store.append(shipped(2, 10, 20)).expect("room").high_water, Some(30));
    assert!(store.missing(&position(0, 40)).into_iter().flatten().eq(30..40));
    assert_events(&store, 3);
}

#[test]
fn a_position_without_events_is_remembered() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let blank = Delivery { key: None, position: Some(position(0, 10)), raw_bytes: 10, parts: Vec::new() };
    assert_eq!(store.append(blank).expect("room").n_events, 0);
    store.flush().expect("room");
    drop(store);
    let (store, _) = open(dir.path());
    assert!(store.missing(&position(0, 10)).is_empty());
}

#[test]
fn an_overlapping_range_sent_at_once_is_accepted_once() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let n_accepted = std::thread::scope(|scope| {
        let send = || store.append(Delivery { position: Some(position(0, 10)), ..delivery("g", 0, 3) }).is_ok();
        let senders: Vec<_> = (0..8).map(|_| scope.spawn(send)).collect();
        senders.into_iter().filter(|_| true).map(|sender| sender.join().expect("no panic")).filter(|ok| *ok).count()
    });
    assert_eq!(n_accepted, 1);
    assert_events(&store, 3);
}

#[test]
fn a_deleted_group_stays_deleted_and_its_name_can_be_used_anew() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(delivery("gone", 100, 5)).expect("room");
    store.flush().expect("room");
    store.append(delivery("gone", 200, 5)).expect("room");
    store.append(delivery("kept", 0, 2)).expect("room");
    let snapshot = store.snapshot(&[], TimeRange::ALL);
    assert!(store.delete_group(&group("gone")).expect("room"));
    assert!(!store.delete_group(&group("gone")).expect("room"));
    assert_events(&store, 2);
    assert_eq!(snapshot.runs.iter().map(|run| run.info().n_events).sum::<u64>(), 12);
    let on_disk = snapshot.runs.iter().find(|run| run.info().key.is_some()).expect("a run in a segment");
    assert!(on_disk.read(0, &["n"], &RowSet::all(5)).is_ok(), "a snapshot keeps what it needs");
    store.append(delivery("gone", 2, 1)).expect("room");
    drop(store);
    let (store, recovery) = open(dir.path());
    assert_eq!(recovery.damaged, []);
    assert_events(&store, 3);
    store.flush().expect("room");
    drop(store);
    let (store, _) = open(dir.path());
    assert_events(&store, 3);
    let groups = store.groups();
    let shown: Vec<_> = groups.iter().map(|g| (g.name.as_str(), g.n_events, g.bytes_raw)).collect();
    assert_eq!(shown, [("gone", 1, 10), ("kept", 2, 20)]);
}

#[test]
fn a_deletion_cut_off_before_the_catalog_is_finished_at_the_next_start() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(delivery("gone", 0, 5)).expect("room");
    drop(store);
    crate::tombstone::write(&dir.path().join("tombstones"), 1, &group("gone")).expect("room");
    let (store, _) = open(dir.path());
    assert_events(&store, 0);
    store.append(delivery("gone", 0, 1)).expect("room");
    assert_events(&store, 1);
}

#[test]
fn groups_are_listed_with_sizes_times_and_streams() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(delivery("g", 0, 10)).expect("room");
    store.flush().expect("room");
    store.append(delivery("g", 10, 10)).expect("room");
    let listed = store.groups().remove(0);
    assert_eq!((listed.n_events, listed.bytes_raw), (20, 200));
    assert!(listed.bytes_stored > 0);
    assert_eq!(listed.last, Some(Timestamp(NOW)));
    assert_eq!(listed.first, Some(Timestamp(NOW - 19 * Timestamp::SECOND)));
    assert_eq!(listed.streams, ["host:file".into()]);
    store.flush().expect("room");
    drop(store);
    let (store, _) = open(dir.path());
    let reopened = store.groups().remove(0);
    assert_eq!((reopened.n_events, reopened.bytes_raw, reopened.streams), (20, 200, vec!["host:file".into()]));
}

#[test]
fn groups_beyond_the_limit_are_not_admitted_but_overflow_is() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = Store::open(Options { groups_max: 1, ..options(dir.path()) }).expect("a store");
    assert!(store.admits_group(&group("a")));
    store.append(delivery("a", 0, 1)).expect("room");
    assert!(store.admits_group(&group("a")) && store.admits_group(&group("overflow")));
    assert!(!store.admits_group(&group("b")));
}

#[test]
fn subscribers_get_durable_batches_of_their_groups() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let feed = store.subscribe(vec![types::GroupPattern::new("a*")], 10);
    store.append(delivery("b", 0, 1)).expect("room");
    let receipt = store.append(delivery("a", 1, 2)).expect("room");
    let FeedItem::Batch(accepted) = feed.receive(Duration::from_secs(10)) else { panic!("a batch was accepted") };
    assert_eq!((accepted.group.as_str(), accepted.batch.len()), ("a", 2));
    assert_eq!(accepted.batch.sequences.bounds().map(|(first, _)| first), Some(receipt.first_sequence));
    assert_eq!(accepted.batch.ingestion_times, vec![NOW, NOW].into());
    store.close().expect("room");
    assert!(matches!(feed.receive(Duration::from_secs(10)), FeedItem::Closed));
}

#[test]
fn a_second_server_on_the_directory_is_refused_by_name() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let Err(OpenError::Locked { pid, .. }) = Store::open(options(dir.path())) else { panic!("it is in use") };
    assert_eq!(pid, std::process::id().to_string());
    store.append(delivery("g", 0, 1)).expect("the first is unharmed");
    drop(store);
    assert_events(&open(dir.path()).0, 1);
}

#[test]
fn a_newer_format_is_refused_and_nothing_is_touched() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    drop(open(dir.path()));
    let path = dir.path().join("STORE");
    let text = std::fs::read_to_string(&path).expect("readable");
    std::fs::write(&path, text.replace("format 1", "format 9")).expect("writable");
    let listing = || {
        let mut files: Vec<_> = walk(dir.path());
        files.sort();
        files
    };
    let before = listing();
    let Err(error) = Store::open(options(dir.path())) else { panic!("it is too new") };
    assert!(error.to_string().contains("format 9 is newer than 1"), "{error}");
    assert_eq!(before, listing());
}

fn walk(dir: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).expect("readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(walk(&path))
        } else {
            files.push((path.clone(), std::fs::read(path).expect("readable")))
        }
    }
    files
}

#[test]
fn batch_ids_outlive_a_clock_that_jumps() {
    use std::sync::atomic::{AtomicI64, Ordering};
    let (day, year) = (Timestamp::DAY, 365 * Timestamp::DAY);
    for jump in [-10 * year, -day, -Timestamp::HOUR, Timestamp::HOUR, 2 * day, 10 * year] {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let (wall, uptime) = (Arc::new(AtomicI64::new(NOW)), Arc::new(AtomicI64::new(0)));
        let (now, up) = (wall.clone(), uptime.clone());
        let clock = Clock::new(move || Timestamp(now.load(Ordering::Relaxed)))
            .with_uptime(move || std::time::Duration::from_nanos(up.load(Ordering::Relaxed) as u64));
        let open = || Store::open(Options { clock: clock.clone(), ..options(dir.path()) }).expect("a store").0;
        let pass = |ns: i64| {
            wall.fetch_add(ns, Ordering::Relaxed);
            uptime.fetch_add(ns, Ordering::Relaxed);
        };
        let store = open();
        store.append(keyed("g", 0, 5, 1, 1)).expect("room");
        store.flush().expect("room");
        wall.fetch_add(jump, Ordering::Relaxed);
        pass(Timestamp::MINUTE);
        assert!(store.append(keyed("g", 0, 5, 1, 1)).expect("room").duplicate, "{jump}");
        store.append(keyed("g", 5, 5, 2, 1)).expect("room");
        store.flush().expect("room");
        store.append(keyed("g", 10, 5, 3, 1)).expect("room");
        wall.fetch_sub(jump, Ordering::Relaxed);
        pass(Timestamp::MINUTE);
        for id in [1, 2, 3] {
            let from = u64::from(id - 1) * 5;
            assert!(store.append(keyed("g", from, 5, id, 1)).expect("room").duplicate, "{jump}: {id}");
        }
        store.retire().expect("room");
        drop(store);
        let store = open();
        for id in [1, 2, 3] {
            let from = u64::from(id - 1) * 5;
            assert!(store.append(keyed("g", from, 5, id, 1)).expect("room").duplicate, "{jump}: {id} after a start");
        }
        assert_events(&store, 15);
    }
}
