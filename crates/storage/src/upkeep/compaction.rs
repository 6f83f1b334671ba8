//! Compaction: small segments become larger ones, and what was deleted goes.
//!
//! One thread does it, a block at a time, and rests as long as it worked, three times as long while events come, so that
//! ingest and queries do not feel it; only who asks for it by [`Store::compact`](crate::Store::compact) has it done at
//! full speed. As in a flush
//! the order makes it safe to stop anywhere: new segments written, synced, renamed → read back and compared
//! (`proof`) → one catalog transaction takes the old ones out and the new ones in → snapshots see the new ones →
//! the old files are removed. A new segment names those that it stands for: a start that finds it beside them
//! removes it, one that finds them gone, because the catalog lost the transaction, takes it instead of them.
//!
//! What has grown old is written again once, with a higher level of compression (`tiers`).
//!
//! A group that is large enough gets a segment of its own; a mixed segment is split into the days that are worth it.

mod choice;
mod input;
mod job;
mod merge;
mod proof;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use segment::{RunWidth, SegmentError, SegmentMeta, SegmentWriter};
use types::{Hold, ensure};

use self::choice::Candidate;
use self::input::Input;
use self::job::{Job, Output, RunsByGroup, block_bytes, outline, outputs};
use self::merge::Merge;
use self::proof::Proof;
use crate::StoreError;
use crate::deletion::{Mask, Masks, Removals};
use crate::positions::Positions;
use crate::retention::{Edge, edges_of, final_only};
use crate::segments::Segments;
use crate::segments::files::NewSegment;
use crate::state::StoredSegment;
use crate::tier::Tier;
use crate::upkeep::{mover::Mover, tiers::TierClassifier};

/// How often compaction looks for work; a flush wakes it as well.
const TICK: Duration = Duration::from_secs(60);

/// Longest rest after a block.
const REST_MAX: Duration = Duration::from_millis(500);

/// How many times as long as it worked compaction rests while events come.
const REST_FACTOR_BUSY: u32 = 3;

/// Attempts to commit a job while other nodes of a fleet change the catalog.
const COMMITS_MAX: usize = 20;

/// The part of a segment's number that is random; above it stands the time.
const RANDOM_BITS: u128 = (1 << 80) - 1;

/// Pause after a failure.
const RETRY: Duration = Duration::from_secs(30);

/// Puts segments together, one job at a time.
pub(crate) struct Compactor {
    segments: Arc<Segments>,
    mover: Arc<Mover>,
    state: Mutex<CompactionState>,
    /// How many wait for it.
    n_waiting: AtomicUsize,
}

#[derive(Default)]
struct CompactionState {
    /// Segments that could not be put together, until the next start.
    skipped: HashSet<u128>,
    /// A job of which no one knows whether its transaction is in the catalog, with what it has written.
    unsettled: Option<(Job, Vec<NewSegment>)>,
}

/// Runs that retention hides, and the trims that concern each run.
type RetiredRuns = (HashSet<(u128, u32)>, Vec<Vec<Edge>>);

/// Runs the compaction thread.
pub(crate) fn run(compactor: &Compactor) {
    while compactor.segments.signals.compaction.wait(TICK) {
        if !compactor.segments.may_compact() {
            continue;
        }
        match compactor.compact(u128::MAX) {
            Ok(()) => {}
            Err(StoreError::Poisoned(_) | StoreError::ShuttingDown) => return,
            Err(error) => {
                tracing::warn!(%error, "compaction failed; its segments stay as they are");
                if !compactor.segments.signals.compaction.pause(RETRY) {
                    return;
                }
                compactor.segments.signals.compaction.ring();
            }
        }
    }
}

impl Compactor {
    pub(crate) fn new(segments: Arc<Segments>, mover: Arc<Mover>) -> Self {
        Self { segments, mover, state: Mutex::default(), n_waiting: AtomicUsize::new(0) }
    }

    /// Rests after work, unless a caller waits; returns `false` once the store is closed.
    fn rest(&self, worked: Duration, is_busy: bool) -> bool {
        let factor = if is_busy { REST_FACTOR_BUSY } else { 1 };
        let is_awaited = self.n_waiting.load(Ordering::Relaxed) > 0;
        self.segments.signals.flush.pause(if is_awaited { Duration::ZERO } else { (worked * factor).min(REST_MAX) })
    }

