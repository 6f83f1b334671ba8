//! Several nodes on one bucket and one database: what any of them has accepted, all of them have, once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::fake_s3::{FakeS3, Trouble};
use crate::postgres_server::Server;
use crate::{AppendError, FleetOptions, GroupRetention, StoreError};

/// A bucket and a database, and nodes of a fleet on them.
pub(super) struct Lab {
    pub(super) server: Server,
    pub(super) bucket: FakeS3,
    pub(super) dirs: tempfile::TempDir,
}

impl Lab {
    /// None where there is no PostgreSQL.
    pub(super) fn new() -> Option<Self> {
        let server = Server::start(&["fsync=off"])?;
        Some(Self { server, bucket: FakeS3::start(), dirs: tempfile::tempdir().expect("a scratch directory") })
    }

    fn options(&self, node: &str, does_upkeep: bool) -> Options {
        let mut roles = vec!["ingest", "query", "alert"];
        roles.extend(does_upkeep.then_some("upkeep"));
        let fleet = FleetOptions {
            database: self.server.url().parse().expect("a URL"),
            node: node.into(),
            address: format!("http://{node}"),
            roles: roles.iter().map(|role| role.to_string()).collect(),
            zone: String::new(),
            linger: Duration::from_millis(5),
            object_bytes: 8 << 20,
        };
        Options {
            clock: Clock::system(),
            object_store: Some(self.bucket.options()),
            fleet: Some(fleet),
            ..options(&self.dirs.path().join(node))
        }
    }

    pub(super) fn node(&self, node: &str, does_upkeep: bool) -> Arc<Store> {
        Store::open(self.options(node, does_upkeep)).expect("a node that can join").0
    }

    /// Lists a node as the version before did that knew `columns` of the table.
    pub(super) fn older_node_joins(&self, epoch: i64, name: &str, columns: &[&str]) {
        let more: String = columns.iter().map(|column| format!(", {column}")).collect();
        let insert = format!(
            "INSERT INTO {}(epoch, name, address, roles, zone, started, renewed, changes{more})",
            self.table("nodes")
        );
        let values =
            format!("VALUES ({epoch}, '{name}', '', 'query', '', now(), now(), 0{})", ", true".repeat(columns.len()));
        self.server.sql(&format!("{insert} {values}"));
    }

    /// Returns the full name of a table of the catalog.
    pub(super) fn table(&self, name: &str) -> String {
        let schema = self.server.sql("SELECT schemaname FROM pg_tables WHERE tablename = 'doomed'");
        format!("{schema}.{name}")
    }

    /// Versions of the objects that hold events which are in no segment.
    fn wal_versions(&self) -> Vec<u8> {
        let versions = std::cell::RefCell::<Vec<u8>>::default();
        self.bucket.change(|bytes| versions.borrow_mut().extend(bytes.starts_with(b"ctWO").then(|| bytes[4])));
        versions.into_inner()
    }

    /// Names of the objects that hold events which are in no segment.
    pub(super) fn wal_objects(&self) -> Vec<String> {
        self.bucket.names().into_iter().filter(|name| name.contains("/wal/")).collect()
    }
}

#[test]
fn what_one_node_accepts_all_nodes_have_before_and_after_a_flush() {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.node("a", true), lab.node("b", false));
    a.append(keyed("g", 0, 10, 1, 0)).expect("room");
    b.append(delivery("h", 10, 10)).expect("room");
    a.append(delivery("g", 20, 5)).expect("room");
    [&a, &b].into_iter().for_each(|node| assert_events(node, 25));
    assert_eq!(sequences(&a), sequences(&b));
    assert_eq!(lab.wal_objects().len(), 3);
    // The same batch through another node, and another one under its id.
    let again = b.append(keyed("g", 0, 10, 1, 0)).expect("known");
    assert!(again.duplicate && again.n_events == 10, "{again:?}");
    assert_eq!(b.append(keyed("g", 0, 10, 1, 9)), Err(AppendError::KeyConflict));
    a.flush().expect("room");
    [&a, &b].into_iter().for_each(|node| assert_events(node, 25));
    assert_eq!(sequences(&a), sequences(&b));
    assert_eq!((a.status().hot_events, b.status().hot_events), (0, 0));
    assert!(b.append(keyed("g", 0, 10, 1, 0)).expect("known").duplicate);
    let names = |store: &Store| store.groups().into_iter().map(|group| group.name.to_string()).collect::<Vec<_>>();
    assert_eq!((names(&a), names(&b)), (vec!["g".into(), "h".into()], vec!["g".into(), "h".into()]));
    // A node that comes later, and those that stay when the others are gone.
    let c = lab.node("c", false);
    assert_events(&c, 25);
    drop((a, b));
    c.append(delivery("g", 25, 5)).expect("room");
    assert_events(&c, 30);
    drop(c);
    assert_events(&lab.node("a", true), 30);
}

