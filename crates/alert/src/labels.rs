//! Labels of alerts.

use std::collections::BTreeMap;

/// Labels of an alert.
pub(crate) type Labels = BTreeMap<String, String>;

/// Returns what a label set is known by.
pub(crate) fn key_of(labels: &Labels) -> String {
    serde_json::to_string(labels).expect("labels are strings, which JSON can say")
}

/// Returns a text of so many bytes at most, and a sign where some are left out.
pub(crate) fn cut(text: &str, n_bytes_max: usize) -> String {
    if text.len() <= n_bytes_max {
        return text.to_string();
    }
    format!("{}…", &text[..text.floor_char_boundary(n_bytes_max)])
}
