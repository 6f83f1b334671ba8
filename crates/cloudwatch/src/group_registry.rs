//! Groups and streams that clients of CloudWatch have created, with their tags and classes. They may have no events yet.
//!
//! Each group is a document of kind `cloudwatch` in the control store, read into memory at the first use:
//!
//! ```text
//! {"created":ms,"class":"STANDARD","tags":{name:text},"streams":{name:ms}}
//! ```
//!
//! Groups and streams from other APIs are known to the store only. The registry is bounded: it contains the latest streams
//! of a group, and at most as many groups as the store allows.

use door::to_json;
use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use storage::{Store, StoreError};
use types::{GroupName, GroupScope, Hold, ensure};

use super::answer::{CloudWatchProblem, Result};

/// The kind of the documents.
const KIND: &str = "cloudwatch";

/// Limit on the streams of a group. Beyond it the oldest are removed, and agents create them again.
const STREAMS_MAX: usize = 1_000;

/// Limit on the streams of all groups.
const STREAMS_TOGETHER_MAX: usize = 100_000;

/// Limit on the tags of a group.
const TAGS_MAX: usize = 50;

/// Limit on the cached streams of other APIs, which are found without a look at the store.
const SEEN_MAX: usize = 10_000;

/// The groups and streams that clients have created.
#[derive(Default)]
// A panic leaves valid maps.
pub(crate) struct GroupRegistry(Mutex<Content>);

#[derive(Default)]
struct Content {
    /// `None` until they are read.
    groups: Option<BTreeMap<String, GroupRecord>>,
    seen: HashSet<(GroupName, String)>,
}

/// A group that a client has created.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct GroupRecord {
    /// Time of creation, in milliseconds.
    pub(super) created: Option<i64>,
    pub(super) class: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    /// Streams and their times of creation, in milliseconds.
    pub(super) streams: BTreeMap<String, i64>,
}

impl GroupRegistry {
    fn with<T>(&self, store: &Store, work: impl FnOnce(&mut BTreeMap<String, GroupRecord>) -> Result<T>) -> Result<T> {
        let mut content = self.0.hold();
        if content.groups.is_none() {
            let read = |(name, json): (String, String)| match serde_json::from_str(&json) {
                Ok(group) => Some((name, group)),
                Err(error) => {
                    tracing::error!(name, %error, "CloudWatch group in the control store not readable");
                    None
                }
            };
            content.groups = Some(store.settings().all(KIND)?.into_iter().filter_map(read).collect());
        }
        work(content.groups.get_or_insert_default())
    }

    /// Returns a group; `None` if no client has created it.
    pub(super) fn group(&self, store: &Store, name: &GroupName) -> Result<Option<GroupRecord>> {
        self.with(store, |groups| Ok(groups.get(name.as_str()).cloned()))
    }

    /// Returns all groups within a scope, without their streams.
    pub(super) fn groups(&self, store: &Store, scope: &GroupScope) -> Result<BTreeMap<String, GroupRecord>> {
        let short = |group: &GroupRecord| GroupRecord {
            created: group.created,
            class: group.class.clone(),
            tags: group.tags.clone(),
            streams: BTreeMap::new(),
        };
        self.with(store, |groups| {
            let within = groups.iter().filter(|(name, _)| scope.admits(name));
            Ok(within.map(|(name, group)| (name.clone(), short(group))).collect())
        })
    }

    /// Creates a group.
    pub(super) fn make(&self, store: &Store, name: &GroupName, group: GroupRecord, groups_max: usize) -> Result<()> {
        check_tags(&group.tags)?;
        self.with(store, |groups| {
            if groups.contains_key(name.as_str()) || store.has_group(name) {
                return Err(CloudWatchProblem::exists("log group"));
            }
            if groups.len() >= groups_max || !store.admits_group(name) {
                let message = format!("Resource limit exceeded: there may be {groups_max} log groups.");
                return Err(CloudWatchProblem::new("LimitExceededException", message));
            }
            put(store, name, &group)?;
            groups.insert(name.as_str().to_owned(), group);
            Ok(())
        })
    }

