//! Histograms that are refused.

use super::*;

#[test]
fn spans_that_lie_are_refused() {
    assert_eq!(buckets_of_spans(&[(-2, 2), (1, 1)], &[1.0, 0.0, 3.0]), Ok(vec![(-2, 1.0), (1, 3.0)]));
    assert_eq!(buckets_of_spans(&[], &[]), Ok(Vec::new()));
    let refusal = |spans: &[(i32, u32)], n: usize| buckets_of_spans(spans, &vec![1.0; n]).expect_err("a refusal");
    assert_eq!(refusal(&[(0, 2)], 1), "spans need 2 buckets, have 1 buckets");
    assert!(refusal(&[(0, u32::MAX), (0, u32::MAX)], 1).starts_with("spans need 8589934590 buckets"));
    assert!(refusal(&[(0, 1), (-1, 1)], 2).starts_with("span number 2 with offset -1"));
    assert_eq!(refusal(&[(i32::MAX, 1)], 1), "span number 1 reaches beyond all indexes");
    assert!(refusal(&[(0, 1_000_000)], 1_000_000).contains("at most 10000"));
}

#[test]
fn what_cannot_be_computed_with_is_refused_by_name() {
    let base = Histogram { count: 1.0, positive: vec![(1, 1.0)], ..Histogram::default() };
    assert_eq!(base.clone().checked(), Ok(base.clone()));
    let custom = Histogram { schema: CUSTOM_SCHEMA, custom: [1.0, 2.0].into(), ..base.clone() };
    assert_eq!(custom.clone().checked(), Ok(custom.clone()));
    let cases = [
        (Histogram { schema: -5, ..base.clone() }, "schema -5"),
        (Histogram { schema: 53, ..base.clone() }, "schema 53"),
        (Histogram { custom: [1.0].into(), ..base.clone() }, "no listed bounds"),
        (Histogram { count: -1.0, ..base.clone() }, "the observation count is -1"),
        (Histogram { zero_count: -1.0, ..base.clone() }, "the zero bucket is -1"),
        (Histogram { zero_threshold: f64::NAN, ..base.clone() }, "a width of NaN"),
        (Histogram { positive: vec![(1, -3.0)], ..base.clone() }, "positive bucket 1 has an observation count of -3"),
        (Histogram { negative: vec![(5_000, 3.0)], ..base.clone() }, "negative bucket 5000 of schema 0 lies beyond"),
        (Histogram { zero_count: 1.0, ..custom.clone() }, "zero count of 0"),
        (Histogram { negative: vec![(1, 1.0)], ..custom.clone() }, "must not have negative buckets"),
        (Histogram { custom: [2.0, 1.0].into(), ..custom.clone() }, "previous bound is 2 and current is 1"),
        (Histogram { custom: [1.0, f64::INFINITY].into(), ..custom.clone() }, "inf is no bound"),
        (Histogram { positive: vec![(3, 1.0)], ..custom.clone() }, "bucket 3 has no bound; there are 2 bounds"),
    ];
    for (histogram, said) in cases {
        let refusal = histogram.checked().expect_err(said);
        assert!(refusal.contains(said), "{said}: {refusal}");
    }
}

#[test]
fn resolutions_beyond_those_of_queries_are_lowered() {
    let fine =
        Histogram { schema: 10, count: 3.0, positive: vec![(1, 1.0), (4, 1.0), (5, 1.0)], ..Histogram::default() };
    let lowered = Histogram { schema: 8, positive: vec![(1, 2.0), (2, 1.0)], ..fine.clone() };
    assert_eq!(fine.checked(), Ok(lowered));
}
