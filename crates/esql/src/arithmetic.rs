//! Arithmetic of numbers, and of dates with lengths of time.

use types::{Timestamp, Value};

use super::checker::Checker;
use super::error::Result;
use super::kind::Kind;
use super::syntax::{Expression, Unit};
use super::typed::{TypedExpr, call, literal};
use plan::calendar::later_by_months;
use plan::{ArithmeticOperator, Expr, Span, TypedFunction};

const MILLISECOND: i64 = 1_000_000;
const DAY_MS: i64 = 86_400_000;

impl Checker<'_> {
    /// `a + b` and the like.
    pub(super) fn arithmetic(
        &mut self,
        operator: ArithmeticOperator,
        a: &TypedExpr,
        b: &TypedExpr,
        span: Span,
    ) -> Result<TypedExpr> {
        self.supported(a)?;
        self.supported(b)?;
        let is_sum = matches!(operator, ArithmeticOperator::Add | ArithmeticOperator::Subtract);
        if is_sum && (a.duration.is_some() || b.duration.is_some()) {
            return self.moved(operator, a, b, span);
        }
        let accepts = if is_sum { "date_nanos, datetime or numeric" } else { "numeric" };
        for (place, side) in [("first ", a), ("second ", b)] {
            if !side.kind.is_number() && side.kind != Kind::Null && !(is_sum && side.kind == Kind::Date) {
                return Err(self.misfit(span, place, accepts, (side.span, side.kind)));
            }
        }
        let Some(kind) = a.kind.common(b.kind).filter(|kind| *kind != Kind::Date) else {
            return Err(self.incompatible(span, operator.name(), (a.kind, b.kind)));
        };
        let (x, y) = (a.single(), b.single());
        let expr = match kind {
            Kind::Integer | Kind::Long => call(TypedFunction::Whole(operator, kind.width()), vec![x, y]),
            Kind::Null => Expr::Literal(None),
            _ => Expr::Arithmetic(operator, Box::new(x), Box::new(y)),
        };
        Ok(TypedExpr::value(kind, expr, span).of(&[a, b]))
    }

    /// `-a`
    pub(super) fn negate(&mut self, inner: &Expression, span: Span) -> Result<TypedExpr> {
        let typed = self.expression(inner)?;
        self.supported(&typed)?;
        if let Some((number, unit)) = typed.duration {
            return Ok(TypedExpr { duration: Some((-number, unit)), span, ..typed });
        }
        if !typed.kind.is_number() && typed.kind != Kind::Null {
            let wanted = "numeric, date_period or time_duration";
            return Err(self.misfit(span, "", wanted, (inner.span, typed.kind)));
        }
        let expr = match typed.kind {
            Kind::Integer | Kind::Long => {
                let function = TypedFunction::Whole(ArithmeticOperator::Subtract, typed.kind.width());
                call(function, vec![literal(Value::Integer(0)), typed.single()])
            }
            _ => Expr::Negate(Box::new(typed.single())),
        };
        Ok(TypedExpr::value(typed.kind, expr, span).of(&[&typed]))
    }

    /// Returns a date and a length of time.
    fn moved(&self, operator: ArithmeticOperator, a: &TypedExpr, b: &TypedExpr, span: Span) -> Result<TypedExpr> {
        let is_minus = operator == ArithmeticOperator::Subtract;
        let (date, duration) = match (a.duration, b.duration) {
            (None, Some(duration)) => (a, duration),
            (Some(duration), None) if !is_minus => (b, duration),
            _ => {
                let message = format!("[{}]: arithmetic of lengths of time alone is not supported", self.written(span));
                return Err(self.verification(span, message));
            }
        };
        let date = self.as_date(date.clone())?;
        if !matches!(date.kind, Kind::Date | Kind::Null) {
            return Err(self.incompatible(span, if is_minus { "-" } else { "+" }, (date.kind, Kind::Duration)));
        }
        let (number, unit) = duration;
        let number = if is_minus { -number } else { number };
        let too_long = || self.verification(span, "this length of time is too long");
        let (function, number) = match unit {
            Unit::Milliseconds(factor) => {
                (TypedFunction::AddMilliseconds, number.checked_mul(factor).ok_or_else(too_long)?)
            }
            Unit::Days(factor) => {
                let days = number.checked_mul(factor).and_then(|days| days.checked_mul(DAY_MS));
                (TypedFunction::AddMilliseconds, days.ok_or_else(too_long)?)
            }
            Unit::Months(factor) => (TypedFunction::AddMonths, number.checked_mul(factor).ok_or_else(too_long)?),
        };
        if let Some(instant) = self.constant_instant(&date) {
            let later = match function {
                TypedFunction::AddMonths => later_by_months(instant, number),
                _ => number.checked_mul(MILLISECOND).and_then(|nanos| instant.0.checked_add(nanos)).map(Timestamp),
            };
            let later = later.ok_or_else(too_long)?;
            return Ok(TypedExpr::constant(Kind::Date, Some(Value::Timestamp(later)), span));
        }
        let expr = call(function, vec![date.single(), literal(Value::Integer(number))]);
        Ok(TypedExpr::value(Kind::Date, expr, span).of(&[&date]))
    }
}
