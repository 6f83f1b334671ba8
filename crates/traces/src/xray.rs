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

use axum::extract::Request;
use axum::response::Response;
use cloudwatch::CloudWatchProblem;
use cloudwatch::xray::{admit_caller, answer, problem};
use door::{FamilyServer, Problem, QueryRun, Role};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use self::document::{documents, seconds, xray_id};
use self::request::{ById, body};
use self::segments::Segments;
use self::summaries::Summaries;
use crate::problem::ProblemCode;
use crate::read::{self as reading, Trace};
use crate::state::{Routes, TracesState};

/// Adds the routes. They need no role: only the handler can check a signature, which covers the body.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .post("/xray/Traces", Role::None, |call| call.answered_by(traces))
        .post("/xray/TraceSummaries", Role::None, |call| call.answered_by(summaries))
        .post("/xray/ServiceGraph", Role::None, |call| call.answered_by(service_graph))
        .post("/xray/TraceGraph", Role::None, |call| call.answered_by(trace_graph))
        .post("/xray/Groups", Role::None, |call| call.answered_by(groups))
        .post("/xray/GetSamplingRules", Role::None, |call| call.answered_by(sampling_rules))
        .post("/xray/SamplingTargets", Role::None, |call| call.answered_by(sampling_targets))
}

type Server = FamilyServer<TracesState>;

type Answer = Result<Response, CloudWatchProblem>;

/// Admits readers.
async fn reader(server: Server, request: Request, operation: &str) -> Result<(Server, Vec<u8>), CloudWatchProblem> {
    admit_caller(server, request, operation, &[Role::Read]).await
}

/// Runs a query and answers with its result.
async fn query<F>(server: &Server, text: &str, work: F) -> Answer
where
    F: FnOnce(&QueryRun<'_>) -> Result<Json, Problem> + Send + 'static,
{
    Ok(answer(&server.read(text, work).await.map_err(problem)?))
}

/// `GetTraceSummaries`
async fn summaries(server: Server, request: Request) -> Answer {
    let (server, body) = reader(server, request, "GetTraceSummaries").await?;
    let summaries = Summaries::read(&body).map_err(problem)?;
    let text = format!("X-Ray trace summaries {}", String::from_utf8_lossy(&body));
    query(&server, &text, move |run| summaries.page(run)).await
}

/// `BatchGetTraces`
async fn traces(server: Server, request: Request) -> Answer {
    let (server, text) = reader(server, request, "BatchGetTraces").await?;
    let ids = body(&text).and_then(ById::ids).map_err(problem)?;
    query(&server, "X-Ray traces", move |run| {
        let (mut found, mut unprocessed) = (Vec::new(), Vec::new());
        for (sent, id) in ids {
            match whole_trace(run, &id)? {
                Some(trace) => found.push(trace_json(&trace)),
                None => unprocessed.push(sent),
            }
        }
        Ok(json!({"Traces": found, "UnprocessedTraceIds": unprocessed}))
    })
    .await
}

/// Reads a trace that has spans.
fn whole_trace(run: &QueryRun<'_>, id: &str) -> Result<Option<Trace>, Problem> {
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
async fn trace_graph(server: Server, request: Request) -> Answer {
    let (server, text) = reader(server, request, "GetTraceGraph").await?;
    let ids = body(&text).and_then(ById::ids).map_err(problem)?;
    query(&server, "X-Ray trace graph", move |run| {
        let traces = ids.iter().map(|(_, id)| whole_trace(run, id)).collect::<Result<Vec<_>, _>>()?;
        let traces: Vec<Trace> = traces.into_iter().flatten().collect();
        Ok(graph::of_traces(&traces))
    })
    .await
}

/// `GetServiceGraph`
async fn service_graph(server: Server, request: Request) -> Answer {
    let (server, body) = reader(server, request, "GetServiceGraph").await?;
    let range = graph::range_of(&body).map_err(problem)?;
    let state = server.state.clone();
    query(&server, "service map", move |run| graph::of_range(run, &state, range)).await
}

/// `GetGroups`: none can be defined.
async fn groups(server: Server, request: Request) -> Answer {
    reader(server, request, "GetGroups").await?;
    Ok(answer(&json!({"Groups": []})))
}

/// `GetSamplingRules`: none can be defined, so that SDKs sample by their own rules.
async fn sampling_rules(server: Server, request: Request) -> Answer {
    admit_caller(server, request, "GetSamplingRules", &[Role::Ingest, Role::Read]).await?;
    Ok(answer(&json!({"SamplingRuleRecords": []})))
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
async fn sampling_targets(server: Server, request: Request) -> Answer {
    let roles = [Role::Ingest, Role::Read];
    let (server, text) = admit_caller(server, request, "GetSamplingTargets", &roles).await?;
    let TargetsRequest { statistics } = body(&text).map_err(problem)?;
    let unknown = |RuleStatistics { rule }| {
        let message = format!("there is no sampling rule {rule:?}");
        json!({"RuleName": rule, "ErrorCode": "RuleNotFound", "Message": message})
    };
    Ok(answer(&json!({
        "SamplingTargetDocuments": [], "LastRuleModification": seconds(server.started.0),
        "UnprocessedStatistics": statistics.into_iter().map(unknown).collect::<Vec<_>>(),
    })))
}
