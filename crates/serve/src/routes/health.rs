//! `/-/healthy`, `/-/ready`: alive, and able to serve.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::routes::upkeep::standing_warnings;
use door::health::reasons;
use door::server::Shared;

/// The process answers: that is all that is asked.
pub(crate) async fn healthy() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

pub(crate) async fn ready(server: Shared) -> Response {
    let status = server.app.store.status();
    let warnings = standing_warnings(&server, &status);
    let reasons = reasons(&server, status);
    if reasons.is_empty() {
        return Json(json!({"status": "ready", "warnings": warnings})).into_response();
    }
    let answer = json!({"status": "not ready", "reasons": reasons, "warnings": warnings});
    (StatusCode::SERVICE_UNAVAILABLE, Json(answer)).into_response()
}

/// The same as Loki says it: its clients look for the word.
pub(crate) async fn loki_ready(server: Shared) -> Response {
    let reasons = reasons(&server, server.app.store.status());
    let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    if reasons.is_empty() {
        return (plain, "ready\n").into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, plain, format!("not ready: {}\n", reasons.join("; "))).into_response()
}
