//! Deleting events: invisible before it is acknowledged, gone from the disk soon after.
//!
//! Which events go is decided elsewhere; here they are the sequences of a group. The steps, in an order in which it is
//! safe to stop anywhere:
//!
//! ```text
//! masks of the segments concerned (`mask`) → tombstone written and synced (`tombstone::events`) → row in the catalog
//! → hot events without them, masks and deletion in the state, all at once → acknowledged
//! → compaction writes the segments again without them → old files removed → WAL released by a flush
//! → receipt says when (`receipt`) → tombstone and row go
//! ```
//!
//! From the tombstone on a start finds the deletion and carries it out: it leaves the events out of what the WAL brings
//! back and hides them in segments, those that a lost catalog is made anew from included. That is why a tombstone stays
//! until no file of the data directory holds any of its events: no segment in use, none that waits to be removed, none
//! that cannot be read, and no WAL file. Batch ids and source positions are not touched: what was sent once and deleted
//! stays a duplicate.
//!
//! Copies are out of reach: a backup made before holds the events, and so does what was already sent to somebody.

mod mask;
mod receipt;
mod remaining;
mod sequences;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, PoisonError};

use segment::RunSummary;
use sha2::{Digest, Sha256};
use types::{Batch, GroupName, RowSet, TimeRange, Timestamp};

use crate::hot::Generation;
use crate::state::{State, StoredSegment};
use crate::store::{Shared, Work};
use crate::{StoreError, catalog, tombstone};

pub(crate) use mask::{Mask, Masks, Removed};
pub use receipt::DeletionReceipt;
pub(crate) use receipt::{FORMAT as RECEIPT_FORMAT, Unreadable, read as read_receipts};
pub(crate) use remaining::Remaining;
pub(crate) use sequences::Finder;
pub use sequences::{SequenceCollector, Sequences};

/// Bytes of the sequences of one deletion: some twenty million events that lie scattered, any number that do not.
pub const DELETION_BYTES_MAX: usize = 64 << 20;

/// Deletions whose events are not gone yet. Each is looked at for every run of its group that is written or opened.
const PENDING_MAX: usize = 1000;

/// Receipts of finished deletions that are kept, the newest ones.
const RECEIPTS_MAX: usize = 1000;

/// Longest text of a receipt, in bytes; more is cut.
const TEXT_BYTES_MAX: usize = 512;

/// A deletion whose events are not gone from the disk yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Deletion {
    pub(crate) id: u64,
    pub(crate) group_id: u32,
    pub(crate) sequences: Sequences,
}

impl Deletion {
    /// Tells whether it may have taken events of some of these runs.
    pub(crate) fn concerns(&self, runs: &[RunSummary]) -> bool {
        let overlaps = |run: &RunSummary| self.sequences.overlaps(run.first_sequence, run.last_sequence);
        runs.iter().any(|run| run.group_id == self.group_id && overlaps(run))
    }

    /// The deletion as the catalog keeps it.
    pub(crate) fn row(&self, receipt: &DeletionReceipt) -> catalog::Deletion {
        let (n_events, created) = (receipt.n_deleted, receipt.created);
        let sequences = self.sequences.encoded().to_vec();
        catalog::Deletion { id: self.id, group_id: self.group_id, n_events, created, sequences }
    }
}

/// What a deletion is asked for with, beside the events.
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

/// What changes for snapshots, all at once.
#[derive(Debug)]
pub(crate) struct Erasure {
    pub(crate) deletion: Arc<Deletion>,
    masks: Masks,
}

/// Receipts by id: of all deletions under way, and of the newest finished ones.
pub(crate) type Receipts = BTreeMap<u64, DeletionReceipt>;

impl Shared {
    pub(crate) fn tombstone_dir(&self) -> PathBuf {
        self.options.dir.join("tombstones")
    }

