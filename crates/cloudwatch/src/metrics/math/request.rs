//! What expressions know of their request.

use std::sync::atomic::{AtomicI64, Ordering};

use super::parse::Expression;
use super::{MathProblem, Series};

/// Finds series by a search, a statistic and a period in s.
pub(in crate::metrics) type Search<'q> = dyn Fn(&str, &str, i64) -> Result<Vec<Series>, MathProblem> + 'q;

/// Finds the band of an expression whose series in the range of the request is given, for a number of deviations: the upper bound
/// and the lower bound.
pub(in crate::metrics) type Band<'q> = dyn Fn(&Expression, &Series, f64) -> Result<Vec<Series>, MathProblem> + 'q;

/// Most datapoints that the functions of a request make: two series of two years of minutes, which take some 40 MB.
const MADE_MAX: i64 = 1 << 21;

/// The datapoints that functions may still make in a request.
#[derive(Debug)]
pub(in crate::metrics) struct DatapointBudget(AtomicI64);

impl Default for DatapointBudget {
    fn default() -> Self {
        Self(AtomicI64::new(MADE_MAX))
    }
}

/// The parts of a request that functions use.
pub(in crate::metrics) struct MathRequest<'q> {
    /// The metrics of the request by id, in its order.
    pub(in crate::metrics) metrics: &'q [(String, Series)],
    /// From the start to before the end of the request, in ms.
    pub(in crate::metrics) range: (i64, i64),
    /// The distance of datapoints that an expression makes by itself.
    pub(in crate::metrics) period_ms: i64,
    /// How much later data are than their times, in ms.
    pub(in crate::metrics) shift_ms: i64,
    /// What its functions may make.
    pub(in crate::metrics) budget: &'q DatapointBudget,
    /// Finds series.
    pub(in crate::metrics) search: &'q Search<'q>,
    /// Finds bands.
    pub(in crate::metrics) band: &'q Band<'q>,
}

impl MathRequest<'_> {
    /// Returns the metrics whose ids contain a text.
    pub(super) fn metrics(&self, part: &str) -> Vec<Series> {
        self.metrics.iter().filter(|(id, _)| id.contains(part)).map(|(_, series)| series.clone()).collect()
    }

    /// Returns a series with a value at each time of the request.
    ///
    /// # Errors
    /// If it has too many.
    pub(super) fn constant(&self, value: f64) -> Result<Series, MathProblem> {
        let points = self.times(self.period_ms)?.map(|time| (time, value)).collect();
        Ok(Series { points, period_ms: self.period_ms, ..Series::default() })
    }

    /// Returns the times at which periods of the request start.
    ///
    /// # Errors
    /// If they are too many.
    pub(super) fn times(&self, period_ms: i64) -> Result<impl Iterator<Item = i64> + use<>, MathProblem> {
        let (start, end) = self.range;
        let n_periods = end.saturating_sub(start) / period_ms;
        if self.budget.0.fetch_sub(n_periods, Ordering::Relaxed) < n_periods {
            let period = period_ms as f64 / 1e3;
            return Err(MathProblem(format!(
                "functions would make more than {MADE_MAX} datapoints, here one for each period of {period} s; ask for a shorter range or \
                 a longer period"
            )));
        }
        Ok(times(self.range, period_ms))
    }
}

/// Returns the times at which periods of a range start.
pub(in crate::metrics) fn times((start, end): (i64, i64), period_ms: i64) -> impl Iterator<Item = i64> + use<> {
    let first = start.div_euclid(period_ms) * period_ms;
    (0..).map(move |number| first + number * period_ms).take_while(move |time| *time < end)
}
