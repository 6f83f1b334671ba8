//! `GetServiceGraph`, of the service map, and `GetTraceGraph`, of the segments of some traces.
//!
//! The map counts requests and calls that failed. Which of these were errors of the caller rather than faults is read in
//! addition, from the failed spans: by service for requests, by the name of the target for calls. A call whose target has
//! another name counts as a fault.

use std::collections::BTreeMap;

use door::{QueryRun, Result};
use execute::Answer;
use plan::{AggregateKind, Expr, Name, Operator, Plan};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use types::{TimeRange, Value, ensure};

use super::attributes::{call_name, outcomes};
use super::document::seconds;
use super::request::{Ends, bad, body};
use super::segments::{Segments, ServiceId};
use super::summaries::service_json;
use crate::map::graph::{Graph, NodeId, NodeKind};
use crate::map::measure::Total;
use crate::map::{self};
use crate::plans::{aggregate, equal, field, is_present, is_span, show, span_groups};
use crate::read::{Reading, Trace};
use crate::span::{Span, SpanKind};
use crate::state::TracesState;
use crate::times;

/// The group that X-Ray has by default: all traces.
const DEFAULT_GROUP: &str = "Default";

/// The fields of a failed span that identify its request or call and its outcome. The parent is read separately.
const FAILURE_FIELDS: [&str; 17] = [
    "service",
    "kind",
    "status",
    "aws.xray.error",
    "aws.xray.throttle",
    "aws.xray.fault",
    "http.response.status_code",
    "http.status_code",
    "peer.service",
    "db.system.name",
    "db.system",
    "messaging.system",
    "server.address",
    "net.peer.name",
    "network.peer.address",
    "http.host",
    "net.peer.ip",
];

/// A request for the graph of a range, as it was sent.
#[derive(Debug, Default, Deserialize)]
struct GraphRequest {
    #[serde(flatten)]
    ends: Ends,
    #[serde(rename = "GroupName")]
    group: Option<String>,
    #[serde(rename = "GroupARN")]
    group_arn: Option<String>,
    #[serde(rename = "NextToken")]
    token: Option<String>,
}

/// Reads and checks a request for the graph of a range.
pub(super) fn range_of(text: &[u8]) -> Result<TimeRange> {
    let request: GraphRequest = body(text)?;
    if let Some(group) = request.group.filter(|group| group != DEFAULT_GROUP) {
        return Err(bad(format!("there is no group {group:?}; leave GroupName out")));
    }
    ensure!(request.group_arn.is_none(), bad("groups have no ARN here; leave GroupARN out"));
    ensure!(request.token.is_none(), bad("a service graph has one page; leave NextToken out"));
    request.ends.range()
}

/// Requests or calls, and how they ended.
#[derive(Clone, Debug, Default)]
struct Statistics {
    n: u64,
    n_errors: u64,
    n_throttled: u64,
    n_faults: u64,
    total_s: f64,
    /// Durations in seconds and the requests that took as long.
    durations: Vec<(f64, u64)>,
}

impl Statistics {
    /// Returns the numbers of the map, with all failures as faults.
    fn of(total: &Total) -> Self {
        let durations: Vec<(f64, u64)> = total.histogram().collect();
        let total_s = durations.iter().map(|(seconds, n)| seconds * *n as f64).sum();
        Self { n: total.n, n_faults: total.n_errors, total_s, durations, ..Self::default() }
    }

    /// Turns the faults that are errors into errors.
    fn divide(&mut self, errors: Errors) {
        self.n_errors = errors.n.min(self.n_faults);
        self.n_throttled = errors.n_throttled.min(self.n_errors);
        self.n_faults -= self.n_errors;
    }

    /// Adds one request.
    fn add(&mut self, span: &Span) {
        let ended = outcomes(span);
        let seconds = span.duration_ns as f64 / 1e9;
        self.n += 1;
        self.n_faults += u64::from(ended.is_fault);
        self.n_errors += u64::from(!ended.is_fault && (ended.is_error || ended.is_throttle));
        self.n_throttled += u64::from(!ended.is_fault && ended.is_throttle);
        self.total_s += seconds;
        self.durations.push((seconds, 1));
    }

