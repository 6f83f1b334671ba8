//! `/api/v1/dashboards`: dashboards, what they were before, and how others' become ours.

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::ask;
use crate::dashboards::DashboardView;
use crate::locale::locale;
use crate::state::{Api, Shared};
use dashboard::{DOCUMENT_BYTES_MAX, Format};
use door::{FamilyState, HandlerServer, Parameters, PathName, Problem, Role, SentJson, Table, blocking};

mod choices;
mod derived;
mod export;
mod look_up;
mod page;

pub(crate) use self::choices::choices;
pub(crate) use self::look_up::find;
pub(crate) use self::page::{Moment, render};

/// Largest dashboard of others: their models repeat much.
const FOREIGN_BYTES_MAX: usize = 4 << 20;

/// Returns the routes of dashboards.
pub(crate) fn add(table: Table<FamilyState<Api>>) -> Table<FamilyState<Api>> {
    table
        .get("/api/v1/dashboards", Role::Read, list)
        .post("/api/v1/dashboards/import", Role::Read, blocking(import))
        .get("/api/v1/dashboards/{name}", Role::Read, get)
        .put("/api/v1/dashboards/{name}", Role::Read, blocking(put))
        .delete("/api/v1/dashboards/{name}", Role::Read, blocking(delete))
        .get("/api/v1/dashboards/{name}/history", Role::Read, blocking(history))
        .get("/api/v1/dashboards/{name}/export", Role::Read, export::get)
}

async fn list(server: Shared, parameters: Parameters) -> Result<Response, Problem> {
    parameters.check_names(&["derived"])?;
    let with_derived = parameters.flag("derived")?;
    let work = |server: &Shared| server.state.dashboards.list(server.settings(), &server.caller, server.now());
    let (found, problems) = server.look_up(work).await??;
    let derived = if with_derived { derived::list(&server).await? } else { Vec::new() };
    let all: Vec<Value> = found.iter().chain(&derived).map(DashboardView::summary).collect();
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(json!({"dashboards": all, "problems": problems}))).into_response())
}

async fn get(server: Shared, PathName(name): PathName, parameters: Parameters) -> Result<Response, Problem> {
    parameters.check_names(&["version", "from", "to", "lang"])?;
    let version = parameters.number::<u64>("version")?;
    let time = |name: &str| parameters.get(name).map(|text| Value::String(text.to_owned()));
    let range = match (time("from"), time("to")) {
        (None, None) => None,
        (from, to) => Some(ask::range(from.as_ref(), to.as_ref(), server.now(), chrono_tz::UTC)?),
    };
    // Without a language, a program gets English.
    let locale = locale(&parameters, &HeaderMap::new())?;
    let found = look_up::find(&server, name, version, (range, locale)).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(found.to_json())).into_response())
}

fn history(server: &Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    let versions = server.state.dashboards.versions(server.settings(), &server.caller, &name)?;
    Ok(Json(json!({"versions": versions})))
}

fn put(
    server: &Shared,
    PathName(name): PathName,
    body: SentJson<DOCUMENT_BYTES_MAX>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let mut sent: Map<String, Value> = body.read()?;
    // What a reading has around the document may come back with it.
    for around in ["name", "owner", "own", "source", "changed"] {
        sent.remove(around);
    }
    let version = match sent.remove("version") {
        None | Some(Value::Null) => None,
        Some(version) => Some(version.as_u64().ok_or_else(|| bad("version: not a whole number".to_owned()))?),
    };
    // Files have no version: what was read of one is a new dashboard elsewhere.
    let version = version.filter(|version| *version != 0);
    let now = server.now();
    let json = serde_json::to_vec(&sent).map_err(|error| Problem::internal(error.to_string()))?;
    let document = dashboard::read(&json, now).map_err(|mistake| bad(mistake.to_string()))?;
    let (settings, caller) = (server.settings(), &server.caller);
    let (found, is_new) = server.state.dashboards.put(settings, caller, (&name, version), document, now)?;
    let told = found.summary();
    let (what, status) =
        if is_new { ("dashboard made", StatusCode::CREATED) } else { ("dashboard changed", StatusCode::OK) };
    server.audit_own(what, &json!({"dashboard": told["name"], "version": told["version"]}));
    Ok((status, Json(found.to_json())))
}

fn delete(server: &Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    server.state.dashboards.remove(server.settings(), &server.caller, &name)?;
    server.audit_own("dashboard removed", &json!({"dashboard": name}));
    Ok(Json(json!({"deleted": true})))
}

/// What is sent of somebody else's dashboard.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Foreign {
    format: ForeignFormat,
    body: Value,
}

/// Whose dashboard it is.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ForeignFormat {
    Grafana,
    Cloudwatch,
}

/// Makes a dashboard of somebody else's, and keeps nothing.
fn import(server: &Shared, body: SentJson<FOREIGN_BYTES_MAX>) -> Result<Json<Value>, Problem> {
    let sent: Foreign = body.read()?;
    let format = match sent.format {
        ForeignFormat::Grafana => Format::Grafana,
        ForeignFormat::Cloudwatch => Format::CloudWatch,
    };
    let imported = dashboard::import(format, &sent.body, server.now());
    let imported = imported.map_err(|problem| Problem::bad_request("not-importable", problem))?;
    Ok(Json(serde_json::to_value(imported).map_err(|error| Problem::internal(error.to_string()))?))
}

fn bad(message: String) -> Problem {
    Problem::bad_request("bad-dashboard", message).hint("/docs/dashboards describes the document")
}
