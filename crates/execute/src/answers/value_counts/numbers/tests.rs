//! Tests of `numbers`.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn quantiles_are_within_one_percent(numbers in proptest::collection::vec(-1e9..1e9_f64, 1..200), share in 0.0..1.0_f64) {
        let mut histogram = NumberHistogram::default();
        numbers.iter().for_each(|number| histogram.add(*number, 1));
        let mut sorted = numbers;
        sorted.sort_by(f64::total_cmp);
        let place = ((share * sorted.len() as f64).ceil().max(1.0) as usize).min(sorted.len()) - 1;
        let (found, exact) = (histogram.quantile(share).expect("numbers"), sorted[place]);
        prop_assert!((found - exact).abs() <= exact.abs() / 100.0, "{} for {}", found, exact);
    }

    #[test]
    fn what_was_added_can_be_taken_away(
        a in proptest::collection::vec(-1e3..1e3_f64, 0..50),
        b in proptest::collection::vec(-1e3..1e3_f64, 0..50),
    ) {
        let of = |numbers: &[f64]| {
            let mut histogram = NumberHistogram::default();
            numbers.iter().for_each(|number| histogram.add(*number, 1));
            histogram
        };
        let mut both = of(&a);
        both.merge(&of(&b));
        both.subtract(&of(&b));
        prop_assert_eq!(both.ordered(), of(&a).ordered());
    }
}

#[test]
fn small_whole_numbers_are_exact() {
    let mut histogram = NumberHistogram::default();
    (0..=200).for_each(|number| histogram.add(f64::from(number), 1));
    assert_eq!(histogram.quantile(0.5), Some(100.0));
    assert_eq!(histogram.n_buckets(), 201);
    histogram.add(f64::NAN, 1);
    assert_eq!(histogram.n_numbers(), 201);
}
