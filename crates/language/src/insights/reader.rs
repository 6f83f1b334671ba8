//! The query that is read, with the place of what is wrong in it.

use plan::{QueryError, Span};

/// Turns what the grammar found into nodes.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    /// The text that places refer to.
    pub text: &'a str,
    /// How many queries are around the commands that are being read.
    pub n_around: usize,
}

impl Reader<'_> {
    pub(crate) fn error(&self, code: &'static str, message: impl Into<String>, span: Span) -> QueryError {
        QueryError::new(code, message, self.text, span)
    }
}
