//! Comparisons, and the time that conditions leave.

use types::{Timestamp, Value};

use super::checker::Checker;
use super::error::{EsqlError, Result};
use super::kind::{self, Kind};
use super::syntax::{Expression, Node};
use super::typed::{self, TypedExpr, call, compare, is_present, narrowed, opposite};
use plan::{Comparison, Expr, Number, Span, TypedFunction};

const MILLISECOND: i64 = 1_000_000;

/// Reports whether the query language of ours would compare a text as a number.
pub(super) fn reads_as_number(text: &str) -> bool {
    Number::read(text).is_some()
}

impl Checker<'_> {
    /// `a == b` and the like.
    pub(super) fn compared(
        &mut self,
        comparison: Comparison,
        a: TypedExpr,
        b: TypedExpr,
        span: Span,
    ) -> Result<TypedExpr> {
        self.supported(&a)?;
        self.supported(&b)?;
        let (a, b) = (self.matched(a, b.kind)?, b);
        let b = self.matched(b, a.kind)?;
        if a.constant.is_some() && b.constant.is_none() {
            return self.compared_sides(comparison.swapped(), &b, &a, span);
        }
        self.compared_sides(comparison, &a, &b, span)
    }

    /// Returns a constant text as a value of the type that it is compared with.
    fn matched(&self, typed: TypedExpr, kind: Kind) -> Result<TypedExpr> {
        match (&typed.constant, kind) {
            (Some(Some(Value::String(text))), Kind::Date | Kind::Ip | Kind::Boolean) if typed.kind == Kind::Keyword => {
                let value = kind::converted(text, kind).map_err(|message| self.verification(typed.span, message))?;
                Ok(TypedExpr::constant(kind, Some(value), typed.span))
            }
            _ => Ok(typed),
        }
    }

    fn compared_sides(&self, comparison: Comparison, a: &TypedExpr, b: &TypedExpr, span: Span) -> Result<TypedExpr> {
        if a.kind == Kind::Null || b.kind == Kind::Null {
            return Ok(TypedExpr::condition(typed::truth_of(false), typed::truth_of(false), span).of(&[a, b]));
        }
        let is_equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        let (holds, fails) = match (a.kind, b.kind) {
            (x, y) if x.is_number() && y.is_number() => by_value(comparison, a, b),
            (x, y) if x.is_text() && y.is_text() => texts(comparison, a, b),
            (Kind::Date, Kind::Date) => match b.constant.clone().flatten() {
                Some(Value::Timestamp(instant)) if a.narrow.as_deref() == Some("@timestamp") => {
                    at_time(comparison, instant)
                }
                _ => by_value(comparison, a, b),
            },
            (Kind::Ip, Kind::Ip) if is_equality => by_value(comparison, a, b),
            (Kind::Ip, Kind::Ip) => by_order(TypedFunction::CompareAddresses, comparison, a, b),
            (Kind::Boolean, Kind::Boolean) if is_equality => booleans(comparison, a, b),
            _ => return Err(self.incomparable(a, b, span)),
        };
        Ok(TypedExpr::condition(holds, fails, span).of(&[a, b]))
    }

    fn incomparable(&self, a: &TypedExpr, b: &TypedExpr, span: Span) -> EsqlError {
        let class = |kind: Kind| if kind.is_number() { "numeric" } else { kind.name() };
        let written = self.written(span);
        if a.kind == b.kind {
            let wanted = "datetime, double, integer, ip, keyword, long or text";
            return self.misfit(span, "first ", wanted, (a.span, a.kind));
        }
        let (first, second) = (class(a.kind), b.kind.name());
        let message = format!(
            "first argument of [{written}] is [{first}] so second argument must also be [{first}] but was [{second}]"
        );
        self.verification(span, message)
    }

    /// Narrows the time that is looked at by a condition that all rows must fulfil.
    pub(super) fn narrow_range(&mut self, condition: &Expression) -> Result<()> {
        let Node::Compare(comparison, a, b) = &condition.node else { return Ok(()) };
        let (a, b) = (self.expression(a)?, self.expression(b)?);
        let (comparison, a, b) = if a.constant.is_some() { (comparison.swapped(), b, a) } else { (*comparison, a, b) };
        if a.narrow.as_deref() != Some("@timestamp") {
            return Ok(());
        }
        let b = self.matched(b, Kind::Date)?;
        let Some(instant) = self.constant_instant(&b) else { return Ok(()) };
        let after = Timestamp(instant.0.saturating_add(MILLISECOND));
        let (from, to) = match comparison {
            Comparison::Equal => (instant, after),
            Comparison::Less => (Timestamp(i64::MIN), instant),
            Comparison::LessOrEqual => (Timestamp(i64::MIN), after),
            Comparison::Greater => (after, Timestamp(i64::MAX)),
            Comparison::GreaterOrEqual => (instant, Timestamp(i64::MAX)),
            _ => return Ok(()),
        };
        self.range.from = self.range.from.max(from);
        self.range.to = self.range.to.min(to).max(self.range.from);
        Ok(())
    }
}

