//! `/api/v1/rules`, `/api/v1/alerts`: what is watched, and what it has come to, of the groups that exist for the caller.

use std::collections::BTreeSet;

use axum::Json;
use serde_json::{Value, json};

use crate::access::covers;
use crate::server::Shared;

/// Whether all groups that a rule looks at exist for the caller; it speaks of all of them together.
pub(crate) fn reaches(server: &Shared, groups: &[String]) -> bool {
    let scope = &server.caller.scope;
    scope.is_everything() || !groups.is_empty() && groups.iter().all(|pattern| covers(scope, pattern))
}

pub(crate) async fn rules(server: Shared) -> Json<Value> {
    let mut rules = server.app.alerts.rules();
    rules.retain(|rule| reaches(&server, &rule.groups));
    Json(json!({"rules": rules}))
}

pub(crate) async fn alerts(server: Shared) -> Json<Value> {
    let rules = server.app.alerts.rules();
    let visible: BTreeSet<&str> =
        rules.iter().filter(|rule| reaches(&server, &rule.groups)).map(|rule| rule.name.as_str()).collect();
    let mut alerts = server.app.alerts.alerts();
    alerts.retain(|alert| visible.contains(alert.rule.as_str()));
    Json(json!({"alerts": alerts}))
}
