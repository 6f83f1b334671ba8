//! What asks for tables: the list of them, and the part of Iceberg's REST catalog that reads.
//!
//! Source: Apache Iceberg's REST catalog, `open-api/rest-catalog-open-api.yaml` of release 1.10. All tables are in one namespace, `catat`. A
//! caller sees the tables of the groups that it may query. Nothing can be changed here: the tables follow the store.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use door::access::Role;
use door::call::{Call, Outcome, Reply};
use door::format::ErrorFormat;
use door::problem::{Problem, Result};
use door::table::Routes;
use serde_json::{Value, json};

use crate::publisher::{TableStatus, Tables};

/// What paths of the catalog begin with.
pub const PREFIX: &str = "/iceberg/";

/// The only namespace.
const NAMESPACE: &str = "catat";

/// Largest report of a client about its scan, which is read and dropped.
const REPORT_BYTES_MAX: usize = 1 << 20;

/// The tables of a server; none where the settings name no place.
#[derive(Default)]
pub struct TablesState(pub Option<Arc<Tables>>);

/// Returns the routes.
pub fn routes() -> Routes<TablesState> {
    Routes::default()
        .get("/api/v1/tables", Role::Read, list)
        .get("/iceberg/v1/config", Role::Read, config)
        .get("/iceberg/v1/namespaces", Role::Read, namespaces)
        .get("/iceberg/v1/namespaces/{namespace}", Role::Read, namespace)
        .get("/iceberg/v1/namespaces/{namespace}/tables", Role::Read, tables)
        .get("/iceberg/v1/namespaces/{namespace}/tables/{table}", Role::Read, table)
        .post("/iceberg/v1/namespaces/{namespace}/tables/{table}/metrics", Role::Read, metrics)
}

/// Reports whether a path is one of the catalog's.
pub fn is_address(path: &str) -> bool {
    path.starts_with(PREFIX)
}

/// Errors as the catalog's clients read them.
pub struct CatalogFormat;

impl ErrorFormat for CatalogFormat {
    fn refuse(&self, problem: &Problem) -> Response {
        let kind = match problem.status {
            StatusCode::NOT_FOUND if problem.message.starts_with("there is no namespace") => "NoSuchNamespaceException",
            StatusCode::NOT_FOUND => "NoSuchTableException",
            StatusCode::UNAUTHORIZED => "NotAuthorizedException",
            StatusCode::FORBIDDEN => "ForbiddenException",
            StatusCode::METHOD_NOT_ALLOWED => "UnsupportedOperationException",
            StatusCode::BAD_REQUEST => "BadRequestException",
            _ => "ServiceFailureException",
        };
        let error = json!({"message": problem.message, "type": kind, "code": problem.status.as_u16()});
        (problem.status, axum::Json(json!({"error": error}))).into_response()
    }
}

/// Returns the tables that the caller may see.
fn visible(call: &Call<TablesState>) -> Vec<TableStatus> {
    let all = call.server.state.0.as_ref().map(|tables| tables.statuses()).unwrap_or_default();
    all.into_iter().filter(|table| call.server.reaches(&table.group)).collect()
}

fn list(call: Call<TablesState>) -> Outcome {
    let tables = call.server.state.0.as_ref();
    let error = tables.and_then(|tables| tables.failure());
    Ok(Reply::serialized(&json!({"published": tables.is_some(), "error": error, "tables": visible(&call)})))
}

fn config(call: Call<TablesState>) -> Outcome {
    if call.server.state.0.is_none() {
        return Err(Problem::not_found("there are no tables: the settings name no [tables] url"));
    }
    let endpoints = ["", "/{namespace}", "/{namespace}/tables", "/{namespace}/tables/{table}"];
    let endpoints: Vec<String> = endpoints.iter().map(|path| format!("GET /v1/{{prefix}}/namespaces{path}")).collect();
    Ok(Reply::json(&json!({"defaults": {}, "overrides": {}, "endpoints": endpoints})))
}

fn namespaces(call: Call<TablesState>) -> Outcome {
    // What is asked below a namespace has no answer.
    let is_top = call.parameters.get("parent").is_none();
    Ok(Reply::json(&json!({"namespaces": if is_top { vec![[NAMESPACE]] } else { Vec::new() }})))
}

fn must_be_ours(namespace: &str) -> Result<()> {
    if namespace == NAMESPACE {
        return Ok(());
    }
    Err(Problem::not_found(format!("there is no namespace {namespace}; all tables are in {NAMESPACE}")))
}

fn namespace(mut call: Call<TablesState>) -> Outcome {
    must_be_ours(&call.variable())?;
    Ok(Reply::json(&json!({"namespace": [NAMESPACE], "properties": {}})))
}

fn tables(mut call: Call<TablesState>) -> Outcome {
    must_be_ours(&call.variable())?;
    let identifiers: Vec<Value> =
        visible(&call).iter().map(|table| json!({"namespace": [NAMESPACE], "name": table.name})).collect();
    Ok(Reply::json(&json!({"identifiers": identifiers})))
}

fn table(mut call: Call<TablesState>) -> Outcome {
    let [namespace, name] = std::mem::take(&mut call.path);
    must_be_ours(&namespace)?;
    let not_there = move |name: &str| Problem::not_found(format!("there is no table {name}"));
    let is_visible = visible(&call).iter().any(|table| table.name == name);
    let tables = call.server.state.0.clone().filter(|_| is_visible).ok_or_else(|| not_there(&name))?;
    Ok(Reply::later(async move {
        // The place may be a bucket.
        let asked = name.clone();
        let latest = tokio::task::spawn_blocking(move || tables.latest(&asked)).await;
        let failed = |error: String| Problem::unavailable("place-unavailable", error);
        let latest = latest.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
        let (location, metadata) = latest.ok_or_else(|| not_there(&name))?;
        Ok(Reply::json(&json!({"metadata-location": location, "metadata": metadata, "config": {}})))
    }))
}

/// Takes what a client says of its scan.
fn metrics(_: Call<TablesState>) -> Outcome {
    Ok(Reply::body(REPORT_BYTES_MAX, |_| Ok(StatusCode::NO_CONTENT.into())))
}
