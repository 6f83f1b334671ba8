//! Quantiles of buckets.

use super::*;

#[test]
fn quantiles_are_those_of_the_buckets() {
    let durations = Durations::default();
    assert_eq!((durations.read().n(), durations.read().quantile(0.5)), (0, None));
    (0..98).for_each(|_| durations.note(Duration::from_micros(900)));
    durations.note(Duration::from_millis(30));
    durations.note(Duration::from_secs(60));
    let latency = durations.read();
    assert_eq!((latency.n(), latency.beyond), (100, 1));
    assert_eq!(latency.quantile(0.5), Some(0.001));
    assert_eq!(latency.quantile(0.99), Some(0.05));
    assert_eq!(latency.quantile(1.0), Some(f64::INFINITY));
    assert!(latency.total > Duration::from_secs(60));
}
