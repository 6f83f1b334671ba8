//! Types of values and sizes in bytes in the form of `detected_fields`.

use language::logql::{parse_size, spell_size};

/// Returns the type of a value: the first of int, float, boolean, duration and bytes that parses, else string.
pub(super) fn kind(value: &str) -> &'static str {
    if value.parse::<i64>().is_ok() {
        "int"
    } else if value.parse::<f64>().is_ok() {
        "float"
    } else if matches!(value, "t" | "T" | "TRUE" | "true" | "True" | "f" | "F" | "FALSE" | "false" | "False") {
        "boolean"
    } else if is_duration(value) {
        "duration"
    } else if parse_size(value).is_some() {
        "bytes"
    } else {
        "string"
    }
}

/// Reports whether Go parses a text as a duration: a sequence of numbers with units.
fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut has_part = false;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        if rest[..number].parse::<f64>().is_err() {
            return false;
        }
        rest = &rest[number..];
        let unit = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        if !matches!(&rest[..unit], "ns" | "us" | "µs" | "μs" | "ms" | "s" | "m" | "h") {
            return false;
        }
        rest = &rest[unit..];
        has_part = true;
    }
    has_part
}

/// Returns a value of a field for an answer: sizes with a unit become `117kB`, so that a query can compare them.
pub(super) fn listed(value: &str) -> String {
    match parse_size(value) {
        Some(size) if !value.ends_with(|c: char| c.is_ascii_digit() || c == '.' || c == ',') => spell_size(size),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests;
