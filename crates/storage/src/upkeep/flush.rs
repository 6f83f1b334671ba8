//! Flush: hot events become segments.
//!
//! The order is what makes it safe to stop anywhere: the writer thread continues in a new WAL file → segment
//! files written under another name, synced, renamed, their directory synced → batch ids appended and synced →
//! one catalog transaction → snapshots see the segments instead of the hot events → WAL files removed. Before
//! the transaction a start finds everything in the WAL and removes the unfinished segments, after it
//! everything in segments. Accepting continues meanwhile. A flush that fails is tried again with the same events.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use segment::{MIXED_PARTITION, RunInput, day_of, narrow_parts, range_of};
use types::{Batch, GroupName, Hold, Run, TimeRange, Timestamp};

use super::shares::{RawShares, share_of};
use crate::batch_ids::{self, ValidEntries};
use crate::catalog::{FlushRecord, HighWaterMarks, SegmentRow};
use crate::deletion::{Masks, Sequences};
use crate::hot::{Generation, HotGroup};
use crate::segments::Segments;
use crate::segments::files::NewSegment;
use crate::tier::Tier;
use crate::writer::Writer;
use crate::writer::queue::Rotation;
use crate::{StoreError, wal};

/// Days that get a segment of their own in one flush; events of further days share one.
const DAYS_MAX: usize = 8;

/// zstd level of a flushed segment: quick, since compaction writes it again.
const FLUSH_LEVEL: i32 = 1;

/// The same of a segment of few events, which a quiet store writes now and then: it costs a tenth of a second.
const FEW_EVENTS_LEVEL: i32 = 12;

/// Bytes of events as they were sent up to which they are few.
const FEW_EVENTS_BYTES: u64 = 8 << 20;

/// How often the age of hot events is looked at.
const TICK: Duration = Duration::from_millis(500);

/// Longest pause between tries of a flush that fails: senders wait for it once there is room again.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// What is kept from one flush to the next.
#[derive(Default)]
pub(crate) struct FlushState {
    /// A flush that failed.
    pending: Option<PendingFlush>,
    /// How far the batch-id files are valid.
    batch_files: ValidEntries,
}

/// A flush that has begun.
struct PendingFlush {
    rotated: Rotation,
    /// What is on disk and waits for the catalog. It is kept when the catalog fails, and committed again: that is
    /// no repetition where the first time had succeeded unnoticed.
    prepared: Option<FlushOutput>,
}

/// Everything of a flush but its transaction.
struct FlushOutput {
    written: Vec<NewSegment>,
    /// How far the batch-id files are valid with it.
    batch_files: ValidEntries,
    /// What was deleted of it since.
    masks: Masks,
}

impl FlushState {
    pub(crate) fn new(batch_files: ValidEntries) -> Self {
        Self { batch_files, ..Self::default() }
    }
}

/// Writes hot events into segments, one flush at a time.
pub(crate) struct Flusher {
    segments: Arc<Segments>,
    writer: Arc<Writer>,
    state: Mutex<FlushState>,
}

/// Events for one segment.
struct Plan {
    /// UTC day, or [`MIXED_PARTITION`].
    partition: i64,
    runs: Vec<RunInput>,
}

/// Runs the flusher thread: flushes when hot events are many or old, tries again after a failure.
pub(crate) fn run(flusher: &Flusher) {
    let segments = &*flusher.segments;
    let mut n_failed = 0u32;
    while segments.signals.flush.wait(TICK) {
        if !segments.is_in_charge() {
            continue;
        }
        let is_pending = segments.state().flushing.is_some();
        if !is_pending && !segments.is_flush_due(segments.steady_now()) {
            continue;
        }
        match flusher.flush() {
            Ok(()) => n_failed = 0,
            Err(StoreError::Poisoned(_) | StoreError::ShuttingDown) => return,
            Err(error) => {
                n_failed = n_failed.saturating_add(1);
                let retry_in = RETRY_MAX.min(Duration::from_secs(1 << n_failed.min(5)));
                tracing::warn!(%error, retry_in_s = retry_in.as_secs(), "flush failed; events stay in the wal");
                if !segments.signals.flush.pause(retry_in) {
                    return;
                }
                segments.signals.flush.ring();
            }
        }
    }
}

impl Flusher {
    /// Continues with batch-id files that are valid so far.
    pub(crate) fn new(segments: Arc<Segments>, writer: Arc<Writer>, batch_files: ValidEntries) -> Self {
        Self { segments, writer, state: Mutex::new(FlushState::new(batch_files)) }
    }