/// Ten samples of three series.
fn samples() -> Delivery {
    let mut builder = types::SampleBuilder::default();
    for row in 0..10i64 {
        let text = format!(r#"{{"__name__":"up","job":"node","n":"{}"}}"#, row % 3);
        let series = Arc::new(types::Series::of_labels(&text).expect("labels"));
        builder.push(&series, types::Timestamp(row), row as f64 / 2.0);
    }
    let part = Part { group: group("metrics/node"), batch: builder.finish() };
    Delivery { key: None, position: None, raw_bytes: 100, parts: vec![part] }
}

#[test]
fn samples_are_written_so_that_every_node_can_read_them() {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.node("a", false), lab.node("b", false));
    let n_samples = |node: &Store| {
        let snapshot = node.snapshot(&[], TimeRange::ALL);
        assert_eq!(snapshot.damaged, []);
        snapshot.runs.iter().flat_map(|run| (0..run.n_blocks()).map(|block| run.block_rows(block))).sum::<usize>()
    };
    a.append(samples()).expect("room");
    assert_eq!((lab.wal_versions(), n_samples(&b)), (vec![4], 10));
    // The version before this one could delete events, but not read such objects.
    lab.older_node_joins(1000, "c", &["erases"]);
    let knows = |node: &Store, may: bool| {
        node.nodes().is_some_and(|(_, nodes)| nodes.iter().all(|node| node.reads_series) == may)
    };
    until("they have met", || knows(&a, false));
    a.append(samples()).expect("room");
    assert_eq!((lab.wal_versions(), n_samples(&b)), (vec![4, 1], 20));
    // It is replaced.
    let c = lab.node("c", false);
    lab.server.sql(&format!("UPDATE {} SET epoch = 0 WHERE epoch = 1000", lab.table("nodes")));
    until("they have met", || knows(&a, true));
    a.append(samples()).expect("room");
    assert_eq!(lab.wal_versions(), [4, 1, 4]);
    [&a, &b, &c].into_iter().for_each(|node| assert_eq!(n_samples(node), 30));
}

#[test]
fn objects_go_once_no_node_can_name_them_and_segments_are_put_together() {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.node("a", true), lab.node("b", false));
    for i in 0..4 {
        b.append(delivery("g", i * 10, 10)).expect("room");
        a.flush().expect("room");
    }
    let held = b.snapshot(&[], TimeRange::ALL);
    a.compact().expect("room");
    [&a, &b].into_iter().for_each(|node| assert_events(node, 40));
    assert_eq!((a.status().segments, b.status().segments), (1, 1));
    until("objects of the wal go", || lab.wal_objects().is_empty());
    let n_segments = || lab.bucket.names().iter().filter(|name| name.contains("/segments/")).count();
    assert_eq!(n_segments(), 5, "a snapshot of another node reads four of them");
    assert_eq!(events_of(&held), (0..40).collect::<Vec<_>>());
    drop(held);
    until("replaced segments go", || n_segments() == 1);
    assert_events(&b, 40);
}

#[test]
fn positions_are_compared_over_all_nodes() {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.node("a", true), lab.node("b", false));
    let shipped =
        |from: u64, to: u64| Delivery { position: Some(position(from, to)), ..delivery("g", from, to - from) };
    assert_eq!(a.append(shipped(0, 10)).expect("room").high_water, Some(10));
    assert_eq!(b.append(shipped(5, 15)), Err(AppendError::PositionChanged));
    assert!(b.missing(&position(0, 20)).into_iter().flatten().eq(10..20));
    assert_eq!(b.append(shipped(10, 20)).expect("room").high_water, Some(20));
    a.flush().expect("room");
    assert_eq!(a.append(shipped(0, 10)), Err(AppendError::PositionChanged));
    assert!(lab.node("c", false).missing(&position(0, 30)).into_iter().flatten().eq(20..30));
    assert_events(&b, 20);
}

#[test]
fn answers_of_the_bucket_that_are_lost_are_found_out() {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.node("a", true), lab.node("b", false));
    for trouble in [Trouble::LostAnswer, Trouble::Status(503), Trouble::Status(500), Trouble::Silence] {
        let n_put = AtomicUsize::new(0);
        lab.bucket.fail(move |request| {
            let is_first = request.method == "PUT" && n_put.fetch_add(1, Ordering::Relaxed) == 0;
            is_first.then_some(trouble)
        });
        let n = a.status().events_accepted;
        let taken = a.append(delivery("g", n, 10));
        // A bucket that says nothing uses up the time that a sender waits: it is asked to come again.
        let is_silent = matches!(trouble, Trouble::Silence);
        assert_eq!(matches!(taken, Err(AppendError::Away { .. })), is_silent, "{taken:?}");
        if is_silent {
            until("it is taken when it comes again", || a.append(delivery("g", n, 10)).is_ok());
        }
        [&a, &b].into_iter().for_each(|node| assert_events(node, n as i64 + 10));
    }
}

