//! `/api/v1/differs`: which values of which fields a selection of events has more or less often than a baseline.

use cause::{Baseline, Differences, FieldDifference, NumberDifference, ValueDifference, differences, everything};
use execute::{AnsweredPlan, EventSet, Stats};
use plan::{Earlier, earlier_range};
use serde_json::{Value, json};
use types::TimeRange;

use crate::ask::{Ask, Question};
use crate::json::rounded;
use crate::json_body::JsonBody;
use crate::state::Call;
use door::query_run::{complete, damages};
use door::{Outcome, Problem, QueryRun, Reply, RequestBody, Result, Scope, reason_json, stats_json};

/// Longest body.
pub(super) const BODY_BYTES_MAX: usize = 1 << 20;

/// Characters of an event's text that are shown; the event itself has the rest.
const TEXT_CHARS_MAX: usize = 2_000;

/// What a selection is compared with.
enum BaselineAsk {
    /// The time of equal length just before.
    Before,
    /// What else the range and the groups hold.
    Rest,
    /// Another query.
    Query(Box<Ask>),
}

pub(crate) fn post(Call { server, .. }: Call, body: RequestBody) -> Outcome {
    let (selection, baseline) = asks(body.bytes())?;
    let (text, now) = (selection.query.clone(), server.now());
    Ok(Reply::query(&server, &text, move |reading| {
        let selection = selection.check(now)?;
        let baseline = match baseline {
            BaselineAsk::Query(ask) => {
                let mut baseline = ask.check(now)?;
                // Where a baseline names no groups, those of the selection are meant.
                if baseline.scope.groups.is_empty() {
                    baseline.scope.groups.clone_from(&selection.scope.groups);
                }
                Some(baseline)
            }
            BaselineAsk::Before => Some(before(&selection)?),
            BaselineAsk::Rest => None,
        };
        Ok(Reply::json(&json_of(&answer(reading, &selection, baseline.as_ref())?)))
    }))
}

