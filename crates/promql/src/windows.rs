//! Functions over ranges: windows that slide over the samples of a series.

use std::sync::{Arc, Mutex, PoisonError};

use crate::annotations::Remarks;
use crate::context::{Context, SAME_LABELS};
use crate::error::{EvalError, Result};
use crate::histogram::{Histogram, ResetHint};
use crate::labels::{Labels, METRIC_NAME};
use crate::matcher::Matcher;
use crate::source::{Selection, SeriesRef};
use crate::syntax::{Edges, Shift, Span};
use crate::value::{Grid, Series, Value, is_none, is_stale};

/// The samples of one step.
pub(crate) struct Window<'a> {
    pub(crate) times: &'a [i64],
    pub(crate) values: &'a [f64],
    pub(crate) histogram_times: &'a [i64],
    pub(crate) histograms: &'a [Arc<Histogram>],
    /// Places in `values` whose float is less than the one before.
    pub(crate) drops: &'a [usize],
    /// What is to be subtracted from each of `drops`.
    pub(crate) drops_from: usize,
    /// Samples are after this time, ms.
    pub(crate) start: i64,
    /// Samples are not after this time, ms.
    pub(crate) end: i64,
    /// Time of the step, ms.
    pub(crate) step: i64,
    /// Whether the window has samples outside of its range, for the values at its ends.
    pub(crate) edges: Edges,
    /// The scalar arguments at this step.
    pub(crate) args: [f64; 2],
    /// Place of the first argument in the query.
    pub(crate) span: &'a Span,
    pub(crate) name: &'a str,
}

impl Window<'_> {
    pub(crate) fn range_seconds(&self) -> f64 {
        (self.end - self.start) as f64 / 1000.0
    }

    pub(crate) fn is_mixed(&self) -> bool {
        !self.values.is_empty() && !self.histograms.is_empty()
    }
}

/// A function over a window.
pub(crate) type RangeFunction = fn(&Window<'_>, &mut Remarks) -> Result<Option<Value>>;

/// How a range is cut and what is made of it.
pub(crate) struct Plan<'a> {
    pub(crate) name: &'static str,
    pub(crate) function: RangeFunction,
    pub(crate) grid: Grid,
    /// ms
    pub(crate) range: i64,
    pub(crate) shift: Shift,
    /// Scalar arguments, one column each.
    pub(crate) args: Vec<Vec<f64>>,
    /// Place of the first argument in the query.
    pub(crate) span: &'a Span,
}

/// The samples of a series without stale markers.
pub(crate) struct Samples {
    pub(crate) labels: Labels,
    pub(crate) drop_name: bool,
    pub(crate) times: Vec<i64>,
    pub(crate) values: Vec<f64>,
    pub(crate) histogram_times: Vec<i64>,
    pub(crate) histograms: Vec<Arc<Histogram>>,
}

impl Samples {
    /// Copies the samples of a stored series that are not stale markers.
    pub(crate) fn stored(series: &SeriesRef<'_>) -> Self {
        let floats = series.times.iter().zip(series.values).filter(|(_, value)| !is_stale(**value));
        let (times, values) = floats.map(|(time, value)| (*time, *value)).unzip();
        let whole = series.histogram_times.iter().zip(series.histograms).filter(|(_, h)| !is_stale(h.sum));
        let (histogram_times, histograms) = whole.map(|(time, h)| (*time, h.clone())).unzip();
        Self { labels: series.labels.clone(), drop_name: false, times, values, histogram_times, histograms }
    }

    /// Turns an evaluated series into samples, for subqueries; what was known of resets is no longer.
    pub(crate) fn evaluated(series: Series, grid: Grid) -> Self {
        let mut samples = Self {
            labels: series.labels.clone(),
            drop_name: series.drop_name,
            times: Vec::with_capacity(grid.len),
            values: Vec::with_capacity(grid.len),
            histogram_times: Vec::new(),
            histograms: Vec::new(),
        };
        for (step, time) in grid.times().enumerate() {
            if let Some(histogram) = series.histogram(step) {
                samples.histogram_times.push(time);
                samples.histograms.push(match histogram.hint {
                    ResetHint::Unknown | ResetHint::Gauge => histogram.clone(),
                    _ => Arc::new(Histogram::clone(histogram).with_hint(ResetHint::Unknown)),
                });
            } else if !is_none(series.floats[step]) {
                samples.times.push(time);
                samples.values.push(series.floats[step]);
            }
        }
        samples
    }

    fn as_ref(&self) -> SeriesRef<'_> {
        SeriesRef {
            labels: &self.labels,
            times: &self.times,
            values: &self.values,
            histogram_times: &self.histogram_times,
            histograms: &self.histograms,
        }
    }
}

