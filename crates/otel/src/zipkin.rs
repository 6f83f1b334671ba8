//! Zipkin's collector: spans of version 2 as JSON.
//!
//! Requests are answered with 202, as Zipkin does. The body lists rejected spans, although reporters ignore it.
//! Reporters drop a request after any error, so a request is refused only if none of its spans could be stored. Errors are
//! plain text.

pub mod decode;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use self::decode::ingest_zipkin;
use crate::bodies::store;
use door::{Call, ErrorFormat, Outcome, Problem, Reply, Role, Routes};
use ingest::IngestAnswer;

/// Paths of the collector.
const PATHS: [&str; 2] = ["/api/v2/spans", "/zipkin/api/v2/spans"];

/// Paths of collectors whose protocols are not supported: Zipkin's first version and Jaeger's.
const OTHER_COLLECTORS: [&str; 3] = ["/api/v1/spans", "/zipkin/api/v1/spans", "/api/traces"];

/// Returns the routes of this API.
pub(crate) fn add(table: Routes<()>) -> Routes<()> {
    PATHS.into_iter().fold(table, |table, path| table.post(path, Role::Ingest, post))
}

/// Reports whether a path belongs to the collector.
pub fn is_address(path: &str) -> bool {
    PATHS.contains(&path)
}

/// Refuses spans sent to the path of a collector whose protocol is not supported.
pub fn refusal(path: &str) -> Option<Problem> {
    OTHER_COLLECTORS.contains(&path).then(|| {
        let message = format!("the protocol of {path} is not supported");
        let hint = "send spans as OTLP to /v1/traces (OpenTelemetry's SDKs and collector replace Jaeger's), or as \
            Zipkin's JSON of version 2 to /api/v2/spans";
        Problem::new(StatusCode::NOT_FOUND, "unimplemented", message).hint(hint)
    })
}

fn post(Call { server, parts, .. }: Call<()>) -> Outcome {
    check_type(&parts.headers)?;
    store(&server, &parts.headers, |intake, (body, encoding), sender| {
        reply(&ingest_zipkin(intake, body, encoding, sender)?)
    })
}

fn reply(answer: &IngestAnswer) -> Outcome {
    match answer.rejected.first() {
        None => Ok(StatusCode::ACCEPTED.into()),
        Some(first) if answer.accepted == 0 && !answer.duplicate => {
            let n_rejected = answer.rejected.len() as u64 + answer.rejected_unnamed;
            let message = format!("none of {n_rejected} spans is valid; span {}: {}", first.line, first.error);
            Err(Problem::bad_request("bad-spans", message))
        }
        Some(_) => Ok(Reply::serialized(answer).with_status(StatusCode::ACCEPTED)),
    }
}

/// Refuses content types that are not supported. Some reporters send none.
fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let bare = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !matches!(&*bare, "application/x-protobuf" | "application/x-thrift") {
        return Ok(());
    }
    let message = format!("content type {kind:?} is not supported for Zipkin's spans");
    let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", message);
    Err(problem.hint("set the encoding of the reporter to JSON (version 2)"))
}

/// Errors as plain text.
pub struct ZipkinFormat;

impl ErrorFormat for ZipkinFormat {
    fn refuse(&self, problem: &Problem) -> Response {
        (problem.status, problem.sentence()).into_response()
    }
}
