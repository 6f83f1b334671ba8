//! `BUCKET`, `TBUCKET` and `DATE_TRUNC`: spans of time and of numbers.

use chrono_tz::Tz;
use types::{Timestamp, Value, ensure};

use super::checker::Checker;
use super::error::Result;
use super::function_call::Call;
use super::kind::Kind;
use super::syntax::Unit;
use super::typed::{TypedExpr, call, literal};
use plan::calendar::{bounds, floor};
use plan::{ArithmeticOperator, DecimalFunction, Expr, Function, Length, Span, TypedFunction as T};

const MS: i64 = 1_000_000;
const HOUR: i64 = 3_600_000 * MS;
const DAY: i64 = 24 * HOUR;

/// Lengths that are chosen from, the longest first: those up to a day, of which the shortest that gives few enough
/// buckets is taken, then longer ones.
const SHORT: [i64; 16] = [
    DAY,
    12 * HOUR,
    3 * HOUR,
    HOUR,
    HOUR / 2,
    HOUR / 6,
    HOUR / 12,
    HOUR / 60,
    30_000 * MS,
    10_000 * MS,
    5_000 * MS,
    1_000 * MS,
    100 * MS,
    50 * MS,
    10 * MS,
    MS,
];
const LONG: [Length; 3] = [Length::Nanoseconds(7 * DAY), Length::Months(1), Length::Months(12)];

