//! Errors in the form of Loki: plain text.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use door::{ErrorFormat, Problem};
use execute::Answer;

/// A problem in the form of Loki: plain text.
#[derive(Debug)]
pub struct LokiProblem(Problem);

impl<E: Into<Problem>> From<E> for LokiProblem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl LokiProblem {
    /// Returns the message with its position in the query.
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
        // Loki's agents drop a batch after a status that they do not know, and repeat it after 503.
        let status =
            if *status == StatusCode::INSUFFICIENT_STORAGE { StatusCode::SERVICE_UNAVAILABLE } else { *status };
        self.0.mark((status, plain, text).into_response())
    }
}

/// Status of a query that was cancelled, as in Loki.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// Returns an answer that is whole but for what is damaged. Loki's answers have no word for rows that are missing.
///
/// # Errors
/// The query was cancelled or ran out of time: the errors of Loki.
pub(crate) fn in_time(answer: Answer) -> Result<Answer, Problem> {
    let is = |code| answer.partial_reasons.iter().any(|reason| reason.code == code);
    if is("timeout") {
        let message = "request timed out, decrease the duration of the request or add more label matchers (prefer exact \
                       match over regex match) to reduce the amount of data processed";
        return Err(Problem::new(StatusCode::GATEWAY_TIMEOUT, "timeout", message));
    }
    if is("cancelled") {
        let status = StatusCode::from_u16(CLIENT_CLOSED_REQUEST).unwrap_or(StatusCode::REQUEST_TIMEOUT);
        return Err(Problem::new(status, "cancelled", "the request was cancelled by the client"));
    }
    Ok(answer)
}

/// Errors in the form of Loki.
pub struct LokiFormat;

impl ErrorFormat for LokiFormat {
    fn refuse(&self, problem: &Problem) -> Response {
        LokiProblem::from(problem.clone()).into_response()
    }
}
