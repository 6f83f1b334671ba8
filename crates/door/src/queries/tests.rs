//! Tickets of queries.

use super::*;

#[test]
fn a_dropped_ticket_stops_its_query() {
    let queries = Queries::default();
    let ticket = queries.start_for("", "stats count(*)", Timestamp(5));
    let running = ticket.running.clone();
    assert_eq!(queries.counts(), (1, 1));
    assert!(!running.cancelled.load(Ordering::Relaxed));
    drop(ticket);
    assert!(running.cancelled.load(Ordering::Relaxed));
    assert_eq!(queries.counts(), (1, 0));
    assert!(!queries.cancel(running.id, |_| true));
}
