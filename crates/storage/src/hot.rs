//! Hot events: accepted, in the WAL and in memory, searchable, not yet in a segment.
//!
//! A generation is what came between two flushes: the events by group, with the batch ids and source positions
//! that came with them, so that a flush records exactly what its segments hold. Batches never change; small
//! ones are merged into larger ones (each event about a dozen times at most), so that a million requests of
//! one event are as searchable as one request of a million.

mod combined_batches;

use std::collections::BTreeMap;
use std::sync::Arc;

use types::{Batch, BatchRun, GroupName, Run, Timestamp};

use crate::batch_ids::KnownBatch;
use crate::deletion::{self, Sequences};
use crate::hot::combined_batches::CombinedBatches;
use crate::positions::Positions;

/// Rows up to which batches are merged. Beyond it a scan has nothing left to gain.
const MERGED_ROWS_MAX: usize = 2048;

/// Rows up to which batches are merged with larger ones before them: the vectors of a batch cost more than its few
/// rows. Merging 64 rows of ten columns takes some 5 µs, beside a sync of the disk.
const ALWAYS_MERGED_ROWS: usize = 64;

/// Rows times columns up to which batches are merged: a column has a place for every row, so merging batches
/// of which each has other fields must end early.
const MERGED_CELLS_MAX: usize = 1 << 20;
/// The same for batches that have few fields in common: nearly all places are empty, and each costs its writing.
const SPARSE_CELLS_MAX: usize = 1 << 18;

/// Runs among which one with the same streams is looked for: a sender's last request was one of the latest.
const BESIDE_MAX: usize = 64;

/// A batch that was accepted, in order of time.
#[derive(Clone, Debug)]
pub(crate) struct HotRun {
    pub(crate) run: Arc<BatchRun>,
    pub(crate) memory_bytes: u64,
}

impl HotRun {
    pub(crate) fn new(group: &GroupName, group_id: u32, batch: Arc<Batch>) -> Self {
        Self::beside(group, group_id, batch, &[])
    }

    /// The same beside runs before it, with which it may have streams in common.
    fn beside(group: &GroupName, group_id: u32, batch: Arc<Batch>, runs: &[Self]) -> Self {
        let memory_bytes = batch.memory_bytes() as u64;
        let recent = runs.iter().rev().take(BESIDE_MAX).map(|run| &*run.run);
        Self { run: Arc::new(BatchRun::new(group.clone(), group_id, batch).beside(recent)), memory_bytes }
    }

    pub(crate) fn n_events(&self) -> usize {
        self.run.batch().len()
    }
}

/// Hot events of one group.
#[derive(Clone, Debug)]
pub(crate) struct HotGroup {
    pub(crate) group: GroupName,
    pub(crate) runs: Vec<HotRun>,
    /// Bytes as they were sent.
    pub(crate) raw_bytes: u64,
    pub(crate) n_events: u64,
    combined_batches: CombinedBatches,
}

/// What was accepted between two flushes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Generation {
    pub(crate) groups: BTreeMap<u32, HotGroup>,
    pub(crate) n_events: u64,
    pub(crate) memory_bytes: u64,
    /// When the oldest of it was accepted.
    pub(crate) since: Option<Timestamp>,
    pub(crate) batches: Vec<KnownBatch>,
    pub(crate) positions: Positions,
}

/// What a group becomes when batches are added: worked out while queries read, then put in place at once.
#[derive(Debug)]
pub(crate) struct GroupUpdate {
    group_id: u32,
    group: HotGroup,
    memory_bytes_before: u64,
    n_events_before: u64,
}

impl GroupUpdate {
    /// Counts bytes as they were sent.
    pub(crate) fn add_raw_bytes(&mut self, raw_bytes: u64) {
        self.group.raw_bytes = self.group.raw_bytes.saturating_add(raw_bytes);
    }

    /// Adds batches in order of time, merging small ones with each other and with those before them.
    pub(crate) fn push(&mut self, batches: Vec<Arc<Batch>>) {
        self.group.n_events += batches.iter().map(|batch| batch.len() as u64).sum::<u64>();
        let mut together: Vec<Arc<Batch>> = Vec::new();
        let mut size = Size::default();
        for batch in batches {
            let added = size.with(&batch);
            if together.last().is_some_and(|last| !added.is_small(last.is_alike(&batch))) {
                self.push_one(merged(std::mem::take(&mut together)));
                size = Size::default();
            }
            size = size.with(&batch);
            together.push(batch);
        }
        if !together.is_empty() {
            self.push_one(merged(together));
        }
    }

