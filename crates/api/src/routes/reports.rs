//! `/api/v1/reports`: dashboards and ledgers that are sent by e-mail at times.

use axum::Json;
use axum::body::Body;
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::session::read_json_of;
use crate::reports::{self, Definition};
use crate::state::{Api, Shared};
use door::access::Role;
use door::parameters::PathName;
use door::problem::Problem;
use door::server::FamilyState;
use door::table::Table;

/// Largest body.
const BODY_BYTES_MAX: usize = 64 << 10;

/// Returns the routes of reports.
pub(crate) fn add(table: Table<FamilyState<Api>>) -> Table<FamilyState<Api>> {
    table
        .get("/api/v1/reports", Role::Read, list)
        .put("/api/v1/reports/{name}", Role::Operate, put)
        .delete("/api/v1/reports/{name}", Role::Operate, delete)
        .post("/api/v1/reports/{name}/send", Role::Operate, send)
}

async fn list(server: Shared) -> Result<Json<Value>, Problem> {
    let of_thread = server.clone();
    let reports = server.lookups.run(move || reports::list(&of_thread)).await??;
    Ok(Json(json!({"reports": reports})))
}

async fn put(server: Shared, PathName(name): PathName, headers: HeaderMap, body: Body) -> Result<Json<Value>, Problem> {
    let sent: Value = read_json_of(&server, &headers, body, BODY_BYTES_MAX).await?;
    let definition: Definition = serde_json::from_value(sent).map_err(|error| reports::bad(error.to_string()))?;
    let of_thread = server.clone();
    let work = move || {
        let made = reports::put(&of_thread, &name, definition)?;
        of_thread.audit_own("report set", &json!({"report": name, "topic": made["topic"]}));
        Ok::<_, Problem>(made)
    };
    Ok(Json(server.lookups.run(work).await??))
}

async fn delete(server: Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    let of_thread = server.clone();
    let work = move || {
        reports::remove(&of_thread, &name)?;
        of_thread.audit_own("report removed", &json!({"report": name}));
        Ok::<(), Problem>(())
    };
    server.lookups.run(work).await??;
    Ok(Json(json!({"deleted": true})))
}

async fn send(server: Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    reports::send_now(&server, &name).await?;
    let of_thread = server.clone();
    server.lookups.run(move || of_thread.audit_own("report sent", &json!({"report": name}))).await?;
    Ok(Json(json!({"queued": true})))
}