#[test]
fn while_the_database_is_away_nothing_is_acknowledged_and_answers_say_what_they_lack() {
    let Some(mut lab) = Lab::new() else { return };
    let a = lab.node("a", true);
    a.append(delivery("g", 0, 10)).expect("room");
    assert_events(&a, 10);
    lab.server.kill();
    let sender = {
        let a = a.clone();
        std::thread::spawn(move || a.append(keyed("g", 10, 10, 1, 0)))
    };
    let snapshot = a.snapshot(&[], TimeRange::ALL);
    assert_eq!(events_of(&snapshot).len(), 10);
    assert!(
        snapshot.damaged.iter().any(|damaged| damaged.problem.contains("may be missing")),
        "{:?}",
        snapshot.damaged
    );
    lab.server.resume();
    // Its connection, and perhaps its place in the fleet, come back by themselves; a sender asks again where it is told to.
    let first = sender.join().expect("no panic");
    if first.is_err() {
        until("the node takes events again", || a.append(keyed("g", 10, 10, 1, 0)).is_ok());
    }
    assert!(a.append(keyed("g", 10, 10, 1, 0)).expect("known").duplicate);
    until("answers are whole again", || a.snapshot(&[], TimeRange::ALL).damaged.is_empty());
    assert_events(&a, 20);
}

#[test]
fn limits_and_deleted_groups_hold_on_all_nodes() {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.node("a", true), lab.node("b", true));
    let fleet = a.fleet().expect("it is a node").expect("the database answers");
    assert_eq!(fleet.nodes.len(), 2, "{fleet:?}");
    let [in_charge, other] = if a.fleet().is_some_and(|fleet| fleet.is_ok_and(|fleet| fleet.nodes[0].leases.len() > 1))
    {
        [&a, &b]
    } else {
        [&b, &a]
    };
    other.append(delivery("g", 0, 10)).expect("room");
    other.append(delivery("h", 10, 10)).expect("room");
    assert!(other.flush().is_err(), "only one node does upkeep");
    [in_charge, other].into_iter().for_each(|node| assert_events(node, 20));
    in_charge.flush().expect("it does upkeep");
    [in_charge, other].into_iter().for_each(|node| assert_events(node, 20));
    // Set where nobody does upkeep, done where somebody does, seen by both.
    assert!(other.delete_group(&group("h")).expect("any node may"));
    [in_charge, other].into_iter().for_each(|node| assert_eq!(events(node), (0..10).collect::<Vec<_>>()));
    other.append(delivery("h", 20, 5)).expect("it is a new one");
    assert_eq!(events(in_charge).len(), 15);
    let limit = GroupRetention { age_ns: Some(Timestamp::DAY), bytes: None };
    other.set_retention(&group("g"), limit).expect("any node may");
    until("the limit is known to the other", || in_charge.retention(&group("g")) == limit);
}

#[test]
fn the_store_of_one_machine_moves_in_whole_and_once() {
    let Some(lab) = Lab::new() else { return };
    let dir = lab.dirs.path().join("alone");
    let (store, _) = Store::open(Options { clock: Clock::system(), ..options(&dir) }).expect("a new store");
    store.append(keyed("g", 0, 10, 1, 0)).expect("room");
    store.flush().expect("room");
    store.append(Delivery { position: Some(position(0, 10)), ..delivery("h", 10, 10) }).expect("room");
    let limit = GroupRetention { age_ns: None, bytes: Some(1 << 40) };
    store.set_retention(&group("g"), limit).expect("room");
    let before = sequences(&store);
    drop(store);
    let url = lab.server.url().parse().expect("a URL");
    let adopt = || crate::adopt(&dir, &url, &lab.bucket.options(), |_| ());
    // The bucket fails in the middle: nothing has happened but that there are objects.
    let n_put = AtomicUsize::new(0);
    lab.bucket.fail(move |request| {
        let is_later = request.method == "PUT" && n_put.fetch_add(1, Ordering::Relaxed) >= 1;
        is_later.then_some(Trouble::Status(403))
    });
    assert!(adopt().is_err());
    lab.bucket.fail(|_| None);
    let report = adopt().expect("it continues");
    assert_eq!((report.segments, report.events, report.known), (2, 20, 1), "{report:?}");
    let refused = Store::open(options(&dir)).err().expect("nobody starts it by mistake");
    assert!(refused.to_string().contains("STORE"), "{refused}");
    let a = lab.node("a", true);
    assert_events(&a, 20);
    assert_eq!(sequences(&a), before);
    assert!(a.append(keyed("g", 0, 10, 1, 0)).expect("known").duplicate);
    assert!(a.missing(&position(0, 20)).into_iter().flatten().eq(10..20));
    assert_eq!(a.retention(&group("g")), limit);
    a.append(delivery("g", 20, 5)).expect("room");
    assert_events(&a, 25);
}

