//! Jaeger's query API under `/jaeger`, for its page and Grafana's data source.
//!
//! Times and durations are in microseconds, tags have types. Errors have the form of all answers.

mod spans;

use axum::Json;
use axum::http::{HeaderValue, header};
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

use crate::dependencies::dependencies;
use crate::native::trace::{bad_id, missing};
use crate::plans::equal;
use crate::read::{self as reading, Reading};
use crate::search::{TRACES_DEFAULT, TRACES_MAX, TraceSearch, add_tag, duration};
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

/// Adds the routes.
pub(crate) fn add(table: Table<FamilyState<TracesState>>) -> Table<FamilyState<TracesState>> {
    table
        .get("/jaeger/api/services", Role::Read, services)
        .get("/jaeger/api/services/{service}/operations", Role::Read, operations_of)
        .get("/jaeger/api/operations", Role::Read, operations)
        .get("/jaeger/api/traces", Role::Read, search)
        .get("/jaeger/api/traces/{id}", Role::Read, trace)
        .get("/jaeger/api/dependencies", Role::Read, calls)
}

/// Puts data into the form of all answers.
fn envelope(data: Vec<Json_>) -> Json<Json_> {
    Json(json!({"total": data.len(), "data": data, "limit": 0, "offset": 0, "errors": null}))
}

/// Returns the range before now in which names are looked for.
fn recent(now: Timestamp) -> TimeRange {
    let range = times::last_hour(now);
    TimeRange { from: Timestamp(now.0.saturating_sub(PICKER_RANGE_NS)), to: range.to }
}

async fn services(server: Shared) -> Result<Json<Json_>, Problem> {
    let range = recent(server.now());
    let names = read(&server, "services", move |run| values::texts(run, "service", &[], range)).await?;
    Ok(envelope(names.into_iter().map(Json_::from).collect()))
}

async fn operations_of(server: Shared, PathName(service): PathName) -> Result<Json<Json_>, Problem> {
    let names = names(&server, &service, &[]).await?;
    Ok(envelope(names.into_iter().map(Json_::from).collect()))
}

/// Answers with the names of the spans of a service, each with its kind.
async fn operations(server: Shared, parameters: Parameters) -> Result<Json<Json_>, Problem> {
    parameters.check_names(&["service", "spanKind"])?;
    let service = parameters.get("service").ok_or_else(|| needed("service"))?;
    let kinds = ["server", "client", "producer", "consumer", "internal"];
    let wanted = kinds.into_iter().filter(|kind| parameters.get("spanKind").is_none_or(|wanted| wanted == *kind));
    let mut found = Vec::new();
    for kind in wanted {
        let of_kind = names(&server, service, &[Operator::Filter(equal("kind", kind))]).await?;
        found.extend(of_kind.into_iter().map(|name| json!({"name": name, "spanKind": kind})));
    }
    Ok(envelope(found))
}

async fn names(server: &Shared, service: &str, more: &[Operator]) -> Result<Vec<String>, Problem> {
    let conditions = [values::of_service(service), more.to_vec()].concat();
    let range = recent(server.now());
    read(server, &format!("names of spans of {service}"), move |run| values::texts(run, "name", &conditions, range))
        .await
}

fn needed(name: &str) -> Problem {
    Problem::bad_request("bad-parameter", format!("the parameter {name} is required"))
}

/// Answers with whole traces that have a span with some properties.
async fn search(server: Shared, parameters: Parameters) -> Result<Json<Json_>, Problem> {
    parameters.check_names(&PARAMETERS)?;
    let range = times::range_of_numbers(&parameters, ("start", "end"), MICROSECOND, server.now())?;
    let range = range.unwrap_or_else(|| times::last_hour(server.now()));
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
    let traces = read(&server, "search traces", move |run| {
        let mut reading = Reading::default();
        if !ids.is_empty() {
            let traces = ids.iter().map(|id| reading::trace(run, id, None));
            return Ok(traces.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect());
        }
        let ids = search.ids(run, &mut reading)?;
        Ok(reading::traces(run, &ids, search.range, &[])?.0)
    })
    .await?;
    Ok(envelope(traces.iter().filter(|trace| !trace.spans.is_empty()).map(spans::trace_json).collect()))
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
    let found = read(&server, &format!("trace {id}"), move |run| {
        let trace = reading::trace(run, &id, range)?.filter(|trace| !trace.spans.is_empty());
        Ok(spans::trace_json(&trace.ok_or_else(|| missing(&id))?))
    })
    .await?;
    Ok(envelope(vec![found]))
}

async fn calls(server: FamilyServer<TracesState>, parameters: Parameters) -> Result<Json<Json_>, Problem> {
    parameters.check_names(&["endTs", "lookback", "service"])?;
    let calls = dependencies(&server, &parameters, MILLISECOND).await?;
    let shown = |call: crate::dependencies::Dependency| json!({"parent": &*call.parent, "child": &*call.child, "callCount": call.n_calls});
    Ok(envelope(calls.into_iter().map(shown).collect()))
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