    /// Deletes events of a group. Returns once that is durable and no later snapshot has them.
    pub(crate) fn erase_events(
        &self,
        group: &GroupName,
        sequences: Sequences,
        order: &DeletionOrder,
    ) -> Result<DeletionReceipt, StoreError> {
        if sequences.n_bytes() > DELETION_BYTES_MAX {
            return Err(StoreError::TooManyEvents { bytes_max: DELETION_BYTES_MAX });
        }
        // No flush and nothing that takes segments out of the list runs meanwhile: what the masks were worked out
        // for is what snapshots see.
        let mut flusher = self.flusher.lock().unwrap_or_else(PoisonError::into_inner);
        let upkeep = self.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
        let (deletion, mut receipt) = self.new_deletion(group, sequences, order)?;
        let (masks, n_in_segments) = self.masks_with(&deletion)?;
        let n_hot = self.state().hot_events_of(&deletion);
        receipt.n_deleted = n_in_segments + n_hot;
        if receipt.n_deleted == 0 {
            receipt.reclaimed = Some(receipt.created);
            return Ok(receipt);
        }
        let erasure = Erasure { deletion, masks };
        let recorded = self.record_erasure(&erasure, &receipt).and_then(|()| self.publish_erasure(erasure));
        if let Err(error) = recorded {
            if !self.options.faults.has_crashed() {
                self.forget_deletion(receipt.id);
            }
            return Err(error);
        }
        flusher.take_generation(self.state().flushing.as_ref());
        self.receipts().insert(receipt.id, receipt.clone());
        drop((upkeep, flusher));
        tracing::info!(%group, id = receipt.id, n_events = receipt.n_deleted, "events deleted");
        self.check("erase.end")?;
        self.reap();
        self.compaction.bell.ring();
        Ok(self.receipts().get(&receipt.id).cloned().unwrap_or(receipt))
    }

    fn new_deletion(
        &self,
        group: &GroupName,
        sequences: Sequences,
        order: &DeletionOrder,
    ) -> Result<(Arc<Deletion>, DeletionReceipt), StoreError> {
        let state = self.state();
        let group_id = state.groups.id_of(group).ok_or_else(|| StoreError::NoGroup(group.clone()))?;
        if state.deletions.len() >= PENDING_MAX {
            return Err(StoreError::TooManyDeletions { pending_max: PENDING_MAX });
        }
        drop(state);
        let created = self.options.clock.now();
        let id = new_id(created).map_err(StoreError::io(&self.tombstone_dir()))?;
        let receipt = DeletionReceipt {
            range: order.range,
            requested_by: cut(&order.requested_by),
            reason: cut(&order.reason),
            query_digest: digest(id, &order.query),
            n_matched: sequences.len(),
            ..DeletionReceipt::new(id, group.clone(), created)
        };
        Ok((Arc::new(Deletion { id, group_id, sequences }), receipt))
    }

    /// Masks of the runs that a new deletion concerns, and how many events in segments it takes.
    fn masks_with(&self, new: &Arc<Deletion>) -> Result<(Masks, u64), StoreError> {
        let (segments, known, mut deletions, trims) = {
            let state = self.state();
            (state.segments.clone(), state.masks.clone(), state.deletions.clone(), state.trims.clone())
        };
        deletions.push(new.clone());
        let Deletion { group_id, sequences, .. } = &**new;
        let (mut masks, mut n_events) = (Masks::new(), 0u64);
        for stored in segments {
            let segment = &stored.segment;
            for (index, run) in segment.summaries().iter().enumerate().filter(|(_, run)| run.group_id == *group_id) {
                if !sequences.overlaps(run.first_sequence, run.last_sequence) {
                    continue;
                }
                let removed = Removed { deletions: &deletions, trims: &trims };
                let Some(mask) = Mask::of(segment, index, removed)? else { continue };
                let key = (segment.meta().segment, *group_id);
                let n_before = known.get(&key).map_or(0, |known| known.n_erased);
                if mask.n_erased > n_before {
                    n_events += mask.n_erased - n_before;
                    masks.insert(key, Arc::new(mask));
                }
            }
        }
        Ok((masks, n_events))
    }

