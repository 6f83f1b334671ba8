//! Values under evaluation: series over the steps of a query, and single samples.

use std::sync::Arc;

use crate::histogram::Histogram;
use crate::labels::Labels;

/// The NaN that marks the end of a series; sums of histograms carry it too.
pub const STALE: u64 = 0x7ff0_0000_0000_0002;

/// The NaN that marks a step without a float; a sample of these very bits is read as the usual NaN.
const ABSENT: u64 = 0x7ffc_a7a7_0ab5_e417;

/// Reports whether a value is the stale marker.
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE
}

/// Marks a step without a float.
pub(crate) const NONE: f64 = f64::from_bits(ABSENT);

/// Reports whether a step has no float.
#[inline]
pub(crate) fn is_none(value: f64) -> bool {
    value.to_bits() == ABSENT
}

/// Returns a value of a sample, never one that would mark a step without.
#[inline]
pub(crate) fn stored(value: f64) -> f64 {
    if is_none(value) { f64::NAN } else { value }
}

/// A float or a histogram.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A float.
    Float(f64),
    /// A native histogram.
    Histogram(Arc<Histogram>),
}

impl From<Histogram> for Value {
    fn from(histogram: Histogram) -> Self {
        Self::Histogram(Arc::new(histogram))
    }
}

/// The steps at which a query is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    /// First step, ms since the epoch.
    pub(crate) start: i64,
    /// Distance of steps, ms, at least 1.
    pub(crate) step: i64,
    /// Number of steps; may be 0.
    pub(crate) len: usize,
}

impl Grid {
    pub(crate) fn at(&self, step: usize) -> i64 {
        self.start + self.step * step as i64
    }

    pub(crate) fn times(&self) -> impl Iterator<Item = i64> + use<> {
        let grid = *self;
        (0..grid.len).map(move |step| grid.at(step))
    }

    pub(crate) fn last(&self) -> i64 {
        self.at(self.len.saturating_sub(1))
    }
}

/// A series over a grid: one value per step, which may be missing.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) labels: Labels,
    /// Whether the name goes at the end, where names are removed late.
    pub(crate) drop_name: bool,
    /// One per step; `NONE` where there is no float.
    pub(crate) floats: Vec<f64>,
    /// Empty, or one per step.
    pub(crate) histograms: Vec<Option<Arc<Histogram>>>,
}

impl Series {
    /// Creates a series without samples.
    pub(crate) fn empty(labels: Labels, drop_name: bool, len: usize) -> Self {
        Self { labels, drop_name, floats: vec![NONE; len], histograms: Vec::new() }
    }

    /// Returns the number of samples that it counts for: one per step, and one per four buckets of a histogram, which take as much room.
    pub(crate) fn n_samples(&self) -> usize {
        let of_histogram = |one: &Arc<Histogram>| (one.positive.len() + one.negative.len()) / 4;
        self.floats.len() + self.histograms.iter().flatten().map(of_histogram).sum::<usize>()
    }

    #[inline]
    pub(crate) fn histogram(&self, step: usize) -> Option<&Arc<Histogram>> {
        self.histograms.get(step).and_then(Option::as_ref)
    }

    #[inline]
    pub(crate) fn has(&self, step: usize) -> bool {
        !is_none(self.floats[step]) || self.histogram(step).is_some()
    }

    pub(crate) fn get(&self, step: usize) -> Option<Value> {
        match self.histogram(step) {
            Some(histogram) => Some(Value::Histogram(histogram.clone())),
            None => Some(self.floats[step]).filter(|value| !is_none(*value)).map(Value::Float),
        }
    }

    pub(crate) fn set(&mut self, step: usize, value: Value) {
        match value {
            Value::Float(value) => self.floats[step] = stored(value),
            Value::Histogram(histogram) => {
                if self.histograms.is_empty() {
                    self.histograms.resize(self.floats.len(), None);
                }
                self.histograms[step] = Some(histogram);
            }
        }
    }

    pub(crate) fn has_any(&self) -> bool {
        self.floats.iter().any(|value| !is_none(*value)) || self.histograms.iter().any(Option::is_some)
    }

    /// Adds the samples of a series of the same labels; false if both have one at the same step.
    pub(crate) fn absorb(&mut self, other: Self) -> bool {
        for step in 0..self.floats.len() {
            if let Some(value) = other.get(step) {
                if self.has(step) {
                    return false;
                }
                self.set(step, value);
            }
        }
        true
    }
}

/// What an expression yields over a grid.
#[derive(Clone, Debug)]
pub(crate) enum Evaluated {
    /// One number per step.
    Scalar(Vec<f64>),
    /// A text.
    Text(Arc<str>),
    /// Series.
    Vector(Vec<Series>),
}
