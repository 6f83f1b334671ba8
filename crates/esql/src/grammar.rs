//! The generated grammar, and what every reader of its rules needs.

use pest::iterators::Pair;

/// The generated parser.
mod generated {
    #![allow(missing_docs)]

    /// Reads ES|QL.
    #[derive(pest_derive::Parser)]
    #[grammar = "../../grammar/esql.pest"]
    pub(crate) struct Esql;
}

pub(super) use generated::{Esql, Rule};
pub(super) use plan::span_of;

/// Returns the parts of a rule that are no words of the language.
pub(super) fn parts<'i>(pair: Pair<'i, Rule>) -> impl Iterator<Item = Pair<'i, Rule>> {
    let is_word = |rule| {
        matches!(
            rule,
            Rule::kw_from
                | Rule::kw_row
                | Rule::kw_metadata
                | Rule::kw_where
                | Rule::kw_eval
                | Rule::kw_stats
                | Rule::kw_by
                | Rule::kw_sort
                | Rule::kw_nulls
                | Rule::kw_limit
                | Rule::kw_keep
                | Rule::kw_drop
                | Rule::kw_rename
                | Rule::kw_as
                | Rule::kw_dissect
                | Rule::kw_grok
                | Rule::kw_or
                | Rule::kw_and
                | Rule::kw_is
                | Rule::kw_in
                | Rule::kw_null
        )
    };
    pair.into_inner().filter(move |part| !is_word(part.as_rule()))
}
