//! The labels of a stream and the metadata of an entry, their limits, and the group and stream that labels name.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;

use serde::Deserialize;
use types::{GroupName, group_name_of_outside};

use ingest::IngestError;

/// What a body should be, for errors.
pub(super) const WHAT: &str = "loki push request";

/// Labels that name the group, the first that is there; else the group is `loki`.
const GROUP_LABELS: [&str; 4] = ["group", "job", "service_name", "service"];

/// Longest label set: each stream keeps its own.
pub(super) const LABEL_SET_BYTES_MAX: usize = 64 << 10;

/// Most bytes of an entry's structured metadata, as sent: what is made of it takes many times that. Loki's own default
/// is a sixteenth of it.
pub(super) const METADATA_BYTES_MAX: usize = 1 << 20;

/// A string, borrowed from the body where it has no escapes.
#[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// Names and values of a stream, sorted by name.
pub(super) type Labels<'a> = BTreeMap<Text<'a>, Text<'a>>;

/// Names and values of an entry, in the order in which they were sent.
pub(super) type Metadata<'a> = Vec<(Text<'a>, Text<'a>)>;

pub(super) fn check_bytes(what: &str, n_bytes: usize, bytes_max: usize) -> Result<(), IngestError> {
    let problem = || bad(format_args!("{what} has more than {bytes_max} bytes"));
    if n_bytes > bytes_max { Err(problem()) } else { Ok(()) }
}

/// Refuses names that no selector could write: Loki refuses them too.
pub(super) fn check_names(labels: &Labels<'_>) -> Result<(), IngestError> {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    match labels.keys().find(|name| !is_name(&name.0)) {
        None => Ok(()),
        Some(name) => Err(bad(format_args!(
            "couldn't parse labels: {:?} is no name of a label; it has letters, digits and _, and begins with no digit",
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

/// Labels that have a value; an empty one is none.
pub(super) fn present<'l, 'a>(labels: &'l Labels<'a>) -> impl Iterator<Item = (&'l Text<'a>, &'l Text<'a>)> {
    labels.iter().filter(|(_, value)| !value.0.is_empty())
}

/// Returns the label set as Prometheus spells it; values are escaped as JSON strings are.
pub(super) fn stream_name(labels: &Labels<'_>) -> String {
    let pairs = present(labels).map(|(name, value)| format!("{}={}", name.0, serde_json::Value::from(&*value.0)));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels<'a>(pairs: &[(&'a str, &'a str)]) -> Labels<'a> {
        pairs.iter().map(|(name, value)| (Text(Cow::Borrowed(name)), Text(Cow::Borrowed(value)))).collect()
    }

    #[test]
    fn the_group_is_the_first_label_that_names_one() {
        let check = |pairs: &[(&str, &str)], expected: &str| assert_eq!(group_of(&labels(pairs)).as_str(), expected);
        check(&[("job", "ingress nginx"), ("service", "web")], "ingress_nginx");
        check(&[("service_name", "web"), ("group", "a/b")], "a/b");
        check(&[("app", "web")], "loki");
        check(&[("job", "")], "loki");
    }

    #[test]
    fn the_stream_is_named_by_its_labels() {
        assert_eq!(stream_name(&labels(&[("b", ""), ("a", "1")])), r#"{a="1"}"#);
        assert_eq!(stream_name(&labels(&[("b", "x\"y"), ("a", "1")])), r#"{a="1", b="x\"y"}"#);
        assert_eq!(stream_name(&labels(&[])), "{}");
    }
}
