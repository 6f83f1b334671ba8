//! A model: what is expected, and how far values usually are from it.
//!
//! Median and median absolute deviation, so that an outage in the past moves the band little. Source: Leys et al., "Detecting
//! outliers", Journal of Experimental Social Psychology 49 (2013).

/// What a median absolute deviation is multiplied by, and a mean one, to estimate the standard deviation of a normal distribution.
const OF_MEDIAN: f64 = 1.4826;
const OF_MEAN: f64 = 1.2533;

/// The least deviation as a share of what is expected: values that are equal but for rounding are no anomalies.
const SHARE_LEAST: f64 = 1e-3;

/// What is expected of a slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Model {
    expected: f64,
    deviation: f64,
    lowest: f64,
    highest: f64,
}

impl Model {
    /// Returns the model of some values; `None` of none.
    pub(super) fn of(mut values: Vec<f64>) -> Option<Self> {
        let expected = median(&mut values)?;
        let (lowest, highest) = (*values.first()?, *values.last()?);
        let mut distances: Vec<f64> = values.iter().map(|value| (value - expected).abs()).collect();
        let of_mean = distances.iter().sum::<f64>() / distances.len() as f64 * OF_MEAN;
        let of_median = median(&mut distances)? * OF_MEDIAN;
        let spread = if of_median > 0.0 { of_median } else { of_mean };
        Some(Self { expected, deviation: spread.max(expected.abs() * SHARE_LEAST), lowest, highest })
    }

    /// Returns the lower and the upper bound; with spikes, all values of the past are within them.
    pub(super) fn bounds(&self, n_deviations: f64, has_spikes: bool) -> (f64, f64) {
        let width = n_deviations * self.deviation;
        let (lower, upper) = (self.expected - width, self.expected + width);
        if has_spikes { (lower.min(self.lowest), upper.max(self.highest)) } else { (lower, upper) }
    }
}

/// Sorts values; returns their median.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        0 => Some((values.get(middle.checked_sub(1)?)? + values.get(middle)?) / 2.0),
        _ => values.get(middle).copied(),
    }
}

#[cfg(test)]
mod tests {
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
}
