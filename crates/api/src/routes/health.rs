//! `/-/healthy`, `/-/ready`: alive, and able to serve.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::routes::upkeep::standing_warnings;
use door::Shared;
use door::health::reasons;

/// Answers that the process is alive.
pub(crate) async fn healthy() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

pub(crate) async fn ready(server: Shared) -> Response {
    let status = server.whole_store().status();
    let warnings = standing_warnings(&server, &status);
    let reasons = reasons(&server, status);
    if reasons.is_empty() {
        return Json(json!({"status": "ready", "warnings": warnings})).into_response();
    }
    let answer = json!({"status": "not ready", "reasons": reasons, "warnings": warnings});
    (StatusCode::SERVICE_UNAVAILABLE, Json(answer)).into_response()
}

/// Answers as Loki does: its clients look for the word `ready`.
pub(crate) async fn loki_ready(server: Shared) -> Response {
    let reasons = reasons(&server, server.whole_store().status());
    let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    if reasons.is_empty() {
        return (plain, "ready\n").into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, plain, format!("not ready: {}\n", reasons.join("; "))).into_response()
}
