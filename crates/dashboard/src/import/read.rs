//! Parts of foreign JSON, which may be anything.

use serde_json::Value;

/// Returns a text, or an empty one.
pub(super) fn text(json: &Value) -> &str {
    json.as_str().unwrap_or_default()
}

/// Returns the elements of a list, or none.
pub(super) fn list(json: &Value) -> &[Value] {
    json.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Returns a text without control characters, of at most so many characters.
pub(super) fn line(text: &str, chars_max: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(chars_max).collect()
}

/// Returns a whole number within a range, or the default.
pub(super) fn number(json: &Value, range: std::ops::RangeInclusive<u32>, default: u32) -> u32 {
    let number = json.as_f64().map_or(default, |number| number.round() as u32);
    number.clamp(*range.start(), *range.end())
}

/// Writes `[[name]]`, `${name:format}` and `[$__rate_interval]` as they are written here.
pub(super) fn own_variables(query: &str) -> String {
    let mut own = String::with_capacity(query.len());
    let mut rest = query;
    while let Some(at) = rest.find(['$', '[']) {
        own.push_str(&rest[..at]);
        rest = &rest[at..];
        let braced = rest.strip_prefix("${").and_then(|inner| inner.split_once('}'));
        let bracketed = rest.strip_prefix("[[").and_then(|inner| inner.split_once("]]"));
        match braced.or(bracketed) {
            Some((inner, after)) if crate::is_name(inner.split(':').next().unwrap_or_default()) => {
                own.push_str(&format!("${{{}}}", inner.split(':').next().unwrap_or_default()));
                rest = after;
            }
            _ => {
                own.push_str(&rest[..1]);
                rest = &rest[1..];
            }
        }
    }
    own.push_str(rest);
    own.replace("$__auto", "$__interval")
}

/// Writes a text as a literal of Insights.
pub(super) fn literal(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// Writes the name of a field of Insights.
pub(super) fn field(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '@');
    if !name.is_empty() && name.chars().all(is_plain) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        return name.to_owned();
    }
    format!("`{}`", name.replace('`', ""))
}
