//! Ranges of time as people write them: `2h`, `yesterday`, `2026-11-20 06:00..07:00`.

#[cfg(test)]
mod tests;

use std::ops::Range;

use chrono::{Days, Months, NaiveDate};
use chrono_tz::Tz;
use types::Timestamp;

use super::{TimeError, TimeMistake, WrittenTime, instant_of, local_of, read, time_of_day, without_prefix};

/// Both ends of a range; the last one belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenRange {
    /// Where it begins.
    pub from: WrittenTime,
    /// Where it ends.
    pub to: WrittenTime,
}

/// What is between two ends. A single dash is inside dates.
const BETWEEN: [&str; 5] = ["..", " to ", " until ", " – ", " — "];

/// Reports whether a text names two ends, as `06:00..07:00` does.
pub fn has_two_ends(text: &str) -> bool {
    BETWEEN.iter().any(|between| text.contains(between))
}

/// Reads a range.
///
/// Two times that [`parse`](super::parse) reads with `..`, `to` or `until` between them, of which the second has the
/// day of the first where it is a time of day alone; a single day, month or year (`today`, `yesterday`, `2026-11-20`,
/// `2026-11`), from its first to its last instant; any other time, until now; `all`.
pub fn parse_range(text: &str, now: Timestamp, time_zone: Tz) -> Result<WrittenRange, TimeError> {
    let range = match ends(text)? {
        (first, Some(second)) => two_ends(text, first, second, now, time_zone)?,
        (only, None) => one_end(text, only, now, time_zone)?,
    };
    if range.from.time > range.to.time {
        return Err(TimeError::at(text, trimmed(text, 0..text.len()), TimeMistake::Backwards));
    }
    Ok(range)
}

/// Returns the places of the ends in the text.
fn ends(text: &str) -> Result<(Range<usize>, Option<Range<usize>>), TimeError> {
    let found = BETWEEN.iter().filter_map(|between| Some((text.find(between)?, between.len()))).min();
    let Some((at, length)) = found else { return Ok((trimmed(text, 0..text.len()), None)) };
    let second = at + length..text.len();
    if has_two_ends(&text[second.clone()]) {
        return Err(TimeError::at(text, trimmed(text, 0..text.len()), TimeMistake::TooManyEnds));
    }
    Ok((trimmed(text, 0..at), Some(trimmed(text, second))))
}

/// Returns a place without the white space at its ends.
fn trimmed(text: &str, place: Range<usize>) -> Range<usize> {
    let part = &text[place.clone()];
    let start = place.start + part.len() - part.trim_start().len();
    start..start.max(place.end - (part.len() - part.trim_end().len()))
}

fn two_ends(
    text: &str,
    first: Range<usize>,
    second: Range<usize>,
    now: Timestamp,
    time_zone: Tz,
) -> Result<WrittenRange, TimeError> {
    let wrong = |place: &Range<usize>| TimeError::at(text, place.clone(), TimeMistake::NoTime);
    let from = read(&text[first.clone()], now, time_zone).ok_or_else(|| wrong(&first))?;
    let same_day = || {
        let clock = time_of_day(&text[second.clone()])?;
        let day = local_of(from.time, time_zone)?.date();
        instant_of(day.and_time(clock), time_zone).map(WrittenTime::fixed)
    };
    let to = if second.is_empty() {
        read("now", now, time_zone)
    } else {
        same_day().or_else(|| read(&text[second.clone()], now, time_zone))
    };
    Ok(WrittenRange { to: to.ok_or_else(|| wrong(&second))?, from })
}

fn one_end(text: &str, place: Range<usize>, now: Timestamp, time_zone: Tz) -> Result<WrittenRange, TimeError> {
    let written = &text[place.clone()];
    let wrong = || TimeError::at(text, place.clone(), TimeMistake::NoTime);
    let relative = |text: &str| read(text, now, time_zone).ok_or_else(wrong);
    let until_now = |from: WrittenTime| Ok(WrittenRange { from, to: relative("now")? });
    if written.eq_ignore_ascii_case("yesterday") {
        return Ok(WrittenRange { from: relative("now-1d/d")?, to: relative("now/d")? });
    }
    if written.eq_ignore_ascii_case("today") {
        return until_now(relative("now/d")?);
    }
    if written.eq_ignore_ascii_case("all") || written.eq_ignore_ascii_case("all time") {
        return until_now(WrittenTime::fixed(Timestamp(0)));
    }
    if let Some((first, next)) = whole(written) {
        let at = |day: NaiveDate| instant_of(day.and_time(chrono::NaiveTime::MIN), time_zone).ok_or_else(wrong);
        let last = Timestamp(at(next)?.0.saturating_sub(1));
        return Ok(WrittenRange { from: WrittenTime::fixed(at(first)?), to: WrittenTime::fixed(last) });
    }
    let since = without_prefix(written, "since ").unwrap_or(written).trim_start();
    until_now(read(since, now, time_zone).ok_or_else(wrong)?)
}

/// First day of the day, month or year that is written, and of the next one.
fn whole(text: &str) -> Option<(NaiveDate, NaiveDate)> {
    let date = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    if let Some(day) = date(text) {
        return Some((day, day.checked_add_days(Days::new(1))?));
    }
    if let Some(month) = date(&format!("{text}-01")) {
        return Some((month, month.checked_add_months(Months::new(1))?));
    }
    let year = date(&format!("{text}-01-01")).filter(|_| text.len() == 4)?;
    Some((year, year.checked_add_months(Months::new(12))?))
}
