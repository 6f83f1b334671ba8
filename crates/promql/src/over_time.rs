//! The other functions over ranges: `*_over_time`, changes, resets, trends.

use std::sync::Arc;

use crate::annotations::Remarks;
use crate::error::{EvalError, Result};
use crate::histogram::{Histogram, ResetHint, Total};
use crate::rate;
use crate::sum::{Mean, Sum};
use crate::value::Value;
use crate::windows::{RangeFunction, Window};

type Answer = Result<Option<Value>>;

/// Returns the function over a range of this name.
pub(crate) fn find(name: &str) -> Option<RangeFunction> {
    Some(match name {
        "rate" => rate::rate,
        "increase" => rate::increase,
        "delta" => rate::delta,
        "irate" => rate::irate,
        "idelta" => rate::idelta,
        "sum_over_time" => sum,
        "avg_over_time" => avg,
        "min_over_time" => |w, r| float(w, r, |w| extreme(w, |new, old| new < old).1),
        "max_over_time" => |w, r| float(w, r, |w| extreme(w, |new, old| new > old).1),
        "ts_of_min_over_time" => |w, r| float(w, r, |w| extreme(w, |new, old| new <= old).0),
        "ts_of_max_over_time" => |w, r| float(w, r, |w| extreme(w, |new, old| new >= old).0),
        "stddev_over_time" => |w, r| float(w, r, |w| variance(w.values).sqrt()),
        "stdvar_over_time" => |w, r| float(w, r, |w| variance(w.values)),
        "mad_over_time" => |w, r| float(w, r, |w| median_deviation(w.values)),
        "quantile_over_time" => quantile_over_time,
        "count_over_time" => |w, _| Ok(Some(Value::Float((w.values.len() + w.histograms.len()) as f64))),
        "present_over_time" | "absent_over_time" => |_, _| Ok(Some(Value::Float(1.0))),
        "first_over_time" => |w, _| Ok(samples(w).next().map(|(_, value)| value)),
        "last_over_time" => |w, _| Ok(last(w).map(|(_, value)| value)),
        "ts_of_first_over_time" => |w, _| Ok(samples(w).next().map(|(time, _)| Value::Float(time as f64 / 1000.0))),
        "ts_of_last_over_time" => |w, _| Ok(last(w).map(|(time, _)| Value::Float(time as f64 / 1000.0))),
        "changes" => |w, _| Ok(count_pairs(w, changed)),
        "resets" => |w, _| Ok(count_pairs(w, was_reset)),
        "deriv" => |w, r| Ok(trend(w, r, w.times.first().copied().unwrap_or(0)).map(|(slope, _)| Value::Float(slope))),
        "predict_linear" => {
            |w, r| Ok(trend(w, r, w.step).map(|(slope, intercept)| Value::Float(slope * w.args[0] + intercept)))
        }
        "double_exponential_smoothing" => smooth,
        _ => return None,
    })
}

/// Applies a function of floats; histograms are ignored, and named if there are both.
fn float(window: &Window<'_>, remarks: &mut Remarks, apply: impl Fn(&Window<'_>) -> f64) -> Answer {
    if window.values.is_empty() {
        return Ok(None);
    }
    if !window.histograms.is_empty() {
        remarks.ignored_in_range(window.span, window.name);
    }
    Ok(Some(Value::Float(apply(window))))
}

/// Returns all samples in order of time.
fn samples<'a>(window: &'a Window<'_>) -> impl Iterator<Item = (i64, Value)> + 'a {
    let (mut float, mut histogram) = (0, 0);
    std::iter::from_fn(move || {
        let next = (window.times.get(float), window.histogram_times.get(histogram));
        match next {
            (Some(time), other) if other.is_none_or(|other| time < other) => {
                float += 1;
                Some((*time, Value::Float(window.values[float - 1])))
            }
            (_, Some(time)) => {
                histogram += 1;
                Some((*time, Value::Histogram(window.histograms[histogram - 1].clone())))
            }
            _ => None,
        }
    })
}

fn last(window: &Window<'_>) -> Option<(i64, Value)> {
    let float = window.times.last().map(|time| (*time, window.values.last().copied().map(Value::Float)));
    let histogram =
        window.histogram_times.last().map(|t| (*t, window.histograms.last().cloned().map(Value::Histogram)));
    let later = match (float, histogram) {
        (Some(float), Some(histogram)) => {
            if float.0 > histogram.0 {
                float
            } else {
                histogram
            }
        }
        (float, histogram) => float.or(histogram)?,
    };
    later.1.map(|value| (later.0, value))
}

