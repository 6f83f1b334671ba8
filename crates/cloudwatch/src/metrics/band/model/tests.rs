//! Medians and deviations.

use super::*;

fn check(values: &[f64], (n, has_spikes): (f64, bool), expected: (f64, f64)) {
    let (lower, upper) = Model::of(values.to_vec()).expect("values").bounds(n, has_spikes);
    let is_near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert!(is_near(lower, expected.0) && is_near(upper, expected.1), "{values:?}: {lower} {upper}");
}

#[test]
fn a_band_is_the_median_and_its_median_deviation() {
    // Median 11, distances 2 1 1 0 89: their median is 1.
    let values = [9.0, 12.0, 10.0, 11.0, 100.0];
    check(&values, (1.0, false), (11.0 - 1.4826, 11.0 + 1.4826));
    check(&values, (2.0, false), (11.0 - 2.9652, 11.0 + 2.9652));
    check(&values, (2.0, true), (11.0 - 2.9652, 100.0));
    // Median 2.5, distances 1.5 0.5 0.5 1.5: median 1.
    check(&[1.0, 2.0, 3.0, 4.0], (1.0, false), (2.5 - 1.4826, 2.5 + 1.4826));
}

#[test]
fn values_that_are_mostly_equal_have_their_mean_deviation_and_a_least_one() {
    // Median 5, distances 0 0 0 0 10: their median is 0, their mean 2.
    check(&[5.0, 5.0, 5.0, 5.0, 15.0], (1.0, false), (5.0 - 2.5066, 5.0 + 2.5066));
    check(&[50.0; 4], (2.0, false), (49.9, 50.1));
    check(&[0.0; 4], (2.0, false), (0.0, 0.0));
    assert_eq!(Model::of(Vec::new()), None);
}
