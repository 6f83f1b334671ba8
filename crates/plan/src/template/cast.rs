//! Numbers of any value, as sprig's `cast` takes them.

use gotemplate::{Value, parse_float, parse_integer};

/// Returns a whole number of any value: the part before the point of a text, 0 of what is no number.
pub(super) fn to_integer(value: &Value) -> i64 {
    match value {
        Value::Boolean(value) => i64::from(*value),
        Value::Integer(number) | Value::Long(number) => *number,
        Value::Float(number) => *number as i64,
        Value::Text(text) => parse_integer(whole_part(text)).unwrap_or(0),
        _ => 0,
    }
}

fn whole_part(text: &str) -> &str {
    let Some((whole, fraction)) = text.split_once('.') else { return text };
    let digits = whole.strip_prefix(['-', '+']).unwrap_or(whole);
    let are_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    match (are_digits(digits) && are_digits(fraction), digits.is_empty()) {
        (false, _) => text,
        (true, true) => "0",
        (true, false) => whole,
    }
}

/// Returns a number of any value, 0 of what is none.
pub(super) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Boolean(value) => f64::from(u8::from(*value)),
        Value::Integer(number) | Value::Long(number) => *number as f64,
        Value::Float(number) => *number,
        Value::Text(text) => parse_float(text).unwrap_or(0.0),
        _ => 0.0,
    }
}
