//! Events deleted at one node of a fleet are in no answer of any node, whatever else is under way, and soon in no object.

use std::time::Duration;

use super::erasing::{delete, find, is_odd, order};
use super::fleet::Lab;
use super::*;
use crate::fake_s3::Trouble;
use crate::feed::FeedItem;
use crate::{DeletionReceipt, Fault};

fn is_even(n: &i64) -> bool {
    n % 2 == 0
}

/// Asserts that a node has the even events below `n`, and no others.
fn assert_even(node: &Store, n: i64) {
    assert_eq!(events(node), (0..n).filter(is_even).collect::<Vec<_>>());
}

/// Puts events 0..10 into a segment and 10..20 into an object.
fn fill(node: &Store) {
    node.append(delivery("g", 0, 10)).expect("room");
    node.flush().expect("room");
    node.append(delivery("g", 10, 10)).expect("room");
}

fn receipt(node: &Store, id: u64) -> DeletionReceipt {
    node.deletion(id).expect("every node has it")
}

impl Lab {
    /// Returns the names of the objects that are segments.
    fn segment_objects(&self) -> Vec<String> {
        self.bucket.names().into_iter().filter(|name| name.contains("/segments/")).collect()
    }
}

#[test]
fn no_node_shows_events_that_another_has_deleted() {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.node("a", true), lab.node("b", false));
    let tail = a.subscribe(Vec::new(), 100);
    let compactor = a.upkeep.compactor.hold();
    fill(&a);
    assert_events(&b, 20);
    let before = b.snapshot(&[], TimeRange::ALL);
    let deleted = delete(&b, "g", is_odd);
    assert_eq!((deleted.n_matched, deleted.n_deleted, deleted.reclaimed), (10, 10, None));
    [&a, &b].into_iter().for_each(|node| assert_even(node, 20));
    assert_eq!(events_of(&before).len(), 20, "a snapshot does not change");
    assert_eq!((receipt(&a, deleted.id), a.deletions()), (deleted.clone(), b.deletions()));
    drop(compactor);
    let mut fed = Vec::new();
    while let FeedItem::Batch(batch) = tail.receive(Duration::ZERO) {
        fed.extend(batch.batch.sequences.iter());
    }
    fed.sort_unstable();
    assert_eq!(fed, sequences(&a), "the feed has no deleted events");
    assert_eq!(delete(&a, "g", is_odd).n_deleted, 0, "the second time nothing is left");
    // Later events stay, even one that equals a deleted one.
    b.append(delivery("g", 1, 1)).expect("room");
    assert_eq!(events(&a).iter().filter(|n| **n == 1).count(), 1);
    let c = lab.node("c", false);
    assert_eq!((events(&c), c.deletions()), (events(&a), a.deletions()));
    drop((a, b, c));
    assert_eq!(events(&lab.node("a", true)).len(), 11, "all start again");
}

#[test]
fn the_deletion_ends_when_no_object_holds_the_events() {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.node("a", true), lab.node("b", false));
    fill(&a);
    let held = b.snapshot(&[], TimeRange::ALL);
    let id = delete(&b, "g", is_odd).id;
    a.flush().expect("room");
    a.compact().expect("room");
    [&a, &b].into_iter().for_each(|node| assert_even(node, 20));
    assert!(a.segments.state().masks.is_empty(), "no segment holds them");
    let is_done_with = || lab.server.sql(&format!("SELECT awaited IS NOT NULL FROM {}", lab.table("deletions"))) == "t";
    until("upkeep waits for the objects alone", is_done_with);
    assert_eq!(receipt(&a, id).reclaimed, None, "a snapshot of another node reads the segment");
    assert_eq!(events_of(&held), (0..20).collect::<Vec<_>>());
    drop(held);
    until("it ends", || receipt(&b, id).reclaimed.is_some());
    let (segments, objects) = (lab.segment_objects(), lab.wal_objects());
    assert_eq!((segments.len(), objects.len()), (a.segments.state().segments.len(), 0), "{segments:?} {objects:?}");
    let ended = receipt(&b, id);
    assert_eq!((receipt(&a, id), ended.n_segments), (ended, 1));
    for node in [&a, &b] {
        assert_even(node, 20);
        until("no node remembers the sequences", || node.segments.state().deletions.is_empty());
    }
    assert_eq!(lab.server.sql(&format!("SELECT count(*) FROM {}", lab.table("deletions"))), "0");
    drop((a, b));
    let c = lab.node("c", true);
    assert_even(&c, 20);
    assert!(receipt(&c, id).reclaimed.is_some(), "the receipt stays");
}

