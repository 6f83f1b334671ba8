//! What `anchored` and `smoothed` make of a window: values at its ends, from samples before and after it.
//!
//! `anchored` takes the last sample before the window as its first value. `smoothed` takes values between samples, in proportion to time;
//! between a sample and one that was reset, a counter begins at zero.

use std::ops::Range;
use std::sync::Arc;

use crate::annotations::Remarks;
use crate::error::Result;
use crate::histogram::{Histogram, Incompatible, Noticed, ResetHint};
use crate::syntax::Edges;
use crate::value::Value;
use crate::windows::Window;

/// Values at the ends of a window, and the places of the samples between them.
pub(crate) struct Ends {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) inner: Range<usize>,
}

/// Returns the places of the first and the last sample that a window from `start` to `end` needs; `None` where it has none.
fn outer(times: &[i64], (start, end): (i64, i64), edges: Edges) -> Option<(usize, usize)> {
    let mut last = times.len().checked_sub(1)?;
    let first = times[..last].partition_point(|time| *time <= start).saturating_sub(1);
    if edges == Edges::Smoothed {
        last = times[..last].partition_point(|time| *time < end);
    }
    let is_before = edges == Edges::Smoothed && times[first] > end;
    (times[last] > start && !is_before).then_some((first, last))
}

/// Returns the ends of a window of floats.
pub(crate) fn ends(
    (times, values): (&[i64], &[f64]),
    (start, end): (i64, i64),
    edges: Edges,
    counter: bool,
) -> Option<Ends> {
    let (first, last) = outer(times, (start, end), edges)?;
    let between = |at: usize, time: i64| {
        let (before, after) = (values[at], values[at + 1]);
        let before = if counter && after < before { 0.0 } else { before };
        before + (after - before) * (time - times[at]) as f64 / (times[at + 1] - times[at]) as f64
    };
    let is_smoothed = edges == Edges::Smoothed;
    let left = if is_smoothed && times[first] < start { between(first, start) } else { values[first] };
    let right = if is_smoothed && last > 0 && times[last] > end { between(last - 1, end) } else { values[last] };
    let from = first + usize::from(times[first] <= start);
    Some(Ends { left, right, inner: from..last + usize::from(times[last] < end) })
}

/// Returns by how much a series changes between the ends of a window.
pub(crate) fn change(window: &Window<'_>, remarks: &mut Remarks, counter: bool) -> Option<Value> {
    if window.values.is_empty() {
        return histogram_change(window, remarks, counter).map(Value::from);
    }
    let span = (window.start, window.end);
    let Ends { left, right, inner } = ends((window.times, window.values), span, window.edges, counter)?;
    let mut change = right - left;
    let mut before = left;
    for value in window.values[inner].iter().chain([&right]).filter(|_| counter) {
        change += if *value < before { before } else { 0.0 };
        before = *value;
    }
    Some(Value::Float(change))
}

fn histogram_change(window: &Window<'_>, remarks: &mut Remarks, counter: bool) -> Option<Histogram> {
    let (times, all) = (window.histogram_times, window.histograms);
    let (first, last) = outer(times, (window.start, window.end), window.edges)?;
    let used = &all[first..=last];
    if used.iter().any(|one| one.is_custom() != used[0].is_custom()) {
        remarks.mixed_schemas(window.span, window.name);
        return None;
    }
    let is_gauge = |one: &Histogram| one.hint == ResetHint::Gauge;
    if counter && used.iter().any(|one| is_gauge(one)) {
        remarks.warn(window.span, &format!("this native histogram metric is not a counter: {:?}", window.name));
    }
    let is_smoothed = window.edges == Edges::Smoothed;
    let is_left_between = is_smoothed && times[first] < window.start;
    let left = if is_left_between {
        Arc::new(histogram_between(window, remarks, (first, window.start), counter)?)
    } else {
        all[first].clone()
    };
    let right = if is_smoothed && last > 0 && times[last] > window.end {
        Arc::new(histogram_between(window, remarks, (last - 1, window.end), counter)?)
    } else {
        all[last].clone()
    };
    if !(counter || is_gauge(&left) && is_gauge(&right)) {
        remarks.warn(window.span, &format!("this native histogram metric is not a gauge: {:?}", window.name));
    }
    let mut change = computed(window, remarks, right.minus(&left), "subtraction")?;
    // The interpolated left value already accounts for a reset in its interval.
    let skips = usize::from(is_left_between && all[first + 1].is_reset_after(&all[first]));
    let mut before = if skips > 0 { &all[first + 1] } else { &left };
    if counter && first + 1 + skips <= last {
        for one in all[first + 1 + skips..last].iter().chain([&right]) {
            if one.is_reset_after(before) {
                change = computed(window, remarks, change.plus(before), "addition")?;
            }
            before = one;
        }
    }
    Some(change.with_hint(ResetHint::Gauge).compact())
}

/// Returns the histogram at a time between one sample and the next.
fn histogram_between(
    window: &Window<'_>,
    remarks: &mut Remarks,
    (at, time): (usize, i64),
    counter: bool,
) -> Option<Histogram> {
    let (times, before, after) = (window.histogram_times, &window.histograms[at], &window.histograms[at + 1]);
    let share = (time - times[at]) as f64 / (times[at + 1] - times[at]) as f64;
    if counter && after.is_reset_after(before) {
        return Some(Histogram::clone(after).times(share));
    }
    let change = computed(window, remarks, after.minus(before), "subtraction")?.times(share);
    computed(window, remarks, change.plus(before), "addition")
}

/// Returns a sum or difference of histograms, and adds its annotations.
pub(crate) fn computed(
    window: &Window<'_>,
    remarks: &mut Remarks,
    result: Result<(Histogram, Noticed), Incompatible>,
    operation: &str,
) -> Option<Histogram> {
    match result {
        Ok((histogram, noticed)) => {
            if noticed.reconciled {
                remarks.reconciled(window.span, operation);
            }
            Some(histogram)
        }
        Err(_) => {
            remarks.mixed_schemas(window.span, window.name);
            None
        }
    }
}

/// Returns the value of a `smoothed` selector at the end of a window: between the samples around it, else that of the last one.
pub(crate) fn smoothed(window: &Window<'_>, remarks: &mut Remarks) -> Result<Option<Value>> {
    if window.is_mixed() {
        remarks.mixed(window.span, window.name);
        return Ok(None);
    }
    let floats = !window.values.is_empty();
    let times = if floats { window.times } else { window.histogram_times };
    let after = times.partition_point(|time| *time < window.end);
    if times.get(after) == Some(&window.end) {
        return Ok(Some(match floats {
            true => Value::Float(window.values[after]),
            false => Value::Histogram(window.histograms[after].clone()),
        }));
    }
    let Some(at) = after.checked_sub(1) else { return Ok(None) };
    if floats {
        let span = (window.end, window.end);
        let value = ends((window.times, window.values), span, Edges::Smoothed, false).map(|ends| ends.right);
        return Ok(Some(Value::Float(value.unwrap_or(window.values[at]))));
    }
    let before = &window.histograms[at];
    let Some(next) = window.histograms.get(after) else {
        return Ok(Some(Histogram::clone(before).with_hint(ResetHint::Unknown).into()));
    };
    if before.is_custom() != next.is_custom() {
        remarks.mixed_schemas(window.span, window.name);
        return Ok(None);
    }
    let counter = before.hint != ResetHint::Gauge || next.hint != ResetHint::Gauge;
    Ok(histogram_between(window, remarks, (at, window.end), counter).map(Value::from))
}