    /// Waits for the flush under way and keeps others from beginning.
    pub(crate) fn hold(&self) -> MutexGuard<'_, FlushState> {
        self.state.hold()
    }

    /// Writes all hot events into segments.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        let mut flusher = self.hold();
        if flusher.pending.is_some() {
            self.flush_pending(&mut flusher)?;
        }
        flusher.pending = self.writer.rotate()?.map(|rotated| PendingFlush { rotated, prepared: None });
        self.flush_pending(&mut flusher)
    }

    fn flush_pending(&self, flusher: &mut FlushState) -> Result<(), StoreError> {
        let Some(mut pending) = flusher.pending.take() else { return Ok(()) };
        // Events deleted since the flush began are not written.
        if let Some(generation) = &self.segments.state().flushing {
            pending.rotated.generation = generation.clone();
        }
        let began = Instant::now();
        let (prepared, upkeep) = match self.prepare_and_commit(&mut pending, &flusher.batch_files) {
            Ok(committed) => committed,
            Err(StoreError::Catalog(error)) if error.is_refused() => {
                // Another node does it, or has done it: its segments replace these.
                self.abandon(pending);
                return Err(StoreError::Catalog(error));
            }
            Err(error) => {
                flusher.pending = Some(pending);
                self.writer.flush_has_ended(true);
                self.segments.counters.flushes_failed.add(1);
                return Err(error);
            }
        };
        let FlushOutput { written, batch_files, masks } = prepared;
        flusher.batch_files = batch_files;
        self.publish(&pending.rotated, &written, masks, &flusher.batch_files);
        drop(upkeep);
        self.writer.flush_has_ended(false);
        let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.segments.counters.flushes.add(1);
        self.segments.counters.flush_ms_last.set(elapsed_ms);
        let n_events: u64 = written.iter().flat_map(|new| &new.row.runs).map(|run| run.n_events).sum();
        tracing::info!(n_events, n_segments = written.len(), elapsed_ms, "hot events flushed");
        self.segments.reap();
        self.segments.signals.compaction.ring();
        self.segments.check("flush.end")
    }

    /// Gives up a flush that must not be listed: its events are hot again, unless they are in segments by now.
    fn abandon(&self, pending: PendingFlush) {
        if let Some(prepared) = pending.prepared {
            self.segments.remove_segments(&prepared.written);
        }
        // Deletions and events from other nodes change hot events, too.
        let _upkeep = self.segments.replacement();
        let mut state = self.segments.state_mut();
        if let Some(generation) = state.flushing.take() {
            state.active.take_back(&generation);
        }
        drop(state);
        self.writer.flush_has_ended(true);
    }

    /// Does everything up to and with the catalog transaction. Nothing else changes what is shown until the guard goes.
    fn prepare_and_commit(
        &self,
        pending: &mut PendingFlush,
        valid: &ValidEntries,
    ) -> Result<(FlushOutput, MutexGuard<'_, ()>), StoreError> {
        let mut prepared = match pending.prepared.take() {
            Some(prepared) => prepared,
            None => self.prepare(&pending.rotated, valid)?,
        };
        let upkeep = self.segments.replacement();
        let masks = self.segments.masks_of(prepared.written.iter().map(|new| &new.stored));
        match masks.map_err(StoreError::from).and_then(|masks| self.commit(&pending.rotated, &prepared).map(|()| masks))
        {
            Ok(masks) => {
                prepared.masks = masks;
                Ok((prepared, upkeep))
            }
            Err(error) => {
                pending.prepared = Some(prepared);
                Err(error)
            }
        }
    }

    /// Returns everything before the catalog transaction. Where it fails nothing of it stays.
    fn prepare(&self, rotated: &Rotation, valid: &ValidEntries) -> Result<FlushOutput, StoreError> {
        let mut written = Vec::new();
        let prepared = self.write_files(rotated, valid, &mut written);
        // A crash that a test injected must leave the files as a real one would.
        if prepared.is_err() && !self.segments.options.faults.has_crashed() {
            self.segments.remove_segments(&written);
        }
        Ok(FlushOutput { batch_files: prepared?, written, masks: Masks::new() })
    }

    /// Writes the segments, and the batch ids; returns how far their files are valid.
    fn write_files(
        &self,
        rotated: &Rotation,
        valid: &ValidEntries,
        written: &mut Vec<NewSegment>,
    ) -> Result<ValidEntries, StoreError> {
        let wal_dir = self.segments.wal_dir();
        self.segments.check("flush.start")?;
        let generation = &self.without_repeats(&rotated.generation);
        let positions = generation.positions.encode();
        for plan in plans(generation) {
            // One of the segments tells of all.
            let positions = if written.is_empty() { &*positions } else { &[] };
            written.extend(self.write_segment(plan, positions)?);
        }
        self.segments.check("batch_ids.write")?;
        let now = self.segments.steady_now();
        let valid = batch_ids::write(&wal_dir, &self.segments.store, valid, &generation.batches, now);
        valid.map_err(StoreError::io(&wal_dir))
    }

    /// Returns a generation without the events that repeat others of it.
    fn without_repeats(&self, generation: &Arc<Generation>) -> Arc<Generation> {
        let mut kept = generation.clone();
        let Some(find) = self.segments.options.repeat_finder else { return kept };
        for (group_id, hot) in &generation.groups {
            let batches: Vec<Arc<Batch>> = hot.runs.iter().map(|run| run.run.batch().clone()).collect();
            let repeated: Sequences = find(&batches).into_iter().collect();
            if let Some(hot) = hot.without(*group_id, &repeated) {
                Arc::make_mut(&mut kept).groups.insert(*group_id, hot);
            }
        }
        kept
    }

    fn commit(&self, rotated: &Rotation, prepared: &FlushOutput) -> Result<(), StoreError> {
        let Rotation { generation, wal_released, next_sequence, next_group, flushed } = rotated;
        // The file from which on the WAL is kept was made before the flush began.
        let (wal_released, wal_made) = (*wal_released, *wal_released);
        let marks = HighWaterMarks { wal_released, wal_made, next_sequence: *next_sequence, next_group: *next_group };
        let rows: Vec<SegmentRow> = prepared.written.iter().map(|new| new.row.clone()).collect();
        let record = FlushRecord {
            marks,
            segments: &rows,
            groups: self.groups_of(generation),
            positions: &generation.positions,
            batch_files: &prepared.batch_files,
            flushed_before: *flushed,
        };
        self.segments.check("catalog.commit")?;
        Ok(self.segments.catalog().commit_flush(&record)?)
    }

    /// Groups of a generation with their streams.
    fn groups_of(&self, generation: &Generation) -> Vec<(u32, GroupName, Vec<Arc<str>>)> {
        let state = self.segments.state();
        let live = state.groups.iter().filter(|(_, group)| generation.groups.contains_key(&group.id));
        live.map(|(name, group)| (group.id, name.clone(), group.streams.iter().cloned().collect())).collect()
    }

    /// Writes one segment and reads it back; `None` if the plan holds no event.
    fn write_segment(&self, plan: Plan, positions: &[u8]) -> Result<Option<NewSegment>, StoreError> {
        let meta = self.segments.new_segment(plan.partition)?;
        let n_bytes: u64 = plan.runs.iter().map(|run| run.bytes_raw).sum();
        let level = if n_bytes <= FEW_EVENTS_BYTES { FEW_EVENTS_LEVEL } else { FLUSH_LEVEL };
        let written = segment::write(&meta, &plan.runs, positions, level)?;
        if written.runs.is_empty() {
            return Ok(None);
        }
        let new = self.segments.keep_segment(&meta, written, Tier::Hot)?;
        self.segments.counters.flush_bytes_written.add(new.row.n_bytes);
        Ok(Some(new))
    }

    /// Exchanges the flushed hot events for their segments and lets the WAL go.
    fn publish(&self, rotated: &Rotation, written: &[NewSegment], masks: Masks, batch_files: &ValidEntries) {
        // From here on nothing can fail that matters: the next start would find the same.
        let is_crashed = self.segments.check("flush.publish").is_err();
        let mut state = self.segments.state_mut();
        state.add_segments(written.iter().map(|new| new.stored.clone()));
        state.masks.extend(masks);
        state.flushing = None;
        drop(state);
        if is_crashed || self.segments.check("wal.remove").is_err() {
            return;
        }
        let dir = self.segments.wal_dir();
        let removed = wal::list(&dir).and_then(|numbers| {
            let released = numbers.into_iter().filter(|number| *number < rotated.wal_released);
            released.into_iter().try_for_each(|number| std::fs::remove_file(wal::path_of(&dir, number)))
        });
        if let Err(error) = removed.and_then(|()| batch_ids::remove_others(&dir, batch_files)) {
            tracing::warn!(%error, "files that a flush released cannot be removed; the next flush tries again");
        }
    }
}

