//! Segments in the object store: the same answers, nothing lost or twice, and nothing left behind.

use super::*;
use crate::fake_s3::{FakeS3, Trouble};
pub(super) use crate::state::{Place, StoredSegment};
use crate::{COMPACTION_FAULT_POINTS, Fault, MOVE_FAULT_POINTS};

fn remote_options(dir: &Path, fake: &FakeS3) -> Options {
    Options { object_store: Some(fake.options()), ..options(dir) }
}

fn open_remote(dir: &Path, fake: &FakeS3) -> Arc<Store> {
    Store::open(remote_options(dir, fake)).expect("a store that can be opened").0
}

/// Returns a store with two segments, of which the groups are `g` and `h`.
fn two_segments(dir: &Path, fake: &FakeS3) -> Arc<Store> {
    let store = open_remote(dir, fake);
    for (name, from) in [("g", 0), ("h", 20)] {
        store.append(delivery(name, from, 20)).expect("room");
        store.flush().expect("room");
    }
    store
}

fn segments_at(store: &Store, place: Place) -> Vec<Arc<StoredSegment>> {
    store.segments.state().segments.iter().filter(|stored| stored.place == place).cloned().collect()
}

fn move_all(store: &Store, place: Place) -> Result<(), StoreError> {
    let others = if place == Place::Remote { Place::Local } else { Place::Remote };
    segments_at(store, others).iter().try_for_each(|stored| store.upkeep.mover.move_segment_to(stored, place))
}

fn n_local_files(dir: &Path) -> usize {
    let partitions = std::fs::read_dir(dir.join("segments")).expect("readable").flatten();
    partitions.map(|partition| std::fs::read_dir(partition.path()).expect("readable").count()).sum()
}

/// Returns everything that can be read, with ids.
fn everything(store: &Store) -> Vec<String> {
    let snapshot = store.snapshot(&[], TimeRange::ALL);
    assert_eq!(snapshot.damaged, []);
    let rows = snapshot.runs.iter().flat_map(|run| crate::segment_events::dump(&**run).expect("intact"));
    let mut rows: Vec<String> = rows.collect();
    rows.sort_unstable();
    rows
}

#[test]
fn answers_from_the_object_store_are_those_from_the_data_directory() {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let store = two_segments(dir.path(), &fake);
    let before = everything(&store);
    move_all(&store, Place::Remote).expect("an object store");
    store.segments.remove_doomed();
    assert_eq!((n_local_files(dir.path()), fake.names().len()), (0, 2));
    assert_eq!(everything(&store), before);
    let status = store.status().object_store.expect("there is one");
    assert_eq!((status.segments, status.objects_to_remove, status.unreachable), (2, 0, None));
    drop(store);
    fake.take_requests("GET");
    let store = open_remote(dir.path(), &fake);
    assert_eq!(store.status().damaged, []);
    assert_eq!(fake.take_requests("GET"), 0, "a start asks for nothing that it has kept");
    assert_eq!(everything(&store), before);
    assert_eq!(fake.take_requests("GET"), 0, "pages outlive a restart");
    assert_eq!(store.verify().1, []);
    move_all(&store, Place::Local).expect("room");
    store.segments.remove_doomed();
    until("objects are removed", || fake.names().is_empty());
    assert_eq!((n_local_files(dir.path()), everything(&store)), (2, before.clone()));
    drop(store);
    let (store, recovery) = open(dir.path());
    assert_eq!((recovery.damaged, everything(&store)), (vec![], before));
}

#[test]
fn a_start_without_copies_is_quick_and_asks_once_or_twice_for_each_segment() {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let store = two_segments(dir.path(), &fake);
    move_all(&store, Place::Remote).expect("an object store");
    drop(store);
    std::fs::remove_dir_all(dir.path().join("cache")).expect("removable");
    fake.take_requests("GET");
    let store = open_remote(dir.path(), &fake);
    until("segments are opened", || store.status().awaited.is_empty());
    assert_eq!(fake.take_requests("GET"), 2);
    assert_events(&store, 40);
    assert_eq!(fake.take_requests("GET"), 2, "one page each");
}

