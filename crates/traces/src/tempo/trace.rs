//! `/tempo/api/traces/{id}` and `/tempo/api/v2/traces/{id}`: the spans of a trace.

use axum::http::header;
use door::{Outcome, Problem, Reply};
use serde_json::json;
use types::Timestamp;

use crate::native::trace::{bad_id, missing};
use crate::otlp::{Message, json_batches, protobuf_batches};
use crate::read::{self as reading, Trace, query};
use crate::span::trace_id;
use crate::state::Call;
use crate::times;
use crate::warning::with_warning;

const PROTOBUF: &str = "application/protobuf";

/// Parameters that ask for a part of a trace.
const CUTS: [&str; 2] = ["q", "span_pruning"];

/// `PartialStatus.PARTIAL` of a `TraceByIDResponse`.
const PARTIAL: u64 = 1;

/// Answers with a `tempopb.Trace`.
pub(crate) fn first(call: Call) -> Outcome {
    answer(call, |trace, is_protobuf| {
        if is_protobuf {
            protobuf_batches(&trace.spans).0
        } else {
            json!({"batches": json_batches(&trace.spans)}).to_string().into_bytes()
        }
    })
}

/// Answers with a `tempopb.TraceByIDResponse`, which can mark a trace as partial.
pub(crate) fn second(call: Call) -> Outcome {
    answer(call, |trace, is_protobuf| {
        let reason = trace.reading.not_whole();
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
}

fn answer(mut call: Call, write: fn(&Trace, bool) -> Vec<u8>) -> Outcome {
    let id = call.variable();
    let Call { server, parameters, parts, .. } = call;
    if let Some(unknown) = CUTS.iter().find(|name| parameters.get(name).is_some()) {
        let problem = Problem::bad_request("not-supported", format!("{unknown}: a trace is answered whole"));
        return Err(problem.hint("search with TraceQL for single spans"));
    }
    let id = trace_id(&id).ok_or_else(|| bad_id(&id))?;
    let range = times::range_of_numbers(&parameters, ("start", "end"), Timestamp::SECOND, server.now())?;
    let accepted = parts.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let is_protobuf = accepted.into_iter().any(|accept| accept.contains(PROTOBUF));
    query(&server, &format!("trace {id}"), move |run, _| {
        // The trace is looked for in the range; its spans before and after the range belong to it.
        let range = range.map(|range| times::widened(range, Timestamp::HOUR));
        let trace = reading::trace(run, &id, range)?.filter(|trace| !trace.spans.is_empty());
        let mut trace = trace.ok_or_else(|| missing(&id))?;
        trace.note_cuts();
        let content_type = if is_protobuf { PROTOBUF } else { "application/json" };
        Ok(with_warning(Reply::content(content_type, write(&trace, is_protobuf)), &trace.reading))
    })
}
