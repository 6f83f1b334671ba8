//! Expressions and aggregates in canonical form, which is read as the same tree.

use std::fmt::{self, Display, Formatter};

use plan::escape::quoted;

use crate::literal::Literal;
use crate::syntax::{Aggregate, BinaryOperator, Expression, ExpressionKind};

impl Display for Aggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.argument {
            Some(argument) => write!(f, "{}({argument})", self.function.name()),
            None => write!(f, "{}()", self.function.name()),
        }
    }
}

/// Writes a part, in brackets where it needs them.
pub(crate) fn bracketed(f: &mut Formatter<'_>, inner: &dyn Display, needs_brackets: bool) -> fmt::Result {
    if needs_brackets { write!(f, "({inner})") } else { write!(f, "{inner}") }
}

/// Returns how strongly the outermost operator of an expression binds.
fn strength(expression: &Expression) -> u8 {
    use plan::ArithmeticOperator as A;
    match &expression.kind {
        ExpressionKind::Binary(BinaryOperator::And | BinaryOperator::Or, ..) => 0,
        ExpressionKind::Binary(BinaryOperator::Compare(_), ..)
        | ExpressionKind::Match(..)
        | ExpressionKind::Exists(..) => 1,
        ExpressionKind::Binary(BinaryOperator::Arithmetic(A::Add | A::Subtract), ..) => 2,
        ExpressionKind::Binary(BinaryOperator::Arithmetic(A::Power), ..) => 5,
        ExpressionKind::Binary(BinaryOperator::Arithmetic(_), ..) => 3,
        ExpressionKind::Negate(_) | ExpressionKind::Not(_) => 4,
        // A minus before a number binds as any other minus does.
        ExpressionKind::Literal(Literal::Integer(i64::MIN)) => 6,
        ExpressionKind::Literal(Literal::Integer(number)) if *number < 0 => 4,
        ExpressionKind::Literal(Literal::Duration(length)) if *length < 0 => 4,
        ExpressionKind::Literal(Literal::Float(number)) if number.is_sign_negative() => 4,
        ExpressionKind::Literal(_) | ExpressionKind::Field(_) => 6,
    }
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let own = strength(self);
        let left = |f: &mut Formatter<'_>, inner: &Self| bracketed(f, inner, strength(inner) < own);
        match &self.kind {
            ExpressionKind::Literal(literal) => write!(f, "{literal}"),
            ExpressionKind::Field(field) => write!(f, "{field}"),
            ExpressionKind::Negate(inner) => {
                f.write_str("-")?;
                // The minus would become part of a number.
                bracketed(f, &**inner, strength(inner) < own || matches!(inner.kind, ExpressionKind::Literal(_)))
            }
            ExpressionKind::Not(inner) => {
                f.write_str("!")?;
                left(f, inner)
            }
            ExpressionKind::Match(text, pattern, is_negated) => {
                left(f, text)?;
                write!(f, " {} {}", if *is_negated { "!~" } else { "=~" }, quoted(&pattern.source))
            }
            ExpressionKind::Exists(value, is_there) => {
                left(f, value)?;
                f.write_str(if *is_there { " != nil" } else { " = nil" })
            }
            ExpressionKind::Binary(operator, a, b) => {
                let sign = match operator {
                    BinaryOperator::And => "&&",
                    BinaryOperator::Or => "||",
                    BinaryOperator::Compare(comparison) => comparison.name(),
                    BinaryOperator::Arithmetic(operator) => operator.name(),
                };
                // Powers bind to the right; a minus may precede the exponent.
                let (a_needs, b_needs) = if own == 5 {
                    (strength(a) <= own, strength(b) < 4)
                } else {
                    (strength(a) < own, strength(b) <= own)
                };
                bracketed(f, &**a, a_needs)?;
                write!(f, " {sign} ")?;
                bracketed(f, &**b, b_needs)
            }
        }
    }
}
