//! `/api/v1/onset`: when something began and ended, how it was before and since, and what else began then: the number of some
//! events, their share, a percentile, or each pattern of a scope.

mod found;
mod measured;
mod shown;

use std::sync::Arc;

use cause::{Measure, axis, concurrent, mark_groups, mark_reach, onset, onset_history, onset_reach, pattern_onsets};
use execute::{EventSet, ExecuteError, PartialReason, Stats};
use serde_json::{Value, json};
use types::{GroupPattern, Run, TimeRange, Timestamp};

use self::found::FoundPatterns;
use self::measured::{Of, OnsetQuestion};
use self::shown::json_of_patterns;
use crate::ask::Question;
use crate::routes::alerts::visible;
use crate::state::Call;
use door::query_run::damages;
use door::{Outcome, QueryRun, Reply, RequestBody, Result, Shared};

pub(super) use self::found::FoundOnset;
pub(super) use self::shown::json_of;

/// Longest body.
pub(super) const BODY_BYTES_MAX: usize = 1 << 20;

/// Time before and after an onset in which an alert counts as one that began with it.
const BEFORE: i64 = 15 * Timestamp::MINUTE;
const AFTER: i64 = 15 * Timestamp::MINUTE;

pub(crate) fn post(Call { server, .. }: Call, body: RequestBody) -> Outcome {
    let asked = OnsetQuestion::of_json(body.bytes(), server.now())?;
    let (text, now) = (asked.query().to_owned(), server.now());
    Ok(Reply::query(&server, &text, move |reading| {
        let (question, of) = asked.check(now)?;
        let groups = &question.scope.groups;
        Ok(Reply::json(&match of {
            Of::Patterns => {
                let found = find_patterns(reading, &question)?;
                let range = found.onsets.range;
                json_of_patterns(&found, range.map(|range| alerts(reading.server, range, groups)).unwrap_or_default())
            }
            Of::Measure(measure, name) => {
                let found = find_measured(reading, &question, &measure)?;
                let began = found.onset.began;
                json_of(
                    &found,
                    &name,
                    began.map(|began| alerts(reading.server, near(began), groups)).unwrap_or_default(),
                )
            }
        }))
    }))
}

/// Returns the range whose events and marks tell when something began and what began with it.
fn wide(range: TimeRange, now: Timestamp) -> TimeRange {
    let wide = onset_history(onset_reach(range, now));
    TimeRange { from: wide.from.min(mark_reach(range).from), to: wide.to.max(range.to) }
}

/// Finds the onset of the events that a question selects.
pub(crate) fn find(reading: &QueryRun<'_>, question: &Question) -> Result<FoundOnset> {
    find_measured(reading, question, &Measure::Count)
}

fn find_measured(reading: &QueryRun<'_>, question: &Question, measure: &Measure) -> Result<FoundOnset> {
    let looked = |set: EventSet<'_>, all: &[_], runs: &[_]| {
        let onset = onset(set, measure, runs)?;
        let (also, reasons) =
            onset.began.map_or_else(|| Ok(Default::default()), |began| concurrent(set, all, began))?;
        let partial_reasons = [onset.partial_reasons.clone(), reasons].concat();
        Ok(((onset, also), partial_reasons))
    };
    let ((onset, also), partial_reasons) = look(reading, question, looked)?;
    Ok(FoundOnset { onset, also, partial_reasons })
}

/// Finds the onsets of all patterns of the events that a question selects.
fn find_patterns(reading: &QueryRun<'_>, question: &Question) -> Result<FoundPatterns> {
    let looked = |set: EventSet<'_>, all: &[_], runs: &[_]| {
        let onsets = pattern_onsets(set, runs)?;
        let (also, reasons) = onsets.range.map_or_else(|| Ok(Default::default()), |range| axis(set, all, range))?;
        let partial_reasons = [onsets.partial_reasons.clone(), reasons].concat();
        Ok(((onsets, also), partial_reasons))
    };
    let ((onsets, also), partial_reasons) = look(reading, question, looked)?;
    Ok(FoundPatterns { onsets, also, partial_reasons })
}

/// Looks at the events of a question: the set, the runs of its groups and those of marks, and those of its groups alone.
fn look<T>(
    reading: &QueryRun<'_>,
    question: &Question,
    look: impl FnOnce(EventSet<'_>, &[Arc<dyn Run>], &[Arc<dyn Run>]) -> Result<(T, Vec<PartialReason>), ExecuteError>,
) -> Result<(T, Vec<PartialReason>)> {
    let (scope, range) = (&question.scope, question.range);
    let groups = match scope.groups.is_empty() {
        true => Vec::new(),
        false => scope.groups.iter().cloned().chain(mark_groups()).collect(),
    };
    let snapshot = reading.snapshot(&groups, wide(range, scope.now));
    let is_own = |run: &&Arc<dyn Run>| {
        let name = run.info().group.as_str();
        scope.groups.is_empty() || types::GroupPattern::any_matches(&scope.groups, name)
    };
    let runs: Vec<Arc<dyn Run>> = snapshot.runs.iter().filter(is_own).cloned().collect();
    let progress = |stats: &Stats| reading.note(stats);
    let request = reading.request(range, scope, &progress);
    let answered = reading.answered(&question.plan, &scope.groups, &request)?;
    let remaining = answered.remaining(&request);
    let set = EventSet { plan: &answered.plan, request: &remaining };
    let (found, mut partial_reasons) = look(set, &snapshot.runs, &runs)?;
    partial_reasons.extend(answered.partial_reasons);
    reading.server.note_damage(&partial_reasons);
    partial_reasons.extend(damages(&snapshot));
    let mut known: Vec<PartialReason> = Vec::new();
    for reason in partial_reasons {
        if !known.contains(&reason) {
            known.push(reason);
        }
    }
    Ok((found, known))
}

/// Returns the alerts about some groups, all where these are none, that began in a range, as the answer names them.
pub(super) fn alerts(server: &Shared, range: TimeRange, groups: &[GroupPattern]) -> Vec<Value> {
    let alert = |alert: alert::AlertView| {
        let since = Timestamp::parse_rfc3339(&alert.since)?;
        let summary = alert.annotations.get("summary").map(|text| format!(": {text}")).unwrap_or_default();
        let what = format!("{}{summary}", alert.rule);
        (range.contains(since) && alert.state == "alarm")
            .then(|| json!({"kind": "alert", "at": alert.since, "what": what, "query": null, "url": alert.url}))
    };
    let is_about =
        |alert: &alert::AlertView| alert.labels.get("@log").is_none_or(|name| GroupPattern::any_matches(groups, name));
    visible(server).into_iter().filter(is_about).filter_map(alert).collect()
}

/// Returns the time around an onset in which what began may have to do with it.
pub(super) fn near(began: Timestamp) -> TimeRange {
    TimeRange { from: Timestamp(began.0.saturating_sub(BEFORE)), to: Timestamp(began.0.saturating_add(AFTER)) }
}
