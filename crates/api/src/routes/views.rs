//! `/api/v1/views`: saved queries and views.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::state::Call;
use door::{Outcome, Reply, RequestBody};

/// A body: a query text of at most 64 KiB, written as JSON, and what stands around it.
pub(super) const BODY_BYTES_MAX: usize = 160 << 10;

pub(crate) fn list(Call { server, .. }: &Call) -> Outcome {
    let views = server.state.views.list(server.settings(), &server.caller)?;
    Ok(Reply::json(&json!({"views": views})).not_stored())
}

pub(crate) fn post(Call { server, .. }: &Call, body: &RequestBody) -> Outcome {
    let made = server.state.views.add(server.settings(), &server.caller, body.json()?, server.now())?;
    server.audit_own("view made", &told(&made));
    Ok(Reply::json(&made).with_status(StatusCode::CREATED))
}

pub(crate) fn put(Call { server, path: [id, _], .. }: &Call, body: &RequestBody) -> Outcome {
    let changed = server.state.views.change(server.settings(), &server.caller, id, body.json()?, server.now())?;
    server.audit_own("view changed", &told(&changed));
    Ok(Reply::json(&changed))
}

pub(crate) fn delete(Call { server, path: [id, _], .. }: &Call) -> Outcome {
    let name = server.state.views.remove(server.settings(), &server.caller, id)?;
    server.audit_own("view removed", &json!({"view_id": id, "view": name}));
    Ok(Reply::json(&json!({"deleted": true})))
}

/// Returns a view in the form of an audit event, without its query: that may hold personal data.
fn told(view: &Value) -> Value {
    json!({"view_id": view["id"], "view": view["name"], "shared": view["shared"], "version": view["version"]})
}
