//! Types of values and sizes in bytes in the form of `detected_fields`.

use language::logql::spell_size;
use plan::units::{duration_ns, size_bytes};

/// Returns the type of a value: the first of int, float, boolean, duration and bytes that parses, else string.
pub(super) fn kind(value: &str) -> &'static str {
    if value.parse::<i64>().is_ok() {
        "int"
    } else if value.parse::<f64>().is_ok() {
        "float"
    } else if matches!(value, "t" | "T" | "TRUE" | "true" | "True" | "f" | "F" | "FALSE" | "false" | "False") {
        "boolean"
    } else if duration_ns(value).is_some() {
        "duration"
    } else if size_bytes(value).is_some() {
        "bytes"
    } else {
        "string"
    }
}

/// Returns a value of a field for an answer: sizes with a unit become `117kB`, so that a query can compare them.
pub(super) fn listed(value: &str) -> String {
    match size_bytes(value) {
        Some(size) if !value.ends_with(|c: char| c.is_ascii_digit() || c == '.' || c == ',') => spell_size(size),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests;
