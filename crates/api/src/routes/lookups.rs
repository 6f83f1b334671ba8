//! `/api/v1/lookups`: tables that queries look up.

use axum::Json;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use door::tables::{self, BODY_BYTES_MAX};
use door::{PathName, Problem, Sent, Shared};

pub(crate) fn list(server: &Shared) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({"lookups": tables::list(server.settings(), &server.caller.scope)?})))
}

pub(crate) fn get(server: &Shared, PathName(name): PathName) -> Result<impl IntoResponse + use<>, Problem> {
    let text = tables::text_of(server.settings(), &server.caller.scope, &name).ok_or_else(|| no_table(&name))?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"lookup.csv\""),
    ];
    Ok((headers, text))
}

pub(crate) fn put(
    server: &Shared,
    PathName(name): PathName,
    body: Sent<BODY_BYTES_MAX>,
) -> Result<Json<Value>, Problem> {
    let told = server.tables.put(server.settings(), &server.caller.scope, &name, body.0.bytes())?;
    server.audit_own("lookup table put", &json!({"table": name}));
    Ok(Json(told))
}

pub(crate) fn delete(server: &Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    let is_deleted = server.tables.remove(server.settings(), &server.caller.scope, &name)?;
    if !is_deleted {
        return Err(no_table(&name));
    }
    server.audit_own("lookup table removed", &json!({"table": name}));
    Ok(Json(json!({"deleted": true})))
}

fn no_table(name: &str) -> Problem {
    Problem::not_found(format!("there is no lookup table {name:?}"))
}
