//! Problems of a trace: what is missing, and what is wrong.

use std::sync::Arc;

use serde_json::{Value as Json, json};

types::named! {
    /// The kind of a problem of a trace.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum ProblemCode {
        /// Spans name a parent that is missing.
        MissingParent = "missing-parent",
        /// Spans name each other as parents.
        Cycle = "cycle",
        /// More than one span has no parent.
        SeveralRoots = "several-roots",
        /// The clocks of two services differ.
        ClockSkew = "clock-skew",
        /// The trace has more than was read.
        Cut = "cut",
        /// Spans were sent more than once.
        Repeated = "repeated",
        /// A span was stored otherwise than it was sent, or its duration is hardly true.
        Span = "span",
    }
}

/// One problem of a trace.
#[derive(Clone, Debug)]
pub(crate) struct TraceProblem {
    /// Its kind.
    pub(crate) code: ProblemCode,
    /// The span that it concerns, if it concerns one.
    pub(crate) span_id: Option<Arc<str>>,
    /// What is wrong.
    pub(crate) message: String,
}

impl TraceProblem {
    /// Returns a problem of one span.
    pub(crate) fn of_span(code: ProblemCode, span_id: &Arc<str>, message: String) -> Self {
        Self { code, span_id: Some(span_id.clone()), message }
    }

    /// Returns a problem of the whole trace.
    pub(crate) fn of_trace(code: ProblemCode, message: String) -> Self {
        Self { code, span_id: None, message }
    }

    /// Returns the problem as answers contain it.
    pub(crate) fn to_json(&self) -> Json {
        json!({"code": self.code.name(), "span_id": self.span_id.as_deref(), "message": self.message})
    }
}
