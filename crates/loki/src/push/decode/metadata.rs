//! The stored form of an entry's metadata: fields, and the field `@loki`, which distinguishes metadata from fields that are
//! found in the line.

use std::borrow::Cow;

use serde_json::json;

use super::labels::{Metadata, Text, bad};
use super::level;
use ingest::IngestError;

/// The field that lists the level and metadata of a pushed line.
pub(super) const PUSHED: &str = "@loki";

/// Longest value of metadata that is stored twice.
const METADATA_VALUE_BYTES_MAX: usize = 4 << 10;

/// Returns metadata for storage: without empty values, and with the level in Loki's spelling.
pub(super) fn stored<'m>(metadata: &'m Metadata<'_>) -> Result<Metadata<'m>, IngestError> {
    let has_letter = |name: &str| name.bytes().any(|byte| byte.is_ascii_alphanumeric());
    if let Some((name, _)) = metadata.iter().find(|(name, _)| !has_letter(&name.0)) {
        return Err(bad(format_args!("{:?} is not a name of metadata; it needs a letter or a digit", name.0)));
    }
    let kept = metadata.iter().filter(|(_, value)| !value.0.is_empty());
    let spelt = |(name, value): &'m (Text<'_>, Text<'_>)| {
        let value = if name.0 == level::DETECTED_LEVEL { level::normal(&value.0) } else { &value.0 };
        (Text(Cow::Borrowed(&*name.0)), Text(Cow::Borrowed(value)))
    };
    Ok(kept.map(spelt).collect())
}

/// Returns the value of [`PUSHED`]: a JSON list of the level and the names of the metadata, each with its value if the line
/// may contain a field with that name, which would hide it.
pub(super) fn pushed(level: &str, metadata: &Metadata<'_>, line: &str) -> String {
    let pair = |(name, value): &(Text<'_>, Text<'_>)| {
        // Recognised formats of lines name their parts with letters only.
        let may_be_hidden = name.0.bytes().all(|byte| byte.is_ascii_alphabetic()) || line.contains(&*name.0);
        let is_cut = value.0.len() > METADATA_VALUE_BYTES_MAX;
        if may_be_hidden && !is_cut { json!([name.0, value.0]) } else { json!(name.0) }
    };
    let items: Vec<serde_json::Value> = std::iter::once(json!(level)).chain(metadata.iter().map(pair)).collect();
    serde_json::Value::Array(items).to_string()
}

/// Returns the names of the fields with metadata, given a value of [`pushed`].
pub(super) fn names_of_fields(pushed: &str) -> Vec<String> {
    let items: Vec<serde_json::Value> = serde_json::from_str(pushed).unwrap_or_default();
    let name =
        |item: serde_json::Value| item.as_str().map(|name| name.replacen('@', "_", usize::from(name.starts_with('@'))));
    items.into_iter().skip(1).filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_told_apart_from_what_is_found_in_lines() {
        let pairs = |pairs: &[(&'static str, &'static str)]| -> Metadata<'static> {
            pairs.iter().map(|(name, value)| (Text(Cow::Borrowed(*name)), Text(Cow::Borrowed(*value)))).collect()
        };
        let metadata = pairs(&[("trace_id", "t1"), ("status", "s"), ("user.id", "u")]);
        assert_eq!(pushed("info", &metadata, "a line"), r#"["info","trace_id",["status","s"],"user.id"]"#);
        assert_eq!(pushed("warn", &pairs(&[("trace_id", "t1")]), "trace_id=other"), r#"["warn",["trace_id","t1"]]"#);
    }
}
