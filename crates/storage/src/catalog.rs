//! The catalog: the durable list of segments, groups, deletions and source positions.
//!
//! One transaction publishes a flush: its segments, the WAL files that it releases, the source positions and
//! batch-id entries that came with its events. Every transaction is durable when it returns.
//!
//! Tables of version 3; ids of segments are 16 bytes, big endian; times are nanoseconds since 1970; numbers without
//! a sign are kept as the signed ones with the same bits:
//!
//! ```text
//! meta(key, value)                    wal_released: WAL files below this number are in segments
//!                                     wal_made: a WAL file of this number was made once; 0: not known
//!                                     next_sequence, next_group: nothing below was left unused
//! groups(id, name, deleted)           streams(group_id, name)
//! segments(id, file, bytes,           file: relative to the place
//!          tier, place)               tier: 0 hot, 1 warm, 2 cold; place: 0 local, 1 remote
//! runs(segment, group_id, n_events, first, last, retired)
//!                                     retired: since when it is in no snapshot, null: it is
//! positions(source, file, generation, start, end)
//! batch_files(hour, n_entries)        how far the batch-id files are valid
//! doomed(file, place)                 files that belong to no segment any more and must go
//! deletions(id, group_id, n_events, created_ns, sequences)
//!                                     deleted events of a group whose bytes are still there; sequences as in
//!                                     the tombstone
//! identity(store)                     UUID of the store that this is the catalog of
//! ```
//!
//! Version 1 had no `retired`; version 2 had no `tier`, `place`, `deletions` and `identity`.

pub(crate) mod claim;
pub(crate) mod postgres;
pub(crate) mod sqlite;

use std::sync::Arc;

use segment::RunSummary;
use types::{GroupName, Timestamp};

use crate::batch_ids::ValidEntries;
use crate::groups::Groups;
use crate::positions::Positions;
use crate::retention::RetiredRuns;
use crate::tier::{Place, Tier};
use database::Result;

/// The catalog of one store. Each change is one transaction, durable when it returns; one that fails changed
/// nothing, or all of it where the answer was lost. A flush or a change of single rows can then be committed again; after
/// a compaction, [`has_segment`](Self::has_segment) tells.
pub(crate) trait Catalog: Send {
    /// Reads everything.
    fn load(&mut self) -> Result<Contents>;

    /// Puts what another catalog of the store held into a new one.
    fn fill(&mut self, contents: &Contents) -> Result<()>;

    /// Returns the numbers that only rise.
    fn marks(&mut self) -> Result<HighWaterMarks>;

    /// Reports whether the catalog lists a segment.
    fn has_segment(&mut self, id: u128) -> Result<bool>;

