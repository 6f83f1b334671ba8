//! A place in the text of an expression.

use super::math::MathProblem;

/// Reads a text from its beginning.
pub(super) struct Cursor<'t> {
    text: &'t str,
    pub(super) at: usize,
    /// How deep what is being read is nested.
    pub(super) depth: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    pub(super) fn problem(&self, what: impl std::fmt::Display) -> MathProblem {
        MathProblem(format!("{what} (character {})", self.text[..self.at].chars().count() + 1))
    }

    /// Returns what follows, without blanks before it.
    pub(super) fn rest(&mut self) -> &'t str {
        let rest = self.text[self.at..].trim_start();
        self.at = self.text.len() - rest.len();
        rest
    }

    /// Takes a symbol or a word if it is next; a word, only if nothing continues it.
    pub(super) fn take(&mut self, symbol: &str) -> bool {
        let Some((start, after)) = self.rest().split_at_checked(symbol.len()) else { return false };
        let is_word = symbol.starts_with(|first: char| first.is_ascii_alphabetic());
        let is_longer = after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let is_it = if is_word { start.eq_ignore_ascii_case(symbol) && !is_longer } else { start == symbol };
        self.at += if is_it { symbol.len() } else { 0 };
        is_it
    }

    pub(super) fn need(&mut self, symbol: &str) -> Result<(), MathProblem> {
        if self.take(symbol) { Ok(()) } else { Err(self.problem(format!("{symbol:?} is expected"))) }
    }

    /// Takes the text in quotes that is next.
    pub(super) fn quoted(&mut self, quote: char) -> Result<&'t str, MathProblem> {
        let inner = &self.rest()[1..];
        let Some(end) = inner.find(quote) else { return Err(self.problem("the quote does not end")) };
        self.at += end + 2;
        Ok(&inner[..end])
    }
}
