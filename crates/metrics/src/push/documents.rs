//! Pushed groups as documents of kind `pushed-group` in the control store, named by a digest of their labels:
//!
//! ```text
//! {"labels":{"job":"…"},"pushed_ms":1,"failed_ms":0,
//!  "families":{"NAME":{"kind":"gauge","help":"…","unit":"","samples":[["{\"__name__\":\"…\"}","1.5"]]}}}
//! ```
//! Labels are canonical texts ([`SeriesLabels`]); numbers are texts, since JSON has no NaN.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use axum::http::StatusCode;
use door::{Problem, Result, Server, Shared, to_json};
use ingest::sample::{SeriesLabels, label_pairs, number_of_text, sample_group, text_of_number};
use serde::{Deserialize, Serialize};
use types::{GroupName, Limits};

use super::key::GroupingKey;
use super::samples;
use crate::metadata::{Metadata, kind_of_word};

const KIND: &str = "pushed-group";

/// Most groups, and most bytes of all their documents: they are read at every interval.
const GROUPS_MAX: usize = 1_000;
const BYTES_MAX: usize = 16 << 20;

/// The last push of a group.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct PushedGroup {
    labels: BTreeMap<String, String>,
    /// When it was pushed last, in ms since the epoch; 0 if never.
    pub(super) pushed_ms: i64,
    /// When a push failed last.
    pub(super) failed_ms: i64,
    families: BTreeMap<String, PushedFamily>,
}

/// The pushed samples of a metric.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct PushedFamily {
    kind: String,
    help: String,
    unit: String,
    /// Canonical labels and value of each.
    samples: Vec<(String, String)>,
}

impl PushedFamily {
    pub(super) fn new(metadata: &Metadata) -> Self {
        let Metadata { kind, help, unit } = metadata.clone();
        Self { kind: kind.to_owned(), help, unit, samples: Vec::new() }
    }

    pub(super) fn add(&mut self, labels: &SeriesLabels, value: f64) {
        let value = if value.is_finite() { value.to_string() } else { text_of_number(value).to_owned() };
        self.samples.push((labels.text().to_owned(), value));
    }

    /// Returns what is known of the metric.
    pub(super) fn metadata(&self) -> Metadata {
        let kind = kind_of_word(&self.kind).unwrap_or_default();
        Metadata { kind, help: self.help.clone(), unit: self.unit.clone() }
    }
}

impl PushedGroup {
    /// Returns a group to which nothing was pushed yet.
    pub(super) fn new(key: &GroupingKey) -> Self {
        Self { labels: key.labels.clone(), pushed_ms: 0, failed_ms: 0, families: BTreeMap::new() }
    }

    /// Returns the labels that name it.
    pub(super) fn key(&self) -> GroupingKey {
        GroupingKey { labels: self.labels.clone() }
    }

    /// Returns its metrics.
    pub(super) fn families(&self) -> impl Iterator<Item = (&str, &PushedFamily)> {
        self.families.iter().map(|(name, family)| (name.as_str(), family))
    }

    /// Replaces all metrics, or those with the names and the series of the ones pushed.
    pub(super) fn apply(&mut self, pushed: BTreeMap<String, PushedFamily>, is_whole: bool) {
        if is_whole {
            self.families = pushed;
            return;
        }
        let new: HashSet<&str> =
            pushed.values().flat_map(|family| family.samples.iter().map(|(labels, _)| labels.as_str())).collect();
        for family in self.families.values_mut() {
            family.samples.retain(|(labels, _)| !new.contains(labels.as_str()));
        }
        drop(new);
        self.families.extend(pushed);
    }

    /// Returns the samples to write, those about the pushes themselves included.
    pub(super) fn samples(&self, limits: &Limits) -> Vec<(SeriesLabels, f64)> {
        let key = self.key();
        let of_pushes = samples::of_pushes(&key, [self.pushed_ms, self.failed_ms], limits);
        let pushed = self.families.values().flat_map(|family| &family.samples);
        let read = |(labels, value): &(String, String)| {
            let pairs = label_pairs(labels)?.into_iter().map(|(name, value)| (Cow::Owned(name), Cow::Owned(value)));
            // A limit that was lowered since leaves out what is beyond it now.
            let labels = SeriesLabels::new(pairs, limits).ok()?;
            Some((labels, number_of_text(value).or_else(|| value.parse().ok())?))
        };
        pushed.filter_map(read).chain(of_pushes).collect()
    }

