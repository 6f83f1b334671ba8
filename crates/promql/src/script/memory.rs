//! Series in memory, which scripts load and query.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::Result;
use crate::histogram::{CUSTOM_SCHEMA, Histogram, ResetHint};
use crate::labels::{BUCKET, Labels, METRIC_NAME};
use crate::lexer::number;
use crate::source::{Selection, SeriesRef, Source, Visit};
use crate::value::{Value, is_stale};

/// All loaded samples by series and time.
#[derive(Default)]
pub(crate) struct Memory {
    series: BTreeMap<Labels, BTreeMap<i64, Value>>,
}

impl Memory {
    pub(crate) fn add(&mut self, labels: &Labels, time: i64, value: Value) {
        let samples = self.series.entry(labels.clone()).or_default();
        let before = samples.range(..time).next_back().map(|(_, value)| value);
        let value = match (value, before) {
            (Value::Histogram(histogram), before) => Value::Histogram(hinted(histogram, before)),
            (value, _) => value,
        };
        samples.insert(time, value);
    }

    /// Adds histograms with listed bounds made of the classic ones among `loaded`.
    pub(crate) fn add_custom(&mut self, loaded: &[(Labels, Vec<(i64, Value)>)]) {
        let mut parts: BTreeMap<(Labels, i64), Parts> = BTreeMap::new();
        for (labels, samples) in loaded {
            let name = labels.get(METRIC_NAME);
            let bound = number(labels.get(BUCKET)).filter(|bound| !bound.is_nan());
            let suffix = ["_bucket", "_count", "_sum"].into_iter().find(|suffix| name.ends_with(suffix));
            let Some(suffix) = suffix.filter(|suffix| *suffix != "_bucket" || bound.is_some()) else { continue };
            let base = labels.with(METRIC_NAME, name.strip_suffix(suffix).unwrap_or(name)).with(BUCKET, "");
            for (time, value) in samples {
                let Value::Float(value) = value else { continue };
                let parts = parts.entry((base.clone(), *time)).or_default();
                match (suffix, bound) {
                    ("_bucket", Some(bound)) => parts.buckets.push((bound, *value)),
                    ("_count", _) => parts.count = Some(*value),
                    _ => parts.sum = *value,
                }
            }
        }
        for ((labels, time), parts) in parts {
            self.add(&labels, time, parts.histogram().into());
        }
    }
}

/// Says whether the counter was reset, as Prometheus' storage finds out when it stores a histogram.
fn hinted(histogram: Arc<Histogram>, before: Option<&Value>) -> Arc<Histogram> {
    let hint = match (histogram.hint, before) {
        (ResetHint::Gauge | ResetHint::Reset, _) => histogram.hint,
        (_, Some(Value::Histogram(before))) if before.hint != ResetHint::Gauge && !is_stale(before.sum) => {
            let plain = Histogram::clone(&histogram).with_hint(ResetHint::Unknown);
            // A reset that was found by its counts is not noted, so that samples may still come in between.
            if plain.is_reset_after(before) { ResetHint::Unknown } else { ResetHint::NotReset }
        }
        _ => ResetHint::Unknown,
    };
    Arc::new(Histogram::clone(&histogram).with_hint(hint))
}

#[derive(Default)]
struct Parts {
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: f64,
}

impl Parts {
    fn histogram(mut self) -> Histogram {
        self.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        let last = self.buckets.last().copied();
        let count = self.count.or(last.map(|(_, count)| count)).unwrap_or(0.0);
        if last.is_none_or(|(bound, _)| bound != f64::INFINITY) {
            self.buckets.push((f64::INFINITY, count));
        }
        let mut before = 0.0;
        let counts = self.buckets.iter().enumerate().map(|(at, (_, count))| {
            let own = count - before;
            before = *count;
            (at as i32, own)
        });
        let positive = counts.filter(|(_, count)| *count != 0.0).collect();
        let custom: Arc<[f64]> =
            self.buckets.iter().map(|(bound, _)| *bound).filter(|bound| bound.is_finite()).collect();
        Histogram { schema: CUSTOM_SCHEMA, count, sum: self.sum, positive, custom, ..Histogram::default() }
    }
}

impl Source for Memory {
    fn select(&self, selection: &Selection<'_>, visit: &Visit<'_>) -> Result<()> {
        for (labels, samples) in &self.series {
            if !selection.matchers.iter().all(|matcher| matcher.accepts(labels.get(&matcher.name))) {
                continue;
            }
            let (mut times, mut values, mut histogram_times, mut histograms) = (vec![], vec![], vec![], vec![]);
            for (time, value) in samples.iter().filter(|(t, _)| **t > selection.after && **t <= selection.until) {
                match value {
                    Value::Float(value) => {
                        times.push(*time);
                        values.push(*value);
                    }
                    Value::Histogram(histogram) => {
                        histogram_times.push(*time);
                        histograms.push(histogram.clone());
                    }
                }
            }
            if times.len() + histograms.len() > 0 {
                visit(SeriesRef {
                    labels,
                    times: &times,
                    values: &values,
                    histogram_times: &histogram_times,
                    histograms: &histograms,
                })?;
            }
        }
        Ok(())
    }
}
