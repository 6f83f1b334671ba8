//! Onsets as JSON.

use cause::{Concurrent, Onset, PatternOnset};
use serde_json::{Value, json};
use types::Timestamp;

use super::found::{FoundOnset, FoundPatterns};
use crate::json::rounded;
use door::reason_json;

/// Returns an onset as JSON, with the alerts in the order of time among what else began; `measure` is the name of what is
/// measured.
pub(crate) fn json_of(found: &FoundOnset, measure: &str, alerts: Vec<Value>) -> Value {
    let Onset { began, began_between, ended, ended_between, uncertainty_ns, before, after, note, .. } = &found.onset;
    let of_began = |value: f64| began.map(|_| rounded(value));
    let per_minute = |value: f64| of_began(value).filter(|_| measure == "count");
    json!({
        "measure": measure,
        "began": began.map(|at| at.to_string()),
        "began_between": between(began_between.as_ref()),
        "ended": ended.map(|at| at.to_string()),
        "ended_between": between(ended_between.as_ref()),
        "uncertainty_ms": of_began(*uncertainty_ns as f64 / 1e6),
        "before": of_began(*before),
        "after": of_began(*after),
        "before_per_minute": per_minute(*before),
        "after_per_minute": per_minute(*after),
        "note": note,
        "also": on_axis(&found.also, alerts),
        "partial": !found.partial_reasons.is_empty(),
        "partial_reasons": found.partial_reasons.iter().map(reason_json).collect::<Vec<_>>(),
    })
}

/// Returns the onsets of patterns as JSON, with what else there is on their axis of time.
pub(super) fn json_of_patterns(found: &FoundPatterns, alerts: Vec<Value>) -> Value {
    json!({
        "measure": "patterns",
        "patterns": found.onsets.patterns.iter().map(pattern).collect::<Vec<_>>(),
        "n_patterns": found.onsets.n_patterns,
        "from": found.onsets.range.map(|range| range.from.to_string()),
        "to": found.onsets.range.map(|range| range.to.to_string()),
        "note": found.onsets.note,
        "also": on_axis(&found.also, alerts),
        "partial": !found.partial_reasons.is_empty(),
        "partial_reasons": found.partial_reasons.iter().map(reason_json).collect::<Vec<_>>(),
    })
}

fn pattern(onset: &PatternOnset) -> Value {
    let query = onset.condition.as_ref().map(|condition| format!("filter {condition}"));
    json!({
        "pattern": onset.pattern,
        "id": onset.id,
        "query": query.filter(|text| language::format_insights(text).is_ok()),
        "events": onset.n_events,
        "began": onset.began.to_string(),
        "began_between": between(Some(&onset.began_between)),
        "ended": onset.ended.map(|at| at.to_string()),
        "ended_between": between(onset.ended_between.as_ref()),
        "before_per_minute": rounded(onset.before_per_minute),
        "after_per_minute": rounded(onset.after_per_minute),
    })
}

fn between(ends: Option<&[Timestamp; 2]>) -> Option<[String; 2]> {
    ends.map(|ends| ends.map(|end| end.to_string()))
}

/// Returns what else began, and alerts, in order of time.
fn on_axis(also: &[Concurrent], alerts: Vec<Value>) -> Vec<Value> {
    let also = also.iter().map(|one| {
        json!({
            "kind": one.kind.name(), "at": one.at.to_string(), "what": one.what,
            "query": one.query.as_ref().filter(|text| language::format_insights(text).is_ok()),
        })
    });
    let mut also: Vec<Value> = also.chain(alerts).collect();
    also.sort_by_key(|one| one["at"].as_str().and_then(Timestamp::parse_rfc3339));
    also
}
