//! `/-/healthy`, `/-/ready`: alive, and able to serve.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use storage::Status;
use types::ByteSize;

use crate::problem::AFTER_POISON;
use crate::routes::upkeep::standing_warnings;
use crate::server::{Server, Shared};

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

/// Everything that keeps the server from serving whole answers or from accepting events.
pub(crate) fn reasons(server: &Server, status: Status) -> Vec<String> {
    let mut reasons: Vec<String> = status.damaged.iter().map(|damage| damage.to_string()).collect();
    reasons.extend(server.damages_found());
    reasons.extend(server.app.store.locked().map(str::to_owned));
    reasons.extend(status.poisoned.map(|why| format!("the store takes no events: {why}; {AFTER_POISON}")));
    reasons.extend(status.catalog_problem.map(|why| format!("the catalog cannot be used: {why}")));
    if let Some(free) = status.disk_free_bytes.filter(|free| *free < status.disk_reserve_bytes) {
        let (free, reserve) = (ByteSize(free), ByteSize(status.disk_reserve_bytes));
        reasons
            .push(format!("the store takes no events: {free} are free on its disk and {reserve} are kept in reserve"));
    }
    reasons.extend(server.app.alerts.save_error().map(|why| format!("alerts are not announced: {why}")));
    if *server.closing.borrow() {
        reasons.push("the server is shutting down".into());
    }
    reasons
}
