//! `/api/v1/metrics`: metrics made of events, of the groups that exist for the caller.

use alert::metrics::{Author, MetricSettings, MetricView, MetricsError};
use axum::http::StatusCode;
use serde_json::json;
use types::GroupScope;

use crate::state::Call;
use door::{Outcome, Problem, Reply, RequestBody, Result, Shared, audit};

/// A body: a query and what stands around it.
pub(super) const BODY_BYTES_MAX: usize = 160 << 10;

pub(crate) fn list(Call { server, .. }: &Call) -> Outcome {
    let mut metrics = server.app.metrics.list();
    metrics.retain(|metric| reaches(server, metric));
    Ok(Reply::json(&json!({"metrics": metrics})))
}

pub(crate) fn get(Call { server, path: [name, _], .. }: &Call) -> Outcome {
    Ok(Reply::json(&json!(seen(server, name)?)))
}

pub(crate) fn post(Call { server, .. }: &Call, body: &RequestBody) -> Outcome {
    let metric = server.app.metrics.make(read(body)?, maker(server))?;
    server.audit_own("metric made", &json!({"metric": metric.settings.name}));
    Ok(Reply::serialized(&metric).with_status(StatusCode::CREATED))
}

/// Puts a metric in the place of one, or makes it.
pub(crate) fn put(Call { server, path: [name, _], .. }: &Call, body: &RequestBody) -> Outcome {
    let settings = read(body)?;
    if settings.name != *name {
        let message = format!("the metric calls itself {:?}, and the address says {name:?}", settings.name);
        return Err(Problem::bad_request("bad-metric", message));
    }
    let maker = maker(server);
    let metric = match seen(server, name) {
        Ok(_) => server.app.metrics.replace(settings, maker)?,
        Err(_) => server.app.metrics.make(settings, maker)?,
    };
    server.audit_own("metric changed", &json!({"metric": name}));
    Ok(Reply::json(&json!(metric)))
}

pub(crate) fn delete(Call { server, path: [name, _], .. }: &Call) -> Outcome {
    seen(server, name)?;
    server.app.metrics.remove(name)?;
    server.audit_own("metric removed", &json!({"metric": name}));
    Ok(Reply::json(&json!({"deleted": true})))
}

/// Reads the body; errors quote it, as it holds no secret.
fn read(body: &RequestBody) -> Result<MetricSettings> {
    body.json_or(|error| {
        let problem = Problem::bad_request("bad-metric", format!("the body is no metric: {error}"));
        problem.hint("send {\"name\":\"errors_total\",\"type\":\"counter\",\"query\":\"filter …\"}")
    })
}

fn maker(server: &Shared) -> Author {
    let scope = if server.caller.scope.is_everything() { GroupScope::All } else { server.caller.scope.clone() };
    Author { name: server.caller.name.to_string(), scope, sees_own_groups: audit::may_see(&server.caller) }
}

/// Returns a metric that exists for the caller. Blocks.
fn seen(server: &Shared, name: &str) -> Result<MetricView> {
    let found = server.app.metrics.get(name).ok().filter(|metric| reaches(server, metric));
    found.ok_or_else(|| MetricsError::Unknown(name.to_owned()).into())
}

/// Reports whether all events that a metric counts exist for the caller.
fn reaches(server: &Shared, metric: &MetricView) -> bool {
    server.caller.scope.covers(&metric.within) || server.reaches_all(&metric.settings.groups)
}
