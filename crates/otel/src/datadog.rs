//! Datadog's intake of logs over HTTP, for its agent, its libraries, and other agents that can send to it.
//!
//! Success is 202 and `{}`. If some events are invalid, the others are stored, and the answer is 400 with an error for each
//! invalid one: clients drop a request after that, and a client that repeats it stores nothing twice.

pub mod decode;

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ingest::IngestAnswer;
use serde_json::{Value, json};

use self::decode::{DatadogDefaults, DatadogForm, ingest_datadog};
use crate::bodies::store;
use door::{Call, ErrorFormat, Outcome, Problem, Reply, Role, Routes};

/// The address of logs, and that of older agents.
const PATHS: [&str; 2] = ["/api/v2/logs", "/v1/input"];

/// Where clients ask whether their key is right.
const VALIDATE: &str = "/api/v1/validate";

/// Returns the routes of this API.
pub(crate) fn add(table: Routes<()>) -> Routes<()> {
    let valid = |_| Ok(Reply::json(&json!({ "valid": true })));
    PATHS.into_iter().fold(table.get(VALIDATE, Role::Any, valid), |table, path| table.post(path, Role::Ingest, post))
}

/// Reports whether a path belongs to this API.
pub fn is_address(path: &str) -> bool {
    path == VALIDATE || PATHS.contains(&path)
}

fn post(Call { server, parameters, parts, .. }: Call<()>) -> Outcome {
    parameters.check_names(&["ddsource", "ddtags", "hostname", "service"])?;
    let said = |name: &str| parameters.all(name).collect::<Vec<_>>().join(",");
    let defaults = DatadogDefaults {
        service: said("service"),
        host: said("hostname"),
        source: said("ddsource"),
        tags: said("ddtags"),
    };
    let form = form(&parts.headers)?;
    store(&server, &parts.headers, move |intake, body, sender| {
        Ok(reply(&ingest_datadog(intake, body, form, &defaults, sender)?))
    })
}

/// Returns the form of a request; without a content type it is JSON.
fn form(headers: &HeaderMap) -> Result<DatadogForm, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match &*kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase() {
        "text/plain" => Ok(DatadogForm::Lines),
        "application/logplex-1" | "application/x-protobuf" => {
            let message = format!("content type {kind:?} is not supported for Datadog's logs");
            let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", message);
            Err(problem.hint("send application/json or text/plain"))
        }
        _ => Ok(DatadogForm::Json),
    }
}

fn reply(answer: &IngestAnswer) -> Reply {
    if answer.rejected.is_empty() {
        return Reply::json(&json!({})).with_status(StatusCode::ACCEPTED);
    }
    let bad = |detail: String| error(StatusCode::BAD_REQUEST, &detail);
    let named = answer.rejected.iter().map(|one| bad(format!("event {}: {}", one.line, one.error)));
    let n_others = answer.rejected_unnamed;
    let others = (n_others > 0).then(|| bad(format!("{n_others} more events were rejected")));
    let errors: Vec<Value> = named.chain(others).collect();
    Reply::json(&json!({ "errors": errors })).with_status(StatusCode::BAD_REQUEST)
}

fn error(status: StatusCode, detail: &str) -> Value {
    let title = status.canonical_reason().unwrap_or_default();
    json!({ "status": status.as_u16().to_string(), "title": title, "detail": detail })
}

/// Errors in the form of Datadog.
pub struct DatadogFormat;

impl ErrorFormat for DatadogFormat {
    fn refuse(&self, problem: &Problem) -> Response {
        let errors = [error(problem.status, &problem.sentence())];
        (problem.status, Json(json!({ "errors": errors }))).into_response()
    }
}
