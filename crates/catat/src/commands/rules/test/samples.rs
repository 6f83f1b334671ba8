//! Series that a test of rules has, as samples.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use ingest::sample::{SeriesLabels, text_of_number};
use serde::Deserialize;
use types::{BatchRun, GroupName, Limits, Run, SampleBuilder, Timestamp, ensure, parse_duration_ns};

/// Most events of a test.
pub(super) const EVENTS_MAX: usize = 1_000_000;

/// Time between values where a test does not say it, as in Prometheus.
const INTERVAL_NS_DEFAULT: i64 = Timestamp::MINUTE;

/// A series and its values.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InputSeries {
    series: String,
    values: String,
}

/// Returns the samples of all series, the first of each at `start`.
pub(super) fn runs_of(
    series: &[InputSeries],
    interval: Option<&str>,
    start: Timestamp,
) -> Result<Vec<Arc<dyn Run>>, String> {
    let step_ns = match interval {
        Some(text) => duration(text).map_err(|error| format!("interval: {error}"))?,
        None => INTERVAL_NS_DEFAULT,
    };
    ensure!(step_ns >= Timestamp::MILLISECOND, "interval: at least 1ms".to_owned());
    let (mut groups, mut n_samples): (BTreeMap<GroupName, SampleBuilder>, usize) = (BTreeMap::new(), 0);
    for one in series {
        let wrong = |problem: String| format!("input_series {:?}: {problem}", one.series);
        let (labels, values) = promql::series_values(&one.series, &one.values).map_err(wrong)?;
        let pairs = labels.iter().map(|label| (Cow::Borrowed(&*label.name), Cow::Borrowed(&*label.value)));
        let labels = SeriesLabels::new(pairs, &Limits::default()).map_err(wrong)?;
        let series = labels.to_series().series;
        let samples = groups.entry(labels.group().clone()).or_default();
        for (step, value) in values.into_iter().enumerate() {
            let Some(value) = value else { continue };
            let time = Timestamp(start.0.saturating_add(step_ns.saturating_mul(step as i64)));
            match value {
                promql::Value::Float(number) if number.is_finite() => samples.push(&series, time, number),
                promql::Value::Float(number) => samples.push_text(&series, time, text_of_number(number)),
                promql::Value::Histogram(histogram) => samples.push_histogram(&series, time, &histogram.to_text()),
            };
            n_samples += 1;
            ensure!(n_samples <= EVENTS_MAX, format!("more than {EVENTS_MAX} samples"));
        }
    }
    let groups = groups.into_iter().filter(|(_, samples)| !samples.is_empty());
    let run = |(number, (group, samples)): (u32, (GroupName, SampleBuilder))| -> Arc<dyn Run> {
        Arc::new(BatchRun::new(group, number, Arc::new(samples.finish())))
    };
    // Groups of events are numbered from 1 on.
    Ok((1_000_000..).zip(groups).map(run).collect())
}

/// Returns the nanoseconds of a duration such as `5m`.
pub(super) fn duration(text: &str) -> Result<i64, String> {
    parse_duration_ns(text).map_err(|error| error.to_string())
}
