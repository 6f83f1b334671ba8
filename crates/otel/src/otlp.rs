//! OTLP: logs and traces from OpenTelemetry's exporters and collectors, over HTTP as protobuf and JSON, and over gRPC.
//!
//! Answers have the encoding of the request: `ExportLogsServiceResponse` or `ExportTraceServiceResponse`, with the number of
//! rejected records, or `google.rpc.Status`. Exporters retry after 429, 502, 503 and 504 and drop data after any other error;
//! therefore errors that an operator can resolve are 503. Profiles are refused with an error that says so. What metrics become
//! is another crate's concern, which answers with [`post_with`] and [`export_with`].

pub mod decode;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ingest::protobuf::{put_bytes, put_varint};
use ingest::{Encoding, IngestAnswer, IngestError, Sender};
use serde_json::json;

pub use self::decode::OtlpForm;
use self::decode::{Signal, ingest_otlp};
use crate::grpc;
use crate::status::{code_of, status_message};
use door::headers::{batch_id, encoding};
use door::{Call, ErrorFormat, Outcome, Problem, Reply, Role, Routes, Server, Shared};

/// The signal of the protocol that is not supported.
const PROFILES: &str = "/v1development/profiles";

/// What the answers of a signal call its records.
#[derive(Clone, Copy, Debug)]
pub struct AnswerNames {
    /// One record, for errors.
    pub noun: &'static str,
    /// The member of a JSON answer that has the number of rejected records.
    pub rejected: &'static str,
}

/// Returns the routes of this API.
pub(crate) fn add(table: Routes<()>) -> Routes<()> {
    let [logs, traces]: [fn(Call<()>) -> Outcome; 2] =
        [|call| post(&call, Signal::Logs), |call| post(&call, Signal::Traces)];
    let table = table.post("/v1/logs", Role::Ingest, logs).post("/otlp/v1/logs", Role::Ingest, logs);
    let table = table.post("/v1/traces", Role::Ingest, traces).post("/otlp/v1/traces", Role::Ingest, traces);
    let service = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
    let table = table.post(service, Role::Ingest, |call| export(&call, Signal::Logs));
    let service = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    table.post(service, Role::Ingest, |call| export(&call, Signal::Traces))
}

/// Reports whether a path belongs to the protocol.
pub fn is_address(path: &str) -> bool {
    let bare = path.strip_prefix("/otlp").unwrap_or(path);
    matches!(bare, "/v1/logs" | "/v1/traces" | "/v1/metrics" | PROFILES)
}

/// Answers a path of the protocol without a route.
pub fn nothing_here(path: &str) -> Problem {
    let message = format!(
        "there is nothing at {path}: catat stores logs, traces and metrics, send them to /v1/logs, /v1/traces and /v1/metrics"
    );
    Problem::new(StatusCode::NOT_FOUND, "unimplemented", message)
}

impl Signal {
    pub(crate) fn names(self) -> AnswerNames {
        match self {
            Self::Logs => AnswerNames { noun: "record", rejected: "rejectedLogRecords" },
            Self::Traces => AnswerNames { noun: "span", rejected: "rejectedSpans" },
        }
    }
}

/// Answers a request over HTTP.
fn post(call: &Call<()>, signal: Signal) -> Outcome {
    post_with(&call.server, signal.names(), &call.parts.headers, move |server, (body, encoding), form, sender| {
        ingest_otlp(&server.app.intake, body, encoding, (signal, form), sender)
    })
}

/// Answers an export by gRPC.
fn export(call: &Call<()>, signal: Signal) -> Outcome {
    export_with(&call.server, signal.names(), &call.parts.headers, move |server, (body, encoding), form, sender| {
        ingest_otlp(&server.app.intake, body, encoding, (signal, form), sender)
    })
}