    /// Compacts at full speed until nothing is left to do for the present segments: while events come there is
    /// always something due.
    pub(crate) fn compact_now(&self) -> Result<(), StoreError> {
        let newest = self.segments.state().segments.iter().map(|stored| stored.segment.meta.segment).max();
        self.n_waiting.fetch_add(1, Ordering::Relaxed);
        // A new segment is as old as the newest that it stands for (`meta_of`), so each job leaves fewer of them.
        let compacted = newest.map_or(Ok(()), |newest| self.compact(newest | RANDOM_BITS));
        self.n_waiting.fetch_sub(1, Ordering::Relaxed);
        compacted
    }

    /// Runs all jobs with segments up to the number `last`.
    fn compact(&self, last: u128) -> Result<(), StoreError> {
        while self.compact_once(last)? {}
        if self.segments.is_in_charge() {
            self.mover.move_cold();
        }
        Ok(())
    }

    /// Returns how many segments are to be put together, and their bytes.
    pub(crate) fn debt(&self) -> (u64, u64) {
        choice::debt(self.candidates(&HashSet::new()))
    }

    /// Runs the next job; returns `false` if there is none.
    fn compact_once(&self, last: u128) -> Result<bool, StoreError> {
        let mut compactor = self.state.hold();
        self.settle(&mut compactor)?;
        let Some(job) = self.take_job(&compactor.skipped, last)? else { return Ok(false) };
        let began = Instant::now();
        let mut written = Vec::new();
        let (n_inputs, done) = (job.inputs.len(), self.write_and_commit_job(&job, &mut written));
        let n_outputs = written.len();
        let n_events: u64 = written.iter().flat_map(|new| &new.row.runs).map(|run| run.n_events).sum();
        match done {
            // Only a segment still in use keeps its file.
            Ok(()) => drop(job),
            Err(StoreError::Catalog(error)) => {
                // It may have been committed all the same; only the catalog knows.
                compactor.unsettled = Some((job, written));
                if !self.settle(&mut compactor)? {
                    self.segments.counters.compactions_failed.add(1);
                    return Err(error.into());
                }
            }
            Err(error) => return self.give_up(&job, &mut compactor, &written, error),
        }
        self.segments.remove_doomed();
        let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.segments.counters.compactions.add(1);
        self.segments.counters.compacted_events.add(n_events);
        tracing::info!(n_events, n_inputs, n_outputs, elapsed_ms, "compacted");
        self.segments.check("compact.end")?;
        Ok(true)
    }

    /// Chooses the next job and takes its segments, without those that other nodes of a fleet are merging.
    fn take_job(&self, skipped: &HashSet<u128>, last: u128) -> Result<Option<Job>, StoreError> {
        let mut skipped = skipped.clone();
        while let Some(job) = self.choose(&skipped, last) {
            let away = self.segments.catalog().take_segments(&job.ids())?;
            if away.is_empty() {
                return Ok(Some(job));
            }
            skipped.extend(away);
        }
        Ok(None)
    }

    /// Finds out what became of a transaction whose answer was lost; `true` if it happened.
    fn settle(&self, compactor: &mut CompactionState) -> Result<bool, StoreError> {
        let Some((job, written)) = compactor.unsettled.take() else { return Ok(false) };
        let _upkeep = self.segments.replacement();
        // Where nothing was written, nothing has to be published: the same job is done again.
        let listed = written.first().map_or(Ok(false), |new| self.segments.catalog().has_segment(new.row.id));
        let settled = listed.map_err(StoreError::from).and_then(|happened| {
            let masks =
                if happened { self.segments.masks_of(written.iter().map(|new| &new.stored))? } else { Masks::new() };
            Ok((happened, masks))
        });
        match settled {
            Ok((true, masks)) => {
                self.publish_job(&job, &written, masks);
                Ok(true)
            }
            Ok((false, _)) => {
                self.segments.remove_segments(&written);
                Ok(false)
            }
            Err(error) => {
                compactor.unsettled = Some((job, written));
                Err(error)
            }
        }
    }

