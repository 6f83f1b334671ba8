//! Jaeger's query API under `/jaeger`, for its page and Grafana's data source.
//!
//! Times and durations are in microseconds, tags have types. Errors have the form of all answers.

mod spans;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use door::{ErrorFormat, Outcome, Parameters, Problem, Reply, Result, Role, Shared};
use plan::Operator;
use serde_json::{Map, Value as Json_, json};
use types::{TimeRange, Timestamp, ensure};

use crate::dependencies::{Dependency, dependencies};
use crate::native::trace::{bad_id, missing, needed};
use crate::plans::equal;
use crate::read::{self as reading, Reading, query};
use crate::search::{TRACES_DEFAULT, TRACES_MAX, TraceSearch, add_tag, duration};
use crate::shares::traces_in_shares;
use crate::span::trace_id;
use crate::state::{Call, Routes};
use crate::times::{self, MICROSECOND, MILLISECOND};
use crate::{candidates, values};

/// The prefix of all paths.
pub(crate) const PREFIX: &str = "/jaeger/";

/// The range in which services and operations are looked for, and dependencies by default.
const PICKER_RANGE_NS: i64 = Timestamp::DAY;

/// Parameters of a search. Jaeger's page sends some that mean nothing here.
const PARAMETERS: [&str; 13] = [
    "service", "operation", "tags", "tag", "minDuration", "maxDuration", "limit", "start", "end", "lookback",
    "traceID", "raw", "view",
];

/// The kinds of spans by their names.
const KINDS: [&str; 5] = ["server", "client", "producer", "consumer", "internal"];

/// The range of a search that names none, as in Jaeger.
const LOOKBACK_NS: i64 = 2 * Timestamp::DAY;

/// Adds the routes.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .get("/jaeger/api/services", Role::Read, services)
        .get("/jaeger/api/services/{service}/operations", Role::Read, operations_of)
        .get("/jaeger/api/operations", Role::Read, operations)
        .get("/jaeger/api/traces", Role::Read, search)
        .get("/jaeger/api/traces/{id}", Role::Read, trace)
        .get("/jaeger/api/dependencies", Role::Read, calls)
        .get("/jaeger/api/metrics/{name}", Role::Read, metrics)
}

/// The code of the errors in a partial answer.
const PARTIAL: u16 = StatusCode::PARTIAL_CONTENT.as_u16();

/// Wraps data in the form of all answers, with the reasons why it is partial as errors.
fn envelope(data: Vec<Json_>, reading: &Reading) -> Reply {
    with_errors(data, errors_of(reading).collect())
}

fn errors_of(reading: &Reading) -> impl Iterator<Item = Json_> {
    reading.partial_reasons.iter().map(|reason| json!({"code": PARTIAL, "msg": reason.message}))
}

fn with_errors(data: Vec<Json_>, errors: Vec<Json_>) -> Reply {
    let errors = if errors.is_empty() { Json_::Null } else { errors.into() };
    Reply::json(&json!({"total": data.len(), "data": data, "limit": 0, "offset": 0, "errors": errors}))
}

/// Returns the range before now in which names are looked for.
fn recent(now: Timestamp) -> TimeRange {
    let range = times::last_hour(now);
    TimeRange { from: Timestamp(now.0.saturating_sub(PICKER_RANGE_NS)), to: range.to }
}

fn services(Call { server, .. }: Call) -> Outcome {
    texts(&server, "service", Vec::new())
}

/// Answers with the recent values of a field in order.
fn texts(server: &Shared, field: &'static str, conditions: Vec<Operator>) -> Outcome {
    let range = recent(server.now());
    query(server, &format!("values of {field}"), move |run, reading| {
        let names = values::texts(run, field, &conditions, range, reading)?;
        Ok(envelope(names.into_iter().map(Json_::from).collect(), reading))
    })
}

fn operations_of(mut call: Call) -> Outcome {
    let service = call.variable();
    texts(&call.server, "name", values::of_service(&service))
}

/// Answers with the names of the spans of a service, each with its kind.
fn operations(Call { server, parameters, .. }: Call) -> Outcome {
    parameters.check_names(&["service", "spanKind"])?;
    let of_service = values::of_service(parameters.get("service").ok_or_else(|| needed("service"))?);
    let asked = parameters.get("spanKind").filter(|kind| !kind.is_empty());
    if let Some(unknown) = asked.filter(|asked| !KINDS.iter().any(|kind| kind.eq_ignore_ascii_case(asked))) {
        return Err(Problem::bad_parameter(format!("spanKind is {}, not {unknown:?}", KINDS.join(", "))));
    }
    let kinds = KINDS.into_iter().filter(|kind| asked.is_none_or(|asked| kind.eq_ignore_ascii_case(asked)));
    let (kinds, range): (Vec<&str>, _) = (kinds.collect(), recent(server.now()));
    query(&server, "values of name", move |run, reading| {
        let mut found = Vec::new();
        for kind in kinds {
            let conditions = [&of_service[..], &[Operator::Filter(equal("kind", kind))]].concat();
            let names = values::texts(run, "name", &conditions, range, reading)?;
            found.extend(names.into_iter().map(|name| json!({"name": name, "spanKind": kind})));
        }
        Ok(envelope(found, reading))
    })
}

