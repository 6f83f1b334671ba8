//! Runs of segments of several days, and the trims that concern them.

use std::sync::Arc;

use segment::{MIXED_PARTITION, RunSummary};

use crate::state::{State, StoredSegment};

impl State {
    pub(crate) fn mixed_segments(&self) -> impl Iterator<Item = &Arc<StoredSegment>> {
        self.segments.iter().filter(|stored| stored.segment.meta.partition == MIXED_PARTITION)
    }

    /// Returns the runs of a group in segments of several days.
    pub(crate) fn mixed_runs(&self, group_id: u32) -> impl Iterator<Item = &RunSummary> {
        let runs = self.mixed_segments().flat_map(|stored| stored.segment.summaries());
        runs.filter(move |run| run.group_id == group_id)
    }
}
