//! The range of a request, in the forms of the native API and of the clients of other APIs.

use chrono_tz::Tz;
use types::{TimeRange, Timestamp};

use door::{Parameters, Problem, Result, Scope};

/// The range of a request that names none.
pub(crate) const DEFAULT_RANGE_NS: i64 = Timestamp::HOUR;

/// Nanoseconds of a microsecond and of a millisecond.
pub(crate) const MICROSECOND: i64 = 1_000;
pub(crate) const MILLISECOND: i64 = 1_000_000;

/// Returns the scope of plans, which limit the number of their rows themselves.
pub(crate) fn scope(now: Timestamp) -> Scope {
    Scope { groups: Vec::new(), limit: None, time_zone: Tz::UTC, now }
}

/// Returns the range between two texts, in any form of the native API; `to` is included. `None` if there is neither.
pub(crate) fn range(from: Option<&str>, to: Option<&str>, now: Timestamp) -> Result<Option<TimeRange>> {
    if from.is_none() && to.is_none() {
        return Ok(None);
    }
    let instant = |name: &str, text: &str| {
        let bad_time = |error: plan::time::TimeError| Problem::bad_request("bad-time", format!("{name}: {error}"));
        plan::time::parse(text, now, Tz::UTC).map_err(bad_time)
    };
    let to = match to {
        Some(text) => Timestamp(instant("to", text)?.0.saturating_add(1)),
        None => until_now(now),
    };
    let from = match from {
        Some(text) => instant("from", text)?,
        None => Timestamp(to.0.saturating_sub(DEFAULT_RANGE_NS)),
    };
    ordered(from, to).map(Some)
}

/// Returns the last hour.
pub(crate) fn last_hour(now: Timestamp) -> TimeRange {
    TimeRange { from: Timestamp(now.0.saturating_sub(DEFAULT_RANGE_NS)), to: until_now(now) }
}

/// Returns the range between two numbers of `unit_ns` nanoseconds since the epoch; `None` if there is neither.
pub(crate) fn range_of_numbers(
    parameters: &Parameters,
    (start, end): (&str, &str),
    unit_ns: i64,
    now: Timestamp,
) -> Result<Option<TimeRange>> {
    let instant = |name: &str| {
        let number = parameters.number::<i64>(name)?.filter(|number| *number != 0);
        Ok::<_, Problem>(number.map(|number| Timestamp(number.saturating_mul(unit_ns))))
    };
    let (start, end) = (instant(start)?, instant(end)?);
    if start.is_none() && end.is_none() {
        return Ok(None);
    }
    let to = end.map_or(until_now(now), |end| Timestamp(end.0.saturating_add(unit_ns)));
    ordered(start.unwrap_or(Timestamp(to.0.saturating_sub(DEFAULT_RANGE_NS))), to).map(Some)
}

/// Returns the end of a range until now. Events may have times slightly ahead of this clock.
fn until_now(now: Timestamp) -> Timestamp {
    Timestamp(now.0.saturating_add(Timestamp::MINUTE))
}

fn ordered(from: Timestamp, to: Timestamp) -> Result<TimeRange> {
    if from < to {
        return Ok(TimeRange { from, to });
    }
    let problem = Problem::bad_request("empty-range", format!("the range is empty: from {from} is after its end"));
    Err(problem.hint("from lies before to"))
}

/// Returns a range that is longer on both sides.
pub(crate) fn widened(range: TimeRange, by: i64) -> TimeRange {
    TimeRange { from: Timestamp(range.from.0.saturating_sub(by)), to: Timestamp(range.to.0.saturating_add(by)) }
}
