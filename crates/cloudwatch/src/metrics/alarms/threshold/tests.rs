//! Reasons in Amazon's words.

use super::*;

const NOON_MS: i64 = 1_764_072_000_000;

fn crossing(points: &[JudgedPoint]) -> Crossing<'_> {
    Crossing {
        comparison: Comparison::Greater,
        threshold: Some(2.0),
        of: 3,
        to_alarm: 2,
        points,
        n_missing: 0,
        treated: None,
        is_alarm: true,
    }
}

fn points(values: &[(i64, f64)]) -> Vec<JudgedPoint> {
    let bounds = Bounds { lower: 1.5, upper: 2.0 };
    values.iter().map(|(ago, value)| JudgedPoint { time: NOON_MS - ago * 60_000, value: *value, bounds }).collect()
}

#[test]
fn reasons_of_bands_have_the_bounds_of_the_datapoints() {
    let points = points(&[(0, 3.5), (1, 1.0), (2, 1.75)]);
    let band = |comparison, is_alarm| Crossing { comparison, threshold: None, is_alarm, ..crossing(&points) }.reason();
    assert_eq!(
        band(Comparison::OutsideBand, true),
        "Thresholds Crossed: 2 out of the last 3 datapoints [3.5 (25/11/25 12:00:00), 1.0 (25/11/25 11:59:00)] were less than the \
            lower thresholds [1.5, 1.5] or greater than the upper thresholds [2.0, 2.0] (minimum 2 datapoints for OK -> ALARM transition)."
    );
    assert!(band(Comparison::AboveBand, true).contains("was greater than the upper thresholds [2.0] (minimum"));
    assert!(band(Comparison::BelowBand, false).contains("were not less than the lower thresholds [1.5, 1.5] (minimum"));
}

#[test]
fn reasons_are_worded_as_amazon_words_them() {
    let points = points(&[(0, 3.5), (1, 1.0), (2, 4.0)]);
    assert_eq!(
        crossing(&points).reason(),
        "Threshold Crossed: 2 out of the last 3 datapoints [3.5 (25/11/25 12:00:00), 4.0 (25/11/25 11:58:00)] were greater than the \
            threshold (2.0) (minimum 2 datapoints for OK -> ALARM transition)."
    );
    let one = self::points(&[(0, 1.0)]);
    let of_one = Crossing { of: 1, to_alarm: 1, is_alarm: false, ..crossing(&one) };
    assert_eq!(
        of_one.reason(),
        "Threshold Crossed: 1 out of the last 1 datapoints [1.0 (25/11/25 12:00:00)] was not greater than the threshold (2.0) \
            (minimum 1 datapoint for ALARM -> OK transition)."
    );
    let silent = Crossing { n_missing: 3, treated: Some("Breaching"), ..crossing(&[]) };
    assert_eq!(
        silent.reason(),
        "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as [Breaching]."
    );
    let breach = self::points(&[(0, 4.0)]);
    let calm = Crossing { n_missing: 2, is_alarm: false, ..crossing(&breach) };
    assert_eq!(
        calm.reason(),
        "Threshold Crossed: only 1 out of the last 3 datapoints [4.0 (25/11/25 12:00:00)] was greater than the threshold (2.0), and \
            2 datapoints are missing (minimum 2 datapoints for OK -> ALARM transition)."
    );
    let premature = Crossing { n_missing: 2, ..crossing(&breach) };
    assert_eq!(
        premature.reason(),
        "Threshold Crossed: 1 out of the last 3 datapoints [4.0 (25/11/25 12:00:00)] was greater than the threshold (2.0) and \
            2 datapoints are missing (minimum 2 datapoints for OK -> ALARM transition)."
    );
    assert_eq!(unknown_reason(1), "Insufficient Data: 1 datapoint was unknown.");
}

#[test]
fn numbers_have_a_decimal() {
    for (number, expected) in [(0.0, "0.0"), (5.0, "5.0"), (-0.25, "-0.25"), (1e9, "1.0E9"), (2.5e-5, "2.5E-5")] {
        assert_eq!(decimal(number), expected);
    }
}
