//! The labels that name a group, read from a path: `/metrics/job/JOB{/LABEL/VALUE}`.
//!
//! A label that ends in `@base64` has a value in base64 for URLs, with padding or without.

use std::borrow::Cow;
use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;
use door::{Problem, Result};
use ingest::sample::METRIC_NAME;
use percent_encoding::percent_decode_str;
use xxhash_rust::xxh3::xxh3_128;

/// Most labels of a group.
const LABELS_MAX: usize = 32;

const JOB: &str = "job";
const BASE64: &str = "@base64";

/// The labels that name a group; one of them is `job`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GroupingKey {
    pub(super) labels: BTreeMap<String, String>,
}

impl GroupingKey {
    /// Reads the labels of a path.
    pub(super) fn of_path(path: &str) -> Result<Self> {
        let refuse = |message: String| {
            Problem::bad_request("bad-grouping-key", message).hint("push to /metrics/job/JOB{/LABEL/VALUE}")
        };
        let mut parts: Vec<&str> = path.trim_start_matches("/metrics/").split('/').collect();
        // A slash may end the path, as in a Pushgateway.
        if parts.len() % 2 == 1 && parts.last() == Some(&"") {
            parts.pop();
        }
        if parts.len() / 2 > LABELS_MAX {
            return Err(refuse(format!("the path has {} labels; a group has at most {LABELS_MAX}", parts.len() / 2)));
        }
        let mut labels = BTreeMap::new();
        for (index, pair) in parts.chunks(2).enumerate() {
            let [name, value] = pair else {
                return Err(refuse(format!("label {:?} of the path has no value", shown(pair[0]))));
            };
            let (name, is_base64) = name.strip_suffix(BASE64).map_or_else(|| (*name, false), |name| (name, true));
            let text = |part: &str| percent_decode_str(part).decode_utf8().map(Cow::into_owned).ok();
            let value = if is_base64 {
                let bytes = BASE64URL_NOPAD.decode(value.trim_end_matches('=').as_bytes()).ok();
                bytes.and_then(|bytes| String::from_utf8(bytes).ok())
            } else {
                text(value)
            };
            let (Some(name), Some(value)) = (text(name), value) else {
                let form = if is_base64 { "base64 of UTF-8, with the alphabet for URLs" } else { "UTF-8" };
                return Err(refuse(format!("the value of label {:?} is not {form}", shown(name))));
            };
            if (index == 0) != (name == JOB) {
                return Err(refuse("the first label of the path, and no other one, is job".to_owned()));
            }
            if name.is_empty() || name.starts_with("__") {
                return Err(refuse(format!("{:?} is no name of a label here", shown(&name))));
            }
            if labels.insert(name.clone(), value).is_some() {
                return Err(refuse(format!("label {:?} is in the path twice", shown(&name))));
            }
        }
        types::ensure!(labels.get(JOB).is_some_and(|job| !job.is_empty()), refuse("the job has no name".to_owned()));
        Ok(Self { labels })
    }

    /// Returns the job.
    pub(super) fn job(&self) -> &str {
        self.labels.get(JOB).map_or("", String::as_str)
    }

    /// Reports whether a label is among them.
    pub(super) fn has(&self, label: &str) -> bool {
        self.labels.contains_key(label)
    }

    /// Reports whether samples of both groups can have the same labels.
    pub(super) fn can_share_series(&self, other: &Self) -> bool {
        self.labels.iter().all(|(name, value)| other.labels.get(name).is_none_or(|of_other| of_other == value))
    }

    /// Returns the labels of the group with the name of a metric.
    pub(super) fn labels<'k>(&'k self, metric: &'k str) -> impl Iterator<Item = (Cow<'k, str>, Cow<'k, str>)> {
        let own = self.labels.iter().map(|(name, value)| (Cow::from(&**name), Cow::from(&**value)));
        own.chain([(Cow::from(METRIC_NAME), Cow::from(metric))])
    }

    /// Returns the name of the group's document.
    pub(super) fn document(&self) -> String {
        let text = serde_json::Value::from_iter(self.labels.clone()).to_string();
        format!("{:032x}", xxh3_128(text.as_bytes()))
    }
}

/// Returns the start of a text, for errors.
fn shown(text: &str) -> &str {
    &text[..text.floor_char_boundary(100)]
}

#[cfg(test)]
mod tests;
