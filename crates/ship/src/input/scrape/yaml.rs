//! YAML as JSON.

use serde_json::Value as Json;

/// Parses a document; an empty one is `null`.
///
/// # Errors
/// What is wrong, with line and column.
pub(super) fn read(text: &str) -> Result<Json, String> {
    let is_empty = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#') || line.trim() == "---";
    if text.lines().all(is_empty) {
        return Ok(Json::Null);
    }
    serde_saphyr::from_str(text).map_err(|error| error.without_snippet().to_string())
}
