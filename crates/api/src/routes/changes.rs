//! `/api/v1/changes`: what changed against an earlier time, and what began anew.

use cause::{Baseline, Differences, field_differences};
use execute::{Change, Changes, Event, EventSet, Origin, Request, Restart};
use plan::Earlier;
use serde_json::{Value, json};
use types::{Level, TimeRange};

use super::patterns::earlier;
use crate::ask::{Ask, PARAMETERS};
use crate::state::Call;
use door::query_run::{complete, damages};
use door::{Outcome, Reply, reason_json, stats_json};

/// Patterns where the request does not say how many, and at most: a person reads no more of them.
const CHANGES_DEFAULT: usize = 50;
const CHANGES_MAX: usize = 500;

/// Fields whose values changed that are shown.
const FIELDS_MAX: usize = 10;

/// Characters of an event's text that are shown; the event itself has the rest.
const TEXT_CHARS_MAX: usize = 2_000;

pub(crate) fn get(Call { server, parameters, .. }: Call) -> Outcome {
    parameters.check_names(&[&PARAMETERS[..], &["baseline"]].concat())?;
    let baseline = parameters.get("baseline").filter(|baseline| !baseline.is_empty()).map(earlier).transpose()?;
    let earlier = baseline.unwrap_or(Earlier::Preceding);
    let ask = Ask::of_parameters(&parameters)?;
    let n_changes = ask.limit.unwrap_or(CHANGES_DEFAULT).clamp(1, CHANGES_MAX);
    let (text, now) = (ask.query.clone(), server.now());
    Ok(Reply::query(&server, &text, move |reading| {
        let question = ask.check(now)?;
        let (scope, range) = (&question.scope, question.range);
        let reach = execute::patterns_plan(&question.plan, Some(earlier), 1, 1).reach(range, scope.time_zone);
        let snapshot = reading.snapshot(&scope.groups, reach);
        let progress = |stats: &execute::Stats| reading.note(stats);
        let request = reading.request(range, scope, &progress);
        let answered = reading.answered(&question.plan, &scope.groups, &request)?;
        let remaining = answered.remaining(&request);
        let mut found = execute::changes(&answered.plan, &snapshot.runs, &remaining, earlier, n_changes)?;
        found.partial_reasons.extend(answered.partial_reasons.iter().cloned());
        let differs = found.baseline.map(|before| {
            let now = EventSet { plan: &answered.plan, request: &remaining };
            let earlier = Request { range: before, ..remaining };
            field_differences(
                now,
                Baseline::Events(EventSet { plan: &answered.plan, request: &earlier }),
                &snapshot.runs,
            )
        });
        let differs = differs.transpose()?.unwrap_or_default();
        found.partial_reasons.extend(differs.partial_reasons.iter().cloned());
        found.partial_reasons.dedup();
        complete(&mut found.stats, &snapshot);
        reading.server.note_damage(&found.partial_reasons);
        found.partial_reasons.extend(damages(&snapshot));
        Ok(Reply::json(&answer(range, &found, &differs)))
    }))
}

fn answer(range: TimeRange, found: &Changes, differs: &Differences) -> Value {
    let fields = differs.fields.iter().take(FIELDS_MAX);
    let [n_events, n_events_before] = found.n_events;
    json!({
        "range": range_json(range, n_events),
        "baseline": found.baseline.map(|range| range_json(range, n_events_before)),
        "changes": found.changes.iter().map(change).collect::<Vec<_>>(),
        "more": found.more,
        "once": found.n_left_out,
        "fields": fields.map(super::differs::field).collect::<Vec<_>>(),
        "restarts": found.restarts.iter().map(restart).collect::<Vec<_>>(),
        "more_restarts": found.more_restarts,
        "stats": stats_json(&found.stats),
        "partial": !found.partial_reasons.is_empty(),
        "partial_reasons": found.partial_reasons.iter().map(reason_json).collect::<Vec<_>>(),
    })
}

/// Returns a range with its last instant, as requests give it.
fn range_json(range: TimeRange, n_events: u64) -> Value {
    let to = types::Timestamp(range.to.0.saturating_sub(1).max(range.from.0));
    json!({"from": range.from.to_string(), "to": to.to_string(), "events": n_events})
}

fn change(change: &Change) -> Value {
    let [count, previous] = change.n_events;
    let counts = change.counts.iter().map(|(start, count)| json!([start.to_string(), count]));
    json!({
        "id": change.id,
        "pattern": change.pattern,
        "change": change.description.split(' ').next(),
        "description": change.description,
        "count": count,
        "previous": previous,
        "ratio": (previous > 0).then(|| count as f64 / previous as f64),
        "level": change.level.map(Level::name),
        "services": change.services.iter().map(origin).collect::<Vec<_>>(),
        "hosts": change.hosts.iter().map(origin).collect::<Vec<_>>(),
        "first": change.first.as_ref().map(event),
        "last": change.last.map(|last| last.to_string()),
        "counts": counts.collect::<Vec<_>>(),
        "condition": change.condition,
        "exact": change.is_exact,
        "query": change.query.as_ref().filter(|text| language::format_insights(text).is_ok()),
    })
}

fn origin(origin: &Origin) -> Value {
    let [count, previous] = origin.n_events;
    json!({"field": origin.field, "name": &*origin.name, "count": count, "previous": previous})
}

fn event(event: &Event) -> Value {
    let text: String = event.text.chars().take(TEXT_CHARS_MAX).collect();
    json!({"id": &*event.id, "time": event.time.to_string(), "text": text})
}

fn restart(restart: &Restart) -> Value {
    let named = |named: &Option<(&'static str, std::sync::Arc<str>)>| {
        named.as_ref().map(|(field, name)| json!({"field": field, "name": &**name}))
    };
    json!({
        "kind": restart.kind.name(),
        "name": &*restart.name,
        "service": named(&restart.service),
        "host": named(&restart.host),
        "group": &*restart.group,
        "first": event(&restart.first),
        "events": restart.n_events,
    })
}
