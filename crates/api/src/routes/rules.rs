//! `/api/v1/rules`: alert rules. Those of files are shown; others are made, changed and removed, with the same keys as in
//! files, by whom the groups exist for that they are about.

use alert::{PutMode, RuleView};
use axum::Json;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::session::read_json_of;
use door::parameters::PathName;
use door::problem::Problem;
use door::server::Shared;

/// Largest body: a query text of 64 KiB, written as JSON, and what stands around it.
pub(super) const BODY_BYTES_MAX: usize = 160 << 10;

/// What is changed of a rule without sending all of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    enabled: bool,
}

pub(crate) async fn list(server: Shared) -> Json<Value> {
    let mut rules = server.app.alerts.rules();
    rules.retain(|rule| server.reaches_all(&rule.groups));
    Json(json!({"rules": rules}))
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

pub(crate) async fn patch(
    server: Shared,
    PathName(name): PathName,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let Switch { enabled } = read_json_of(&server, &headers, body, BODY_BYTES_MAX).await?;
    let of_thread = server.clone();
    let work = move || {
        of_thread.app.alerts.enable_rule(&name, enabled, &of_thread.caller.author())?;
        of_thread.audit_own("rule switched", &json!({"rule": name, "enabled": enabled}));
        shown(&of_thread, &name)
    };
    server.lookups.run(work).await?.map(Json)
}

pub(crate) async fn delete(server: Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    let of_thread = server.clone();
    let work = move || {
        of_thread.app.alerts.remove_rule(&name, &of_thread.caller.author())?;
        of_thread.audit_own("rule removed", &json!({"rule": name}));
        Ok::<(), Problem>(())
    };
    server.lookups.run(work).await??;
    Ok(Json(json!({"deleted": true})))
}

async fn put_as(server: &Shared, name: String, definition: Value, put: PutMode) -> Result<Value, Problem> {
    let of_thread = server.clone();
    let work = move || {
        of_thread.app.alerts.put_rule(&name, definition, &of_thread.caller.author(), put)?;
        of_thread.audit_own("rule set", &json!({"rule": name}));
        shown(&of_thread, &name)
    };
    server.lookups.run(work).await?
}

/// Returns the name in a body that makes something new.
pub(super) fn name_of(definition: &Value) -> Result<String, Problem> {
    let name = definition["name"].as_str().map(str::to_owned);
    name.ok_or_else(|| Problem::bad_request("bad-definition", "the body has no name"))
}

/// Returns a rule that exists for the caller, with its definition as sent.
fn shown(server: &Shared, name: &str) -> Result<Value, Problem> {
    let found = server.app.alerts.rule(name).filter(|(rule, _)| server.reaches_all(&rule.groups));
    let (rule, definition): (RuleView, _) =
        found.ok_or_else(|| Problem::not_found(format!("there is no rule {name:?}")))?;
    let mut json = serde_json::to_value(rule).map_err(|error| Problem::internal(error.to_string()))?;
    json["definition"] = definition.unwrap_or_default();
    Ok(json)
}
