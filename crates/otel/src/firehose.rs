//! Amazon Data Firehose's delivery to an HTTP endpoint.
//!
//! The answer is the id of the request and a time, with `errorMessage` if not everything was stored. Firehose repeats a request
//! until it is answered with 200, with the same id: it is stored once. Events that can never be stored are named in a
//! successful answer, since a repeated request would fail the same way. The key is in `X-Amz-Firehose-Access-Key`.

pub mod decode;

use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use self::decode::{FirehoseDefaults, ingest_firehose};
use crate::bodies::store;
use door::{Call, ErrorFormat, Outcome, Problem, Reply, Role, Routes};

/// The address of deliveries.
pub const PATH: &str = "/firehose";

/// Returns the routes of this API.
pub(crate) fn add(table: Routes<()>) -> Routes<()> {
    table.post(PATH, Role::Ingest, post)
}

fn post(Call { server, parameters, parts, .. }: Call<()>) -> Outcome {
    parameters.check_names(&[])?;
    let headers = &parts.headers;
    let version = header(headers, "x-amz-firehose-protocol-version");
    if !matches!(version, "" | "1.0") {
        let message = format!("version {version:?} of Firehose's protocol is not supported; send 1.0");
        return Err(Problem::bad_request("unsupported-version", message));
    }
    let defaults = defaults(headers)?;
    store(&server, headers, move |intake, body, sender| {
        let (id, answer) = ingest_firehose(intake, body, &defaults, sender)?;
        let mut json = json!({ "requestId": id, "timestamp": sender.now.0 / 1_000_000 });
        if let Some(first) = answer.rejected.first() {
            let n_rejected = answer.rejected.len() as u64 + answer.rejected_unnamed;
            let error = format!("{n_rejected} events were not stored; record {}: {}", first.line, first.error);
            json["errorMessage"] = error.into();
        }
        Ok(Reply::json(&json))
    })
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Reads what the headers state about all events: the name of the delivery stream and the common attributes.
fn defaults(headers: &HeaderMap) -> Result<FirehoseDefaults, Problem> {
    let bad = |problem: String| {
        let message = format!("X-Amz-Firehose-Common-Attributes is not an object of commonAttributes: {problem}");
        Problem::bad_request("bad-header", message)
    };
    let mut defaults = FirehoseDefaults::default();
    let arn = header(headers, "x-amz-firehose-source-arn");
    defaults.delivery_stream = arn.rsplit_once('/').map_or("", |(_, name)| name).to_owned();
    let Some(attributes) = headers.get("x-amz-firehose-common-attributes") else { return Ok(defaults) };
    let read: Map<String, Value> =
        serde_json::from_slice(attributes.as_bytes()).map_err(|error| bad(error.to_string()))?;
    let Some(Value::Object(attributes)) = read.get("commonAttributes") else {
        return Err(bad("it has no such member".to_owned()));
    };
    for (name, value) in attributes {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match name.as_str() {
            "group" => defaults.group = value,
            "stream" => defaults.stream = value,
            _ => defaults.fields.push((name.clone(), value)),
        }
    }
    Ok(defaults)
}

/// Errors in the form of Firehose.
pub struct FirehoseFormat {
    request_id: String,
}

impl FirehoseFormat {
    /// Returns the form of errors of the request with these headers.
    pub fn of(headers: &HeaderMap) -> Self {
        Self { request_id: header(headers, "x-amz-firehose-request-id").to_owned() }
    }
}

impl ErrorFormat for FirehoseFormat {
    fn refuse(&self, problem: &Problem) -> Response {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let timestamp = u64::try_from(now.as_millis()).unwrap_or_default();
        let said = json!({ "requestId": self.request_id, "timestamp": timestamp, "errorMessage": problem.sentence() });
        (problem.status, Json(said)).into_response()
    }
}
