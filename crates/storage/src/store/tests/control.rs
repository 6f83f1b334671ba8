//! A store that lost its control store is locked until someone decides.

use super::*;
use crate::{AppendError, Fault, StoreError, unlock};

fn lose(dir: &Path, left: Option<&[u8]>) {
    for name in ["control.sqlite", "control.sqlite-wal", "control.sqlite-shm"] {
        let _ = std::fs::remove_file(dir.join(name));
    }
    if let Some(left) = left {
        std::fs::write(dir.join("control.sqlite"), left).expect("room");
    }
}

#[test]
fn a_store_without_its_control_store_takes_nothing_until_it_is_unlocked() {
    for left in [None, Some(&b"no database at all, but some bytes"[..]), Some(b""), Some(b"S")] {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let (store, recovery) = open(dir.path());
        assert_eq!((recovery.locked, store.locked()), (None, None));
        store.append(delivery("g", 0, 5)).expect("room");
        store.set_retention(&group("g"), crate::GroupRetention { age_ns: Some(1), bytes: None }).expect("room");
        drop(store);
        lose(dir.path(), left);
        for _ in 0..2 {
            let (store, recovery) = open(dir.path());
            let reason = recovery.locked.expect("a reason");
            assert!(reason.contains("control.sqlite") && reason.contains("catat unlock"), "{reason}");
            assert_eq!(store.locked(), Some(&*reason));
            assert!(matches!(store.append(delivery("g", 5, 1)), Err(AppendError::Locked(_))));
            assert!(matches!(store.delete_group(&group("g")), Err(StoreError::Locked(_))));
            assert!(matches!(store.set_retention(&group("g"), Default::default()), Err(StoreError::Locked(_))));
            assert!(matches!(store.retire(), Err(StoreError::Locked(_))), "its limits are not known");
            assert!(unlock(dir.path()).is_err(), "not while a server runs");
            drop(store);
        }
        assert!(unlock(dir.path()).expect("a store"));
        assert!(!unlock(dir.path()).expect("a store"), "once");
        assert_eq!(dir.path().join("quarantine/control.sqlite").exists(), left.is_some(), "what is left is kept");
        let (store, recovery) = open(dir.path());
        assert_eq!(recovery.locked, None);
        assert_events(&store, 5);
        store.append(delivery("g", 5, 1)).expect("room");
        assert_eq!(store.retention(&group("g")), Default::default(), "gone with the control store");
    }
}

#[test]
fn a_setting_that_is_not_what_was_set_locks_the_store() {
    for change in ["UPDATE settings SET json = replace(json, '3', '2')", "DELETE FROM settings", "DELETE FROM digest"] {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let (store, _) = open(dir.path());
        store.append(delivery("g", 0, 5)).expect("room");
        let limits = crate::GroupRetention { age_ns: None, bytes: Some(1 << 33) };
        store.set_retention(&group("g"), limits).expect("room");
        drop(store);
        let connection = rusqlite::Connection::open(dir.path().join("control.sqlite")).expect("a database");
        connection.execute(change, []).expect("room");
        drop(connection);
        let (store, recovery) = open(dir.path());
        // Without a digest it is that of an older catat, which knew none.
        assert_eq!(recovery.locked.is_some(), !change.contains("digest"), "{change}");
        assert_eq!(store.retention(&group("g")) == limits, change.contains("digest"), "{change}");
    }
}

#[test]
fn a_first_start_that_was_cut_off_is_not_locked() {
    for point in ["wal.rotate", "wal.header", "wal.rename", "wal.sync_directory"] {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let cut_off = options(dir.path());
        cut_off.faults.arm(point, Fault::Crash);
        assert!(Store::open(cut_off).is_err(), "{point}");
        if point == "wal.rotate" {
            // As if the end had come even before.
            lose(dir.path(), None);
        }
        let (store, recovery) = open(dir.path());
        assert_eq!((recovery.locked, recovery.damaged), (None, vec![]), "{point}");
        store.append(delivery("g", 0, 1)).expect("room");
    }
}
