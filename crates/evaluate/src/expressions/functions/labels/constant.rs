//! Constant arguments.

use plan::Expr;
use types::Value;

/// Returns the text of a constant; names and options are constants.
pub(super) fn literal(expr: &Expr) -> &str {
    match expr {
        Expr::Literal(Some(Value::String(text))) => text,
        _ => "",
    }
}