    fn summary(&self) -> Json {
        json!({
            "OkCount": self.n.saturating_sub(self.n_errors + self.n_faults),
            "ErrorStatistics": {
                "ThrottleCount": self.n_throttled, "OtherCount": self.n_errors - self.n_throttled,
                "TotalCount": self.n_errors,
            },
            "FaultStatistics": { "OtherCount": self.n_faults, "TotalCount": self.n_faults },
            "TotalCount": self.n, "TotalResponseTime": self.total_s,
        })
    }

    fn histogram(&self) -> Json {
        self.durations.iter().map(|(seconds, n)| json!({ "Value": seconds, "Count": n })).collect()
    }
}

/// Failed requests or calls that are errors of the caller.
#[derive(Clone, Copy, Debug, Default)]
struct Errors {
    n: u64,
    n_throttled: u64,
}

/// Failures that are not faults.
#[derive(Debug, Default)]
struct Failures {
    /// Requests, by service.
    requests: BTreeMap<String, Errors>,
    /// Calls, by service and the name of the target.
    calls: BTreeMap<(String, String), Errors>,
}

impl Failures {
    /// Returns the calls to a target, by any service.
    fn calls_to(&self, name: &str) -> Errors {
        let calls = self.calls.iter().filter(|((_, called), _)| called == name);
        calls.fold(Errors::default(), |sum, (_, errors)| Errors {
            n: sum.n + errors.n,
            n_throttled: sum.n_throttled + errors.n_throttled,
        })
    }
}

/// A graph in X-Ray's form.
#[derive(Default)]
struct ServiceGraph {
    nodes: BTreeMap<ServiceId, Statistics>,
    edges: BTreeMap<(ServiceId, ServiceId), Statistics>,
}

impl ServiceGraph {
    /// Returns the services, with the calls of each.
    fn services(&self, range: TimeRange) -> Json {
        let (from, to) = (seconds(range.from.0), seconds(range.to.0));
        let places: BTreeMap<&ServiceId, usize> = self.nodes.keys().zip(0..).collect();
        let mut edges: Vec<Vec<Json>> = vec![Vec::new(); self.nodes.len()];
        let mut is_called = vec![false; self.nodes.len()];
        for ((caller, called), calls) in &self.edges {
            let (Some(caller), Some(called)) = (places.get(caller), places.get(called)) else { continue };
            is_called[*called] = true;
            edges[*caller].push(json!({
                "ReferenceId": called, "StartTime": from, "EndTime": to, "SummaryStatistics": calls.summary(),
                "ResponseTimeHistogram": calls.histogram(), "Aliases": [],
            }));
        }
        let service = |(place, (id, requests)): (usize, (&ServiceId, &Statistics))| {
            let mut json = service_json(id);
            json["ReferenceId"] = place.into();
            json["Root"] = (!is_called[place]).into();
            json["State"] = "active".into();
            (json["StartTime"], json["EndTime"]) = (from.into(), to.into());
            json["Edges"] = edges[place].clone().into();
            json["SummaryStatistics"] = requests.summary();
            json["ResponseTimeHistogram"] = requests.histogram();
            json
        };
        self.nodes.iter().enumerate().map(service).collect()
    }
}

/// Answers with the services and calls of a range.
pub(super) fn of_range(run: &QueryRun<'_>, state: &TracesState, range: TimeRange) -> Result<Json> {
    let mut reading = Reading::default();
    let map = map::map(run, state, range, &[], &mut reading)?;
    let failures = failures(run, map.range, &mut reading)?;
    reading.whole()?;
    let graph = of_map(&map, &failures);
    Ok(json!({
        "StartTime": seconds(map.range.from.0), "EndTime": seconds(map.range.to.0), "Services": graph.services(map.range),
        "ContainsOldGroupVersions": false,
    }))
}

