//! The log groups of the store: names, numbers, streams.
//!
//! A group's number is part of its events' ids and is never given out again; a group that is created again under
//! the name of a deleted one gets another, so that nothing deleted comes back with it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use types::{Column, GroupName, GroupPattern, GroupScope, Timestamp, Value};

/// Most stream names remembered of a group; events of further ones are kept and found all the same.
const STREAMS_MAX: usize = 1000;

/// The group that takes the events of groups beyond the limit.
const OVERFLOW: &str = "overflow";

/// What is known of a group, for listings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupStatus {
    /// The name.
    pub name: GroupName,
    /// How many events it has.
    pub n_events: u64,
    /// Bytes as they were sent.
    pub bytes_raw: u64,
    /// Its share of the bytes in segments.
    pub bytes_stored: u64,
    /// Time of the first event.
    pub first: Option<Timestamp>,
    /// Time of the last event.
    pub last: Option<Timestamp>,
    /// Names of its streams, sorted; the first thousand that were seen.
    pub streams: Vec<Arc<str>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) id: u32,
    pub(crate) streams: BTreeSet<Arc<str>>,
}

/// All groups that are not deleted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Groups {
    by_name: BTreeMap<GroupName, Group>,
    ids: HashSet<u32>,
}

impl Groups {
    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }

    pub(crate) fn id_of(&self, name: &GroupName) -> Option<u32> {
        self.by_name.get(name).map(|group| group.id)
    }

    /// Returns the name of the group with this number, if it is not deleted.
    pub(crate) fn name_of(&self, id: u32) -> Option<&GroupName> {
        self.by_name.iter().find(|(_, group)| group.id == id).map(|(name, _)| name)
    }

    /// Reports whether the number belongs to a group that is not deleted.
    pub(crate) fn has_id(&self, id: u32) -> bool {
        self.ids.contains(&id)
    }

    pub(crate) fn admits(&self, name: &GroupName, groups_max: usize) -> bool {
        self.len() < groups_max || name.as_str() == OVERFLOW || self.by_name.contains_key(name)
    }

    /// Returns how many groups have a name that begins with `prefix`.
    pub(crate) fn n_below(&self, prefix: &str) -> usize {
        self.by_name.keys().filter(|name| name.as_str().starts_with(prefix)).count()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&GroupName, &Group)> {
        self.by_name.iter()
    }

    /// Returns numbers of the groups that any of `patterns` matches.
    pub(crate) fn matching(&self, patterns: &[GroupPattern], within: &GroupScope) -> HashSet<u32> {
        let matches = |(name, _): &(&GroupName, &Group)| {
            within.admits(name.as_str()) && GroupPattern::any_names(patterns, name.as_str())
        };
        if patterns.is_empty() || patterns.iter().any(|pattern| pattern.as_str().contains('*')) {
            return self.by_name.iter().filter(matches).map(|(_, group)| group.id).collect();
        }
        // Names without a wildcard are looked up rather than compared with thousands of others.
        let named = |pattern: &GroupPattern| self.by_name.get_key_value(&GroupName::new(pattern.as_str())?);
        patterns.iter().filter_map(named).filter(matches).map(|(_, group)| group.id).collect()
    }

    /// Adds a group, or stream names to a group.
    pub(crate) fn add(&mut self, name: &GroupName, id: u32, streams: impl IntoIterator<Item = Arc<str>>) {
        let new = || Group { id, streams: BTreeSet::new() };
        let group = self.by_name.entry(name.clone()).or_insert_with(new);
        self.ids.insert(group.id);
        for stream in streams {
            if group.streams.len() < STREAMS_MAX {
                group.streams.insert(stream);
            }
        }
    }

    pub(crate) fn remove(&mut self, name: &GroupName) -> Option<u32> {
        let id = self.by_name.remove(name)?.id;
        self.ids.remove(&id);
        Some(id)
    }

    /// Returns names in `column` that the group does not know yet.
    pub(crate) fn new_streams(&self, name: &GroupName, column: &Column) -> Vec<Arc<str>> {
        let known = self.by_name.get(name).map(|group| &group.streams);
        if known.is_some_and(|known| known.len() >= STREAMS_MAX) {
            return Vec::new();
        }
        let is_new = |stream: &Arc<str>| !stream.is_empty() && known.is_none_or(|known| !known.contains(stream));
        let text = |value: Value| match value {
            Value::String(text) => Some(text),
            _ => None,
        };
        match column {
            Column::Dictionary { values, .. } => {
                values.iter().cloned().filter_map(text).filter(is_new).take(STREAMS_MAX).collect()
            }
            other => {
                let values = (0..other.n_rows()).filter_map(|row| other.value(row)).filter_map(text).filter(is_new);
                values.take(STREAMS_MAX).collect()
            }
        }
    }
}
