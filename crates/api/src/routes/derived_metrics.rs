//! `/api/v1/metrics`: metrics made of events, of the groups that exist for the caller.

use alert::metrics::{Author, MetricSettings, MetricView, MetricsError};
use axum::Json;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use types::GroupScope;

use super::session::read_json_or;
use door::access::covers;
use door::audit;
use door::parameters::PathName;
use door::problem::Problem;
use door::server::Shared;

/// Largest body: a query and what stands around it.
const BODY_BYTES_MAX: usize = 160 << 10;

pub(crate) async fn list(server: Shared) -> Result<Json<Value>, Problem> {
    let of_thread = server.clone();
    let mut metrics = server.lookups.run(move || of_thread.app.metrics.list()).await?;
    metrics.retain(|metric| reaches(&server, metric));
    Ok(Json(json!({"metrics": metrics})))
}

pub(crate) async fn get(server: Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    let of_thread = server.clone();
    let metric = server.lookups.run(move || seen(&of_thread, &name)).await??;
    Ok(Json(json!(metric)))
}

pub(crate) async fn post(server: Shared, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let settings = read(&server, &headers, body).await?;
    let of_thread = server.clone();
    let work = move || {
        let metric = of_thread.app.metrics.make(settings, maker(&of_thread))?;
        of_thread.audit_own("metric made", &json!({"metric": metric.settings.name}));
        Ok::<_, Problem>(metric)
    };
    Ok((StatusCode::CREATED, Json(server.lookups.run(work).await??)).into_response())
}

/// Puts a metric in the place of one, or makes it.
pub(crate) async fn put(
    server: Shared,
    PathName(name): PathName,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let settings = read(&server, &headers, body).await?;
    if settings.name != name {
        let message = format!("the metric calls itself {:?}, and the address says {name:?}", settings.name);
        return Err(Problem::bad_request("bad-metric", message));
    }
    let of_thread = server.clone();
    let work = move || {
        let maker = maker(&of_thread);
        let metric = match seen(&of_thread, &name) {
            Ok(_) => of_thread.app.metrics.replace(settings, maker)?,
            Err(_) => of_thread.app.metrics.make(settings, maker)?,
        };
        of_thread.audit_own("metric changed", &json!({"metric": name}));
        Ok::<_, Problem>(metric)
    };
    Ok(Json(json!(server.lookups.run(work).await??)))
}

pub(crate) async fn delete(server: Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    let of_thread = server.clone();
    let work = move || {
        seen(&of_thread, &name)?;
        of_thread.app.metrics.remove(&name)?;
        of_thread.audit_own("metric removed", &json!({"metric": name}));
        Ok::<_, Problem>(())
    };
    server.lookups.run(work).await??;
    Ok(Json(json!({"deleted": true})))
}

/// Reads the body; errors quote it, as it holds no secret.
async fn read(server: &Shared, headers: &HeaderMap, body: Body) -> Result<MetricSettings, Problem> {
    let bad = |error: serde_json::Error| {
        let problem = Problem::bad_request("bad-metric", format!("the body is no metric: {error}"));
        problem.hint("send {\"name\":\"errors_total\",\"type\":\"counter\",\"query\":\"filter …\"}")
    };
    read_json_or(server, headers, body, BODY_BYTES_MAX, bad).await
}

fn maker(server: &Shared) -> Author {
    let scope = if server.caller.scope.is_everything() { GroupScope::All } else { server.caller.scope.clone() };
    Author { name: server.caller.name.to_string(), scope, sees_own_groups: audit::may_see(&server.caller) }
}

/// Returns a metric that exists for the caller. Blocks.
fn seen(server: &Shared, name: &str) -> Result<MetricView, Problem> {
    let found = server.app.metrics.get(name).ok().filter(|metric| reaches(server, metric));
    found.ok_or_else(|| MetricsError::Unknown(name.to_owned()).into())
}

/// Reports whether all events that a metric counts exist for the caller.
fn reaches(server: &Shared, metric: &MetricView) -> bool {
    let scope = &server.caller.scope;
    let is_within = match &metric.within {
        GroupScope::All => false,
        GroupScope::Matching(patterns) => patterns.iter().all(|pattern| covers(scope, pattern.as_str())),
    };
    let groups = &metric.settings.groups;
    let is_named = !groups.is_empty() && groups.iter().all(|pattern| covers(scope, pattern));
    scope.is_everything() || is_within || is_named
}
