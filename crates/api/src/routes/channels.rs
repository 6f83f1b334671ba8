//! `/api/v1/channels`: whom alerts are told to, and how each does. Secrets are taken and never given.

use alert::PutMode;
use axum::Json;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::rules::{Body, name_of};
use door::{PathName, Problem, Shared};

pub(crate) async fn list(server: Shared) -> Json<Value> {
    let mut channels = server.app.alerts.channels();
    channels.retain(|channel| server.caller.scope.covers(&channel.scope));
    Json(json!({"channels": channels}))
}

pub(crate) fn get(server: &Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    shown(server, &name).map(Json)
}

pub(crate) fn post(server: &Shared, body: Body) -> Result<(StatusCode, Json<Value>), Problem> {
    let definition: Value = body.read()?;
    let made = set(server, &name_of(&definition)?, definition, PutMode::New)?;
    Ok((StatusCode::CREATED, made))
}

pub(crate) fn put(server: &Shared, PathName(name): PathName, body: Body) -> Result<Json<Value>, Problem> {
    set(server, &name, body.read()?, PutMode::Replace)
}

pub(crate) fn delete(server: &Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    server.app.alerts.remove_channel(&name, &server.caller.author())?;
    server.audit_own("channel removed", &json!({"channel": name}));
    Ok(Json(json!({"deleted": true})))
}

/// Delivers a notification now that says that it is a test, and tells what became of it.
pub(crate) fn test(server: &Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    let delivered = server.app.alerts.test_channel(&name, &server.caller.author())?;
    server.audit_own("channel tested", &json!({"channel": name, "delivered": delivered.is_ok()}));
    let error = delivered.err().map(|error| error.to_string());
    Ok(Json(json!({"delivered": error.is_none(), "error": error})))
}

fn set(server: &Shared, name: &str, definition: Value, put: PutMode) -> Result<Json<Value>, Problem> {
    server.app.alerts.put_channel(name, definition, &server.caller.author(), put)?;
    let shown = shown(server, name)?;
    server.audit_own("channel set", &json!({"channel": name, "type": shown["type"]}));
    Ok(Json(shown))
}

fn shown(server: &Shared, name: &str) -> Result<Value, Problem> {
    let mut channels = server.app.alerts.channels().into_iter();
    let found = channels.find(|channel| channel.name == name && server.caller.scope.covers(&channel.scope));
    let channel = found.ok_or_else(|| Problem::not_found(format!("there is no channel {name:?}")))?;
    serde_json::to_value(channel).map_err(|error| Problem::internal(error.to_string()))
}
