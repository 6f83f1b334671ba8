//! Functions of numbers.

use super::super::cast::{to_float, to_integer};
use super::super::decimal::{Operation, calculate};
use super::super::value::GoValue;
use crate::units::{duration_ns, size_bytes};

/// Returns the value of a function of numbers; `None` for any other function.
pub(super) fn call(name: &str, arguments: &[GoValue]) -> Option<Result<GoValue, String>> {
    let first = arguments.first();
    let float = || first.map_or(0.0, to_float);
    Some(Ok(match name {
        "int" => GoValue::Integer(first.map_or(0, to_integer)),
        "float64" => GoValue::Float(float()),
        "ceil" => GoValue::Float(float().ceil()),
        "floor" => GoValue::Float(float().floor()),
        "round" => GoValue::Float(rounded(arguments)),
        "add" | "sub" | "mul" | "div" | "mod" | "max" | "min" => return Some(whole(name, arguments)),
        "maxf" | "minf" => {
            let compare = if name == "maxf" { go_max } else { go_min };
            GoValue::Float(arguments.iter().map(to_float).reduce(compare).unwrap_or(0.0))
        }
        "addf" | "subf" | "mulf" | "divf" => return Some(decimal(name, arguments)),
        "bytes" | "duration" | "duration_seconds" => return Some(converted(name, &arguments[0].printed())),
        _ => return None,
    }))
}

fn go_max(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

fn go_min(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) }
}

fn whole(name: &str, arguments: &[GoValue]) -> Result<GoValue, String> {
    let mut numbers = arguments.iter().map(to_integer);
    if name == "add" {
        return Ok(GoValue::Long(numbers.fold(0, i64::wrapping_add)));
    }
    let first = numbers.next().unwrap_or(0);
    let apply = |sum: i64, next: i64| match name {
        "sub" => Some(sum.wrapping_sub(next)),
        "mul" => Some(sum.wrapping_mul(next)),
        "max" => Some(sum.max(next)),
        "min" => Some(sum.min(next)),
        _ if next == 0 => None,
        "div" => Some(sum.wrapping_div(next)),
        _ => Some(sum.wrapping_rem(next)),
    };
    let result = numbers.try_fold(first, apply);
    result.map(GoValue::Long).ok_or_else(|| "runtime error: integer divide by zero".to_owned())
}

fn decimal(name: &str, arguments: &[GoValue]) -> Result<GoValue, String> {
    let numbers: Vec<f64> = arguments.iter().map(to_float).collect();
    let (first, others) = match (name, numbers.split_first()) {
        ("addf", _) | (_, None) => (0.0, numbers.as_slice()),
        (_, Some((first, others))) => (*first, others),
    };
    if numbers.iter().any(|number| !number.is_finite()) {
        return Err(format!("{name} of a number that is not finite"));
    }
    let operation = match name {
        "addf" => Operation::Add,
        "subf" => Operation::Subtract,
        "mulf" => Operation::Multiply,
        _ => Operation::Divide,
    };
    calculate(first, others, operation).map(GoValue::Float).ok_or_else(|| "decimal division by 0".to_owned())
}

/// Rounds to decimals; from which fraction on it is up may be said.
fn rounded(arguments: &[GoValue]) -> f64 {
    let number = |index: usize, other: f64| arguments.get(index).map_or(other, to_float);
    let power = 10f64.powi(number(1, 0.0) as i32);
    let scaled = power * number(0, 0.0);
    let result = if scaled.fract() >= number(2, 0.5) { scaled.ceil() } else { scaled.floor() };
    result / power
}

fn converted(name: &str, text: &str) -> Result<GoValue, String> {
    let number = match name {
        "bytes" => size_bytes(text).map(|bytes| bytes as f64),
        _ => duration_ns(text).map(|ns| ns as f64 / 1e9),
    };
    number.map(GoValue::Float).ok_or_else(|| format!("invalid {name} {text:?}"))
}
