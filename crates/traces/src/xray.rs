//! AWS X-Ray's operations that read, under `/xray`: `BatchGetTraces`, `GetTraceSummaries`, `GetServiceGraph`, `GetTraceGraph`, and
//! the lists of groups and sampling rules, which are empty.
//!
//! Requests are signed as those of senders are; the crate `cloudwatch` checks them and gives errors their form. Times are seconds
//! since the epoch. Answers cannot be marked as partial: if events could not be read, for example, the answer is an error.

mod attributes;
mod document;
mod filter;
mod graph;
mod request;
mod segments;
mod summaries;

use cloudwatch::xray::{Step, carry_out};
use door::{FamilyServer, QueryRun, Result, Role};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use self::document::{documents, seconds, xray_id};
use self::request::{ById, body};
use self::segments::Segments;
use self::summaries::Summaries;
use crate::problem::ProblemCode;
use crate::read::{self as reading, Trace};
use crate::state::{Routes, TracesState};

/// Roles of readers, and of all who ask how to sample.
const READERS: &[Role] = &[Role::Read];
const SENDERS: &[Role] = &[Role::Ingest, Role::Read];

/// Adds the routes. They need no role: only the handler can check a signature, which covers the body.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .post("/xray/Traces", Role::None, |call| carry_out(call, "BatchGetTraces", READERS, traces))
        .post("/xray/TraceSummaries", Role::None, |call| carry_out(call, "GetTraceSummaries", READERS, summaries))
        .post("/xray/ServiceGraph", Role::None, |call| carry_out(call, "GetServiceGraph", READERS, service_graph))
        .post("/xray/TraceGraph", Role::None, |call| carry_out(call, "GetTraceGraph", READERS, trace_graph))
        .post("/xray/Groups", Role::None, |call| carry_out(call, "GetGroups", READERS, groups))
        .post("/xray/GetSamplingRules", Role::None, |call| carry_out(call, "GetSamplingRules", SENDERS, sampling_rules))
        .post("/xray/SamplingTargets", Role::None, |call| {
            carry_out(call, "GetSamplingTargets", SENDERS, sampling_targets)
        })
}

type Server = FamilyServer<TracesState>;

type Answer = Result<Step>;

/// `GetTraceSummaries`
fn summaries(_: &Server, body: &[u8]) -> Answer {
    let summaries = Summaries::read(body)?;
    let text = format!("X-Ray trace summaries {}", String::from_utf8_lossy(body));
    Ok(Step::query(&text, move |run| summaries.page(run)))
}

/// `BatchGetTraces`
fn traces(_: &Server, text: &[u8]) -> Answer {
    let ids = body(text).and_then(ById::ids)?;
    Ok(Step::query("X-Ray traces", move |run| {
        let (mut found, mut unprocessed) = (Vec::new(), Vec::new());
        for (sent, id) in ids {
            match whole_trace(run, &id)? {
                Some(trace) => found.push(trace_json(&trace)),
                None => unprocessed.push(sent),
            }
        }
        Ok(json!({"Traces": found, "UnprocessedTraceIds": unprocessed}))
    }))
}

/// Reads a trace that has spans.
fn whole_trace(run: &QueryRun<'_>, id: &str) -> Result<Option<Trace>> {
    let trace = reading::trace(run, id, None)?.filter(|trace| !trace.spans.is_empty());
    trace.iter().try_for_each(|trace| trace.reading.whole())?;
    Ok(trace)
}

fn trace_json(trace: &Trace) -> Json {
    let segments = Segments::of(trace);
    let documents = documents(&segments).into_iter().map(|(id, document)| json!({"Id": id, "Document": document}));
    json!({
        "Id": xray_id(&trace.id), "Duration": segments.duration_ns() as f64 / 1e9,
        "LimitExceeded": trace.problems.iter().any(|problem| problem.code == ProblemCode::Cut),
        "Segments": documents.collect::<Vec<_>>(),
    })
}

/// `GetTraceGraph`
fn trace_graph(_: &Server, text: &[u8]) -> Answer {
    let ids = body(text).and_then(ById::ids)?;
    Ok(Step::query("X-Ray trace graph", move |run| {
        let traces = ids.iter().map(|(_, id)| whole_trace(run, id)).collect::<Result<Vec<_>, _>>()?;
        let traces: Vec<Trace> = traces.into_iter().flatten().collect();
        Ok(graph::of_traces(&traces))
    }))
}

/// `GetServiceGraph`
fn service_graph(server: &Server, body: &[u8]) -> Answer {
    let range = graph::range_of(body)?;
    let state = server.state.clone();
    Ok(Step::query("service map", move |run| graph::of_range(run, &state, range)))
}

/// `GetGroups`: none can be defined.
fn groups(_: &Server, _: &[u8]) -> Answer {
    Ok(Step::Answer(json!({"Groups": []})))
}

/// `GetSamplingRules`: none can be defined, so that SDKs sample by their own rules.
fn sampling_rules(_: &Server, _: &[u8]) -> Answer {
    Ok(Step::Answer(json!({"SamplingRuleRecords": []})))
}

/// A request for sampling targets, as it was sent.
#[derive(Debug, Default, Deserialize)]
struct TargetsRequest {
    #[serde(rename = "SamplingStatisticsDocuments", default)]
    statistics: Vec<RuleStatistics>,
}

/// A sender's statistics of one rule.
#[derive(Debug, Default, Deserialize)]
struct RuleStatistics {
    #[serde(rename = "RuleName", default)]
    rule: String,
}

/// `GetSamplingTargets`: no rule is known, so none has a target.
fn sampling_targets(server: &Server, text: &[u8]) -> Answer {
    let TargetsRequest { statistics } = body(text)?;
    let unknown = |RuleStatistics { rule }| {
        let message = format!("there is no sampling rule {rule:?}");
        json!({"RuleName": rule, "ErrorCode": "RuleNotFound", "Message": message})
    };
    Ok(Step::Answer(json!({
        "SamplingTargetDocuments": [], "LastRuleModification": seconds(server.started.0),
        "UnprocessedStatistics": statistics.into_iter().map(unknown).collect::<Vec<_>>(),
    })))
}
