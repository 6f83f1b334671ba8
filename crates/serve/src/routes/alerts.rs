//! `/api/v1/rules`, `/api/v1/alerts`: what is watched, and what it has come to.

use axum::Json;
use serde_json::{Value, json};

use crate::server::Shared;

pub(crate) async fn rules(server: Shared) -> Json<Value> {
    Json(json!({"rules": server.app.alerts.rules()}))
}

pub(crate) async fn alerts(server: Shared) -> Json<Value> {
    Json(json!({"alerts": server.app.alerts.alerts()}))
}
