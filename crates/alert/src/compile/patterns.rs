//! Rows of pattern rules: the pattern, its texts, and how it is described in a notification.

use crate::ask::json_of;
use crate::{Kind, Rule};
use serde_json::{Value as Json, json};
use types::{Value, format_duration_ns};

/// The label of the one alert for all patterns beyond the limit.
pub(crate) const MORE: &str = "(more patterns)";

/// Returns what the pattern of a row is, for a notification; `at` is the place of its text.
/// Its counts are those of the window in which the alert began, and of the time before that.
pub(crate) fn described(rule: &Rule, row: &[Option<Value>], at: usize) -> Json {
    let value = |n: usize| row.get(at + n).and_then(Option::as_ref).map(json_of);
    json!({
        "text": value(0),
        "count": value(1),
        "is_new": value(2),
        "before": value(3),
        "per_hour_before": value(4),
        "window": format_duration_ns(rule.window_ns),
        "baseline": match &rule.kind {
            Kind::Pattern(pattern) => Some(format_duration_ns(pattern.baseline_ns)),
            _ => None,
        },
    })
}

/// Returns the masked texts of a row; `at` is the place of its pattern.
pub(crate) fn texts_of(row: &[Option<Value>], at: usize) -> &[Option<Value>] {
    match row.get(at + 5) {
        Some(Some(Value::List(texts))) => texts,
        _ => &[],
    }
}
