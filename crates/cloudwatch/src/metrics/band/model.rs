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
mod tests;
