//! Times as people and programs write them, read into instants.
//!
//! [`find_time`] looks for a time at the head of a log line, [`parse_time`] reads a text that is nothing but a
//! time. What a text leaves open comes from [`ArrivalContext`]: the zone, and for forms without a year the instant
//! that the event must be near. A time outside [1970, 2262) is told apart from a text that is no time at all.

mod clock;
mod day;
mod forms;
mod head;
mod memo;
mod names;

pub(crate) use clock::parse_offset;
pub(crate) use day::find_time_of_day;
pub use head::find_time;
pub(crate) use head::{find_time_in, find_time_strictly_at_start};
pub(crate) use memo::TimeMemo;
pub(crate) use names::short_month;

use types::{Timestamp, civil_from_days, days_from_civil};

use crate::{ArrivalContext, Zone};
use clock::WrittenZone;
use forms::{Civil, DateOrder, century};

/// The first instant of 2262, the first year that nanoseconds in an `i64` cannot hold in full.
const END: i64 = 9_214_646_400 * Timestamp::SECOND;

/// The span in which a number of a line or record counts since the epoch: from 1990 up to 2100. Smaller and larger
/// numbers are durations and counts, also where their key is `time`.
const EPOCHS: std::ops::Range<i128> = 631_152_000_000_000_000..4_102_444_800_000_000_000;

/// What a time that could be read stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolvedTime {
    /// An instant that events may have.
    At(Timestamp),
    /// A time before 1970, after 2261, or too far ahead of the clock.
    OutOfRange,
}

/// A time found in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundTime {
    /// When.
    pub time: ResolvedTime,
    /// Where it begins, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// Reads a text that is known to be a time and nothing else, any number since the epoch included; `None` where it is none.
pub fn parse_time(text: &str, received: &ArrivalContext<'_>) -> Option<ResolvedTime> {
    let epoch = || epoch_of_digits(text.trim().as_bytes()).map(|nanos| bounded(nanos, received));
    parse_calendar_time(text, received, &TimeMemo::default()).or_else(epoch)
}

/// Reads a piece of a line or record that may be its time; a number is one only if it is a [plausible epoch](epoch).
pub(crate) fn parse_own_time(text: &str, received: &ArrivalContext<'_>, times: &TimeMemo) -> Option<ResolvedTime> {
    let digits = || epoch_of_digits(text.trim().as_bytes()).and_then(|nanos| epoch(nanos, received));
    parse_calendar_time(text, received, times).or_else(digits)
}

fn parse_calendar_time(text: &str, received: &ArrivalContext<'_>, times: &TimeMemo) -> Option<ResolvedTime> {
    let bytes = text.trim().as_bytes();
    let (civil, _) = times.parse_at(bytes, 0).filter(|(_, end)| *end == bytes.len())?;
    resolve(&civil, received)
}

/// Returns the time that a number of a line or record stands for; `None` for a duration or a count.
pub(crate) fn epoch(nanos: i128, received: &ArrivalContext<'_>) -> Option<ResolvedTime> {
    EPOCHS.contains(&nanos).then(|| bounded(nanos, received))
}

/// Returns the nanoseconds of a number that counts since the epoch, and those of its unit, which shows in the magnitude.
pub(crate) fn epoch_of_integer(number: i64) -> (i128, i64) {
    let unit_ns = unit_of_magnitude(number.unsigned_abs());
    (i128::from(number) * i128::from(unit_ns), unit_ns)
}

/// Nanoseconds of one unit of an epoch number of this magnitude.
fn unit_of_magnitude(magnitude: u64) -> i64 {
    match magnitude {
        0..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    }
}

/// Reads an epoch number with or without a fraction, exactly; digits below a nanosecond are cut off.
pub(crate) fn epoch_of_digits(bytes: &[u8]) -> Option<i128> {
    let (negative, digits) = bytes.strip_prefix(b"-").map_or((false, bytes), |digits| (true, digits));
    let point = digits.iter().position(|b| *b == b'.').unwrap_or(digits.len());
    let (whole, fraction) = digits.split_at(point);
    let fraction = fraction.get(1..).unwrap_or_default();
    let all_digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    if !(1..=19).contains(&whole.len()) || !all_digits(whole) || !all_digits(fraction) || digits.ends_with(b".") {
        return None;
    }
    let number = whole.iter().fold(0u64, |sum, b| sum.wrapping_mul(10).wrapping_add(u64::from(b - b'0')));
    let unit_ns = i128::from(unit_of_magnitude(number));
    let mut nanos = i128::from(number) * unit_ns;
    let mut place = unit_ns;
    for digit in fraction {
        place /= 10;
        if place == 0 {
            break;
        }
        nanos += place * i128::from(digit - b'0');
    }
    Some(if negative { -nanos } else { nanos })
}

