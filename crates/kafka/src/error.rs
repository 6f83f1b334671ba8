//! Why there are no messages.

/// What went wrong, and whose fault it is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A broker cannot be reached, or does not answer; later it may.
    #[error("{address}: {source}")]
    Unreachable {
        /// The broker.
        address: String,
        /// What happened to the connection.
        source: std::io::Error,
    },
    /// A broker answers in a way that is not understood.
    #[error("{address}: {problem}")]
    Answer {
        /// The broker.
        address: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A broker refuses what it was asked for.
    #[error("{what}: {reason}")]
    Refused {
        /// What was asked for.
        what: String,
        /// The name of the error in Kafka's protocol, or the broker's words.
        reason: String,
    },
    /// An address or an option is wrong.
    #[error("{0}")]
    Usage(String),
}

impl Error {
    /// Makes a refusal of an error code, which is not 0.
    pub(crate) fn refused(what: impl Into<String>, code: i16) -> Self {
        use kafka_protocol::error::ParseResponseErrorCode;
        let reason = code.err().map_or_else(|| code.to_string(), |error| error.to_string());
        Self::Refused { what: what.into(), reason }
    }
}
