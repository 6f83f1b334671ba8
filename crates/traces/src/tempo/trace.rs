//! `/tempo/api/traces/{id}` and `/tempo/api/v2/traces/{id}`: the spans of a trace.

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use door::parameters::{Parameters, PathName};
use door::problem::Problem;
use door::query_run::read;
use door::server::Shared;
use serde_json::json;
use types::Timestamp;

use crate::native::trace::{bad_id, missing};
use crate::otlp::{Message, json_batches, protobuf_batches};
use crate::read::{self as reading, Trace};
use crate::span::trace_id;
use crate::times;

const PROTOBUF: &str = "application/protobuf";

/// `PartialStatus.PARTIAL` of a `TraceByIDResponse`.
const PARTIAL: u64 = 1;

/// Answers with a `tempopb.Trace`.
pub(crate) async fn first(
    server: Shared,
    PathName(id): PathName,
    parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&server, &id, &parameters, &headers, |trace, is_protobuf| {
        if is_protobuf {
            protobuf_batches(&trace.spans).0
        } else {
            json!({"batches": json_batches(&trace.spans)}).to_string().into_bytes()
        }
    })
    .await
}

/// Answers with a `tempopb.TraceByIDResponse`, which can say that the trace is not whole.
pub(crate) async fn second(
    server: Shared,
    PathName(id): PathName,
    parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&server, &id, &parameters, &headers, |trace, is_protobuf| {
        let reason = not_whole(trace);
        if is_protobuf {
            let mut message = Message::default();
            message.bytes(1, &protobuf_batches(&trace.spans).0);
            if let Some(reason) = reason {
                message.number(3, PARTIAL);
                message.bytes(4, reason.as_bytes());
            }
            return message.0;
        }
        let mut answer = json!({"trace": {"resourceSpans": json_batches(&trace.spans)}, "metrics": {}});
        if let Some(reason) = reason {
            (answer["status"], answer["message"]) = ("PARTIAL".into(), reason.into());
        }
        answer.to_string().into_bytes()
    })
    .await
}

/// Returns why spans of a trace may be missing from the answer.
fn not_whole(trace: &Trace) -> Option<String> {
    let cut = trace.problems.iter().filter(|problem| problem.code == crate::problem::ProblemCode::Cut);
    let reasons: Vec<&str> = cut
        .map(|problem| problem.message.as_str())
        .chain(trace.reading.partial_reasons.iter().map(|reason| reason.message.as_str()))
        .collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

async fn answer(
    server: &Shared,
    id: &str,
    parameters: &Parameters,
    headers: &HeaderMap,
    write: fn(&Trace, bool) -> Vec<u8>,
) -> Result<Response, Problem> {
    let id = trace_id(id).ok_or_else(|| bad_id(id))?;
    let range = times::range_of_numbers(parameters, ("start", "end"), Timestamp::SECOND, server.now())?;
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let is_protobuf = accepted.into_iter().any(|accept| accept.contains(PROTOBUF));
    let body = read(server, &format!("trace {id}"), move |run| {
        // The range is where the trace is looked for; what begins before it or ends after it belongs to the trace.
        let range = range.map(|range| times::widened(range, Timestamp::HOUR));
        let trace = reading::trace(run, &id, range)?.filter(|trace| !trace.spans.is_empty());
        Ok(write(&trace.ok_or_else(|| missing(&id))?, is_protobuf))
    })
    .await?;
    let content_type = if is_protobuf { PROTOBUF } else { "application/json" };
    Ok(([(header::CONTENT_TYPE, content_type)], body).into_response())
}
