//! Times as people and programs write them in requests: relative, calendar, epoch.
//!
//! One parser for the command line, the HTTP routes, rules and the page. Nothing here reads a clock: `now` is passed
//! in.

mod range;
#[cfg(test)]
mod tests;

use std::ops::Range;

use chrono::{Datelike, Days, LocalResult, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Timelike};
use chrono_tz::Tz;
use types::Timestamp;

pub use range::{WrittenRange, has_two_ends, parse_range};

/// Why a time or a range could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}", self.reason(), self.forms())]
pub struct TimeError {
    /// What was written there, at most its first 100 characters.
    pub text: String,
    /// Where it is in the text that was to be read, in bytes.
    pub place: Range<usize>,
    kind: TimeMistake,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TimeMistake {
    NoTime,
    Backwards,
    TooManyEnds,
}

impl TimeError {
    /// Returns the error about the part at `place` of `text`.
    fn at(text: &str, place: Range<usize>, kind: TimeMistake) -> Self {
        Self { text: text[place.clone()].trim().chars().take(100).collect(), place, kind }
    }

    /// Returns what to write instead.
    pub fn hint(&self) -> &'static str {
        match self.kind {
            TimeMistake::NoTime => {
                "write 2h, yesterday 14:00, now-1d/d, 2026-11-20 06:00..07:00, an RFC 3339 time or seconds since 1970"
            }
            TimeMistake::Backwards => "write the earlier time first",
            TimeMistake::TooManyEnds => "a range has two ends: 2026-11-20 06:00..07:00",
        }
    }

    /// Returns what is wrong, where [`Self::hint`] is said next to it.
    pub fn reason(&self) -> String {
        let text = &self.text;
        match self.kind {
            TimeMistake::NoTime => format!("\"{text}\" is no time"),
            TimeMistake::Backwards => format!("\"{text}\" ends before it begins"),
            TimeMistake::TooManyEnds => format!("\"{text}\" has more than two ends"),
        }
    }

    fn forms(&self) -> &'static str {
        match self.kind {
            TimeMistake::NoTime => "; write now-1h, now/d, 2026-11-20T06:00:00Z, 2026-11-20 or seconds since 1970",
            TimeMistake::Backwards | TimeMistake::TooManyEnds => "",
        }
    }
}

/// A time as it was written, in the one form that keeps what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenTime {
    /// `now-2h`, `now/d`: what moves on with the clock; else RFC 3339 in UTC.
    pub text: String,
    /// The instant that it means now.
    pub time: Timestamp,
}

impl WrittenTime {
    fn fixed(time: Timestamp) -> Self {
        Self { text: time.to_string(), time }
    }
}

/// Reads a time.
///
/// Forms: `now`, `now-1h`, `now+5m`, `now/d` and `now-1d/d` (start of the day, in `time_zone`); `2h`, `-15m`, `last 2
/// hours`, `3 days ago` (before now); `today`, `yesterday`, both with or without a time of day, `14:00` (today);
/// RFC 3339; the same without zone, a date with or without a time of day, in `time_zone`; a number since the epoch in
/// seconds, milliseconds, microseconds or nanoseconds by its size (below 1e11, 1e14, 1e17, above), decimals exact.
/// Units: `ms s m h d w M mo q y` and their names; days and longer are of the calendar.
pub fn parse(text: &str, now: Timestamp, time_zone: Tz) -> Result<Timestamp, TimeError> {
    let written = read(text.trim(), now, time_zone).map(|written| written.time);
    written.ok_or_else(|| TimeError::at(text, 0..text.len(), TimeMistake::NoTime))
}

/// Reads a time without white space around it.
fn read(text: &str, now: Timestamp, time_zone: Tz) -> Option<WrittenTime> {
    if let Some(rest) = without_prefix(text, "now") {
        return relative(rest, now, time_zone);
    }
    let fixed = Timestamp::parse_rfc3339(text).or_else(|| epoch(text)).or_else(|| calendar(text, time_zone));
    let fixed = fixed.or_else(|| beyond(text)).or_else(|| of_day(text, now, time_zone));
    fixed.map(WrittenTime::fixed).or_else(|| before_now(text, now, time_zone))
}

/// Returns what follows a word, in whatever case it is written.
fn without_prefix<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.get(..word.len()).filter(|start| start.eq_ignore_ascii_case(word)).and_then(|_| text.get(word.len()..))
}

/// Returns a length of time before now: `2h`, `-15m`, `last 2 hours`, `last hour`, `3 days ago`.
fn before_now(text: &str, now: Timestamp, time_zone: Tz) -> Option<WrittenTime> {
    let of_last = without_prefix(text, "last ").or_else(|| without_prefix(text, "past "));
    let length = of_last.or_else(|| text.strip_prefix('-')).unwrap_or(text).trim_start();
    let length = length.strip_suffix(" ago").unwrap_or(length).trim_end();
    if length.starts_with(|c: char| c.is_ascii_digit()) {
        return relative(&format!("-{length}"), now, time_zone);
    }
    let begins_with_unit = of_last.is_some() && length.starts_with(|c: char| c.is_ascii_alphabetic());
    begins_with_unit.then(|| relative(&format!("-1{length}"), now, time_zone))?
}

