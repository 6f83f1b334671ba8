//! Quantiles of samples.

use super::*;

#[test]
fn quantiles_lie_between_the_closest_numbers() {
    let check = |share: f64, expected: f64| assert_eq!(quantile(share, vec![4.0, 1.0, 3.0, 2.0]), expected);
    check(0.0, 1.0);
    check(0.5, 2.5);
    check(1.0, 4.0);
    check(1.5, f64::INFINITY);
    check(-0.5, f64::NEG_INFINITY);
}