    /// Publishes a flush. One that is published already changes nothing.
    fn commit_flush(&mut self, record: &FlushRecord<'_>) -> Result<()>;

    /// Takes segments for compaction, so that no other node of a fleet merges them, and gives back those that this node
    /// had taken before. If some are not available, takes none and returns those.
    fn take_segments(&mut self, _segments: &[u128]) -> Result<Vec<u128>> {
        Ok(Vec::new())
    }

    /// Replaces segments with those that hold their events from now on, and records that their files must be removed.
    /// If other nodes have made changes that this one has not read yet, changes nothing and returns `false`.
    fn commit_compaction(&mut self, removed: &[u128], added: &[SegmentRow]) -> Result<bool>;

    /// Remembers that a file that is about to be made must go, unless a segment is moved to it.
    fn doom_file(&mut self, doomed: &ObsoleteFile) -> Result<()>;

    /// Records that files must be removed, since the segments in them will not be listed.
    fn give_up_files(&mut self, _files: &[&str]) -> Result<()> {
        Ok(())
    }

    /// Records that a segment lies elsewhere from now on, and remembers that the file it leaves must go.
    fn move_segment(&mut self, id: u128, file: &str, n_bytes: u64, place: Place) -> Result<()>;

    /// Records since when runs are in no snapshot any more, or that they are again.
    fn retire_runs(&mut self, runs: &[(u128, u32)], since: Option<i64>) -> Result<()>;

    /// Takes segments into the catalog that it lost, and takes out those that they stand for.
    fn adopt(
        &mut self,
        marks: &HighWaterMarks,
        segments: &[SegmentRow],
        replaced: &[u128],
        groups: &[(u32, GroupName)],
    ) -> Result<()>;

    /// Records that a group is deleted.
    fn delete_group(&mut self, id: u32, name: &GroupName) -> Result<()>;

    /// Records a deletion of events, in place of an earlier record of it. In a fleet, the text of its receipt is
    /// recorded in the same transaction, and an earlier record stays as it is.
    fn put_deletion(&mut self, deletion: &Deletion, receipt: &str) -> Result<()>;

    /// Forgets deletions of events whose bytes are gone.
    fn forget_deletions(&mut self, ids: &[u64]) -> Result<()>;

    /// In a fleet, stores the text of a receipt, replacing an earlier one.
    fn put_receipt(&mut self, _id: u64, _receipt: &str) -> Result<()> {
        Ok(())
    }

    /// In a fleet, removes the receipt of a finished deletion, and those of earlier ones.
    fn forget_receipt(&mut self, _id: u64) -> Result<()> {
        Ok(())
    }

    /// In a fleet, reports whether objects that may hold events of a deletion are still to be removed. The caller has
    /// made sure that no listed segment and no unflushed object holds any of them.
    fn awaits_removal(&mut self, _id: u64) -> Result<bool> {
        Ok(false)
    }

    /// Takes segments out of the list, and remembers that their files must go.
    fn doom(&mut self, segments: &[u128]) -> Result<()>;

    /// Records that a file that had to go is gone.
    fn forget_doomed(&mut self, doomed: &ObsoleteFile) -> Result<()>;

    /// Renews the claim of the writer of the catalog, and finds out whether it still holds it.
    fn renew(&mut self) -> Result<()>;
}

/// Numbers that only rise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HighWaterMarks {
    pub(crate) wal_released: u64,
    /// A WAL file that was made; 0 where none is known.
    pub(crate) wal_made: u64,
    pub(crate) next_sequence: u64,
    pub(crate) next_group: u32,
}

/// A segment as the catalog knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentRow {
    pub(crate) id: u128,
    pub(crate) file: String,
    pub(crate) n_bytes: u64,
    pub(crate) tier: Tier,
    pub(crate) place: Place,
    pub(crate) runs: Vec<RunRow>,
}

/// A run as the catalog knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunRow {
    pub(crate) group_id: u32,
    pub(crate) n_events: u64,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

impl From<&RunSummary> for RunRow {
    fn from(run: &RunSummary) -> Self {
        Self { group_id: run.group_id, n_events: run.n_events, first: run.first, last: run.last }
    }
}

/// Deleted events of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deletion {
    pub(crate) id: u64,
    pub(crate) group_id: u32,
    pub(crate) n_events: u64,
    pub(crate) created: Timestamp,
    /// Which ones, as the tombstone has them.
    pub(crate) sequences: Vec<u8>,
}

/// A file that belongs to no segment any more and must go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObsoleteFile {
    pub(crate) file: String,
    pub(crate) place: Place,
}

/// Everything that the catalog holds.
#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) marks: HighWaterMarks,
    pub(crate) groups: Groups,
    /// Numbers of deleted groups.
    pub(crate) deleted: Vec<u32>,
    pub(crate) segments: Vec<SegmentRow>,
    pub(crate) positions: Positions,
    pub(crate) batch_files: ValidEntries,
    pub(crate) doomed: Vec<ObsoleteFile>,
    pub(crate) retired: RetiredRuns,
    pub(crate) deletions: Vec<Deletion>,
}

impl Contents {
    /// Reports whether it is what a new catalog holds.
    pub(crate) fn is_empty(&self) -> bool {
        self.segments.is_empty() && self.groups.len() == 0 && self.deleted.is_empty() && self.positions.len() == 0
    }
}

/// What one flush changes.
pub(crate) struct FlushRecord<'a> {
    pub(crate) marks: HighWaterMarks,
    pub(crate) segments: &'a [SegmentRow],
    /// Groups with events in the flush: number, name, streams.
    pub(crate) groups: Vec<(u32, GroupName, Vec<Arc<str>>)>,
    /// Ranges accepted with the flushed events.
    pub(crate) positions: &'a Positions,
    pub(crate) batch_files: &'a ValidEntries,
    /// In a fleet, the sequence below which all events were in segments when the flush began.
    pub(crate) flushed_before: u64,
}

#[cfg(test)]
mod tests;
