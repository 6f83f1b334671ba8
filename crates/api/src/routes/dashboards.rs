//! `/api/v1/dashboards`: dashboards, what they were before, and how others' become ours.

use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::ask;
use crate::dashboards::DashboardView;
use crate::locale::locale;
use crate::state::{Call, Routes};
use dashboard::{DOCUMENT_BYTES_MAX, Format};
use door::{Outcome, Problem, Reply, RequestBody, Role};

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
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .get("/api/v1/dashboards", Role::Read, list)
        .post("/api/v1/dashboards/import", Role::Read, |call| call.json()?.look_up_with(FOREIGN_BYTES_MAX, import))
        .get("/api/v1/dashboards/{name}", Role::Read, get)
        .put("/api/v1/dashboards/{name}", Role::Read, |call| call.json()?.look_up_with(DOCUMENT_BYTES_MAX, put))
        .delete("/api/v1/dashboards/{name}", Role::Read, |call| call.look_up(delete))
        .get("/api/v1/dashboards/{name}/history", Role::Read, |call| call.look_up(history))
        .get("/api/v1/dashboards/{name}/export", Role::Read, export::get)
}

fn list(Call { server, parameters, .. }: Call) -> Outcome {
    parameters.check_names(&["derived"])?;
    let with_derived = parameters.flag("derived")?;
    let of_thread = server.clone();
    Ok(Reply::look_up(&server, move || {
        let server = &of_thread;
        let (found, problems) = server.state.dashboards.list(server.settings(), &server.caller, server.now())?;
        let list = move |derived: &[DashboardView]| {
            let all: Vec<Value> = found.iter().chain(derived).map(DashboardView::summary).collect();
            Reply::json(&json!({"dashboards": all, "problems": problems})).not_stored()
        };
        if !with_derived {
            return Ok(list(&[]));
        }
        Ok(Reply::query(server, "derived dashboards", move |run| Ok(list(&derived::list(run)?))))
    }))
}

fn get(Call { server, path: [name, _], parameters, .. }: Call) -> Outcome {
    parameters.check_names(&["version", "from", "to", "lang"])?;
    let version = parameters.number::<u64>("version")?;
    let time = |name: &str| parameters.get(name).map(|text| Value::String(text.to_owned()));
    let range = match (time("from"), time("to")) {
        (None, None) => None,
        (from, to) => Some(ask::range(from.as_ref(), to.as_ref(), server.now(), chrono_tz::UTC)?),
    };
    // Without a language, a program gets English.
    let locale = locale(&parameters, &HeaderMap::new())?;
    Ok(Reply::later(async move {
        let found = look_up::find(&server, name, version, (range, locale)).await?;
        Ok(Reply::json(&found.to_json()).not_stored())
    }))
}

fn history(Call { server, path: [name, _], .. }: &Call) -> Outcome {
    let versions = server.state.dashboards.versions(server.settings(), &server.caller, name)?;
    Ok(Reply::json(&json!({"versions": versions})))
}

fn put(Call { server, path: [name, _], .. }: &Call, body: &RequestBody) -> Outcome {
    let mut sent: Map<String, Value> = body.json()?;
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
    let (found, is_new) = server.state.dashboards.put(settings, caller, (name, version), document, now)?;
    let told = found.summary();
    let (what, status) =
        if is_new { ("dashboard made", StatusCode::CREATED) } else { ("dashboard changed", StatusCode::OK) };
    server.audit_own(what, &json!({"dashboard": told["name"], "version": told["version"]}));
    Ok(Reply::json(&found.to_json()).with_status(status))
}

fn delete(Call { server, path: [name, _], .. }: &Call) -> Outcome {
    server.state.dashboards.remove(server.settings(), &server.caller, name)?;
    server.audit_own("dashboard removed", &json!({"dashboard": name}));
    Ok(Reply::json(&json!({"deleted": true})))
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
fn import(Call { server, .. }: &Call, body: &RequestBody) -> Outcome {
    let sent: Foreign = body.json()?;
    let format = match sent.format {
        ForeignFormat::Grafana => Format::Grafana,
        ForeignFormat::Cloudwatch => Format::CloudWatch,
    };
    let imported = dashboard::import(format, &sent.body, server.now());
    let imported = imported.map_err(|problem| Problem::bad_request("not-importable", problem))?;
    Ok(Reply::json(&serde_json::to_value(imported).map_err(|error| Problem::internal(error.to_string()))?))
}

fn bad(message: String) -> Problem {
    Problem::bad_request("bad-dashboard", message).hint("/docs/dashboards describes the document")
}
