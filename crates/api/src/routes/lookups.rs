//! `/api/v1/lookups`: tables that queries look up.

use axum::http::{HeaderValue, header};
use serde_json::json;

use crate::state::Call;
use door::{Outcome, Problem, Reply, RequestBody, tables};

pub(crate) fn list(Call { server, .. }: &Call) -> Outcome {
    Ok(Reply::json(&json!({"lookups": tables::list(server.settings(), &server.caller.scope)?})))
}

pub(crate) fn get(Call { server, path: [name, _], .. }: &Call) -> Outcome {
    let text = tables::text_of(server.settings(), &server.caller.scope, name).ok_or_else(|| no_table(name))?;
    let file = HeaderValue::from_static("attachment; filename=\"lookup.csv\"");
    Ok(Reply::content("text/csv; charset=utf-8", text).with_header(header::CONTENT_DISPOSITION, file))
}

pub(crate) fn put(Call { server, path: [name, _], .. }: &Call, body: &RequestBody) -> Outcome {
    let told = server.tables.put(server.settings(), &server.caller.scope, name, body.bytes())?;
    server.audit_own("lookup table put", &json!({"table": name}));
    Ok(Reply::json(&told))
}

pub(crate) fn delete(Call { server, path: [name, _], .. }: &Call) -> Outcome {
    let is_deleted = server.tables.remove(server.settings(), &server.caller.scope, name)?;
    types::ensure!(is_deleted, no_table(name));
    server.audit_own("lookup table removed", &json!({"table": name}));
    Ok(Reply::json(&json!({"deleted": true})))
}

fn no_table(name: &str) -> Problem {
    Problem::not_found(format!("there is no lookup table {name:?}"))
}
