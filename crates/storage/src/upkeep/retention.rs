//! Retention: what is too old or too much goes, oldest first.
//!
//! A run of a segment is what is retired, by age once its last event is too old, by size from the oldest on. It
//! leaves every later snapshot at once, with one catalog transaction; its bytes stay for an undo window, in which a
//! change of the limits brings it back if they allow it. After that the segment's file goes when nothing is
//! left in it, and compaction writes the others without it. A query that runs keeps the files that it reads.
//!
//! Segments of several days are judged day by day: expired UTC days of a run are hidden at once, and compaction writes
//! the segment again without them after the undo window (`trims`).
//!
//! The newest run of a group is never retired for its size, so that what just came in can be seen. When the whole
//! store is too large, or the disk is nearly full, what waits in the undo window goes first, the oldest before
//! the others; only the store's size makes live events go, its oldest segments. Nothing goes for its age, and no undo
//! window ends, while the clock is doubtful (`clock`).

pub(crate) mod forecast;
mod limits;
mod trims;

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use files::disk;
use types::{GroupName, Hold, Run, Timestamp};

use self::limits::{Limits, RetentionPlan, of_group, runs_of};
use crate::retention::{GroupRetention, LONG_AGO, RetentionChange, RunId, SizeLimit, disk_margin};
use crate::segments::Segments;
use crate::state::State;
use crate::tier::Place;
use crate::upkeep::flush::Flusher;
use crate::{StoreError, control};

/// Whatever share of the disk is allowed, this much may be kept, as far as the disk has it.
const STORE_BYTES_MIN: u64 = 256 << 20;

/// Runs the retention thread.
pub(crate) fn run(retention: &Retention) {
    let segments = &*retention.segments;
    let interval = u64::try_from(segments.options.retention.interval_ns).unwrap_or(0).max(1_000_000_000);
    while segments.signals.retention.wait(Duration::from_nanos(interval)) {
        if !segments.is_in_charge() {
            continue;
        }
        if let Err(error) = retention.retire() {
            tracing::warn!(%error, "retention not enforced; retrying later");
        }
    }
}

/// Enforces limits of age and size.
pub(crate) struct Retention {
    segments: Arc<Segments>,
    flusher: Arc<Flusher>,
    /// Held while limits are enforced, so that a change of limits reports its own effects.
    enforcement: Mutex<()>,
}

impl Retention {
    pub(crate) fn new(segments: Arc<Segments>, flusher: Arc<Flusher>) -> Self {
        Self { segments, flusher, enforcement: Mutex::default() }
    }

    /// Returns the age limit of a group: the shorter one of its own and of the store.
    fn age_of(&self, state: &State, group: &GroupName) -> Option<i64> {
        let own = state.retentions.get(group).and_then(|retention| retention.age_ns);
        own.into_iter().chain(self.segments.options.retention.age_ns).min()
    }

    /// Returns the time before which a group's events are too old to be kept. A clock that jumped ahead makes nothing too old.
    pub(crate) fn oldest_kept(&self, group: &GroupName) -> Option<Timestamp> {
        let age_ns = self.age_of(&self.segments.state(), group)?;
        let now = self.segments.options.clock.now();
        let expected =
            self.segments.maintenance.clock_doubt(&self.segments.options.clock).and_then(|doubt| doubt.expected);
        Some(Timestamp(expected.map_or(now, |expected| expected.min(now)).0.saturating_sub(age_ns)))
    }

    /// Retires what is beyond the limits, and removes what was retired long enough ago.
    pub(crate) fn retire(&self) -> Result<(), StoreError> {
        let _enforcement = self.enforcement.hold();
        self.retire_alone()
    }

    fn retire_alone(&self) -> Result<(), StoreError> {
        let is_trusted = self.segments.look_at_clock();
        let now = self.segments.options.clock.now();
        let held = self.hold_expired(now, is_trusted);
        // What could not be read at an earlier turn.
        self.mask_trimmed();
        // The limits of the whole store may have been changed before this start: what they allow again comes back.
        let brings_back = !self.segments.maintenance.limits_applied.load(Ordering::Relaxed);
        let judged = self.beyond_group_limits(now, is_trusted, brings_back);
        self.enact(&judged, now)?;
        let retired: Vec<RunId> = judged.iter().flat_map(|(_, judged)| runs_of(&judged.beyond)).collect();
        self.segments.maintenance.limits_applied.store(true, Ordering::Relaxed);
        let crowded = self.beyond_store_limit();
        self.apply(&crowded, LONG_AGO)?;
        self.trim_older_than(&crowded.iter().map(|(segment, _)| *segment).collect())?;
        if !retired.is_empty() || !crowded.is_empty() {
            tracing::info!(by_group = retired.len(), by_store = crowded.len(), "runs retired");
            self.segments.counters.runs_retired.add((retired.len() + crowded.len()) as u64);
        }
        if is_trusted {
            self.expire(now);
        }
        let given_up = self.undoable_in_the_way();
        self.apply(&given_up, LONG_AGO)?;
        self.forget_trims()?;
        drop(held);
        self.segments.reap();
        Ok(())
    }

