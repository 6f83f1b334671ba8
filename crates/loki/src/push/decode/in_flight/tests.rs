//! Pushes of the same stream and time.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

#[test]
fn a_push_waits_for_one_of_the_same_stream_and_time() {
    let in_flight = InFlight::default();
    let first = in_flight.enter(Spans::from([(1, (10, 20)), (2, (0, 5))]));
    drop(in_flight.enter(Spans::from([(1, (21, 30)), (2, (6, 9)), (3, (10, 20))])));
    let is_free = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _second = in_flight.enter(Spans::from([(1, (20, 40))]));
            assert!(is_free.load(Ordering::SeqCst));
        });
        is_free.store(true, Ordering::SeqCst);
        drop(first);
    });
    assert!(in_flight.lock().is_empty());
}