    fn push_one(&mut self, batch: Arc<Batch>) {
        let runs = &mut self.group.runs;
        let mut size = Size::default().with(&batch);
        let mut n_kept = runs.len();
        while let Some(last) = n_kept.checked_sub(1).and_then(|at| runs.get(at)) {
            let together = size.with(last.run.batch());
            let is_worth_it = last.n_events() <= size.n_rows || together.n_rows <= ALWAYS_MERGED_ROWS;
            if !is_worth_it || !together.is_small(last.run.batch().is_alike(&batch)) {
                break;
            }
            (size, n_kept) = (together, n_kept - 1);
        }
        let mut batches: Vec<Arc<Batch>> = runs.drain(n_kept..).map(|run| run.run.batch().clone()).collect();
        batches.push(batch);
        let run = HotRun::beside(&self.group.group, self.group_id, merged(batches), runs);
        runs.push(run);
    }
}

/// How large batches become when they are merged.
#[derive(Clone, Copy, Default)]
struct Size {
    n_rows: usize,
    n_columns: usize,
}

impl Size {
    fn with(self, batch: &Batch) -> Self {
        // Six columns that every event has.
        Self { n_rows: self.n_rows + batch.len(), n_columns: self.n_columns + batch.fields.len() + 6 }
    }

    fn is_small(self, is_alike: bool) -> bool {
        let cells_max = if is_alike || self.n_columns <= self.n_rows { MERGED_CELLS_MAX } else { SPARSE_CELLS_MAX };
        self.n_rows <= MERGED_ROWS_MAX && self.n_rows * self.n_columns <= cells_max
    }
}

impl Generation {
    /// Reports whether a flush would have nothing to record.
    pub(crate) fn is_empty(&self) -> bool {
        // What came may have been deleted since; its WAL file waits for a flush all the same.
        self.since.is_none() && self.n_events == 0 && self.batches.is_empty() && self.positions.len() == 0
    }

    /// Begins to change a group. Until [`apply`](Self::apply) nothing else may change it.
    pub(crate) fn update(&self, group: &GroupName, group_id: u32) -> GroupUpdate {
        let group = self.groups.get(&group_id).cloned().unwrap_or_else(|| HotGroup::new(group.clone()));
        GroupUpdate { group_id, memory_bytes_before: group.memory_bytes(), n_events_before: group.n_events, group }
    }

    /// Puts a changed group in place.
    pub(crate) fn apply(&mut self, update: GroupUpdate) {
        let GroupUpdate { group_id, group, memory_bytes_before, n_events_before } = update;
        self.memory_bytes = (self.memory_bytes + group.memory_bytes()).saturating_sub(memory_bytes_before);
        self.n_events = (self.n_events + group.n_events).saturating_sub(n_events_before);
        self.groups.insert(group_id, group);
    }

    /// Puts another state of a group in place.
    pub(crate) fn replace(&mut self, group_id: u32, group: HotGroup) {
        let (n_events, memory_bytes) = (group.n_events, group.memory_bytes());
        if let Some(before) = self.groups.insert(group_id, group) {
            self.memory_bytes = self.memory_bytes.saturating_sub(before.memory_bytes());
            self.n_events = self.n_events.saturating_sub(before.n_events);
        }
        self.memory_bytes += memory_bytes;
        self.n_events += n_events;
    }

    /// Takes back the events of an earlier generation.
    pub(crate) fn take_back(&mut self, earlier: &Self) {
        for (group_id, group) in &earlier.groups {
            let mut update = self.update(&group.group, *group_id);
            update.add_raw_bytes(group.raw_bytes);
            update.push(group.runs.iter().map(|run| run.run.batch().clone()).collect());
            self.apply(update);
        }
        self.since = earlier.since.or(self.since);
    }

