//! Several nodes merge segments at the same time, never the same ones, and lose nothing that arrives meanwhile.

use std::collections::HashSet;

use super::fleet::Lab;
use super::*;
use crate::fake_s3::Trouble;

/// Returns the numbers of the segments that a node knows after it has read the catalog.
fn listed(node: &Store) -> HashSet<u128> {
    node.segments.catch_up().expect("the database answers");
    node.segments.state().segments.iter().map(|stored| stored.segment.meta.segment).collect()
}

/// Writes four segments for each of two days.
fn two_days(node: &Store) {
    for part in 0..4 {
        [0, 2 * 86_400].into_iter().for_each(|day| drop(node.append(delivery("g", day + part * 10, 10))));
        node.flush().expect("room");
    }
}

#[test]
fn nodes_merge_different_segments_at_the_same_time() {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.node("a", true), lab.node("b", true));
    let held = (a.upkeep.compactor.hold(), b.upkeep.compactor.hold());
    two_days(if a.segments.is_in_charge() { &a } else { &b });
    let before = (listed(&a), sequences(&a));
    assert_eq!(before.0.len(), 8);
    let faults = a.segments.options.faults.clone();
    std::thread::scope(|scope| {
        faults.hold("compact.verify", || {
            drop(held);
            scope.spawn(|| a.compact().expect("the rest is with the other"));
        });
        // The first has taken one of the days.
        b.compact().expect("room");
        until("the other day is one segment", || listed(&b).len() == 5);
        assert_eq!(sequences(&b), before.1);
        faults.release();
    });
    until("both days are", || listed(&a).len() == 2 && listed(&b).len() == 2);
    assert_eq!((a.status().compactions, b.status().compactions), (1, 1));
    assert_eq!((a.status().compactions_failed, b.status().compactions_failed), (0, 0));
    assert_eq!((sequences(&a), sequences(&b)), (before.1.clone(), before.1));
    until("the replaced ones go", || lab.bucket.names().iter().filter(|name| name.contains("/segments/")).count() == 2);
}

#[test]
fn segments_of_a_node_that_is_gone_are_free_again() {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.node("a", true), lab.node("b", true));
    let _held = (a.upkeep.compactor.hold(), b.upkeep.compactor.hold());
    two_days(if a.segments.is_in_charge() { &a } else { &b });
    let ids: Vec<u128> = listed(&b).into_iter().collect();
    let take = |node: &Store, ids: &[u128]| node.segments.catalog().take_segments(ids).expect("the database answers");
    assert_eq!(take(&b, &ids[..2]), []);
    assert_eq!(take(&a, &ids[1..3]), [ids[1]], "and it has none of them");
    assert_eq!(take(&b, &ids[1..3]), [], "it gives back those that it had");
    assert_eq!(take(&a, &[ids[0], 7]), [7], "there is no such segment");
    let table = lab.server.sql("SELECT schemaname FROM pg_tables WHERE tablename = 'taken_segments'");
    lab.server.sql(&format!("UPDATE {table}.taken_segments SET epoch = 77"));
    assert_eq!(take(&a, &ids), []);
}

#[test]
fn segments_are_not_replaced_by_a_node_that_does_not_know_what_has_changed() {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.node("a", true), lab.node("b", true));
    let _held = (a.upkeep.compactor.hold(), b.upkeep.compactor.hold());
    two_days(if a.segments.is_in_charge() { &a } else { &b });
    b.append(delivery("h", 500, 5)).expect("room");
    let ids: Vec<u128> = listed(&a).into_iter().collect();
    // The node reads the catalog by itself four times a second; `replacement` stops that.
    let replace = |ids: &[u128]| {
        let known = a.segments.replacement();
        b.delete_group(&group("h")).expect("any node may");
        let replaced = a.segments.catalog().commit_compaction(ids, &[]);
        drop(known);
        replaced
    };
    assert_eq!(a.segments.catalog().take_segments(&ids).expect("the database answers"), []);
    assert!(!replace(&ids).expect("the database answers"));
    assert_eq!(listed(&a).len(), 8);
    assert!(a.segments.catalog().commit_compaction(&ids, &[]).expect("it knows by now"));
    assert!(listed(&a).is_empty() && listed(&b).is_empty());
    assert!(a.segments.catalog().commit_compaction(&ids, &[]).is_err(), "it has given them back");
}

#[test]
fn a_segment_that_was_awaited_is_shown_once_and_not_after_it_was_replaced() {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.node("a", true), lab.node("b", false));
    let held = a.upkeep.compactor.hold();
    let flush = |from: u64| {
        a.append(delivery("g", from, 10)).expect("room");
        a.flush().expect("room");
    };
    // It cannot be read when `b` learns of it.
    let behind = b.segments.replacement();
    flush(0);
    lab.bucket.fail(|request| (request.method == "GET").then_some(Trouble::Status(403)));
    drop(behind);
    until("it is awaited", || b.snapshot(&[], TimeRange::ALL).damaged.len() == 1);
    let row = b.segments.state().damaged[0].awaited.clone().expect("it is listed");
    lab.bucket.fail(|_| None);
    let opened = || b.segments.files.open_listed(&row);
    let (first, second) = (opened(), opened());
    // Between opening and showing it, the catalog is read because of another one.
    flush(10);
    assert_eq!(listed(&b).len(), 2);
    b.upkeep.mover.take_awaited(&row, first);
    assert_events(&b, 20);
    [20, 30].into_iter().for_each(flush);
    drop(held);
    a.compact().expect("room");
    until("they are one", || listed(&b).len() == 1);
    b.upkeep.mover.take_awaited(&row, second);
    assert_events(&b, 40);
}
