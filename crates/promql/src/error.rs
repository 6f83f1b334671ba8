//! Errors of queries.

use std::ops::Range;

use crate::annotations::position;

/// Why a text is not a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// Bytes of the text that are wrong.
    pub span: Range<usize>,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl ParseError {
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into() }
    }

    /// Returns `LINE:COLUMN: parse error: MESSAGE`, the form that clients of Prometheus know.
    pub fn located(&self, text: &str) -> String {
        format!("{}: parse error: {}", position(text, self.span.start), self.message)
    }
}

/// Why storage yields no samples.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SourceError(pub String);

/// Why an evaluation was stopped from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The caller no longer waits.
    Cancelled,
    /// The time is up.
    TimedOut,
}

/// What evaluating a query returns.
pub(crate) type Result<T, E = EvalError> = std::result::Result<T, E>;

/// Why a query has no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EvalError {
    /// More samples than `Options::samples_max` would be in memory.
    #[error(
        "query processing would load too many samples into memory in query execution (limit {0}); ask for a shorter range, fewer series or a longer step"
    )]
    TooManySamples(usize),
    /// The query has no value at each step of a range, the range is empty, its step is not positive, or a time is outside of ±2^53 ms.
    #[error("invalid range: {0}")]
    InvalidRange(String),
    /// Stopped from outside: cancelled.
    #[error("query was canceled in expression evaluation")]
    Cancelled,
    /// Stopped from outside: out of time.
    #[error("query timed out in expression evaluation")]
    TimedOut,
    /// Storage failed.
    #[error("expanding series: {0}")]
    Source(#[from] SourceError),
    /// The query asks for what its data or the options do not allow.
    #[error("{message}")]
    Query {
        /// Bytes of the query that are concerned.
        span: Range<usize>,
        /// What is wrong.
        message: String,
    },
}

impl EvalError {
    pub(crate) fn at(span: &Range<usize>, message: impl Into<String>) -> Self {
        Self::Query { span: span.clone(), message: message.into() }
    }
}
