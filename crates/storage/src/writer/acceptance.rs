//! How a durable delivery becomes visible: the same for one that was just synced and for one that comes back
//! from the WAL after a start.

use std::collections::BTreeMap;
use std::sync::Arc;

use types::{Batch, GroupName, Timestamp};

use crate::batch_ids::KnownBatch;
use crate::hot::GroupUpdate;
use crate::positions::FileKey;
use crate::state::State;
use crate::{BatchKey, Receipt, SourcePosition};

/// Events on their way into the hot events.
#[derive(Default)]
pub(crate) struct Acceptance {
    updates: BTreeMap<u32, Update>,
}

struct Update {
    group: GroupName,
    hot: GroupUpdate,
    streams: Vec<Arc<str>>,
    batches: Vec<Arc<Batch>>,
}

impl Acceptance {
    /// Adds a batch in order of time that has its sequences and times of ingestion.
    pub(crate) fn add(&mut self, state: &State, group: &GroupName, group_id: u32, raw_bytes: u64, batch: Arc<Batch>) {
        let update = self.updates.entry(group_id).or_insert_with(|| {
            let hot = state.active.update(group, group_id);
            Update { group: group.clone(), hot, streams: Vec::new(), batches: Vec::new() }
        });
        update.streams.extend(state.groups.new_streams(group, &batch.streams));
        update.hot.add_raw_bytes(raw_bytes);
        update.batches.push(batch);
    }

    /// Does what can be done while queries read.
    pub(crate) fn prepare(mut self) -> HotUpdates {
        for update in self.updates.values_mut() {
            update.hot.push(std::mem::take(&mut update.batches));
        }
        HotUpdates(self.updates)
    }
}

/// Events that are to be put in place at once.
pub(crate) struct HotUpdates(BTreeMap<u32, Update>);

impl HotUpdates {
    pub(crate) fn apply(self, state: &mut State) {
        for (group_id, update) in self.0 {
            state.groups.add(&update.group, group_id, update.streams);
            state.active.apply(update.hot);
        }
    }
}

/// What identifies a delivery besides its events, and the position of these.
#[derive(Clone, Copy)]
pub(crate) struct Identity<'a> {
    pub(crate) key: Option<BatchKey>,
    pub(crate) position: Option<&'a SourcePosition>,
    pub(crate) accepted: Timestamp,
    pub(crate) first_sequence: u64,
    pub(crate) n_events: u64,
}

impl Identity<'_> {
    /// Remembers the batch id and the position.
    pub(crate) fn apply(&self, state: &mut State, now: Timestamp) -> Receipt {
        let Self { key, position, accepted, first_sequence, n_events } = *self;
        state.active.since.get_or_insert(accepted);
        if let Some(key) = key {
            let batch = KnownBatch { key, accepted, first_sequence, n_events };
            state.ids.insert(batch, now);
            state.active.batches.push(batch);
        }
        let mut high_water = None;
        if let Some(position) = position {
            let key = FileKey::of(position);
            state.positions.insert(key.clone(), position.range.clone());
            state.active.positions.insert(key, position.range.clone());
            high_water = state.positions.high_water(position);
        }
        Receipt { duplicate: false, first_sequence, n_events, high_water }
    }
}
