//! Spans of time that instants are rounded to: `bin`, `datefloor`, `dateceil`.
//!
//! Spans below an hour count from the Unix epoch. From an hour on the zone's minutes matter, from a day on its
//! whole offset: a day starts at local midnight. Weeks start on Monday, months and longer by calendar.

use chrono::{DateTime, Months, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;
use types::{Timestamp, civil_from_days, days_from_civil};

use crate::span::Span;

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
pub fn floor(zone: Tz, instant: i64, span: Span) -> Option<i64> {
    match span {
        Span::Nanoseconds(length) if length < Timestamp::HOUR => floor_from(0, instant, length),
        Span::Nanoseconds(length) if length < Timestamp::DAY => {
            let minutes = offset_ns(zone, instant) % Timestamp::HOUR;
            floor_from(0, instant.checked_add(minutes)?, length)?.checked_sub(minutes)
        }
        Span::Nanoseconds(length) => {
            let local = instant.checked_add(offset_ns(zone, instant))?;
            let origin = if length % WEEK == 0 { MONDAY } else { 0 };
            instant_of_local(zone, floor_from(origin, local, length)?)
        }
        Span::Months(months) => {
            let local = instant.checked_add(offset_ns(zone, instant))?;
            instant_of_local(zone, local_month_start(month_number(local, months)?)?)
        }
    }
}

/// Returns the start of the next span, `instant` itself where it is a start.
pub fn ceil(zone: Tz, instant: i64, span: Span) -> Option<i64> {
    let start = floor(zone, instant, span)?;
    if start == instant {
        return Some(instant);
    }
    match span {
        Span::Nanoseconds(length) if length < Timestamp::DAY => start.checked_add(length),
        Span::Nanoseconds(length) => {
            let local = start.checked_add(offset_ns(zone, start))?;
            instant_of_local(zone, local.checked_add(length)?)
        }
        Span::Months(months) => {
            let local = start.checked_add(offset_ns(zone, start))?;
            let next = month_number(local, months)?.checked_add(i64::from(months))?;
            instant_of_local(zone, local_month_start(next)?)
        }
    }
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
    let offset = offset_ns(zone, instant);
    let local = floor_from(origin, instant.checked_add(offset)?, length)?;
    let start = local.checked_sub(offset)?;
    let before = offset_ns(zone, start);
    if before == offset {
        return Some(start);
    }
    if length >= Timestamp::DAY {
        return instant_of_local(zone, local);
    }
    let (mut low, mut high) = (start, instant);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if offset_ns(zone, middle) == offset { high = middle } else { low = middle }
    }
    let is_skipped = (high.checked_add(before)?..high.checked_add(offset)?).contains(&local);
    if is_skipped {
        return Some(high);
    }
    floor_from(origin, low.checked_add(before)?, length)?.checked_sub(before)
}

/// Returns the start of the bucket after the one that begins at `start`.
pub fn wall_next(zone: Tz, start: i64, length: i64, origin: i64) -> Option<i64> {
    let next = wall_floor(zone, start.checked_add(length)?, length, origin)?;
    if next > start {
        return Some(next);
    }
    wall_floor(zone, start.checked_add(length.checked_mul(2)?)?, length, origin)
}

/// Returns the instant later by `span`; months go by the calendar of the zone, to the last day where a month is too
/// short.
pub fn later(zone: Tz, instant: i64, span: Span) -> Option<i64> {
    match span {
        Span::Nanoseconds(length) => instant.checked_add(length),
        Span::Months(months) => {
            let local = local_time(zone, instant).naive_local();
            instant_of(zone, local.checked_add_months(Months::new(months))?)
        }
    }
}

