//! A catalog that is lost is created again from the segments and the tombstones.

use super::*;
use crate::{repair, verify};

fn lose_catalog(dir: &Path) {
    for name in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
        let _ = std::fs::remove_file(dir.join(name));
    }
}

/// Returns files below `segments/`, `wal/`, `tombstones/` and `quarantine/`.
fn files(dir: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut pending: Vec<_> = ["segments", "wal", "tombstones", "quarantine"].map(|name| dir.join(name)).into();
    while let Some(next) = pending.pop() {
        for entry in std::fs::read_dir(next).expect("readable").flatten() {
            match entry.file_type().expect("readable").is_dir() {
                true => pending.push(entry.path()),
                false => files.push(entry.path().strip_prefix(dir).expect("below").to_string_lossy().into_owned()),
            }
        }
    }
    files.sort();
    files
}

/// Creates a store with events in three segments and in the WAL, and a deleted group.
fn store_with_everything(dir: &Path) {
    let (store, _) = open(dir);
    for n in 0..3 {
        store.append(delivery("g", n * 10, 10)).expect("room");
        store.append(delivery("gone", 100 + n * 10, 10)).expect("room");
        store.flush().expect("room");
    }
    store.delete_group(&group("gone")).expect("room");
    store.append(delivery("g", 30, 5)).expect("room");
}

#[test]
fn a_lost_catalog_is_made_anew_and_what_was_deleted_stays_deleted() {
    for is_damaged in [false, true] {
        let dir = tempfile::tempdir().expect("a scratch directory");
        store_with_everything(dir.path());
        let before = files(dir.path());
        lose_catalog(dir.path());
        if is_damaged {
            std::fs::write(dir.path().join("catalog.sqlite"), vec![0x55; 5000]).expect("room");
        }
        let found = verify(&crate::Options::new(dir.path())).expect("a store");
        assert_eq!((found.segments, found.wal_records), (3, 1), "what is there is checked all the same");
        assert_eq!(found.damaged.len(), 1);
        assert!(found.damaged[0].to_string().contains("--repair"), "{}", found.damaged[0]);
        let done = repair(&options(dir.path())).expect("a store");
        assert_eq!((done.segments_adopted, done.unfinished_removed), (3, 0));
        let kept = files(dir.path());
        assert!(before.iter().all(|file| kept.contains(file)), "nothing is removed");
        let again = verify(&crate::Options::new(dir.path())).expect("a store");
        assert_eq!((again.damaged, again.segments, again.events), (vec![], 3, 60));
        let again = repair(&options(dir.path())).expect("a store");
        assert_eq!((again.segments_adopted, again.damaged), (0, vec![]), "the second run finds nothing to do");
        let (store, recovery) = open(dir.path());
        assert_eq!(recovery.damaged, []);
        assert_events(&store, 35);
        assert_eq!(store.groups().len(), 1);
        store.append(delivery("g", 35, 1)).expect("room");
        store.flush().expect("room");
        drop(store);
        assert_events(&open(dir.path()).0, 36);
    }
}

#[test]
fn a_repair_waits_for_the_server_to_end() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (_store, _) = open(dir.path());
    assert!(matches!(repair(&options(dir.path())), Err(crate::OpenError::Locked { .. })));
    assert!(repair(&options(&dir.path().join("nothing"))).is_err());
}

#[test]
fn what_came_before_a_lost_catalog_is_still_known_by_position_and_batch_id() {
    for is_compacted in [false, true] {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let (store, _) = open(dir.path());
        for n in 0..4u64 {
            let shipped = Delivery { position: Some(position(n * 100, n * 100 + 100)), ..delivery("g", n * 10, 5) };
            store.append(shipped).expect("room");
            store.append(keyed("g", n * 10 + 5, 5, n as u8, 1)).expect("room");
            store.flush().expect("room");
        }
        if is_compacted {
            store.compact().expect("room");
            assert!(store.status().segments < 4);
        }
        drop(store);
        lose_catalog(dir.path());
        let (store, recovery) = open(dir.path());
        assert!(recovery.segments_adopted > 0);
        for _ in 0..2 {
            assert!(store.missing(&position(0, 500)).into_iter().flatten().eq(400..500));
            let again = Delivery { position: Some(position(100, 200)), ..delivery("g", 10, 5) };
            assert!(matches!(store.append(again), Err(crate::AppendError::PositionChanged)));
            for id in 0..4 {
                assert!(store.append(keyed("g", u64::from(id) * 10 + 5, 5, id, 1)).expect("room").duplicate);
                let conflict = store.append(keyed("g", 0, 5, id, 2));
                assert!(matches!(conflict, Err(crate::AppendError::KeyConflict)));
            }
        }
        assert_events(&store, 40);
        drop(store);
        let (store, recovery) = open(dir.path());
        assert_eq!(recovery.damaged, [], "all of it is in the catalog again");
        assert!(store.missing(&position(0, 500)).into_iter().flatten().eq(400..500));
        assert!(store.append(keyed("g", 5, 5, 0, 1)).expect("room").duplicate);
    }
}