#[test]
fn without_the_object_store_the_rest_answers_and_what_is_missing_is_named() {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let store = two_segments(dir.path(), &fake);
    let first = segments_at(&store, Place::Local).remove(0);
    store.upkeep.mover.move_segment_to(&first, Place::Remote).expect("an object store");
    drop((store, first));
    std::fs::remove_dir_all(dir.path().join("cache")).expect("removable");
    fake.fail(|_| Some(Trouble::Status(503)));
    let store = open_remote(dir.path(), &fake);
    assert_eq!(events(&store), (20..40).collect::<Vec<_>>());
    let snapshot = store.snapshot(&[], TimeRange::ALL);
    assert!(
        snapshot.damaged.len() == 1 && snapshot.damaged[0].file.starts_with("s3://logs/"),
        "{:?}",
        snapshot.damaged
    );
    store.append(delivery("g", 40, 5)).expect("events are accepted all the same");
    store.flush().expect("room");
    until("it is said", || store.status().object_store.is_some_and(|status| status.unreachable.is_some()));
    fake.fail(|_| None);
    store.segments.signals.objects.ring();
    until("segments are opened", || {
        store.segments.signals.objects.ring();
        store.status().awaited.is_empty()
    });
    assert_events(&store, 45);
}

#[test]
fn a_failed_read_is_an_error_that_names_the_object() {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let store = two_segments(dir.path(), &fake);
    move_all(&store, Place::Remote).expect("an object store");
    for trouble in
        [Trouble::Status(500), Trouble::Status(404), Trouble::Status(403), Trouble::ShortBody, Trouble::LostAnswer]
    {
        fake.fail(move |request| (request.method == "GET").then_some(trouble));
        let snapshot =
            store.snapshot(&[group("g")].map(|name| types::GroupPattern::new(name.as_str())), TimeRange::ALL);
        let read = snapshot.runs[0].read(0, &["@message"], &RowSet::all(20));
        let error = read.expect_err("no answer");
        assert!(error.file.starts_with("s3://logs/some/prefix/"), "{trouble:?}: {error}");
    }
    fake.fail(|_| None);
    until("it is asked again", || {
        store.segments.signals.objects.ring();
        store.status().object_store.is_some_and(|status| status.unreachable.is_none())
    });
    assert_events(&store, 40);
}

#[test]
fn a_wrong_page_is_read_again_and_a_wrong_object_is_damage() {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let store = two_segments(dir.path(), &fake);
    move_all(&store, Place::Remote).expect("an object store");
    let mut is_spoiled = false;
    fake.fail(move |request| {
        let is_first = request.method == "GET" && !std::mem::replace(&mut is_spoiled, true);
        is_first.then_some(Trouble::WrongByte)
    });
    assert_events(&store, 40);
    drop(store);
    std::fs::remove_dir_all(dir.path().join("cache/pages")).expect("removable");
    // The first byte after the header: which fields events have, which whoever reads any field asks.
    fake.change(|bytes| bytes[64] ^= 1);
    let store = open_remote(dir.path(), &fake);
    let found = store.verify().1;
    assert!(found.len() == 2 && found[0].problem.contains("checksum"), "{found:?}");
    let snapshot = store.snapshot(&[], TimeRange::ALL);
    let read = crate::segment_events::dump(&*snapshot.runs[0]);
    assert!(read.is_err_and(|error| error.file.starts_with("s3://")));
}