/// Returns rows of each day in a batch that is in order of time.
fn days_of(batch: &Batch) -> Vec<(i64, std::ops::Range<usize>)> {
    let (mut days, mut from) = (Vec::new(), 0);
    let times = batch.timestamps.to_slice();
    while let Some(first) = times.get(from) {
        let day = day_of(*first);
        let to = from + times[from..].partition_point(|time| day_of(*time) == day);
        days.push((day, from..to));
        from = to;
    }
    days
}

/// Shares the events out among segments: one for each of the days with most events, one for all others.
fn plans(generation: &Generation) -> Vec<Plan> {
    let mut rows_by_day: BTreeMap<i64, usize> = BTreeMap::new();
    for run in generation.groups.values().flat_map(|group| &group.runs) {
        for (day, rows) in days_of(run.run.batch()) {
            *rows_by_day.entry(day).or_default() += rows.len();
        }
    }
    let mut days: Vec<(i64, usize)> = rows_by_day.into_iter().collect();
    days.sort_by_key(|(day, n_rows)| (std::cmp::Reverse(*n_rows), *day));
    let has_mixed = days.len() > DAYS_MAX;
    days.truncate(DAYS_MAX);
    let mut days: Vec<i64> = days.into_iter().map(|(day, _)| day).collect();
    days.sort_unstable();
    let mut shares = RawShares::default();
    let mut plans: Vec<Plan> = days.iter().map(|day| plan_of_day(generation, *day, &mut shares)).collect();
    if has_mixed {
        plans.push(plan_of_others(generation, &days, &mut shares));
    }
    plans.into_iter().flat_map(narrow_plans).collect()
}

