//! Percentiles, and measures that are subtracted again.

use super::*;

#[test]
fn percentiles_are_near_whatever_the_durations() {
    for scale in [1_000_i64, 1_000_000, 3_000_000_000] {
        let mut total = Total::default();
        let mut measure = Measure::default();
        (1..=1000).for_each(|n| measure.add(Call::of(n * scale, n % 10 == 0)));
        total.add(&measure);
        for (share, exact) in [(0.5, 500), (0.95, 950), (1.0, 1000)] {
            let exact = (exact * scale) as f64 / 1e6;
            let found = total.percentile_ms(share).expect("there are calls");
            assert!((found / exact - 1.0).abs() < 0.026, "{found} for {exact}");
        }
        assert_eq!((total.n, total.n_errors), (1000, 100));
        let sum: f64 = total.histogram().map(|(seconds, n)| seconds * n as f64).sum();
        let exact = (1000 * 1001 / 2 * scale) as f64 / 1e9;
        assert!((sum / exact - 1.0).abs() < 0.026, "{sum} for {exact}");
    }
    assert_eq!(Total::default().percentile_ms(0.5), None);
    Measure::default().add(Call::of(i64::MAX, true));
}

#[test]
fn what_was_added_can_be_taken_away() {
    let (mut total, call) = (Total::default(), Call::of(5_000_000, true));
    total.add_call(call);
    total.take_away(call);
    assert_eq!((total.n, total.n_errors, total.percentile_ms(0.5)), (0, 0, None));
}
