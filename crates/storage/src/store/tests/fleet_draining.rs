//! A node that is drained leaves its work to others, and takes it again when it is told to.

use super::fleet::Lab;
use super::*;
use crate::AppendError;

#[test]
fn a_drained_node_gives_up_what_only_one_does_and_then_takes_no_events() {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.node("a", true), lab.node("b", true));
    let drain =
        |node: &str, is_ordered| b.drain_node(node, is_ordered).expect("it is a node").expect("the database answers");
    let of_a = || b.fleet().and_then(Result::ok).expect("it is a node").nodes.remove(0);
    a.append(delivery("g", 0, 10)).expect("room");
    until("a does upkeep", || a.segments.is_in_charge() && !of_a().leases.is_empty());
    assert!(!drain("nobody", true) && drain("a", true));
    assert!(of_a().is_draining && !of_a().is_drained);
    until("b takes over", || b.segments.is_in_charge() && b.has_alerts());
    assert!(!a.segments.is_in_charge() && !a.has_alerts() && of_a().leases.is_empty());
    until("it refuses events", || matches!(a.append(delivery("h", 0, 1)), Err(AppendError::Draining { .. })));
    until("it says so", || of_a().is_drained && of_a().changes_behind == 0);
    assert!(a.is_draining() && !b.is_draining());
    // It still answers, and its events are with the others.
    b.append(delivery("g", 10, 10)).expect("room");
    b.flush().expect("it does upkeep");
    let n = events(&b).len();
    assert_eq!(events(&a).len(), n);
    // One that is started again stays drained until it is told otherwise.
    drop(a);
    let a = lab.node("a", true);
    until("it knows", || a.is_draining());
    assert!(drain("a", false));
    until("it takes events", || a.append(delivery("h", 0, 1)).is_ok());
    until("it does not say so any more", || !of_a().is_draining);
    let fleet = a.fleet().and_then(Result::ok).expect("it is a node");
    assert!(fleet.bytes_stored > 0 && fleet.puts_per_day > 0.0 && fleet.puts_measured_s > 0.0, "{fleet:?}");
}
