//! Answers in Amazon's form: JSON 1.1, a request id, and Amazon's names of errors.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use types::{GroupName, uuid_text};

use door::{Caller, PIECE_BYTES, Problem, Role};

const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");

/// What an operation returns.
pub(crate) type Result<T, E = CloudWatchProblem> = std::result::Result<T, E>;

/// An error in the form of CloudWatch.
#[derive(Clone, Debug)]
pub struct CloudWatchProblem {
    pub(super) kind: &'static str,
    status: StatusCode,
    message: String,
    retry_after_s: Option<u64>,
    /// A further member of the body.
    more: Option<(&'static str, Value)>,
}

impl CloudWatchProblem {
    pub(super) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, status: StatusCode::BAD_REQUEST, message: message.into(), retry_after_s: None, more: None }
    }

    /// The error for something that does not exist, where the service answers 404.
    pub(super) fn not_found(kind: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, ..Self::new(kind, message) }
    }

    /// The error for an invalid parameter.
    pub(super) fn parameter(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterException", message)
    }

    pub(super) fn denied(message: impl Into<String>) -> Self {
        Self::new("AccessDeniedException", message)
    }

    /// Refuses callers of an operation (`logs:GetLogEvents`) without one of `roles`.
    pub(super) fn unless(caller: &Caller, operation: &str, roles: &[Role]) -> Result<(), Self> {
        if roles.iter().any(|role| caller.may(*role)) {
            return Ok(());
        }
        let needed = roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(" or ");
        let name = &caller.name;
        let why =
            format!("User: {name} is not authorized to perform: {operation}: it needs a key with the role {needed}");
        Err(Self::denied(why))
    }

    pub(super) fn no_group() -> Self {
        Self::new("ResourceNotFoundException", "The specified log group does not exist.")
    }

    /// Returns the error of queries and events for a group that does not exist, which names it.
    pub(super) fn no_group_named(name: &GroupName) -> Self {
        let message = format!("Log group '{name}' does not exist for account ID '000000000000'.");
        Self::new("ResourceNotFoundException", message)
    }

    /// Answers a request that was refused before it reached its handler. For pages of other sites the status is 403, too.
    pub fn refuse(problem: &Problem) -> Response {
        let mut response = Self::from(problem.clone()).into_response();
        if problem.status == StatusCode::FORBIDDEN {
            *response.status_mut() = problem.status;
        }
        response
    }

    /// Returns the error for a query that cannot be parsed, with its position in UTF-16 units.
    pub(super) fn malformed(problem: Problem) -> Self {
        let Some(place) = problem.places.first() else { return problem.into() };
        let hint = place.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        let message = format!("{}{hint} (line {}, column {})", place.message, place.line, place.column);
        let error = json!({
            "location": {"startCharOffset": place.start, "endCharOffset": place.end}, "message": message,
        });
        Self { more: Some(("queryCompileError", error)), ..Self::new("MalformedQueryException", message) }
    }

    /// Returns the error for the body of a dashboard that cannot be read.
    pub(super) fn invalid_dashboard(message: impl Into<String>) -> Self {
        let message = message.into();
        let all = json!([{"Message": message}]);
        let more = Some(("dashboardValidationMessages", all));
        Self { more, ..Self::new("DashboardInvalidInputError", format!("The dashboard is invalid: {message}")) }
    }

    /// Returns the error for a dashboard that does not exist.
    pub(super) fn no_dashboard(name: &str) -> Self {
        Self::not_found("DashboardNotFoundError", format!("Dashboard {name} does not exist"))
    }

    /// Returns status, name and message, for services with another form of errors.
    pub(super) fn parts(&self) -> (StatusCode, &'static str, &str) {
        (self.status, self.kind, &self.message)
    }

    /// Gives the error the name that X-Ray has for it, where that differs from CloudWatch's.
    pub(super) fn of_xray(mut self) -> Self {
        self.kind = match self.kind {
            "InvalidParameterException" => "InvalidRequestException",
            "ThrottlingException" => "ThrottledException",
            kind => kind,
        };
        self
    }

    pub(super) fn exists(what: &str) -> Self {
        Self::new("ResourceAlreadyExistsException", format!("The specified {what} already exists"))
    }
}

impl<E: Into<Problem>> From<E> for CloudWatchProblem {
    fn from(error: E) -> Self {
        let problem: Problem = error.into();
        // Clients retry after the names of temporary errors; all others are permanent.
        let (kind, status) = match problem.status.as_u16() {
            _ if problem.code == "group-protected" => ("ValidationException", StatusCode::BAD_REQUEST),
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
        Self { kind, status, message, retry_after_s: problem.retry_after_s, more: None }
    }
}

impl IntoResponse for CloudWatchProblem {
    fn into_response(self) -> Response {
        let mut body = json!({"__type": self.kind, "message": self.message});
        if let Some((name, value)) = self.more {
            body[name] = value;
        }
        let mut response = with_headers((self.status, body.to_string()).into_response());
        response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(self.kind));
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Answers an operation; `null` has no body.
pub(super) fn answer(value: &Value) -> Response {
    with_headers(if value.is_null() { ().into_response() } else { value.to_string().into_response() })
}

/// Answers with many rows, written piece by piece.
pub(super) fn streamed(pieces: impl Iterator<Item = Arc<str>> + Send + 'static) -> Response {
    let mut pieces = pieces;
    let gathered = std::iter::from_fn(move || {
        let mut piece = pieces.next()?.to_string();
        while piece.len() < PIECE_BYTES
            && let Some(text) = pieces.next()
        {
            piece.push_str(&text);
        }
        Some(Ok::<_, Infallible>(Bytes::from(piece)))
    });
    with_headers(Body::from_stream(tokio_stream::iter(gathered)).into_response())
}

fn with_headers(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONTENT_TYPE, CONTENT_TYPE);
    if let Ok(id) = HeaderValue::from_str(&request_id()) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

/// Returns a random UUID, or a fixed one without a source of randomness.
pub(super) fn request_id() -> String {
    random_id().unwrap_or_else(|_| "00000000-0000-4000-8000-000000000000".into())
}

/// Returns a random UUID.
pub(super) fn random_id() -> Result<String, Problem> {
    Ok(uuid_text(door::random()?))
}
