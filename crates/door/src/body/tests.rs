//! Bodies that are slow, too large, or sent while larger ones are read.

use super::*;

#[test]
fn a_body_that_trickles_is_not_waited_for_for_ever() {
    let seconds = Duration::from_secs;
    assert_eq!(patience(0, seconds(0)), PAUSE_MAX);
    assert_eq!(patience(59, seconds(59)), seconds(1));
    assert_eq!(patience(60, seconds(61)), Duration::ZERO);
    assert_eq!(patience(64 << 20, seconds(3600)), PAUSE_MAX);
}

#[tokio::test]
async fn a_body_over_the_cap_is_refused_and_its_share_given_back() {
    let budget = BodyBudget::default();
    let read = budget.read(Body::from("123456789"), 8).await;
    assert_eq!(read.map(|_| ()).map_err(|p| p.status.as_u16()), Err(413));
    let kept = budget.read(Body::from("12345678"), 8).await.expect("it fits");
    assert_eq!(kept.bytes(), b"12345678");
    assert_eq!(budget.n_bytes.load(Ordering::Relaxed), 8);
    drop(kept);
    assert_eq!(budget.n_bytes.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn large_bodies_do_not_keep_small_ones_out() {
    let budget = BodyBudget::default();
    budget.n_bytes.store(TOGETHER_BYTES_MAX - SMALL_TOGETHER_BYTES, Ordering::Relaxed);
    let read = async |n_bytes: usize| {
        let read = budget.read(Body::from(vec![b'x'; n_bytes]), usize::MAX).await;
        read.map(|_| ()).map_err(|problem| problem.status.as_u16())
    };
    assert_eq!(read(SMALL_BYTES_MAX + 1).await, Err(429));
    assert_eq!(read(SMALL_BYTES_MAX).await, Ok(()));
}