#[test]
fn a_move_that_fails_leaves_the_segment_where_it_is_and_nothing_behind() {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let store = two_segments(dir.path(), &fake);
    let troubles = [("PUT", Trouble::Status(403)), ("PUT", Trouble::ShortBody), ("PUT", Trouble::WrongByte)];
    for (method, trouble) in troubles.into_iter().chain([("HEAD", Trouble::Status(403)), ("GET", Trouble::ShortBody)]) {
        fake.fail(move |request| (request.method == method).then_some(trouble));
        let moved = move_all(&store, Place::Remote);
        assert!(matches!(moved, Err(StoreError::Move { .. })), "{trouble:?} of {method}: {moved:?}");
        assert_events(&store, 40);
        assert_eq!((n_local_files(dir.path()), segments_at(&store, Place::Remote).len()), (2, 0));
        until("what was put is removed", || fake.names().is_empty());
    }
    let first = segments_at(&store, Place::Local).remove(0);
    fake.fail(|_| None);
    let path = dir.path().join(&first.file);
    let mut bytes = std::fs::read(&path).expect("readable");
    bytes[70] ^= 1;
    std::fs::write(&path, bytes).expect("writable");
    let moved = store.upkeep.mover.move_segment_to(&first, Place::Remote);
    assert!(matches!(moved, Err(StoreError::Unreadable(_))), "damage is not moved: {moved:?}");
}

#[test]
fn what_cannot_be_removed_is_removed_later_also_after_a_restart() {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let store = two_segments(dir.path(), &fake);
    move_all(&store, Place::Remote).expect("an object store");
    fake.fail(|request| (request.method == "DELETE").then_some(Trouble::Status(403)));
    assert!(store.delete_group(&group("g")).expect("room"));
    until("it was tried", || fake.take_requests("DELETE") > 0);
    let status = store.status().object_store.expect("there is one");
    assert_eq!((status.segments, status.objects_to_remove, fake.names().len()), (1, 1, 2));
    drop(store);
    let store = open_remote(dir.path(), &fake);
    assert_eq!(events(&store), (20..40).collect::<Vec<_>>());
    assert_eq!(store.status().object_store.expect("there is one").objects_to_remove, 1);
    fake.fail(|_| None);
    store.segments.signals.objects.ring();
    until("it is permitted again", || fake.names().len() == 1);
    until("and forgotten", || store.status().object_store.is_some_and(|status| status.objects_to_remove == 0));
    drop(store);
    fake.take_requests("DELETE");
    let store = open_remote(dir.path(), &fake);
    assert_eq!(events(&store), (20..40).collect::<Vec<_>>());
    drop(store);
    assert_eq!(fake.take_requests("DELETE"), 0, "the catalog has forgotten it");
}

#[test]
fn a_snapshot_goes_on_reading_what_was_moved_and_moved_back() {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let store = two_segments(dir.path(), &fake);
    let local = store.snapshot(&[], TimeRange::ALL);
    move_all(&store, Place::Remote).expect("an object store");
    let remote = store.snapshot(&[], TimeRange::ALL);
    assert_eq!((n_local_files(dir.path()), events_of(&local)), (2, (0..40).collect()));
    move_all(&store, Place::Local).expect("room");
    std::fs::remove_dir_all(dir.path().join("cache/pages")).expect("removable");
    assert_eq!((fake.names().len(), events_of(&remote)), (2, (0..40).collect()));
    drop((local, remote));
    store.segments.remove_doomed();
    until("objects are removed", || fake.names().is_empty());
    assert_eq!(n_local_files(dir.path()), 2);
    assert_events(&store, 40);
}

