//! The store as one caller sees it: events and groups within the caller's scope, and nothing of any other.

use storage::{Acceptance, GroupStatus, Snapshot, Store, Subscription};
use types::{GroupName, GroupPattern, TimeRange};

use crate::access::Caller;
use crate::audit;

/// A store and the caller whose scope limits what is seen of it.
#[derive(Clone, Copy)]
pub struct ScopedStore<'a> {
    pub(crate) store: &'a Store,
    pub(crate) caller: &'a Caller,
}

impl ScopedStore<'_> {
    /// Returns the events of some groups at one instant; those of the audit log only to callers who may see it and name it.
    pub fn snapshot(&self, groups: &[GroupPattern], range: TimeRange) -> Snapshot {
        self.without_audit(groups, self.store.snapshot_within(groups, &self.caller.scope, range))
    }

    /// Returns the same of those events that were accepted at about one time.
    pub fn snapshot_near(&self, groups: &[GroupPattern], range: TimeRange, accepted: &Acceptance) -> Snapshot {
        self.without_audit(groups, self.store.snapshot_near(groups, &self.caller.scope, range, accepted))
    }

    fn without_audit(&self, groups: &[GroupPattern], mut snapshot: Snapshot) -> Snapshot {
        let names_audit = groups.iter().any(|pattern| pattern.as_str().starts_with(ingest::OWN_GROUPS));
        if !names_audit || !audit::may_see(self.caller) {
            snapshot.runs.retain(|run| run.info().group.as_str() != ingest::AUDIT_GROUP);
        }
        snapshot
    }

    /// Feeds what is accepted from now on in these groups.
    pub fn subscribe(&self, groups: Vec<GroupPattern>, capacity_batches: usize) -> Subscription {
        self.store.subscribe_within(groups, self.caller.scope.clone(), capacity_batches)
    }

    /// Returns the groups, sorted by name; the audit log is not listed.
    pub fn groups(&self) -> Vec<GroupStatus> {
        let mut groups = self.store.groups();
        groups.retain(|group| {
            self.caller.scope.admits(group.name.as_str()) && group.name.as_str() != ingest::AUDIT_GROUP
        });
        groups
    }

    /// Reports whether a group has events and exists for the caller.
    pub fn has_group(&self, group: &GroupName) -> bool {
        self.caller.scope.admits(group.as_str()) && self.store.has_group(group)
    }

    /// Returns the name of the group with a number, where it exists for the caller.
    pub fn group_of(&self, number: u32) -> Option<GroupName> {
        self.store.group_of(number).filter(|group| self.caller.scope.admits(group.as_str()))
    }
}
