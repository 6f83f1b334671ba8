//! Zipkin's API for reading under `/zipkin/api/v2`, for its page and Grafana's data source.
//!
//! Times and durations are in microseconds, ranges in milliseconds, tags are texts. Errors are plain text.

mod spans;

use axum::Json;
use door::access::Role;
use door::parameters::{Parameters, PathName};
use door::problem::Problem;
use door::query_run::read;
use door::server::{FamilyServer, FamilyState, Shared};
use door::table::Table;
use plan::{Expr, Operator, balanced};
use serde_json::{Value as Json_, json};
use types::{TimeRange, Timestamp};

use crate::dependencies::dependencies;
use crate::native::trace::{bad_id, missing};
use crate::plans::equal;
use crate::read::{self as reading, Reading};
use crate::search::{TRACES_MAX, TraceSearch, add_tag};
use crate::span::trace_id;
use crate::state::TracesState;
use crate::times::{self, MICROSECOND, MILLISECOND};
use crate::values;

/// The prefix of all paths.
pub(crate) const PREFIX: &str = "/zipkin/";

/// Traces of a search that names no limit.
const TRACES_DEFAULT: usize = 10;

/// The range in which names are looked for, and of a search that names none.
const RANGE_NS: i64 = Timestamp::DAY;

const PARAMETERS: [&str; 9] = [
    "serviceName",
    "spanName",
    "remoteServiceName",
    "annotationQuery",
    "minDuration",
    "maxDuration",
    "endTs",
    "lookback",
    "limit",
];

/// Adds the routes.
pub(crate) fn add(table: Table<FamilyState<TracesState>>) -> Table<FamilyState<TracesState>> {
    table
        .get("/zipkin/api/v2/services", Role::Read, services)
        .get("/zipkin/api/v2/spans", Role::Read, names)
        .get("/zipkin/api/v2/remoteServices", Role::Read, remote_services)
        .get("/zipkin/api/v2/autocompleteKeys", Role::Read, keys)
        .get("/zipkin/api/v2/traces", Role::Read, search)
        .get("/zipkin/api/v2/trace/{id}", Role::Read, trace)
        .get("/zipkin/api/v2/traceMany", Role::Read, traces)
        .get("/zipkin/api/v2/dependencies", Role::Read, calls)
}

/// Returns the range before now in which names are looked for.
fn recent(now: Timestamp) -> TimeRange {
    TimeRange { from: Timestamp(now.0.saturating_sub(RANGE_NS)), to: times::last_hour(now).to }
}

/// Returns the texts of a field among the spans of the service that the parameters name.
async fn texts(server: &Shared, parameters: &Parameters, field: &'static str) -> Result<Vec<String>, Problem> {
    let conditions = parameters.get("serviceName").map(values::of_service).unwrap_or_default();
    let range = recent(server.now());
    read(server, field, move |run| values::texts(run, field, &conditions, range)).await
}

async fn services(server: Shared) -> Result<Json<Vec<String>>, Problem> {
    Ok(Json(texts(&server, &Parameters::default(), "service").await?))
}

async fn names(server: Shared, parameters: Parameters) -> Result<Json<Vec<String>>, Problem> {
    parameters.check_names(&["serviceName"])?;
    if parameters.get("serviceName").is_none() {
        return Err(Problem::bad_request("bad-parameter", "the parameter serviceName is required"));
    }
    Ok(Json(texts(&server, &parameters, "name").await?))
}

async fn remote_services(server: Shared, parameters: Parameters) -> Result<Json<Vec<String>>, Problem> {
    parameters.check_names(&["serviceName"])?;
    let mut all = Vec::new();
    for field in spans::REMOTE_FIELDS {
        all.extend(texts(&server, &parameters, field).await?);
    }
    all.sort();
    all.dedup();
    Ok(Json(all))
}

/// Answers with all names of tags. Their values are not offered: the parameter of that request is `key`, and no address may hold a key.
async fn keys(server: Shared) -> Result<Json<Vec<String>>, Problem> {
    let range = recent(server.now());
    let names = read(&server, "names of tags", move |run| Ok(values::field_names(run, range, &[]))).await?;
    Ok(Json(names.into_iter().filter(|name| !crate::span::is_own_field(name)).collect()))
}

