//! `/api/v1/rules`: alert rules. Those of files are shown; others are made, changed and removed, with the same keys as in
//! files, by whom the groups exist for that they are about.

use alert::{PutMode, RuleView};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::state::Call;
use door::{Outcome, Problem, Reply, RequestBody, Result, Shared};

/// A body: a query text of at most 64 KiB, written as JSON, and what stands around it.
pub(super) const BODY_BYTES_MAX: usize = 160 << 10;

/// What is changed of a rule without sending all of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    enabled: bool,
}

pub(crate) fn list(Call { server, .. }: Call) -> Outcome {
    let mut rules = server.app.alerts.rules();
    rules.retain(|rule| server.reaches_all(&rule.groups));
    Ok(Reply::json(&json!({"rules": rules})))
}

pub(crate) fn get(Call { server, path: [name, _], .. }: &Call) -> Outcome {
    shown(server, name)
}

pub(crate) fn post(Call { server, .. }: &Call, body: &RequestBody) -> Outcome {
    let definition: Value = body.json()?;
    Ok(set(server, &name_of(&definition)?, definition, PutMode::New)?.with_status(StatusCode::CREATED))
}

pub(crate) fn put(Call { server, path: [name, _], .. }: &Call, body: &RequestBody) -> Outcome {
    set(server, name, body.json()?, PutMode::Replace)
}

pub(crate) fn patch(Call { server, path: [name, _], .. }: &Call, body: &RequestBody) -> Outcome {
    let Switch { enabled } = body.json()?;
    server.app.alerts.enable_rule(name, enabled, &server.caller.author())?;
    server.audit_own("rule switched", &json!({"rule": name, "enabled": enabled}));
    shown(server, name)
}

pub(crate) fn delete(Call { server, path: [name, _], .. }: &Call) -> Outcome {
    server.app.alerts.remove_rule(name, &server.caller.author())?;
    server.audit_own("rule removed", &json!({"rule": name}));
    Ok(Reply::json(&json!({"deleted": true})))
}

fn set(server: &Shared, name: &str, definition: Value, put: PutMode) -> Outcome {
    server.app.alerts.put_rule(name, definition, &server.caller.author(), put)?;
    server.audit_own("rule set", &json!({"rule": name}));
    shown(server, name)
}

/// Returns the name in a body that makes something new.
pub(super) fn name_of(definition: &Value) -> Result<String> {
    let name = definition["name"].as_str().map(str::to_owned);
    name.ok_or_else(|| Problem::bad_request("bad-definition", "the body has no name"))
}

/// Returns a rule that exists for the caller, with its definition as sent.
fn shown(server: &Shared, name: &str) -> Outcome {
    let found = server.app.alerts.rule(name).filter(|(rule, _)| server.reaches_all(&rule.groups));
    let (rule, definition): (RuleView, _) =
        found.ok_or_else(|| Problem::not_found(format!("there is no rule {name:?}")))?;
    let mut json = serde_json::to_value(rule).map_err(|error| Problem::internal(error.to_string()))?;
    json["definition"] = definition.unwrap_or_default();
    Ok(Reply::json(&json))
}
