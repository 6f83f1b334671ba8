//! Times as people and programs write them in requests: relative, calendar, epoch.
//!
//! One parser for the command line, the HTTP routes and rules. Nothing here reads a clock: `now` is passed in.

use chrono::{Datelike, Days, LocalResult, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Timelike};
use chrono_tz::Tz;
use types::Timestamp;

/// Why a time could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no time; write now-1h, now/d, 2026-11-20T06:00:00Z, 2026-11-20 or seconds since 1970")]
pub struct TimeError {
    /// What was written, at most its first 100 characters.
    pub text: String,
}

/// Reads a time.
///
/// Forms: `now`, `now-1h`, `now+5m`, `-15m` (before now), `now/d` and `now-1d/d` (start of the day, in `time_zone`);
/// RFC 3339; the same without zone, a date with or without a time of day, in `time_zone`; a number since the epoch in
/// seconds, milliseconds, microseconds or nanoseconds by its size (below 1e11, 1e14, 1e17, above), decimals exact.
/// Units: `ms s m h d w M mo q y`; days and longer are of the calendar.
pub fn parse(text: &str, now: Timestamp, time_zone: Tz) -> Result<Timestamp, TimeError> {
    let written = text.trim();
    let time = if let Some(rest) = written.strip_prefix("now") {
        relative(rest, now, time_zone)
    } else if written.starts_with('-') && written.ends_with(|c: char| c.is_ascii_alphabetic()) {
        relative(written, now, time_zone)
    } else {
        let known = Timestamp::parse_rfc3339(written).or_else(|| epoch(written));
        known.or_else(|| calendar(written, time_zone)).or_else(|| beyond(written))
    };
    time.ok_or_else(|| TimeError { text: text.chars().take(100).collect() })
}

/// The first instant of 2262: no event has a time from there on.
const END: Timestamp = Timestamp(9_214_646_400 * Timestamp::SECOND);

/// The nearest end of the time that events can have, for RFC 3339 times that nanoseconds cannot count: programs
/// write the years 1 and 9999 for ranges without an end.
fn beyond(text: &str) -> Option<Timestamp> {
    let time = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    Some(if time.year() < 1970 { Timestamp(0) } else { END })
}

/// Reads what follows `now`: steps such as `-1h` and roundings such as `/d`, from left to right.
fn relative(text: &str, now: Timestamp, time_zone: Tz) -> Option<Timestamp> {
    let mut time = now;
    let mut rest = text.trim_start();
    while let Some(sign) = rest.chars().next() {
        rest = rest.get(1..)?.trim_start();
        let digits_end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let unit_end =
            digits_end + rest[digits_end..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len() - digits_end);
        let (digits, unit) = (&rest[..digits_end], unit_of(&rest[digits_end..unit_end])?);
        time = match sign {
            '/' if digits.is_empty() => floor(time, unit, time_zone)?,
            '-' => step(time, digits.parse::<i64>().ok()?.checked_neg()?, unit, time_zone)?,
            '+' => step(time, digits.parse().ok()?, unit, time_zone)?,
            _ => return None,
        };
        rest = rest[unit_end..].trim_start();
    }
    Some(time)
}

#[derive(Clone, Copy)]
enum Unit {
    Fixed(i64),
    Days(u32),
    Months(u32),
}

fn unit_of(text: &str) -> Option<Unit> {
    Some(match text {
        "ms" => Unit::Fixed(1_000_000),
        "s" | "sec" | "secs" => Unit::Fixed(Timestamp::SECOND),
        "m" | "min" | "mins" => Unit::Fixed(Timestamp::MINUTE),
        "h" | "hr" | "hrs" => Unit::Fixed(Timestamp::HOUR),
        "d" | "day" | "days" => Unit::Days(1),
        "w" | "week" | "weeks" => Unit::Days(7),
        "M" | "mo" | "month" | "months" => Unit::Months(1),
        "q" | "Q" => Unit::Months(3),
        "y" | "year" | "years" => Unit::Months(12),
        _ => return None,
    })
}

