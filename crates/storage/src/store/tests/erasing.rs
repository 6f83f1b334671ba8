//! Deleted events are in no snapshot from then on, and soon in no file.

use std::collections::BTreeSet;

use proptest::prelude::*;
use types::EventId;

use super::*;
use crate::{
    COMPACTION_FAULT_POINTS, DELETION_FAULT_POINTS, DeletionOrder, DeletionReceipt, Fault, Sequences, StoreError,
};

pub(super) fn order() -> DeletionOrder {
    let (requested_by, reason) = ("admin".to_owned(), "ticket 7".to_owned());
    DeletionOrder { range: TimeRange::ALL, query: "filter n = 1".into(), requested_by, reason }
}

/// Sequences of the events of a group whose `n` fulfils `is_wanted`.
pub(super) fn find(store: &Store, name: &str, is_wanted: impl Fn(i64) -> bool) -> Sequences {
    let snapshot = store.snapshot(&[types::GroupPattern::new(name)], TimeRange::ALL);
    let mut found = Vec::new();
    for run in &snapshot.runs {
        for block in 0..run.n_blocks() {
            let columns = run.read(block, &["n", "@id"], &RowSet::all(run.block_rows(block))).expect("an intact run");
            for row in 0..run.block_rows(block) {
                let Some(Value::Integer(n)) = columns[0].value(row) else { panic!("n is a number") };
                let Some(Value::String(id)) = columns[1].value(row) else { panic!("an id is a text") };
                if is_wanted(n) {
                    found.push(EventId::decode(&id).expect("an id").sequence);
                }
            }
        }
    }
    found.into_iter().collect()
}

pub(super) fn delete(store: &Store, name: &str, is_wanted: impl Fn(i64) -> bool) -> DeletionReceipt {
    store.delete_events(&group(name), find(store, name, is_wanted), &order()).expect("room")
}

fn assert_left(store: &Store, all: std::ops::Range<i64>, is_deleted: impl Fn(i64) -> bool) {
    let expected: Vec<i64> = all.filter(|n| !is_deleted(*n)).collect();
    assert_eq!(events(store), expected);
    let n_events: u64 = store.groups().iter().map(|group| group.n_events).sum();
    assert_eq!(n_events, expected.len() as u64, "sizes of groups");
    let status = store.status();
    assert_eq!(status.hot_events + status.stored_events, expected.len() as u64, "the status");
}

fn tombstones(dir: &Path, ending: &str) -> usize {
    let entries = std::fs::read_dir(dir.join("tombstones")).expect("readable").flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(ending)).count()
}

pub(super) fn is_odd(n: i64) -> bool {
    n % 2 == 1
}

#[test]
fn hot_events_go_at_once_and_stay_away_after_a_crash() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(keyed("g", 0, 10, 1, 1)).expect("room");
    store.append(delivery("h", 10, 5)).expect("room");
    let receipt = delete(&store, "g", is_odd);
    assert_eq!((receipt.n_matched, receipt.n_deleted, receipt.reclaimed), (5, 5, None));
    let is_deleted = |n: i64| n < 10 && is_odd(n);
    assert_left(&store, 0..15, is_deleted);
    assert_eq!(delete(&store, "g", is_odd).n_deleted, 0, "again there is nothing");
    drop(store);
    let (store, recovery) = open(dir.path());
    assert_eq!(recovery.damaged, []);
    assert_left(&store, 0..15, is_deleted);
    assert!(store.append(keyed("g", 0, 10, 1, 1)).expect("room").duplicate, "what was sent once stays known");
    store.flush().expect("room");
    assert_left(&store, 0..15, is_deleted);
    let found = store.deletions();
    assert_eq!((found.len(), found[0].n_deleted, found[0].reason.as_str()), (1, 5, "ticket 7"));
    assert_eq!(found[0].reclaimed, Some(Timestamp(NOW)), "no file holds them since the wal is released");
    assert_eq!((tombstones(dir.path(), ".events"), tombstones(dir.path(), ".receipt")), (0, 1));
    drop(store);
    let (store, _) = open(dir.path());
    assert_left(&store, 0..15, is_deleted);
    assert_eq!(store.deletions(), found, "the receipt stays");
}

