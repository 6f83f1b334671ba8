//! Waits between deliveries.

use super::*;

#[test]
fn waits_grow_stay_bounded_and_respect_the_server() {
    for n_failed in 1..100 {
        for random in [0, 1, u64::MAX / 2, u64::MAX] {
            let wait = wait_before_retry(n_failed, None, random);
            assert!(wait >= Duration::from_millis(50) && wait <= Duration::from_millis(WAIT_MS_MAX + 50));
        }
    }
    assert!(wait_before_retry(1, None, u64::MAX) < Duration::from_millis(200));
    assert!(wait_before_retry(1, Some(Duration::from_secs(7)), 0) >= Duration::from_secs(7));
    assert!(wait_before_retry(1, Some(Duration::from_secs(9999)), 0) <= Duration::from_secs(301));
}
