//! `/api/v1/keys`: who may do what. A key's secrets are in the answer that makes it, and nowhere else.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use types::{Timestamp, parse_duration_ns};

use door::access::{KeyOrder, KeyView, NewKey};
use door::handler::Sent;
use door::parameters::PathName;
use door::problem::Problem;
use door::server::Shared;

/// The body of an order.
type Body = Sent<{ 128 << 10 }>;

/// How long the old key goes on where nobody says how long, and at most.
const GRACE_NS: i64 = 24 * Timestamp::HOUR;
const GRACE_NS_MAX: i64 = 90 * Timestamp::DAY;

/// How a key is changed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    grace: Option<String>,
}

pub(crate) async fn list(server: Shared) -> Json<Value> {
    Json(json!({"keys": server.app.keys.list(&server.caller.scope, server.now())}))
}

pub(crate) fn post(server: &Shared, body: Body) -> Result<Response, Problem> {
    let order: KeyOrder = serde_json::from_slice(body.0.bytes()).map_err(|error| {
        let problem = Problem::bad_request("bad-key-order", error.to_string());
        problem.hint(r#"send {"name":"ci","role":"read","groups":["app/*"]}"#)
    })?;
    let key = server.app.keys.create(&order, &server.caller.scope, server.now())?;
    server.audit_own("key made", &described(&key.view));
    Ok(made(&key))
}

pub(crate) fn rotate(server: &Shared, PathName(id): PathName, body: Body) -> Result<Response, Problem> {
    let bad = |message: String| Problem::bad_request("bad-rotation", message).hint(r#"send {"grace":"24h"}"#);
    let rotation: Rotation = match body.0.bytes().trim_ascii() {
        b"" => Rotation::default(),
        body => serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?,
    };
    let grace = rotation.grace.as_deref().map(parse_duration_ns).transpose();
    let grace_ns = grace.map_err(|error| bad(format!("grace: {error}")))?.unwrap_or(GRACE_NS);
    if !(0..=GRACE_NS_MAX).contains(&grace_ns) {
        return Err(bad("grace: at most 90d".into()));
    }
    let now = server.now();
    let until = Timestamp(now.0.saturating_add(grace_ns));
    let key = server.app.keys.rotate(&id, until, &server.caller.scope, now)?;
    let mut details = described(&key.view);
    details["replaces"] = id.into();
    server.audit_own("key replaced", &details);
    Ok(made(&key))
}

pub(crate) fn delete(server: &Shared, PathName(id): PathName) -> Result<Json<Value>, Problem> {
    let revoked = server.app.keys.revoke(&id, &server.caller.scope)?;
    server.audit_own("key revoked", &described(&revoked));
    Ok(Json(json!({"revoked": true, "id": revoked.id, "name": revoked.name})))
}

/// Returns a key in the form of an audit event.
fn described(key: &KeyView) -> Value {
    json!({"key_id": key.id, "key_name": key.name, "role": key.role, "groups": key.groups})
}

fn made(key: &NewKey) -> Response {
    (StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(json!(key))).into_response()
}
