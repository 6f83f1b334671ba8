//! `/api/v1/onset`: when something began and ended, how often it came before and since, and what else began then.

use axum::Json;
use axum::body::Body;
use cause::{Concurrent, Onset, concurrent, mark_groups, mark_reach, onset, onset_history, onset_reach};
use execute::{EventSet, PartialReason, Stats};
use serde_json::{Value, json};
use types::{TimeRange, Timestamp};

use crate::ask::{Ask, Question};
use crate::routes::alerts::visible;
use door::answer::reason_json;
use door::problem::Problem;
use door::query_run::{QueryRun, damages, read};
use door::server::Shared;

/// Longest body.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Time before and after an onset in which an alert counts as one that began with it.
const BEFORE: i64 = 15 * Timestamp::MINUTE;
const AFTER: i64 = 15 * Timestamp::MINUTE;

/// An onset, and what began with it.
pub(crate) struct FoundOnset {
    pub(crate) onset: Onset,
    pub(super) also: Vec<Concurrent>,
    pub(super) partial_reasons: Vec<PartialReason>,
}

pub(crate) async fn post(server: Shared, body: Body) -> Result<Json<Value>, Problem> {
    let received = server.bodies.read(body, BODY_BYTES_MAX).await?;
    let ask = Ask::of_json(received.bytes(), server.now())?;
    let (text, now) = (ask.query.clone(), server.now());
    let found = read(&server, &text, move |reading| {
        let question = ask.check(now)?;
        find(reading, &question)
    })
    .await?;
    let alerts = found.onset.began.map(|began| alerts(&server, began)).unwrap_or_default();
    Ok(Json(json_of(&found, alerts)))
}

/// Returns the range whose events and marks tell when something began and what began with it.
fn wide(range: TimeRange, now: Timestamp) -> TimeRange {
    let wide = onset_history(onset_reach(range, now));
    TimeRange { from: wide.from.min(mark_reach(range).from), to: wide.to.max(range.to) }
}

/// Finds the onset of what a question selects.
pub(crate) fn find(reading: &QueryRun<'_>, question: &Question) -> Result<FoundOnset, Problem> {
    let (scope, range) = (&question.scope, question.range);
    let groups = match scope.groups.is_empty() {
        true => Vec::new(),
        false => scope.groups.iter().cloned().chain(mark_groups()).collect(),
    };
    let snapshot = reading.snapshot(&groups, wide(range, scope.now));
    let runs: Vec<_> = (snapshot.runs.iter())
        .filter(|run| {
            let name = run.info().group.as_str();
            scope.groups.is_empty() || types::GroupPattern::any_matches(&scope.groups, name)
        })
        .cloned()
        .collect();
    let progress = |stats: &Stats| reading.note(stats);
    let request = reading.request(range, scope, &progress);
    let answered = reading.answered(&question.plan, &scope.groups, &request)?;
    let remaining = answered.remaining(&request);
    let set = EventSet { plan: &answered.plan, request: &remaining };
    let onset = onset(set, &runs)?;
    let mut partial_reasons = onset.partial_reasons.clone();
    let mut also = Vec::new();
    if let Some(began) = onset.began {
        let (found, reasons) = concurrent(set, &snapshot.runs, began)?;
        also = found;
        partial_reasons.extend(reasons);
    }
    partial_reasons.extend(answered.partial_reasons);
    reading.server.note_damage(&partial_reasons);
    partial_reasons.extend(damages(&snapshot));
    partial_reasons.dedup();
    Ok(FoundOnset { onset, also, partial_reasons })
}

/// Returns the alerts that began about when something else did, as the answer names them.
pub(super) fn alerts(server: &Shared, began: Timestamp) -> Vec<Value> {
    let alert = |alert: alert::AlertView| {
        let since = Timestamp::parse_rfc3339(&alert.since)?;
        let is_near = since.0 >= began.0.saturating_sub(BEFORE) && since.0 <= began.0.saturating_add(AFTER);
        let summary = alert.annotations.get("summary").map(|text| format!(": {text}")).unwrap_or_default();
        let what = format!("{}{summary}", alert.rule);
        (is_near && alert.state == "alarm")
            .then(|| json!({"kind": "alert", "at": alert.since, "what": what, "query": null, "url": alert.url}))
    };
    visible(server).into_iter().filter_map(alert).collect()
}

/// Returns the answer as JSON, with the alerts in the order of time among the rest.
pub(super) fn json_of(found: &FoundOnset, alerts: Vec<Value>) -> Value {
    let also = found.also.iter().map(|one| {
        json!({
            "kind": one.kind.name(), "at": one.at.to_string(), "what": one.what,
            "query": one.query.as_ref().filter(|text| language::format_insights(text).is_ok()),
        })
    });
    let mut also: Vec<Value> = also.chain(alerts).collect();
    also.sort_by_key(|one| one["at"].as_str().and_then(Timestamp::parse_rfc3339));
    let Onset { began, ended, uncertainty_ns, before_per_minute, after_per_minute, .. } = &found.onset;
    let of_began = |value: f64| began.map(|_| crate::json::rounded(value));
    json!({
        "began": began.map(|at| at.to_string()),
        "ended": ended.map(|at| at.to_string()),
        "uncertainty_ms": of_began(*uncertainty_ns as f64 / 1e6),
        "before_per_minute": of_began(*before_per_minute),
        "after_per_minute": of_began(*after_per_minute),
        "also": also,
        "partial": !found.partial_reasons.is_empty(),
        "partial_reasons": found.partial_reasons.iter().map(reason_json).collect::<Vec<_>>(),
    })
}