fn sum(window: &Window<'_>, remarks: &mut Remarks) -> Answer {
    if window.is_mixed() {
        remarks.mixed(window.span, window.name);
        return Ok(None);
    }
    if !window.histograms.is_empty() {
        return Ok(total(window, remarks, false));
    }
    let mut sum = Sum::default();
    window.values.iter().for_each(|value| sum.add(*value));
    Ok(Some(Value::Float(if sum.value.is_infinite() { sum.value } else { sum.total() })))
}

fn avg(window: &Window<'_>, remarks: &mut Remarks) -> Answer {
    if window.is_mixed() {
        remarks.mixed(window.span, window.name);
        return Ok(None);
    }
    let Some((first, rest)) = window.values.split_first() else { return Ok(total(window, remarks, true)) };
    let mut mean = Mean::new(*first);
    rest.iter().for_each(|value| mean.add(*value));
    Ok(Some(Value::Float(mean.total())))
}

/// Returns sum or mean of the histograms of a window.
fn total(window: &Window<'_>, remarks: &mut Remarks, mean: bool) -> Option<Value> {
    let mut total = HistogramMean::new(window.histograms.first()?);
    let mut reconciled = false;
    for histogram in &window.histograms[1..] {
        let added = if mean { total.add(histogram) } else { total.add_to_sum(histogram) };
        let Ok(noticed) = added else {
            remarks.mixed_schemas(window.span, window.name);
            return None;
        };
        reconciled |= noticed.reconciled;
    }
    let hinted = |hint| window.histograms.iter().any(|h| h.hint == hint);
    if hinted(ResetHint::Reset) && hinted(ResetHint::NotReset) {
        remarks.collision(window.span, "aggregation");
    }
    if reconciled {
        remarks.reconciled(window.span, "aggregation");
    }
    Some(total.finish(mean).into())
}

/// A mean of histograms that is incremental once the sum overflows.
pub(crate) struct HistogramMean {
    total: Total,
    count: f64,
    incremental: bool,
}

impl HistogramMean {
    pub(crate) fn new(first: &Histogram) -> Self {
        Self { total: Total::new(first), count: 1.0, incremental: false }
    }

    /// Adds to a sum of which no mean is wanted.
    pub(crate) fn add_to_sum(
        &mut self,
        histogram: &Histogram,
    ) -> Result<crate::histogram::Noticed, crate::histogram::Incompatible> {
        self.count += 1.0;
        self.total.add(histogram, 1.0)
    }

    pub(crate) fn add(
        &mut self,
        histogram: &Histogram,
    ) -> Result<crate::histogram::Noticed, crate::histogram::Incompatible> {
        self.count += 1.0;
        if !self.incremental {
            let mut total = self.total.clone();
            let noticed = total.add(histogram, 1.0)?;
            if !total.overflows() {
                self.total = total;
                return Ok(noticed);
            }
            self.incremental = true;
            let before = self.count - 1.0;
            self.total.scale(|n| n / before);
        }
        let share = (self.count - 1.0) / self.count;
        self.total.scale(|n| n * share);
        self.total.add(&histogram.clone().divided(self.count), 1.0)
    }

    pub(crate) fn finish(mut self, mean: bool) -> Histogram {
        if mean && !self.incremental {
            let count = self.count;
            self.total.scale(|n| n / count);
        }
        self.total.finish(true)
    }
}

/// Returns time in seconds and value of the float that no other one beats.
fn extreme(window: &Window<'_>, beats: impl Fn(f64, f64) -> bool) -> (f64, f64) {
    let (mut at, mut best) = (0, window.values[0]);
    for (i, value) in window.values.iter().enumerate() {
        if beats(*value, best) || best.is_nan() {
            (at, best) = (i, *value);
        }
    }
    (window.times[at] as f64 / 1000.0, best)
}

fn variance(values: &[f64]) -> f64 {
    let (mut count, mut mean, mut squares) = (0.0, Sum::default(), Sum::default());
    for value in values {
        count += 1.0;
        let delta = value - mean.total();
        mean.add(delta / count);
        squares.add(delta * (value - mean.total()));
    }
    squares.total() / count
}

