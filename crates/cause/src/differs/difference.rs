//! What is found of a value, and of a field's numbers.

use types::Value;

/// The name under which patterns are a field.
pub(crate) const PATTERN_FIELD: &str = "@pattern";

/// A value that one side has more often than the other.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueDifference {
    /// The value; `None` stands for events without the field.
    pub value: Option<Value>,
    /// Events of the selection, and of the baseline.
    pub n_events: [u64; 2],
    /// Shares of the events of either side.
    pub shares: [f64; 2],
}

impl ValueDifference {
    /// Returns how many times larger its share is in the selection; `None` where the baseline has none.
    pub fn lift(&self) -> Option<f64> {
        (self.n_events[1] > 0).then(|| self.shares[0] / self.shares[1])
    }

    /// Reports whether it tells that more events of the selection have the field at all.
    pub(crate) fn is_presence(&self) -> bool {
        self.value.is_none() && self.shares[0] < self.shares[1]
    }
}

/// Quantiles of a field's numbers on either side, to within 1 %, and the number that divides the sides best.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NumberDifference {
    /// The median of the selection and of the baseline.
    pub p50: [f64; 2],
    /// The 95th percentiles.
    pub p95: [f64; 2],
    /// The 99th percentiles.
    pub p99: [f64; 2],
    /// The number above which the shares of both sides differ most.
    pub threshold: f64,
    /// Shares of the events of either side with a number above it.
    pub shares_above: [f64; 2],
}