impl Checker<'_> {
    /// Returns the length of time that an argument is.
    pub(super) fn span_of(&self, typed: &TypedExpr, span: Span) -> Result<Length> {
        let written = self.written(typed.span);
        let text = match &typed.constant {
            Some(Some(Value::String(text))) if typed.kind == Kind::Keyword => Some(text.to_string()),
            _ => None,
        };
        let of_text = text.and_then(|text| {
            let (number, unit) = text.trim().split_once(char::is_whitespace)?;
            Some((number.parse().ok()?, Unit::of(unit.trim())?))
        });
        let Some((number, unit)) = typed.duration.or(of_text) else {
            let message = format!(
                "argument of [{}] must be [dateperiod or timeduration], found value [{written}] type [{}]",
                self.written(span),
                typed.kind.name()
            );
            return Err(self.verification(span, message));
        };
        ensure!(number > 0, self.verification(span, "Zero or negative time interval is not supported"));
        let refused = || {
            self.verification(span, format!("buckets of [{written}] are not supported: their starts are not those of a day, week, month, quarter or year"))
        };
        match unit {
            Unit::Milliseconds(factor) => {
                let nanos = number.checked_mul(factor * MS).filter(|nanos| DAY % nanos == 0);
                nanos.map(Length::Nanoseconds).ok_or_else(refused)
            }
            Unit::Days(factor) => match number.checked_mul(factor) {
                Some(1) => Ok(Length::Nanoseconds(DAY)),
                Some(7) => Ok(Length::Nanoseconds(7 * DAY)),
                _ => Err(refused()),
            },
            Unit::Months(factor) => match number.checked_mul(factor) {
                Some(months @ (1 | 3 | 12)) => Ok(Length::Months(months as u32)),
                _ => Err(refused()),
            },
        }
    }

    /// Returns the start of the span that a date lies in.
    pub(super) fn truncated(&self, date: &TypedExpr, length: Length, span: Span) -> TypedExpr {
        let value = match date.narrow.as_deref() {
            Some("@timestamp") => Expr::Field("@timestamp".into()),
            _ => date.single(),
        };
        let expr = Expr::Call(Function::DateFloor, vec![value, Expr::Duration(length)]);
        TypedExpr::value(Kind::Date, expr, span).of(&[date])
    }

    /// `BUCKET(field, size)` and `BUCKET(field, most, from, to)`.
    pub(super) fn bucket(&self, c: &Call<'_>) -> Result<TypedExpr> {
        if c.name == "tbucket" {
            let Some(time) = self.scope.find("@timestamp").map(|column| column.typed(Span::default())) else {
                return Err(self.verification(c.span, "[TBUCKET] needs the column [@timestamp]"));
            };
            let length = self.span_of(&c.arguments[0], c.span)?;
            return Ok(self.truncated(&time, length, c.span));
        }
        self.demand(c, 0, "datetime or numeric", |kind| kind == Kind::Date || kind.is_number())?;
        let field = &c.arguments[0];
        match (field.kind, c.arguments.len()) {
            (Kind::Date, 2) => {
                let length = self.span_of(&c.arguments[1], c.span)?;
                Ok(self.truncated(field, length, c.span))
            }
            (Kind::Date, 4) => {
                let most = self.constant_whole(c, 1)?;
                let from = self.bound(c, 2)?;
                let to = self.bound(c, 3)?;
                Ok(self.truncated(field, chosen(most, from, to), c.span))
            }
            (_, 2) => {
                self.demand(c, 1, "numeric", Kind::is_number)?;
                let size = c.arguments[1].single();
                Ok(self.numbers(c, size))
            }
            (_, 4) => {
                let number = |at: usize| match c.arguments[at].constant {
                    Some(Some(Value::Integer(number))) => Ok(number as f64),
                    Some(Some(Value::Float(number))) => Ok(number),
                    _ => Err(self
                        .constant_whole(c, at)
                        .err()
                        .unwrap_or_else(|| self.verification(c.span, "the bounds of [BUCKET] must be constants"))),
                };
                let size = size_of(number(1)?, number(2)?, number(3)?);
                Ok(self.numbers(c, literal(Value::Float(size))))
            }
            _ => Err(self.parsing(c.span, "error building [bucket]: expects two or four arguments")),
        }
    }

    fn numbers(&self, c: &Call<'_>, size: Expr) -> TypedExpr {
        let divided = Expr::Arithmetic(
            ArithmeticOperator::Divide,
            Box::new(call(T::To(Kind::Double.typed()), vec![c.arguments[0].single()])),
            Box::new(size.clone()),
        );
        let start = call(T::Decimal(DecimalFunction::Floor), vec![divided]);
        let expr = Expr::Arithmetic(ArithmeticOperator::Multiply, Box::new(start), Box::new(size));
        self.made(c, Kind::Double, expr)
    }

    fn bound(&self, c: &Call<'_>, at: usize) -> Result<Timestamp> {
        let typed = self.as_date(c.arguments[at].clone())?;
        self.constant_instant(&typed).ok_or_else(|| {
            let message = format!(
                "argument of [{}] must be a constant date, received [{}]",
                self.written(c.span),
                self.written(typed.span)
            );
            self.verification(c.span, message)
        })
    }
}

/// Returns the length that gives at most so many buckets.
fn chosen(most: i64, from: Timestamp, to: Timestamp) -> Length {
    let is_enough = |length: Length| {
        let mut start = floor(Tz::UTC, from.0, length);
        for _ in 0..most {
            start = start.and_then(|start| bounds(Tz::UTC, start, length)).map(|(_, end)| end);
            match start {
                Some(start) if start >= to.0 => return true,
                Some(_) => {}
                None => return true,
            }
        }
        false
    };
    let is_short_enough = |length: &&i64| match to.0.checked_sub(from.0) {
        // Far too many to be counted one by one.
        Some(time) if time / **length > most.saturating_add(2) => false,
        _ => is_enough(Length::Nanoseconds(**length)),
    };
    let shortest = SHORT.iter().take_while(is_short_enough).last();
    if let Some(length) = shortest {
        return Length::Nanoseconds(*length);
    }
    let long = LONG.into_iter().find(|length| is_enough(*length));
    long.unwrap_or(Length::Months(12))
}

/// Returns the size of buckets of numbers: a power of ten, or half of it.
fn size_of(most: f64, from: f64, to: f64) -> f64 {
    let precise = (to - from) / most;
    let power = 10f64.powf(precise.log10().ceil());
    let half = power / 2.0;
    if precise < half { half } else { power }
}