/// Returns when a comparison of values is true and false: those that a plan compares as ES|QL does.
fn by_value(comparison: Comparison, a: &TypedExpr, b: &TypedExpr) -> (Expr, Expr) {
    let (x, y) = (a.single(), b.single());
    let side = |comparison| {
        let compared = compare(comparison, x.clone(), y.clone());
        match comparison {
            Comparison::NotEqual => {
                let present = [&x, &y].into_iter().filter(|side| !matches!(side, Expr::Literal(Some(_))));
                present.fold(compared, |all, side| typed::both(is_present(side.clone()), all))
            }
            _ => compared,
        }
    };
    (side(comparison), side(opposite(comparison)))
}

/// Returns the same conditions by a function that tells which side comes first.
fn by_order(function: TypedFunction, comparison: Comparison, a: &TypedExpr, b: &TypedExpr) -> (Expr, Expr) {
    let order = call(function, vec![a.single(), b.single()]);
    let number = |number| typed::literal(Value::Integer(number));
    let side = |comparison| match comparison {
        Comparison::NotEqual => Expr::In(Box::new(order.clone()), vec![number(-1), number(1)]),
        comparison => compare(comparison, order.clone(), number(0)),
    };
    (side(comparison), side(opposite(comparison)))
}

fn texts(comparison: Comparison, a: &TypedExpr, b: &TypedExpr) -> (Expr, Expr) {
    let constant = match &b.constant {
        Some(Some(Value::String(text))) => Some(text.to_string()),
        _ => None,
    };
    let (holds, fails) = match &constant {
        Some(text) if !reads_as_number(text) => by_value(comparison, a, b),
        _ => by_order(TypedFunction::CompareTexts, comparison, a, b),
    };
    // What equals a text byte by byte is also equal as a number.
    let is_narrow = comparison == Comparison::Equal && constant.is_some();
    if !is_narrow {
        return (holds, fails);
    }
    let equals = |stored: Expr| compare(Comparison::Equal, stored, b.expr());
    let is_number = constant.as_deref().is_some_and(reads_as_number);
    match &a.narrow {
        Some(name) if is_number => (typed::both(equals(Expr::Field(name.clone())), holds), fails),
        _ => (narrowed(a, holds, &equals), fails),
    }
}

/// Returns the time of events against an instant in whole milliseconds, with the nanoseconds of events left out of
/// account.
fn at_time(comparison: Comparison, instant: Timestamp) -> (Expr, Expr) {
    let time = || Expr::Field("@timestamp".into());
    let at = |nanos: i64| typed::literal(Value::Timestamp(Timestamp(nanos)));
    let after = instant.0.saturating_add(MILLISECOND);
    let not_before = |nanos| compare(Comparison::GreaterOrEqual, time(), at(nanos));
    let before = |nanos| compare(Comparison::Less, time(), at(nanos));
    let side = |comparison| match comparison {
        Comparison::Equal => typed::both(not_before(instant.0), before(after)),
        Comparison::NotEqual => typed::either(before(instant.0), not_before(after)),
        Comparison::Less => before(instant.0),
        Comparison::LessOrEqual => before(after),
        Comparison::Greater => not_before(after),
        Comparison::GreaterOrEqual => not_before(instant.0),
    };
    (side(comparison), side(opposite(comparison)))
}

fn booleans(comparison: Comparison, a: &TypedExpr, b: &TypedExpr) -> (Expr, Expr) {
    let same = typed::either(typed::both(a.holds(), b.holds()), typed::both(a.fails(), b.fails()));
    let other = typed::either(typed::both(a.holds(), b.fails()), typed::both(a.fails(), b.holds()));
    if comparison == Comparison::Equal { (same, other) } else { (other, same) }
}
