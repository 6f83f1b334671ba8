//! Spans of time that instants are rounded to: `bin`, `datefloor`, `dateceil`.
//!
//! Spans below an hour count from the Unix epoch. From an hour on the zone's minutes matter, from a day on its
//! whole offset: a day starts at local midnight. Weeks start on Monday, months and longer by calendar.

use chrono::{DateTime, Months, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;
use types::{Timestamp, civil_from_days, days_from_civil};

use crate::length::Length;

const WEEK: i64 = 7 * Timestamp::DAY;

/// The first Monday after the epoch.
const MONDAY: i64 = 4 * Timestamp::DAY;

/// Nanoseconds that local time in `zone` is ahead of UTC at `instant`.
pub fn offset_ns(zone: Tz, instant: i64) -> i64 {
    if zone == Tz::UTC {
        return 0;
    }
    let utc = DateTime::from_timestamp_nanos(instant).naive_utc();
    i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()) * Timestamp::SECOND
}

/// Returns the instant at which clocks in `zone` show `local` (nanoseconds as if it were UTC); of two the earlier.
fn instant_of_local(zone: Tz, local: i64) -> Option<i64> {
    if zone == Tz::UTC {
        return Some(local);
    }
    let shown: NaiveDateTime = DateTime::from_timestamp_nanos(local).naive_utc();
    let offset = match zone.offset_from_local_datetime(&shown).earliest() {
        Some(offset) => i64::from(offset.fix().local_minus_utc()) * Timestamp::SECOND,
        // Clocks were put forward over this time: the offset before it leads to the moment of the change.
        None => offset_ns(zone, local.checked_sub(Timestamp::DAY)?),
    };
    local.checked_sub(offset)
}

/// Returns the start of the span that `instant` lies in; `None` beyond the range of times.
pub fn floor(zone: Tz, instant: i64, span: Length) -> Option<i64> {
    bounds(zone, instant, span).map(|(start, _)| start)
}

/// Returns the start of the next span, `instant` itself where it is a start.
pub fn ceil(zone: Tz, instant: i64, span: Length) -> Option<i64> {
    let (start, end) = bounds(zone, instant, span)?;
    Some(if start == instant { instant } else { end })
}

/// Returns the start of the span that `instant` lies in and that of the next one: all instants between them have the same.
pub fn bounds(zone: Tz, instant: i64, span: Length) -> Option<(i64, i64)> {
    match span {
        Length::Nanoseconds(length) if length < Timestamp::HOUR => {
            let start = floor_from(0, instant, length)?;
            Some((start, start.checked_add(length.max(1))?))
        }
        Length::Nanoseconds(length) if length < Timestamp::DAY => hour_bounds(zone, instant, length),
        Length::Nanoseconds(length) => day_bounds(zone, instant, length, if length % WEEK == 0 { MONDAY } else { 0 }),
        Length::Months(months) => {
            let local = instant.checked_add(offset_ns(zone, instant))?;
            let next = |number: &i64| number.checked_add(i64::from(months.max(1)));
            let first = month_number(local, months)?;
            local_bounds(zone, instant, std::iter::successors(Some(first), next).map(local_month_start))
        }
    }
}

/// The bounds of a span of hours, which begin by the minutes of the zone's clock. Where these change, a span begins.
fn hour_bounds(zone: Tz, instant: i64, length: i64) -> Option<(i64, i64)> {
    let minutes_at = |instant: i64| offset_ns(zone, instant) % Timestamp::HOUR;
    let minutes = minutes_at(instant);
    let start = floor_from(0, instant.checked_add(minutes)?, length)?.checked_sub(minutes)?;
    let end = start.checked_add(length)?;
    let has_other = |other: i64| minutes_at(other) != minutes;
    let start = if has_other(start) { first_where(start, instant, |at| !has_other(at)) } else { start };
    let end = if has_other(end - 1) { first_where(instant, end - 1, has_other) } else { end };
    Some((start, end))
}

/// Returns the first instant after `low` at which something is so that is not at `low` and is at `high`.
fn first_where(mut low: i64, mut high: i64, is_so: impl Fn(i64) -> bool) -> i64 {
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if is_so(middle) { high = middle } else { low = middle }
    }
    high
}

/// The bounds of a span of days, which begin at midnight by the zone's clock, counted from `origin` on it.
fn day_bounds(zone: Tz, instant: i64, length: i64, origin: i64) -> Option<(i64, i64)> {
    let first = floor_from(origin, instant.checked_add(offset_ns(zone, instant))?, length)?;
    let starts = std::iter::successors(Some(first), |start| start.checked_add(length));
    local_bounds(zone, instant, starts.map(Some))
}

