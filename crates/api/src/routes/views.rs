//! `/api/v1/views`: saved queries and views.

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::session::read_json_of;
use crate::state::Shared;
use crate::views::ViewDefinition;
use door::parameters::PathName;
use door::problem::Problem;

/// Largest body: a query text of 64 KiB, written as JSON, and what stands around it.
const BODY_BYTES_MAX: usize = 160 << 10;

pub(crate) async fn list(server: Shared) -> Result<Response, Problem> {
    let of_thread = server.clone();
    let work = move || of_thread.state.views.list(of_thread.settings(), &of_thread.caller);
    let views = server.lookups.run(work).await??;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(json!({"views": views}))).into_response())
}

pub(crate) async fn post(server: Shared, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let wanted: ViewDefinition = read_json_of(&server, &headers, body, BODY_BYTES_MAX).await?;
    let of_thread = server.clone();
    let work = move || {
        let made = of_thread.state.views.add(of_thread.settings(), &of_thread.caller, wanted, of_thread.now())?;
        of_thread.audit_own("view made", &told(&made));
        Ok::<Value, Problem>(made)
    };
    Ok((StatusCode::CREATED, Json(server.lookups.run(work).await??)).into_response())
}

pub(crate) async fn put(
    server: Shared,
    PathName(id): PathName,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let wanted: ViewDefinition = read_json_of(&server, &headers, body, BODY_BYTES_MAX).await?;
    let of_thread = server.clone();
    let work = move || {
        let changed =
            of_thread.state.views.change(of_thread.settings(), &of_thread.caller, &id, wanted, of_thread.now())?;
        of_thread.audit_own("view changed", &told(&changed));
        Ok::<Value, Problem>(changed)
    };
    Ok(Json(server.lookups.run(work).await??))
}

pub(crate) async fn delete(server: Shared, PathName(id): PathName) -> Result<Json<Value>, Problem> {
    let of_thread = server.clone();
    let work = move || {
        let name = of_thread.state.views.remove(of_thread.settings(), &of_thread.caller, &id)?;
        of_thread.audit_own("view removed", &json!({"view_id": id, "view": name}));
        Ok::<(), Problem>(())
    };
    server.lookups.run(work).await??;
    Ok(Json(json!({"deleted": true})))
}

/// Returns a view in the form of an audit event, without its query: that may hold personal data.
fn told(view: &Value) -> Value {
    json!({"view_id": view["id"], "view": view["name"], "shared": view["shared"], "version": view["version"]})
}
