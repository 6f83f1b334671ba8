//! What retention hides in the state.

use std::collections::BTreeSet;

use crate::retention::LONG_AGO;
use crate::state::{State, StoredSegment};

impl State {
    /// Reports whether a run's bytes may go.
    pub(crate) fn is_expendable(&self, segment: u128, group_id: u32) -> bool {
        let is_empty = self.mask(segment, group_id).is_some_and(|mask| mask.n_events + mask.n_undoable == 0);
        is_empty || !self.groups.has_id(group_id) || self.retired.get(&(segment, group_id)) == Some(&LONG_AGO)
    }

    /// Forgets what was known of segments that are gone.
    pub(crate) fn forget_retired(&mut self) {
        let ids: BTreeSet<u128> = self.segments.iter().map(|stored| stored.segment.meta.segment).collect();
        self.retired.retain(|(segment, _), _| ids.contains(segment));
        self.flawed.retain(|segment, _| ids.contains(segment));
    }

    /// Returns what of a segment is in snapshots.
    pub(crate) fn live_runs<'a>(&'a self, stored: &'a StoredSegment) -> impl Iterator<Item = &'a segment::RunSummary> {
        let id = stored.segment.meta.segment;
        let is_live = move |run: &&segment::RunSummary| {
            self.groups.has_id(run.group_id) && !self.retired.contains_key(&(id, run.group_id))
        };
        stored.segment.summaries().iter().filter(is_live)
    }
}
