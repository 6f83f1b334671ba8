//! What query strings of Lucene and KQL share: limits, columns, and the words for what their grammars refuse.

use pest::RuleType;
use pest::error::Error;
use plan::{Expr, Operator, Plan, QueryError, Result, Span, nested_too_deeply, stop_of};

/// Longest query in bytes.
pub(crate) const QUERY_BYTES_MAX: usize = 64 << 10;

/// Deepest nesting of brackets.
pub(crate) const NESTING_MAX: usize = 128;

/// Most clauses: each costs a pass over what it looks at.
pub(crate) const CLAUSES_MAX: usize = 1_024;

/// Returns the plan of events that pass filters, newest first.
pub(crate) fn plan_of(mut operators: Vec<Operator>) -> Plan {
    let columns = ["@timestamp", "@message"].into_iter().map(|name| (name.into(), Expr::Field(name.into())));
    operators.push(Operator::Project { columns: columns.collect(), is_events: true });
    Plan::new(operators)
}

/// Refuses a query that is too long to be read.
pub(crate) fn check_length(text: &str) -> Result<()> {
    if text.len() <= QUERY_BYTES_MAX {
        return Ok(());
    }
    let message = format!("the query has {} bytes, more than the {QUERY_BYTES_MAX} allowed", text.len());
    let span = Span { start: QUERY_BYTES_MAX, end: text.len() };
    Err(QueryError::new("query-too-long", message, text, span))
}

/// A syntax error without its place: what is wrong, and how to mend it.
pub(crate) struct SyntaxError {
    pub(crate) message: String,
    pub(crate) hint: Option<&'static str>,
}

/// Turns a parse error of a grammar into an error with its place. `own` has the language's own words for a character.
pub(crate) fn explain<R: RuleType>(
    error: &Error<R>,
    text: &str,
    own: impl Fn(char) -> Option<SyntaxError>,
) -> QueryError {
    let (at, Some(_)) = stop_of(error) else { return nested_too_deeply(text) };
    let first = text.get(at..).unwrap_or_default().chars().next();
    let span = Span { start: at, end: at + first.map_or(0, char::len_utf8) };
    let SyntaxError { message, hint } = first.and_then(own).unwrap_or_else(|| unexpected(first));
    let error = QueryError::new("syntax", message, text, span);
    match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

fn unexpected(first: Option<char>) -> SyntaxError {
    let (message, hint) = match first {
        None => ("the query ends where a word, a text in quotes or `field:value` was expected".to_owned(), None),
        Some('"') => ("this text has no closing \"".to_owned(), None),
        Some('(') => ("this bracket has no closing )".to_owned(), None),
        Some(')') => ("this bracket closes nothing".to_owned(), Some("write \\) for the sign itself")),
        Some(sign) => {
            (format!("`{sign}` stands where a word was expected"), Some("put texts with such signs in quotes"))
        }
    };
    SyntaxError { message, hint }
}
