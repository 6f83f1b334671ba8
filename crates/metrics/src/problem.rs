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
pub(crate) struct PrometheusProblem {
    problem: Problem,
    /// Prometheus' name of its kind.
    kind: &'static str,
}

impl<E: Into<Problem>> From<E> for PrometheusProblem {
    fn from(error: E) -> Self {
        let problem = error.into();
        let kind = match problem.status {
            StatusCode::BAD_REQUEST => "bad_data",
            StatusCode::UNAUTHORIZED => "unauthorized",
            StatusCode::FORBIDDEN => "forbidden",
            StatusCode::NOT_FOUND => "not_found",
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => "unavailable",
            status if status.is_client_error() => "bad_data",
            _ => "internal",
        };
        Self { problem, kind }
    }
}

impl PrometheusProblem {
    /// Returns the problem of a text that is not PromQL.
    pub(crate) fn of_text(error: &ParseError, text: &str) -> Self {
        let message = format!("invalid parameter \"query\": {}", error.located(text));
        Problem::bad_request("parse", message).into()
    }

    /// Returns the problem of an evaluation that failed; its kinds are Prometheus' own.
    pub(crate) fn of_evaluation(error: &EvalError) -> Self {
        let (kind, status, code) = match error {
            EvalError::InvalidRange(_) => ("bad_data", StatusCode::BAD_REQUEST, "bad-range"),
            EvalError::Cancelled => ("canceled", StatusCode::SERVICE_UNAVAILABLE, "cancelled"),
            EvalError::TimedOut => ("timeout", StatusCode::SERVICE_UNAVAILABLE, "timeout"),
            EvalError::Source(_) => ("internal", StatusCode::INTERNAL_SERVER_ERROR, "read"),
            EvalError::TooManySamples(_) | EvalError::Query { .. } => {
                ("execution", StatusCode::UNPROCESSABLE_ENTITY, "execution")
            }
        };
        Self { problem: Problem::new(status, code, error.to_string()), kind }
    }
}

impl IntoResponse for PrometheusProblem {
    fn into_response(self) -> Response {
        let hint = self.problem.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        let error = format!("{}{hint}", self.problem.message);
        let body = Json(json!({"status": "error", "errorType": self.kind, "error": error}));
        self.problem.mark((self.problem.status, body).into_response())
    }
}

/// Errors in the form of Prometheus.
pub(crate) struct PrometheusFormat;

impl ErrorFormat for PrometheusFormat {
    fn refuse(&self, problem: &Problem) -> Response {
        PrometheusProblem::from(problem.clone()).into_response()
    }
}
