//! Splunk's HTTP event collector (HEC): events as objects and as raw lines.
//!
//! Answers are a text and a number of Splunk's, `{"text":"Success","code":0}`. If one of several events is invalid,
//! `invalid-event-number` is its position, and `message` its error; the valid events of the request are stored.

pub mod decode;

use self::decode::{HecDefaults, HecFault, HecForm, ingest_hec};
use crate::bodies::store;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use door::{Call, ErrorFormat, Outcome, Problem, Reply, Role, Routes};

/// The prefix of the collector's paths.
pub const PREFIX: &str = "/services/collector";

/// Returns the routes of this API.
pub(crate) fn add(mut table: Routes<()>) -> Routes<()> {
    for path in ["/services/collector", "/services/collector/event", "/services/collector/event/1.0"] {
        // Docker's driver tests for a collector with OPTIONS, without a key, before it sends.
        table = table.post(path, Role::Ingest, |call| accept(call, HecForm::Events)).options(path, Role::None, healthy);
    }
    for path in ["/services/collector/raw", "/services/collector/raw/1.0"] {
        table = table.post(path, Role::Ingest, |call| accept(call, HecForm::Raw)).options(path, Role::None, healthy);
    }
    for path in ["/services/collector/health", "/services/collector/health/1.0"] {
        table = table.get(path, Role::None, healthy);
    }
    table.post("/services/collector/ack", Role::Ingest, no_acks)
}

fn accept(Call { server, parameters, parts, .. }: Call<()>, form: HecForm) -> Outcome {
    let said = |name: &str| parameters.get(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let defaults = HecDefaults {
        index: said("index"),
        host: said("host"),
        source: said("source"),
        sourcetype: said("sourcetype"),
        target: None,
    };
    store(&server, &parts.headers, move |intake, (body, encoding), sender| {
        Ok(Reply::Whole(answer_of(ingest_hec(intake, body, encoding, form, &defaults, sender)?.fault)))
    })
}

fn answer_of(fault: Option<(usize, HecFault)>) -> Response {
    let Some((event_idx, fault)) = fault else {
        return say(StatusCode::OK, "Success", 0, json!({}));
    };
    let (text, code) = match fault {
        HecFault::NoData => return say(StatusCode::BAD_REQUEST, "No data", 5, json!({})),
        HecFault::BadFormat(_) => ("Invalid data format", 6),
        HecFault::BadIndex(_) => ("Incorrect index", 7),
        HecFault::NoEvent => ("Event field is required", 12),
        HecFault::BlankEvent => ("Event field cannot be blank", 13),
        HecFault::BadFields => ("Error in handling indexed fields", 15),
    };
    let more = json!({ "invalid-event-number": event_idx, "message": fault.to_string() });
    say(StatusCode::BAD_REQUEST, text, code, more)
}

fn healthy(call: Call<()>) -> Outcome {
    Ok(Reply::Whole(match call.server.whole_store().locked() {
        None => say(StatusCode::OK, "HEC is healthy", 17, json!({})),
        Some(reason) => say(StatusCode::SERVICE_UNAVAILABLE, "HEC is unhealthy", 18, json!({ "message": reason })),
    }))
}

/// Answers a query for acknowledgements: there are none, since every answered event is durable.
fn no_acks(_: Call<()>) -> Outcome {
    Ok(Reply::Whole(say(StatusCode::BAD_REQUEST, "ACK is disabled", 14, json!({}))))
}

fn say(status: StatusCode, text: &str, code: u8, mut more: Value) -> Response {
    more["text"] = text.into();
    more["code"] = code.into();
    (status, Json(more)).into_response()
}

/// Errors in the form of Splunk.
pub struct SplunkFormat;

impl ErrorFormat for SplunkFormat {
    fn refuse(&self, problem: &Problem) -> Response {
        refuse(problem)
    }
}

fn refuse(problem: &Problem) -> Response {
    let busy = StatusCode::SERVICE_UNAVAILABLE;
    let (status, text, code) = match (problem.status.as_u16(), problem.code) {
        (401, "key-required") => (problem.status, "Token is required", 2),
        (401, _) => (StatusCode::FORBIDDEN, "Invalid token", 4),
        (403, _) => (problem.status, "Invalid token", 4),
        (413, _) => (problem.status, "Request entity too large", 27),
        (408, _) => (problem.status, "Invalid data format", 6),
        (404, _) => (problem.status, "The requested URL was not found on this server.", 404u16),
        (405, _) => (problem.status, "Method not allowed", 405),
        (_, "shutting-down") => (busy, "Server is shutting down", 23),
        (429 | 503 | 507, _) => (busy, "Server is busy", 9),
        (400..500, _) => (problem.status, "Invalid data format", 6),
        _ => (problem.status, "Internal server error", 8),
    };
    (status, Json(json!({ "text": text, "code": code, "message": problem.message }))).into_response()
}
