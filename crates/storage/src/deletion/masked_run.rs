//! A run as snapshots see it once some of its events are deleted.
//!
//! Deleted rows are not there: blocks have fewer rows, blocks without any are left out, and what is said of the run
//! as a whole is said of what is left. No one who reads runs needs to know of deletions, and a run without any is
//! read as before.

use std::sync::Arc;

use types::{
    Column, Examples, FieldSummary, MinuteCounts, Narrowed, RowSet, Run, RunInfo, ScanError, TextProbe, Timestamp,
};

use super::mask::Mask;

/// What is left of a run.
pub(crate) struct MaskedRun {
    run: Arc<dyn Run>,
    mask: Arc<Mask>,
    info: RunInfo,
}

impl MaskedRun {
    /// Hides the deleted rows of a run of which something is left.
    pub(crate) fn new(run: Arc<dyn Run>, mask: Arc<Mask>) -> Self {
        let mut info = run.info().clone();
        (info.n_events, info.first, info.last) = (mask.n_events, mask.first, mask.last);
        if let Some(key) = &mut info.key {
            key.version = mask.version();
        }
        Self { run, mask, info }
    }

    /// Returns the number that the run itself gives a block.
    fn block(&self, shown: usize) -> usize {
        self.mask.shown[shown]
    }

    fn left(&self, block: usize) -> RowSet {
        self.mask.left(block, self.run.block_rows(block))
    }
}

impl Run for MaskedRun {
    fn info(&self) -> &RunInfo {
        &self.info
    }

    fn n_blocks(&self) -> usize {
        self.mask.shown.len()
    }

    fn block_rows(&self, block: usize) -> usize {
        let block = self.block(block);
        self.run.block_rows(block).saturating_sub(self.mask.n_deleted_of(block))
    }

    fn block_times(&self, block: usize) -> (Timestamp, Timestamp) {
        let block = self.block(block);
        self.mask.times_of(block).unwrap_or_else(|| self.run.block_times(block))
    }

    fn first_sequence(&self) -> u64 {
        self.run.first_sequence()
    }

    fn last_sequence(&self) -> u64 {
        self.run.last_sequence()
    }

    fn fields(&self) -> Result<Vec<FieldSummary>, ScanError> {
        let deleted = self.mask.deleted_fields(&*self.run)?;
        let left = |mut field: FieldSummary| {
            let n_deleted = deleted.get(&field.name).copied().unwrap_or(0);
            // Counts of fields that are made of text and time are upper bounds: no more than there are events.
            field.n_events = field.n_events.saturating_sub(n_deleted).min(self.info.n_events);
            (field.n_events > 0).then_some(field)
        };
        Ok(self.run.fields()?.into_iter().filter_map(left).collect())
    }

    fn minutes(&self) -> Result<Option<Vec<MinuteCounts>>, ScanError> {
        Ok(self.run.minutes()?.map(|minutes| self.mask.subtract(minutes)))
    }

    fn may_hold(&self, probe: &TextProbe<'_>) -> Result<bool, ScanError> {
        self.run.may_hold(probe)
    }

    fn narrow(&self, block: usize, probe: &TextProbe<'_>) -> Result<Narrowed, ScanError> {
        let block = self.block(block);
        let Narrowed { mut rows, exact } = self.run.narrow(block, probe)?;
        let left = self.left(block);
        rows.and(&left);
        Ok(Narrowed { rows: left.places_of(&rows), exact })
    }

    fn expect_search(&self, blocks: &[usize]) {
        let blocks: Vec<usize> = blocks.iter().map(|block| self.block(*block)).collect();
        self.run.expect_search(&blocks);
    }

    fn is_far(&self) -> bool {
        self.run.is_far()
    }

    fn is_message(&self, name: &str) -> bool {
        self.run.is_message(name)
    }

    fn read(&self, block: usize, names: &[&str], rows: &RowSet) -> Result<Vec<Column>, ScanError> {
        let block = self.block(block);
        self.run.read(block, names, &self.left(block).select(rows))
    }

    fn examples(&self) -> Result<Option<Arc<Examples>>, ScanError> {
        self.run.examples()
    }

    fn example_numbers(&self, block: usize, rows: &RowSet) -> Result<Vec<u32>, ScanError> {
        let block = self.block(block);
        self.run.example_numbers(block, &self.left(block).select(rows))
    }

    fn bytes_read(&self) -> u64 {
        self.run.bytes_read()
    }
}
