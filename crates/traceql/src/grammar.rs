//! The generated grammar, and the place of a rule in the text.

use pest::iterators::Pair;
use plan::Span;

/// The generated parser.
mod generated {
    #![allow(missing_docs)]

    /// Reads TraceQL.
    #[derive(pest_derive::Parser)]
    #[grammar = "../../grammar/traceql.pest"]
    pub(crate) struct TraceQl;
}

pub(crate) use generated::{Rule, TraceQl};

/// Returns the place of a rule's text, without the white space at its end.
pub(crate) fn span_of(pair: &Pair<'_, Rule>) -> Span {
    let span = pair.as_span();
    Span { start: span.start(), end: span.start() + span.as_str().trim_end().len() }
}
