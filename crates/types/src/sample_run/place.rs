//! Places of rows in several batches, and their order.

use std::sync::Arc;

use crate::Run;
use crate::batch_run::BatchRun;

/// Where a row is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) part: u16,
    pub(super) row: u16,
}

impl Place {
    /// Returns what rows are sorted by: their time, and the order of their acceptance.
    pub(super) fn key(self, parts: &[Arc<BatchRun>]) -> (i64, u64) {
        let (batch, row) = (parts[usize::from(self.part)].batch(), usize::from(self.row));
        (batch.timestamps.get(row), batch.sequences.get(row))
    }
}

/// Reports whether the rows of batches, one batch after the other, are in order.
pub(super) fn follow_each_other(parts: &[Arc<BatchRun>]) -> bool {
    parts.windows(2).all(|pair| {
        let (before, after) = (&pair[0], &pair[1]);
        let is_same_time = before.info().last == after.info().first;
        before.info().last < after.info().first || is_same_time && before.last_sequence() < after.first_sequence()
    })
}
