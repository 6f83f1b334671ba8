//! The generated grammar.

/// The generated parser.
mod generated {
    #![allow(missing_docs)]

    /// Reads TraceQL.
    #[derive(pest_derive::Parser)]
    #[grammar = "../../grammar/traceql.pest"]
    pub(crate) struct TraceQl;
}

pub(crate) use generated::{Rule, TraceQl};
pub(crate) use plan::span_of;
