//! Buckets, scales and contradictions.

use super::*;

fn point(scale: i32, offset: i32, counts: &[u64]) -> Exponential {
    let positive = Side { offset, counts: counts.to_vec() };
    Exponential { count: counts.iter().sum(), sum: 1.5, scale, positive, ..Exponential::default() }
}

#[test]
fn buckets_begin_one_later_and_scales_are_lowered() {
    let buckets = |scale, offset, counts: &[u64]| point(scale, offset, counts).histogram(false).expect("one");
    let one = buckets(3, -2, &[1, 0, 4]);
    assert_eq!((one.schema, one.zero_threshold, one.positive), (3, 1e-128, vec![(-1, 1.0), (1, 4.0)]));
    // Of scale 10, four buckets make one of scale 8: those from -2 to -1, from 0 to 3, and 4.
    let lowered = buckets(10, -2, &[1, 1, 1, 1, 1, 1, 1]);
    assert_eq!((lowered.schema, lowered.positive), (8, vec![(0, 2.0), (1, 4.0), (2, 1.0)]));
    assert!(promql::is_stale(point(3, 0, &[1]).histogram(true).expect("a marker").sum));
}

#[test]
fn points_that_contradict_themselves_are_refused() {
    let refusal = |point: Exponential| point.histogram(false).expect_err("a refusal");
    assert!(refusal(Exponential { count: 9, ..point(0, 0, &[1]) }).contains("1 observations found in buckets"));
    assert!(refusal(point(0, i32::MAX, &[1])).contains("beyond all indexes"));
    assert!(refusal(point(0, 70_000, &[1])).contains("lies beyond all numbers"));
    assert!(refusal(point(-5, 0, &[1])).contains("schema -5"));
}