const BODY: JsonBody =
    JsonBody { noun: "comparison", example: r#"{"selection":{"query":"…","from":"now-1h"},"baseline":"rest"}"# };

/// Reads both sides of a comparison.
fn asks(body: &[u8]) -> Result<(Ask, BaselineAsk)> {
    let body: Value = serde_json::from_slice(body).map_err(|error| BODY.bad(error))?;
    let Value::Object(mut members) = body else { return Err(BODY.bad("it is no object")) };
    let (selection, baseline) = (members.remove("selection"), members.remove("baseline"));
    if let Some(name) = members.keys().next() {
        return Err(BODY.bad(format!("unknown member {name:?}; known: selection, baseline")));
    }
    let ask = |name: &str, value: Value| match value {
        Value::Object(_) => serde_json::from_value::<Ask>(value).map_err(|error| BODY.bad(format!("{name}: {error}"))),
        _ => Err(BODY.bad(format!("{name} is no object"))),
    };
    let selection = ask("selection", selection.ok_or_else(|| BODY.bad("selection is missing"))?)?;
    let baseline = match baseline {
        None => BaselineAsk::Before,
        Some(Value::String(name)) if name == "before" => BaselineAsk::Before,
        Some(Value::String(name)) if name == "rest" => BaselineAsk::Rest,
        Some(Value::String(name)) => {
            return Err(BODY.bad(format!("baseline {name:?} is neither \"before\", \"rest\" nor an object")));
        }
        Some(value) => BaselineAsk::Query(Box::new(ask("baseline", value)?)),
    };
    Ok((selection, baseline))
}

/// Returns the same question about the time of equal length before.
fn before(selection: &Question) -> Result<Question> {
    let range = earlier_range(Earlier::Preceding, selection.range, selection.scope.time_zone);
    let range = range.ok_or_else(|| {
        let message = "there is no time of equal length before the range";
        Problem::bad_request("bad-range", message).hint("give the selection a from")
    })?;
    let (plan, scope) = (selection.plan.clone(), selection.scope.clone());
    Ok(Question { text: String::new(), plan, scope, range, explain: false, snapshot: None })
}

/// Returns the smallest range with both of two.
fn both(a: TimeRange, b: TimeRange) -> TimeRange {
    TimeRange { from: a.from.min(b.from), to: a.to.max(b.to) }
}

fn answer(reading: &QueryRun<'_>, selection: &Question, baseline: Option<&Question>) -> Result<Differences> {
    let all = everything(&selection.plan);
    let (plan, scope, range) = baseline.map_or((&all, &selection.scope, selection.range), |baseline| {
        (&baseline.plan, &baseline.scope, baseline.range)
    });
    if selection.scope.groups != scope.groups {
        let message = "selection and baseline are about different groups";
        let problem = Problem::bad_request("bad-baseline", message);
        return Err(problem.hint("name the same groups in both, and tell the sides apart by filters on @log"));
    }
    let snapshot = reading.snapshot(&scope.groups, both(selection.range, range));
    let progress = |stats: &Stats| reading.note(stats);
    let request = |scope: &Scope, range| reading.request(range, scope, &progress);
    let (of_selection, of_baseline) = (request(&selection.scope, selection.range), request(scope, range));
    let answered = reading.answered(&selection.plan, &selection.scope.groups, &of_selection)?;
    let other: AnsweredPlan = reading.answered(plan, &scope.groups, &of_baseline)?;
    let (of_selection, of_baseline) = (answered.remaining(&of_selection), other.remaining(&of_baseline));
    let set = EventSet { plan: &other.plan, request: &of_baseline };
    let against = if baseline.is_some() { Baseline::Events(set) } else { Baseline::Rest(set) };
    let selected = EventSet { plan: &answered.plan, request: &of_selection };
    let mut found = differences(selected, against, &snapshot.runs)?;
    found.partial_reasons.extend(answered.partial_reasons.into_iter().chain(other.partial_reasons));
    complete(&mut found.stats, &snapshot);
    reading.server.note_damage(&found.partial_reasons);
    found.partial_reasons.extend(damages(&snapshot));
    Ok(found)
}

/// Returns the answer as JSON.
pub(super) fn json_of(found: &Differences) -> Value {
    let [n_selection, n_baseline] = found.n_events;
    json!({
        "selection": {"events": n_selection},
        "baseline": {"events": n_baseline},
        "fields": found.fields.iter().map(field).collect::<Vec<_>>(),
        "note": found.note,
        "approximate": found.approximate,
        "stats": stats_json(&found.stats),
        "partial": !found.partial_reasons.is_empty(),
        "partial_reasons": found.partial_reasons.iter().map(reason_json).collect::<Vec<_>>(),
    })
}

/// Returns a field whose values differ as JSON.
pub(super) fn field(field: &FieldDifference) -> Value {
    let event = field.event.as_ref().map(|event| {
        let text: String = event.text.chars().take(TEXT_CHARS_MAX).collect();
        json!({"id": &*event.id, "time": event.time.to_string(), "text": text})
    });
    json!({
        "field": &*field.field,
        "score": rounded(field.score),
        "values": field.values.iter().map(value).collect::<Vec<_>>(),
        "numbers": field.numbers.as_ref().map(numbers),
        "same_events": field.same_events.iter().map(|name| &**name).collect::<Vec<&str>>(),
        "query": field.query.as_ref().filter(|text| language::format_insights(text).is_ok()),
        "event": event,
    })
}

fn value(value: &ValueDifference) -> Value {
    let [n_selection, n_baseline] = value.n_events;
    json!({
        "value": value.value.as_ref().map(crate::json::value_json),
        "selection": n_selection,
        "selection_share": rounded(value.shares[0]),
        "baseline": n_baseline,
        "baseline_share": rounded(value.shares[1]),
        "lift": value.lift().map(rounded),
    })
}

fn numbers(numbers: &NumberDifference) -> Value {
    let NumberDifference { p50, p95, p99, threshold, shares_above } = numbers;
    json!({
        "selection_p50": p50[0], "baseline_p50": p50[1],
        "selection_p95": p95[0], "baseline_p95": p95[1],
        "selection_p99": p99[0], "baseline_p99": p99[1],
        "threshold": threshold,
        "selection_share_above": rounded(shares_above[0]), "baseline_share_above": rounded(shares_above[1]),
    })
}