    /// Returns what is left of it from a sequence on; `None` where that is all.
    pub(crate) fn since_sequence(&self, first: u64) -> Option<Self> {
        let is_before = |run: &HotRun| run.run.batch().sequences.iter().any(|sequence| sequence < first);
        if !self.groups.values().flat_map(|group| &group.runs).any(is_before) {
            return None;
        }
        let mut left = Self { since: self.since, ..Self::default() };
        for (group_id, group) in &self.groups {
            let mut update = left.update(&group.group, *group_id);
            let batches = group.runs.iter().filter_map(|run| {
                let batch = run.run.batch();
                let rows = (0..batch.len() as u32).filter(|row| batch.sequences.get(*row as usize) >= first);
                let rows: Vec<(u32, u32)> = rows.map(|row| (0, row)).collect();
                match rows.len() {
                    0 => None,
                    n_rows if n_rows == batch.len() => Some(batch.clone()),
                    _ => Some(Arc::new(Batch::gather(&[batch], &rows))),
                }
            });
            let batches: Vec<Arc<Batch>> = batches.collect();
            let n_left: u64 = batches.iter().map(|batch| batch.len() as u64).sum();
            if n_left > 0 {
                update.add_raw_bytes(
                    (u128::from(group.raw_bytes) * u128::from(n_left) / u128::from(group.n_events.max(1))) as u64,
                );
                update.push(batches);
                left.apply(update);
            }
        }
        if left.n_events == 0 {
            left.since = None;
        }
        Some(left)
    }

    /// Forgets a group.
    pub(crate) fn remove_group(&mut self, group_id: u32) {
        if let Some(group) = self.groups.remove(&group_id) {
            self.memory_bytes = self.memory_bytes.saturating_sub(group.memory_bytes());
            self.n_events = self.n_events.saturating_sub(group.n_events);
        }
    }
}

/// Returns one batch of all rows in order of time, equal times in order of acceptance.
fn merged(mut batches: Vec<Arc<Batch>>) -> Arc<Batch> {
    if batches.len() == 1
        && let Some(batch) = batches.pop()
    {
        return batch;
    }
    let batches: Vec<&Batch> = batches.iter().map(|batch| &**batch).collect();
    let mut rows: Vec<(u32, u32)> = Vec::with_capacity(batches.iter().map(|batch| batch.len()).sum());
    for (index, batch) in batches.iter().enumerate() {
        rows.extend((0..batch.len() as u32).map(|row| (index as u32, row)));
    }
    let key = |(batch, row): &(u32, u32)| {
        let batch = batches[*batch as usize];
        (batch.timestamps.get(*row as usize), batch.sequences.get(*row as usize))
    };
    rows.sort_by_key(key);
    Arc::new(Batch::gather(&batches, &rows))
}

impl HotGroup {
    fn new(group: GroupName) -> Self {
        Self { group, runs: Vec::new(), raw_bytes: 0, n_events: 0, combined_batches: CombinedBatches::default() }
    }

    /// Returns the runs that queries read.
    pub(crate) fn shown_runs(&self) -> &[Arc<dyn Run>] {
        self.combined_batches.of(self.runs.iter().map(|run| &run.run))
    }

    fn memory_bytes(&self) -> u64 {
        self.runs.iter().map(|run| run.memory_bytes).sum()
    }

    /// Returns the group without the events `gone`; `None` if it has none of them.
    pub(crate) fn without(&self, group_id: u32, gone: &Sequences) -> Option<Self> {
        let mut is_changed = false;
        let mut runs = Vec::with_capacity(self.runs.len());
        for run in &self.runs {
            match deletion::without(run.run.batch(), gone) {
                None => runs.push(run.clone()),
                Some(left) => {
                    is_changed = true;
                    if !left.is_empty() {
                        runs.push(HotRun::new(&self.group, group_id, Arc::new(left)));
                    }
                }
            }
        }
        let n_events = runs.iter().map(|run| run.n_events() as u64).sum();
        let raw_bytes = u128::from(self.raw_bytes) * u128::from(n_events) / u128::from(self.n_events.max(1));
        is_changed.then(|| Self { runs, raw_bytes: raw_bytes as u64, n_events, ..Self::new(self.group.clone()) })
    }

    /// Times of the first and the last event.
    pub(crate) fn times(&self) -> Option<(Timestamp, Timestamp)> {
        let first = self.runs.iter().map(|run| run.run.info().first).min()?;
        let last = self.runs.iter().map(|run| run.run.info().last).max()?;
        Some((first, last))
    }
}

#[cfg(test)]
mod tests;
