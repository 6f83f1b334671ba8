//! Errors in the form of Prometheus' HTTP API: `{"status":"error","errorType":"bad_data","error":"…"}`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use door::{ErrorFormat, Problem};
use promql::{EvalError, ParseError, Query};
use serde_json::json;

/// Codes of evaluations that failed.
const CANCELLED: &str = "cancelled";
const TIMEOUT: &str = "timeout";
const EXECUTION: &str = "execution";

/// Returns Prometheus' name for the kind of a problem.
fn kind_of(problem: &Problem) -> &'static str {
    match (problem.code, problem.status) {
        (CANCELLED, _) => "canceled",
        (TIMEOUT, _) => "timeout",
        (EXECUTION, _) => "execution",
        (_, StatusCode::UNAUTHORIZED) => "unauthorized",
        (_, StatusCode::FORBIDDEN) => "forbidden",
        (_, StatusCode::NOT_FOUND) => "not_found",
        (_, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) => "unavailable",
        (_, status) if status.is_client_error() => "bad_data",
        _ => "internal",
    }
}

/// Parses the PromQL in a parameter.
pub(crate) fn parsed(parameter: &str, text: &str) -> Result<Query, Problem> {
    promql::parse(text).map_err(|error| of_text(&error, (parameter, text)))
}

/// Returns the problem of a parameter whose text is not PromQL.
pub(crate) fn of_text(error: &ParseError, (parameter, text): (&str, &str)) -> Problem {
    Problem::bad_request("parse", format!("invalid parameter {parameter:?}: {}", error.located(text)))
}

/// Returns the problem of an evaluation that failed; its kinds are Prometheus' own.
pub(crate) fn of_evaluation(error: &EvalError) -> Problem {
    let (status, code) = match error {
        EvalError::InvalidRange(_) => (StatusCode::BAD_REQUEST, "bad-range"),
        EvalError::Cancelled => (StatusCode::SERVICE_UNAVAILABLE, CANCELLED),
        EvalError::TimedOut => (StatusCode::SERVICE_UNAVAILABLE, TIMEOUT),
        EvalError::Source(_) => (StatusCode::INTERNAL_SERVER_ERROR, "read"),
        EvalError::TooManySamples(_) | EvalError::Query { .. } => (StatusCode::UNPROCESSABLE_ENTITY, EXECUTION),
    };
    Problem::new(status, code, error.to_string())
}

/// Errors in the form of Prometheus.
pub(crate) struct PrometheusFormat;

impl ErrorFormat for PrometheusFormat {
    fn refuse(&self, problem: &Problem) -> Response {
        let body = Json(json!({"status": "error", "errorType": kind_of(problem), "error": problem.sentence()}));
        problem.mark((problem.status, body).into_response())
    }
}