fn step(time: Timestamp, count: i64, unit: Unit, time_zone: Tz) -> Option<Timestamp> {
    let size = u32::try_from(count.unsigned_abs()).ok();
    let moved = match unit {
        Unit::Fixed(length) => return time.0.checked_add(count.checked_mul(length)?).map(Timestamp),
        Unit::Days(days) => {
            let days = Days::new(u64::from(size?) * u64::from(days));
            let local = local_of(time, time_zone)?;
            if count < 0 { local.checked_sub_days(days)? } else { local.checked_add_days(days)? }
        }
        Unit::Months(months) => {
            let months = Months::new(size?.checked_mul(months)?);
            let local = local_of(time, time_zone)?;
            if count < 0 { local.checked_sub_months(months)? } else { local.checked_add_months(months)? }
        }
    };
    instant_of(moved, time_zone)
}

/// Start of the unit that `time` lies in. Weeks start on Monday.
fn floor(time: Timestamp, unit: Unit, time_zone: Tz) -> Option<Timestamp> {
    let local = local_of(time, time_zone)?;
    let date = local.date();
    let start = match unit {
        Unit::Fixed(length) if length < Timestamp::HOUR => {
            return Some(Timestamp(time.0.checked_sub(time.0.rem_euclid(length))?));
        }
        Unit::Fixed(_) => date.and_hms_opt(local.hour(), 0, 0)?,
        Unit::Days(1) => date.and_time(NaiveTime::MIN),
        Unit::Days(_) => {
            let monday = date.checked_sub_days(Days::new(u64::from(date.weekday().num_days_from_monday())))?;
            monday.and_time(NaiveTime::MIN)
        }
        Unit::Months(months) => {
            let first = date.month0() / months * months;
            NaiveDate::from_ymd_opt(date.year(), first + 1, 1)?.and_time(NaiveTime::MIN)
        }
    };
    instant_of(start, time_zone)
}

fn local_of(time: Timestamp, time_zone: Tz) -> Option<NaiveDateTime> {
    Some(time_zone.timestamp_nanos(time.0).naive_local())
}

/// The instant of a local time; of two the earlier, of none (a clock put forward) the first after it.
fn instant_of(local: NaiveDateTime, time_zone: Tz) -> Option<Timestamp> {
    // Gaps last at most a day (a zone that changed sides of the date line), and start on quarters of an hour.
    const QUARTERS_MAX: i64 = 24 * 4;
    for quarters in 0..=QUARTERS_MAX {
        let candidate = local.checked_add_signed(chrono::TimeDelta::minutes(15 * quarters))?;
        match time_zone.from_local_datetime(&candidate) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => {
                return time.timestamp_nanos_opt().map(Timestamp);
            }
            LocalResult::None => {}
        }
    }
    None
}

/// A number since the epoch, in the unit that its size says, with decimals.
fn epoch(text: &str) -> Option<Timestamp> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1i128, digits),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 19 || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    // A year alone is not a number of seconds that anybody means.
    if whole.len() == 4 && fraction.is_empty() && sign == 1 {
        return None;
    }
    let count: i128 = whole.parse().ok()?;
    let n_decimals: u32 = match count {
        0..100_000_000_000 => 9,
        100_000_000_000..100_000_000_000_000 => 6,
        100_000_000_000_000..100_000_000_000_000_000 => 3,
        _ => 0,
    };
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(n_decimals as usize).collect();
    let decimals: i128 = if kept.is_empty() { 0 } else { kept.parse().ok()? };
    i64::try_from(sign * (count * 10i128.pow(n_decimals) + decimals)).ok().map(Timestamp)
}

