//! Which time tells when something began.

use std::sync::Arc;

use types::{Run, TimeRange, Timestamp};

/// Why nothing can be found where there is nothing.
pub(super) const NO_EVENTS: &str = "there are no events in the range, nor as long before it";

/// Buckets of the first look, of the range and the time before it together.
pub(super) const BUCKETS: i64 = 240;

/// Days before whose counts are expected again.
pub(super) const DAYS: i64 = 7;

/// Longest range whose daily rhythm is looked up: of longer ones each day is a part.
pub(super) const RHYTHM_RANGE_MAX: i64 = Timestamp::DAY;

/// Shortest time before the range that is looked at as well.
const BEFORE_MIN: i64 = 15 * Timestamp::MINUTE;

/// Returns the time whose events tell when something began that goes on in `range`: the range up to `now`, and as much
/// time before it.
pub fn reach(range: TimeRange, now: Timestamp) -> TimeRange {
    let to = range.to.min(Timestamp(now.0.saturating_add(1))).max(range.from);
    let length = (i128::from(to.0) - i128::from(range.from.0)).max(i128::from(BEFORE_MIN));
    let from = i128::from(range.from.0).saturating_sub(length).max(i128::from(i64::MIN)) as i64;
    TimeRange { from: Timestamp(from), to }
}

/// Returns the same with the days before, whose counts are what is expected.
pub fn history(range: TimeRange) -> TimeRange {
    let is_short = i128::from(range.to.0) - i128::from(range.from.0) <= i128::from(2 * RHYTHM_RANGE_MAX);
    let n_days = if is_short { DAYS } else { 0 };
    TimeRange { from: Timestamp(range.from.0.saturating_sub(n_days * Timestamp::DAY)), to: range.to }
}

/// Returns the part of a range in which there can be events: a store that is younger than the range has no time before.
pub(super) fn clipped(range: TimeRange, runs: &[Arc<dyn Run>]) -> Option<TimeRange> {
    let first = runs.iter().map(|run| run.info().first).min()?;
    let from = range.from.max(first);
    (from.0.saturating_add(BUCKETS) < range.to.0).then_some(TimeRange { from, to: range.to })
}

/// Returns the multiple of `length` at or before `at`.
pub(super) fn floor(at: i64, length: i64) -> i64 {
    at.div_euclid(length).saturating_mul(length)
}
