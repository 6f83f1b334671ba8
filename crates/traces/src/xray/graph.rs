//! `GetServiceGraph`, of the service map, and `GetTraceGraph`, of the segments of some traces.
//!
//! The map knows of a call whether it failed. How the requests of a service failed is read besides, from the spans that failed; of
//! calls, only their number is known, and all failed ones are faults.

use std::collections::BTreeMap;

use door::problem::Problem;
use door::query_run::QueryRun;
use execute::Answer;
use plan::{Expr, Operator, Plan, balanced};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use types::{TimeRange, Value};

use super::attributes::outcomes;
use super::document::seconds;
use super::request::{Ends, bad, body};
use super::segments::{Segments, ServiceId};
use super::summaries::service_json;
use crate::map::graph::{Graph, NodeKind};
use crate::map::measure::Total;
use crate::map::{self};
use crate::plans::{count_by, equal, is_present, is_span, show, span_groups};
use crate::read::{Reading, Trace};
use crate::span::Span;
use crate::state::TracesState;
use crate::times;

/// The group that X-Ray has by default: all traces.
const DEFAULT_GROUP: &str = "Default";

/// The fields of a span that say how it ended.
const OUTCOME_FIELDS: [&str; 7] = [
    "service",
    "status",
    "aws.xray.error",
    "aws.xray.throttle",
    "aws.xray.fault",
    "http.response.status_code",
    "http.status_code",
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
pub(super) fn range_of(text: &[u8]) -> Result<TimeRange, Problem> {
    let request: GraphRequest = body(text)?;
    if let Some(group) = request.group.filter(|group| group != DEFAULT_GROUP) {
        return Err(bad(format!("there is no group {group:?}; leave GroupName out")));
    }
    if request.group_arn.is_some() {
        return Err(bad("groups have no ARN here; leave GroupARN out"));
    }
    if request.token.is_some() {
        return Err(bad("a service graph has one page; leave NextToken out"));
    }
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
    /// Returns the numbers of the map, all failed requests being faults.
    fn of(total: &Total) -> Self {
        let durations: Vec<(f64, u64)> = total.histogram().collect();
        let total_s = durations.iter().map(|(seconds, n)| seconds * *n as f64).sum();
        Self { n: total.n, n_faults: total.n_errors, total_s, durations, ..Self::default() }
    }

    /// Makes errors of the faults that are errors.
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

/// Failed requests of a service that are errors of its callers.
#[derive(Clone, Copy, Debug, Default)]
struct Errors {
    n: u64,
    n_throttled: u64,
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
pub(super) fn of_range(run: &QueryRun<'_>, state: &TracesState, range: TimeRange) -> Result<Json, Problem> {
    let mut reading = Reading::default();
    let map = map::map(run, &state.slices, range, &[], &mut reading)?;
    let errors = errors(run, map.range, &mut reading)?;
    reading.whole()?;
    let graph = of_map(&map, &errors);
    Ok(json!({
        "StartTime": seconds(map.range.from.0), "EndTime": seconds(map.range.to.0), "Services": graph.services(map.range),
        "ContainsOldGroupVersions": false,
    }))
}

fn of_map(map: &Graph, errors: &BTreeMap<String, Errors>) -> ServiceGraph {
    let id = |(kind, name): &(NodeKind, std::sync::Arc<str>)| {
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
        if node.0 == NodeKind::Service {
            statistics.divide(errors.get(&*node.1).copied().unwrap_or_default());
        }
        graph.nodes.insert(id(node), statistics);
    }
    graph.edges.extend(map.edges.iter().map(|((from, to), calls)| ((id(from), id(to)), Statistics::of(calls))));
    // Calls may go to a service of which no span is in the range.
    let called: Vec<ServiceId> = graph.edges.keys().map(|(_, called)| called.clone()).collect();
    for called in called {
        graph.nodes.entry(called).or_default();
    }
    graph
}

/// Counts, by service, the failed requests that are errors of the callers.
fn errors(run: &QueryRun<'_>, range: TimeRange, reading: &mut Reading) -> Result<BTreeMap<String, Errors>, Problem> {
    let is_request = balanced(
        vec![equal("kind", "server"), equal("kind", "consumer"), plan::not(is_present("parent_span_id"))],
        Expr::Or,
    );
    let operators = vec![
        Operator::Filter(is_span()),
        Operator::Filter(equal("status", "error")),
        Operator::Filter(is_request),
        count_by(&OUTCOME_FIELDS),
        show(OUTCOME_FIELDS.into_iter().chain(["n"]), false),
    ];
    let (scope, snapshot) = (times::scope(run.server.now()), run.snapshot(&span_groups(&[]), range));
    let answer: Answer = run.execute_on(&snapshot, &Plan::new(operators), &scope, range)?;
    let mut errors: BTreeMap<String, Errors> = BTreeMap::new();
    for mut row in reading.add(answer) {
        let Some(Some(Value::Integer(n))) = row.pop() else { continue };
        let fields = OUTCOME_FIELDS.iter().zip(row).filter_map(|(name, value)| Some(((*name).into(), value?)));
        let span = Span::of_event(fields.collect());
        let (ended, n) = (outcomes(&span), u64::try_from(n).unwrap_or_default());
        if !ended.is_fault {
            let errors = errors.entry(span.service.to_string()).or_default();
            errors.n += n;
            errors.n_throttled += if ended.is_throttle { n } else { 0 };
        }
    }
    Ok(errors)
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