/// Divides a plan whose groups have too many names of fields for one run each: the rest of their events get further segments.
fn narrow_plans(plan: Plan) -> Vec<Plan> {
    let mut plans: Vec<Plan> = Vec::new();
    for run in plan.runs {
        let n_in_range =
            |batch: &Arc<Batch>| batch.timestamps.iter().filter(|at| run.range.contains(Timestamp(*at))).count();
        let n_rows: u64 = run.batches.iter().map(|batch| n_in_range(batch) as u64).sum();
        let (mut rest, mut n_before) = (&run.batches[..], 0);
        for (number, n_batches) in narrow_parts(rest.iter().map(|batch| &**batch)).into_iter().enumerate() {
            let (batches, others) = rest.split_at(n_batches);
            let n_after = n_before + batches.iter().map(|batch| n_in_range(batch) as u64).sum::<u64>();
            let bytes_raw = share_of(run.bytes_raw, n_rows, n_before..n_after);
            (rest, n_before) = (others, n_after);
            if number == plans.len() {
                plans.push(Plan { partition: plan.partition, runs: Vec::new() });
            }
            let (group, batches) = (run.group.clone(), batches.to_vec());
            plans[number].runs.push(RunInput { group, group_id: run.group_id, batches, range: run.range, bytes_raw });
        }
    }
    plans
}

fn plan_of_day(generation: &Generation, day: i64, shares: &mut RawShares) -> Plan {
    let range = range_of(day);
    let mut runs = Vec::new();
    for (group_id, hot) in &generation.groups {
        let overlapping = hot.runs.iter().map(|run| &run.run);
        let overlapping = overlapping.filter(|run| range.overlaps(run.info().first, run.info().last));
        let batches: Vec<Arc<Batch>> = overlapping.map(|run| run.batch().clone()).collect();
        let in_day = |batch: &Arc<Batch>| batch.timestamps.iter().filter(|at| day_of(*at) == day).count();
        let n_rows: usize = batches.iter().map(in_day).sum();
        if n_rows > 0 {
            let bytes_raw = shares.take(*group_id, hot, n_rows as u64);
            runs.push(run_input(*group_id, hot, batches, range, bytes_raw));
        }
    }
    Plan { partition: day, runs }
}

/// Returns the events of all days but `days`.
fn plan_of_others(generation: &Generation, days: &[i64], shares: &mut RawShares) -> Plan {
    let mut runs = Vec::new();
    for (group_id, hot) in &generation.groups {
        let mut batches = Vec::new();
        for run in &hot.runs {
            let batch = run.run.batch();
            let others = days_of(batch).into_iter().filter(|(day, _)| days.binary_search(day).is_err());
            let rows: Vec<(u32, u32)> = others.flat_map(|(_, rows)| rows).map(|row| (0, row as u32)).collect();
            if rows.len() == batch.len() {
                batches.push(batch.clone());
            } else if !rows.is_empty() {
                batches.push(Arc::new(Batch::gather(&[batch], &rows)));
            }
        }
        let n_rows: usize = batches.iter().map(|batch| batch.len()).sum();
        if n_rows > 0 {
            let bytes_raw = shares.take(*group_id, hot, n_rows as u64);
            runs.push(run_input(*group_id, hot, batches, TimeRange::ALL, bytes_raw));
        }
    }
    Plan { partition: MIXED_PARTITION, runs }
}

fn run_input(group_id: u32, hot: &HotGroup, batches: Vec<Arc<Batch>>, range: TimeRange, bytes_raw: u64) -> RunInput {
    RunInput { group: hot.group.clone(), group_id, batches, range, bytes_raw }
}

#[cfg(test)]
mod tests;
