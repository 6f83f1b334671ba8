//! Makes the state what the catalog says, whatever it was: a node that missed something, or came late, ends up where
//! the others are.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use types::Hold;

use crate::catalog::postgres::fleet::changes::CatalogNews;
use crate::catalog::{Contents, SegmentRow};
use crate::deletion::Masks;
use crate::segments::Segments;
use crate::state::{DamagedSegment, StoredSegment};
use crate::{StoreError, control};

/// Segments that are opened at the same time.
const OPENED_AT_ONCE: usize = 16;

impl Segments {
    /// The sequence below which the state has all events.
    pub(super) fn applied_end(&self) -> &AtomicU64 {
        &self.followed.end
    }

    /// Returns the change from which on snapshots that are in use here still read.
    pub(super) fn oldest_change(&self, current: u64) -> u64 {
        let mut removed = self.followed.removed.hold();
        let is_read =
            |stored: &Arc<StoredSegment>| Arc::strong_count(stored) > 1 || Arc::strong_count(&stored.segment) > 1;
        for (_, stored) in removed.extract_if(.., |(_, stored)| !is_read(stored)) {
            // The cache on disk keeps no pages of segments that no one reads.
            let remote = self.files.remote.iter();
            remote.for_each(|remote| remote.forget_segment(stored.segment.meta.segment));
        }
        removed.iter().map(|(change, _)| *change).min().unwrap_or(current)
    }

    /// Takes over what other nodes have set or found of how long events are kept.
    pub(super) fn follow_limits(&self) -> Result<(), StoreError> {
        // Whoever sets limits here holds it, too.
        let _upkeep = self.replacement();
        let (retentions, trims) = {
            let mut control = self.control();
            (control::retentions(&mut **control)?, control::trims(&mut **control)?)
        };
        let mut state = self.state_mut();
        state.retentions = retentions;
        if state.trims == trims {
            return Ok(());
        }
        state.trims = trims;
        let segments = state.segments.clone();
        drop(state);
        let masks = self.masks_of(segments.iter())?;
        self.state_mut().masks = masks;
        Ok(())
    }

    /// Makes the state that of the catalog, in one step for snapshots. Events below `flushed` are in segments. New
    /// deletions are applied already. The caller makes sure that upkeep changes nothing meanwhile.
    pub(super) fn reconcile(&self, catalog: CatalogNews, flushed: u64) {
        let CatalogNews { contents, gone, erasures } = catalog;
        let Contents { groups, segments: mut rows, positions, retired, .. } = contents;
        let known: HashSet<u128> = self.state().segments.iter().map(|stored| stored.segment.meta.segment).collect();
        let listed: HashSet<u128> = match &gone {
            None => rows.iter().map(|row| row.id).collect(),
            Some(gone) => {
                // What could not be read is tried again.
                let awaited = self.state().damaged.iter().filter_map(|damaged| damaged.awaited.clone()).collect();
                let newer_rows = std::mem::replace(&mut rows, awaited);
                rows.retain(|row| !gone.contains(&row.id) && newer_rows.iter().all(|newer| newer.id != row.id));
                rows.extend(newer_rows);
                known.iter().copied().filter(|id| !gone.contains(id)).chain(rows.iter().map(|row| row.id)).collect()
            }
        };
        let OpenedSegments { segments: opened, masks, damaged } =
            self.open_all(rows.iter().filter(|row| !known.contains(&row.id)));
        let is_listed = |stored: &Arc<StoredSegment>| listed.contains(&stored.segment.meta.segment);
        let (active, flushing) = {
            let state = self.state();
            let flushing = state.flushing.as_ref().map(|generation| generation.since_sequence(flushed));
            (state.active.since_sequence(flushed), flushing)
        };
        let mut state = self.state_mut();
        let gone: Vec<Arc<StoredSegment>> = state.segments.iter().filter(|one| !is_listed(one)).cloned().collect();
        state.segments.retain(is_listed);
        state.segments.extend(opened);
        state.damaged = damaged;
        state.masks.extend(masks);
        state.masks.retain(|(segment, _), _| listed.contains(segment));
        state.deletions.retain(|deletion| erasures.pending.contains(&deletion.id));
        state.retired = retired;
        state.positions = positions;
        let names: Vec<_> = state.groups.iter().map(|(name, group)| (name.clone(), group.id)).collect();
        for (name, id) in names {
            // A group is listed with its first events; one that is listed no more was deleted.
            if !groups.has_id(id) {
                state.groups.remove(&name);
                state.active.remove_group(id);
            }
        }
        for (name, group) in groups.iter() {
            state.groups.add(name, group.id, group.streams.iter().cloned());
        }
        if let Some(active) = active {
            state.active = active;
        }
        if let Some(flushing) = flushing.flatten() {
            state.flushing = Some(Arc::new(flushing));
        }
        self.followed.flushed.store(flushed, Ordering::Relaxed);
        state.objects.retain(|_, (end_sequence, _)| *end_sequence > flushed);
        drop(state);
        self.signals.compaction.ring();
        self.followed.note_removed(gone);
        self.take_receipts(&erasures.receipts);
    }

    /// Opens segments, several at once, since each waits for the bucket.
    fn open_all<'r>(&self, rows: impl Iterator<Item = &'r SegmentRow>) -> OpenedSegments {
        let rows = Mutex::new(rows.collect::<Vec<_>>().into_iter());
        let opened: Mutex<OpenedSegments> = Mutex::default();
        let next = || rows.hold().next();
        let work = || {
            while let Some(row) = next() {
                let result = self.files.open_listed(row).map(Arc::new).and_then(|stored| {
                    let masks = self.masks_of(std::iter::once(&stored))?;
                    Ok((stored, masks))
                });
                let mut opened = opened.hold();
                match result {
                    Ok((stored, masks)) => {
                        opened.segments.push(stored);
                        opened.masks.extend(masks);
                    }
                    Err(error) => opened.damaged.push(unreadable(row, error)),
                }
            }
        };
        let n_rows = rows.hold().len();
        std::thread::scope(|scope| {
            // One of them is this thread.
            (1..n_rows.min(OPENED_AT_ONCE)).for_each(|_| drop(scope.spawn(work)));
            work();
        });
        opened.into_held()
    }
}

/// The segments that could be opened, their masks, and the segments that could not.
#[derive(Default)]
struct OpenedSegments {
    segments: Vec<Arc<StoredSegment>>,
    masks: Masks,
    damaged: Vec<DamagedSegment>,
}

/// Returns the placeholder of a segment until it can be read.
pub(super) fn unreadable(row: &SegmentRow, error: types::ScanError) -> DamagedSegment {
    let runs = row.runs.iter().map(|run| (run.group_id, run.first, run.last)).collect();
    DamagedSegment { error, awaited: Some(row.clone()), runs }
}
