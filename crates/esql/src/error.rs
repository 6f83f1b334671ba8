//! What is wrong with a query, in Elasticsearch's form.

use plan::{QueryError, Span, place};

/// What reading a query returns.
pub type Result<T, E = EsqlError> = std::result::Result<T, E>;

/// What is wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct EsqlError {
    /// What Elasticsearch calls errors of the kind.
    pub kind: &'static str,
    /// What is wrong, with its place.
    pub reason: String,
    /// Line from 1.
    pub line: usize,
    /// Column from 1, in code points.
    pub column: usize,
}

impl EsqlError {
    /// Text that is no query.
    pub(super) fn parsing(text: &str, at: usize, message: String) -> Self {
        let (line, column) = place(text, at);
        let reason = format!("line {line}:{column}: {message}");
        Self { kind: "parsing_exception", reason, line, column }
    }

    /// Returns a query that cannot be answered, such as one about an unknown column.
    pub(super) fn verification(text: &str, at: usize, message: String) -> Self {
        let (line, column) = place(text, at);
        let reason = format!("Found 1 problem\nline {line}:{column}: {message}");
        Self { kind: "verification_exception", reason, line, column }
    }

    /// Returns the same in the form of other languages: the message without the place, and the place of the word in `text`,
    /// which is the text that was read.
    pub fn in_text(&self, text: &str) -> QueryError {
        let place = format!("line {}:{}: ", self.line, self.column);
        let message = self.reason.split_once(&place).map_or(self.reason.as_str(), |(_, message)| message);
        let before: usize = text.split_inclusive('\n').take(self.line.saturating_sub(1)).map(str::len).sum();
        let line = text.get(before..).unwrap_or_default();
        let at = line.char_indices().nth(self.column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
        let word = line[at..].find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '.' | '@'));
        let length = word.unwrap_or(line.len() - at).max(1);
        let start = before + at;
        QueryError::new("bad-query", message, text, Span { start, end: start + length })
    }
}
