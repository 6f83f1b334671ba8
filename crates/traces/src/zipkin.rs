//! Zipkin's API for reading under `/zipkin/api/v2`, for its page and Grafana's data source.
//!
//! Times and durations are in microseconds, ranges in milliseconds, tags are texts. Errors are plain text.

mod spans;

use std::collections::BTreeSet;

use door::{Outcome, Parameters, Problem, Reply, Role, Shared};
use plan::{Expr, Operator, balanced};
use serde_json::json;
use types::{TimeRange, Timestamp, ensure};

use crate::dependencies::dependencies;
use crate::native::trace::{bad_id, missing, needed};
use crate::plans::{equal, is_present};
use crate::read::{self as reading, Trace, query};
use crate::search::{TRACES_MAX, TraceSearch, add_tag};
use crate::shares::traces_in_shares;
use crate::span::{field_of_attribute, is_own_field, trace_id};
use crate::state::{Call, Routes};
use crate::times::{self, MICROSECOND, MILLISECOND};
use crate::warning::with_warning;
use crate::{candidates, values};

/// The prefix of all paths.
pub(crate) const PREFIX: &str = "/zipkin/";

/// Default limit on the traces of a search.
const TRACES_DEFAULT: usize = 10;

/// The range in which names are looked for, and the default range of a search.
const RANGE_NS: i64 = Timestamp::DAY;

const PARAMETERS: [&str; 9] = [
    "serviceName", "spanName", "remoteServiceName", "annotationQuery", "minDuration", "maxDuration", "endTs",
    "lookback", "limit",
];

/// Adds the routes.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .get("/zipkin/api/v2/services", Role::Read, services)
        .get("/zipkin/api/v2/spans", Role::Read, names)
        .get("/zipkin/api/v2/remoteServices", Role::Read, remote_services)
        .get("/zipkin/api/v2/autocompleteKeys", Role::Read, keys)
        .get("/zipkin/api/v2/autocompleteValues", Role::Read, tag_values)
        .get("/zipkin/api/v2/traces", Role::Read, search)
        .get("/zipkin/api/v2/trace/{id}", Role::Read, trace)
        .get("/zipkin/api/v2/traceMany", Role::Read, traces)
        .get("/zipkin/api/v2/dependencies", Role::Read, calls)
}

/// Returns the range before now in which names are looked for.
fn recent(now: Timestamp) -> TimeRange {
    TimeRange { from: Timestamp(now.0.saturating_sub(RANGE_NS)), to: times::last_hour(now).to }
}

/// Answers with the texts of some fields among the spans of the service that the parameters name, in order.
fn texts(server: &Shared, parameters: &Parameters, fields: Vec<String>) -> Outcome {
    let conditions = parameters.get("serviceName").map(values::of_service).unwrap_or_default();
    let range = recent(server.now());
    query(server, &format!("values of {}", fields.join(", ")), move |run, reading| {
        let mut all = BTreeSet::new();
        for field in &fields {
            all.extend(values::texts(run, field, &conditions, range, reading)?);
        }
        Ok(with_warning(Reply::serialized(&all), reading))
    })
}

fn services(Call { server, .. }: Call) -> Outcome {
    texts(&server, &Parameters::default(), vec!["service".to_owned()])
}

fn names(Call { server, parameters, .. }: Call) -> Outcome {
    parameters.check_names(&["serviceName"])?;
    parameters.get("serviceName").ok_or_else(|| needed("serviceName"))?;
    texts(&server, &parameters, vec!["name".to_owned()])
}

fn remote_services(Call { server, parameters, .. }: Call) -> Outcome {
    parameters.check_names(&["serviceName"])?;
    texts(&server, &parameters, spans::REMOTE_FIELDS.map(str::to_owned).to_vec())
}