#[test]
fn a_store_whose_hot_events_are_all_deleted_still_lets_the_wal_go() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(delivery("g", 0, 5)).expect("room");
    delete(&store, "g", |_| true);
    assert_left(&store, 0..0, |_| false);
    store.flush().expect("room");
    assert!(store.deletions()[0].reclaimed.is_some());
    assert_eq!(store.groups().len(), 1, "the group stays");
}

#[test]
fn events_in_segments_go_at_once_and_then_from_the_disk() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let held = store.upkeep.compactor.hold();
    store.append(delivery("g", 0, 10)).expect("room");
    store.append(delivery("h", 10, 10)).expect("room");
    store.flush().expect("room");
    let before = store.snapshot(&[], TimeRange::ALL);
    let receipt = delete(&store, "g", is_odd);
    let is_deleted = |n: i64| n < 10 && is_odd(n);
    assert_left(&store, 0..20, is_deleted);
    let n_before: u64 = before.runs.iter().map(|run| run.info().n_events).sum();
    assert_eq!(n_before, 20, "a snapshot does not change");
    assert_eq!(receipt.reclaimed, None);
    drop((before, held));
    store.compact().expect("room");
    assert_left(&store, 0..20, is_deleted);
    let receipt = store.deletion(receipt.id).expect("it is known");
    assert_eq!((receipt.reclaimed, receipt.n_segments, receipt.segments.len()), (Some(Timestamp(NOW)), 1, 1));
    assert!(receipt.bytes_rewritten > 0);
    assert!(store.segments.state().masks.is_empty() && store.segments.state().deletions.is_empty());
    assert_eq!((tombstones(dir.path(), ".events"), store.verify().1.len()), (0, 0));
    let segments = store.segments.state().segments.clone();
    let n_stored: u64 = segments.iter().flat_map(|stored| stored.segment.summaries()).map(|run| run.n_events).sum();
    assert_eq!(n_stored, 15, "the segment itself has no more");
}

#[test]
fn a_segment_of_which_nothing_is_left_goes_without_being_written_again() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(delivery("g", 0, 10)).expect("room");
    store.flush().expect("room");
    let receipt = delete(&store, "g", |_| true);
    assert_eq!((store.status().segments, store.status().compactions), (0, 0));
    assert!(receipt.reclaimed.is_some());
    assert_left(&store, 0..0, |_| false);
}

/// Deletes with a crash armed at `point`, opens again, and expects all of the deleted events or none, never fewer
/// than none and after an acknowledgement none.
fn crash_at(point: &str) {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let held = store.upkeep.compactor.hold();
    for name in ["g", "h"] {
        store.append(delivery(name, if name == "g" { 0 } else { 10 }, 10)).expect("room");
    }
    store.flush().expect("room");
    store.append(delivery("g", 20, 10)).expect("room");
    let sequences = find(&store, "g", is_odd);
    store.segments.options.faults.arm(point, Fault::Crash);
    let is_acknowledged = store.delete_events(&group("g"), sequences, &order()).is_ok();
    drop(held);
    let _ = store.compact();
    assert!(store.segments.options.faults.has_crashed(), "{point} was not reached");
    drop(store);
    let (store, recovery) = open(dir.path());
    assert_eq!(recovery.damaged, [], "{point}");
    let is_deleted = |n: i64| is_odd(n) && !(10..20).contains(&n);
    let is_gone = events(&store).len() == 20;
    assert!(is_gone || !is_acknowledged, "{point}: what was acknowledged came back");
    let check = |store: &Store| assert_left(store, 0..30, |n| is_gone && is_deleted(n));
    check(&store);
    store.compact().expect("room");
    check(&store);
    store.flush().expect("room");
    store.compact().expect("room");
    check(&store);
    assert!(store.deletions().iter().all(|receipt| receipt.reclaimed.is_some()), "{point}: {:?}", store.deletions());
    assert_eq!((tombstones(dir.path(), ".events"), tombstones(dir.path(), ".tmp")), (0, 0), "{point}");
    drop(store);
    let (store, recovery) = open(dir.path());
    assert_eq!((recovery.unfinished_removed, recovery.damaged.len()), (0, 0), "{point}");
    check(&store);
}

#[test]
fn a_crash_at_any_step_brings_nothing_back_that_was_acknowledged() {
    let points: BTreeSet<&str> = DELETION_FAULT_POINTS.iter().chain(&COMPACTION_FAULT_POINTS).copied().collect();
    points.iter().for_each(|point| crash_at(point));
}

