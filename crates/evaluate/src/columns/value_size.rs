//! How much memory values take.

use types::Value;

/// Returns bytes that a value holds beside itself, roughly.
pub fn value_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 16,
        Value::List(items) => items.iter().flatten().map(|item| 24 + value_bytes(item)).sum::<usize>() + 16,
        Value::Object(members) => {
            members.iter().map(|(name, value)| name.len() + 56 + value.as_ref().map_or(0, value_bytes)).sum()
        }
        _ => 0,
    }
}
