//! Jaeger's query API under `/jaeger`, for its page and Grafana's data source.
//!
//! Times and durations are in microseconds, tags have types. Errors have the form of all answers.

mod spans;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use door::access::Role;
use door::format::ErrorFormat;
use door::parameters::{Parameters, PathName};
use door::problem::Problem;
use door::query_run::read;
use door::server::{FamilyServer, FamilyState, Shared};
use door::table::Table;
use plan::Operator;
use serde_json::{Map, Value as Json_, json};
use types::{TimeRange, Timestamp};

use crate::candidates;
use crate::dependencies::dependencies;
use crate::native::trace::{bad_id, missing};
use crate::plans::equal;
use crate::read::{self as reading, Reading};
use crate::search::{TRACES_DEFAULT, TRACES_MAX, TraceSearch, add_tag, duration};
use crate::shares::traces_in_shares;
use crate::span::trace_id;
use crate::state::TracesState;
use crate::times::{self, MICROSECOND, MILLISECOND};
use crate::values;

/// The prefix of all paths.
pub(crate) const PREFIX: &str = "/jaeger/";

/// The range in which services and operations are looked for, and dependencies by default.
const PICKER_RANGE_NS: i64 = Timestamp::DAY;

/// Parameters of a search. Jaeger's page sends some that mean nothing here.
const PARAMETERS: [&str; 13] = [
    "service",
    "operation",
    "tags",
    "tag",
    "minDuration",
    "maxDuration",
    "limit",
    "start",
    "end",
    "lookback",
    "traceID",
    "raw",
    "view",
];

/// The kinds of spans by their names.
const KINDS: [&str; 5] = ["server", "client", "producer", "consumer", "internal"];

/// The range of a search that names none, as in Jaeger.
const LOOKBACK_NS: i64 = 2 * Timestamp::DAY;