/// Returns the quantile of numbers by linear interpolation between the nearest two; NaN is less than any number.
pub(crate) fn quantile(q: f64, mut values: Vec<f64>) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    values.sort_by(|a, b| b.is_nan().cmp(&a.is_nan()).then(a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal)));
    let rank = q * (values.len() - 1) as f64;
    let lower = rank.floor() as usize;
    let upper = (lower + 1).min(values.len() - 1);
    let weight = rank - rank.floor();
    values[lower] * (1.0 - weight) + values[upper] * weight
}

fn median_deviation(values: &[f64]) -> f64 {
    if values.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    let median = quantile(0.5, values.to_vec());
    quantile(0.5, values.iter().map(|value| (value - median).abs()).collect())
}

fn quantile_over_time(window: &Window<'_>, remarks: &mut Remarks) -> Answer {
    if !window.values.is_empty() {
        remarks.quantile(window.span, window.args[0]);
    }
    float(window, remarks, |window| quantile(window.args[0], window.values.to_vec()))
}

/// Counts the pairs of neighbours for which a relation holds.
fn count_pairs(window: &Window<'_>, holds: fn(&Value, &Value) -> bool) -> Option<Value> {
    let count = if window.histograms.is_empty() {
        window.values.windows(2).filter(|pair| holds(&Value::Float(pair[0]), &Value::Float(pair[1]))).count()
    } else {
        let all: Vec<Value> = samples(window).map(|(_, value)| value).collect();
        all.windows(2).filter(|pair| holds(&pair[0], &pair[1])).count()
    };
    Some(Value::Float(count as f64))
}

fn changed(before: &Value, now: &Value) -> bool {
    match (before, now) {
        (Value::Float(before), Value::Float(now)) => before != now && !(before.is_nan() && now.is_nan()),
        (Value::Histogram(before), Value::Histogram(now)) => !Arc::ptr_eq(before, now) && !now.same(before),
        _ => true,
    }
}

fn was_reset(before: &Value, now: &Value) -> bool {
    match (before, now) {
        (Value::Float(before), Value::Float(now)) => now < before,
        (Value::Histogram(before), Value::Histogram(now)) => now.is_reset_after(before),
        _ => true,
    }
}

/// Returns slope per second and value at `origin` (ms) of the line with the least squares.
fn trend(window: &Window<'_>, remarks: &mut Remarks, origin: i64) -> Option<(f64, f64)> {
    if !window.values.is_empty() && !window.histograms.is_empty() {
        remarks.ignored_in_range(window.span, window.name);
    }
    if window.values.len() < 2 {
        return None;
    }
    let first = window.values[0];
    if window.values.iter().all(|value| *value == first) {
        return Some(if first.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first) });
    }
    let [mut x_sum, mut y_sum, mut xy_sum, mut xx_sum] = [Sum::default(); 4];
    for (time, y) in window.times.iter().zip(window.values) {
        let x = (time - origin) as f64 / 1000.0;
        x_sum.add(x);
        y_sum.add(*y);
        xy_sum.add(x * y);
        xx_sum.add(x * x);
    }
    let n = window.values.len() as f64;
    let (x, y) = (x_sum.total(), y_sum.total());
    let covariance = xy_sum.total() - x * y / n;
    let slope = covariance / (xx_sum.total() - x * x / n);
    Some((slope, y / n - slope * x / n))
}

/// Smooths twice: level and trend (Holt).
fn smooth(window: &Window<'_>, remarks: &mut Remarks) -> Answer {
    let [level_share, trend_share] = window.args;
    for (what, share, short) in [("smoothing", level_share, "sf"), ("trend", trend_share, "tf")] {
        if share <= 0.0 || share >= 1.0 {
            let message = format!("invalid {what} factor. Expected: 0 < {short} < 1, got: {share:.6}");
            return Err(EvalError::at(window.span, message));
        }
    }
    if !window.values.is_empty() && !window.histograms.is_empty() {
        remarks.ignored_in_range(window.span, window.name);
    }
    let [first, second, ..] = *window.values else { return Ok(None) };
    let (mut before, mut level, mut trend) = (0.0, first, second - first);
    for (i, value) in window.values.iter().enumerate().skip(1) {
        if i > 1 {
            trend = trend_share * (level - before) + (1.0 - trend_share) * trend;
        }
        let next = level_share * value + (1.0 - level_share) * (level + trend);
        (before, level) = (level, next);
    }
    Ok(Some(Value::Float(level)))
}