/// Returns the instant earlier by `span`.
pub fn earlier(zone: Tz, instant: i64, span: Span) -> Option<i64> {
    match span {
        Span::Nanoseconds(length) => instant.checked_sub(length),
        Span::Months(months) => {
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
mod tests {
    use super::*;

    fn check(zone: Tz, time: &str, span: Span, expected: (&str, &str)) {
        let instant = Timestamp::parse_rfc3339(time).expect("a valid time").0;
        let shown = |nanos: Option<i64>| nanos.map(|n| Timestamp(n).to_string()).unwrap_or_default();
        let (low, high) = (shown(floor(zone, instant, span)), shown(ceil(zone, instant, span)));
        assert_eq!((low.as_str(), high.as_str()), expected, "{time} {span:?} {zone}");
    }

    #[test]
    fn bins_align_to_epoch_monday_and_calendar() {
        let sunday = "2015-11-22T23:59:59Z";
        check(
            Tz::UTC,
            sunday,
            Span::Nanoseconds(300 * Timestamp::SECOND),
            ("2015-11-22T23:55:00Z", "2015-11-23T00:00:00Z"),
        );
        check(Tz::UTC, sunday, Span::Nanoseconds(WEEK), ("2015-11-16T00:00:00Z", "2015-11-23T00:00:00Z"));
        check(Tz::UTC, sunday, Span::Months(3), ("2015-10-01T00:00:00Z", "2016-01-01T00:00:00Z"));
        check(Tz::UTC, sunday, Span::Months(12), ("2015-01-01T00:00:00Z", "2016-01-01T00:00:00Z"));
        check(Tz::UTC, "2015-12-01T00:00:00Z", Span::Months(1), ("2015-12-01T00:00:00Z", "2015-12-01T00:00:00Z"));
    }

    #[test]
    fn buckets_of_hours_begin_where_the_clocks_of_a_zone_say() {
        let berlin = |time: &str, minutes: i64| {
            let instant = Timestamp::parse_rfc3339(time).expect("a valid time").0;
            let start = wall_floor(Tz::Europe__Berlin, instant, minutes * Timestamp::MINUTE, 0);
            start.map(|start| Timestamp(start).to_string()).unwrap_or_default()
        };
        for (time, minutes, expected) in [
            ("2026-07-01T03:00:00Z", 720, "2026-06-30T22:00:00Z"),
            ("2026-07-01T10:30:00Z", 720, "2026-07-01T10:00:00Z"),
            ("2026-01-01T02:30:00Z", 180, "2026-01-01T02:00:00Z"),
            // Clocks go from 2:00 to 3:00 at 1:00Z.
            ("2026-03-29T01:30:00Z", 180, "2026-03-29T01:00:00Z"),
            ("2026-03-29T01:10:00Z", 120, "2026-03-29T01:00:00Z"),
            ("2026-03-29T08:00:00Z", 720, "2026-03-28T23:00:00Z"),
            // Clocks go from 3:00 back to 2:00 at 1:00Z.
            ("2026-10-25T00:30:00Z", 60, "2026-10-25T00:00:00Z"),
            ("2026-10-25T01:30:00Z", 60, "2026-10-25T01:00:00Z"),
            ("2026-10-25T01:30:00Z", 180, "2026-10-24T22:00:00Z"),
            ("2026-10-25T01:10:00Z", 45, "2026-10-25T00:15:00Z"),
            ("2026-10-25T02:10:00Z", 180, "2026-10-25T02:00:00Z"),
        ] {
            assert_eq!(berlin(time, minutes), expected, "{time} {minutes}m");
        }
    }

    #[test]
    fn days_start_at_local_midnight_even_when_clocks_change() {
        let day = Span::Nanoseconds(Timestamp::DAY);
        check(Tz::Asia__Jakarta, "2026-11-20T16:59:59Z", day, ("2026-11-19T17:00:00Z", "2026-11-20T17:00:00Z"));
        check(Tz::Europe__Berlin, "2026-03-29T12:00:00Z", day, ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"));
        let hour = Span::Nanoseconds(Timestamp::HOUR);
        check(Tz::Asia__Kolkata, "2026-11-20T06:45:00Z", hour, ("2026-11-20T06:30:00Z", "2026-11-20T07:30:00Z"));
        check(Tz::Asia__Jakarta, "2026-11-20T06:45:00Z", hour, ("2026-11-20T06:00:00Z", "2026-11-20T07:00:00Z"));
    }
}
