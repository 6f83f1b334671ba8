//! A fleet checked, copied out and brought in again while its nodes run: what was acknowledged is in every copy, as it was.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::fleet::Lab;
use super::*;
use crate::fake_s3::Trouble;
use crate::{DatabaseUrl, ExportReport, GroupRetention};

const LIMIT: GroupRetention = GroupRetention { age_ns: None, bytes: Some(1 << 40) };

impl Lab {
    fn url(&self) -> DatabaseUrl {
        self.server.url().parse().expect("a URL")
    }

    fn dir(&self, name: &str) -> PathBuf {
        self.dirs.path().join(name)
    }

    fn export(&self, name: &str, is_copy: bool) -> Result<ExportReport, crate::ExportError> {
        crate::export(&self.dir(name), &self.url(), &self.bucket.options(), is_copy, |_| ())
    }
}

/// Puts 40 events, batch ids and positions into a fleet: in two segments, and in two objects.
fn fill(node: &Store) {
    node.append(keyed("g", 0, 10, 1, 0)).expect("room");
    node.flush().expect("room");
    node.append(Delivery { position: Some(position(0, 10)), ..delivery("h", 10, 10) }).expect("room");
    node.append(delivery("gone", 0, 10)).expect("room");
    node.flush().expect("room");
    assert!(node.delete_group(&group("gone")).expect("room"));
    node.set_retention(&group("g"), LIMIT).expect("room");
    node.append(keyed("g", 20, 10, 2, 0)).expect("room");
    node.append(Delivery { position: Some(position(10, 20)), ..delivery("h", 30, 10) }).expect("room");
}

/// Asserts that a store has what [`fill`] has put into a fleet, with these sequences.
fn assert_filled(store: &Store, before: &[u64]) {
    assert_events(store, 40);
    assert_eq!(sequences(store), before);
    for id in [1, 2] {
        let from = if id == 1 { 0 } else { 20 };
        assert!(store.append(keyed("g", from, 10, id, 0)).expect("known").duplicate);
    }
    assert!(store.missing(&position(0, 30)).into_iter().flatten().eq(20..30));
    assert_eq!(store.retention(&group("g")), LIMIT);
    assert!(!store.has_group(&group("gone")));
}

/// Opens a copy with the clock of the fleet.
fn open_copy(dir: &Path) -> Arc<Store> {
    let (store, recovery) = Store::open(Options { clock: Clock::system(), ..options(dir) }).expect("a whole store");
    assert!(recovery.damaged.is_empty() && !recovery.created, "{recovery:?}");
    store
}

#[test]
fn a_fleet_moves_out_and_in_again_with_its_events_ids_and_positions() {
    let (Some(lab), Some(other)) = (Lab::new(), Lab::new()) else { return };
    let a = lab.node("a", true);
    let held = a.upkeep.compactor.hold();
    fill(&a);
    let before = sequences(&a);
    let report = lab.export("running", false).expect("room");
    assert_eq!((report.segments, report.known, report.nodes), (2, 0, 1), "{report:?}");
    drop(held);
    drop(a);
    let report = lab.export("alone", false).expect("room");
    // With those of a deleted group, unless compaction was quick.
    assert!(matches!(report.events, 40 | 50) && report.nodes == 0, "{report:?}");
    let names = || lab.server.sql("SELECT schemaname FROM pg_tables WHERE tablename = 'nodes'");
    assert_eq!(lab.server.sql(&format!("SELECT count(*) FROM {}.nodes", names())), "0", "nothing is kept for it");
    let store = open_copy(&lab.dir("running"));
    assert!(store.copy_taken().is_some());
    assert_filled(&store, &before);
    drop(store);
    let store = open_copy(&lab.dir("alone"));
    assert!(store.copy_taken().is_none());
    assert_filled(&store, &before);
    drop(store);
    let adopted = crate::adopt(&lab.dir("alone"), &other.url(), &other.bucket.options(), |_| ());
    adopted.expect("it moves into a fleet without events");
    let b = other.node("b", true);
    assert_filled(&b, &before);
    b.append(delivery("g", 40, 5)).expect("no name of an object is used twice");
    assert_events(&b, 45);
}

#[test]
fn an_export_that_was_cut_off_is_no_store_and_continues() {
    let Some(lab) = Lab::new() else { return };
    let a = lab.node("a", true);
    let _held = a.upkeep.compactor.hold();
    fill(&a);
    let before = sequences(&a);
    std::fs::create_dir(lab.dir("theirs")).expect("room");
    std::fs::write(lab.dir("theirs").join("a"), "b").expect("room");
    assert!(matches!(lab.export("theirs", false), Err(crate::ExportError::NotEmpty(_))));
    let n_segments = AtomicUsize::new(0);
    lab.bucket.fail(move |request| {
        let is_segment = request.method == "GET" && request.path.contains("/segments/");
        let is_later = is_segment && n_segments.fetch_add(1, Ordering::Relaxed) >= 1;
        is_later.then_some(Trouble::Status(403))
    });
    assert!(lab.export("copy", false).is_err());
    lab.bucket.fail(|_| None);
    assert!(Store::open(options(&lab.dir("copy"))).is_err(), "it is no store");
    let report = lab.export("copy", false).expect("it continues");
    assert_eq!((report.segments, report.known), (2, 1), "{report:?}");
    assert!(matches!(lab.export("copy", false), Err(crate::ExportError::NotEmpty(_))));
    assert_filled(&open_copy(&lab.dir("copy")), &before);
}

