//! Tempo's API under `/tempo`, for Grafana's data source.
//!
//! Traces are answered as protobuf or JSON, by `Accept`. Searches take TraceQL or `tags` in logfmt. Errors are plain text.

mod answer;
mod compare;
mod metrics;
mod parameters;
mod search;
mod tags;
mod trace;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use door::{ErrorFormat, Outcome, Problem, Reply, Role};
use serde_json::json;

use crate::state::{Call, Routes};

/// The prefix of all paths.
pub(crate) const PREFIX: &str = "/tempo/";

/// The type of errors, and of answers that are no JSON.
const PLAIN: &str = "text/plain; charset=utf-8";

/// The version of Tempo whose API this is.
const TEMPO_VERSION: &str = "2.7.0";

/// Adds the routes.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .get("/tempo/api/echo", Role::Read, echo)
        .get("/tempo/ready", Role::Read, ready)
        .get("/tempo/api/status/buildinfo", Role::Read, buildinfo)
        .get("/tempo/api/traces/{id}", Role::Read, trace::first)
        .get("/tempo/api/v2/traces/{id}", Role::Read, trace::second)
        .get("/tempo/api/search", Role::Read, search::get)
        .get("/tempo/api/metrics/query_range", Role::Read, metrics::over_range)
        .get("/tempo/api/metrics/query", Role::Read, metrics::at_once)
        .get("/tempo/api/search/tags", Role::Read, tags::names)
        .get("/tempo/api/v2/search/tags", Role::Read, tags::scoped_names)
        .get("/tempo/api/search/tag/{tag}/values", Role::Read, tags::values)
        .get("/tempo/api/v2/search/tag/{tag}/values", Role::Read, tags::typed_values)
}

/// Answers Grafana's *Save & test*.
fn echo(_: Call) -> Outcome {
    Ok(Reply::content(PLAIN, "echo"))
}

fn ready(_: Call) -> Outcome {
    Ok(Reply::content(PLAIN, "ready\n"))
}

fn buildinfo(Call { server, .. }: Call) -> Outcome {
    Ok(Reply::json(&json!({
        "version": TEMPO_VERSION, "revision": format!("catat {}", server.app.version), "branch": "", "buildUser": "",
        "buildDate": "", "goVersion": "",
    })))
}

/// Errors in the form of Tempo and Zipkin: plain text.
pub(crate) struct TextFormat;

impl ErrorFormat for TextFormat {
    fn refuse(&self, problem: &Problem) -> Response {
        let plain = [(header::CONTENT_TYPE, HeaderValue::from_static(PLAIN))];
        let text = match problem.places.first() {
            Some(place) => {
                let hint = place.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
                format!("line {}, column {}: {}{hint}\n", place.line, place.column, place.message)
            }
            None => format!("{}\n", problem.sentence()),
        };
        problem.mark((problem.status, plain, text).into_response())
    }
}