#[test]
fn objects_without_remaining_events_are_removed_and_two_equal_deletions_both_end() {
    let Some(lab) = Lab::new() else { return };
    let b = lab.node("b", false);
    b.append(delivery("h", 0, 10)).expect("room");
    let id = delete(&b, "h", |_| true).id;
    let a = lab.node("a", true);
    a.flush().expect("there is something to let go");
    until("the objects go", || receipt(&b, id).reclaimed.is_some());
    assert_eq!((lab.wal_objects().len(), lab.segment_objects().len(), events(&a).len()), (0, 0, 0));
    let compactor = a.upkeep.compactor.hold();
    fill(&a);
    let faults = a.segments.options.faults.clone();
    let sequences = find(&b, "g", is_odd);
    let ids: Vec<u64> = std::thread::scope(|scope| {
        let mut first = None;
        faults.hold("erase.catalog", || {
            first = Some(scope.spawn(|| a.delete_events(&group("g"), sequences.clone(), &order())));
        });
        let second = b.delete_events(&group("g"), sequences.clone(), &order());
        faults.release();
        let first = first.expect("it was begun").join().expect("no panic");
        [first, second].map(|receipt| receipt.expect("room").id).into()
    });
    [&a, &b].into_iter().for_each(|node| assert_even(node, 20));
    a.flush().expect("room");
    // Longer than heartbeats take to check whether a deletion has ended.
    let looked = std::time::Instant::now() + Duration::from_secs(5);
    until("some heartbeats", || std::time::Instant::now() > looked);
    ids.iter().for_each(|id| assert_eq!(receipt(&b, *id).reclaimed, None, "a segment has the bytes"));
    drop(compactor);
    a.compact().expect("room");
    ids.iter().for_each(|id| until("it ends", || receipt(&b, *id).reclaimed.is_some()));
    [&a, &b].into_iter().for_each(|node| assert_even(node, 20));
}

/// Deletes at another node while `work` of the one in charge waits at `point`.
fn delete_during(point: &str, work: fn(&Store)) {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.node("a", true), lab.node("b", false));
    let compactor = a.upkeep.compactor.hold();
    for part in 0..4 {
        a.append(delivery("g", part * 10, 10)).expect("room");
        if point.starts_with("compact") {
            a.flush().expect("room");
        }
    }
    let faults = a.segments.options.faults.clone();
    let (id, seen) = std::thread::scope(|scope| {
        faults.hold(point, || {
            drop(compactor);
            scope.spawn(|| work(&a));
        });
        let id = delete(&b, "g", is_odd).id;
        let seen = [events(&b), events(&lab.node("c", false))];
        faults.release();
        (id, seen)
    });
    seen.iter().for_each(|seen| assert!(seen.iter().copied().eq((0..40).filter(is_even)), "{point}: {seen:?}"));
    [&a, &b].into_iter().for_each(|node| assert_even(node, 40));
    assert_even(&lab.node("d", false), 40);
    a.flush().expect("room");
    a.compact().expect("room");
    until("no object holds them", || receipt(&b, id).reclaimed.is_some());
    [&a, &b].into_iter().for_each(|node| assert_even(node, 40));
    assert_even(&lab.node("e", false), 40);
}

#[test]
fn a_flush_under_way_does_not_bring_events_back() {
    ["flush.start", "segment.write", "catalog.commit", "flush.publish"]
        .into_iter()
        .for_each(|point| delete_during(point, |node| node.flush().expect("room")));
}

#[test]
fn a_compaction_under_way_does_not_bring_events_back() {
    ["compact.start", "compact.verify", "compact.commit", "compact.publish"]
        .into_iter()
        .for_each(|point| delete_during(point, |node| node.compact().expect("room")));
}

