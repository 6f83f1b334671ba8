//! What reading LogQL needs everywhere: errors with places, texts, a bound on nesting.

use plan::escape::escaped;

use pest::iterators::Pair;

use super::grammar::Rule;
use super::label_view::LabelScope;
use crate::grammar::span_of;
use plan::{QueryError, REGEXES_MAX, Result, Span, compile_go_regex};

// Reading and evaluation recurse over the tree: so many levels fit every thread's stack.
const NODES_NESTED_MAX: usize = 128;

/// Turns what the grammar found into queries.
pub(super) struct Reader<'a> {
    text: &'a str,
    n_nested: usize,
    n_regexes: std::cell::Cell<usize>,
    /// What labels mean at the stage that is read.
    pub(super) sight: LabelScope,
    /// Whether what is read next is summed by labels: then parsers look for these and check no conditions early.
    pub(super) is_grouped: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, is_plain: bool) -> Self {
        let n_regexes = std::cell::Cell::new(0);
        Self { text, n_nested: 0, n_regexes, sight: LabelScope::new(is_plain), is_grouped: false }
    }

    pub(super) fn error(&self, code: &'static str, message: impl Into<String>, span: Span) -> QueryError {
        QueryError::new(code, message, self.text, span)
    }

    /// Counts one more operator or bracket; too many of them are an error, since each may nest in the other.
    pub(super) fn nest(&mut self, span: Span) -> Result<()> {
        self.n_nested += 1;
        if self.n_nested > NODES_NESTED_MAX {
            let message = format!("the query has more than {NODES_NESTED_MAX} operators and brackets");
            return Err(self.error("nested-too-deeply", message, span));
        }
        Ok(())
    }

    /// Compiles a regular expression of Go; too large and too many ones are errors.
    pub(super) fn regex(&self, source: &str, span: Span) -> Result<regex::Regex> {
        self.n_regexes.set(self.n_regexes.get() + 1);
        if self.n_regexes.get() > REGEXES_MAX {
            let message = format!("the query has more than {REGEXES_MAX} regular expressions");
            return Err(self.error("too-many-regexes", message, span));
        }
        compile_go_regex(source).map_err(|message| self.error("bad-regex", message, span))
    }

    /// Returns a text in quotes or backticks, with Go's escapes resolved.
    pub(super) fn string(&self, pair: &Pair<'_, Rule>) -> Result<String> {
        let written = pair.as_str();
        let inner = written.get(1..written.len().saturating_sub(1)).unwrap_or_default();
        if written.starts_with('`') {
            return Ok(inner.to_owned());
        }
        let mut text = String::with_capacity(inner.len());
        let mut rest = inner;
        while let Some(at) = rest.find('\\') {
            text.push_str(&rest[..at]);
            let Some((character, n_bytes)) = escaped(&rest[at + 1..]) else {
                let start = span_of(pair).start + 1 + inner.len() - rest.len() + at;
                let message = "this is no escape";
                let error = self.error("bad-escape", message, Span { start, end: start + 2 });
                return Err(error.with_hint("write \\\\ for a backslash, or the text in backticks"));
            };
            text.push(character);
            rest = &rest[at + 1 + n_bytes..];
        }
        text.push_str(rest);
        Ok(text)
    }
}
