//! The pattern that is read, with the place of what is wrong in it.

use plan::{Expr, QueryError, Span, Warning, place};

/// Turns what the grammar found into expressions.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
}

impl Reader<'_> {
    pub(super) fn error(&self, code: &'static str, message: impl Into<String>, span: Span) -> QueryError {
        QueryError::new(code, message, self.text, span)
    }

    pub(super) fn warning(&self, code: &'static str, message: &str, span: Span, hint: &str) -> Warning {
        let (line, column) = place(self.text, span.start);
        let hint = Some(hint.to_owned());
        Warning { code, message: message.to_owned(), line: Some(line), column: Some(column), hint }
    }
}

pub(super) fn message() -> Expr {
    Expr::Field("@message".into())
}
