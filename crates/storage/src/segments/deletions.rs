//! Deletions while segments come and go: what they hide in new ones, and when their last bytes are gone.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use types::ScanError;

use crate::deletion::{self, Deletion, Mask, Masks, Receipts, Removals};
use crate::segments::Segments;
use crate::state::StoredSegment;
use crate::{StoreError, tombstone};

/// What a deletion hides in segments.
#[derive(Default)]
pub(crate) struct HiddenEvents {
    pub(crate) masks: Masks,
    pub(crate) n_events: u64,
    /// Segments that could not be read.
    pub(crate) unreadable: Vec<(Arc<StoredSegment>, ScanError)>,
}

impl Segments {
    pub(crate) fn tombstone_dir(&self) -> PathBuf {
        self.options.dir.join("tombstones")
    }

    /// Masks of segments that are about to be published, for those who hold `upkeep`.
    pub(crate) fn masks_of<'a>(
        &self,
        segments: impl Iterator<Item = &'a Arc<StoredSegment>>,
    ) -> Result<Masks, ScanError> {
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
                    masks.insert((segment.meta.segment, run.group_id), Arc::new(mask));
                }
            }
        }
        Ok(masks)
    }

    /// Works out what a new deletion hides in segments. The caller holds `replacement`.
    pub(crate) fn hide(&self, new: &Arc<Deletion>) -> HiddenEvents {
        let (segments, known, mut deletions, trims) = {
            let state = self.state();
            (state.segments.clone(), state.masks.clone(), state.deletions.clone(), state.trims.clone())
        };
        deletions.push(new.clone());
        let removed = Removals { deletions: &deletions, trims: &trims };
        let mut hidden = HiddenEvents::default();
        for stored in segments {
            let segment = &stored.segment;
            let runs = segment.summaries().iter().enumerate();
            let concerned = runs.filter(|(_, run)| new.concerns(std::slice::from_ref(run)));
            for (index, run) in concerned {
                let mask = match Mask::of(segment, index, removed) {
                    Ok(Some(mask)) => mask,
                    Ok(None) => continue,
                    Err(error) => {
                        hidden.unreadable.push((stored.clone(), error));
                        break;
                    }
                };
                let key = (segment.meta.segment, run.group_id);
                let n_before = known.get(&key).map_or(0, |known| known.n_erased);
                hidden.n_events += mask.n_erased.saturating_sub(n_before);
                // Even if other deletions hide the same events, this one waits for their bytes to be removed.
                if mask.deletions.contains(&new.id) {
                    hidden.masks.insert(key, Arc::new(mask));
                }
            }
        }
        hidden
    }

    /// Removes the records of a deletion that failed or is finished.
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
            let segment = stored.segment.meta.segment;
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

    /// Stores the receipt of a deletion, if it has one. The caller holds the lock of all receipts, so that one thread
    /// at a time writes, and writes the newest text.
    fn keep_receipt(&self, receipts: &Receipts, id: u64) -> bool {
        let Some(receipt) = receipts.get(&id) else { return true };
        let dir = self.tombstone_dir();
        let written = match self.follower() {
            Some(_) => self.catalog().put_receipt(id, &receipt.text()).map_err(StoreError::from),
            None => receipt.write(&dir).map_err(StoreError::io(&dir)),
        };
        written.inspect_err(|error| tracing::warn!(id, %error, "receipt cannot be written")).is_ok()
    }

    /// Reports whether objects of a fleet may still hold events of a deletion.
    fn is_in_objects(&self, deletion: &Deletion, last: u64) -> bool {
        if last >= self.followed.flushed() || self.state().may_hold(deletion) {
            return true;
        }
        let awaits = self.catalog().awaits_removal(deletion.id);
        awaits
            .inspect_err(|error| tracing::debug!(%error, "it is not known yet whether a deletion is finished"))
            .unwrap_or(true)
    }

    /// Finishes deletions whose events are in no file any more.
    pub(crate) fn settle_deletions(&self) {
        let pending = self.state().deletions.clone();
        if pending.is_empty() {
            return;
        }
        let is_shared = self.follower().is_some();
        let wal_floor = crate::wal::floor(&self.wal_dir());
        let is_in_files = |deletion: &Deletion| {
            deletion.sequences.bounds().is_some_and(|(_, last)| match is_shared {
                true => self.is_in_objects(deletion, last),
                false => wal_floor.is_none_or(|floor| last >= floor) || self.state().may_hold(deletion),
            })
        };
        let gone: Vec<_> = pending.into_iter().filter(|deletion| !is_in_files(deletion)).collect();
        // Asked last: a segment that left the state before is a stray file until it is removed.
        if gone.is_empty() || !is_shared && self.has_stray_segments() {
            return self.drop_old_receipts();
        }
        for deletion in gone {
            if !self.state_mut().take_settled(&deletion) {
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
        let dir = self.tombstone_dir();
        for id in deletion::forget_oldest(&mut receipts) {
            let removed = match self.follower() {
                Some(_) => self.catalog().forget_receipt(id).map_err(StoreError::from),
                None => deletion::remove_receipt(&dir, id).map_err(StoreError::io(&dir)),
            };
            if let Err(error) = removed {
                tracing::warn!(id, %error, "an old receipt cannot be removed");
            }
        }
    }
}
