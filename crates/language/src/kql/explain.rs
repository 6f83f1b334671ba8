//! What the grammar of KQL could not read, in words for the person who wrote it.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::Rule;
use plan::error::{QueryError, Span};

/// Turns the grammar's complaint into an error.
pub(super) fn explain(error: &Error<Rule>, text: &str) -> QueryError {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    if let ErrorVariant::CustomError { .. } = error.variant {
        let span = Span { start: 0, end: text.len() };
        return QueryError::new("nested-too-deeply", "the query is nested too deeply to be read", text, span);
    }
    let rest = text.get(at..).unwrap_or_default();
    let first = rest.chars().next();
    let span = Span { start: at, end: at + first.map_or(0, char::len_utf8) };
    let (message, hint) = match first {
        None => ("the query ends where a word, a text in quotes or `field:value` was expected".to_owned(), None),
        Some('"') => ("this text has no closing \"".to_owned(), None),
        Some('(') => ("this bracket has no closing )".to_owned(), None),
        Some(')') => ("this bracket closes nothing".to_owned(), Some("write \\) for the sign itself")),
        Some(sign) if sign.is_alphabetic() => {
            (format!("`{sign}` begins a word where none fits"), Some("join conditions with `and` or `or`"))
        }
        Some(sign) => {
            (format!("`{sign}` stands where a word was expected"), Some("put texts with such signs in quotes"))
        }
    };
    let error = QueryError::new("syntax", message, text, span);
    match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}