/// The nanoseconds of an epoch number that is not written as plain digits.
pub(crate) fn epoch_of_float(number: f64) -> i128 {
    // Casts saturate, and all beyond is out of range.
    (number * unit_of_magnitude(number.abs() as u64) as f64) as i128
}

/// A number of nanoseconds since the epoch as the time of an event, which happened neither before the epoch nor after it arrived.
pub fn bounded(nanos: i128, received: &ArrivalContext<'_>) -> ResolvedTime {
    let latest = i128::from(received.at.0) + i128::from(received.limits.future_ns_max);
    if nanos < 0 || nanos >= i128::from(END) || nanos > latest {
        return ResolvedTime::OutOfRange;
    }
    ResolvedTime::At(Timestamp(nanos as i64))
}

/// Where the calendar time ends that a text begins with.
pub(crate) fn time_end(text: &[u8]) -> Option<usize> {
    forms::parse_at(text, 0).map(|(_, end)| end)
}

/// Turns a calendar time into an instant; `None` where there is no such day.
fn resolve(civil: &Civil, received: &ArrivalContext<'_>) -> Option<ResolvedTime> {
    let Some(year) = civil.year else { return resolve_without_year(civil, received) };
    let read = |year: i64, month: u32, day: u32| {
        let read = Civil { month, day, ..*civil };
        civil_nanos(&read, year, received).map(|nanos| bounded(nanos, received))
    };
    match civil.order {
        DateOrder::Sure => read(year, civil.month, civil.day),
        // Where the month first lies ahead of the clock, the day is first.
        DateOrder::MonthFirst => match read(year, civil.month, civil.day) {
            Some(time @ ResolvedTime::At(_)) => Some(time),
            other => read(year, civil.day, civil.month).filter(|time| *time != ResolvedTime::OutOfRange).or(other),
        },
        DateOrder::Short => nearest_short(civil, year as u32, read, received),
    }
}

/// Of three numbers of two digits, the order that puts the time nearest to the file's modification, or the arrival.
fn nearest_short(
    civil: &Civil,
    first: u32,
    read: impl Fn(i64, u32, u32) -> Option<ResolvedTime>,
    received: &ArrivalContext<'_>,
) -> Option<ResolvedTime> {
    let near = received.modified.unwrap_or(received.at);
    let year_first = read(century(first), civil.month, civil.day);
    let last = century(civil.day);
    let month_first = read(last, first, civil.month).filter(|time| matches!(time, ResolvedTime::At(_)));
    let year_last = month_first.or_else(|| read(last, civil.month, first));
    [year_first, year_last].into_iter().flatten().min_by_key(|time| match time {
        ResolvedTime::At(instant) => instant.0.abs_diff(near.0),
        ResolvedTime::OutOfRange => u64::MAX,
    })
}

fn civil_nanos(civil: &Civil, year: i64, received: &ArrivalContext<'_>) -> Option<i128> {
    let days = days_from_civil(year, civil.month, civil.day)?;
    let local = days * 86_400 + i64::from(civil.second_of_day);
    let seconds = match civil.zone {
        WrittenZone::None => received.zone.utc_seconds(local),
        WrittenZone::Offset(offset) => local - i64::from(offset),
        WrittenZone::Named(zone) => Zone::Named(zone).utc_seconds(local),
        WrittenZone::Abbreviation(name) => local - offset_of(name.trim_ascii_end(), local, received),
    };
    Some(i128::from(seconds) * 1_000_000_000 + i128::from(civil.nanos))
}