    /// Masks of segments that are about to be published, for those who hold `upkeep`.
    pub(crate) fn masks_of<'a>(
        &self,
        segments: impl Iterator<Item = &'a Arc<StoredSegment>>,
    ) -> Result<Masks, StoreError> {
        let (deletions, trims) = {
            let state = self.state();
            (state.deletions.clone(), state.trims.clone())
        };
        let mut masks = Masks::new();
        if deletions.is_empty() && trims.is_empty() {
            return Ok(masks);
        }
        let removed = Removed { deletions: &deletions, trims: &trims };
        for stored in segments {
            let segment = &stored.segment;
            for (index, run) in segment.summaries().iter().enumerate() {
                if let Some(mask) = Mask::of(segment, index, removed)? {
                    masks.insert((segment.meta().segment, run.group_id), Arc::new(mask));
                }
            }
        }
        Ok(masks)
    }

    /// Makes a deletion durable: where it outlives the catalog, and in the catalog.
    fn record_erasure(&self, erasure: &Erasure, receipt: &DeletionReceipt) -> Result<(), StoreError> {
        let dir = self.tombstone_dir();
        self.check("erase.tombstone")?;
        let written = tombstone::events::write(&dir, &self.store, &erasure.deletion, receipt);
        written.map_err(StoreError::io(&dir))?;
        self.check("erase.catalog")?;
        Ok(self.catalog().put_deletion(&erasure.deletion.row(receipt))?)
    }

    /// Lets the writer thread, the only one that changes hot events, put everything in place.
    fn publish_erasure(&self, erasure: Erasure) -> Result<(), StoreError> {
        self.check("erase.publish")?;
        let (answer, answered) = sync_channel(1);
        let deletion = erasure.deletion.clone();
        self.queue.push_command(Work::Erase(Box::new(erasure), answer))?;
        answered.recv().unwrap_or_else(|_| Err(self.why_closed().into()))?;
        self.feed.erase(deletion.group_id, &deletion.sequences);
        Ok(())
    }

    /// Takes back what was recorded of a deletion that did not come about, or that is done with.
    fn forget_deletion(&self, id: u64) {
        if let Err(error) = tombstone::events::remove(&self.tombstone_dir(), id) {
            tracing::warn!(id, %error, "tombstone of a deletion cannot be removed; the next start tries again");
            return;
        }
        if let Err(error) = self.catalog().forget_deletions(&[id]) {
            tracing::warn!(id, %error, "catalog cannot forget a deletion; the next start tries again");
        }
    }

    /// Takes note of segments with deleted events that were written again, or removed with them.
    pub(crate) fn note_rewritten(&self, segments: &[Arc<StoredSegment>], masks: &Masks) {
        let mut receipts = self.receipts();
        let mut changed = BTreeSet::new();
        for stored in segments {
            let segment = stored.segment.meta().segment;
            let of_segment = masks.iter().filter(|((masked, _), _)| *masked == segment);
            for id in of_segment.flat_map(|(_, mask)| &mask.deletions) {
                if let Some(receipt) = receipts.get_mut(id) {
                    receipt.note_segment(segment, stored.n_bytes);
                    changed.insert(*id);
                }
            }
        }
        for id in changed {
            self.keep_receipt(&receipts, id);
        }
    }

    /// Writes the receipt of a deletion, if it has one. Who calls holds all receipts: one thread at a time writes,
    /// and what it writes is the newest.
    fn keep_receipt(&self, receipts: &Receipts, id: u64) -> bool {
        let Some(receipt) = receipts.get(&id) else { return true };
        let written = receipt.write(&self.tombstone_dir());
        written.inspect_err(|error| tracing::warn!(id, %error, "receipt cannot be written")).is_ok()
    }

    /// Finishes deletions of whose events no file is left.
    pub(crate) fn settle_deletions(&self) {
        let pending = self.state().deletions.clone();
        if pending.is_empty() {
            return;
        }
        let wal_floor = crate::wal::floor(&self.wal_dir());
        let has_strays = self.has_stray_segments();
        for deletion in pending {
            let is_in_wal =
                deletion.sequences.bounds().is_some_and(|(_, last)| wal_floor.is_none_or(|floor| last >= floor));
            if is_in_wal || has_strays || !self.state_mut().take_settled(&deletion) {
                continue;
            }
            let now = self.options.clock.now();
            let mut receipts = self.receipts();
            if let Some(receipt) = receipts.get_mut(&deletion.id) {
                receipt.reclaimed = Some(now);
            }
            let is_kept = self.keep_receipt(&receipts, deletion.id);
            drop(receipts);
            // Without its receipt the tombstone stays for the next start to settle.
            if is_kept {
                self.forget_deletion(deletion.id);
            }
            tracing::info!(id = deletion.id, "deleted events are gone from the disk");
        }
        self.drop_old_receipts();
    }

    /// Tells whether there are segment files that are not in use: a catalog that was lost would take them back.
    fn has_stray_segments(&self) -> bool {
        let Ok(files) = crate::segment_files::list(&self.options.dir.join("segments")) else { return true };
        let state = self.state();
        let known: std::collections::HashSet<&str> = state.segments.iter().map(|stored| &*stored.file).collect();
        files.iter().any(|file| !known.contains(&**file)) || self.files.has_doomed()
    }

    /// Lets the oldest receipts of finished deletions go.
    fn drop_old_receipts(&self) {
        let mut receipts = self.receipts();
        let finished: Vec<u64> =
            receipts.iter().filter(|(_, one)| one.reclaimed.is_some()).map(|(id, _)| *id).collect();
        for id in finished.iter().take(finished.len().saturating_sub(RECEIPTS_MAX)) {
            receipts.remove(id);
            if let Err(error) = receipt::remove(&self.tombstone_dir(), *id) {
                tracing::warn!(id, %error, "an old receipt cannot be removed");
            }
        }
    }
}

