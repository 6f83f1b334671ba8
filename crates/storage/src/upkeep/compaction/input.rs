//! A run that is written again: what it holds, less what was deleted of it.

use std::sync::Arc;

use segment::{RunReader, RunSummary, Segment, SegmentError};
use types::{Batch, MinuteCounts, Timestamp};

use crate::deletion::Mask;

/// A run of a segment and its deleted rows.
pub(super) struct Input {
    segment: Arc<Segment>,
    index: usize,
    run: RunReader,
    mask: Option<Arc<Mask>>,
}

impl Input {
    /// Returns run `index` of a segment without the rows of `mask`; `None` if there is no such run.
    pub(super) fn of(segment: &Arc<Segment>, index: usize, mask: Option<Arc<Mask>>) -> Option<Self> {
        Some(Self { segment: segment.clone(), index, run: segment.run_reader(index)?, mask })
    }

    /// Returns the segment's description of the run, deleted events included.
    pub(super) fn summary(&self) -> &RunSummary {
        self.run.summary()
    }

    /// Returns how many events are left.
    pub(super) fn n_events(&self) -> u64 {
        self.mask.as_ref().map_or(self.summary().n_events, |mask| mask.n_events)
    }

    /// Returns names of the fields that some event that is left has: what only deleted events had is not even named again.
    pub(super) fn fields(&self) -> Result<Vec<Arc<str>>, SegmentError> {
        let Some(mask) = &self.mask else { return Ok(self.run.fields().cloned().collect()) };
        let Some(run) = self.segment.run(self.index, 0) else { return Ok(Vec::new()) };
        let deleted = mask.deleted_fields(&*run)?;
        let is_left = |(name, n_events): &(&Arc<str>, u64)| deleted.get(*name).is_none_or(|deleted| deleted < n_events);
        Ok(self.run.field_counts().filter(is_left).map(|(name, _)| name.clone()).collect())
    }

    pub(super) fn n_blocks(&self) -> usize {
        self.run.n_blocks()
    }

    /// Times of the first and the last event of a block, deleted ones included.
    pub(super) fn block_times(&self, block: usize) -> (Timestamp, Timestamp) {
        self.run.block_times(block)
    }

    /// Counts by minute of what is left.
    pub(super) fn minutes(&self) -> Result<Vec<MinuteCounts>, SegmentError> {
        let minutes = self.run.minutes()?;
        Ok(match &self.mask {
            Some(mask) => mask.subtract(minutes),
            None => minutes,
        })
    }

    /// Returns all rows of a block; those for which [`is_deleted`](Self::is_deleted) holds are not to be taken.
    pub(super) fn block(&self, block: usize) -> Result<Batch, SegmentError> {
        Ok(self.run.block(block)?)
    }

    /// Reports whether rows may be deleted.
    pub(super) fn has_deleted(&self) -> bool {
        self.mask.is_some()
    }

    pub(super) fn is_deleted(&self, block: usize, row: usize) -> bool {
        self.mask.as_ref().is_some_and(|mask| mask.is_deleted(block, row))
    }
}
