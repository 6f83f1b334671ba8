//! The text of an event that has a pattern.

use plan::{Expr, Function, MESSAGE_FIELDS};

/// Returns the text of an event: its field with the message, where it has one.
pub(crate) fn text_of_event() -> Expr {
    let fields = MESSAGE_FIELDS.iter().map(|name| Expr::Field((*name).into()));
    Expr::Call(Function::Coalesce, fields.chain([Expr::Field("@message".into())]).collect())
}
