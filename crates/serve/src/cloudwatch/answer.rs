//! Answers in Amazon's form: JSON 1.1, an id for each request, and errors with the names that its clients know.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use crate::problem::Problem;

const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");

/// A problem as CloudWatch says it.
#[derive(Clone, Debug)]
pub(crate) struct CloudWatchProblem {
    pub(super) kind: &'static str,
    status: StatusCode,
    message: String,
    retry_after_s: Option<u64>,
}

impl CloudWatchProblem {
    pub(super) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, status: StatusCode::BAD_REQUEST, message: message.into(), retry_after_s: None }
    }

    /// Something in the request is not as it should be.
    pub(super) fn parameter(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterException", message)
    }

    pub(super) fn denied(message: impl Into<String>) -> Self {
        Self::new("AccessDeniedException", message)
    }

    pub(super) fn no_group() -> Self {
        Self::new("ResourceNotFoundException", "The specified log group does not exist.")
    }

    pub(super) fn no_stream() -> Self {
        Self::new("ResourceNotFoundException", "The specified log stream does not exist.")
    }

    /// The answer to who was refused before the handler was reached. Another site's page is told in words of HTTP, too.
    pub(crate) fn refuse(problem: &Problem) -> Response {
        let mut response = Self::from(problem.clone()).into_response();
        if problem.status == StatusCode::FORBIDDEN {
            *response.status_mut() = problem.status;
        }
        response
    }

    pub(super) fn exists(what: &str) -> Self {
        Self::new("ResourceAlreadyExistsException", format!("The specified {what} already exists"))
    }
}

impl<E: Into<Problem>> From<E> for CloudWatchProblem {
    fn from(error: E) -> Self {
        let problem: Problem = error.into();
        // Clients try again after the names that stand for a passing state; all others are for good.
        let (kind, status) = match problem.status.as_u16() {
            401 | 403 => ("AccessDeniedException", StatusCode::BAD_REQUEST),
            404 => ("ResourceNotFoundException", StatusCode::BAD_REQUEST),
            408 | 429 => ("ThrottlingException", StatusCode::BAD_REQUEST),
            409 => ("OperationAbortedException", StatusCode::BAD_REQUEST),
            503 | 507 => ("ServiceUnavailableException", StatusCode::SERVICE_UNAVAILABLE),
            500..=599 => ("InternalFailure", StatusCode::INTERNAL_SERVER_ERROR),
            _ => ("InvalidParameterException", StatusCode::BAD_REQUEST),
        };
        let message = match problem.hint {
            Some(hint) => format!("{}; {hint}", problem.message),
            None => problem.message,
        };
        Self { kind, status, message, retry_after_s: problem.retry_after_s }
    }
}

impl IntoResponse for CloudWatchProblem {
    fn into_response(self) -> Response {
        let body = json!({"__type": self.kind, "message": self.message}).to_string();
        let mut response = with_headers((self.status, body).into_response());
        response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(self.kind));
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The answer of an operation; one that says nothing has no body.
pub(super) fn answer(value: &Value) -> Response {
    with_headers(if value.is_null() { ().into_response() } else { value.to_string().into_response() })
}

fn with_headers(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONTENT_TYPE, CONTENT_TYPE);
    if let Ok(id) = HeaderValue::from_str(&request_id()) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

/// A random UUID; without randomness it is none that says anything.
fn request_id() -> String {
    let mut bytes = [0u8; 16];
    let _ = getrandom::fill(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = HEXLOWER.encode(&bytes);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
