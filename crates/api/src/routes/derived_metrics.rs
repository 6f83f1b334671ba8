//! `/api/v1/metrics`: metrics made of events, of the groups that exist for the caller.

use alert::metrics::{Author, MetricSettings, MetricView, MetricsError};
use axum::Json;
use axum::http::StatusCode;
use serde_json::{Value, json};
use types::GroupScope;

use door::{PathName, Problem, SentJson, Shared, audit};

/// A body: a query and what stands around it.
type Body = SentJson<{ 160 << 10 }>;

pub(crate) fn list(server: &Shared) -> Result<Json<Value>, Problem> {
    let mut metrics = server.app.metrics.list();
    metrics.retain(|metric| reaches(server, metric));
    Ok(Json(json!({"metrics": metrics})))
}

pub(crate) fn get(server: &Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    Ok(Json(json!(seen(server, &name)?)))
}

pub(crate) fn post(server: &Shared, body: Body) -> Result<(StatusCode, Json<MetricView>), Problem> {
    let metric = server.app.metrics.make(read(&body)?, maker(server))?;
    server.audit_own("metric made", &json!({"metric": metric.settings.name}));
    Ok((StatusCode::CREATED, Json(metric)))
}

/// Puts a metric in the place of one, or makes it.
pub(crate) fn put(server: &Shared, PathName(name): PathName, body: Body) -> Result<Json<Value>, Problem> {
    let settings = read(&body)?;
    if settings.name != name {
        let message = format!("the metric calls itself {:?}, and the address says {name:?}", settings.name);
        return Err(Problem::bad_request("bad-metric", message));
    }
    let maker = maker(server);
    let metric = match seen(server, &name) {
        Ok(_) => server.app.metrics.replace(settings, maker)?,
        Err(_) => server.app.metrics.make(settings, maker)?,
    };
    server.audit_own("metric changed", &json!({"metric": name}));
    Ok(Json(json!(metric)))
}

pub(crate) fn delete(server: &Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    seen(server, &name)?;
    server.app.metrics.remove(&name)?;
    server.audit_own("metric removed", &json!({"metric": name}));
    Ok(Json(json!({"deleted": true})))
}

/// Reads the body; errors quote it, as it holds no secret.
fn read(body: &Body) -> Result<MetricSettings, Problem> {
    body.read_or(|error| {
        let problem = Problem::bad_request("bad-metric", format!("the body is no metric: {error}"));
        problem.hint("send {\"name\":\"errors_total\",\"type\":\"counter\",\"query\":\"filter …\"}")
    })
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
    server.caller.scope.covers(&metric.within) || server.reaches_all(&metric.settings.groups)
}
