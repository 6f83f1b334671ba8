//! Labels that aggregations keep or leave out.

use pest::iterators::Pair;

use super::grammar::Rule;

/// Which labels stay.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Grouping {
    By(Vec<String>),
    Without(Vec<String>),
}

pub(super) fn grouping(pair: Pair<'_, Rule>) -> Grouping {
    let mut is_without = false;
    let mut labels = Vec::new();
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::kw_without => is_without = true,
            Rule::label => labels.push(part.as_str().to_owned()),
            _ => {}
        }
    }
    if is_without { Grouping::Without(labels) } else { Grouping::By(labels) }
}