    /// Returns its series.
    pub(super) fn series(&self, limits: &Limits) -> Vec<SeriesLabels> {
        self.samples(limits).into_iter().map(|(labels, _)| labels).collect()
    }
}

/// Returns all groups. A document of another version is left out.
pub(super) fn all(server: &Server) -> Result<Vec<PushedGroup>> {
    Ok(server.settings().read(KIND)?.into_iter().map(|(_, group)| group).collect())
}

/// Returns a group, if it exists.
pub(super) fn get(server: &Server, key: &GroupingKey) -> Result<Option<PushedGroup>> {
    let json = server.settings().get(KIND, &key.document())?;
    Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
}

/// Returns why a push is refused: another group already has one of its series.
pub(super) fn conflict(
    server: &Server,
    key: &GroupingKey,
    pushed: &BTreeMap<String, PushedFamily>,
) -> Result<Option<String>> {
    #[derive(Deserialize)]
    struct Labels {
        labels: BTreeMap<String, String>,
    }
    let new: HashSet<&str> =
        pushed.values().flat_map(|family| family.samples.iter().map(|(labels, _)| labels.as_str())).collect();
    let name = key.document();
    for (_, json) in server.settings().all(KIND)?.iter().filter(|(other, _)| *other != name) {
        let is_compatible = |group: Labels| key.can_share_series(&GroupingKey { labels: group.labels });
        if !serde_json::from_str(json).is_ok_and(is_compatible) {
            continue;
        }
        let Ok(other) = serde_json::from_str::<PushedGroup>(json) else { continue };
        let mut samples = other.families.values().flat_map(|family| &family.samples);
        if let Some((labels, _)) = samples.find(|(labels, _)| new.contains(labels.as_str())) {
            let group = serde_json::Value::from_iter(other.labels.clone());
            return Ok(Some(format!("{labels} was pushed to the group {group}; a series can be in one group")));
        }
    }
    Ok(None)
}

/// Returns the document of a group, if there is room for it.
pub(super) fn checked(server: &Shared, key: &GroupingKey, group: &PushedGroup) -> Result<String> {
    let json = to_json(group)?;
    let name = key.document();
    let others = server.settings().all(KIND)?;
    let others: Vec<usize> = others.iter().filter(|(other, _)| *other != name).map(|(_, json)| json.len()).collect();
    let n_bytes = others.iter().sum::<usize>() + json.len();
    let problem = if others.len() >= GROUPS_MAX {
        format!("there are {} pushed groups; at most {GROUPS_MAX} are kept", others.len())
    } else if n_bytes > BYTES_MAX {
        format!("all pushed groups would take {n_bytes} bytes; at most {BYTES_MAX} are kept")
    } else {
        return Ok(json);
    };
    let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many-pushed-groups", problem);
    Err(problem.hint("delete groups that are no longer pushed to: DELETE /metrics/job/JOB"))
}

/// Saves a group.
pub(super) fn put(server: &Shared, key: &GroupingKey, group: &PushedGroup) -> Result<()> {
    let json = checked(server, key, group)?;
    put_json(server, key, &json)
}

/// Saves a document of [`checked`].
pub(super) fn put_json(server: &Server, key: &GroupingKey, json: &str) -> Result<()> {
    Ok(server.settings().put(KIND, &key.document(), json)?)
}

/// Removes a group.
pub(super) fn remove(server: &Server, key: &GroupingKey) -> Result<()> {
    Ok(server.settings().remove(KIND, &key.document())?)
}

/// Removes the pushed groups whose samples are in a log group that is deleted; reports whether there were any.
///
/// # Errors
/// If the control store does not answer.
pub(crate) fn forget(server: &Server, deleted: &GroupName) -> Result<bool, storage::StoreError> {
    let mut is_held = false;
    for (name, json) in server.settings().all(KIND)? {
        let group = serde_json::from_str::<PushedGroup>(&json).ok();
        if group.is_some_and(|group| sample_group(group.key().job()) == *deleted) {
            server.settings().remove(KIND, &name)?;
            is_held = true;
        }
    }
    Ok(is_held)
}
