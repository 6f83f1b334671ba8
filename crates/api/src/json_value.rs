//! Values and numbers as JSON inside small answers.

use serde_json::Value;

/// Returns a value of an event as JSON.
pub(crate) fn value_json(value: &types::Value) -> Value {
    let mut text = String::new();
    value.write_json(&mut text);
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

/// Returns a number with six digits after the point: shares are of millions of events at most.
pub(crate) fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}
