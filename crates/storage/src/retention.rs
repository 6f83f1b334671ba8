//! Retention: what is too old or too much goes, oldest first.
//!
//! A run of a segment is what is retired, by age once its last event is too old, by size from the oldest on. It
//! leaves every later snapshot at once, with one catalog transaction; its bytes stay for an undo window, in which a
//! change of the group's limits brings it back if they allow it. After that the segment's file goes when nothing is
//! left in it, and compaction writes the others without it. A query that runs keeps the files that it reads.
//!
//! The newest run of a group is never retired for its size, so that what just came in can be seen. When the whole
//! store is too large, what waits in the undo window goes first, then the oldest segments.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use types::{GroupName, Timestamp};

use crate::state::{State, StoredSegment};
use crate::store::Shared;
use crate::{StoreError, control, disk};

/// Whatever share of the disk is allowed, this much may be kept.
const STORE_BYTES_MIN: u64 = 256 << 20;

/// When a run was retired whose undo window is over whatever the time is.
const LONG_AGO: i64 = i64::MIN;

/// The days over which the growth of a group is looked at, at least.
const DAYS_MIN: u64 = 1;

/// Limits of one group. What has none is limited by the store alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupRetention {
    /// Age in nanoseconds beyond which events go.
    pub age_ns: Option<i64>,
    /// Stored bytes beyond which the oldest events go.
    pub bytes: Option<u64>,
}

/// How much the whole store may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SizeLimit {
    /// So many bytes.
    Bytes(u64),
    /// So many percent of what it holds and what is free beside it, but never less than 256 MiB.
    Percent(u8),
}

/// Retention of the whole store.
#[derive(Clone, Copy, Debug)]
pub struct RetentionOptions {
    /// How often it is looked at, in nanoseconds.
    pub interval_ns: i64,
    /// Age in nanoseconds beyond which events go.
    pub age_ns: Option<i64>,
    /// Bytes beyond which the oldest events go.
    pub size: Option<SizeLimit>,
    /// How long retired events can be brought back, in nanoseconds.
    pub undo_window_ns: i64,
}

impl Default for RetentionOptions {
    fn default() -> Self {
        let size = Some(SizeLimit::Percent(80));
        Self { interval_ns: Timestamp::MINUTE, age_ns: None, size, undo_window_ns: Timestamp::DAY }
    }
}

/// What is expected of a group's limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// Stored bytes that a day has added so far.
    pub bytes_per_day: Option<u64>,
    /// When events will next go, as things stand.
    pub next: Option<Timestamp>,
    /// Whether they go for their size; else for their age.
    pub by_size: bool,
}

/// Runs that are in no snapshot any more: segment and group, and since when.
pub(crate) type RetiredRuns = HashMap<(u128, u32), i64>;

/// A run that may be retired.
#[derive(Clone, Debug)]
struct Candidate {
    segment: u128,
    group_id: u32,
    last: Timestamp,
    /// Its share of the segment's bytes.
    n_bytes: u64,
}

/// The retention thread.
pub(crate) fn run(shared: &Shared) {
    let interval = u64::try_from(shared.options.retention.interval_ns).unwrap_or(0).max(1_000_000_000);
    while shared.retention_bell.wait(Duration::from_nanos(interval)) {
        if let Err(error) = shared.retire() {
            tracing::warn!(%error, "retention was not enforced; it is tried again");
        }
    }
}

impl Shared {
    /// Limits that hold for a group: the tighter ones of its own and of the store.
    fn age_of(&self, state: &State, group: &GroupName) -> Option<i64> {
        let own = state.retentions.get(group).and_then(|retention| retention.age_ns);
        own.into_iter().chain(self.options.retention.age_ns).min()
    }

    /// The time before which a group's events are too old to be kept.
    pub(crate) fn oldest_kept(&self, group: &GroupName) -> Option<Timestamp> {
        let age_ns = self.age_of(&self.state(), group)?;
        Some(Timestamp(self.options.clock.now().0.saturating_sub(age_ns)))
    }

    /// Retires what is beyond the limits, and removes what was retired long enough ago.
    pub(crate) fn retire(&self) -> Result<(), StoreError> {
        let now = self.options.clock.now();
        let upkeep = self.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
        let retired = self.beyond_group_limits(now);
        self.apply(&retired, now.0)?;
        let crowded = self.beyond_store_limit()?;
        self.apply(&crowded, LONG_AGO)?;
        if !retired.is_empty() || !crowded.is_empty() {
            tracing::info!(by_group = retired.len(), by_store = crowded.len(), "runs retired");
            self.counters.runs_retired.add((retired.len() + crowded.len()) as u64);
        }
        self.expire(now);
        drop(upkeep);
        self.reap();
        Ok(())
    }

