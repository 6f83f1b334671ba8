//! The body of a request as a protobuf message, and the error for a malformed one.

use std::borrow::Cow;

use ingest::protobuf::Message;
use ingest::{IngestError, Result};

/// What the body should be, for errors.
const WHAT: &str = "OTLP metrics request";

/// Returns the fields of a message.
pub(super) fn message(bytes: &[u8]) -> Message<'_> {
    Message::new(bytes, WHAT)
}

/// Returns the numbers of a packed list.
pub(super) fn packed(bytes: &[u8]) -> impl Iterator<Item = Result<u64>> {
    message(bytes).varints()
}

pub(super) fn bad(problem: String) -> IngestError {
    IngestError::BadBody { what: WHAT, problem }
}

pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
