//! `/api/v1/channels`: whom alerts are told to, and how each does. Secrets are taken and never given.

use alert::PutMode;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::rules::name_of;
use crate::state::Call;
use door::{Outcome, Problem, Reply, RequestBody, Result, Shared};

pub(crate) fn list(Call { server, .. }: Call) -> Outcome {
    let mut channels = server.app.alerts.channels();
    channels.retain(|channel| server.caller.scope.covers(&channel.scope));
    Ok(Reply::json(&json!({"channels": channels})))
}

pub(crate) fn get(Call { server, path: [name, _], .. }: &Call) -> Outcome {
    Ok(Reply::json(&shown(server, name)?))
}

pub(crate) fn post(Call { server, .. }: &Call, body: &RequestBody) -> Outcome {
    let definition: Value = body.json()?;
    Ok(set(server, &name_of(&definition)?, definition, PutMode::New)?.with_status(StatusCode::CREATED))
}

pub(crate) fn put(Call { server, path: [name, _], .. }: &Call, body: &RequestBody) -> Outcome {
    set(server, name, body.json()?, PutMode::Replace)
}

pub(crate) fn delete(Call { server, path: [name, _], .. }: &Call) -> Outcome {
    server.app.alerts.remove_channel(name, &server.caller.author())?;
    server.audit_own("channel removed", &json!({"channel": name}));
    Ok(Reply::json(&json!({"deleted": true})))
}

/// Delivers a notification now that says that it is a test, and tells what became of it.
pub(crate) fn test(Call { server, path: [name, _], .. }: &Call) -> Outcome {
    let delivered = server.app.alerts.test_channel(name, &server.caller.author())?;
    server.audit_own("channel tested", &json!({"channel": name, "delivered": delivered.is_ok()}));
    let error = delivered.err().map(|error| error.to_string());
    Ok(Reply::json(&json!({"delivered": error.is_none(), "error": error})))
}

fn set(server: &Shared, name: &str, definition: Value, put: PutMode) -> Outcome {
    server.app.alerts.put_channel(name, definition, &server.caller.author(), put)?;
    let shown = shown(server, name)?;
    server.audit_own("channel set", &json!({"channel": name, "type": shown["type"]}));
    Ok(Reply::json(&shown))
}

fn shown(server: &Shared, name: &str) -> Result<Value> {
    let mut channels = server.app.alerts.channels().into_iter();
    let found = channels.find(|channel| channel.name == name && server.caller.scope.covers(&channel.scope));
    let channel = found.ok_or_else(|| Problem::not_found(format!("there is no channel {name:?}")))?;
    serde_json::to_value(channel).map_err(|error| Problem::internal(error.to_string()))
}
