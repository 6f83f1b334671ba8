//! Limits that say which events are retired, and what a change of them does.

use std::collections::{BTreeMap, HashMap};

use types::{GroupName, Timestamp};

use crate::TierOptions;

/// Least and most bytes that are kept free above the reserve: room for a flush while the oldest events go.
const MARGIN_MIN: u64 = 1 << 20;

const MARGIN_MAX: u64 = 64 << 20;

/// When a run was retired whose undo window is over whatever the time is.
pub(crate) const LONG_AGO: i64 = i64::MIN;

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
    /// So many percent of what it holds and what is free beside it, but never less than 256 MiB, as far as that leaves the
    /// reserve free.
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
    /// When segments grow older.
    pub tiers: TierOptions,
}

impl Default for RetentionOptions {
    fn default() -> Self {
        let size = Some(SizeLimit::Percent(80));
        let tiers = TierOptions::default();
        Self { interval_ns: Timestamp::MINUTE, age_ns: None, size, undo_window_ns: Timestamp::DAY, tiers }
    }
}

/// Events that go, or come back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removal {
    /// Events.
    pub n_events: u64,
    /// Their share of the bytes in segments.
    pub n_bytes: u64,
    /// Runs that they lie in.
    pub n_runs: u64,
    /// Time of the first one.
    pub first: Option<Timestamp>,
    /// Time of the last one.
    pub last: Option<Timestamp>,
}

/// What a change of a group's limits does at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetentionChange {
    /// What goes.
    pub removes: Removal,
    /// What went before, and comes back.
    pub restores: Removal,
    /// Events of the group in segments before the change.
    pub n_events_before: u64,
    /// Until when what goes can be brought back, if the disk is not full before.
    pub undo_until: Timestamp,
}

impl RetentionChange {
    /// Reports whether more than half of the group goes: the mark of a mistake in a limit.
    pub fn removes_most(&self) -> bool {
        u128::from(self.removes.n_events) * 2 > u128::from(self.n_events_before)
    }
}

/// A run: segment and group.
pub(crate) type RunId = (u128, u32);

/// Runs that are in no snapshot any more, and since when.
pub(crate) type RetiredRuns = HashMap<RunId, i64>;

/// Returns how many bytes above the reserve are kept free.
pub(crate) fn disk_margin(reserve_bytes: u64) -> u64 {
    (reserve_bytes / 4).clamp(MARGIN_MIN, MARGIN_MAX)
}

/// Limits by group.
pub(crate) type Retentions = BTreeMap<GroupName, GroupRetention>;
