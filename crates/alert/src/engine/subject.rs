//! What an alert is about: plans for its events, for a first look at them.

use plan::Plan;
use types::{GroupPattern, TimeRange, Timestamp};

use super::RuleEngine;
use super::views::id_of;
use crate::compile::compile;
use crate::evaluate::State;

/// Time before an alert that is looked at, at least.
const BEFORE_MIN: i64 = 30 * Timestamp::MINUTE;

/// What an alert is about.
#[derive(Clone, Debug)]
pub struct AlertSubject {
    /// Plans for its events, those closest to it first: of its label set, then all that its rule looks at. Where the rule looks at no
    /// events, or at numbers that say nothing of a single one, the last plan is for all events.
    pub plans: Vec<Plan>,
    /// The groups of these events; none means all.
    pub groups: Vec<GroupPattern>,
    /// From some time before it up to now.
    pub range: TimeRange,
    /// Whether its rule looks at events; then the first plan is for its own.
    pub is_of_events: bool,
    /// The rule's query, as it was written.
    pub query: String,
}

impl RuleEngine {
    /// Returns what an alert is about; `None` if there is none with this id, or its rule can no longer be read.
    pub(crate) fn subject_of(&self, id: &str, now: Timestamp) -> Option<AlertSubject> {
        let (rule, set, message) = {
            let inner = self.locked();
            inner.active.rules.iter().find_map(|rule| {
                let sets = &inner.kept.rules.get(&rule.name)?.sets;
                let (key, set) = sets.iter().find(|(key, set)| set.state != State::Ok && id_of(key) == id)?;
                let body = inner.kept.fired.get(key).map(|fired| &fired.body);
                let event = body.map(|body| if body["last"].is_null() { &body["events"][0] } else { &body["last"] });
                Some((rule.clone(), set.clone(), event.and_then(|event| Some(event["@message"].as_str()?.to_owned()))))
            })?
        };
        let mut compiled = compile(&rule, now).ok()?;
        if compiled.metric.is_some() {
            let of_series: Vec<String> = set.labels.keys().filter(|name| !rule.gives_label(name)).cloned().collect();
            compiled.take_series_labels(&of_series);
        }
        let plans = compiled.subjects(&rule, &set.labels, message.as_deref());
        // Samples have no cause to show; it is looked for where there are events.
        let is_of_events = compiled.series.is_none() && rule.kind.has_events();
        let groups = match is_of_events {
            true if compiled.sources.is_empty() => rule.groups.clone(),
            true => compiled.sources.clone(),
            false => Vec::new(),
        };
        let from = Timestamp(set.since.saturating_sub(rule.window_ns.max(BEFORE_MIN)));
        let range = TimeRange { from, to: Timestamp(now.0.saturating_add(1)) };
        Some(AlertSubject { plans, groups, range, is_of_events, query: rule.query.clone() })
    }
}

#[cfg(test)]
mod tests;