/// Returns a time of this day or the one before: `today`, `yesterday 14:00`, `06:30:15.5`.
fn of_day(text: &str, now: Timestamp, time_zone: Tz) -> Option<Timestamp> {
    let (word, clock) = text.split_once(' ').unwrap_or((text, ""));
    let today = local_of(now, time_zone)?.date();
    let day = match () {
        () if word.eq_ignore_ascii_case("today") => today,
        () if word.eq_ignore_ascii_case("yesterday") => today.checked_sub_days(Days::new(1))?,
        () => return instant_of(today.and_time(time_of_day(text)?), time_zone),
    };
    let clock = if clock.is_empty() { NaiveTime::MIN } else { time_of_day(clock.trim_start())? };
    instant_of(day.and_time(clock), time_zone)
}

/// `06:00`, `06:00:15`, `06:00:15.25`.
fn time_of_day(text: &str) -> Option<NaiveTime> {
    ["%H:%M", "%H:%M:%S%.f"].iter().find_map(|form| NaiveTime::parse_from_str(text, form).ok())
}

/// The first instant of 2262: no event has a time from there on.
const END: Timestamp = Timestamp(9_214_646_400 * Timestamp::SECOND);

/// Returns the nearest end of the time that events can have, for RFC 3339 times that nanoseconds cannot count: programs
/// write the years 1 and 9999 for ranges without an end.
fn beyond(text: &str) -> Option<Timestamp> {
    let time = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    Some(if time.year() < 1970 { Timestamp(0) } else { END })
}

/// Reads what follows `now`: steps such as `-1h` and roundings such as `/d`, from left to right.
fn relative(text: &str, now: Timestamp, time_zone: Tz) -> Option<WrittenTime> {
    let mut written = WrittenTime { text: "now".to_owned(), time: now };
    let mut rest = text.trim_start();
    let mut sign = '+';
    while let Some(next) = rest.chars().next() {
        // In `now-2h30m` the sign is that of both.
        if sign == '+' && written.text.len() == 3 || !next.is_ascii_digit() {
            sign = next;
            rest = rest.get(1..)?.trim_start();
        }
        let digits_end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, after) = rest.split_at(digits_end);
        let after = after.trim_start();
        let unit_end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (name, unit) = unit_of(&after[..unit_end])?;
        written.time = match sign {
            '/' if digits.is_empty() => floor(written.time, unit, time_zone)?,
            '-' => step(written.time, digits.parse::<i64>().ok()?.checked_neg()?, unit, time_zone)?,
            '+' => step(written.time, digits.parse().ok()?, unit, time_zone)?,
            _ => return None,
        };
        written.text.extend([&*sign.to_string(), digits, name]);
        rest = after[unit_end..].trim_start();
    }
    Some(written)
}

#[derive(Clone, Copy)]
enum Unit {
    Fixed(i64),
    Days(u32),
    Months(u32),
}

/// Returns a unit and its short name. `M` alone is a month, `m` a minute; of longer names the case means nothing.
fn unit_of(text: &str) -> Option<(&'static str, Unit)> {
    let lower = text.to_ascii_lowercase();
    Some(match if text == "M" { text } else { &*lower } {
        "ms" | "millisecond" | "milliseconds" => ("ms", Unit::Fixed(1_000_000)),
        "s" | "sec" | "secs" | "second" | "seconds" => ("s", Unit::Fixed(Timestamp::SECOND)),
        "m" | "min" | "mins" | "minute" | "minutes" => ("m", Unit::Fixed(Timestamp::MINUTE)),
        "h" | "hr" | "hrs" | "hour" | "hours" => ("h", Unit::Fixed(Timestamp::HOUR)),
        "d" | "day" | "days" => ("d", Unit::Days(1)),
        "w" | "week" | "weeks" => ("w", Unit::Days(7)),
        "M" | "mo" | "month" | "months" => ("mo", Unit::Months(1)),
        "q" | "quarter" | "quarters" => ("q", Unit::Months(3)),
        "y" | "year" | "years" => ("y", Unit::Months(12)),
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

/// Returns the instant of a local time; of two the earlier, of none (a clock put forward) the first after it.
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

/// Returns a number since the epoch, in the unit that its size says, with decimals.
fn epoch(text: &str) -> Option<Timestamp> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1i128, digits));
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

/// Returns a date with or without a time of day, in a zone: `2026`, `2026-11`, `2026-11-20`, `2026-11-20
/// 06:00[:00[.5]]`.
fn calendar(text: &str, time_zone: Tz) -> Option<Timestamp> {
    const TIMES: [&str; 4] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    let with_time = TIMES.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let date = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let month = || NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").ok();
    let year = || NaiveDate::parse_from_str(&format!("{text}-01-01"), "%Y-%m-%d").ok().filter(|_| text.len() == 4);
    let local = with_time.or_else(|| Some(date().or_else(month).or_else(year)?.and_time(NaiveTime::MIN)))?;
    instant_of(local, time_zone)
}