/// Answers a request over HTTP whose records `ingest` stores.
///
/// # Errors
/// If the request is malformed or nothing of it could be stored.
pub fn post_with<F>(server: &Shared, names: AnswerNames, headers: &HeaderMap, ingest: F) -> Outcome
where
    F: FnOnce(&Server, (&[u8], Encoding), OtlpForm, &Sender<'_>) -> Result<IngestAnswer, IngestError> + Send + 'static,
{
    let (form, encoding, batch_id) = (form(headers)?, encoding(headers)?, batch_id(headers)?);
    let (bytes_max, server) = (server.app.limits.body_bytes_max, server.clone());
    let store = move |body: &[u8]| {
        let answer = ingest(server.whole(), (body, encoding), form, &server.sender(batch_id.as_deref()))?;
        Ok(Reply::Whole(say(StatusCode::OK, form, response(&answer, names, form))))
    };
    Ok(Reply::body(bytes_max, move |received| Ok(Reply::intake(encoding.into(), received, store))))
}

/// Answers an export by gRPC whose records `ingest` stores.
///
/// # Errors
/// If the call is malformed or nothing of it could be stored.
pub fn export_with<F>(server: &Shared, names: AnswerNames, headers: &HeaderMap, ingest: F) -> Outcome
where
    F: FnOnce(&Server, (&[u8], Encoding), OtlpForm, &Sender<'_>) -> Result<IngestAnswer, IngestError> + Send + 'static,
{
    let (packing, batch_id) = (grpc::packing(headers)?, batch_id(headers)?);
    let bytes_max = server.app.limits.body_bytes_max.saturating_add(grpc::PREFIX_BYTES);
    let server = server.clone();
    let store = move |body: &[u8]| {
        let (message, sender) = (grpc::message(body, packing)?, server.sender(batch_id.as_deref()));
        let answer = ingest(server.whole(), message, OtlpForm::Protobuf, &sender)?;
        Ok(Reply::Whole(grpc::answer(&response(&answer, names, OtlpForm::Protobuf))))
    };
    Ok(Reply::body(bytes_max, move |received| Ok(Reply::intake(packing.into(), received, store))))
}

/// Returns the form of a request.
fn form(headers: &HeaderMap) -> Result<OtlpForm, Problem> {
    match media_type(headers.get(header::CONTENT_TYPE)).as_str() {
        "application/x-protobuf" | "application/protobuf" => Ok(OtlpForm::Protobuf),
        "application/json" => Ok(OtlpForm::Json),
        other => {
            let message = format!("content type {other:?} is none of OTLP's");
            let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", message);
            Err(problem.hint("send application/x-protobuf or application/json"))
        }
    }
}

/// Returns the form of the answer to a request whose content type may be invalid.
pub fn form_of_answer(content_type: Option<&HeaderValue>) -> OtlpForm {
    match media_type(content_type).as_str() {
        "application/x-protobuf" | "application/protobuf" => OtlpForm::Protobuf,
        _ => OtlpForm::Json,
    }
}

fn media_type(content_type: Option<&HeaderValue>) -> String {
    let text = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn say(status: StatusCode, form: OtlpForm, body: Vec<u8>) -> Response {
    let kind = match form {
        OtlpForm::Protobuf => "application/x-protobuf",
        OtlpForm::Json => "application/json",
    };
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static(kind))], body).into_response()
}

/// Writes the answer: `partial_success = 1 { rejected = 1, error_message = 2 }`, if any.
fn response(answer: &IngestAnswer, names: AnswerNames, form: OtlpForm) -> Vec<u8> {
    let rejected = answer.rejected.len() as u64 + answer.rejected_unnamed;
    let message = match answer.rejected.first() {
        Some(first) => format!("{} {}: {}", names.noun, first.line, first.error),
        None if rejected == 0 => String::new(),
        None => format!("{}s were rejected", names.noun),
    };
    match form {
        OtlpForm::Json if rejected == 0 => b"{}".to_vec(),
        OtlpForm::Json => {
            let partial = json!({ names.rejected: rejected.to_string(), "errorMessage": message });
            json!({ "partialSuccess": partial }).to_string().into_bytes()
        }
        OtlpForm::Protobuf if rejected == 0 => Vec::new(),
        OtlpForm::Protobuf => {
            let mut partial = vec![1 << 3];
            put_varint(rejected, &mut partial);
            put_bytes(2, message.as_bytes(), &mut partial);
            let mut out = Vec::new();
            put_bytes(1, &partial, &mut out);
            out
        }
    }
}

/// Errors of OTLP over HTTP, in the encoding of the request.
pub struct OtlpFormat(pub OtlpForm);

impl ErrorFormat for OtlpFormat {
    fn refuse(&self, problem: &Problem) -> Response {
        refuse(problem, self.0)
    }
}

/// Answers with `google.rpc.Status { code = 1, message = 2 }` and a status that exporters know.
fn refuse(problem: &Problem, form: OtlpForm) -> Response {
    let status = match problem.status.as_u16() {
        408 | 507 => StatusCode::SERVICE_UNAVAILABLE,
        _ => problem.status,
    };
    let (code, message) = (code_of(problem), problem.sentence());
    let body = match form {
        OtlpForm::Json => json!({ "code": code, "message": message }).to_string().into_bytes(),
        OtlpForm::Protobuf => status_message(code, &message),
    };
    say(status, form, body)
}
