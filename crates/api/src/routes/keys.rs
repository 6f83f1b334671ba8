//! `/api/v1/keys`: who may do what, with a key and without. A key's secrets are in the answer that makes it, and nowhere else.

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use types::Timestamp;

use crate::state::Call;
use door::access::{KeyOrder, KeyView, grace_ns_of};
use door::{Outcome, Problem, Reply, RequestBody, Shared};

/// Largest body of an order.
pub(super) const BODY_BYTES_MAX: usize = 128 << 10;

/// How long the old key goes on where nobody says how long.
const GRACE_NS: i64 = 24 * Timestamp::HOUR;

/// The place of a key's id for senders without one.
const ANONYMOUS: &str = "anonymous";

/// How a key is changed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    grace: Option<String>,
}

pub(crate) fn list(Call { server, .. }: Call) -> Outcome {
    let keys = server.app.keys.list(&server.caller.scope, server.now());
    Ok(Reply::json(&json!({"keys": keys, "anonymous": anonymous(&server)})))
}

/// Returns what may be done without a key, and who sends so; that is known of this node alone, and shown to callers who
/// reach all groups.
fn anonymous(server: &Shared) -> Value {
    let mut view = server.app.keys.anonymous().view(server.now());
    view["node"] = server.app.fleet.as_ref().map(|link| link.node().to_owned()).into();
    if !server.caller.scope.is_everything() {
        view["senders"] = json!([]);
        view["left_out"] = true.into();
    }
    view
}

pub(crate) fn post(Call { server, .. }: &Call, body: &RequestBody) -> Outcome {
    let order: KeyOrder = body.json_or(|error| {
        let problem = Problem::bad_request("bad-key-order", error.to_string());
        problem.hint(r#"send {"name":"ci","role":"read","groups":["app/*"]}"#)
    })?;
    let is_first = server.app.keys.admits_anonymous();
    let key = server.app.keys.create(&order, &server.caller.scope, server.now())?;
    let mut details = described(&key.view);
    let mut answer = json!(key);
    if is_first {
        answer["anonymous"] = anonymous(server);
        details["anonymous_until"] = answer["anonymous"]["until"].clone();
    }
    server.audit_own("key made", &details);
    Ok(made(&answer))
}

pub(crate) fn rotate(Call { server, path: [id, _], .. }: &Call, body: &RequestBody) -> Outcome {
    let bad = |message: String| Problem::bad_request("bad-rotation", message).hint(r#"send {"grace":"24h"}"#);
    let rotation: Rotation = match body.bytes().trim_ascii() {
        b"" => Rotation::default(),
        body => serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?,
    };
    let grace = rotation.grace.as_deref().map(grace_ns_of).transpose();
    let grace_ns = grace.map_err(|error| bad(error.to_string()))?.unwrap_or(GRACE_NS);
    let now = server.now();
    let until = Timestamp(now.0.saturating_add(grace_ns));
    let key = server.app.keys.rotate(id, until, &server.caller.scope, now)?;
    let mut details = described(&key.view);
    details["replaces"] = id.as_str().into();
    server.audit_own("key replaced", &details);
    Ok(made(&json!(key)))
}

pub(crate) fn delete(Call { server, path: [id, _], .. }: &Call) -> Outcome {
    if id == ANONYMOUS {
        server.must_reach_everything()?;
        server.app.keys.end_grace(server.now())?;
        server.audit_own("sending without a key ended", &json!({}));
        return Ok(Reply::json(&json!({"revoked": true, "id": id, "name": id})));
    }
    let revoked = server.app.keys.revoke(id, &server.caller.scope, server.now())?;
    server.audit_own("key revoked", &described(&revoked));
    Ok(Reply::json(&json!({"revoked": true, "id": revoked.id, "name": revoked.name})))
}

/// Returns a key in the form of an audit event.
fn described(key: &KeyView) -> Value {
    json!({"key_id": key.id, "key_name": key.name, "role": key.role, "groups": key.groups, "expires": key.expires})
}

fn made(key: &Value) -> Reply {
    Reply::json(key).with_status(StatusCode::CREATED).not_stored()
}
