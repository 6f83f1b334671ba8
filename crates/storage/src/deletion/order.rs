//! A deletion of events, and what it is asked for with.

use std::collections::BTreeMap;

use segment::RunSummary;
use types::TimeRange;

use crate::catalog;
use crate::deletion::{DeletionReceipt, Sequences};

/// Bytes of the sequences of one deletion: some twenty million events that lie scattered, any number that do not.
pub const DELETION_BYTES_MAX: usize = 64 << 20;

/// Most receipts of finished deletions that are kept: the newest ones.
const RECEIPTS_MAX: usize = 1000;

/// A deletion whose events are not gone from the disk yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Deletion {
    pub(crate) id: u64,
    pub(crate) group_id: u32,
    pub(crate) sequences: Sequences,
}

impl Deletion {
    /// Reports whether it may have taken events of some of these runs.
    pub(crate) fn concerns(&self, runs: &[RunSummary]) -> bool {
        let overlaps = |run: &RunSummary| self.sequences.overlaps(run.first_sequence, run.last_sequence);
        runs.iter().any(|run| run.group_id == self.group_id && overlaps(run))
    }

    /// Returns the deletion as the catalog keeps it.
    pub(crate) fn row(&self, receipt: &DeletionReceipt) -> catalog::Deletion {
        let (n_events, created) = (receipt.n_deleted, receipt.created);
        let sequences = self.sequences.encoded().to_vec();
        catalog::Deletion { id: self.id, group_id: self.group_id, n_events, created, sequences }
    }
}

/// What a deletion is asked for with, besides the events.
#[derive(Clone, Debug)]
pub struct DeletionOrder {
    /// The range that was looked at.
    pub range: TimeRange,
    /// The query. Only a digest of it is kept.
    pub query: String,
    /// Who asks.
    pub requested_by: String,
    /// Why.
    pub reason: String,
}

/// Receipts by id: of all deletions under way, and of the newest finished ones.
pub(crate) type Receipts = BTreeMap<u64, DeletionReceipt>;

/// Removes the oldest receipts of finished deletions beyond the limit, and returns their ids.
pub(crate) fn forget_oldest(receipts: &mut Receipts) -> Vec<u64> {
    let is_finished = |(_, receipt): &(&u64, &DeletionReceipt)| receipt.reclaimed.is_some();
    let mut oldest: Vec<u64> = receipts.iter().filter(is_finished).map(|(id, _)| *id).collect();
    oldest.truncate(oldest.len().saturating_sub(RECEIPTS_MAX));
    oldest.iter().for_each(|id| drop(receipts.remove(id)));
    oldest
}