    /// Removes what a job has written, and sees to it that a hopeless one is not tried again.
    fn give_up(
        &self,
        job: &Job,
        compactor: &mut CompactionState,
        written: &[NewSegment],
        error: StoreError,
    ) -> Result<bool, StoreError> {
        if !self.segments.options.faults.has_crashed() {
            self.segments.remove_segments(written);
        }
        let stopped = matches!(error, StoreError::ShuttingDown | StoreError::Segment(SegmentError::Stopped));
        ensure!(!stopped, StoreError::ShuttingDown);
        self.segments.counters.compactions_failed.add(1);
        if matches!(error, StoreError::Segment(_) | StoreError::Unreadable(_)) {
            compactor.skipped.extend(job.ids());
        }
        Err(error)
    }

    /// Returns segments that may be put together.
    fn candidates(&self, skipped: &HashSet<u128>) -> Vec<Candidate> {
        let state = self.segments.state();
        let ages = TierClassifier::now(&self.segments);
        let candidate = |stored: &Arc<StoredSegment>| {
            let meta = stored.segment.meta;
            let runs = stored.segment.summaries();
            if state.flawed.contains_key(&meta.segment) {
                return None;
            }
            // What can still be brought back stays where it is.
            let is_undoable = |group_id| state.retired.contains_key(&(meta.segment, group_id));
            if runs.iter().any(|run| is_undoable(run.group_id) && !state.is_expendable(meta.segment, run.group_id)) {
                return None;
            }
            let is_held = |group_id| state.mask(meta.segment, group_id).is_some_and(|mask| mask.n_undoable > 0);
            let masks = || runs.iter().filter_map(|run| state.mask(meta.segment, run.group_id));
            Some(Candidate {
                id: meta.segment,
                partition: meta.partition,
                n_bytes: stored.n_bytes,
                block_bytes: block_bytes(&stored.segment),
                width: RunWidth::of(&stored.segment),
                n_events: runs.iter().filter(|run| !is_held(run.group_id)).map(|run| run.n_events).sum(),
                first: runs.iter().map(|run| run.first).min()?,
                last: runs.iter().map(|run| run.last).max()?,
                has_dead: runs.iter().any(|run| state.is_expendable(meta.segment, run.group_id))
                    || masks().any(|mask| mask.has_expired()),
                tier: stored.tier,
                is_warm: ages.is_warm(stored),
                is_cold_due: ages.is_cold_due(stored),
                has_erased: masks().any(|mask| !mask.deletions.is_empty()),
            })
        };
        let candidates = state.segments.iter().filter_map(candidate);
        candidates.filter(|candidate| !skipped.contains(&candidate.id)).collect()
    }

    /// Returns what is to be done next with segments up to the number `last`.
    fn choose(&self, skipped: &HashSet<u128>, last: u128) -> Option<Job> {
        let mut candidates = self.candidates(skipped);
        candidates.retain(|candidate| candidate.id <= last);
        let chosen = choice::choose(&candidates);
        let state = self.segments.state();
        let is_chosen = |stored: &&Arc<StoredSegment>| chosen.ids.contains(&stored.segment.meta.segment);
        let inputs: Vec<Arc<StoredSegment>> = state.segments.iter().filter(is_chosen).cloned().collect();
        let partition = inputs.first()?.segment.meta.partition;
        Some(Job { partition, inputs, tier: chosen.tier })
    }

