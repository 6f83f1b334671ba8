//! Functions of numbers, sizes and durations.

use types::{ByteSize, Value, format_duration_ns, parse_duration_ns};

use crate::columns::cell::Cell;
use plan::number::arithmetic;
use plan::{ArithmeticOperator, Function, Number};

/// Returns the value of a function whose arguments are all there.
pub(super) fn scalar(function: Function, cells: &[Cell<'_>]) -> Option<Value> {
    match function {
        Function::ParseDuration => {
            let nanos = parse_duration_ns(&cells[0].text()?).ok()?;
            let millis = Number::Integer(1_000_000);
            return arithmetic(ArithmeticOperator::Divide, Number::Integer(nanos.into()), millis)?.into_value();
        }
        Function::ParseBytes => {
            let ByteSize(bytes) = cells[0].text()?.parse().ok()?;
            return i64::try_from(bytes).ok().map(Value::Integer);
        }
        _ => {}
    }
    let number = cells[0].number()?;
    let second = cells.get(1).map(|cell| cell.number());
    let result = match (function, second) {
        (Function::Abs, _) => match number {
            Number::Integer(whole) => Number::Integer(whole.saturating_abs()),
            Number::Float(decimal) => Number::Float(decimal.abs()),
        },
        (Function::Sign, _) => Number::Integer(match number {
            Number::Integer(whole) => whole.signum(),
            Number::Float(decimal) => i128::from(decimal > 0.0) - i128::from(decimal < 0.0),
        }),
        (Function::Ceil, _) => whole(number, f64::ceil),
        (Function::Floor, _) => whole(number, f64::floor),
        (Function::ToInteger, _) => whole(number, f64::trunc),
        (Function::Round, None) => whole(number, f64::round),
        (Function::Round, Some(digits)) => round(number, digits?),
        (Function::Sqrt, _) => Number::Float(number.as_float().sqrt()),
        (Function::Log, _) => Number::Float(number.as_float().ln()),
        (Function::Log2, _) => Number::Float(number.as_float().log2()),
        (Function::Log10, _) => Number::Float(number.as_float().log10()),
        (Function::Exp, _) => Number::Float(number.as_float().exp()),
        (Function::Pow, Some(exponent)) => arithmetic(ArithmeticOperator::Power, number, exponent?)?,
        (Function::ToNumber, _) => number,
        (Function::FormatBytes, _) => return Some(Value::text(format_bytes(number.as_float()))),
        (Function::FormatDuration, _) => return format_duration(number.as_float()).map(Value::text),
        _ => return None,
    };
    result.into_value()
}

/// Returns a whole number where the rounded one can be one.
fn whole(number: Number, round: fn(f64) -> f64) -> Number {
    let Number::Float(decimal) = number else { return number };
    let rounded = round(decimal);
    if rounded.abs() < 9.2e18 { Number::Integer(rounded as i128) } else { Number::Float(rounded) }
}

fn round(number: Number, digits: Number) -> Number {
    let digits = digits.as_float().clamp(-30.0, 30.0) as i32;
    match number {
        Number::Integer(_) if digits >= 0 => number,
        Number::Integer(whole_number) => {
            let unit = 10f64.powi(-digits);
            whole(Number::Float((whole_number as f64 / unit).round() * unit), f64::round)
        }
        Number::Float(decimal) => {
            let unit = 10f64.powi(digits);
            let rounded = (decimal * unit).round() / unit;
            // Beyond 15 digits there is nothing left to round.
            Number::Float(if rounded.is_finite() { rounded } else { decimal })
        }
    }
}

fn format_bytes(bytes: f64) -> String {
    let size = ByteSize(bytes.abs() as u64);
    if bytes < 0.0 { format!("-{size}") } else { size.to_string() }
}

fn format_duration(millis: f64) -> Option<String> {
    let nanos = (millis * 1e6).round();
    (nanos.abs() <= 9e18).then(|| format_duration_ns(nanos as i64))
}

#[cfg(test)]
mod tests;
