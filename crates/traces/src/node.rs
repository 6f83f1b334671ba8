//! The nodes of the tree of a trace.

use std::sync::Arc;

use types::Timestamp;

/// The content of a node of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A span, by its index.
    Span(usize),
    /// A missing span that other spans name as their parent, by its id.
    Gap(Arc<str>),
}

/// A node of the tree.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Its content.
    pub(crate) place: Place,
    /// The index of the parent's node; `None` for roots.
    pub(crate) parent: Option<usize>,
    /// The number of nodes above it.
    pub(crate) depth: usize,
    /// When it began by the clock of the trace; equal to the span's start unless clocks differ.
    pub(crate) start: Timestamp,
    /// The time, in nanoseconds, in which the span ran and none of its children did.
    pub(crate) self_ns: i64,
    /// The time, in nanoseconds, during which the end of the trace waited for this span itself.
    pub(crate) critical_ns: i64,
}