    /// Removes for good what was hidden for too long, if the clock is trusted; until the result is dropped no segment is
    /// published or replaced, and the days of all are counted.
    fn hold_expired(&self, now: Timestamp, is_trusted: bool) -> (impl Drop + '_, impl Drop + '_) {
        if is_trusted {
            self.flush_expired(now);
        }
        self.count_days();
        // No flush publishes a segment between the look at what there is and the moment at which it is hidden.
        let flusher = self.flusher.hold();
        let replacement = self.segments.replacement();
        // A compaction may have put another segment in place since, whose days are not counted.
        self.count_days();
        if is_trusted {
            self.expire(now);
        }
        (replacement, flusher)
    }

    /// Hides and shows runs and days as judged.
    fn enact(&self, judged: &[(GroupName, RetentionPlan)], now: Timestamp) -> Result<(), StoreError> {
        self.bring_back(&judged.iter().flat_map(|(_, judged)| runs_of(&judged.back)).collect::<Vec<_>>())?;
        self.apply(&judged.iter().flat_map(|(_, judged)| runs_of(&judged.beyond)).collect::<Vec<_>>(), now.0)?;
        judged.iter().try_for_each(|(group, judged)| self.trim(group, judged, now.0))
    }

    /// Writes hot events into segments where whole days of some have expired, since only segments are judged.
    fn flush_expired(&self, now: Timestamp) {
        let state = self.segments.state();
        let has_expired = |(name, group): (&GroupName, &crate::groups::Group)| {
            let oldest = self.limits_of(&state, name, now).oldest.unwrap_or(i64::MIN);
            let before = oldest.div_euclid(Timestamp::DAY).saturating_mul(Timestamp::DAY);
            let hot = state.generations().filter_map(|generation| generation.groups.get(&group.id));
            hot.flat_map(|group| &group.runs).any(|run| run.run.info().first.0 < before)
        };
        let is_due = state.groups.iter().any(has_expired);
        drop(state);
        if is_due && let Err(error) = self.flusher.flush() {
            tracing::warn!(%error, "expired hot events stay until they are in a segment");
        }
    }

    fn apply(&self, runs: &[(u128, u32)], since: i64) -> Result<(), StoreError> {
        if runs.is_empty() {
            return Ok(());
        }
        self.segments.catalog().retire_runs(runs, Some(since))?;
        self.segments.state_mut().retired.extend(runs.iter().map(|run| (*run, since)));
        Ok(())
    }

    fn bring_back(&self, runs: &[(u128, u32)]) -> Result<(), StoreError> {
        if runs.is_empty() {
            return Ok(());
        }
        self.segments.catalog().retire_runs(runs, None)?;
        self.segments.state_mut().retired.retain(|run, _| !runs.contains(run));
        Ok(())
    }

    /// Returns runs and days of each group that are too old or too many, and those that no longer are.
    fn beyond_group_limits(
        &self,
        now: Timestamp,
        is_trusted: bool,
        brings_back: bool,
    ) -> Vec<(GroupName, RetentionPlan)> {
        let state = self.segments.state();
        let mut all = Vec::new();
        for (name, runs) in limits::by_group(&state) {
            let limits = self.limits_of(&state, name, now);
            if limits.is_none() && !brings_back {
                continue;
            }
            let mut judged = limits.judge(runs, is_trusted);
            if !brings_back {
                judged.back.clear();
            }
            all.push((name.clone(), judged));
        }
        all
    }

    fn limits_of(&self, state: &State, group: &GroupName, now: Timestamp) -> Limits {
        let bytes = state.retentions.get(group).and_then(|retention| retention.bytes);
        Limits { oldest: self.age_of(state, group).map(|age_ns| now.0.saturating_sub(age_ns)), bytes }
    }

    /// Returns runs that must go, and at once, for the store to hold no more than it may.
    fn beyond_store_limit(&self) -> Vec<RunId> {
        let Some(limit) = self.store_bytes_max() else { return Vec::new() };
        let n_bytes = self.own_bytes();
        if n_bytes <= limit { Vec::new() } else { limits::oldest_segments(&self.segments.state(), n_bytes - limit) }
    }

    /// Returns runs whose undo window ends early, since the disk is nearly full.
    fn undoable_in_the_way(&self) -> Vec<RunId> {
        let wanted = self.segments.options.disk_reserve_bytes.saturating_mul(2);
        match disk::free_bytes(&self.segments.options.dir) {
            Ok(free) if free < wanted => {
                self.expire_trims(i64::MAX);
                limits::oldest_undoable(&self.segments.state(), wanted - free)
            }
            _ => Vec::new(),
        }
    }

