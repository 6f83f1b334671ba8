//! Deletions while segments come and go: what they hide in new ones, and when their last bytes are gone.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::deletion::{self, Mask, Masks, Receipts, Removals};
use crate::segments::Segments;
use crate::state::StoredSegment;
use crate::{StoreError, tombstone};

/// Receipts of finished deletions that are kept, the newest ones.
const RECEIPTS_MAX: usize = 1000;

impl Segments {
    pub(crate) fn tombstone_dir(&self) -> PathBuf {
        self.options.dir.join("tombstones")
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
        let removed = Removals { deletions: &deletions, trims: &trims };
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

    /// Takes back what was recorded of a deletion that did not come about, or that is done with.
    pub(crate) fn forget_deletion(&self, id: u64) {
        if let Err(error) = tombstone::events::remove(&self.tombstone_dir(), id) {
            tracing::warn!(id, %error, "tombstone of a deletion cannot be removed; the next start tries again");
            return;
        }
        if let Err(error) = self.catalog().forget_deletions(&[id]) {
            tracing::warn!(id, %error, "catalog cannot forget a deletion; the next start tries again");
        }
    }

    /// Notes segments with deleted events that were written again, or removed with them.
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

    /// Reports whether there are segment files that are not in use: a catalog that was lost would take them back.
    fn has_stray_segments(&self) -> bool {
        let Ok(files) = crate::segments::files::list(&self.options.dir.join("segments")) else { return true };
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
            if let Err(error) = deletion::remove_receipt(&self.tombstone_dir(), *id) {
                tracing::warn!(id, %error, "an old receipt cannot be removed");
            }
        }
    }
}
