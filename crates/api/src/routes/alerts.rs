//! `/api/v1/alerts`: what rules have come to, of the groups that exist for the caller, and who has taken it on.

use std::collections::BTreeSet;

use alert::AlertView;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{channels, rule_trials, rules, silences};
use crate::state::{Call, Routes};
use door::{Outcome, Problem, Reply, RequestBody, Result, Role, Shared};

/// Largest body with a comment on an alert, and longest comment.
const COMMENT_BODY_BYTES_MAX: usize = 160 << 10;
const COMMENT_BYTES_MAX: usize = 2_000;

/// What is said of an alert by who takes it on.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with comment")]
struct Acknowledgement {
    #[serde(default)]
    comment: String,
}

/// Returns the routes of alerting.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .get("/api/v1/rules", Role::Read, rules::list)
        .post("/api/v1/rules", Role::Operate, |call| call.json()?.look_up_with(rules::BODY_BYTES_MAX, rules::post))
        .post("/api/v1/rules/test", Role::Read, |call| call.read(rule_trials::BODY_BYTES_MAX, rule_trials::test))
        .post("/api/v1/rules/backtest", Role::Read, |call| call.read(rule_trials::BODY_BYTES_MAX, rule_trials::past))
        .get("/api/v1/rules/{name}", Role::Read, |call| call.look_up(rules::get))
        .put("/api/v1/rules/{name}", Role::Operate, |call| call.json()?.look_up_with(rules::BODY_BYTES_MAX, rules::put))
        .patch("/api/v1/rules/{name}", Role::Operate, |call| {
            call.json()?.look_up_with(rules::BODY_BYTES_MAX, rules::patch)
        })
        .delete("/api/v1/rules/{name}", Role::Operate, |call| call.look_up(rules::delete))
        .get("/api/v1/alerts", Role::Read, list)
        .post("/api/v1/alerts/{id}/acknowledge", Role::Read, |call| {
            call.look_up_with(COMMENT_BODY_BYTES_MAX, acknowledge)
        })
        .delete("/api/v1/alerts/{id}/acknowledge", Role::Read, |call| call.look_up(take_back))
        .get("/api/v1/channels", Role::Operate, channels::list)
        .post("/api/v1/channels", Role::Operate, |call| {
            call.json()?.look_up_with(rules::BODY_BYTES_MAX, channels::post)
        })
        .get("/api/v1/channels/{name}", Role::Operate, |call| call.look_up(channels::get))
        .put("/api/v1/channels/{name}", Role::Operate, |call| {
            call.json()?.look_up_with(rules::BODY_BYTES_MAX, channels::put)
        })
        .delete("/api/v1/channels/{name}", Role::Operate, |call| call.look_up(channels::delete))
        .post("/api/v1/channels/{name}/test", Role::Operate, |call| call.look_up(channels::test))
        .get("/api/v1/silences", Role::Read, silences::list)
        .post("/api/v1/silences", Role::Operate, |call| {
            call.json()?.look_up_with(rules::BODY_BYTES_MAX, silences::post)
        })
        .delete("/api/v1/silences/{id}", Role::Operate, |call| call.look_up(silences::delete))
}

pub(crate) fn list(Call { server, .. }: Call) -> Outcome {
    Ok(Reply::json(&json!({"alerts": visible(&server)})))
}

/// Takes an alert on: nobody is told of it again until it ends.
pub(crate) fn acknowledge(Call { server, path: [id, _], parts, .. }: &Call, body: &RequestBody) -> Outcome {
    let taken = if body.bytes().trim_ascii().is_empty() {
        Acknowledgement::default()
    } else {
        if !door::access::is_json(&parts.headers) {
            let message = "a body has to be JSON, and its content type has to say so";
            let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "json-required", message);
            return Err(problem.hint("send Content-Type: application/json, or no body"));
        }
        let taken: Result<Option<Acknowledgement>, _> = serde_json::from_slice(body.bytes());
        taken.map(Option::unwrap_or_default).map_err(|error| {
            let problem = Problem::bad_request("bad-definition", error.to_string());
            problem.hint(r#"send {"comment": "on it"}, or no body; who you are is known by your key or session"#)
        })?
    };
    if taken.comment.len() > COMMENT_BYTES_MAX {
        return Err(Problem::bad_request("bad-definition", format!("comment has {COMMENT_BYTES_MAX} bytes at most")));
    }
    set_acknowledged(server, id, Some(taken))
}

/// Takes that back.
pub(crate) fn take_back(Call { server, path: [id, _], .. }: &Call) -> Outcome {
    set_acknowledged(server, id, None)
}

fn set_acknowledged(server: &Shared, id: &str, taken: Option<Acknowledgement>) -> Outcome {
    one(server, id)?;
    let by = taken.as_ref().map(|taken| (&*server.caller.name, taken.comment.as_str()));
    server.app.alerts.acknowledge(id, by)?;
    let alert = one(server, id)?;
    let action = if taken.is_some() { "alert acknowledged" } else { "acknowledgement taken back" };
    server.audit_own(action, &json!({"alert": id, "rule": alert.rule, "labels": alert.labels}));
    Ok(Reply::json(&json!(alert)))
}

fn one(server: &Shared, id: &str) -> Result<AlertView> {
    let found = visible(server).into_iter().find(|alert| alert.id == id);
    found.ok_or_else(|| Problem::not_found(format!("there is no alert {id:?}")))
}

/// Returns the alerts of rules about groups that exist for the caller.
pub(crate) fn visible(server: &Shared) -> Vec<AlertView> {
    let rules = server.app.alerts.rules();
    let visible: BTreeSet<&str> =
        rules.iter().filter(|rule| server.reaches_all(&rule.groups)).map(|rule| rule.name.as_str()).collect();
    let mut alerts = server.app.alerts.alerts();
    alerts.retain(|alert| visible.contains(alert.rule.as_str()));
    alerts
}