    /// Returns bytes that the store may hold.
    pub(crate) fn store_bytes_max(&self) -> Option<u64> {
        match self.segments.options.retention.size? {
            SizeLimit::Bytes(bytes) => Some(bytes),
            SizeLimit::Percent(percent) => {
                let free = disk::free_bytes(&self.segments.options.dir).ok()?;
                let capacity = self.own_bytes().saturating_add(free);
                let reserve = self.segments.options.disk_reserve_bytes;
                let wanted = self.segments.disk.wanted.load(Ordering::Relaxed).max(reserve);
                Some(percent_of(percent, capacity, wanted.saturating_add(disk_margin(reserve))))
            }
        }
    }

    /// Returns bytes of segments and WAL files in the data directory.
    pub(crate) fn own_bytes(&self) -> u64 {
        let state = self.segments.state();
        let local = state.segments.iter().filter(|stored| stored.place == Place::Local);
        let segments: u64 = local.map(|stored| stored.n_bytes).sum();
        drop(state);
        segments.saturating_add(directory_bytes(&self.segments.wal_dir()))
    }

    /// Marks runs whose undo window is over, so that their bytes go.
    fn expire(&self, now: Timestamp) {
        let oldest = now.0.saturating_sub(self.segments.options.retention.undo_window_ns);
        let mut state = self.segments.state_mut();
        // Only in memory: the catalog says since when, and the next start finds the same.
        state.retired.values_mut().filter(|since| **since <= oldest).for_each(|since| *since = LONG_AGO);
        drop(state);
        self.expire_trims(oldest);
    }

    /// Sets a group's limits, brings back what they allow again, and retires what they do not.
    pub(crate) fn set_retention(
        &self,
        group: &GroupName,
        retention: GroupRetention,
    ) -> Result<RetentionChange, StoreError> {
        let _enforcement = self.enforcement.hold();
        let is_trusted = self.segments.look_at_clock();
        control::set_retention(&mut **self.segments.control(), group, &retention)?;
        let mut state = self.segments.state_mut();
        if retention == GroupRetention::default() {
            state.retentions.remove(group);
        } else {
            state.retentions.insert(group.clone(), retention);
        }
        drop(state);
        let now = self.segments.options.clock.now();
        if !self.segments.is_in_charge() {
            // Whoever does upkeep reads the limit and does what follows from it.
            return Ok(self.preview_retention(group, retention));
        }
        // What was retired before this start and for too long does not come back.
        let held = self.hold_expired(now, is_trusted);
        let state = self.segments.state();
        let judged = self.limits_of(&state, group, now).judge(of_group(&state, group), is_trusted);
        drop(state);
        let judged = [(group.clone(), judged)];
        self.enact(&judged, now)?;
        let [(_, judged)] = judged;
        self.segments.counters.runs_retired.add(runs_of(&judged.beyond).count() as u64);
        drop(held);
        self.retire_alone()?;
        Ok(self.change(&judged, now))
    }

    /// Returns what [`set_retention`](Self::set_retention) would do, as if the clock were right.
    pub(crate) fn preview_retention(&self, group: &GroupName, retention: GroupRetention) -> RetentionChange {
        let now = self.segments.options.clock.now();
        self.count_days();
        let state = self.segments.state();
        let age_ns = retention.age_ns.into_iter().chain(self.segments.options.retention.age_ns).min();
        let limits = Limits { oldest: age_ns.map(|age_ns| now.0.saturating_sub(age_ns)), bytes: retention.bytes };
        self.change(&limits.judge(of_group(&state, group), true), now)
    }

    fn change(&self, judged: &limits::RetentionPlan, now: Timestamp) -> RetentionChange {
        RetentionChange {
            removes: limits::sum(&judged.beyond),
            restores: limits::sum(&judged.back),
            n_events_before: judged.n_events_live,
            undo_until: Timestamp(now.0.saturating_add(self.segments.options.retention.undo_window_ns)),
        }
    }
}

/// Returns how many bytes a store may hold that is allowed `percent` of its disk's `capacity`, of which `kept_free` are to
/// stay free.
fn percent_of(percent: u8, capacity: u64, kept_free: u64) -> u64 {
    let share = (u128::from(capacity) * u128::from(percent) / 100) as u64;
    let limit = share.max(STORE_BYTES_MIN);
    match capacity.checked_sub(kept_free) {
        // The oldest events go before new ones are refused.
        Some(room) if room > kept_free / 8 => limit.min(room),
        // Others have filled the disk: without all of its events the store would have no room either.
        _ => limit,
    }
}

/// Returns bytes of the files in a directory, as far as they can be read.
fn directory_bytes(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}

#[cfg(test)]
mod tests;