impl State {
    /// How many hot events a deletion takes.
    fn hot_events_of(&self, deletion: &Deletion) -> u64 {
        let mut finder = Finder::new(&deletion.sequences);
        let groups = self.generations().filter_map(|generation| generation.groups.get(&deletion.group_id));
        let sequences = groups.flat_map(|group| &group.runs).flat_map(|run| &run.run.batch().sequences);
        sequences.filter(|sequence| finder.contains(**sequence)).count() as u64
    }

    /// Puts a deletion in place. Only for the writer thread, which worked out hot events without the deleted ones.
    pub(crate) fn apply_erasure(&mut self, erasure: Erasure, hot: HotChange) {
        let Erasure { deletion, masks } = erasure;
        if let Some(group) = hot.active {
            self.active.replace(deletion.group_id, group);
        }
        if let Some(flushing) = hot.flushing {
            self.flushing = Some(flushing);
        }
        self.masks.extend(masks);
        self.deletions.push(deletion);
    }

    /// Takes a deletion out of the list where no segment holds any of its events. They are no hot events since it
    /// was made.
    fn take_settled(&mut self, deletion: &Arc<Deletion>) -> bool {
        let is_hidden = self.masks.values().any(|mask| mask.deletions.contains(&deletion.id));
        // What cannot be read may hold them.
        let is_damaged = self.damaged.iter().any(|one| one.runs.iter().any(|(group, ..)| *group == deletion.group_id));
        if is_hidden || is_damaged {
            return false;
        }
        let n_before = self.deletions.len();
        self.deletions.retain(|known| !Arc::ptr_eq(known, deletion));
        self.deletions.len() < n_before
    }

    /// Takes the masks of segments out that are in use no more.
    pub(crate) fn take_masks(&mut self, segments: &[Arc<StoredSegment>]) -> Masks {
        let is_gone = |id: u128| segments.iter().any(|stored| stored.segment.meta().segment == id);
        if self.masks.is_empty() { Masks::new() } else { self.masks.extract_if(|(id, _), _| is_gone(*id)).collect() }
    }

    /// The mask of a run, where events of it are deleted.
    pub(crate) fn mask(&self, segment: u128, group_id: u32) -> Option<&Arc<Mask>> {
        if self.masks.is_empty() { None } else { self.masks.get(&(segment, group_id)) }
    }

    /// What is left of a batch that comes back from the WAL.
    pub(crate) fn without_deleted(&self, group_id: u32, batch: Batch) -> Batch {
        let mut batch = batch;
        for deletion in self.deletions.iter().filter(|deletion| deletion.group_id == group_id) {
            if let Some(left) = without(&batch, &deletion.sequences) {
                batch = left;
            }
        }
        batch
    }
}

/// Hot events of a group without those that were deleted, where there were any.
#[derive(Default)]
pub(crate) struct HotChange {
    active: Option<crate::hot::HotGroup>,
    flushing: Option<Arc<Generation>>,
}

impl HotChange {
    /// Works out what becomes of the hot events, while queries read them.
    pub(crate) fn of(state: &State, deletion: &Deletion) -> Self {
        let without = |generation: &Generation| {
            let group = generation.groups.get(&deletion.group_id)?;
            group.without(deletion.group_id, &deletion.sequences)
        };
        let flushing = state.flushing.as_ref().and_then(|generation| {
            let group = without(generation)?;
            let mut changed = (**generation).clone();
            changed.replace(deletion.group_id, group);
            Some(Arc::new(changed))
        });
        Self { active: without(&state.active), flushing }
    }
}

/// A batch without the events `gone`; `None` where it has none of them.
pub(crate) fn without(batch: &Batch, gone: &Sequences) -> Option<Batch> {
    let (first, last) = gone.bounds()?;
    if !batch.sequences.iter().any(|sequence| (first..=last).contains(sequence)) {
        return None;
    }
    let mut finder = Finder::new(gone);
    let left = RowSet::of_slice(&batch.sequences, |sequence| !finder.contains(*sequence));
    if left.is_all() {
        return None;
    }
    let rows: Vec<(u32, u32)> = left.iter().map(|row| (0, row as u32)).collect();
    Some(Batch::gather(&[batch], &rows))
}

/// Numbers that rise with time.
fn new_id(now: Timestamp) -> std::io::Result<u64> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(std::io::Error::other)?;
    let ms = u64::try_from(now.0 / 1_000_000).unwrap_or(0);
    Ok(ms << 20 | u64::from_le_bytes(random) >> 44)
}

fn digest(id: u64, query: &str) -> [u8; 32] {
    Sha256::digest(format!("{id:016x}\n{query}")).into()
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests;
