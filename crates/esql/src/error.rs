//! What is wrong with a query, in Elasticsearch's form.

use plan::error::place;

/// What is wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct EsqlError {
    /// What Elasticsearch calls errors of the kind.
    pub kind: &'static str,
    /// What is wrong, with its place.
    pub reason: String,
    /// Line from 1.
    pub line: usize,
    /// Column from 1, in code points.
    pub column: usize,
}

impl EsqlError {
    /// Text that is no query.
    pub(super) fn parsing(text: &str, at: usize, message: String) -> Self {
        let (line, column) = place(text, at);
        let reason = format!("line {line}:{column}: {message}");
        Self { kind: "parsing_exception", reason, line, column }
    }

    /// Returns a query that cannot be answered, such as one about an unknown column.
    pub(super) fn verification(text: &str, at: usize, message: String) -> Self {
        let (line, column) = place(text, at);
        let reason = format!("Found 1 problem\nline {line}:{column}: {message}");
        Self { kind: "verification_exception", reason, line, column }
    }
}
