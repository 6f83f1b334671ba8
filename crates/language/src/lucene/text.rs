//! Words and texts in quotes, as they are written.

use plan::Comparison;
use plan::words::words_of;
use types::Value;

/// Reports whether a text is one word as it is.
pub(super) fn is_word(text: &str) -> bool {
    words_of(text).as_slice() == [text]
}

pub(crate) fn comparison_of(sign: &str) -> Comparison {
    Comparison::named(sign).unwrap_or(Comparison::Less)
}

/// Returns what a word reads as: a number, a truth value, else a text.
pub(crate) fn value_of(text: &str) -> Value {
    let is_numeric = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | 'e' | 'E' | '+');
    match text {
        "true" => return Value::Boolean(true),
        "false" => return Value::Boolean(false),
        _ => {}
    }
    if let Ok(number) = text.parse::<i64>() {
        return if number.to_string() == text { Value::Integer(number) } else { Value::text(text) };
    }
    let is_number = text.ends_with(|c: char| c.is_ascii_digit()) && text.chars().all(is_numeric);
    match text.parse::<f64>() {
        Ok(number) if is_number && number.is_finite() => Value::Float(number),
        _ => Value::text(text),
    }
}

/// Returns what is between the first and the last character.
pub(crate) fn inside(written: &str) -> &str {
    written.get(1..written.len().saturating_sub(1)).unwrap_or_default()
}

/// Returns a word without its backslashes.
pub(crate) fn unescaped(written: &str) -> String {
    let mut text = String::with_capacity(written.len());
    let mut characters = written.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => text.extend(characters.next()),
            c => text.push(c),
        }
    }
    text
}