/// Answers with the traces that have a span with the requested properties.
fn search(Call { server, parameters, .. }: Call) -> Outcome {
    parameters.check_names(&PARAMETERS)?;
    let range = range(&parameters, server.now())?;
    let ids = parameters.all("traceID").map(|id| trace_id(id).ok_or_else(|| bad_id(id)));
    let ids: Vec<String> = ids.collect::<Result<_, _>>()?;
    let search = TraceSearch {
        service: parameters.get("service").map(str::to_owned),
        name: parameters.get("operation").filter(|name| *name != "all").map(str::to_owned),
        min_ns: parameters.get("minDuration").map(|text| duration("minDuration", text, MICROSECOND)).transpose()?,
        max_ns: parameters.get("maxDuration").map(|text| duration("maxDuration", text, MICROSECOND)).transpose()?,
        limit: parameters
            .number::<usize>("limit")?
            .filter(|limit| *limit > 0)
            .unwrap_or(TRACES_DEFAULT)
            .min(TRACES_MAX),
        ..TraceSearch::of(range)
    };
    ensure!(search.service.is_some() || !ids.is_empty(), needed("service"));
    let search = with_tags(search, &parameters)?;
    query(&server, "search traces", move |run, reading| {
        let (traces, missing) = if ids.is_empty() {
            let ids = candidates::first(&search, run, reading)?;
            (traces_in_shares(run, &ids, search.range, reading)?, Vec::new())
        } else {
            reading::by_ids(run, &ids, reading)?
        };
        let not_found = |id| json!({"code": 404, "msg": "trace not found", "traceID": id});
        let errors = errors_of(reading).chain(missing.into_iter().map(not_found)).collect();
        Ok(with_errors(traces.iter().map(spans::trace_json).collect(), errors))
    })
}

/// Returns the range of a search; `lookback` replaces a missing start, unless it is not a duration.
fn range(parameters: &Parameters, now: Timestamp) -> Result<TimeRange> {
    let has_start = parameters.number::<i64>("start")?.is_some_and(|start| start != 0);
    let range = times::range_of_numbers(parameters, ("start", "end"), MICROSECOND, now)?;
    let range = range.unwrap_or_else(|| times::last_hour(now));
    if has_start {
        return Ok(range);
    }
    let lookback = parameters.get("lookback").and_then(|text| types::parse_duration_ns(text).ok());
    let lookback = lookback.filter(|lookback| *lookback > 0).unwrap_or(LOOKBACK_NS);
    Ok(TimeRange { from: Timestamp(range.to.0.saturating_sub(lookback)), ..range })
}

/// Adds the conditions of `tags`, an object as JSON, and of `tag`, pairs with a colon.
fn with_tags(mut search: TraceSearch, parameters: &Parameters) -> Result<TraceSearch> {
    for text in parameters.all("tags") {
        let bad = || Problem::bad_request("bad-tags", format!("tags is not an object as JSON: {text:?}"));
        let tags: Map<String, Json_> =
            serde_json::from_str(text).map_err(|_| bad().hint("write {\"error\":\"true\"}"))?;
        for (name, value) in tags {
            let value = match value {
                Json_::String(text) => text,
                other => other.to_string(),
            };
            add_tag(&mut search, &name, &value);
        }
    }
    for pair in parameters.all("tag") {
        let bad = || Problem::bad_request("bad-tags", format!("tag is name:value, not {pair:?}"));
        let (name, value) = pair.split_once(':').ok_or_else(bad)?;
        add_tag(&mut search, name, value);
    }
    Ok(search)
}

fn trace(mut call: Call) -> Outcome {
    let id = call.variable();
    let Call { server, parameters, .. } = call;
    let id = trace_id(&id).ok_or_else(|| bad_id(&id))?;
    let range = times::range_of_numbers(&parameters, ("start", "end"), MICROSECOND, server.now())?;
    let range = range.map(|range| times::widened(range, Timestamp::HOUR));
    query(&server, &format!("trace {id}"), move |run, _| {
        let trace = reading::trace(run, &id, range)?.filter(|trace| !trace.spans.is_empty());
        let mut trace = trace.ok_or_else(|| missing(&id))?;
        trace.note_cuts();
        Ok(envelope(vec![spans::trace_json(&trace)], &trace.reading))
    })
}

/// Refuses Jaeger's span metrics (its monitor tab).
fn metrics(_: Call) -> Outcome {
    let problem = Problem::bad_request("not-supported", "metrics of spans are not answered in Jaeger's form");
    Err(problem.hint("ask /api/v1/service-map, or /tempo/api/metrics/query_range with TraceQL"))
}

fn calls(call: Call) -> Outcome {
    call.parameters.check_names(&["endTs", "lookback", "service"])?;
    dependencies(&call, MILLISECOND, |calls, reading| {
        let shown =
            |call: Dependency| json!({"parent": &*call.parent, "child": &*call.child, "callCount": call.n_calls});
        envelope(calls.into_iter().map(shown).collect(), reading)
    })
}

/// Errors in the form of Jaeger.
pub(crate) struct JaegerFormat;

impl ErrorFormat for JaegerFormat {
    fn refuse(&self, problem: &Problem) -> Response {
        let error = json!({"code": problem.status.as_u16(), "msg": problem.sentence()});
        let body = json!({"data": null, "total": 0, "limit": 0, "offset": 0, "errors": [error]});
        let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        problem.mark((problem.status, json, body.to_string()).into_response())
    }
}
