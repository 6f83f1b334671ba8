//! Errors as Loki writes them: plain text.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use door::format::ErrorFormat;
use door::problem::Problem;

/// A problem as Loki says it: plain text.
#[derive(Debug)]
pub struct LokiProblem(Problem);

impl<E: Into<Problem>> From<E> for LokiProblem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl LokiProblem {
    /// What is wrong, and where in the query.
    pub fn text(&self) -> String {
        match self.0.places.first() {
            Some(place) => {
                let hint = place.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
                format!("parse error at line {}, col {}: {}{hint}", place.line, place.column, place.message)
            }
            None => self.0.message.clone(),
        }
    }
}

impl IntoResponse for LokiProblem {
    fn into_response(self) -> Response {
        let (status, text) = (&self.0.status, format!("{}\n", self.text()));
        let plain = [(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))];
        // Loki's senders drop a batch on statuses that they do not know, and repeat it on 503.
        let status =
            if *status == StatusCode::INSUFFICIENT_STORAGE { StatusCode::SERVICE_UNAVAILABLE } else { *status };
        self.0.mark((status, plain, text).into_response())
    }
}

/// Errors as Loki writes them.
pub struct LokiFormat;

impl ErrorFormat for LokiFormat {
    fn refuse(&self, problem: &Problem) -> Response {
        LokiProblem::from(problem.clone()).into_response()
    }
}
