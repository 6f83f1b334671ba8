//! `/api/v1/views`: saved queries and views.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use crate::state::Shared;
use door::{PathName, Problem, SentJson};

/// A body: a query text of at most 64 KiB, written as JSON, and what stands around it.
type Body = SentJson<{ 160 << 10 }>;

pub(crate) fn list(server: &Shared) -> Result<impl IntoResponse + use<>, Problem> {
    let views = server.state.views.list(server.settings(), &server.caller)?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(json!({"views": views}))))
}

pub(crate) fn post(server: &Shared, body: Body) -> Result<(StatusCode, Json<Value>), Problem> {
    let made = server.state.views.add(server.settings(), &server.caller, body.read()?, server.now())?;
    server.audit_own("view made", &told(&made));
    Ok((StatusCode::CREATED, Json(made)))
}

pub(crate) fn put(server: &Shared, PathName(id): PathName, body: Body) -> Result<Json<Value>, Problem> {
    let changed = server.state.views.change(server.settings(), &server.caller, &id, body.read()?, server.now())?;
    server.audit_own("view changed", &told(&changed));
    Ok(Json(changed))
}

pub(crate) fn delete(server: &Shared, PathName(id): PathName) -> Result<Json<Value>, Problem> {
    let name = server.state.views.remove(server.settings(), &server.caller, &id)?;
    server.audit_own("view removed", &json!({"view_id": id, "view": name}));
    Ok(Json(json!({"deleted": true})))
}

/// Returns a view in the form of an audit event, without its query: that may hold personal data.
fn told(view: &Value) -> Value {
    json!({"view_id": view["id"], "view": view["name"], "shared": view["shared"], "version": view["version"]})
}
