//! Instant vector selectors: at each step the latest sample within the lookback.

use std::sync::{Mutex, PoisonError};

use crate::context::Context;
use crate::error::{EvalError, Result};
use crate::matcher::Matcher;
use crate::source::{Selection, SeriesRef};
use crate::syntax::Shift;
use crate::value::{Grid, Series, Value, is_stale};

/// What a selector yields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Yield {
    /// The samples.
    Values,
    /// Their times in seconds.
    Times,
    /// The times of floats; a histogram is an error.
    InfoTimes,
}

/// Evaluates a selector over a grid; the series are in order of their labels.
pub(crate) fn select(
    context: &Context<'_>,
    matchers: &[Matcher],
    shift: Shift,
    grid: Grid,
    what: Yield,
) -> Result<Vec<Series>> {
    let found = Mutex::new(Vec::new());
    if grid.len == 0 {
        return Ok(Vec::new());
    }
    let at = shift.at.map(|at| context.time_of(at));
    let time = |step: usize| at.unwrap_or_else(|| grid.at(step)) - shift.offset;
    // A fixed time has one answer for all steps.
    let distinct = if at.is_some() { 1 } else { grid.len };
    let after = time(0) - context.options.lookback;
    let selection = Selection { matchers, after, until: time(grid.len - 1) };
    context.source.select(&selection, &|samples| {
        context.check()?;
        context.borrow(samples.times.len() + samples.histograms.len())?;
        let mut series = Series::empty(samples.labels.clone(), false, grid.len);
        let mut cursor = Cursor::default();
        for step in 0..distinct {
            if let Some((at, value)) = cursor.latest(&samples, time(step), context.options.lookback) {
                let value = match (what, value) {
                    (Yield::Values, value) => value,
                    (Yield::InfoTimes, Value::Histogram(_)) => {
                        return Err(EvalError::at(&(0..0), "info sample should be float"));
                    }
                    _ => Value::Float(at as f64 / 1000.0),
                };
                series.set(step, value);
            }
        }
        if distinct < grid.len
            && let Some(value) = series.get(0)
        {
            (1..grid.len).for_each(|step| series.set(step, value.clone()));
        }
        if series.has_any() {
            context.hold(series.n_samples())?;
            found.lock().unwrap_or_else(PoisonError::into_inner).push(series);
        }
        Ok(())
    })?;
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by(|a, b| a.labels.cmp(&b.labels));
    Ok(found)
}

/// Walks over samples as time goes on.
#[derive(Default)]
struct Cursor {
    floats: usize,
    histograms: usize,
}

impl Cursor {
    /// Returns time and value of the latest sample in `(time - lookback, time]`, unless it is a stale marker.
    fn latest(&mut self, samples: &SeriesRef<'_>, time: i64, lookback: i64) -> Option<(i64, Value)> {
        while samples.times.get(self.floats).is_some_and(|t| *t <= time) {
            self.floats += 1;
        }
        while samples.histogram_times.get(self.histograms).is_some_and(|t| *t <= time) {
            self.histograms += 1;
        }
        let float = self.floats.checked_sub(1).map(|at| (samples.times[at], Value::Float(samples.values[at])));
        let last = self.histograms.checked_sub(1);
        let histogram = last.map(|at| (samples.histogram_times[at], Value::Histogram(samples.histograms[at].clone())));
        let latest = match (float, histogram) {
            (Some(float), Some(histogram)) => Some(if float.0 > histogram.0 { float } else { histogram }),
            (float, histogram) => float.or(histogram),
        };
        latest.filter(|(at, value)| {
            let sign = match value {
                Value::Float(value) => *value,
                Value::Histogram(histogram) => histogram.sum,
            };
            *at > time - lookback && !is_stale(sign)
        })
    }
}
