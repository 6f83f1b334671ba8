//! The body of a request as a protobuf message, and the error for a malformed one.

use std::fmt::Display;

use ingest::IngestError;
use ingest::protobuf::Message;

/// The expected body, for errors.
const WHAT: &str = "OTLP request";

/// Returns the fields of a message of the request.
pub(super) fn message(bytes: &[u8]) -> Message<'_> {
    Message::new(bytes, WHAT)
}

pub(super) fn bad(problem: impl Display) -> IngestError {
    IngestError::BadBody { what: WHAT, problem: problem.to_string() }
}
