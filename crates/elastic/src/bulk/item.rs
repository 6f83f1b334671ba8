//! The items of a bulk request: action, document, outcome.

use std::borrow::Cow;

/// Longest `_id` in bytes, as in Elasticsearch.
pub(super) const ID_BYTES_MAX: usize = 512;

types::named! {
    /// What a request asks for.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Action {
        /// Add a document, or replace the one of its id.
        Index = "index",
        /// Add a document unless there is one of its id.
        Create = "create",
        /// Change a document.
        Update = "update",
        /// Take a document away.
        Delete = "delete",
    }
}

impl Action {
    /// Whether it adds a document.
    pub(super) fn adds(self) -> bool {
        matches!(self, Self::Index | Self::Create)
    }
}

/// One action of a request and what became of it.
#[derive(Clone, Debug)]
pub struct Item<'b> {
    /// What was asked for.
    pub action: Action,
    /// The index as its sender calls it; empty where none was named.
    pub index: Cow<'b, str>,
    /// The id that its sender gave.
    pub id: Option<Cow<'b, str>>,
    /// What became of it.
    pub outcome: Outcome,
    pub(super) source: &'b [u8],
}

impl<'b> Item<'b> {
    /// An action without a document.
    pub fn new(action: Action, index: &'b str, id: Option<&'b str>, outcome: Outcome) -> Self {
        Self { action, index: index.into(), id: id.map(Cow::Borrowed), outcome, source: b"" }
    }
}

/// What became of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is an event now, and durable.
    Created,
    /// An event of the group has its id.
    Exists,
    /// An event of its id is on its way into the store; whether it arrives is not known yet.
    Busy,
    /// It is no event.
    Refused(Refusal),
}

/// Why an action was refused. Sending it again does not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The line says nothing that could be done.
    #[error("line {line} of the body is no action: {problem}")]
    NoAction {
        /// Its line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// Events never change.
    #[error("{} is not possible: events never change; only index and create are", .0.name())]
    Unsupported(Action),
    /// No index is named, neither in the address nor in the action.
    #[error("index is missing")]
    NoIndex,
    /// There is no pipeline of this name.
    #[error("pipeline with id [{0}] does not exist")]
    NoPipeline(String),
    /// The line of the document is missing.
    #[error("document is missing")]
    NoDocument,
    /// The id cannot be one.
    #[error("id is empty or longer than {ID_BYTES_MAX} bytes")]
    BadId,
    /// The document has a field where its id is to be.
    #[error("field [_id] is a metadata field and cannot be in a document that has an id of its own")]
    OwnId,
    /// The document is no record.
    #[error("{0}")]
    NoRecord(String),
    /// Its group would drop it at once.
    #[error("{0}")]
    TooOld(String),
    /// The sender may not write to the group.
    #[error("{0}")]
    OutOfScope(String),
    /// The document does not fit what its index is declared to be.
    #[error("{reason}")]
    Misfit {
        /// What Elasticsearch calls errors of the kind.
        kind: &'static str,
        /// What does not fit.
        reason: String,
    },
}
