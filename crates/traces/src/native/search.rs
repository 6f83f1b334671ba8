//! `/api/v1/traces/search`: traces that have a span with some properties.

use chrono_tz::Tz;
use language::ParseOptions;
use plan::Operator;
use serde::Deserialize;
use serde_json::{Map, Value as Json_, json};
use types::{GroupPattern, Timestamp, Value, ensure};

use door::{Outcome, Problem, Reply, Result, Shared, reason_json, stats_json};

use crate::read::query;
use crate::search::{TRACES_DEFAULT, TRACES_MAX, TraceOrder, TraceSearch, TraceSummary, summaries};
use crate::span::{SpanKind, milliseconds, nanoseconds};
use crate::state::Call;
use crate::{candidates, times};

/// Limit on the bytes of a request.
pub(super) const BODY_BYTES_MAX: usize = 1 << 20;

/// A request, as it was sent.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SearchRequest {
    service: Option<String>,
    name: Option<String>,
    kind: Option<String>,
    query: Option<String>,
    attributes: Map<String, Json_>,
    min_duration_ms: Option<f64>,
    max_duration_ms: Option<f64>,
    errors: bool,
    from: Option<Json_>,
    to: Option<Json_>,
    groups: Vec<String>,
    limit: Option<usize>,
    order: Option<String>,
}

pub(crate) fn post(Call { server, .. }: Call) -> Outcome {
    Ok(Reply::body(BODY_BYTES_MAX, move |body| answer(&server, body.bytes())))
}

fn answer(server: &Shared, body: &[u8]) -> Outcome {
    let search = search(body, server.now())?;
    query(server, &format!("search traces {}", String::from_utf8_lossy(body)), move |run, reading| {
        let ids = candidates::first(&search, run, reading)?;
        let traces = summaries(run, &ids, search.range, &search.groups, reading)?;
        Ok(Reply::json(&json!({
            "traces": traces.iter().map(summary_json).collect::<Vec<_>>(),
            "from": search.range.from.to_string(), "to": search.range.to.to_string(),
            "partial": !reading.partial_reasons.is_empty(),
            "partial_reasons": reading.partial_reasons.iter().map(reason_json).collect::<Vec<_>>(),
            "stats": stats_json(&reading.stats),
        })))
    })
}

fn summary_json(trace: &TraceSummary) -> Json_ {
    json!({
        "trace_id": &*trace.trace_id, "root_service": &*trace.root_service, "root_name": &*trace.root_name,
        "root_missing": trace.is_root_missing,
        "start": trace.start.to_string(), "duration_ms": milliseconds(trace.duration_ns()),
        "spans": trace.n_spans, "errors": trace.n_errors,
        "services": trace.services.keys().map(|service| Json_::from(&**service)).collect::<Vec<_>>(),
    })
}

/// Reads and checks a request.
pub(super) fn search(body: &[u8], now: Timestamp) -> Result<TraceSearch> {
    let bad = |problem: String| {
        let problem = Problem::bad_request("bad-json", format!("the body is not a search for traces: {problem}"));
        problem.hint("send {\"service\":\"…\",\"min_duration_ms\":100} as application/json")
    };
    ensure!(body.trim_ascii_start().first() != Some(&b'['), bad("it is an array, not an object".into()));
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
    let request: SearchRequest = serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?;
    let end = |name: &str, end: &Option<Json_>| match end {
        None => Ok(None),
        Some(Json_::String(text)) => Ok(Some(text.clone())),
        Some(Json_::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(Problem::bad_request("bad-time", format!("{name} is neither a text nor a number"))),
    };
    let (from, to) = (end("from", &request.from)?, end("to", &request.to)?);
    let range = times::range(from.as_deref(), to.as_deref(), now)?.unwrap_or_else(|| times::last_hour(now));
    let limit = request.limit.unwrap_or(TRACES_DEFAULT);
    if limit == 0 || limit > TRACES_MAX {
        return Err(Problem::bad_request("bad-limit", format!("limit is from 1 to {TRACES_MAX}, not {limit}")));
    }
    let attributes = request.attributes.into_iter().map(|(name, value)| Ok((name.clone(), scalar(&name, value)?)));
    Ok(TraceSearch {
        attributes: attributes.collect::<Result<_>>()?,
        kind: request.kind.as_deref().map(kind).transpose()?,
        filters: filters(request.query.as_deref().unwrap_or_default(), now)?,
        min_ns: bound("min_duration_ms", request.min_duration_ms)?,
        max_ns: bound("max_duration_ms", request.max_duration_ms)?,
        service: request.service.filter(|service| !service.is_empty()),
        name: request.name.filter(|name| !name.is_empty()),
        is_error: request.errors,
        groups: request.groups.into_iter().filter(|pattern| !pattern.is_empty()).map(GroupPattern::new).collect(),
        limit,
        order: order(request.order.as_deref())?,
        ..TraceSearch::of(range)
    })
}

fn order(order: Option<&str>) -> Result<TraceOrder> {
    match order {
        None | Some("newest") => Ok(TraceOrder::Newest),
        Some("slowest") => Ok(TraceOrder::Slowest),
        Some(other) => Err(Problem::bad_parameter(format!("order is newest or slowest, not {other:?}"))),
    }
}

fn kind(name: &str) -> Result<SpanKind> {
    let kind = SpanKind::of(name);
    if kind.name().eq_ignore_ascii_case(name) {
        return Ok(kind);
    }
    Err(Problem::bad_parameter(format!("kind is internal, server, client, producer or consumer, not {name:?}")))
}

fn bound(name: &str, ms: Option<f64>) -> Result<Option<i64>> {
    match ms {
        Some(ms) if ms < 0.0 => Err(Problem::bad_parameter(format!("{name} is negative: {ms}"))),
        ms => Ok(ms.map(nanoseconds)),
    }
}

fn scalar(name: &str, value: Json_) -> Result<Value> {
    match &value {
        Json_::String(text) => Ok(Value::text(text.as_str())),
        Json_::Bool(truth) => Ok(Value::Boolean(*truth)),
        Json_::Number(number) => {
            let whole = number.as_i64().map(Value::Integer);
            whole.or_else(|| number.as_f64().map(Value::Float)).ok_or_else(|| too_large(name))
        }
        _ => {
            let message = format!("the attribute {name:?} is compared with a text, a number or a truth value");
            Err(Problem::bad_parameter(message))
        }
    }
}

fn too_large(name: &str) -> Problem {
    Problem::bad_parameter(format!("the number of the attribute {name:?} is too large"))
}

/// Returns the conditions of an Insights query; refuses any other command.
fn filters(query: &str, now: Timestamp) -> Result<Vec<Operator>> {
    if query.trim().is_empty() {
        return Ok(Vec::new());
    }
    let plan = language::parse_insights(query, &ParseOptions { now, time_zone: Tz::UTC })?;
    let row_wise =
        |operator: &Operator| matches!(operator, Operator::Filter(_) | Operator::Extend { .. } | Operator::Parse(_));
    let (last, lead) = plan.operators().split_last().map_or((None, &[][..]), |(last, lead)| (Some(last), lead));
    let is_plain = matches!(last, None | Some(Operator::Project { is_events: true, .. }));
    if !is_plain || !lead.iter().all(row_wise) || !plan.sources.is_empty() || plan::has_subqueries(&plan) {
        let problem = Problem::bad_request("search-query", "spans are chosen by filters alone");
        return Err(problem.hint("use filter and parse; groups, from, to, limit and order are members of the request"));
    }
    Ok(lead.to_vec())
}
