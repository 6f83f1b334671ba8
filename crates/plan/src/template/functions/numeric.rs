//! Functions of numbers.

use gotemplate::{Arguments, Value};

use super::super::cast::{to_float, to_integer};
use super::super::decimal::{Operation, calculate};
use crate::units::{duration_ns, size_bytes};
use crate::unreadable;

/// Combines whole numbers from left to right; `None` is a division by zero.
pub(super) fn whole(of: Arguments<'_>, apply: fn(i64, i64) -> Option<i64>) -> Result<Value, String> {
    let mut numbers = of.iter().map(to_integer);
    let first = numbers.next().unwrap_or(0);
    let result = numbers.try_fold(first, apply);
    result.map(Value::Long).ok_or_else(|| "runtime error: integer divide by zero".to_owned())
}

/// Returns the greatest or least of numbers; NaN if one of them is NaN.
pub(super) fn fold(of: Arguments<'_>, choose: fn(f64, f64) -> f64) -> Value {
    let choose = |a: f64, b: f64| if a.is_nan() || b.is_nan() { f64::NAN } else { choose(a, b) };
    Value::Float(of.iter().map(to_float).reduce(choose).unwrap_or(0.0))
}

/// Computes in decimals, from left to right.
pub(super) fn decimal(name: &str, operation: Operation, of: Arguments<'_>) -> Result<Value, String> {
    let numbers: Vec<f64> = of.iter().map(to_float).collect();
    types::ensure!(!numbers.iter().any(|number| !number.is_finite()), format!("{name} of a number that is not finite"));
    let (first, others) = numbers.split_first().map_or_else(|| (0.0, &numbers[..]), |(first, others)| (*first, others));
    calculate(first, others, operation).map(Value::Float).ok_or_else(|| "decimal division by 0".to_owned())
}

/// Rounds to decimals; the third argument is the fraction from which on it rounds up.
pub(super) fn rounded(of: Arguments<'_>) -> Value {
    let number = |index: usize, other: f64| of.get(index).map_or(other, to_float);
    let power = 10f64.powi(number(1, 0.0) as i32);
    let scaled = power * number(0, 0.0);
    let result = if scaled.fract() >= number(2, 0.5) { scaled.ceil() } else { scaled.floor() };
    Value::Float(result / power)
}

/// `bytes`, `duration` and `duration_seconds`.
pub(super) fn converted(name: &str, text: &str) -> Result<Value, String> {
    let number = match name {
        "bytes" => size_bytes(text).map(|bytes| bytes as f64).ok_or_else(|| unreadable::size(text)),
        _ => duration_ns(text).map(|ns| ns as f64 / 1e9).ok_or_else(|| unreadable::duration(text)),
    };
    number.map(Value::Float)
}
