//! The errors of CloudWatch's metrics: their names as shapes, and their codes in the query protocol.

use axum::http::HeaderValue;
use axum::response::Response;

use crate::answer::CloudWatchProblem;

/// Names of shapes, and codes. Source: the service's model.
const CODES: [(&str, &str); 7] = [
    ("InvalidParameterValueException", "InvalidParameterValue"),
    ("InvalidParameterException", "InvalidParameterValue"),
    ("InvalidParameterCombinationException", "InvalidParameterCombination"),
    ("MissingRequiredParameterException", "MissingParameter"),
    ("UnknownOperationException", "InvalidAction"),
    ("DashboardInvalidInputError", "InvalidParameterInput"),
    ("DashboardNotFoundError", "ResourceNotFound"),
];

/// Returns the code of a problem in the query protocol.
pub(super) fn code_of(kind: &'static str) -> &'static str {
    CODES.iter().find(|(shape, _)| *shape == kind).map_or(kind, |(_, code)| code)
}

/// Adds the header from which SDKs of the newer protocols take the code.
pub(super) fn with_code(mut response: Response, kind: &'static str) -> Response {
    let side = if response.status().is_server_error() { "Receiver" } else { "Sender" };
    if let Ok(value) = HeaderValue::try_from(format!("{};{side}", code_of(kind))) {
        response.headers_mut().insert("x-amzn-query-error", value);
    }
    response
}

/// The error for a value that is not allowed.
pub(super) fn bad_value(message: impl Into<String>) -> CloudWatchProblem {
    CloudWatchProblem::new("InvalidParameterValueException", message)
}

/// The error for parameters that exclude each other.
pub(super) fn bad_combination(message: impl Into<String>) -> CloudWatchProblem {
    CloudWatchProblem::new("InvalidParameterCombinationException", message)
}

/// The error for a parameter that is not there.
pub(super) fn missing(name: &str) -> CloudWatchProblem {
    CloudWatchProblem::new("MissingRequiredParameterException", format!("The parameter {name} is required."))
}