/// Adds the routes.
pub(crate) fn add(table: Table<FamilyState<TracesState>>) -> Table<FamilyState<TracesState>> {
    table
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
fn envelope(data: Vec<Json_>, reading: &Reading) -> Json<Json_> {
    let reasons = reading.partial_reasons.iter();
    with_errors(data, reasons.map(|reason| json!({"code": PARTIAL, "msg": reason.message})).collect())
}

fn with_errors(data: Vec<Json_>, errors: Vec<Json_>) -> Json<Json_> {
    let errors = if errors.is_empty() { Json_::Null } else { errors.into() };
    Json(json!({"total": data.len(), "data": data, "limit": 0, "offset": 0, "errors": errors}))
}

/// Returns the range before now in which names are looked for.
fn recent(now: Timestamp) -> TimeRange {
    let range = times::last_hour(now);
    TimeRange { from: Timestamp(now.0.saturating_sub(PICKER_RANGE_NS)), to: range.to }
}

async fn services(server: Shared) -> Result<Json<Json_>, Problem> {
    let range = recent(server.now());
    let (names, reading) = texts(&server, "service", Vec::new(), range).await?;
    Ok(envelope(names.into_iter().map(Json_::from).collect(), &reading))
}

/// Returns the values of a field in order, and what reading them took.
async fn texts(
    server: &Shared,
    field: &'static str,
    conditions: Vec<Operator>,
    range: TimeRange,
) -> Result<(Vec<String>, Reading), Problem> {
    read(server, &format!("values of {field}"), move |run| {
        let mut reading = Reading::default();
        Ok((values::texts(run, field, &conditions, range, &mut reading)?, reading))
    })
    .await
}

async fn operations_of(server: Shared, PathName(service): PathName) -> Result<Json<Json_>, Problem> {
    let (names, reading) = texts(&server, "name", values::of_service(&service), recent(server.now())).await?;
    Ok(envelope(names.into_iter().map(Json_::from).collect(), &reading))
}

/// Answers with the names of the spans of a service, each with its kind.
async fn operations(server: Shared, parameters: Parameters) -> Result<Json<Json_>, Problem> {
    parameters.check_names(&["service", "spanKind"])?;
    let service = parameters.get("service").ok_or_else(|| needed("service"))?;
    let asked = parameters.get("spanKind").filter(|kind| !kind.is_empty());
    if let Some(unknown) = asked.filter(|asked| !KINDS.iter().any(|kind| kind.eq_ignore_ascii_case(asked))) {
        let message = format!("spanKind is {}, not {unknown:?}", KINDS.join(", "));
        return Err(Problem::bad_request("bad-parameter", message));
    }
    let (mut found, mut all) = (Vec::new(), Reading::default());
    for kind in KINDS.into_iter().filter(|kind| asked.is_none_or(|asked| kind.eq_ignore_ascii_case(asked))) {
        let conditions = [values::of_service(service), vec![Operator::Filter(equal("kind", kind))]].concat();
        let (names, reading) = texts(&server, "name", conditions, recent(server.now())).await?;
        found.extend(names.into_iter().map(|name| json!({"name": name, "spanKind": kind})));
        all.take(reading);
    }
    Ok(envelope(found, &all))
}

fn needed(name: &str) -> Problem {
    Problem::bad_request("bad-parameter", format!("the parameter {name} is required"))
}

/// Answers with the traces that have a span with the requested properties.
async fn search(server: Shared, parameters: Parameters) -> Result<Json<Json_>, Problem> {
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
    if search.service.is_none() && ids.is_empty() {
        return Err(needed("service"));
    }
    let search = with_tags(search, &parameters)?;
    read(&server, "search traces", move |run| {
        let mut reading = Reading::default();
        let (traces, missing) = if ids.is_empty() {
            let ids = candidates::first(&search, run, &mut reading)?;
            (traces_in_shares(run, &ids, search.range, &mut reading)?, Vec::new())
        } else {
            reading::by_ids(run, &ids, &mut reading)?
        };
        let mut answer = envelope(traces.iter().map(spans::trace_json).collect(), &reading);
        let not_found = |id| json!({"code": 404, "msg": "trace not found", "traceID": id});
        if !missing.is_empty() {
            let errors = answer["errors"].as_array().cloned().unwrap_or_default();
            answer["errors"] = errors.into_iter().chain(missing.into_iter().map(not_found)).collect();
        }
        Ok(answer)
    })
    .await
}

/// Returns the range of a search; `lookback` replaces a missing start, unless it is not a duration.
fn range(parameters: &Parameters, now: Timestamp) -> Result<TimeRange, Problem> {
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
fn with_tags(mut search: TraceSearch, parameters: &Parameters) -> Result<TraceSearch, Problem> {
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

async fn trace(server: Shared, PathName(id): PathName, parameters: Parameters) -> Result<Json<Json_>, Problem> {
    let id = trace_id(&id).ok_or_else(|| bad_id(&id))?;
    let range = times::range_of_numbers(&parameters, ("start", "end"), MICROSECOND, server.now())?;
    let range = range.map(|range| times::widened(range, Timestamp::HOUR));
    read(&server, &format!("trace {id}"), move |run| {
        let trace = reading::trace(run, &id, range)?.filter(|trace| !trace.spans.is_empty());
        let mut trace = trace.ok_or_else(|| missing(&id))?;
        trace.note_cuts();
        Ok(envelope(vec![spans::trace_json(&trace)], &trace.reading))
    })
    .await
}

/// Refuses Jaeger's span metrics (its monitor tab).
async fn metrics(_: Shared) -> Result<Json<Json_>, Problem> {
    let problem = Problem::bad_request("not-supported", "metrics of spans are not answered in Jaeger's form");
    Err(problem.hint("ask /api/v1/service-map, or /tempo/api/metrics/query_range with TraceQL"))
}

async fn calls(server: FamilyServer<TracesState>, parameters: Parameters) -> Result<Json<Json_>, Problem> {
    parameters.check_names(&["endTs", "lookback", "service"])?;
    let (calls, reading) = dependencies(&server, &parameters, MILLISECOND).await?;
    let shown = |call: crate::dependencies::Dependency| json!({"parent": &*call.parent, "child": &*call.child, "callCount": call.n_calls});
    Ok(envelope(calls.into_iter().map(shown).collect(), &reading))
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
