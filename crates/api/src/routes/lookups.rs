//! `/api/v1/lookups`: tables that queries look up.

use axum::Json;
use axum::body::Body;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use door::parameters::PathName;
use door::problem::Problem;
use door::server::Shared;
use door::tables::{self, BODY_BYTES_MAX};

pub(crate) async fn list(server: Shared) -> Result<Json<Value>, Problem> {
    let of_thread = server.clone();
    let tables = server.lookups.run(move || tables::list(of_thread.settings())).await??;
    Ok(Json(json!({"lookups": tables})))
}

pub(crate) async fn get(server: Shared, PathName(name): PathName) -> Result<impl IntoResponse, Problem> {
    let (of_thread, wanted) = (server.clone(), name.clone());
    let text = server.lookups.run(move || tables::text_of(of_thread.settings(), &wanted)).await?;
    let text = text.ok_or_else(|| no_table(&name))?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"lookup.csv\""),
    ];
    Ok((headers, text))
}

pub(crate) async fn put(server: Shared, PathName(name): PathName, body: Body) -> Result<Json<Value>, Problem> {
    let received = server.bodies.read(body, BODY_BYTES_MAX).await?;
    let of_thread = server.clone();
    let work = move || of_thread.tables.put(of_thread.settings(), &name, received.bytes());
    Ok(Json(server.lookups.run(work).await??))
}

pub(crate) async fn delete(server: Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    let (of_thread, unwanted) = (server.clone(), name.clone());
    let is_deleted = server.lookups.run(move || of_thread.tables.remove(of_thread.settings(), &unwanted)).await??;
    if is_deleted { Ok(Json(json!({"deleted": true}))) } else { Err(no_table(&name)) }
}

fn no_table(name: &str) -> Problem {
    Problem::not_found(format!("there is no lookup table {name:?}"))
}