fn of_map(map: &Graph, failures: &Failures) -> ServiceGraph {
    let id = |(kind, name): &NodeId| {
        let kind = match kind.name() {
            "service" => None,
            "database" => Some("Database::SQL"),
            "external" => Some("remote"),
            other => Some(other),
        };
        ServiceId { name: name.to_string(), kind: kind.map(str::to_owned), account: None }
    };
    let mut graph = ServiceGraph::default();
    for (node, found) in &map.nodes {
        let mut statistics = Statistics::of(&found.requests);
        statistics.divide(match node.0 {
            NodeKind::Service => failures.requests.get(&*node.1).copied().unwrap_or_default(),
            NodeKind::Target(_) => failures.calls_to(&node.1),
        });
        graph.nodes.insert(id(node), statistics);
    }
    for ((from, to), calls) in &map.edges {
        let mut statistics = Statistics::of(calls);
        let key = (from.1.to_string(), to.1.to_string());
        statistics.divide(failures.calls.get(&key).copied().unwrap_or_default());
        // Calls may go to a service without spans in the range.
        graph.nodes.entry(id(to)).or_default();
        graph.edges.insert((id(from), id(to)), statistics);
    }
    graph
}

/// Counts the failures that are errors of the callers.
fn failures(run: &QueryRun<'_>, range: TimeRange, reading: &mut Reading) -> Result<Failures> {
    let mut by: Vec<(Name, Expr)> = FAILURE_FIELDS.iter().map(|name| (Name::from(*name), field(name))).collect();
    by.push(("is_below".into(), is_present("parent_span_id")));
    let operators = vec![
        Operator::Filter(is_span()),
        Operator::Filter(equal("status", "error")),
        Operator::Aggregate { by, aggregates: vec![aggregate("n", AggregateKind::Count, None)] },
        show(FAILURE_FIELDS.into_iter().chain(["is_below", "n"]), false),
    ];
    let (scope, snapshot) = (times::scope(run.server.now()), run.snapshot(&span_groups(&[]), range));
    let answer: Answer = run.execute_on(&snapshot, &Plan::new(operators), &scope, range)?;
    let mut failures = Failures::default();
    for mut row in reading.add(answer) {
        let (Some(n), Some(is_below)) = (row.pop(), row.pop()) else { continue };
        let fields = FAILURE_FIELDS.iter().zip(row).filter_map(|(name, value)| Some(((*name).into(), value?)));
        let span = Span::of_event(fields.collect());
        let (ended, Some(Value::Integer(n))) = (outcomes(&span), n) else { continue };
        if ended.is_fault {
            continue;
        }
        let n = u64::try_from(n).unwrap_or_default();
        let add = |errors: &mut Errors| {
            errors.n += n;
            errors.n_throttled += if ended.is_throttle { n } else { 0 };
        };
        let service = span.service.to_string();
        if matches!(span.kind, SpanKind::Client | SpanKind::Producer) {
            add(failures.calls.entry((service.clone(), call_name(&span))).or_default());
        }
        if matches!(span.kind, SpanKind::Server | SpanKind::Consumer) || is_below != Some(Value::Boolean(true)) {
            add(failures.requests.entry(service).or_default());
        }
    }
    Ok(failures)
}

/// Answers with the services of some traces and their calls.
pub(super) fn of_traces(traces: &[Trace]) -> Json {
    let mut graph = ServiceGraph::default();
    for trace in traces {
        let segments = Segments::of(trace);
        for segment in &segments.all {
            let span = segments.span(segment);
            graph.nodes.entry(segment.service.clone()).or_default().add(span);
            if let Some(caller) = segment.caller {
                let edge = (segments.all[caller].service.clone(), segment.service.clone());
                graph.edges.entry(edge).or_default().add(span);
            }
        }
    }
    let ends = traces.iter().map(Trace::times).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let (from, to) = ends.unwrap_or_default();
    json!({ "Services": graph.services(TimeRange { from, to }) })
}