#[test]
fn remote_segments_are_checked_and_copied_and_a_copy_shares_no_object() {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let store = two_segments(&dir.path().join("data"), &fake);
    let first = segments_at(&store, Place::Local).remove(0);
    store.upkeep.mover.move_segment_to(&first, Place::Remote).expect("an object store");
    drop(first);
    let before = everything(&store);
    let (data, copy, restored) = (dir.path().join("data"), dir.path().join("copy"), dir.path().join("restored"));
    let with_objects = crate::Options { object_store: Some(fake.options()), ..crate::Options::new(&data) };
    let report = crate::verify(&with_objects).expect("a store");
    assert_eq!((report.damaged, report.segments, report.events), (vec![], 2, 40));
    let damaged = crate::verify(&crate::Options::new(&data)).expect("a store").damaged;
    assert!(damaged.len() == 1 && damaged[0].problem.contains("object store"), "{damaged:?}");
    assert!(crate::backup(&crate::Options::new(&data), &dir.path().join("nothing")).is_err());
    crate::backup(&with_objects, &copy).expect("room");
    drop(store);
    crate::restore(&copy, &restored).expect("an intact copy");
    let (store, recovery) = open(&restored);
    assert_eq!((recovery.damaged, everything(&store)), (vec![], before));
    assert!(store.delete_group(&group("g")).expect("room"));
    assert!(store.delete_group(&group("h")).expect("room"));
    drop(store);
    assert_eq!(fake.names().len(), 1, "the object belongs to the other store");
    // The first byte after the header: which fields events have, which whoever reads any field asks.
    fake.change(|bytes| bytes[64] ^= 1);
    let damaged = crate::verify(&with_objects).expect("a store").damaged;
    assert!(damaged.len() == 1 && damaged[0].file.starts_with("s3://"), "{damaged:?}");
}

fn lose_catalog(dir: &Path) {
    for name in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
        let _ = std::fs::remove_file(dir.join(name));
    }
}

#[test]
fn a_lost_catalog_is_made_anew_from_objects_too() {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let store = two_segments(dir.path(), &fake);
    let first = segments_at(&store, Place::Local).remove(0);
    store.upkeep.mover.move_segment_to(&first, Place::Remote).expect("an object store");
    let before = everything(&store);
    drop(first);
    store.segments.remove_doomed();
    drop(store);
    lose_catalog(dir.path());
    let (store, recovery) = Store::open(remote_options(dir.path(), &fake)).expect("a store that can be opened");
    assert_eq!((recovery.segments_adopted, everything(&store)), (2, before.clone()));
    assert_eq!((segments_at(&store, Place::Remote).len(), fake.names().len()), (1, 1));
    drop(store);
    lose_catalog(dir.path());
    fake.fail(|_| Some(Trouble::Status(403)));
    let (store, recovery) = Store::open(remote_options(dir.path(), &fake)).expect("a store that can be opened");
    assert_eq!(events(&store), (20..40).collect::<Vec<_>>());
    assert!(recovery.damaged.iter().any(|damage| damage.problem.contains("verify --repair")), "{recovery:?}");
    drop(store);
    fake.fail(|_| None);
    let repaired = crate::repair(&remote_options(dir.path(), &fake)).expect("a store");
    assert_eq!(repaired.segments_adopted, 1);
    let again = crate::repair(&remote_options(dir.path(), &fake)).expect("a store");
    assert_eq!(again.segments_adopted, 0);
    assert_eq!(everything(&open_remote(dir.path(), &fake)), before);
}

#[test]
fn deleted_events_of_a_remote_segment_stay_hidden_whenever_it_is_opened() {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let store = two_segments(dir.path(), &fake);
    move_all(&store, Place::Remote).expect("an object store");
    let held = store.upkeep.compactor.hold();
    super::erasing::delete(&store, "g", |n| n % 2 == 1);
    let expected: Vec<i64> = (0..20).step_by(2).chain(20..40).collect();
    assert_eq!(events(&store), expected);
    drop(held);
    drop(store);
    std::fs::remove_dir_all(dir.path().join("cache/pages")).expect("removable");
    fake.fail(|request| (request.method == "GET").then_some(Trouble::Status(503)));
    let store = open_remote(dir.path(), &fake);
    assert_eq!(store.status().awaited.len(), 1, "which rows are deleted cannot be read yet");
    assert_eq!(store.snapshot(&[], TimeRange::ALL).runs.len(), 1);
    fake.fail(|_| None);
    until("it is opened", || {
        store.segments.signals.objects.ring();
        store.status().awaited.is_empty()
    });
    assert_eq!(events(&store), expected);
    store.compact().expect("room");
    assert_eq!(events(&store), expected);
}