#[test]
fn what_is_being_copied_is_not_removed() {
    let Some(lab) = Lab::new() else { return };
    let a = lab.node("a", true);
    for i in 0..3 {
        a.append(delivery("g", i * 10, 10)).expect("room");
        a.flush().expect("room");
    }
    a.append(delivery("g", 30, 10)).expect("room");
    let n_segments = || lab.bucket.names().iter().filter(|name| name.contains("/segments/")).count();
    let mut is_first = true;
    let copied = |_: &str| {
        if std::mem::take(&mut is_first) {
            a.flush().expect("room");
            a.compact().expect("room");
            assert_eq!(a.status().segments, 1, "four were put together");
            // As often as objects are removed, and more.
            let swept = std::time::Instant::now() + std::time::Duration::from_secs(5);
            until("some heartbeats", || std::time::Instant::now() > swept);
        }
    };
    let report = crate::export(&lab.dir("copy"), &lab.url(), &lab.bucket.options(), true, copied).expect("room");
    assert_eq!((report.segments, report.events), (3, 40), "{report:?}");
    assert_events(&open_copy(&lab.dir("copy")), 40);
    until("replaced segments go", || n_segments() == 1 && lab.wal_objects().is_empty());
}

#[test]
fn a_backup_of_a_fleet_is_restored_into_an_empty_one() {
    let (Some(lab), Some(other), Some(third)) = (Lab::new(), Lab::new(), Lab::new()) else { return };
    let a = lab.node("a", true);
    let _held = a.upkeep.compactor.hold();
    fill(&a);
    let before = sequences(&a);
    lab.export("backup", true).expect("room");
    let backup = lab.dir("backup");
    assert!(crate::copy_taken(&backup).is_some());
    let restore =
        |lab: &Lab| crate::restore_fleet(&backup, &lab.dir("scratch"), &lab.url(), &lab.bucket.options(), |_| ());
    // It has another store.
    drop(third.node("c", true));
    let refused = restore(&third).expect_err("it is not empty").to_string();
    assert!(refused.contains("another store"), "{refused}");
    // The bucket fails in the middle.
    let n_put = AtomicUsize::new(0);
    other.bucket.fail(move |request| {
        let is_later = request.method == "PUT" && n_put.fetch_add(1, Ordering::Relaxed) >= 1;
        is_later.then_some(Trouble::Status(403))
    });
    assert!(restore(&other).is_err());
    other.bucket.fail(|_| None);
    let report = restore(&other).expect("it continues");
    assert_eq!((report.events, report.known), (50, 1), "with those of a deleted group: {report:?}");
    assert!(!other.dir("scratch").exists());
    let b = other.node("b", true);
    assert_filled(&b, &before);
    let refused = restore(&other).expect_err("it is not empty").to_string();
    assert!(refused.contains("events already"), "{refused}");
    // The backup is what it was: one machine can have it, too.
    assert!(crate::verify(&Options::new(&backup)).expect("a store").damaged.is_empty());
    assert_filled(&open_copy(&backup), &before);
}

#[test]
fn verify_reads_all_that_a_fleet_lists() {
    let Some(lab) = Lab::new() else { return };
    let nothing = crate::verify_fleet(&lab.url(), &lab.bucket.options()).expect_err("there is none").to_string();
    assert!(nothing.contains("there is no fleet in it"), "{nothing}");
    let a = lab.node("a", true);
    let _held = a.upkeep.compactor.hold();
    fill(&a);
    let verify = || crate::verify_fleet(&lab.url(), &lab.bucket.options()).expect("it answers");
    let report = verify();
    let counts = (report.segments, report.events, report.wal_files, report.wal_records, report.damaged.len());
    assert_eq!(counts, (2, 30, 2, 2, 0), "{report:?}");
    // A byte in the middle of each object, then none of them.
    lab.bucket.change(|bytes| {
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
    });
    let report = verify();
    assert_eq!((report.segments, report.wal_files, report.damaged.len()), (0, 0, 4), "{report:?}");
    lab.bucket.fail(|request| (request.method == "GET").then_some(Trouble::Status(404)));
    let report = verify();
    assert_eq!((report.segments, report.wal_files, report.damaged.len()), (0, 0, 4), "{report:?}");
    let first = &report.damaged[0];
    assert!(first.file.starts_with("s3://logs/some/prefix/"), "{first}");
}