/// Answers with the names of all tags.
fn keys(Call { server, .. }: Call) -> Outcome {
    let range = recent(server.now());
    query(&server, "names of tags", move |run, _| {
        let names = values::field_names(run, range, &[]);
        let tags = names.iter().filter(|name| !is_own_field(name));
        let tags: BTreeSet<&str> = tags.map(|name| name.strip_prefix("attributes.").unwrap_or(name)).collect();
        Ok(Reply::serialized(&tags))
    })
}

/// Answers with the values of the tag whose name is the parameter `key`.
fn tag_values(Call { server, parameters, .. }: Call) -> Outcome {
    parameters.check_names(&["key"])?;
    let tag = parameters.get("key").filter(|key| !key.is_empty()).ok_or_else(|| needed("key"))?;
    texts(&server, &Parameters::default(), vec![field_of_attribute(tag)])
}

fn search(Call { server, parameters, .. }: Call) -> Outcome {
    parameters.check_names(&PARAMETERS)?;
    let milliseconds =
        |name: &str| Ok::<_, Problem>(parameters.number::<i64>(name)?.map(|n| n.saturating_mul(MILLISECOND)));
    let to = milliseconds("endTs")?
        .map_or(times::last_hour(server.now()).to, |end| Timestamp(end.saturating_add(MILLISECOND)));
    let from = Timestamp(to.0.saturating_sub(milliseconds("lookback")?.unwrap_or(RANGE_NS)));
    let micros = |name: &str| Ok::<_, Problem>(parameters.number::<i64>(name)?.map(|n| n.saturating_mul(MICROSECOND)));
    ensure!(from < to, Problem::bad_request("empty-range", format!("the range is empty: lookback ends at {to}")));
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
            // The name of a tag, or an annotation: an event of the span.
            None => {
                let is_event = plan::each::each(&"events.name".into(), equal("events.name", condition));
                let either = Expr::Or(Box::new(is_present(&field_of_attribute(condition))), Box::new(is_event));
                search.filters.push(Operator::Filter(either));
            }
        }
    }
    query(&server, "search traces", move |run, reading| {
        let ids = candidates::first(&search, run, reading)?;
        let traces = traces_in_shares(run, &ids, search.range, reading)?;
        Ok(with_warning(traces_json(&traces), reading))
    })
}

fn traces_json(traces: &[Trace]) -> Reply {
    Reply::json(&traces.iter().map(spans::trace_json).collect())
}

fn trace(mut call: Call) -> Outcome {
    let id = call.variable();
    let id = trace_id(&id).ok_or_else(|| bad_id(&id))?;
    query(&call.server, &format!("trace {id}"), move |run, reading| {
        let (traces, _) = reading::by_ids(run, std::slice::from_ref(&id), reading)?;
        let trace = traces.first().ok_or_else(|| missing(&id))?;
        Ok(with_warning(Reply::json(&spans::trace_json(trace)), reading))
    })
}

/// Answers with the traces of several ids; those that are not found are left out.
fn traces(Call { server, parameters, .. }: Call) -> Outcome {
    parameters.check_names(&["traceIds"])?;
    let texts = parameters.get("traceIds").unwrap_or_default().split(',').filter(|id| !id.is_empty());
    let ids: Vec<String> = texts.map(|id| trace_id(id).ok_or_else(|| bad_id(id))).collect::<Result<_, _>>()?;
    if ids.is_empty() || ids.len() > TRACES_MAX {
        let message = format!("traceIds is a list of 1 to {TRACES_MAX} ids, separated by commas");
        return Err(Problem::bad_parameter(message));
    }
    query(&server, "traces", move |run, reading| {
        let (traces, _) = reading::by_ids(run, &ids, reading)?;
        Ok(with_warning(traces_json(&traces), reading))
    })
}

fn calls(call: Call) -> Outcome {
    call.parameters.check_names(&["endTs", "lookback"])?;
    dependencies(&call, MILLISECOND, |calls, reading| {
        let shown = calls.iter().map(|call| {
            json!({
                "parent": &*call.parent, "child": &*call.child, "callCount": call.n_calls, "errorCount": call.n_errors,
            })
        });
        with_warning(Reply::json(&shown.collect()), reading)
    })
}