#[test]
fn a_flush_that_is_refused_or_fails_keeps_what_is_deleted_away() {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.node("a", true), lab.node("b", false));
    a.append(delivery("g", 0, 10)).expect("room");
    let faults = a.segments.options.faults.clone();
    std::thread::scope(|scope| {
        let mut flushing = None;
        faults.hold("catalog.commit", || flushing = Some(scope.spawn(|| a.flush())));
        delete(&b, "g", is_odd);
        // Another node had upkeep in between.
        lab.server.sql(&format!("UPDATE {} SET change = 1 WHERE change = 0", lab.table("doomed")));
        // Before the refusal, behind which the node may try again by itself.
        faults.arm("segment.write", Fault::Errno(5));
        faults.release();
        flushing.expect("it was begun").join().expect("no panic").expect_err("it is refused");
    });
    [&a, &b].into_iter().for_each(|node| assert_even(node, 10));
    a.flush().expect_err("nothing can be written");
    delete(&b, "g", |n| n == 4);
    let kept: Vec<i64> = (0..10).filter(is_even).filter(|n| *n != 4).collect();
    assert_eq!((events(&a), events(&b)), (kept.clone(), kept.clone()));
    faults.disarm("segment.write");
    a.flush().expect("room");
    let stored = a.segments.state().segments[0].segment.summaries()[0].n_events;
    assert_eq!((events(&a), events(&b), stored), (kept.clone(), kept, 4), "they are not written");
}

#[test]
fn unused_uploads_do_not_keep_a_deletion_from_ending() {
    let Some(lab) = Lab::new() else { return };
    let a = lab.node("a", true);
    let compactor = a.upkeep.compactor.hold();
    for part in 0..4 {
        a.append(delivery("g", part * 10, 10)).expect("room");
        a.flush().expect("room");
    }
    let faults = a.segments.options.faults.clone();
    faults.arm("compact.verify", Fault::Errno(5));
    drop(compactor);
    a.compact().expect_err("its result is not trusted");
    faults.disarm("compact.verify");
    assert!(lab.segment_objects().len() > 4, "it is there");
    let id = delete(&a, "g", is_odd).id;
    a.compact().expect("room");
    until("it ends", || receipt(&a, id).reclaimed.is_some());
    assert_eq!(lab.segment_objects().len(), a.segments.state().segments.len());
    assert_even(&a, 40);
}

#[test]
fn a_node_that_is_killed_once_it_has_committed_has_deleted() {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.node("a", true), lab.node("b", false));
    fill(&a);
    let faults = b.segments.options.faults.clone();
    let sequences = find(&b, "g", is_odd);
    let erase = || b.delete_events(&group("g"), sequences.clone(), &order());
    faults.arm("erase.catalog", Fault::Errno(5));
    erase().expect_err("it is killed before");
    [&a, &b].into_iter().for_each(|node| assert_events(node, 20));
    faults.disarm("erase.catalog");
    faults.arm("erase.publish", Fault::Crash);
    erase().expect_err("it is killed");
    assert_even(&a, 20);
    drop(b);
    [&a, &lab.node("b", false)].into_iter().for_each(|node| assert_even(node, 20));
    assert_eq!(a.deletions().len(), 1);
}

#[test]
fn a_commit_whose_answer_is_lost_is_found_out() {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.node("a", true), lab.node("b", false));
    let compactor = a.upkeep.compactor.hold();
    fill(&a);
    let deleted = delete(&b, "g", is_odd);
    assert_even(&a, 20);
    let deletion = a.segments.state().deletions[0].clone();
    let changes = || lab.server.sql(&format!("SELECT value FROM {} WHERE key = 'changes'", lab.table("meta")));
    let before = changes();
    // A retry changes nothing, even after the lease has ended; what upkeep has written meanwhile stays.
    let row = deletion.row(&deleted);
    for _ in 0..2 {
        b.segments.catalog().put_deletion(&row, "another text").expect("it is known");
        lab.server
            .sql(&format!("UPDATE {} SET renewed = now() - interval '1 minute' WHERE name = 'b'", lab.table("nodes")));
    }
    assert_eq!(changes(), before);
    assert_eq!(receipt(&lab.node("c", false), deleted.id), deleted);
    drop(compactor);
    // The database goes away under it, and comes back.
    let backends = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
    let faults = a.segments.options.faults.clone();
    std::thread::scope(|scope| {
        let mut deleting = None;
        let sequences = find(&a, "g", |n| n < 10);
        faults.hold("erase.catalog", || {
            deleting = Some(scope.spawn(|| a.delete_events(&group("g"), sequences, &order())));
        });
        lab.server.sql(backends);
        faults.release();
        let receipt = deleting.expect("it was begun").join().expect("no panic").expect("it is tried again");
        assert_eq!(receipt.n_deleted, 5);
    });
    [&a, &b].into_iter().for_each(|node| {
        until("it has a connection again", || node.snapshot(&[], TimeRange::ALL).damaged.is_empty());
        assert_eq!(events(node), [10, 12, 14, 16, 18]);
    });
}

