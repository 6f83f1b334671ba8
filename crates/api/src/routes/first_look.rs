//! `/api/v1/first-look`: what an alert, or a query, has to do with, best first.

use std::time::{Duration, Instant};

use alert::AlertSubject;
use cause::{Finding, FirstLook, RedCall, Usual, first_look, mark_groups, onset_history, onset_reach};
use execute::{EventSet, Request, Stats};
use plan::Plan;
use serde_json::{Value, json};
use types::TimeRange;

use super::alerts::visible;
use super::onset::{FoundOnset, alerts, json_of, near};
use crate::ask::{Ask, Question};
use crate::json::rounded;
use crate::json_body::JsonBody;
use crate::state::{Api, Call};
use door::query_run::damages;
use door::{Outcome, Problem, QueryRun, Reply, RequestBody, Result, Scope, Shared, reason_json};

/// Longest body.
pub(super) const BODY_BYTES_MAX: usize = 1 << 20;

/// Time that a first look may take; what is found by then is shown.
const TIME_MAX: Duration = Duration::from_secs(5);

const BODY: JsonBody = JsonBody { noun: "first look", example: r#"{"alert":"ID"} or {"query":"…","from":"now-1h"}"# };

/// What is looked at.
struct Look {
    question: Question,
    /// What else is looked at, one after another, where nothing began with the question's plan.
    further: Vec<Plan>,
    /// The address of the alert's events.
    url: Option<String>,
}

pub(crate) fn post(Call { server, .. }: Call, body: RequestBody) -> Outcome {
    let started = Instant::now();
    let Look { question, further, url } = asked(&server, body.bytes())?;
    let (api, text) = (server.state.clone(), question.text.clone());
    Ok(Reply::query(&server, &text, move |reading| {
        let found = look(reading, &api, &question, &further)?;
        let began = found.onset.began;
        let alerts = began.map(|began| alerts(reading.server, near(began), &question.scope.groups)).unwrap_or_default();
        let mut answer = answer(&found, alerts, url.as_deref());
        answer["elapsed_ms"] = json!(started.elapsed().as_secs_f64() * 1e3);
        Ok(Reply::json(&answer))
    }))
}

/// Reads what is asked about: an alert, or a query with its range.
fn asked(server: &Shared, body: &[u8]) -> Result<Look> {
    let parsed: Value = serde_json::from_slice(body).map_err(|error| BODY.bad(error))?;
    let Some(id) = parsed.get("alert") else {
        let question = Ask::of_json(body, server.now())?.check(server.now())?;
        return Ok(Look { question, further: Vec::new(), url: None });
    };
    let is_alone = parsed.as_object().is_some_and(|members| members.len() == 1);
    let Some(id) = id.as_str().filter(|_| is_alone) else { return Err(BODY.bad("alert is an id, and comes alone")) };
    let unknown = || Problem::not_found(format!("there is no alert {id:?}")).hint("ids are those of /api/v1/alerts");
    let alert = visible(server).into_iter().find(|alert| alert.id == id).ok_or_else(unknown)?;
    let AlertSubject { plans, groups, range, query, .. } = server.app.alerts.subject_of(id).ok_or_else(unknown)?;
    let mut plans = plans.into_iter();
    let plan = plans.next().ok_or_else(unknown)?;
    let scope = Scope { groups, limit: None, time_zone: chrono_tz::UTC, now: server.now() };
    let question = Question { text: query, plan, scope, range, explain: false, snapshot: None };
    Ok(Look { question, further: plans.collect(), url: Some(alert.url) })
}

/// Tries the plans in order until one shows an onset. Where none does, returns what the first one shows.
fn look(reading: &QueryRun<'_>, api: &Api, question: &Question, further: &[Plan]) -> Result<FirstLook> {
    let deadline = Instant::now().checked_add(TIME_MAX);
    let first = look_at(reading, api, question, &question.plan, deadline)?;
    if first.onset.began.is_some() {
        return Ok(first);
    }
    for plan in further {
        let found = look_at(reading, api, question, plan, deadline)?;
        if found.onset.began.is_some() {
            return Ok(found);
        }
    }
    Ok(first)
}

fn look_at(
    reading: &QueryRun<'_>,
    api: &Api,
    question: &Question,
    plan: &Plan,
    deadline: Option<Instant>,
) -> Result<FirstLook> {
    let (scope, range) = (&question.scope, question.range);
    let mut groups = scope.groups.clone();
    if !groups.is_empty() {
        groups.extend(mark_groups());
    }
    let snapshot = reading.snapshot(&groups, onset_history(onset_reach(range, scope.now)));
    let progress = |stats: &Stats| reading.note(stats);
    let request = reading.request(range, scope, &progress);
    let answered = reading.answered(plan, &scope.groups, &request)?;
    let remaining = answered.remaining(&request);
    let request = Request { deadline: remaining.deadline.min(deadline), ..remaining };
    let calls = |ranges: [TimeRange; 2]| (api.families.calls)(reading, ranges, &scope.groups);
    let mut found = first_look(EventSet { plan: &answered.plan, request: &request }, &snapshot.runs, Some(&calls))?;
    found.partial_reasons.extend(answered.partial_reasons);
    reading.server.note_damage(&found.partial_reasons);
    found.partial_reasons.extend(damages(&snapshot));
    Ok(found)
}

fn answer(found: &FirstLook, alerts: Vec<Value>, url: Option<&str>) -> Value {
    let onset = FoundOnset {
        onset: found.onset.clone(),
        also: found.also.clone(),
        partial_reasons: found.onset.partial_reasons.clone(),
    };
    let onset = json_of(&onset, "count", alerts);
    let patterns = onset["also"].as_array().into_iter().flatten().filter(|one| one["kind"] == "pattern");
    let patterns: Vec<Value> =
        patterns.map(|one| json!({"at": one["at"], "what": one["what"], "query": one["query"]})).collect();
    json!({
        "findings": found.findings.iter().map(|one| finding(one, url)).collect::<Vec<_>>(),
        "signal": found.signal.as_ref().filter(|text| language::format_insights(text).is_ok()),
        "onset": onset,
        "differs": found.differs.as_ref().map(super::differs::json_of),
        "patterns": patterns,
        "calls": found.calls.iter().map(call).collect::<Vec<_>>(),
        "usual": found.usual.as_ref().map(usual),
        "partial": !found.partial_reasons.is_empty(),
        "partial_reasons": found.partial_reasons.iter().map(reason_json).collect::<Vec<_>>(),
    })
}

/// Returns calls that became red as JSON.
fn call(call: &RedCall) -> Value {
    json!({
        "from": call.from, "to": call.to, "failing": call.is_failing, "slower": call.is_slower, "last": call.is_last,
        "requests": call.n_calls[0], "before_requests": call.n_calls[1],
        "error_share": rounded(call.error_shares[0]), "before_error_share": rounded(call.error_shares[1]),
        "p95_ms": call.p95_ms[0], "before_p95_ms": call.p95_ms[1], "query": call.query,
    })
}

/// Returns what is usual at this hour as JSON.
fn usual(usual: &Usual) -> Value {
    let [least, most] = usual.ends();
    let day = |(range, per_minute): &(TimeRange, f64)| json!({"from": range.from.to_string(), "to": range.to.to_string(), "per_minute": rounded(*per_minute)});
    json!({
        "per_minute": rounded(usual.per_minute), "median_per_minute": rounded(usual.median()),
        "least_per_minute": rounded(least), "most_per_minute": rounded(most),
        "days": usual.days.iter().map(day).collect::<Vec<_>>(),
    })
}

fn finding(finding: &Finding, url: Option<&str>) -> Value {
    json!({
        "kind": finding.kind.name(), "title": finding.title, "at": finding.at.map(|at| at.to_string()),
        "query": finding.query.as_ref().filter(|text| language::format_insights(text).is_ok()),
        "url": url, "score": rounded(finding.score),
    })
}