/// A date with or without a time of day, in a zone: `2026`, `2026-11`, `2026-11-20`, `2026-11-20 06:00[:00[.5]]`.
fn calendar(text: &str, time_zone: Tz) -> Option<Timestamp> {
    const TIMES: [&str; 4] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    let with_time = TIMES.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let date = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let month = || NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").ok();
    let year = || NaiveDate::parse_from_str(&format!("{text}-01-01"), "%Y-%m-%d").ok().filter(|_| text.len() == 4);
    let local = with_time.or_else(|| Some(date().or_else(month).or_else(year)?.and_time(NaiveTime::MIN)))?;
    instant_of(local, time_zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-20T06:47:13.5Z";

    fn check_in(zone: Tz, text: &str, expected: Option<&str>) {
        let now = Timestamp::parse_rfc3339(NOW).expect("a constant");
        let shown = parse(text, now, zone).ok().map(|time| time.to_string());
        assert_eq!(shown.as_deref(), expected, "{text}");
    }

    fn check(text: &str, expected: Option<&str>) {
        check_in(Tz::UTC, text, expected);
    }

    #[test]
    fn times_of_ranges_without_an_end_are_the_ends_of_time() {
        check("9999-12-31T23:59:59Z", Some("2262-01-01T00:00:00Z"));
        check("0001-01-01T00:00:00Z", Some("1970-01-01T00:00:00Z"));
        check("9999-13-31T23:59:59Z", None);
    }

    #[test]
    fn relative_times_count_from_now() {
        check("now", Some(NOW));
        check(" now-1h ", Some("2026-11-20T05:47:13.5Z"));
        check("-15m", Some("2026-11-20T06:32:13.5Z"));
        check("now+1d", Some("2026-11-21T06:47:13.5Z"));
        check("now/d", Some("2026-11-20T00:00:00Z"));
        check("now-1d/d", Some("2026-11-19T00:00:00Z"));
        check("now-1d/d+6h", Some("2026-11-19T06:00:00Z"));
        check("now/w", Some("2026-11-16T00:00:00Z"));
        check("now-1M/M", Some("2026-10-01T00:00:00Z"));
        check("now/q", Some("2026-10-01T00:00:00Z"));
        check("now/y", Some("2026-01-01T00:00:00Z"));
        check("now-9m/m", Some("2026-11-20T06:38:00Z"));
        for wrong in
            ["now-", "now-1", "now-h", "now/5d", "now-1parsec", "nowhere", "now-999999999999999999y", "now-1h)"]
        {
            check(wrong, None);
        }
    }

    #[test]
    fn days_and_months_are_those_of_the_zone() {
        check_in(Tz::Asia__Jakarta, "now/d", Some("2026-11-19T17:00:00Z"));
        check_in(Tz::Asia__Jakarta, "2026-11-20", Some("2026-11-19T17:00:00Z"));
        check_in(Tz::Asia__Kolkata, "now/h", Some("2026-11-20T06:30:00Z"));
        check_in(Tz::Europe__Berlin, "2026-03-29 02:30", Some("2026-03-29T01:00:00Z"));
        check_in(Tz::Europe__Berlin, "2026-10-25 02:30", Some("2026-10-25T00:30:00Z"));
    }

    #[test]
    fn absolute_times_have_many_forms() {
        check("2026-11-20T06:47:13+07:00", Some("2026-11-19T23:47:13Z"));
        check("2026-11-20T06:47", Some("2026-11-20T06:47:00Z"));
        check("2026-11-20 06:47:13.25", Some("2026-11-20T06:47:13.25Z"));
        check("2026-11", Some("2026-11-01T00:00:00Z"));
        check("2026", Some("2026-01-01T00:00:00Z"));
        check("0", Some("1970-01-01T00:00:00Z"));
        check("1793520000", Some("2026-11-01T08:00:00Z"));
        check("1793520000.25", Some("2026-11-01T08:00:00.25Z"));
        check("1793520000123", Some("2026-11-01T08:00:00.123Z"));
        check("1793520000123456", Some("2026-11-01T08:00:00.123456Z"));
        check("1793520000123456789", Some("2026-11-01T08:00:00.123456789Z"));
        for wrong in ["", "x", "2026-13-01", "99999999999999999999", "1.2.3", "12e5", "2026-11-20T25:00"] {
            check(wrong, None);
        }
    }
}
