//! Labels of alerts.

use std::collections::BTreeMap;

/// Labels of an alert.
pub(crate) type Labels = BTreeMap<String, String>;

/// Returns what a label set is known by.
pub(crate) fn key_of(labels: &Labels) -> String {
    serde_json::to_string(labels).expect("labels are strings, which JSON can say")
}
