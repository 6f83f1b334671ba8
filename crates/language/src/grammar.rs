//! Places in a query, as the generated grammars report them.

use pest::RuleType;
use pest::iterators::Pair;
use plan::Span;

/// Returns the place of a rule in the query.
pub(crate) fn span_of<R: RuleType>(pair: &Pair<'_, R>) -> Span {
    let span = pair.as_span();
    Span { start: span.start(), end: span.end() }
}
