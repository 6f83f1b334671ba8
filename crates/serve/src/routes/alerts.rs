//! `/api/v1/alerts`: what rules have come to, of the groups that exist for the caller, and who has taken it on.

use std::collections::BTreeSet;

use alert::AlertView;
use axum::Json;
use serde_json::{Value, json};

use super::{channels, rule_trials, rules, silences};
use crate::access::{Role, covers};
use crate::parameters::PathName;
use crate::problem::Problem;
use crate::router::Table;
use crate::server::Shared;

/// The routes of alerting.
pub(crate) fn add(table: Table) -> Table {
    table
        .get("/api/v1/rules", Role::Read, rules::list)
        .post("/api/v1/rules", Role::Operate, rules::post)
        .post("/api/v1/rules/test", Role::Read, rule_trials::test)
        .post("/api/v1/rules/backtest", Role::Read, rule_trials::past)
        .get("/api/v1/rules/{name}", Role::Read, rules::get)
        .put("/api/v1/rules/{name}", Role::Operate, rules::put)
        .patch("/api/v1/rules/{name}", Role::Operate, rules::patch)
        .delete("/api/v1/rules/{name}", Role::Operate, rules::delete)
        .get("/api/v1/alerts", Role::Read, list)
        .post("/api/v1/alerts/{id}/acknowledge", Role::Read, acknowledge)
        .delete("/api/v1/alerts/{id}/acknowledge", Role::Read, take_back)
        .get("/api/v1/channels", Role::Operate, channels::list)
        .post("/api/v1/channels", Role::Operate, channels::post)
        .get("/api/v1/channels/{name}", Role::Operate, channels::get)
        .put("/api/v1/channels/{name}", Role::Operate, channels::put)
        .delete("/api/v1/channels/{name}", Role::Operate, channels::delete)
        .post("/api/v1/channels/{name}/test", Role::Operate, channels::test)
        .get("/api/v1/silences", Role::Read, silences::list)
        .post("/api/v1/silences", Role::Operate, silences::post)
        .delete("/api/v1/silences/{id}", Role::Operate, silences::delete)
}

/// Whether all groups that a rule looks at exist for the caller; it speaks of all of them together.
pub(crate) fn reaches(server: &Shared, groups: &[String]) -> bool {
    let scope = &server.caller.scope;
    scope.is_everything() || !groups.is_empty() && groups.iter().all(|pattern| covers(scope, pattern))
}

pub(crate) async fn list(server: Shared) -> Json<Value> {
    Json(json!({"alerts": visible(&server)}))
}

/// Takes an alert on: nobody is told of it again until it ends.
pub(crate) async fn acknowledge(server: Shared, PathName(id): PathName) -> Result<Json<Value>, Problem> {
    set_acknowledged(server, id, true).await
}

/// Takes that back.
pub(crate) async fn take_back(server: Shared, PathName(id): PathName) -> Result<Json<Value>, Problem> {
    set_acknowledged(server, id, false).await
}

async fn set_acknowledged(server: Shared, id: String, is_taken: bool) -> Result<Json<Value>, Problem> {
    let of_thread = server.clone();
    let work = move || {
        one(&of_thread, &id)?;
        let by = is_taken.then_some(&*of_thread.caller.name);
        of_thread.app.alerts.acknowledge(&id, by)?;
        let alert = one(&of_thread, &id)?;
        let action = if is_taken { "alert acknowledged" } else { "acknowledgement taken back" };
        of_thread.audit_own(action, &json!({"alert": id, "rule": alert.rule, "labels": alert.labels}));
        Ok::<AlertView, Problem>(alert)
    };
    Ok(Json(json!(server.lookups.run(work).await??)))
}

fn one(server: &Shared, id: &str) -> Result<AlertView, Problem> {
    let found = visible(server).into_iter().find(|alert| alert.id == id);
    found.ok_or_else(|| Problem::not_found(format!("there is no alert {id:?}")))
}

fn visible(server: &Shared) -> Vec<AlertView> {
    let rules = server.app.alerts.rules();
    let visible: BTreeSet<&str> =
        rules.iter().filter(|rule| reaches(server, &rule.groups)).map(|rule| rule.name.as_str()).collect();
    let mut alerts = server.app.alerts.alerts();
    alerts.retain(|alert| visible.contains(alert.rule.as_str()));
    alerts
}
