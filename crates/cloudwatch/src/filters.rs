//! What metric and subscription filters have in common: their names, and how they look at each event of a group once, also
//! across a restart.
//!
//! Sequences are given in the order of acceptance and never twice, and a snapshot that shows one shows all before it. So
//! the sequence up to which a filter has looked is all that it has to remember.

use std::sync::Arc;

use storage::Store;
use types::{GroupPattern, GroupScope, Run, TimeRange};

use super::answer::CloudWatchProblem;
use super::input::{Input, constraint};

/// Longest name of a filter, a metric and a namespace.
pub(super) const NAME_CHARS_MAX: usize = 512;

/// The name under which a filter of a group is kept.
pub(super) fn document_name(group: &str, filter: &str) -> String {
    format!("{group}:{filter}")
}

/// The name of the filter that is asked for.
pub(super) fn filter_name(input: &Input) -> Result<&str, CloudWatchProblem> {
    let name = input.needed("filterName")?;
    if name.is_empty() || name.contains([':', '*']) || name.chars().count() > NAME_CHARS_MAX {
        let rule = format!("Member must have length between 1 and {NAME_CHARS_MAX} and neither ':' nor '*'");
        return Err(constraint(name, "filterName", &rule));
    }
    Ok(name)
}

/// The runs of a group that hold something accepted after `sequence`.
pub(super) fn runs_after(store: &Store, group: &str, sequence: u64) -> Vec<Arc<dyn Run>> {
    let mut runs = store.snapshot_within(&[GroupPattern::new(group)], &GroupScope::All, TimeRange::ALL).runs;
    runs.retain(|run| run.last_sequence() > sequence);
    runs
}

/// The last event of a group that was accepted.
pub(super) fn last_sequence(store: &Store, group: &str) -> u64 {
    runs_after(store, group, 0).iter().map(|run| run.last_sequence()).max().unwrap_or(0)
}
