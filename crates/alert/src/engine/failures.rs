//! Alerts of one failure: they began within a minute of each other, and share a service, a trace, or what their lines say.

use std::collections::BTreeSet;

use plan::SERVICE_FIELDS;
use serde_json::Value as Json;
use types::Timestamp;

use super::AlertView;

/// Longest time between the beginnings of two alerts of one failure.
const TOGETHER_NS: i64 = Timestamp::MINUTE;

/// Most alerts that are compared with each other.
const ALERTS_MAX: usize = 500;

/// What an alert has in common with others of its failure.
struct Signs<'v> {
    /// When its condition first held, and when its events began, where that was found.
    times: [Option<Timestamp>; 2],
    services: BTreeSet<&'v str>,
    /// The last part of its group's name, which is often that of a service.
    place: Option<&'v str>,
    pattern: Option<&'v str>,
    traces: &'v [String],
}

/// Notes for each alert the first one of its failure.
pub(crate) fn note_failures(views: &mut [AlertView]) {
    let signs: Vec<Signs<'_>> = views.iter().take(ALERTS_MAX).map(Signs::of).collect();
    let mut firsts: Vec<usize> = (0..views.len()).collect();
    for (at, one) in signs.iter().enumerate() {
        for (other_at, other) in signs[..at].iter().enumerate() {
            if one.is_of_failure_of(other) {
                let (kept, replaced) = (firsts[other_at], firsts[at]);
                firsts.iter_mut().filter(|first| **first == replaced).for_each(|first| *first = kept);
            }
        }
    }
    let mut earliest: Vec<usize> = (0..views.len()).collect();
    let began = |at: usize| (&views[at].since, &views[at].id);
    for (at, group) in firsts.iter().enumerate() {
        if began(at) < began(earliest[*group]) {
            earliest[*group] = at;
        }
    }
    let ids: Vec<String> = firsts.iter().map(|group| views[earliest[*group]].id.clone()).collect();
    for (view, id) in views.iter_mut().zip(ids) {
        view.failure = id;
    }
}

impl<'v> Signs<'v> {
    fn of(view: &'v AlertView) -> Self {
        let time = |text: &str| Timestamp::parse_rfc3339(text);
        let log = view.labels.get("@log").map(String::as_str);
        let mut services: BTreeSet<&str> =
            SERVICE_FIELDS.iter().filter_map(|name| view.labels.get(*name)).map(String::as_str).collect();
        services.extend(log.and_then(|log| log.strip_prefix("traces/")));
        let counts = view
            .counts
            .as_ref()
            .filter(|counts| counts["field"].as_str().is_some_and(|field| SERVICE_FIELDS.contains(&field)));
        let values = counts.and_then(|counts| counts["values"].as_array()).into_iter().flatten();
        services.extend(values.filter_map(|value| value["value"].as_str()));
        Self {
            times: [time(&view.since), view.began.as_deref().and_then(time)],
            services,
            place: log.and_then(|log| log.rsplit('/').next()),
            pattern: view.pattern.as_ref().and_then(|pattern| pattern["text"].as_str()),
            traces: &view.traces,
        }
    }

    fn is_of_failure_of(&self, other: &Self) -> bool {
        let is_close = |(one, other): (&Option<Timestamp>, &Option<Timestamp>)| match (one, other) {
            (Some(one), Some(other)) => one.0.abs_diff(other.0) <= TOGETHER_NS.unsigned_abs(),
            _ => false,
        };
        let names =
            |place: Option<&str>, services: &BTreeSet<&str>| place.is_some_and(|place| services.contains(place));
        let is_one_service = !self.services.is_disjoint(&other.services)
            || names(self.place, &other.services)
            || names(other.place, &self.services);
        let is_one_text = self.pattern.is_some() && self.pattern == other.pattern;
        let is_one_trace = self.traces.iter().any(|trace| other.traces.contains(trace));
        self.times.iter().zip(&other.times).any(is_close) && (is_one_service || is_one_text || is_one_trace)
    }
}

/// Returns the ids of the traces that events belong to, each once.
pub(super) fn traces_of(events: &Json) -> Vec<String> {
    let ids = events.as_array().into_iter().flatten().filter_map(|event| event["trace_id"].as_str());
    ids.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests;