/// The bounds of a span, given the local start of the one that the clock at `instant` shows and those of the next ones. A
/// span begins when its start is shown first: clocks that are put back over midnight come back into it.
fn local_bounds(zone: Tz, instant: i64, starts: impl Iterator<Item = Option<i64>>) -> Option<(i64, i64)> {
    let mut start = None;
    for local in starts {
        let next = instant_of_local(zone, local?)?;
        match start {
            Some(start) if next > instant => return Some((start, next)),
            _ => start = Some(next),
        }
    }
    None
}

/// Returns the start of the bucket of `length` that `instant` lies in, counted from `origin`.
pub fn floor_from(origin: i64, instant: i64, length: i64) -> Option<i64> {
    let length = length.max(1);
    instant.checked_sub(instant.checked_sub(origin)?.rem_euclid(length))
}

/// Returns the start of the bucket of `length` that `instant` lies in by the clocks of `zone`, counted from `origin` on
/// them.
///
/// A bucket that clocks skip begins where they were put forward. One that they come back into is the one that the
/// moment before the change lies in, unless a bucket begins after it.
pub fn wall_floor(zone: Tz, instant: i64, length: i64, origin: i64) -> Option<i64> {
    if length >= Timestamp::DAY {
        return day_bounds(zone, instant, length, origin).map(|(start, _)| start);
    }
    let offset = offset_ns(zone, instant);
    let local = floor_from(origin, instant.checked_add(offset)?, length)?;
    let start = local.checked_sub(offset)?;
    let before = offset_ns(zone, start);
    if before == offset {
        return Some(start);
    }
    let change = first_where(start, instant, |at| offset_ns(zone, at) == offset);
    let is_skipped = (change.checked_add(before)?..change.checked_add(offset)?).contains(&local);
    if is_skipped {
        return Some(change);
    }
    floor_from(origin, (change - 1).checked_add(before)?, length)?.checked_sub(before)
}

/// Returns the start of the bucket after the one that begins at `start`.
pub fn wall_next(zone: Tz, start: i64, length: i64, origin: i64) -> Option<i64> {
    if length >= Timestamp::DAY {
        return day_bounds(zone, start, length, origin).map(|(_, end)| end);
    }
    let next = wall_floor(zone, start.checked_add(length)?, length, origin)?;
    if next > start {
        return Some(next);
    }
    wall_floor(zone, start.checked_add(length.checked_mul(2)?)?, length, origin)
}

/// Returns the instant later by `span`; months go by the calendar of the zone, to the last day where a month is too
/// short.
pub fn later(zone: Tz, instant: i64, span: Length) -> Option<i64> {
    match span {
        Length::Nanoseconds(length) => instant.checked_add(length),
        Length::Months(months) => {
            let local = local_time(zone, instant).naive_local();
            instant_of(zone, local.checked_add_months(Months::new(months))?)
        }
    }
}

/// Returns the instant earlier by `span`.
pub fn earlier(zone: Tz, instant: i64, span: Length) -> Option<i64> {
    match span {
        Length::Nanoseconds(length) => instant.checked_sub(length),
        Length::Months(months) => {
            let local = local_time(zone, instant).naive_local();
            instant_of(zone, local.checked_sub_months(Months::new(months))?)
        }
    }
}

/// Months since year 0 of the first month of the span of `months` that a local time lies in.
fn month_number(local: i64, months: u32) -> Option<i64> {
    let (year, month, _) = civil_from_days(Timestamp(local).day());
    let number = year.checked_mul(12)?.checked_add(i64::from(month) - 1)?;
    let months = i64::from(months.max(1));
    Some(number - number.rem_euclid(months))
}

fn local_month_start(number: i64) -> Option<i64> {
    let (year, month) = (number.div_euclid(12), number.rem_euclid(12) as u32 + 1);
    days_from_civil(year, month, 1)?.checked_mul(Timestamp::DAY)
}

/// Returns the local date and time of an instant, for formats.
pub fn local_time(zone: Tz, instant: i64) -> DateTime<Tz> {
    zone.from_utc_datetime(&DateTime::from_timestamp_nanos(instant).naive_utc())
}

/// Returns the instant of a local date and time.
pub fn instant_of(zone: Tz, local: NaiveDateTime) -> Option<i64> {
    instant_of_local(zone, local.and_utc().timestamp_nanos_opt()?)
}

/// Midnight of a date.
pub fn midnight(date: NaiveDate) -> Option<NaiveDateTime> {
    date.and_hms_opt(0, 0, 0)
}

/// Returns an instant by so many calendar months later; a day that the month does not have is its last one.
pub fn later_by_months(time: Timestamp, months: i64) -> Option<Timestamp> {
    let time = DateTime::from_timestamp_nanos(time.0);
    let n = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    let later = if months < 0 { time.checked_sub_months(n) } else { time.checked_add_months(n) }?;
    later.timestamp_nanos_opt().map(Timestamp)
}

#[cfg(test)]
mod tests;