#[test]
fn a_deletion_that_fails_changes_nothing() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(delivery("g", 0, 10)).expect("room");
    for point in ["erase.tombstone", "erase.catalog", "erase.publish"] {
        store.segments.options.faults.arm(point, Fault::Errno(28));
        let refused = store.delete_events(&group("g"), find(&store, "g", is_odd), &order());
        assert!(matches!(refused, Err(StoreError::Io { .. })), "{point}");
        store.segments.options.faults.disarm(point);
        assert_left(&store, 0..10, |_| false);
        assert_eq!(tombstones(dir.path(), ""), 0, "{point}");
    }
    drop(store);
    let (store, _) = open(dir.path());
    assert_left(&store, 0..10, |_| false);
    assert!(matches!(store.delete_events(&group("x"), Sequences::default(), &order()), Err(StoreError::NoGroup(_))));
}

fn lose_catalog(dir: &Path) {
    for name in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
        let _ = std::fs::remove_file(dir.join(name));
    }
}

#[test]
fn a_catalog_that_is_lost_brings_nothing_deleted_back() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let held = store.upkeep.compactor.hold();
    store.append(delivery("g", 0, 10)).expect("room");
    store.flush().expect("room");
    store.append(delivery("g", 10, 10)).expect("room");
    delete(&store, "g", |n| is_odd(n) || n >= 18);
    let is_deleted = |n: i64| is_odd(n) || n >= 18;
    drop(held);
    drop(store);
    lose_catalog(dir.path());
    let (store, _) = open(dir.path());
    let held = store.upkeep.compactor.hold();
    assert_left(&store, 0..20, is_deleted);
    store.append(delivery("g", 20, 5)).expect("room");
    assert_left(&store, 0..25, |n| n < 20 && is_deleted(n));
    drop(held);
    store.flush().expect("room");
    store.compact().expect("room");
    assert!(store.deletions()[0].reclaimed.is_some());
    assert_left(&store, 0..25, |n| n < 20 && is_deleted(n));
    drop(store);
    lose_catalog(dir.path());
    let (store, _) = open(dir.path());
    assert_left(&store, 0..25, |n| n < 20 && is_deleted(n));
}

#[test]
fn events_to_come_never_get_the_sequences_of_deleted_ones() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let held = store.upkeep.compactor.hold();
    // Of today, and of yesterday with the higher sequences.
    store.append(delivery("g", 0, 10)).expect("room");
    store.append(delivery("g", 50_000, 10)).expect("room");
    store.flush().expect("room");
    let is_deleted = |n: i64| n == 5 || n >= 50_000;
    delete(&store, "g", is_deleted);
    assert_eq!(segment_count(dir.path()), 1, "nothing holds the events with the highest sequences");
    assert_eq!(tombstones(dir.path(), ".events"), 1, "the other segment waits");
    store.segments.options.faults.arm("compact.start", Fault::Crash);
    drop(held);
    drop(store);
    lose_catalog(dir.path());
    let (store, recovery) = open(dir.path());
    let is_of_wal = |damage: &&types::ScanError| damage.file.starts_with("wal/");
    assert_eq!(recovery.damaged.iter().find(is_of_wal), None, "the wal lost nothing: what it held was deleted");
    store.append(delivery("g", 10, 15)).expect("room");
    assert_left(&store, 0..25, is_deleted);
}

/// Changes the tombstone of a deletion on disk.
fn change_tombstone(dir: &Path, id: u64, change: impl FnOnce(&mut [u8])) -> std::path::PathBuf {
    let path = crate::tombstone::events::path_of(&dir.join("tombstones"), id);
    let mut bytes = std::fs::read(&path).expect("readable");
    change(&mut bytes);
    std::fs::write(&path, &bytes).expect("room");
    path
}

fn segment_count(dir: &Path) -> usize {
    crate::segments::files::list(&dir.join("segments")).expect("readable").len()
}

#[test]
fn a_damaged_or_lost_tombstone_is_made_anew_from_the_catalog() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(delivery("g", 0, 10)).expect("room");
    let id = delete(&store, "g", is_odd).id;
    drop(store);
    let path = change_tombstone(dir.path(), id, |bytes| {
        let last = bytes.len() - 12;
        bytes[last] ^= 1;
    });
    let (store, recovery) = open(dir.path());
    assert_eq!(recovery.damaged.len(), 1, "{:?}", recovery.damaged);
    assert_left(&store, 0..10, is_odd);
    drop(store);
    std::fs::remove_file(&path).expect("removable");
    let (store, recovery) = open(dir.path());
    assert_eq!(recovery.damaged, []);
    assert_left(&store, 0..10, is_odd);
    drop(store);
    lose_catalog(dir.path());
    let (store, _) = open(dir.path());
    assert_left(&store, 0..10, is_odd);
}

