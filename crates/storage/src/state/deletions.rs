//! Deletions in the state: what they hide, and when nothing is left of them.

use std::sync::Arc;

use types::Batch;

use crate::deletion::{Deletion, Finder, Mask, Masks, without};
use crate::hot::Generation;
use crate::state::{State, StoredSegment};

/// What changes for snapshots, all at once.
#[derive(Debug)]
pub(crate) struct Erasure {
    pub(crate) deletion: Arc<Deletion>,
    pub(crate) masks: Masks,
}

impl State {
    /// Returns how many hot events a deletion takes.
    pub(crate) fn hot_events_of(&self, deletion: &Deletion) -> u64 {
        let mut finder = Finder::new(&deletion.sequences);
        let groups = self.generations().filter_map(|generation| generation.groups.get(&deletion.group_id));
        let sequences = groups.flat_map(|group| &group.runs).flat_map(|run| run.run.batch().sequences.iter());
        sequences.filter(|sequence| finder.contains(*sequence)).count() as u64
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

    /// Reports whether a segment may hold events of a deletion.
    pub(crate) fn may_hold(&self, deletion: &Deletion) -> bool {
        let is_hidden = self.masks.values().any(|mask| mask.deletions.contains(&deletion.id));
        // What cannot be read may hold them.
        is_hidden || self.damaged.iter().any(|one| one.runs.iter().any(|(group, ..)| *group == deletion.group_id))
    }

    /// Takes a deletion out of the list where no segment holds any of its events. They are no hot events since it
    /// was made.
    pub(crate) fn take_settled(&mut self, deletion: &Arc<Deletion>) -> bool {
        if self.may_hold(deletion) {
            return false;
        }
        let n_before = self.deletions.len();
        self.deletions.retain(|known| !Arc::ptr_eq(known, deletion));
        self.deletions.len() < n_before
    }

    /// Takes the masks of segments out that are in use no more.
    pub(crate) fn take_masks(&mut self, segments: &[Arc<StoredSegment>]) -> Masks {
        let is_gone = |id: u128| segments.iter().any(|stored| stored.segment.meta.segment == id);
        if self.masks.is_empty() { Masks::new() } else { self.masks.extract_if(|(id, _), _| is_gone(*id)).collect() }
    }

    /// Returns the mask of a run, where events of it are deleted.
    pub(crate) fn mask(&self, segment: u128, group_id: u32) -> Option<&Arc<Mask>> {
        if self.masks.is_empty() { None } else { self.masks.get(&(segment, group_id)) }
    }

    /// Returns a batch that was read back, without its deleted events.
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
