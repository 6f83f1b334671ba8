//! `rate`, `increase`, `delta` and their instant kin.

use std::sync::Arc;

use crate::annotations::Remarks;
use crate::error::Result;
use crate::extended;
use crate::histogram::{Histogram, ResetHint};
use crate::syntax::Edges;
use crate::value::Value;
use crate::windows::Window;

type Answer = Result<Option<Value>>;

pub(crate) fn rate(window: &Window<'_>, remarks: &mut Remarks) -> Answer {
    Ok(extrapolated(window, remarks, true, true))
}

pub(crate) fn increase(window: &Window<'_>, remarks: &mut Remarks) -> Answer {
    Ok(extrapolated(window, remarks, true, false))
}

pub(crate) fn delta(window: &Window<'_>, remarks: &mut Remarks) -> Answer {
    Ok(extrapolated(window, remarks, false, false))
}

/// Returns the difference of the last and the first sample, extended to the ends of the window.
///
/// A counter is corrected by what it held before each reset. The extension reaches to the ends of the window if they are
/// less than 1.1 mean distances of samples away, otherwise half a distance; a counter never extends below zero.
fn extrapolated(window: &Window<'_>, remarks: &mut Remarks, counter: bool, per_second: bool) -> Option<Value> {
    if window.is_mixed() {
        remarks.mixed(window.span, window.name);
        return None;
    }
    if window.edges != Edges::Inside {
        let factor = if per_second { window.range_seconds() } else { 1.0 };
        return Some(match extended::change(window, remarks, counter)? {
            Value::Float(change) => Value::Float(change / factor),
            Value::Histogram(change) => Histogram::clone(&change).divided(factor).into(),
        });
    }
    let floats = !window.values.is_empty();
    let times = if floats { window.times } else { window.histogram_times };
    let (first, last) = (*times.first()?, *times.last()?);
    if times.len() < 2 {
        return None;
    }
    let (mut result, mut histogram) = (0.0, None);
    if floats {
        result = window.values[window.values.len() - 1] - window.values[0];
        if counter {
            for drop in window.drops {
                result += window.values[drop - window.drops_from - 1];
            }
        }
    } else {
        histogram = Some(histogram_rate(window, remarks, counter)?);
    }
    let mut to_start = (first - window.start) as f64 / 1000.0;
    let mut to_end = (window.end - last) as f64 / 1000.0;
    let sampled = (last - first) as f64 / 1000.0;
    let mean = sampled / (times.len() - 1) as f64;
    let threshold = mean * 1.1;
    if to_start >= threshold {
        to_start = mean / 2.0;
    }
    if counter {
        let (start, grown) = match &histogram {
            None => (window.values[0], result),
            Some(grown) => (window.histograms[0].count, grown.count),
        };
        if grown > 0.0 && start >= 0.0 {
            to_start = to_start.min(sampled * (start / grown));
        }
    }
    if to_end >= threshold {
        to_end = mean / 2.0;
    }
    let mut factor = if sampled == 0.0 { 1.0 } else { (sampled + to_start + to_end) / sampled };
    if per_second {
        factor /= window.range_seconds();
    }
    Some(match histogram {
        None => Value::Float(result * factor),
        Some(histogram) => histogram.times(factor).into(),
    })
}

fn histogram_rate(window: &Window<'_>, remarks: &mut Remarks, counter: bool) -> Option<Histogram> {
    let all = window.histograms;
    let (mut before, last) = (all[0].clone(), &all[all.len() - 1]);
    let gauge = |h: &Arc<Histogram>| h.hint == ResetHint::Gauge;
    if counter && all.iter().any(gauge) {
        remarks.warn(window.span, &format!("this native histogram metric is not a counter: {:?}", window.name));
    }
    if counter && all[1].is_reset_after(&before) {
        // What the counter held before has no share in the result.
        let (schema, custom) = (all[1].schema, all[1].custom.clone());
        before = Arc::new(Histogram { schema, custom, ..Histogram::default() });
    }
    let custom = before.is_custom();
    let middle = if counter { &all[1..all.len() - 1] } else { &[] };
    if last.is_custom() != custom || middle.iter().any(|h| h.is_custom() != custom) {
        remarks.mixed_schemas(window.span, window.name);
        return None;
    }
    let schema = middle.iter().map(|h| h.schema).fold(last.schema.min(before.schema), i32::min);
    let (mut total, noticed) = last.reduced(schema).minus(&before).ok()?;
    if noticed.reconciled {
        remarks.reconciled(window.span, "subtraction");
    }
    if counter {
        for now in &all[1..] {
            if now.is_reset_after(&before) {
                let (sum, noticed) = total.plus(&before).ok()?;
                total = sum;
                if noticed.reconciled {
                    remarks.reconciled(window.span, "addition");
                }
            }
            before = now.clone();
        }
    } else if !gauge(&all[0]) || !gauge(last) {
        remarks.warn(window.span, &format!("this native histogram metric is not a gauge: {:?}", window.name));
    }
    Some(total.with_hint(ResetHint::Gauge).compact())
}

pub(crate) fn irate(window: &Window<'_>, remarks: &mut Remarks) -> Answer {
    Ok(instant(window, remarks, true))
}

pub(crate) fn idelta(window: &Window<'_>, remarks: &mut Remarks) -> Answer {
    Ok(instant(window, remarks, false))
}

/// Returns the difference of the last two samples.
fn instant(window: &Window<'_>, remarks: &mut Remarks, per_second: bool) -> Option<Value> {
    let [(before, first), (now, second)] = last_two(window)?;
    let seconds = (now - before) as f64 / 1000.0;
    match (first, second) {
        (Value::Float(first), Value::Float(second)) => {
            let change = if per_second && second < first { second } else { second - first };
            Some(Value::Float(if per_second { change / seconds } else { change }))
        }
        (Value::Histogram(first), Value::Histogram(second)) => {
            let gauges = [&first, &second].iter().filter(|h| h.hint == ResetHint::Gauge).count();
            if per_second && gauges > 0 {
                remarks.warn(window.span, &format!("this native histogram metric is not a counter: {:?}", window.name));
            }
            if !per_second && gauges < 2 {
                remarks.warn(window.span, &format!("this native histogram metric is not a gauge: {:?}", window.name));
            }
            let mut change = Histogram::clone(&second);
            if !per_second || !second.is_reset_after(&first) {
                change = extended::computed(window, remarks, second.minus(&first), "subtraction")?;
            }
            let change = change.with_hint(ResetHint::Gauge).compact();
            Some(if per_second { change.divided(seconds) } else { change }.into())
        }
        _ => {
            remarks.mixed(window.span, window.name);
            None
        }
    }
}

/// Returns the last two samples, floats and histograms alike.
fn last_two(window: &Window<'_>) -> Option<[(i64, Value); 2]> {
    let floats = window.times.iter().zip(window.values).rev().take(2).map(|(t, v)| (*t, Value::Float(*v)));
    let histograms = window.histogram_times.iter().zip(window.histograms).rev().take(2);
    let mut last: Vec<(i64, Value)> =
        floats.chain(histograms.map(|(t, h)| (*t, Value::Histogram(h.clone())))).collect();
    last.sort_by_key(|(time, _)| *time);
    let second = last.pop()?;
    Some([last.pop()?, second])
}
