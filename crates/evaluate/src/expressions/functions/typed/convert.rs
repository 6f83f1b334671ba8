//! Conversions of one value.

use plan::decimal_text::decimal_text;
use plan::strict_date::date_of;
use plan::{Number, TypedKind, address_of};
use types::{Timestamp, Value};

use super::super::cell::Cell;

const MILLISECOND: i64 = 1_000_000;

/// Returns a value in a type.
pub(super) fn convert(cell: Cell<'_>, kind: TypedKind) -> Option<Value> {
    match kind {
        TypedKind::Text => text(cell),
        TypedKind::Boolean => boolean(cell),
        TypedKind::Double => decimal(cell).map(Value::Float),
        TypedKind::Long => whole(cell).map(Value::Integer),
        TypedKind::Integer => whole(cell).filter(|number| i32::try_from(*number).is_ok()).map(Value::Integer),
        TypedKind::Date => date(cell),
        TypedKind::Address => match cell {
            Cell::Text(text) => address_of(text).map(|address| Value::text(address.to_string())),
            _ => None,
        },
    }
}

fn text(cell: Cell<'_>) -> Option<Value> {
    Some(match cell {
        Cell::Float(number) => Value::text(decimal_text(number)),
        Cell::Time(_) => Value::text(plan::date_math::format_time(Timestamp(cell.time()?), None)),
        other => Value::text(&*other.text()?),
    })
}

fn boolean(cell: Cell<'_>) -> Option<Value> {
    Some(Value::Boolean(match cell {
        Cell::Boolean(truth) => truth,
        Cell::Text(text) => text.eq_ignore_ascii_case("true"),
        Cell::Integer(number) => number != 0,
        Cell::Float(number) => number != 0.0,
        _ => return None,
    }))
}

fn decimal(cell: Cell<'_>) -> Option<f64> {
    let number = match cell {
        Cell::Integer(number) => number as f64,
        Cell::Float(number) => number,
        Cell::Boolean(truth) => f64::from(u8::from(truth)),
        Cell::Time(nanos) => nanos.div_euclid(MILLISECOND) as f64,
        Cell::Text(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

fn whole(cell: Cell<'_>) -> Option<i64> {
    Some(match cell {
        Cell::Integer(number) => number,
        Cell::Boolean(truth) => i64::from(truth),
        Cell::Time(nanos) => nanos.div_euclid(MILLISECOND),
        Cell::Float(number) => rounded(number)?,
        Cell::Text(text) => match Number::read(text) {
            Some(Number::Integer(number)) => i64::try_from(number).ok()?,
            Some(Number::Float(number)) => rounded(number)?,
            None => return None,
        },
        _ => return None,
    })
}

/// Returns the nearest whole number, halves towards positive infinity as in Java.
fn rounded(number: f64) -> Option<i64> {
    let rounded = (number + 0.5).floor();
    (rounded.abs() < 9.223_372_036_854_775e18).then_some(rounded as i64)
}

fn date(cell: Cell<'_>) -> Option<Value> {
    let nanos = match cell {
        Cell::Time(nanos) => nanos.div_euclid(MILLISECOND).checked_mul(MILLISECOND)?,
        Cell::Integer(millis) => millis.checked_mul(MILLISECOND)?,
        Cell::Float(millis) => rounded(millis)?.checked_mul(MILLISECOND)?,
        Cell::Text(text) => date_of(text)?,
        _ => return None,
    };
    Some(Value::Timestamp(Timestamp(nanos)))
}

#[cfg(test)]
mod tests;
