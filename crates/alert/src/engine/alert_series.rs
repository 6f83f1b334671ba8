//! The series `ALERTS` and `ALERTS_FOR_STATE` that Prometheus keeps of alerts, for rules in Prometheus' form.

use std::collections::BTreeSet;

use promql::{Labels, METRIC_NAME, STALE, Value};
use series::RecordedSample;
use types::Timestamp;

use crate::detectors::series::instant_of;
use crate::evaluate::{SetState, Sets, State};
use crate::{Rule, labels};

/// Returns the samples of an evaluation: of all alerts that are pending or fire, and stale markers of those that were.
pub(super) fn samples(rule: &Rule, before: &Sets, after: &Sets, now: Timestamp) -> Vec<RecordedSample> {
    let time = instant_of(rule, now);
    let ended = BTreeSet::from_iter(before.values().flat_map(series_of).map(|(labels, _)| labels));
    let active: Vec<(Labels, f64)> = after.values().flat_map(series_of).collect();
    let still: BTreeSet<&Labels> = active.iter().map(|(labels, _)| labels).collect();
    let ends = ended.iter().filter(|labels| !still.contains(labels));
    let ends = ends.map(|labels| (labels.clone(), f64::from_bits(STALE)));
    let all: Vec<(Labels, f64)> = ends.chain(active.iter().cloned()).collect();
    let sample = |(labels, value)| RecordedSample { labels, time, value: Value::Float(value) };
    all.into_iter().map(sample).collect()
}

/// Returns the series of an alert with their values.
fn series_of(set: &SetState) -> Vec<(Labels, f64)> {
    let state = match set.state {
        State::Pending => "pending",
        State::Alarm => "firing",
        State::Ok | State::InsufficientData => return Vec::new(),
    };
    let since = set.active_since() / Timestamp::SECOND;
    vec![
        (named(&set.labels, "ALERTS", &[("alertstate", state)]), 1.0),
        (named(&set.labels, "ALERTS_FOR_STATE", &[]), since as f64),
    ]
}

fn named(own: &labels::Labels, name: &str, more: &[(&str, &str)]) -> Labels {
    let own = own.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Labels::new(own.chain([(METRIC_NAME, name)]).chain(more.iter().copied()))
}
