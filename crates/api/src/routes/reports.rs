//! `/api/v1/reports`: dashboards and ledgers that are sent by e-mail at times.

use axum::Json;
use serde_json::{Value, json};

use crate::reports;
use crate::state::{Api, Shared};
use door::{FamilyState, PathName, Problem, Role, SentJson, Table, blocking};

/// Largest body.
const BODY_BYTES_MAX: usize = 64 << 10;

/// Returns the routes of reports.
pub(crate) fn add(table: Table<FamilyState<Api>>) -> Table<FamilyState<Api>> {
    table
        .get("/api/v1/reports", Role::Read, blocking(list))
        .put("/api/v1/reports/{name}", Role::Operate, blocking(put))
        .delete("/api/v1/reports/{name}", Role::Operate, blocking(delete))
        .post("/api/v1/reports/{name}/send", Role::Operate, send)
}

fn list(server: &Shared) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({"reports": reports::list(server)?})))
}

fn put(server: &Shared, PathName(name): PathName, body: SentJson<BODY_BYTES_MAX>) -> Result<Json<Value>, Problem> {
    let definition = serde_json::from_value(body.read()?).map_err(|error| reports::bad(error.to_string()))?;
    let made = reports::put(server, &name, definition)?;
    server.audit_own("report set", &json!({"report": name, "topic": made["topic"]}));
    Ok(Json(made))
}

fn delete(server: &Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    reports::remove(server, &name)?;
    server.audit_own("report removed", &json!({"report": name}));
    Ok(Json(json!({"deleted": true})))
}

async fn send(server: Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    reports::send_now(&server, &name).await?;
    let of_thread = server.clone();
    server.lookups.run(move || of_thread.audit_own("report sent", &json!({"report": name}))).await?;
    Ok(Json(json!({"queued": true})))
}