async fn search(server: Shared, parameters: Parameters) -> Result<Json<Json_>, Problem> {
    parameters.check_names(&PARAMETERS)?;
    let milliseconds =
        |name: &str| Ok::<_, Problem>(parameters.number::<i64>(name)?.map(|n| n.saturating_mul(MILLISECOND)));
    let to = milliseconds("endTs")?
        .map_or(times::last_hour(server.now()).to, |end| Timestamp(end.saturating_add(MILLISECOND)));
    let from = Timestamp(to.0.saturating_sub(milliseconds("lookback")?.unwrap_or(RANGE_NS)));
    let micros = |name: &str| Ok::<_, Problem>(parameters.number::<i64>(name)?.map(|n| n.saturating_mul(MICROSECOND)));
    let mut search = TraceSearch {
        service: parameters.get("serviceName").map(str::to_owned),
        name: parameters.get("spanName").filter(|name| *name != "all").map(str::to_owned),
        min_ns: micros("minDuration")?,
        max_ns: micros("maxDuration")?,
        limit: parameters
            .number::<usize>("limit")?
            .filter(|limit| *limit > 0)
            .unwrap_or(TRACES_DEFAULT)
            .min(TRACES_MAX),
        ..TraceSearch::of(TimeRange { from, to })
    };
    if let Some(remote) = parameters.get("remoteServiceName") {
        let named = spans::REMOTE_FIELDS.iter().map(|field| equal(field, remote)).collect();
        search.filters.push(Operator::Filter(balanced(named, Expr::Or)));
    }
    for condition in parameters.get("annotationQuery").unwrap_or_default().split(" and ").map(str::trim) {
        match condition.split_once('=') {
            _ if condition.is_empty() => {}
            Some((name, value)) => add_tag(&mut search, name, value),
            // Zipkin marks spans that failed with this tag, whatever its value.
            None if condition == "error" => search.is_error = true,
            None => add_tag(&mut search, condition, ""),
        }
    }
    let found = read(&server, "search traces", move |run| {
        let ids = search.ids(run, &mut Reading::default())?;
        let traces = reading::traces(run, &ids, search.range, &[])?.0;
        Ok(traces.iter().map(spans::trace_json).collect::<Vec<_>>())
    })
    .await?;
    Ok(Json(found.into()))
}

async fn trace(server: Shared, PathName(id): PathName) -> Result<Json<Json_>, Problem> {
    let id = trace_id(&id).ok_or_else(|| bad_id(&id))?;
    let found = read(&server, &format!("trace {id}"), move |run| {
        let trace = reading::trace(run, &id, None)?.filter(|trace| !trace.spans.is_empty());
        Ok(spans::trace_json(&trace.ok_or_else(|| missing(&id))?))
    })
    .await?;
    Ok(Json(found))
}

/// Answers with the traces of several ids; those of which nothing is found are left out.
async fn traces(server: Shared, parameters: Parameters) -> Result<Json<Json_>, Problem> {
    parameters.check_names(&["traceIds"])?;
    let texts = parameters.get("traceIds").unwrap_or_default().split(',').filter(|id| !id.is_empty());
    let ids: Vec<String> = texts.map(|id| trace_id(id).ok_or_else(|| bad_id(id))).collect::<Result<_, _>>()?;
    if ids.is_empty() || ids.len() > TRACES_MAX {
        let message = format!("traceIds is a list of 1 to {TRACES_MAX} ids, separated by commas");
        return Err(Problem::bad_request("bad-parameter", message));
    }
    let found = read(&server, "traces", move |run| {
        let traces = ids.iter().map(|id| reading::trace(run, id, None)).collect::<Result<Vec<_>, _>>()?;
        let traces = traces.iter().flatten().filter(|trace| !trace.spans.is_empty());
        Ok(traces.map(spans::trace_json).collect::<Vec<_>>())
    })
    .await?;
    Ok(Json(found.into()))
}

async fn calls(server: FamilyServer<TracesState>, parameters: Parameters) -> Result<Json<Json_>, Problem> {
    parameters.check_names(&["endTs", "lookback"])?;
    let calls = dependencies(&server, &parameters, MILLISECOND).await?;
    let shown = calls.iter().map(|call| {
        json!({
            "parent": &*call.parent, "child": &*call.child, "callCount": call.n_calls, "errorCount": call.n_errors,
        })
    });
    Ok(Json(shown.collect()))
}
