//! Histograms that are read, and counts that do not add up.

use super::*;

fn histogram() -> Histogram {
    Histogram {
        schema: -1,
        zero_threshold: 1e-128,
        zero_count: 2.0,
        count: 14.5,
        sum: -3.5,
        positive: vec![(-3, 1.0), (-2, 2.5), (4, 3.0)],
        negative: vec![(0, 6.0)],
        hint: ResetHint::Gauge,
        ..Histogram::default()
    }
}

#[test]
fn histograms_are_read_as_they_are_written() {
    let custom = Histogram {
        schema: -53,
        custom: [0.5, 1.0].into(),
        count: 3.0,
        positive: vec![(2, 3.0)],
        ..Histogram::default()
    };
    for one in [histogram(), custom, Histogram::default()] {
        let (time, back) = read(&write(1_795_175_700_000, &one), "message").expect("whole");
        assert_eq!((time, back), (1_795_175_700_000, Ok(one)));
    }
    let whole = write(5, &histogram());
    for end in 0..whole.len() {
        // Whatever is cut off is an error or another histogram.
        let _ = read(&whole[..end], "message");
    }
}

/// Returns an integer histogram: count, positive spans, differences.
fn whole(count: u64, spans: &[(i32, u64)], differences: &[i32]) -> Vec<u8> {
    let mut out = Vec::new();
    put_number(1, count, &mut out);
    put_fixed64(3, 1.5_f64.to_bits(), &mut out);
    for (offset, length) in spans {
        let mut span = Vec::new();
        put_number(1, zigzag(*offset), &mut span);
        put_number(2, *length, &mut span);
        put_bytes(11, &span, &mut out);
    }
    let mut packed = Vec::new();
    differences.iter().for_each(|difference| put_varint(zigzag(*difference), &mut packed));
    put_bytes(12, &packed, &mut out);
    out
}

#[test]
fn counts_that_do_not_add_up_are_refused_by_name() {
    let of = |count, spans: &[(i32, u64)], differences: &[i32]| {
        read(&whole(count, spans, differences), "message").expect("whole").1
    };
    let buckets = of(9, &[(1, 2), (3, 1)], &[1, 1, 4]).expect("a histogram").positive;
    assert_eq!(buckets, [(1, 1.0), (2, 2.0), (6, 6.0)]);
    let refusal = |count, spans: &[(i32, u64)], differences: &[i32]| of(count, spans, differences).expect_err("none");
    assert_eq!(refusal(8, &[(1, 1)], &[9]), "9 observations found in buckets, but the count is 8");
    assert_eq!(refusal(0, &[(1, 2)], &[1, -2]), "positive side: bucket number 2 has an observation count of -1");
    assert_eq!(refusal(1, &[(1, 2)], &[1]), "positive side: spans need 2 buckets, have 1 buckets");
    assert_eq!(refusal(1, &[(1, u64::MAX)], &[1]), "positive side: spans need 4294967295 buckets, have 1 buckets");
    let million = vec![0; 1_000_000];
    assert!(refusal(0, &[(1, 1_000_000)], &million).contains("spans need 1000000 buckets, have 16385"));
}