    fn apply(&self, runs: &[(u128, u32)], since: i64) -> Result<(), StoreError> {
        if runs.is_empty() {
            return Ok(());
        }
        self.catalog().retire_runs(runs, Some(since))?;
        self.state_mut().retired.extend(runs.iter().map(|run| (*run, since)));
        Ok(())
    }

    /// Runs that are too old, or too many in their group.
    fn beyond_group_limits(&self, now: Timestamp) -> Vec<(u128, u32)> {
        let state = self.state();
        let mut beyond = Vec::new();
        for (name, group) in state.groups.iter() {
            let age_ns = self.age_of(&state, name);
            let bytes = state.retentions.get(name).and_then(|retention| retention.bytes);
            if age_ns.is_none() && bytes.is_none() {
                continue;
            }
            let oldest = age_ns.map_or(i64::MIN, |age_ns| now.0.saturating_sub(age_ns));
            let (old, mut kept): (Vec<Candidate>, Vec<Candidate>) =
                candidates(&state, group.id).into_iter().partition(|run| run.last.0 < oldest);
            kept.sort_by_key(|run| (run.last, run.segment));
            beyond.extend(old);
            let mut n_bytes: u64 = kept.iter().map(|run| run.n_bytes).sum();
            let n_droppable = kept.len().saturating_sub(1);
            for run in kept.into_iter().take(n_droppable) {
                if n_bytes <= bytes.unwrap_or(u64::MAX) {
                    break;
                }
                n_bytes = n_bytes.saturating_sub(run.n_bytes);
                beyond.push(run);
            }
        }
        beyond.into_iter().map(|run| (run.segment, run.group_id)).collect()
    }

    /// Runs that must go, and at once, for the store to hold no more than it may.
    fn beyond_store_limit(&self) -> Result<Vec<(u128, u32)>, StoreError> {
        let Some(limit) = self.store_bytes_max() else { return Ok(Vec::new()) };
        let mut n_bytes = self.own_bytes();
        if n_bytes <= limit {
            return Ok(Vec::new());
        }
        let state = self.state();
        let is_retired = |stored: &Arc<StoredSegment>| state.live_runs(stored).next().is_none();
        let last = |stored: &Arc<StoredSegment>| stored.segment.summaries().iter().map(|run| run.last).max();
        let mut segments: Vec<&Arc<StoredSegment>> = state.segments.iter().collect();
        segments.sort_by_key(|stored| (!is_retired(stored), last(stored)));
        segments.pop();
        let mut beyond = Vec::new();
        for stored in segments {
            if n_bytes <= limit {
                break;
            }
            n_bytes = n_bytes.saturating_sub(stored.n_bytes);
            let id = stored.segment.meta().segment;
            beyond.extend(stored.segment.summaries().iter().map(|run| (id, run.group_id)));
        }
        Ok(beyond)
    }

    /// Bytes that the store may hold.
    pub(crate) fn store_bytes_max(&self) -> Option<u64> {
        match self.options.retention.size? {
            SizeLimit::Bytes(bytes) => Some(bytes),
            SizeLimit::Percent(percent) => {
                let free = disk::free_bytes(&self.options.dir).ok()?;
                let share = u128::from(self.own_bytes().saturating_add(free)) * u128::from(percent) / 100;
                Some((share as u64).max(STORE_BYTES_MIN))
            }
        }
    }

    /// Bytes of segments and WAL files.
    fn own_bytes(&self) -> u64 {
        let segments: u64 = self.state().segments.iter().map(|stored| stored.n_bytes).sum();
        segments.saturating_add(directory_bytes(&self.wal_dir()))
    }

    /// Marks runs whose undo window is over, so that their bytes go.
    fn expire(&self, now: Timestamp) {
        let oldest = now.0.saturating_sub(self.options.retention.undo_window_ns);
        let mut state = self.state_mut();
        // Only in memory: the catalog says since when, and the next start finds the same.
        state.retired.values_mut().filter(|since| **since <= oldest).for_each(|since| *since = LONG_AGO);
    }

