//! `/api/v1/rules`, `/api/v1/alerts`: what is watched, and what it has come to.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::server::Shared;

pub(crate) async fn rules(State(server): Shared) -> Json<Value> {
    Json(json!({"rules": server.app.alerts.rules()}))
}

pub(crate) async fn alerts(State(server): Shared) -> Json<Value> {
    Json(json!({"alerts": server.app.alerts.alerts()}))
}