#[test]
fn remote_segments_are_compacted_into_local_ones() {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let store = open_remote(dir.path(), &fake);
    let held = store.upkeep.compactor.hold();
    for flush in 0..6 {
        store.append(delivery("g", flush * 10, 10)).expect("room");
        store.flush().expect("room");
    }
    let before = everything(&store);
    move_all(&store, Place::Remote).expect("an object store");
    drop(held);
    store.compact().expect("room");
    assert_eq!(everything(&store), before);
    let n_remote = segments_at(&store, Place::Remote).len();
    assert!(n_remote < 6, "{n_remote} are still remote");
    until("their objects are removed", || fake.names().len() == n_remote);
}

/// Compacts remote segments with a crash armed at `point`, opens again, and expects every event once.
fn crash_compaction_at(point: &str) {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let store = open_remote(dir.path(), &fake);
    let held = store.upkeep.compactor.hold();
    for flush in 0..4 {
        store.append(delivery("g", flush * 10, 10)).expect("room");
        store.flush().expect("room");
    }
    move_all(&store, Place::Remote).expect("an object store");
    store.segments.options.faults.arm(point, Fault::Crash);
    drop(held);
    let _ = store.compact();
    assert!(store.segments.options.faults.has_crashed(), "{point} was not reached");
    drop(store);
    fake.fail(|request| (request.method == "HEAD").then_some(Trouble::Status(403)));
    let (store, recovery) = Store::open(remote_options(dir.path(), &fake)).expect("a store that can be opened");
    assert_eq!(recovery.damaged, [], "{point}");
    assert_events(&store, 40);
    drop(store);
    fake.fail(|_| None);
    let (store, recovery) = Store::open(remote_options(dir.path(), &fake)).expect("a store that can be opened");
    assert_eq!(recovery.damaged, [], "{point}");
    assert_events(&store, 40);
    store.compact().expect("room");
    until(point, || (n_local_files(dir.path()), fake.names().len()) == (1, 0));
    assert_events(&store, 40);
}

#[test]
fn a_crash_while_remote_segments_are_compacted_loses_and_repeats_nothing() {
    COMPACTION_FAULT_POINTS.into_iter().for_each(crash_compaction_at);
}

/// Moves two segments with a crash armed at `point`, opens again, and expects every event once and nothing left.
fn crash_at(point: &str) {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let store = two_segments(dir.path(), &fake);
    store.segments.options.faults.arm(point, Fault::Crash);
    let _ = move_all(&store, Place::Remote);
    if point == "object.remove" {
        assert!(store.delete_group(&group("none")).is_ok());
        let _ = move_all(&store, Place::Local);
        store.segments.signals.objects.ring();
        until("the point is reached", || store.segments.options.faults.has_crashed());
    }
    assert!(store.segments.options.faults.has_crashed(), "{point} was not reached");
    assert_events(&store, 40);
    drop(store);
    let (store, recovery) = Store::open(remote_options(dir.path(), &fake)).expect("a store that can be opened");
    assert_eq!(recovery.damaged, [], "{point}");
    assert_events(&store, 40);
    let is_clean = || {
        let (local, remote) = (segments_at(&store, Place::Local).len(), segments_at(&store, Place::Remote).len());
        (n_local_files(dir.path()), fake.names().len()) == (local, remote) && local + remote == 2
    };
    until(point, is_clean);
    move_all(&store, Place::Remote).expect("the next time nothing stands in the way");
    assert_events(&store, 40);
}

#[test]
fn a_crash_at_any_step_of_a_move_loses_and_repeats_nothing_and_leaves_nothing_behind() {
    MOVE_FAULT_POINTS.into_iter().for_each(crash_at);
}
