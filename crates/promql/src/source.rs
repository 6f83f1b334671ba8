//! The seam to storage: what the evaluation of a query asks for.

use std::sync::Arc;

use crate::error::Result;
use crate::histogram::Histogram;
use crate::labels::Labels;
use crate::matcher::Matcher;

/// Which series and samples a part of a query needs.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    /// Conditions that all must hold.
    pub matchers: &'a [Matcher],
    /// Samples after this time, ms since the epoch.
    pub after: i64,
    /// Samples up to this time, ms since the epoch.
    pub until: i64,
}

/// The samples of one series, as columns.
///
/// Shape: floats and histograms are each in order of time; no two samples have the same time. Stale markers are floats of
/// the bits [`crate::STALE`], or histograms whose sum has them.
#[derive(Clone, Copy, Debug)]
pub struct SeriesRef<'a> {
    /// What names the series.
    pub labels: &'a Labels,
    /// Times of the floats, ms since the epoch.
    pub times: &'a [i64],
    /// The floats.
    pub values: &'a [f64],
    /// Times of the histograms, ms since the epoch.
    pub histogram_times: &'a [i64],
    /// The histograms.
    pub histograms: &'a [Arc<Histogram>],
}

/// Receives one series; may be called from several threads at once.
pub type Visit<'a> = dyn Fn(SeriesRef<'_>) -> Result<()> + Sync + 'a;

/// Storage of series.
pub trait Source: Sync {
    /// Calls `visit` once for each series that all matchers accept and that has samples in the range.
    ///
    /// One series at a time, so that a query over a day holds no more than what it computes; the order does not matter.
    /// Errors: those of `visit`, which end the selection, and [`EvalError::Source`].
    fn select(&self, selection: &Selection<'_>, visit: &Visit<'_>) -> Result<()>;
}
