//! What is wrong with a search request of Elasticsearch.

/// What reading a search request returns.
pub type Result<T, E = SearchError> = std::result::Result<T, E>;

/// What is wrong with a search request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SearchError {
    /// What Elasticsearch calls errors of the kind, such as `parsing_exception`.
    pub kind: &'static str,
    /// What is wrong, and where in the request.
    pub reason: String,
}

impl SearchError {
    /// Something in the request that is not as it must be; `at` is where, such as `query.bool.must[0]`.
    pub fn parsing(at: &str, message: impl AsRef<str>) -> Self {
        Self { kind: "parsing_exception", reason: format!("[{at}] {}", message.as_ref()) }
    }

    /// Returns a value that is not allowed.
    pub fn argument(reason: impl Into<String>) -> Self {
        Self { kind: "illegal_argument_exception", reason: reason.into() }
    }
}
