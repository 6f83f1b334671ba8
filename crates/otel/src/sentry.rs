//! Sentry's intake of envelopes: structured logs and errors of its SDKs.
//!
//! Success is 200, the id of the event in the envelope, and the numbers of what is not stored here, by type of item. SDKs send
//! an envelope once, whatever the answer; an envelope with an invalid event is answered with 400, and its other events are stored.
//! The key is the public key of the DSN, in `X-Sentry-Auth`; like any other key it is refused in an address.

pub mod decode;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use types::group_name_of_outside;

use self::decode::{EnvelopeAnswer, ingest_envelope};
use crate::bodies::store;
use door::{Call, ErrorFormat, Outcome, Problem, Reply, Role, Routes};

/// Returns the routes of this API.
pub(crate) fn add(table: Routes<()>) -> Routes<()> {
    let table = table.post("/api/{project}/envelope/", Role::Ingest, post);
    table.post("/api/{project}/envelope", Role::Ingest, post)
}

/// Reports whether a path belongs to this API.
pub fn is_address(path: &str) -> bool {
    path.starts_with("/api/") && path.trim_end_matches('/').ends_with("/envelope")
}

fn post(mut call: Call<()>) -> Outcome {
    call.parameters.check_names(&["sentry_version", "sentry_client"])?;
    let group = group_name_of_outside(&format!("sentry/{}", call.variable()));
    store(&call.server, &call.parts.headers, move |intake, body, sender| {
        Ok(reply(&ingest_envelope(intake, body, &group, sender)?))
    })
}

fn reply(answer: &EnvelopeAnswer) -> Reply {
    let EnvelopeAnswer { id, stored, ignored } = answer;
    let mut json = json!({});
    if let Some(id) = id {
        json["id"] = id.as_str().into();
    }
    if !ignored.is_empty() {
        json["ignored"] = json!(ignored);
    }
    if stored.rejected.is_empty() {
        return Reply::json(&json);
    }
    let n_rejected = stored.rejected.len() as u64 + stored.rejected_unnamed;
    let causes = stored.rejected.iter().map(|one| Value::from(format!("event {}: {}", one.line, one.error)));
    json["detail"] = format!("{n_rejected} events are invalid, the others are stored").into();
    json["causes"] = causes.collect();
    Reply::json(&json).with_status(StatusCode::BAD_REQUEST)
}

/// Errors in the form of Sentry.
pub struct SentryFormat;

impl ErrorFormat for SentryFormat {
    fn refuse(&self, problem: &Problem) -> Response {
        (problem.status, Json(json!({ "detail": problem.sentence() }))).into_response()
    }
}
