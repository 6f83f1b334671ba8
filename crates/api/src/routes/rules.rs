//! `/api/v1/rules`: alert rules. Those of files are shown; others are made, changed and removed, with the same keys as in
//! files, by whom the groups exist for that they are about.

use alert::{PutMode, RuleView};
use axum::Json;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use door::{PathName, Problem, SentJson, Shared};

/// A body: a query text of at most 64 KiB, written as JSON, and what stands around it.
pub(super) type Body = SentJson<{ 160 << 10 }>;

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

pub(crate) fn get(server: &Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    shown(server, &name)
}

pub(crate) fn post(server: &Shared, body: Body) -> Result<(StatusCode, Json<Value>), Problem> {
    let definition: Value = body.read()?;
    let made = set(server, &name_of(&definition)?, definition, PutMode::New)?;
    Ok((StatusCode::CREATED, made))
}

pub(crate) fn put(server: &Shared, PathName(name): PathName, body: Body) -> Result<Json<Value>, Problem> {
    set(server, &name, body.read()?, PutMode::Replace)
}

pub(crate) fn patch(server: &Shared, PathName(name): PathName, body: Body) -> Result<Json<Value>, Problem> {
    let Switch { enabled } = body.read()?;
    server.app.alerts.enable_rule(&name, enabled, &server.caller.author())?;
    server.audit_own("rule switched", &json!({"rule": name, "enabled": enabled}));
    shown(server, &name)
}

pub(crate) fn delete(server: &Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    server.app.alerts.remove_rule(&name, &server.caller.author())?;
    server.audit_own("rule removed", &json!({"rule": name}));
    Ok(Json(json!({"deleted": true})))
}

fn set(server: &Shared, name: &str, definition: Value, put: PutMode) -> Result<Json<Value>, Problem> {
    server.app.alerts.put_rule(name, definition, &server.caller.author(), put)?;
    server.audit_own("rule set", &json!({"rule": name}));
    shown(server, name)
}

/// Returns the name in a body that makes something new.
pub(super) fn name_of(definition: &Value) -> Result<String, Problem> {
    let name = definition["name"].as_str().map(str::to_owned);
    name.ok_or_else(|| Problem::bad_request("bad-definition", "the body has no name"))
}

/// Returns a rule that exists for the caller, with its definition as sent.
fn shown(server: &Shared, name: &str) -> Result<Json<Value>, Problem> {
    let found = server.app.alerts.rule(name).filter(|(rule, _)| server.reaches_all(&rule.groups));
    let (rule, definition): (RuleView, _) =
        found.ok_or_else(|| Problem::not_found(format!("there is no rule {name:?}")))?;
    let mut json = serde_json::to_value(rule).map_err(|error| Problem::internal(error.to_string()))?;
    json["definition"] = definition.unwrap_or_default();
    Ok(Json(json))
}
