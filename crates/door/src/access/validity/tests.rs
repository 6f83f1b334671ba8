//! Copies that end together, and callers that wait for the end.

use super::*;

#[test]
fn all_copies_end_together() {
    let validity = Validity::default();
    let copy = validity.clone();
    assert!(copy.is_valid_at(Timestamp(i64::MAX - 1)) && copy.ends().is_none());
    validity.end_at(Timestamp(10));
    assert!(copy.is_valid_at(Timestamp(9)) && !copy.is_valid_at(Timestamp(10)));
    validity.end();
    assert!(!copy.is_valid_at(Timestamp(0)));
}

#[tokio::test]
async fn a_waiter_wakes_at_the_end_and_not_before() {
    let validity = Validity::default();
    let waiting = tokio::spawn(validity.clone().expired(Clock::new(|| Timestamp(5))));
    tokio::task::yield_now().await;
    validity.end_at(Timestamp(i64::MAX - 1));
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    validity.end_at(Timestamp(5));
    waiting.await.expect("no panic");
    validity.expired(Clock::new(|| Timestamp(6))).await;
}