#[test]
fn segments_that_were_uploaded_before_upkeep_changed_hands_are_not_listed() {
    let Some(lab) = Lab::new() else { return };
    let a = lab.node("a", true);
    a.append(delivery("g", 0, 10)).expect("room");
    let faults = a.segments.options.faults.clone();
    let flushed = std::thread::scope(|scope| {
        let mut flushing = None;
        faults.hold("catalog.commit", || flushing = Some(scope.spawn(|| a.flush())));
        // Somebody had the lease in between, who gives what was uploaded to be removed.
        let tables = lab.server.sql("SELECT schemaname FROM pg_tables WHERE tablename = 'doomed'");
        lab.server.sql(&format!("UPDATE {tables}.doomed SET change = 1 WHERE change = 0"));
        faults.release();
        flushing.expect("it was begun").join().expect("no panic")
    });
    assert!(matches!(flushed, Err(StoreError::Catalog(_))), "{flushed:?}");
    assert_events(&a, 10);
    a.flush().expect("they are uploaded again");
    assert_events(&a, 10);
    until("what was uploaded in vain goes", || {
        lab.bucket.names().iter().filter(|name| name.contains("/segments/")).count() == 1
    });
    assert_events(&lab.node("b", false), 10);
}

#[test]
fn objects_that_were_put_and_never_listed_go() {
    let Some(lab) = Lab::new() else { return };
    let a = lab.node("a", true);
    a.append(keyed("g", 0, 10, 1, 0)).expect("room");
    // All of it is known: the object is of no use.
    assert!(a.append(keyed("g", 0, 10, 1, 0)).expect("known").duplicate);
    // It is there, and the catalog refuses it.
    let tables = lab.server.sql("SELECT schemaname FROM pg_tables WHERE tablename = 'nodes'");
    lab.server.sql(&format!("UPDATE {tables}.nodes SET renewed = now() - interval '1 minute'"));
    while a.append(keyed("g", 10, 10, 2, 0)).is_err() {
        std::thread::yield_now();
    }
    assert_events(&a, 20);
    // As if the node that has them had been gone for long.
    lab.server.sql(&format!("UPDATE {tables}.nodes SET renewed = now() - interval '2 hours' WHERE epoch = 1"));
    until("it does upkeep again", || a.segments.is_in_charge());
    a.flush().expect("room");
    until("they go", || lab.wal_objects().is_empty());
    assert_events(&a, 20);
}

#[test]
fn what_was_committed_is_found_after_a_flush_too() {
    let Some(lab) = Lab::new() else { return };
    let a = lab.node("a", true);
    a.append(delivery("g", 0, 10)).expect("room");
    let listed = || {
        let tables = lab.server.sql("SELECT schemaname FROM pg_tables WHERE tablename = 'objects'");
        lab.server.sql(&format!("SELECT count(*) FROM {tables}.objects"))
    };
    a.flush().expect("room");
    assert_eq!(listed(), "1", "its answer may have been lost");
    assert_events(&a, 10);
    assert_events(&lab.node("b", false), 10);
    a.append(delivery("g", 10, 10)).expect("room");
    a.flush().expect("room");
    assert_eq!(listed(), "1");
    assert_events(&a, 20);
}

#[test]
fn a_node_that_missed_too_much_to_know_what_changed_reads_everything() {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.node("a", true), lab.node("b", false));
    let flush = |from| {
        a.append(delivery("g", from, 10)).expect("room");
        a.flush().expect("room");
    };
    flush(0);
    assert_events(&b, 10);
    let table = lab.server.sql("SELECT schemaname FROM pg_tables WHERE tablename = 'changed_segments'");
    assert_ne!(lab.server.sql(&format!("SELECT count(*) FROM {table}.changed_segments")), "0");
    // As if others had changed much since, and nobody knew what any more.
    lab.server.sql(&format!(
        "BEGIN; SET LOCAL search_path = {table}; INSERT INTO {table}.segments SELECT '\\x00', file, bytes, tier, place FROM {table}.segments LIMIT 1;
         DELETE FROM {table}.segments WHERE id = '\\x00'; DELETE FROM {table}.changed_segments;
         UPDATE {table}.meta SET value = value + 5000 WHERE key = 'changes'; COMMIT"
    ));
    (1..4).for_each(|part| flush(part * 10));
    a.compact().expect("room");
    [&a, &b].into_iter().for_each(|node| assert_events(node, 40));
    assert_eq!((a.status().segments, b.status().segments), (1, 1));
}
