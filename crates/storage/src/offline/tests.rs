//! A store is checked and copied while it is used, and a copy holds what was acknowledged before.

use crate::offline::listing::files_below;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use types::{BatchBuilder, GroupName, TimeRange, Timestamp};

use super::*;
use crate::{Delivery, Options, Part, Store};

fn open(dir: &Path) -> Arc<Store> {
    // Small files, so that the WAL continues in the next one all the time.
    let options = Options { disk_reserve_bytes: 0, wal_segment_bytes: 8 << 10, ..Options::new(dir) };
    let (store, recovery) = Store::open(options).expect("a store that can be opened");
    assert_eq!(recovery.damaged, []);
    store
}

fn delivery(n_events: usize) -> Delivery {
    let mut builder = BatchBuilder::new();
    for i in 0..n_events {
        builder.set_timestamp(Timestamp(1_795_176_000_000_000_000 + i as i64));
        builder.set_message(&format!("event {i} of many"));
        builder.commit();
    }
    let group = GroupName::new("app").expect("a valid name");
    Delivery { key: None, position: None, raw_bytes: 1, parts: vec![Part { group, batch: builder.finish() }] }
}

fn count(store: &Store) -> u64 {
    store.snapshot(&[], TimeRange::ALL).runs.iter().map(|run| run.info().n_events).sum()
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_copy_taken_in_use_holds_everything_acknowledged_before() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let store = open(&scratch.path().join("data"));
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Also when an assertion fails: the writing thread must end for the failure to be seen.
        let _done = SetOnDrop(&is_done);
        scope.spawn(|| {
            for n in 0u32.. {
                if is_done.load(Ordering::Relaxed) {
                    break;
                }
                store.append(delivery(100)).expect("room");
                if n % 8 == 7 {
                    store.flush().expect("room");
                }
            }
        });
        for round in 0..5 {
            let before = store.status().events_accepted;
            let copy = scratch.path().join(format!("copy{round}"));
            backup(&Options::new(scratch.path().join("data")), &copy).expect("room");
            let report = verify(&Options::new(&copy)).expect("a store");
            assert_eq!(report.damaged, []);
            let restored = scratch.path().join(format!("restored{round}"));
            restore(&copy, &restored).expect("room");
            let reopened = open(&restored);
            let found = count(&reopened);
            assert!(found >= before && found.is_multiple_of(100), "{found} of at least {before}");
            reopened.append(delivery(7)).expect("a restored store takes events");
            assert_eq!(count(&reopened), found + 7);
        }
    });
}

#[test]
fn hot_events_are_part_of_a_copy() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let store = open(&scratch.path().join("data"));
    store.append(delivery(10)).expect("room");
    backup(&Options::new(scratch.path().join("data")), &scratch.path().join("copy")).expect("room");
    assert_eq!(count(&open(&scratch.path().join("copy"))), 10);
}

#[test]
fn verifying_counts_what_is_there_and_names_what_is_damaged() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let dir = scratch.path().join("data");
    let store = open(&dir);
    store.append(delivery(10)).expect("room");
    let bytes_of = |part: &str| {
        let paths = files_below(&dir.join(part)).expect("readable").into_iter().map(|file| dir.join(part).join(file));
        paths.map(|path| std::fs::metadata(path).expect("a file").len()).sum::<u64>()
    };
    let report = verify(&Options::new(&dir)).expect("a store");
    assert_eq!((report.segments, report.wal_records), (0, 1));
    assert!(report.bytes_checked > 0 && report.bytes_checked == bytes_of("wal"), "files of the WAL are checked, too");
    store.flush().expect("room");
    store.append(delivery(5)).expect("room");
    let report = verify(&Options::new(&dir)).expect("a store");
    assert_eq!((report.segments, report.events, report.wal_records), (1, 10, 1));
    assert!(report.damaged.is_empty() && report.bytes_checked > bytes_of("wal"));
    drop(store);
    let file = files_below(&dir.join("segments")).expect("readable").remove(0);
    let path = dir.join("segments").join(&file);
    let mut bytes = std::fs::read(&path).expect("readable");
    bytes[100] ^= 1;
    std::fs::write(&path, bytes).expect("writable");
    let report = verify(&Options::new(&dir)).expect("a store");
    assert_eq!(report.damaged.len(), 1);
    assert_eq!(report.damaged[0].file, format!("segments/{}", file.display()));
    let copy = scratch.path().join("copy");
    backup(&Options::new(&dir), &copy).expect("damage is copied as it is");
    let refused = restore(&copy, &scratch.path().join("restored"));
    assert!(matches!(refused, Err(BackupError::Damaged(_))));
}

#[test]
fn a_place_that_holds_something_is_refused() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let dir = scratch.path().join("data");
    drop(open(&dir));
    assert!(matches!(backup(&Options::new(&dir), &dir), Err(BackupError::NotEmpty(_))));
    assert!(matches!(restore(&dir, scratch.path()), Err(BackupError::NotEmpty(_))));
    assert!(backup(&Options::new(scratch.path()), &scratch.path().join("copy")).is_err());
}