    /// Changes the record of a group that exists.
    pub(super) fn change<T>(
        &self,
        store: &Store,
        name: &GroupName,
        change: impl FnOnce(&mut GroupRecord) -> Result<T>,
    ) -> Result<T> {
        self.with(store, |groups| {
            let known = groups.get(name.as_str());
            ensure!(known.is_some() || store.has_group(name), CloudWatchProblem::no_group());
            let n_before = known.map_or(0, |group| group.streams.len());
            let n_streams: usize = groups.values().map(|group| group.streams.len()).sum();
            let mut group = known.cloned().unwrap_or_default();
            let result = change(&mut group)?;
            check_tags(&group.tags)?;
            while group.streams.len() > STREAMS_MAX {
                let oldest = group.streams.iter().min_by_key(|(_, made)| **made).map(|(stream, _)| stream.clone());
                oldest.map(|stream| group.streams.remove(&stream));
            }
            if group.streams.len() > n_before && n_streams >= STREAMS_TOGETHER_MAX {
                let message = "Resource limit exceeded: too many log streams without events.";
                return Err(CloudWatchProblem::new("LimitExceededException", message));
            }
            put(store, name, &group)?;
            groups.insert(name.as_str().to_owned(), group);
            Ok(result)
        })
    }

    /// Removes a group. Returns `false` if no client has created it.
    pub(super) fn forget(&self, store: &Store, name: &GroupName) -> Result<bool, StoreError> {
        let mut content = self.0.hold();
        content.seen.retain(|(group, _)| group != name);
        let is_there = match &content.groups {
            Some(groups) => groups.contains_key(name.as_str()),
            None => store.settings().get(KIND, name.as_str())?.is_some(),
        };
        if is_there {
            store.settings().remove(KIND, name.as_str())?;
            content.groups.as_mut().map(|groups| groups.remove(name.as_str()));
        }
        Ok(is_there)
    }

    /// Checks that a stream exists.
    pub(super) fn check_stream(&self, store: &Store, name: &GroupName, stream: &str) -> Result<()> {
        let made = self.with(store, |groups| {
            let group = groups.get(name.as_str());
            Ok(group.map(|group| group.streams.contains_key(stream)))
        })?;
        if made == Some(true) {
            return Ok(());
        }
        let has_events = store.has_group(name);
        ensure!(made.is_some() || has_events, CloudWatchProblem::no_group());
        let key = (name.clone(), stream.to_owned());
        if has_events && self.0.hold().seen.contains(&key) {
            return Ok(());
        }
        let of_group = store.groups().into_iter().find(|group| group.name == *name);
        if !of_group.is_some_and(|group| group.streams.iter().any(|known| **known == *stream)) {
            return Err(CloudWatchProblem::new(
                "ResourceNotFoundException",
                "The specified log stream does not exist.",
            ));
        }
        let mut content = self.0.hold();
        if content.seen.len() >= SEEN_MAX {
            content.seen.clear();
        }
        content.seen.insert(key);
        Ok(())
    }

    /// Removes a stream from the cache of streams with events.
    pub(super) fn forget_seen(&self, name: &GroupName, stream: &str) {
        self.0.hold().seen.remove(&(name.clone(), stream.to_owned()));
    }
}

fn put(store: &Store, name: &GroupName, group: &GroupRecord) -> Result<()> {
    Ok(store.settings().put(KIND, name.as_str(), &to_json(group)?)?)
}

fn check_tags(tags: &BTreeMap<String, String>) -> Result<()> {
    let is_fit =
        |(name, text): (&String, &String)| (1..=128).contains(&name.chars().count()) && text.chars().count() <= 256;
    if tags.len() > TAGS_MAX {
        let message = format!("A resource can have {TAGS_MAX} tags at most.");
        return Err(CloudWatchProblem::new("TooManyTagsException", message));
    }
    if !tags.iter().all(is_fit) {
        return Err(CloudWatchProblem::parameter("A tag has a key of 1 to 128 characters and a value of at most 256."));
    }
    Ok(())
}
