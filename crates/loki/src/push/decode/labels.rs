//! The labels of a stream and the metadata of an entry: their limits, and the group and stream that labels name.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;

use serde::Deserialize;
use types::{GroupName, group_name_of_outside};

use ingest::{IngestError, Result};

/// The expected body, for errors.
pub(super) const WHAT: &str = "loki push request";

/// The labels that name the group; the first one present counts. Without them the group is `loki`.
const GROUP_LABELS: [&str; 4] = ["group", "job", "service_name", "service"];

/// Longest label set.
pub(super) const LABEL_SET_BYTES_MAX: usize = 64 << 10;

/// Limit on the bytes of an entry's structured metadata as sent; in memory it needs many times that. Loki's default is a
/// sixteenth of it.
pub(super) const METADATA_BYTES_MAX: usize = 1 << 20;

/// A string, borrowed from the body if it has no escapes.
#[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// Names and values of a stream, sorted by name.
pub(super) type Labels<'a> = BTreeMap<Text<'a>, Text<'a>>;

/// Names and values of an entry, in the order in which they were sent.
pub(super) type Metadata<'a> = Vec<(Text<'a>, Text<'a>)>;

pub(super) fn check_bytes(what: &str, n_bytes: usize, bytes_max: usize) -> Result<()> {
    let problem = || bad(format_args!("{what} has more than {bytes_max} bytes"));
    if n_bytes > bytes_max { Err(problem()) } else { Ok(()) }
}

/// Refuses names that are invalid in selectors, as Loki does.
pub(super) fn check_names(labels: &Labels<'_>) -> Result<()> {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    match labels.keys().find(|name| !is_name(&name.0)) {
        None => Ok(()),
        Some(name) => Err(bad(format_args!(
            "couldn't parse labels: {:?} is not a label name; use letters, digits and _, and no digit first",
            name.0
        ))),
    }
}

pub(super) fn bad(problem: impl Display) -> IngestError {
    IngestError::BadBody { what: WHAT, problem: problem.to_string() }
}

pub(super) fn group_of(labels: &Labels<'_>) -> GroupName {
    let named = GROUP_LABELS.iter().find_map(|name| labels.get(&Text(Cow::Borrowed(name))));
    named
        .filter(|name| !name.0.is_empty())
        .map_or_else(|| group_name_of_outside("loki"), |n| group_name_of_outside(&n.0))
}

/// Returns the labels with a value that is not empty.
pub(super) fn present<'l, 'a>(labels: &'l Labels<'a>) -> impl Iterator<Item = (&'l Text<'a>, &'l Text<'a>)> {
    labels.iter().filter(|(_, value)| !value.0.is_empty())
}

/// Returns the label set in the form of Prometheus, with values escaped like JSON strings.
pub(super) fn stream_name(labels: &Labels<'_>) -> String {
    let pairs = present(labels).map(|(name, value)| format!("{}={}", name.0, serde_json::Value::from(&*value.0)));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests;