    fn write_and_commit_job(&self, job: &Job, written: &mut Vec<NewSegment>) -> Result<(), StoreError> {
        self.segments.check("compact.start")?;
        let retired = self.retired_of(&job.inputs);
        let runs = self.open_inputs(job)?;
        let replaced = job.ids();
        let mut positions = Positions::default();
        for input in &job.inputs {
            positions.merge(&input.segment.positions(Positions::decode)?);
        }
        let positions = positions.encode();
        for output in outputs(job, &runs, &self.held_groups(job))? {
            // One of the outputs tells of all.
            let of_output = if written.is_empty() { &*positions } else { &[] };
            written.extend(self.write_output(job, &output, &runs, &replaced, of_output)?);
        }
        for _ in 0..COMMITS_MAX {
            if let Err(error) = self.segments.catch_up() {
                tracing::debug!(%error, "catalog cannot be read; the commit checks whether this node is up to date");
            }
            let _upkeep = self.segments.replacement();
            if !self.holds_all(&job.inputs) || self.retired_of(&job.inputs) != retired {
                // A deletion came first.
                break;
            }
            // Events deleted since the job began are hidden in its output, which is rewritten later.
            let masks = self.segments.masks_of(written.iter().map(|new| &new.stored))?;
            self.segments.check("compact.commit")?;
            let added: Vec<_> = written.iter().map(|new| new.row.clone()).collect();
            if self.segments.catalog().commit_compaction(&replaced, &added)? {
                self.publish_job(job, written, masks);
                return Ok(());
            }
        }
        // The segments that remain are considered again.
        self.segments.remove_segments(written);
        written.clear();
        Ok(())
    }

    /// Opens the segments again, so that what is kept of them in memory goes with the job.
    fn open_inputs(&self, job: &Job) -> Result<RunsByGroup, StoreError> {
        let mut runs = RunsByGroup::new();
        let (deletions, finals) = {
            let state = self.segments.state();
            (state.deletions.clone(), final_only(&state.trims))
        };
        // What can still come back is written again.
        let removed = Removals { deletions: &deletions, trims: &finals };
        for input in &job.inputs {
            let segment = self.segments.files.open_whole(input)?;
            for (index, run) in segment.summaries().iter().enumerate() {
                let is_expendable = self.segments.state().is_expendable(segment.meta.segment, run.group_id);
                let mask = self.segments.state().mask(segment.meta.segment, run.group_id).cloned();
                let mask = match mask {
                    Some(mask) if mask.n_undoable > 0 => Mask::of(&segment, index, removed)?.map(Arc::new),
                    mask => mask,
                };
                if !is_expendable && let Some(input) = Input::of(&segment, index, mask) {
                    runs.entry(run.group_id).or_default().push(input);
                }
            }
        }
        Ok(runs)
    }

    /// Writes one segment and proves that it is right; `None` if it would be empty.
    fn write_output(
        &self,
        job: &Job,
        output: &Output,
        runs: &RunsByGroup,
        replaced: &[u128],
        positions: &[u8],
    ) -> Result<Option<NewSegment>, StoreError> {
        let meta = self.meta_of(output, replaced)?;
        let mut writer = SegmentWriter::new(meta, job.level(), output.groups.len())?;
        let segments = self.segments.clone();
        writer.stop_when(move || segments.signals.compaction.is_stopped());
        let mut proofs = Vec::new();
        for (group_id, runs) in runs.iter().filter(|(group_id, _)| output.groups.contains(group_id)) {
            let Some(outline) = outline(*group_id, runs, &output.share)? else { continue };
            let mut proof = Proof::default();
            let mut shift = self.begin_shift();
            let blocks = Merge::new(runs, &output.share).map(|block| {
                shift.rest()?;
                block.inspect(|block| proof.add(block))
            });
            writer.add_run(outline, blocks)?;
            proofs.push(proof);
        }
        if proofs.is_empty() {
            return Ok(None);
        }
        writer.put_positions(positions)?;
        let new = self.segments.keep_segment(&meta, writer.finish(replaced)?, job.tier)?;
        let counters = &self.segments.counters;
        let (of_cold, of_others) = (&counters.cold_bytes_written, &counters.compaction_bytes_written);
        (if job.tier == Tier::Cold { of_cold } else { of_others }).add(new.row.n_bytes);
        let proven = self.segments.check("compact.verify").and_then(|()| Ok(self.prove(&new, &proofs)?));
        if let Err(error) = proven {
            if !self.segments.options.faults.has_crashed() {
                self.segments.remove_segments(std::slice::from_ref(&new));
            }
            return Err(error);
        }
        Ok(Some(new))
    }

    /// Reads back what was written, resting in between.
    fn prove(&self, new: &NewSegment, proofs: &[Proof]) -> Result<(), SegmentError> {
        let mut shift = self.begin_shift();
        proof::check(&new.stored.segment, proofs, &mut || shift.rest())
    }

