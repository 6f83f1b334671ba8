//! `/api/v1/channels`: whom alerts are told to, and how each does. Secrets are taken and never given.

use alert::{ChannelView, PutMode};
use axum::Json;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use types::GroupScope;

use super::rules::{BODY_BYTES_MAX, name_of};
use super::session::read_json_of;
use door::access::covers;
use door::parameters::PathName;
use door::problem::Problem;
use door::server::Shared;

/// Reports whether everything that a channel receives exists for the caller.
fn is_seen(server: &Shared, channel: &ChannelView) -> bool {
    let scope = &server.caller.scope;
    match &channel.scope {
        _ if scope.is_everything() => true,
        GroupScope::All => false,
        GroupScope::Matching(patterns) => patterns.iter().all(|pattern| covers(scope, pattern.as_str())),
    }
}

pub(crate) async fn list(server: Shared) -> Json<Value> {
    let mut channels = server.app.alerts.channels();
    channels.retain(|channel| is_seen(&server, channel));
    Json(json!({"channels": channels}))
}

pub(crate) async fn get(server: Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    shown(&server, &name).map(Json)
}

pub(crate) async fn post(server: Shared, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let definition: Value = read_json_of(&server, &headers, body, BODY_BYTES_MAX).await?;
    let name = name_of(&definition)?;
    let made = put_as(&server, name, definition, PutMode::New).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

pub(crate) async fn put(
    server: Shared,
    PathName(name): PathName,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let definition: Value = read_json_of(&server, &headers, body, BODY_BYTES_MAX).await?;
    put_as(&server, name, definition, PutMode::Replace).await.map(Json)
}

pub(crate) async fn delete(server: Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    let of_thread = server.clone();
    let work = move || {
        of_thread.app.alerts.remove_channel(&name, &of_thread.caller.author())?;
        of_thread.audit_own("channel removed", &json!({"channel": name}));
        Ok::<(), Problem>(())
    };
    server.lookups.run(work).await??;
    Ok(Json(json!({"deleted": true})))
}

/// Delivers a notification now that says that it is a test, and tells what became of it.
pub(crate) async fn test(server: Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    let of_thread = server.clone();
    let work = move || {
        let delivered = of_thread.app.alerts.test_channel(&name, &of_thread.caller.author())?;
        of_thread.audit_own("channel tested", &json!({"channel": name, "delivered": delivered.is_ok()}));
        Ok::<Value, Problem>(match delivered {
            Ok(()) => json!({"delivered": true, "error": null}),
            Err(error) => json!({"delivered": false, "error": error.to_string()}),
        })
    };
    Ok(Json(server.lookups.run(work).await??))
}

async fn put_as(server: &Shared, name: String, definition: Value, put: PutMode) -> Result<Value, Problem> {
    let of_thread = server.clone();
    let work = move || {
        of_thread.app.alerts.put_channel(&name, definition, &of_thread.caller.author(), put)?;
        let shown = shown(&of_thread, &name)?;
        of_thread.audit_own("channel set", &json!({"channel": name, "type": shown["type"]}));
        Ok::<Value, Problem>(shown)
    };
    server.lookups.run(work).await?
}

fn shown(server: &Shared, name: &str) -> Result<Value, Problem> {
    let mut channels = server.app.alerts.channels().into_iter();
    let found = channels.find(|channel| channel.name == name && is_seen(server, channel));
    let channel = found.ok_or_else(|| Problem::not_found(format!("there is no channel {name:?}")))?;
    serde_json::to_value(channel).map_err(|error| Problem::internal(error.to_string()))
}
