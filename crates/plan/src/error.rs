//! What is wrong with a query, and where, in words for the person who wrote it.
//!
//! A place is kept three ways: line and column in code points for people, UTF-16 offsets for editors. Texts
//! never name grammar rules; where something near was meant, the hint says so.

use std::fmt;

use pest::RuleType;
use pest::error::{Error, ErrorVariant, InputLocation};
use pest::iterators::Pair;

/// A half-open range of bytes of the query's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// First byte after.
    pub end: usize,
}

impl Span {
    /// Returns the range from the start of this one to the end of `last`.
    pub fn to(self, last: Self) -> Self {
        Self { start: self.start, end: last.end }
    }
}

/// What reading a query, or a part of one, returns.
pub type Result<T, E = QueryError> = std::result::Result<T, E>;

/// One mistake in a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at {line}:{column}{}", hint_text(.hint.as_deref()))]
pub struct QueryError {
    /// Stable code, `kebab-case`.
    pub code: &'static str,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Line from 1.
    pub line: usize,
    /// Column from 1, in code points.
    pub column: usize,
    /// Where the text concerned starts, in UTF-16 units from 0.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// What to write instead.
    pub hint: Option<String>,
}

fn hint_text(hint: Option<&str>) -> String {
    hint.map(|hint| format!("; {hint}")).unwrap_or_default()
}

impl QueryError {
    /// Makes an error about the part `span` of `text`.
    pub fn new(code: &'static str, message: impl Into<String>, text: &str, span: Span) -> Self {
        let (line, column) = place(text, span.start);
        let utf16 = |end: usize| before(text, end).encode_utf16().count();
        Self {
            code,
            message: message.into(),
            line,
            column,
            start: utf16(span.start),
            end: utf16(span.end.max(span.start)),
            hint: None,
        }
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Returns the text before byte `end`, or before the character that byte `end` is inside of.
fn before(text: &str, end: usize) -> &str {
    &text[..text.floor_char_boundary(end)]
}

/// Line and column (from 1, in code points) of byte `at`.
pub fn place(text: &str, at: usize) -> (usize, usize) {
    let head = before(text, at);
    let line = head.matches('\n').count() + 1;
    let column = head.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// Everything found wrong with a query, in the order of the text; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryErrors(pub Vec<QueryError>);

impl From<QueryError> for QueryErrors {
    fn from(error: QueryError) -> Self {
        Self(vec![error])
    }
}

impl std::error::Error for QueryErrors {}

/// One error per line.
impl fmt::Display for QueryErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

/// Returns where a grammar stopped, and the rules that could have continued there; `None` instead of the rules if it
/// gave up because the query is nested too deeply.
pub fn stop_of<R: RuleType>(error: &Error<R>) -> (usize, Option<&[R]>) {
    let (InputLocation::Pos(at) | InputLocation::Span((at, _))) = error.location;
    match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => (at, Some(positives)),
        ErrorVariant::CustomError { .. } => (at, None),
    }
}

/// Returns the place of a rule's text, without the white space at its end.
pub fn span_of<R: RuleType>(pair: &Pair<'_, R>) -> Span {
    let span = pair.as_span();
    Span { start: span.start(), end: span.start() + span.as_str().trim_end().len() }
}

/// Returns the error for a query that is nested too deeply for a grammar.
pub fn nested_too_deeply(text: &str) -> QueryError {
    let span = Span { start: 0, end: text.len() };
    QueryError::new("nested-too-deeply", "the query is nested too deeply to be read", text, span)
}

/// Joins the names of alternatives, `a, b or c`; returns `none` if there are no names.
pub fn alternatives(names: &[&str], none: &str) -> String {
    match names {
        [] => none.to_owned(),
        [only] => (*only).to_owned(),
        [firsts @ .., last] => format!("{} or {last}", firsts.join(", ")),
    }
}

/// Returns what a grammar expected, `a, b or c`, as `kind_of` calls its rules.
pub fn one_of<R: Copy>(expected: &[R], kind_of: impl Fn(R) -> Option<&'static str>) -> String {
    let mut kinds: Vec<&str> = expected.iter().filter_map(|rule| kind_of(*rule)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    alternatives(&kinds, "something else")
}

// Longer words are certainly no misspelt keywords, and the distance costs the product of the lengths.
const WORD_BYTES_MAX: usize = 40;

/// Returns the one of `words` that `written` was probably meant to be, whatever the case of its letters.
pub fn nearest<'a>(written: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if written.len() > WORD_BYTES_MAX {
        return None;
    }
    let written = written.to_lowercase();
    let n_allowed = (written.chars().count() / 3).clamp(1, 3);
    // Letters that are swapped with their neighbour count once.
    words
        .into_iter()
        .map(|word| (strsim::osa_distance(&written, &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= n_allowed && *distance < word.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests;
