//! The signals of OTLP that are stored.

use ingest::otlp_json::{LOGS, OtlpMessage, TRACES};

/// The kind of the records in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Log records.
    Logs,
    /// Spans.
    Traces,
}

impl Signal {
    /// Returns the field number of attributes in a record's message.
    pub(super) fn attribute(self) -> u64 {
        match self {
            Self::Logs => 6,
            Self::Traces => 9,
        }
    }

    /// Returns the message of a request.
    pub(super) fn request(self) -> &'static OtlpMessage {
        match self {
            Self::Logs => &LOGS,
            Self::Traces => &TRACES,
        }
    }
}