impl Plan<'_> {
    fn time(&self, context: &Context<'_>, step: usize) -> i64 {
        self.shift.at.map_or_else(|| self.grid.at(step), |at| context.time_of(at)) - self.shift.offset
    }

    /// Evaluates over stored series.
    pub(crate) fn select(&self, context: &Context<'_>, matchers: &[Matcher]) -> Result<Vec<Series>> {
        let found = Mutex::new(Vec::new());
        let (back, ahead) = self.shift.margins(context.options.lookback);
        let after = self.time(context, 0) - self.range - back;
        let until = self.time(context, self.grid.len.saturating_sub(1)) + ahead;
        let selection = Selection { matchers, after, until };
        if self.grid.len > 0 {
            context.source.select(&selection, &|series| {
                context.check()?;
                let stale =
                    series.values.iter().any(|v| is_stale(*v)) || series.histograms.iter().any(|h| is_stale(h.sum));
                context.borrow(series.times.len() + series.histograms.len())?;
                let result = if stale {
                    self.series(context, &Samples::stored(&series).as_ref(), false)
                } else {
                    self.series(context, &series, false)
                }?;
                found.lock().unwrap_or_else(PoisonError::into_inner).extend(result);
                Ok(())
            })?;
        }
        self.finish(context, found.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Evaluates over the results of a subquery.
    pub(crate) fn subquery(&self, context: &Context<'_>, series: Vec<Series>, inner: Grid) -> Result<Vec<Series>> {
        let mut found = Vec::with_capacity(series.len());
        for one in series {
            context.check()?;
            let samples = Samples::evaluated(one, inner);
            found.extend(self.series(context, &samples.as_ref(), samples.drop_name)?);
        }
        self.finish(context, found)
    }

    fn finish(&self, context: &Context<'_>, mut found: Vec<Series>) -> Result<Vec<Series>> {
        found.sort_by(|a, b| a.labels.cmp(&b.labels));
        let twice = || found.windows(2).any(|pair| pair[0].labels == pair[1].labels);
        // Series of several names may be absent together.
        if !context.options.delayed_name_removal && self.name != "absent_over_time" && twice() {
            return Err(EvalError::at(self.span, SAME_LABELS));
        }
        Ok(found)
    }

    fn series(&self, context: &Context<'_>, samples: &SeriesRef<'_>, drop_name: bool) -> Result<Option<Series>> {
        let mut out = Series::empty(samples.labels.clone(), drop_name, self.grid.len);
        let counted = matches!(self.name, "rate" | "increase");
        let drops: Vec<usize> = if counted {
            (1..samples.values.len()).filter(|i| samples.values[*i] < samples.values[i - 1]).collect()
        } else {
            Vec::new()
        };
        self.slide(context, samples, &drops, &mut out)?;
        if !out.has_any() {
            return Ok(None);
        }
        context.hold(out.n_samples())?;
        let name = samples.labels.get(METRIC_NAME);
        let counter = ["_total", "_sum", "_count", "_bucket"].iter().any(|end| name.ends_with(end));
        if counted && !name.is_empty() && !counter && out.floats.iter().any(|value| !is_none(*value)) {
            let message =
                format!("metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {name:?}");
            context.remarks().info(self.span, &message);
        }
        if !matches!(self.name, "last_over_time" | "first_over_time") || drop_name {
            context.drop_name(&mut out);
        }
        Ok(Some(out))
    }

    fn slide(&self, context: &Context<'_>, samples: &SeriesRef<'_>, drops: &[usize], out: &mut Series) -> Result<()> {
        let (mut from, mut to, mut hist_from, mut hist_to) = (0, 0, 0, 0);
        let (mut drop_from, mut drop_to) = (0, 0);
        // Its own, as series may be visited at the same time.
        let mut remarks = context.remarks().fresh();
        let name = samples.labels.get(METRIC_NAME);
        let (back, ahead) = self.shift.margins(context.options.lookback);
        let is_anchored = self.shift.edges == Edges::Anchored && matches!(self.name, "changes" | "resets");
        for step in 0..self.grid.len {
            let end = self.time(context, step);
            let start = end - self.range;
            advance(samples.times, &mut to, end + ahead);
            advance(samples.times, &mut from, start - back);
            advance(samples.histogram_times, &mut hist_to, end + ahead);
            advance(samples.histogram_times, &mut hist_from, start - back);
            if is_anchored {
                let windows = (&samples.times[from..to], &samples.histogram_times[hist_from..hist_to]);
                let Some((float, histogram)) = anchor(windows.0, windows.1, start) else { continue };
                (from, hist_from) = (from + float, hist_from + histogram);
            }
            if from == to && hist_from == hist_to {
                continue;
            }
            drop_to += drops[drop_to..].iter().take_while(|i| **i < to).count();
            drop_from += drops[drop_from..].iter().take_while(|i| **i <= from).count();
            let arg = |at: usize| self.args.get(at).map_or(f64::NAN, |column| column[step]);
            let window = Window {
                times: &samples.times[from..to],
                values: &samples.values[from..to],
                histogram_times: &samples.histogram_times[hist_from..hist_to],
                histograms: &samples.histograms[hist_from..hist_to],
                drops: &drops[drop_from.min(drop_to)..drop_to],
                drops_from: from,
                start,
                end,
                step: self.grid.at(step),
                edges: self.shift.edges,
                args: [arg(0), arg(1)],
                span: self.span,
                name,
            };
            if let Some(value) = (self.function)(&window, &mut remarks)? {
                out.set(step, value);
            }
        }
        context.remarks().merge(remarks);
        Ok(())
    }
}

/// Moves `at` to the first time after `limit`.
fn advance(times: &[i64], at: &mut usize, limit: i64) {
    while times.get(*at).is_some_and(|time| *time <= limit) {
        *at += 1;
    }
}

/// Returns where an `anchored` window after `start` begins among floats and histograms: at the last sample before it, of either kind;
/// `None` where no sample follows.
fn anchor(times: &[i64], histogram_times: &[i64], start: i64) -> Option<(usize, usize)> {
    let inside = |times: &[i64]| times.partition_point(|time| *time <= start);
    let (float, histogram) = (inside(times), inside(histogram_times));
    if float == times.len() && histogram == histogram_times.len() {
        return None;
    }
    let last = |times: &[i64], inside: usize| inside.checked_sub(1).map(|at| times[at]);
    Some(match (last(times, float), last(histogram_times, histogram)) {
        (None, None) => (float, histogram),
        (a, b) if a >= b => (float - 1, histogram),
        _ => (float, histogram - 1),
    })
}