/// What an abbreviation means, in seconds east of UTC: what it does in the source's zone, or else what puts the time within a
/// minute of the event before it, or else the most common of its meanings that does not put the time ahead of the clock.
fn offset_of(name: &[u8], local: i64, received: &ArrivalContext<'_>) -> i64 {
    /// How far clocks may differ; meanings differ by an hour at least.
    const SKEW_SECONDS: i64 = 30 * 60;
    let meanings = names::meanings(name).unwrap_or(&[0]);
    let offsets = || meanings.iter().map(|minutes| i64::from(*minutes) * 60);
    let common = i64::from(meanings[0]) * 60;
    if meanings.len() == 1 {
        return common;
    }
    let near = received.modified.unwrap_or(received.at).0 / Timestamp::SECOND + SKEW_SECONDS;
    let of_zone = offset_of_source(name, meanings, local, received);
    // Meanings differ by hours: after a night without a line none of them is as near.
    let is_near = |before: Timestamp, offset: &i64| (local - offset - before.0 / Timestamp::SECOND).abs() <= 60;
    let of_previous = || received.previous.and_then(|before| offsets().find(|offset| is_near(before, offset)));
    of_zone.or_else(of_previous).or_else(|| offsets().find(|offset| local - offset <= near)).unwrap_or(common)
}

/// The name of the zone that a time is written with, and what it may mean in minutes east of UTC, where it may mean several
/// and the source's zone does not decide.
pub fn ambiguous_zone<'t>(time: &'t str, received: &ArrivalContext<'_>) -> Option<(&'t str, &'static [i16])> {
    let (civil, _) = forms::parse_at(time.as_bytes(), 0)?;
    let (name, meanings) = undecided_zone(&civil, received)?;
    let name = name.as_str();
    time.find(name).map(|place| (&time[place..place + name.len()], meanings))
}

/// The field with the abbreviation of a time's zone, if other zones use the same abbreviation.
pub(crate) const ASSUMED_ZONE: &str = "@timestampZone";

/// Returns the abbreviation of the zone of the time that was read last, if that time is `time`, several zones share the
/// abbreviation, and the source's zone does not decide among them.
pub(crate) fn assumed_zone(times: &TimeMemo, time: Timestamp, received: &ArrivalContext<'_>) -> Option<ZoneName> {
    let civil = times.last()?;
    let (name, _) = undecided_zone(&civil, received)?;
    (resolve(&civil, received) == Some(ResolvedTime::At(time))).then_some(name)
}

fn undecided_zone(civil: &Civil, received: &ArrivalContext<'_>) -> Option<(ZoneName, &'static [i16])> {
    let WrittenZone::Abbreviation(padded) = civil.zone else { return None };
    let name = padded.trim_ascii_end();
    let meanings = names::meanings(name).filter(|meanings| meanings.len() > 1)?;
    let day = civil.year.and_then(|year| days_from_civil(year, civil.month, civil.day));
    let of_source = day.and_then(|day| offset_of_source(name, meanings, day * 86_400, received));
    of_source.is_none().then_some((ZoneName(padded), meanings))
}

/// The abbreviation of a zone, padded with blanks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ZoneName([u8; 4]);

impl ZoneName {
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default().trim_ascii_end()
    }
}

/// Returns the offset in seconds that the source's zone gives to an abbreviation with several meanings.
fn offset_of_source(name: &[u8], meanings: &[i16], local: i64, received: &ArrivalContext<'_>) -> Option<i64> {
    let mut offsets = meanings.iter().map(|minutes| i64::from(*minutes) * 60);
    offsets.find(|offset| received.zone.uses(name, *offset, local - offset))
}

/// Takes the latest year that puts the time at most a day after the file's modification, or the arrival.
fn resolve_without_year(civil: &Civil, received: &ArrivalContext<'_>) -> Option<ResolvedTime> {
    let near = received.modified.unwrap_or(received.at);
    let latest = i128::from(near.0) + i128::from(Timestamp::DAY);
    let (year, month, day) = civil_from_days(near.day());
    // Only in the last days of a year may a time be of the next one.
    let last = if (month, day) < (12, 28) { year } else { year + 1 };
    // Nine years reach back over the longest gap between two leap days.
    for candidate in (year - 8..=last).rev() {
        if let Some(nanos) = civil_nanos(civil, candidate, received).filter(|nanos| *nanos <= latest) {
            return Some(bounded(nanos, received));
        }
    }
    None
}

#[cfg(test)]
mod tests;