#[test]
fn a_segment_that_cannot_be_read_now_shows_nothing_that_may_be_deleted() {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.node("a", true), lab.node("b", false));
    fill(&a);
    assert_eq!(b.snapshot(&[], TimeRange::ALL).damaged, []);
    // Else the segment may be another one, without what was deleted, before the bucket fails.
    let compactor = a.upkeep.compactor.hold();
    // It learns of the deletion when the bucket fails.
    let behind = b.segments.replacement();
    delete(&a, "g", is_odd);
    lab.bucket.fail(|request| (request.method == "GET").then_some(Trouble::Status(403)));
    drop(behind);
    let snapshot = b.snapshot(&[], TimeRange::ALL);
    assert_eq!(events_of(&snapshot), [10, 12, 14, 16, 18]);
    assert_eq!(snapshot.damaged.len(), 1, "{:?}", snapshot.damaged);
    drop(compactor);
    lab.bucket.fail(|_| None);
    until("it can be read again", || b.snapshot(&[], TimeRange::ALL).damaged.is_empty());
    [&a, &b].into_iter().for_each(|node| assert_even(node, 20));
}

#[test]
fn nothing_is_deleted_that_a_node_of_an_earlier_version_would_show() {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.node("a", true), lab.node("b", false));
    fill(&a);
    let sequences = find(&a, "g", is_odd);
    let erase = || a.delete_events(&group("g"), sequences.clone(), &order());
    lab.older_node_joins(1000, "b", &[]);
    let refused = erase().expect_err("it would not hide them").to_string();
    assert!(refused.contains("a node of an earlier version"), "{refused}");
    assert!(a.deletions().is_empty());
    [&a, &b].into_iter().for_each(|node| assert_events(node, 20));
    // It leaves; another one was killed and is replaced by one of this version.
    lab.server.sql(&format!("DELETE FROM {} WHERE epoch = 1000", lab.table("nodes")));
    lab.older_node_joins(0, "b", &[]);
    assert_eq!(erase().expect("all hide them").n_deleted, 10);
    [&a, &b].into_iter().for_each(|node| assert_even(node, 20));
}

#[test]
fn copies_of_a_fleet_do_not_bring_events_back() {
    let (Some(lab), Some(other)) = (Lab::new(), Lab::new()) else { return };
    let a = lab.node("a", true);
    let _held = a.upkeep.compactor.hold();
    fill(&a);
    let id = delete(&a, "g", is_odd).id;
    let url = |lab: &Lab| lab.server.url().parse().expect("a URL");
    let copy = lab.dirs.path().join("copy");
    let report = crate::export(&copy, &url(&lab), &lab.bucket.options(), true, |_| ()).expect("room");
    assert_eq!(report.events, 20, "the bytes are still there");
    assert_eq!(crate::verify_fleet(&url(&lab), &lab.bucket.options()).expect("it answers").damaged, []);
    let scratch = lab.dirs.path().join("scratch");
    let restored = crate::restore_fleet(&copy, &scratch, &url(&other), &other.bucket.options(), |_| ());
    restored.expect("the deletion moves, too");
    let (store, recovery) = Store::open(Options { clock: Clock::system(), ..options(&copy) }).expect("a whole store");
    assert_eq!(recovery.damaged, []);
    assert_even(&store, 20);
    assert_eq!(receipt(&store, id).reason, "ticket 7");
    let b = other.node("b", true);
    assert_even(&b, 20);
    b.flush().expect("room");
    b.compact().expect("room");
    until("no object of the other fleet holds them", || receipt(&b, id).reclaimed.is_some());
    assert_even(&b, 20);
}