#[test]
fn a_copy_keeps_deleted_what_was_deleted_and_damage_to_a_tombstone_is_found() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let (dir, copy, restored) = (scratch.path().join("d"), scratch.path().join("c"), scratch.path().join("r"));
    let (store, _) = open(&dir);
    let held = store.upkeep.compactor.hold();
    store.append(delivery("g", 0, 10)).expect("room");
    store.flush().expect("room");
    store.append(delivery("g", 10, 10)).expect("room");
    let id = delete(&store, "g", is_odd).id;
    crate::backup(&crate::Options::new(&dir), &copy).expect("room");
    crate::restore(&copy, &restored).expect("room");
    let (from_copy, _) = open(&restored);
    assert_left(&from_copy, 0..20, is_odd);
    let reasons: Vec<String> = from_copy.deletions().into_iter().map(|receipt| receipt.reason).collect();
    assert_eq!(reasons, ["ticket 7"], "which only the tombstone knows");
    assert_eq!(crate::verify(&crate::Options::new(&dir)).expect("a store").damaged, []);
    change_tombstone(&dir, id, |bytes| bytes[40] ^= 1);
    let damaged = crate::verify(&crate::Options::new(&dir)).expect("a store").damaged;
    assert_eq!(damaged.len(), 1);
    assert!(damaged[0].file.ends_with(".events"), "{damaged:?}");
    drop(held);
}

#[test]
fn a_tombstone_of_a_later_format_is_refused_by_its_number() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(delivery("g", 0, 10)).expect("room");
    let id = delete(&store, "g", is_odd).id;
    drop(store);
    change_tombstone(dir.path(), id, |bytes| bytes[8] = 2);
    let refused = Store::open(options(dir.path())).err();
    assert!(matches!(refused, Some(crate::OpenError::NewerFormat { found: 2, known: 1, .. })), "{refused:?}");
}

#[test]
fn what_waits_for_a_tail_is_deleted_as_well() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let tail = store.subscribe(Vec::new(), 10);
    store.append(delivery("g", 0, 4)).expect("room");
    store.append(delivery("g", 5, 1)).expect("room");
    delete(&store, "g", is_odd);
    store.close().expect("room");
    let mut received = Vec::new();
    while let crate::FeedItem::Batch(batch) = tail.receive(std::time::Duration::from_secs(5)) {
        received.extend(batch.batch.messages.iter().map(str::to_owned));
    }
    assert_eq!(received, ["event 2", "event 0"]);
}

#[test]
fn deleting_while_segments_are_put_together_loses_no_deletion() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    for flush in 0..12 {
        store.append(delivery("g", flush * 10, 10)).expect("room");
        store.flush().expect("room");
    }
    std::thread::scope(|scope| {
        scope.spawn(|| (0..12).for_each(|_| store.compact().expect("room")));
        for n in (1..120).step_by(2) {
            delete(&store, "g", |found| found == n);
            assert!(!events(&store).contains(&n), "{n} is still there");
        }
    });
    assert_left(&store, 0..120, is_odd);
    store.flush().expect("room");
    store.compact().expect("room");
    assert_left(&store, 0..120, is_odd);
    assert!(store.deletions().iter().all(|receipt| receipt.reclaimed.is_some()));
}

/// Returns what is left of a secret in the files of a data directory: as it is, and in what segments unfold to.
fn traces(store: &Store, dir: &Path, secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut look = |name: String, bytes: &[u8]| {
        if memchr::memmem::find(bytes, secret.as_bytes()).is_some() {
            found.push(name);
        }
    };
    for part in ["wal", "tombstones", ""] {
        for entry in std::fs::read_dir(dir.join(part)).expect("readable").flatten().filter(|e| e.path().is_file()) {
            look(entry.path().display().to_string(), &std::fs::read(entry.path()).expect("readable"));
        }
    }
    for stored in &store.segments.state().segments {
        stored
            .segment
            .each_plain_section(|id, bytes| look(format!("section {id} of {}", stored.file), bytes))
            .expect("whole");
    }
    found
}

