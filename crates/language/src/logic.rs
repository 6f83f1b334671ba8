//! Negation and constants of conditions.
//!
//! Readers of search queries return `None` for a condition that always holds.

use plan::Expr;
use types::Value;

/// Negates a condition; `None` always holds, and its negation never does.
pub fn not(condition: Option<Expr>) -> Expr {
    condition.map_or_else(never, plan::not)
}

/// Returns a condition that never holds.
pub fn never() -> Expr {
    Expr::Literal(Some(Value::Boolean(false)))
}

/// Boxes both sides of an operator.
pub fn both(left: Expr, right: Expr, join: fn(Box<Expr>, Box<Expr>) -> Expr) -> Expr {
    join(Box::new(left), Box::new(right))
}
