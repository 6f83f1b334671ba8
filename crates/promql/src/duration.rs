//! Durations written as arithmetic, such as `[2 * step()]`.

use crate::error::ParseError;
use crate::lexer::DURATION_MAX;
use crate::syntax::{Expr, Length, Node, Operator, Selector};

/// The step and the length of a query's range, ms; both are 0 for an instant query.
#[derive(Clone, Copy)]
pub(crate) struct QueryRange {
    pub(crate) step: i64,
    pub(crate) range: i64,
}

/// Replaces each [`Expr::Computed`] by its selector or subquery, with its durations filled in.
pub(crate) fn resolve(node: &mut Node, text: &str, of: QueryRange) -> Result<(), ParseError> {
    if let Expr::Computed(inner, durations) = &mut node.expr {
        for (length, duration) in durations {
            let ms = milliseconds(duration, (text, *length), Some(of))?;
            inner.set(*length, ms.unwrap_or_default());
        }
        *node = std::mem::replace(&mut **inner, Node { expr: Expr::Number(0.0), span: 0..0 });
    }
    node.children_mut().into_iter().try_for_each(|child| resolve(child, text, of))
}

/// Returns a duration in ms; `None` if it has `step()` or `range()` and the query's range is not given.
///
/// Errors: not a duration, out of range, or not above 0 where it must be.
pub(crate) fn milliseconds(
    node: &Node,
    (text, length): (&str, Length),
    of: Option<QueryRange>,
) -> Result<Option<i64>, ParseError> {
    let Some(seconds) = seconds(node, of)? else { return Ok(None) };
    let limit = DURATION_MAX as f64 / 1000.0;
    if seconds.is_nan() || seconds.abs() > limit {
        let message = format!("{:?} is not a time in seconds of at most {limit}", &text[node.span.clone()]);
        return Err(ParseError::new(node.span.clone(), message));
    }
    let ms = if matches!(node.expr, Expr::Number(_)) { (seconds * 1000.0).round() } else { seconds * 1000.0 } as i64;
    if length != Length::Offset && (ms <= 0 || seconds <= 0.0) {
        return Err(ParseError::new(node.span.clone(), "duration must be greater than 0"));
    }
    Ok(Some(ms))
}

fn seconds(node: &Node, of: Option<QueryRange>) -> Result<Option<f64>, ParseError> {
    let fail = |message: &str| Err(ParseError::new(node.span.clone(), message));
    let both = |left: &Node, right: &Node| Ok::<_, ParseError>(seconds(left, of)?.zip(seconds(right, of)?));
    match &node.expr {
        Expr::Number(value) => Ok(Some(*value)),
        Expr::Paren(inner) => seconds(inner, of),
        Expr::Negate(inner) => Ok(seconds(inner, of)?.map(|value| -value)),
        Expr::Binary { operator, left, right, return_bool: false, matching } if matching.is_plain() => {
            // Each side is computed once: twice would double the time with every operator below.
            let right = seconds(right, of)?;
            let by_zero = matches!(right, Some(0.0));
            let compute: fn(f64, f64) -> f64 = match operator {
                Operator::Add => |a, b| a + b,
                Operator::Sub => |a, b| a - b,
                Operator::Mul => |a, b| a * b,
                Operator::Div if by_zero => return fail("division by zero"),
                Operator::Div => |a, b| a / b,
                Operator::Mod if by_zero => return fail("modulo by zero"),
                Operator::Mod => |a, b| a % b,
                Operator::Pow => f64::powf,
                other => return fail(&format!("operator {:?} is not allowed in a duration", other.text())),
            };
            Ok(seconds(left, of)?.zip(right).map(|(left, right)| compute(left, right)))
        }
        Expr::Call(function, args) => match (function.name, &args[..]) {
            ("step", []) => Ok(of.map(|of| of.step as f64 / 1000.0)),
            ("range", []) => Ok(of.map(|of| of.range as f64 / 1000.0)),
            ("min_of", [left, right]) => Ok(both(left, right)?.map(|(left, right)| left.min(right))),
            ("max_of", [left, right]) => Ok(both(left, right)?.map(|(left, right)| left.max(right))),
            _ => fail("a duration has the functions step(), range(), min_of(A, B) and max_of(A, B)"),
        },
        _ => fail("expected a number, a duration, step(), range(), min_of(A, B) or max_of(A, B)"),
    }
}

impl Node {
    /// Reports whether a duration has `step()` or `range()`.
    pub(crate) fn depends_on_range(&self) -> bool {
        !matches!(seconds(self, None), Ok(Some(_)))
    }

    /// Sets a duration of a selector or a subquery.
    pub(crate) fn set(&mut self, length: Length, ms: i64) {
        match (&mut self.expr, length) {
            (Expr::Selector(Selector { shift, .. }), Length::Offset)
            | (Expr::Matrix(Selector { shift, .. }, _), Length::Offset)
            | (Expr::Subquery { shift, .. }, Length::Offset) => shift.offset = ms,
            (Expr::Matrix(_, range) | Expr::Subquery { range, .. }, Length::Range) => *range = ms,
            (Expr::Subquery { step, .. }, Length::Step) => *step = Some(ms),
            _ => {}
        }
    }
}