    fn begin_shift(&self) -> CompactionPace<'_> {
        CompactionPace {
            compactor: self,
            began: Instant::now(),
            n_accepted: self.segments.counters.batches_accepted.get(),
        }
    }

    /// Returns the identity of an output. It is as old as the newest flush that it holds, so that a quiet partition stays so.
    fn meta_of(&self, output: &Output, replaced: &[u128]) -> Result<SegmentMeta, StoreError> {
        let meta = self.segments.new_segment(output.partition)?;
        let random = meta.segment & RANDOM_BITS;
        let newest = replaced.iter().max().map_or(meta.segment, |newest| newest >> 80 << 80 | random);
        Ok(SegmentMeta { segment: newest, ..meta })
    }

    /// Returns what retention hides of these segments: whole runs, and days of others.
    fn retired_of(&self, inputs: &[Arc<StoredSegment>]) -> RetiredRuns {
        let state = self.segments.state();
        let is_input = |id: u128| inputs.iter().any(|input| input.segment.meta.segment == id);
        let runs = state.retired.keys().filter(|(segment, _)| is_input(*segment)).copied().collect();
        let edges = |input: &Arc<StoredSegment>| {
            let (meta, summaries) = (input.segment.meta, input.segment.summaries());
            summaries.iter().map(|run| edges_of(&state.trims, meta, run)).collect::<Vec<_>>()
        };
        (runs, inputs.iter().flat_map(edges).collect())
    }

    /// Groups with hidden days that can still come back: they stay in a segment of several days, where they are hidden.
    fn held_groups(&self, job: &Job) -> HashSet<u32> {
        let state = self.segments.state();
        let is_held = |segment: u128, group_id| state.mask(segment, group_id).is_some_and(|mask| mask.n_undoable > 0);
        let of_input = |input: &Arc<StoredSegment>| {
            let segment = input.segment.meta.segment;
            let ids = input.segment.summaries().iter().map(|run| run.group_id);
            ids.filter(|group_id| is_held(segment, *group_id)).collect::<Vec<_>>()
        };
        job.inputs.iter().flat_map(of_input).collect()
    }

    fn holds_all(&self, inputs: &[Arc<StoredSegment>]) -> bool {
        let state = self.segments.state();
        inputs.iter().all(|input| state.segments.iter().any(|stored| Arc::ptr_eq(stored, input)))
    }

    /// Lets snapshots see the new segments instead of the old ones, whose files go.
    fn publish_job(&self, job: &Job, written: &[NewSegment], masks: Masks) {
        let is_crashed = self.segments.check("compact.publish").is_err();
        self.segments.counters.compaction_bytes_replaced.add(job.inputs.iter().map(|input| input.n_bytes).sum());
        let mut state = self.segments.state_mut();
        state.segments.retain(|stored| !job.inputs.iter().any(|input| Arc::ptr_eq(stored, input)));
        state.add_segments(written.iter().map(|new| new.stored.clone()));
        state.forget_retired();
        let erased = state.take_masks(&job.inputs);
        state.masks.extend(masks);
        drop(state);
        if is_crashed || self.segments.check("compact.remove").is_err() {
            return;
        }
        self.segments.note_rewritten(&job.inputs, &erased);
        self.segments.files.doom(job.inputs.iter().cloned());
    }
}

/// Work with rests in between.
struct CompactionPace<'a> {
    compactor: &'a Compactor,
    began: Instant,
    /// Batches that had been accepted when it began.
    n_accepted: u64,
}

impl CompactionPace<'_> {
    /// Rests after what was done since the last rest; an error once the store is closed.
    fn rest(&mut self) -> Result<(), SegmentError> {
        let n_accepted = self.compactor.segments.counters.batches_accepted.get();
        let is_busy = std::mem::replace(&mut self.n_accepted, n_accepted) != n_accepted;
        let goes_on = self.compactor.rest(self.began.elapsed(), is_busy);
        self.began = Instant::now();
        if goes_on { Ok(()) } else { Err(SegmentError::Stopped) }
    }
}
