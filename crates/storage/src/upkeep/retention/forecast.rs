//! When events will go next, and when the store will be full, if things continue as they did.

use std::collections::BTreeMap;

use types::{GroupName, Timestamp};

use super::limits::{self, Candidate};
use crate::segments::files::written_at;
use crate::state::State;
use crate::upkeep::retention::Retention;
use files::disk;

/// The time over which the growth of the store is looked at: a week has weekdays and Sundays.
const GROWTH_DAYS: i64 = 7;

/// What is expected of a group's limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// Stored bytes that a day has added so far.
    pub bytes_per_day: Option<u64>,
    /// When events will next go, as far as is known.
    pub next: Option<Timestamp>,
    /// Whether they go for their size; else for their age.
    pub by_size: bool,
}

/// What is expected of the whole store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreForecast {
    /// Stored bytes that a day has added over the last week.
    pub bytes_per_day: u64,
    /// Bytes that may still come: up to the store's limit or the disk's reserve, whichever is nearer.
    pub bytes_left: Option<u64>,
    /// When that is, if it continues so: the oldest events go then, or nothing is accepted any more.
    pub full_at: Option<Timestamp>,
    /// Whether the oldest events go then, and everything continues.
    pub is_limit: bool,
}

impl Retention {
    /// Returns what is expected of all groups' limits.
    pub(crate) fn forecasts(&self) -> BTreeMap<GroupName, Forecast> {
        self.count_days();
        let state = self.segments.state();
        let groups = limits::by_group(&state);
        groups.into_iter().map(|(name, runs)| (name.clone(), self.forecast_of(&state, name, runs))).collect()
    }

    /// Returns what is expected of a group's limits.
    pub(crate) fn forecast(&self, group: &GroupName) -> Forecast {
        self.count_days();
        let state = self.segments.state();
        self.forecast_of(&state, group, limits::of_group(&state, group))
    }

    fn forecast_of(&self, state: &State, group: &GroupName, mut runs: Vec<Candidate>) -> Forecast {
        runs.retain(|run| !run.is_retired);
        let held = limits::sum(&runs);
        let (Some(first), Some(last)) = (held.first, held.last) else { return Forecast::default() };
        let bytes_per_day = held.n_bytes / whole_days(last.0.saturating_sub(first.0));
        let by_age = self.age_of(state, group).and_then(|age_ns| {
            let oldest = runs.iter().map(|run| run.last).min()?;
            Some(Timestamp(oldest.0.saturating_add(age_ns)))
        });
        let limit = state.retentions.get(group).and_then(|retention| retention.bytes);
        let now = self.segments.options.clock.now();
        let by_size = limit.and_then(|limit| when_grown(now, limit.saturating_sub(held.n_bytes), bytes_per_day));
        let is_by_size = by_size.is_some_and(|by_size| by_age.is_none_or(|by_age| by_size < by_age));
        let next = if is_by_size { by_size } else { by_age };
        Forecast { bytes_per_day: Some(bytes_per_day), next, by_size: is_by_size }
    }

    /// Returns when the store will be full. An age limit is not looked at: it may be reached first, and then it is not full.
    pub(crate) fn store_forecast(&self) -> StoreForecast {
        let now = self.segments.options.clock.now();
        let week_ago = now.0.saturating_sub(GROWTH_DAYS * Timestamp::DAY);
        let state = self.segments.state();
        let written = |stored: &crate::state::StoredSegment| written_at(stored.segment.meta.segment).0;
        let oldest = state.segments.iter().map(|stored| written(stored)).min().unwrap_or(now.0);
        let recent = state.segments.iter().filter(|stored| written(stored) >= week_ago);
        let grown: u64 = recent.map(|stored| stored.n_bytes).sum();
        drop(state);
        let bytes_per_day = grown / whole_days(now.0.saturating_sub(oldest.max(week_ago)));
        let own = self.own_bytes();
        let of_limit = self.store_bytes_max().map(|limit| limit.saturating_sub(own));
        let free = disk::free_bytes(&self.segments.options.dir).ok();
        let of_disk = free.map(|free| free.saturating_sub(self.segments.options.disk_reserve_bytes));
        let bytes_left = of_limit.into_iter().chain(of_disk).min();
        let full_at = bytes_left.and_then(|left| when_grown(now, left, bytes_per_day));
        StoreForecast { bytes_per_day, bytes_left, full_at, is_limit: of_limit.is_some() && bytes_left == of_limit }
    }
}

fn whole_days(ns: i64) -> u64 {
    u64::try_from(ns / Timestamp::DAY).unwrap_or(0).max(1)
}

/// Returns when `n_bytes` more are there.
fn when_grown(now: Timestamp, n_bytes: u64, bytes_per_day: u64) -> Option<Timestamp> {
    let left_ns = (u128::from(n_bytes) * Timestamp::DAY as u128).checked_div(u128::from(bytes_per_day))?;
    now.0.checked_add(i64::try_from(left_ns).ok()?).map(Timestamp)
}
