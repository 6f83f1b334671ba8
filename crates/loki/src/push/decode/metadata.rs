//! The stored form of an entry's metadata: fields, and the field `@loki`, which distinguishes metadata from fields that are
//! found in the line.

use std::borrow::Cow;

use types::write_json_string;

use super::labels::{Metadata, Text, bad};
use super::level;
use ingest::Result;

/// The field that lists the level and metadata of a pushed line.
pub(super) const PUSHED: &str = "@loki";

/// Longest value of metadata that is stored twice.
const METADATA_VALUE_BYTES_MAX: usize = 4 << 10;

/// Returns metadata for storage: without empty values, and with the level in Loki's spelling.
pub(super) fn stored<'m>(metadata: &'m Metadata<'_>) -> Result<Metadata<'m>> {
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

/// Writes the value of [`PUSHED`]: a JSON list of the level and the names of the metadata, each with its value if another
/// field with that name may hide it.
pub(super) fn write_pushed(
    level: &str,
    metadata: &Metadata<'_>,
    mut may_be_hidden: impl FnMut(&str) -> bool,
    out: &mut String,
) {
    out.clear();
    out.push('[');
    write_json_string(level, out);
    for (Text(name), Text(value)) in metadata {
        out.push(',');
        if value.len() <= METADATA_VALUE_BYTES_MAX && may_be_hidden(name) {
            out.push('[');
            write_json_string(name, out);
            out.push(',');
            write_json_string(value, out);
            out.push(']');
        } else {
            write_json_string(name, out);
        }
    }
    out.push(']');
}

/// Returns the names of the fields with metadata, given a value of [`pushed`].
pub(super) fn names_of_fields(pushed: &str) -> Vec<String> {
    let items: Vec<serde_json::Value> = serde_json::from_str(pushed).unwrap_or_default();
    let name =
        |item: serde_json::Value| item.as_str().map(|name| name.replacen('@', "_", usize::from(name.starts_with('@'))));
    items.into_iter().skip(1).filter_map(name).collect()
}

#[cfg(test)]
mod tests;