    /// Sets a group's limits, brings back what they allow again, and retires what they do not.
    pub(crate) fn set_retention(&self, group: &GroupName, retention: GroupRetention) -> Result<(), StoreError> {
        let upkeep = self.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
        control::set_retention(&mut **self.control(), group, &retention)?;
        let mut back: Vec<(u128, u32)> = Vec::new();
        let id = self.state().groups.id_of(group);
        if let Some(id) = id {
            let state = self.state();
            let undoable = state.retired.iter().filter(|((_, group_id), since)| *group_id == id && **since > LONG_AGO);
            back.extend(undoable.map(|(run, _)| *run));
        }
        self.catalog().retire_runs(&back, None)?;
        let mut state = self.state_mut();
        state.retired.retain(|run, _| !back.contains(run));
        if retention == GroupRetention::default() {
            state.retentions.remove(group);
        } else {
            state.retentions.insert(group.clone(), retention);
        }
        drop(state);
        drop(upkeep);
        self.retire()
    }

    /// What is expected of a group's limits.
    pub(crate) fn forecast(&self, group: &GroupName) -> Forecast {
        let state = self.state();
        let Some(id) = state.groups.id_of(group) else { return Forecast::default() };
        let runs = candidates(&state, id);
        let n_bytes: u64 = runs.iter().map(|run| run.n_bytes).sum();
        let of_group = |run: &&crate::segment::RunSummary| run.group_id == id;
        let summaries = || state.segments.iter().flat_map(|stored| state.live_runs(stored)).filter(of_group);
        let (Some(first), Some(last)) = (summaries().map(|r| r.first).min(), summaries().map(|r| r.last).max()) else {
            return Forecast::default();
        };
        let days = u64::try_from(last.0.saturating_sub(first.0) / Timestamp::DAY).unwrap_or(0).max(DAYS_MIN);
        let bytes_per_day = n_bytes / days;
        let by_age = self.age_of(&state, group).and_then(|age_ns| {
            let oldest = runs.iter().map(|run| run.last).min()?;
            Some(Timestamp(oldest.0.saturating_add(age_ns)))
        });
        let limit = state.retentions.get(group).and_then(|retention| retention.bytes);
        let by_size = limit.filter(|_| bytes_per_day > 0).map(|limit| {
            let left_ns = u128::from(limit.saturating_sub(n_bytes)) * Timestamp::DAY as u128;
            let left_ns = i64::try_from(left_ns / u128::from(bytes_per_day)).unwrap_or(i64::MAX);
            Timestamp(self.options.clock.now().0.saturating_add(left_ns))
        });
        let is_by_size = by_size.is_some_and(|by_size| by_age.is_none_or(|by_age| by_size < by_age));
        let next = if is_by_size { by_size } else { by_age };
        Forecast { bytes_per_day: Some(bytes_per_day), next, by_size: is_by_size }
    }
}

/// Runs of a group that are not retired.
fn candidates(state: &State, group_id: u32) -> Vec<Candidate> {
    let mut found = Vec::new();
    for stored in &state.segments {
        let total_raw: u128 = stored.segment.summaries().iter().map(|run| u128::from(run.bytes_raw)).sum();
        for run in state.live_runs(stored).filter(|run| run.group_id == group_id) {
            let n_bytes = (u128::from(stored.n_bytes) * u128::from(run.bytes_raw) / total_raw.max(1)) as u64;
            found.push(Candidate { segment: stored.segment.meta().segment, group_id, last: run.last, n_bytes });
        }
    }
    found
}

/// Bytes of the files in a directory, as far as they can be read.
fn directory_bytes(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}

impl State {
    /// Tells whether a run's bytes may go.
    pub(crate) fn is_expendable(&self, segment: u128, group_id: u32) -> bool {
        !self.groups.has_id(group_id) || self.retired.get(&(segment, group_id)) == Some(&LONG_AGO)
    }

    /// Forgets what was retired of segments that are gone.
    pub(crate) fn forget_retired(&mut self) {
        let ids: BTreeSet<u128> = self.segments.iter().map(|stored| stored.segment.meta().segment).collect();
        self.retired.retain(|(segment, _), _| ids.contains(segment));
    }

    /// What of a segment is in snapshots.
    pub(crate) fn live_runs<'a>(
        &'a self,
        stored: &'a StoredSegment,
    ) -> impl Iterator<Item = &'a crate::segment::RunSummary> {
        let id = stored.segment.meta().segment;
        let is_live = move |run: &&crate::segment::RunSummary| {
            self.groups.has_id(run.group_id) && !self.retired.contains_key(&(id, run.group_id))
        };
        stored.segment.summaries().iter().filter(is_live)
    }
}

/// Limits by group.
pub(crate) type Retentions = BTreeMap<GroupName, GroupRetention>;
