//! The parts that metric and subscription filters share: names, limits, documents, and reading each event once.
//!
//! Sequences ascend in the order of acceptance and are never reused, and a snapshot with one contains all before it.
//! Therefore the last sequence that a filter has read is its whole position, also across a restart.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use storage::{Settings, Store, StoreError};
use types::{GroupPattern, GroupScope, Run, TimeRange};

use super::answer::{CloudWatchProblem, Result};
use super::input::{Input, constraint};

/// Longest name of a filter, a metric and a namespace.
pub(super) const NAME_CHARS_MAX: usize = 512;

/// Limits on the number of filters.
pub(super) struct FilterLimits {
    /// Filters of one group.
    pub(super) of_group: usize,
    /// Filters of all groups.
    pub(super) total: usize,
}

impl FilterLimits {
    /// Refuses a filter of `group` that would exceed a limit, given the groups of the other filters.
    pub(super) fn check<'f>(&self, others: impl Iterator<Item = &'f str> + Clone, group: &str) -> Result<()> {
        let n_of_group = others.clone().filter(|other| *other == group).count();
        if n_of_group < self.of_group && others.count() < self.total {
            return Ok(());
        }
        let message = format!("Resource limit exceeded: {} of a group, {} in all.", self.of_group, self.total);
        Err(CloudWatchProblem::new("LimitExceededException", message))
    }
}

/// Returns the name of the document of a filter.
pub(super) fn document_name(group: &str, filter: &str) -> String {
    format!("{group}:{filter}")
}

/// Returns the name of the filter that a request names.
pub(super) fn filter_name(input: &Input) -> Result<&str> {
    let name = input.needed("filterName")?;
    if name.is_empty() || name.contains([':', '*']) || name.chars().count() > NAME_CHARS_MAX {
        let rule = format!("Member must have length between 1 and {NAME_CHARS_MAX} and neither ':' nor '*'");
        return Err(constraint(name, "filterName", &rule));
    }
    Ok(name)
}

/// Returns the runs of a group with events accepted after `sequence`.
pub(super) fn runs_after(store: &Store, group: &str, sequence: u64) -> Vec<Arc<dyn Run>> {
    let mut runs = store.snapshot_within(&[GroupPattern::new(group)], &GroupScope::All, TimeRange::ALL).runs;
    runs.retain(|run| run.last_sequence() > sequence);
    runs
}

/// Returns the sequence of the last accepted event of a group.
pub(super) fn last_sequence(store: &Store, group: &str) -> u64 {
    runs_after(store, group, 0).iter().map(|run| run.last_sequence()).max().unwrap_or(0)
}

/// Reads the documents of a kind. A document of another version, or a damaged one, is left out: it has no effect.
pub(super) fn documents<T: DeserializeOwned>(settings: Settings<'_>, kind: &str) -> Result<Vec<T>, StoreError> {
    Ok(settings.all(kind)?.iter().filter_map(|(_, json)| serde_json::from_str(json).ok()).collect())
}
