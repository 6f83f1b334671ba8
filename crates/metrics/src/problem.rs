//! Errors in the form of Prometheus' HTTP API: `{"status":"error","errorType":"bad_data","error":"…"}`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use door::format::ErrorFormat;
use door::problem::Problem;
use promql::{EvalError, ParseError};
use serde_json::json;

/// A problem in the form of Prometheus.
#[derive(Debug)]
pub(crate) struct PrometheusProblem(Problem);

impl<E: Into<Problem>> From<E> for PrometheusProblem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

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

impl PrometheusProblem {
    /// Returns the problem of a parameter whose text is not PromQL.
    pub(crate) fn of_text(error: &ParseError, (parameter, text): (&str, &str)) -> Self {
        let message = format!("invalid parameter {parameter:?}: {}", error.located(text));
        Problem::bad_request("parse", message).into()
    }

    /// Returns the problem of an evaluation that failed; its kinds are Prometheus' own.
    pub(crate) fn of_evaluation(error: &EvalError) -> Self {
        let (status, code) = match error {
            EvalError::InvalidRange(_) => (StatusCode::BAD_REQUEST, "bad-range"),
            EvalError::Cancelled => (StatusCode::SERVICE_UNAVAILABLE, CANCELLED),
            EvalError::TimedOut => (StatusCode::SERVICE_UNAVAILABLE, TIMEOUT),
            EvalError::Source(_) => (StatusCode::INTERNAL_SERVER_ERROR, "read"),
            EvalError::TooManySamples(_) | EvalError::Query { .. } => (StatusCode::UNPROCESSABLE_ENTITY, EXECUTION),
        };
        Self(Problem::new(status, code, error.to_string()))
    }
}

impl IntoResponse for PrometheusProblem {
    fn into_response(self) -> Response {
        let hint = self.0.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        let error = format!("{}{hint}", self.0.message);
        let body = Json(json!({"status": "error", "errorType": kind_of(&self.0), "error": error}));
        self.0.mark((self.0.status, body).into_response())
    }
}

/// Errors in the form of Prometheus.
pub(crate) struct PrometheusFormat;

impl ErrorFormat for PrometheusFormat {
    fn refuse(&self, problem: &Problem) -> Response {
        PrometheusProblem::from(problem.clone()).into_response()
    }
}
