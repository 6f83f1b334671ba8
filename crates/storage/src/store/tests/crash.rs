//! A crash at every step loses and repeats nothing.

use super::*;
use crate::{AppendError, FAULT_POINTS, Fault};

/// Appends and flushes with a crash armed at `point`, opens again, and expects every event once.
fn crash_at(point: &str) {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(keyed("g", 0, 10, 1, 1)).expect("room");
    store.flush().expect("room");
    store.append(keyed("g", 10, 10, 2, 2)).expect("room");
    let shipped = Delivery { position: Some(position(0, 100)), ..delivery("h", 20, 5) };
    store.append(shipped).expect("room");
    store.segments.options.faults.arm(point, Fault::Crash);
    let n_acknowledged = match store.append(delivery("g", 25, 5)) {
        Ok(_) => 30,
        Err(error) => {
            assert!(matches!(error, AppendError::Poisoned(_)), "{error}");
            25
        }
    };
    let _ = store.flush();
    assert!(store.segments.options.faults.has_crashed(), "{point} was not reached");
    drop(store);
    let (store, recovery) = open(dir.path());
    assert_eq!(recovery.damaged, [], "{point}");
    let found = events(&store).len() as i64;
    // What was not acknowledged may be there or not, but whole.
    assert!(found == n_acknowledged || (n_acknowledged == 25 && found == 30), "{point}: {found}");
    assert_events(&store, found);
    assert!(store.append(keyed("g", 0, 10, 1, 1)).expect("room").duplicate, "{point}");
    assert!(store.append(keyed("g", 10, 10, 2, 2)).expect("room").duplicate, "{point}");
    assert!(store.missing(&position(0, 120)).into_iter().flatten().eq(100..120), "{point}");
    let sequences = sequences(&store);
    assert!(sequences.windows(2).all(|pair| pair[0] < pair[1]), "{point}: {sequences:?}");
    store.append(delivery("g", found as u64, 3)).expect("room");
    store.flush().expect("room");
    drop(store);
    let (store, recovery) = open(dir.path());
    assert_eq!((recovery.events_replayed, recovery.unfinished_removed), (0, 0), "{point}");
    assert_events(&store, found + 3);
    let wal_files = crate::wal::list(&dir.path().join("wal")).expect("readable").len();
    assert_eq!(wal_files, 1, "{point}: released wal files stay");
}

#[test]
fn a_crash_at_any_step_loses_and_repeats_nothing() {
    FAULT_POINTS.iter().for_each(|point| crash_at(point));
}

#[test]
fn after_a_failed_sync_nothing_is_accepted_and_everything_before_is_readable() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(delivery("g", 0, 3)).expect("room");
    store.segments.options.faults.arm("wal.sync", Fault::Errno(5));
    assert!(matches!(store.append(delivery("g", 3, 1)), Err(AppendError::Poisoned(_))));
    store.segments.options.faults.disarm("wal.sync");
    assert!(matches!(store.append(delivery("g", 3, 1)), Err(AppendError::Poisoned(_))), "a sync is never retried");
    assert!(store.status().poisoned.is_some());
    assert_events(&store, 3);
    assert!(store.flush().is_err());
    assert!(store.close().is_ok(), "there is nothing to finish");
    drop(store);
    let (store, _) = open(dir.path());
    assert!(store.append(delivery("g", events(&store).len() as u64, 1)).is_ok());
}

#[test]
fn a_catalog_that_lost_its_last_transaction_takes_the_segments_back() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(delivery("g", 0, 5)).expect("room");
    store.close().expect("room");
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
    store.append(delivery("g", 5, 5)).expect("room");
    store.append(delivery("new", 10, 5)).expect("room");
    store.flush().expect("room");
    store.append(delivery("g", 15, 5)).expect("room");
    drop(store);
    copy("saved", "catalog.sqlite");
    let (store, recovery) = open(dir.path());
    assert_eq!((recovery.segments_adopted, recovery.unfinished_removed), (1, 0));
    assert_events(&store, 20);
    assert_eq!(store.groups().len(), 2);
    drop(store);
    let (store, recovery) = open(dir.path());
    assert_eq!(recovery.segments_adopted, 0);
    assert_events(&store, 20);
}