#[test]
fn nothing_of_a_deleted_event_is_left_in_any_file() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let held = store.upkeep.compactor.hold();
    let mut builder = BatchBuilder::new();
    for n in 0..3000i64 {
        let secret = if n == 1234 { "xyzzySecret" } else { "ordinary" };
        builder.set_timestamp(Timestamp(NOW - n * 1_000_000));
        builder.set_stream("host");
        builder.set_message(&format!("{secret} went to {secret}-{n} as usual"));
        builder.field_text("user", secret);
        builder.field_text("path", &format!("/home/{secret}/{n}"));
        if n == 1234 {
            builder.field_text("only.xyzzySecret", "x");
        }
        builder.field_integer("n", n);
        builder.commit();
    }
    let part = Part { group: group("g"), batch: builder.finish() };
    store.append(Delivery { key: None, position: None, raw_bytes: 9, parts: vec![part] }).expect("room");
    store.flush().expect("room");
    assert!(!traces(&store, dir.path(), "xyzzySecret").is_empty(), "the test can see it");
    let sequences = find(&store, "g", |n| n == 1234);
    assert_eq!(store.delete_events(&group("g"), sequences, &order()).expect("room").n_deleted, 1);
    drop(held);
    store.compact().expect("room");
    assert!(store.deletions()[0].reclaimed.is_some());
    assert_eq!(traces(&store, dir.path(), "xyzzySecret"), Vec::<String>::new());
    drop(store);
    // A catalog that was closed has no log of its own left.
    let (store, _) = open(dir.path());
    assert_eq!(traces(&store, dir.path(), "xyzzySecret"), Vec::<String>::new());
}

/// A step that someone takes with a store.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// So many events are accepted, of today or of the day before.
    Append(u64, bool),
    /// Those go whose `n` has this rest when it is divided by that.
    Delete(i64, i64),
    Flush,
    Compact,
    Crash,
    LoseCatalog,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1u64..30, any::<bool>()).prop_map(|(n, is_today)| Step::Append(n, is_today)),
        3 => (0i64..7, 2i64..7).prop_map(|(rest, divisor)| Step::Delete(rest % divisor, divisor)),
        2 => Just(Step::Flush),
        2 => Just(Step::Compact),
        1 => Just(Step::Crash),
        1 => Just(Step::LoseCatalog),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_seen_is_what_was_accepted_less_what_was_deleted(steps in proptest::collection::vec(step(), 1..24)) {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let mut store = open(dir.path()).0;
        let mut expected: BTreeSet<i64> = BTreeSet::new();
        // Events `n` seconds before now: those of the day before count from far away.
        let mut next = [0u64, 50_000];
        for step in steps {
            match step {
                Step::Append(n, is_today) => {
                    let from = &mut next[usize::from(!is_today)];
                    store.append(delivery("g", *from, n)).expect("room");
                    expected.extend(*from as i64..(*from + n) as i64);
                    *from += n;
                }
                Step::Delete(..) if store.groups().is_empty() => {}
                Step::Delete(rest, divisor) => {
                    let is_wanted = |n: i64| n % divisor == rest;
                    let n_before = expected.len();
                    let receipt = delete(&store, "g", is_wanted);
                    expected.retain(|n| !is_wanted(*n));
                    prop_assert_eq!(receipt.n_deleted, (n_before - expected.len()) as u64);
                }
                Step::Flush => store.flush().expect("room"),
                Step::Compact => store.compact().expect("room"),
                Step::Crash | Step::LoseCatalog => {
                    drop(store);
                    if matches!(step, Step::LoseCatalog) {
                        lose_catalog(dir.path());
                    }
                    store = open(dir.path()).0;
                }
            }
            prop_assert_eq!(events(&store), expected.iter().copied().collect::<Vec<_>>(), "{:?}", step);
            let n_events: u64 = store.groups().iter().map(|group| group.n_events).sum();
            prop_assert_eq!(n_events, expected.len() as u64, "{:?}", step);
        }
        store.flush().expect("room");
        // A file that upkeep still reads goes when it has been read.
        until("deletions are settled", || store.compact().is_ok() && are_settled(&store));
        prop_assert_eq!(events(&store), expected.iter().copied().collect::<Vec<_>>());
    }
}
