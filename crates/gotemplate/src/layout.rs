//! Times by example: layouts such as `2006-01-02T15:04:05Z07:00`, as Go writes and reads them.

use chrono::{NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

use crate::times::{Civil, Zone, ZonedTime};

const MONTHS: [&str; 12] = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A part of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongDay,
    WeekDay,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    Noon,
    SmallNoon,
    ZoneName,
    /// An offset: `Z` for UTC, a colon, seconds, only hours.
    Offset {
        is_z: bool,
        has_colon: bool,
        has_seconds: bool,
        is_short: bool,
    },
    /// Digits of a fraction; zeros at the end left out where they are nines.
    Fraction {
        separator: char,
        n_digits: usize,
        is_short: bool,
    },
}

const fn offset(is_z: bool, has_colon: bool, has_seconds: bool, is_short: bool) -> Part {
    Part::Offset { is_z, has_colon, has_seconds, is_short }
}

/// Parts by their spelling, longer ones before those that they begin with.
const PARTS: [(&str, Part); 36] = [
    ("January", Part::LongMonth),
    ("Jan", Part::Month),
    ("Monday", Part::LongDay),
    ("Mon", Part::WeekDay),
    ("MST", Part::ZoneName),
    ("002", Part::ZeroYearDay),
    ("01", Part::ZeroMonth),
    ("02", Part::ZeroDay),
    ("03", Part::ZeroHour12),
    ("04", Part::ZeroMinute),
    ("05", Part::ZeroSecond),
    ("06", Part::Year),
    ("15", Part::Hour),
    ("1", Part::NumMonth),
    ("2006", Part::LongYear),
    ("2", Part::Day),
    ("__2", Part::UnderYearDay),
    ("_2006", Part::LongYear),
    ("_2", Part::UnderDay),
    ("3", Part::Hour12),
    ("4", Part::Minute),
    ("5", Part::Second),
    ("PM", Part::Noon),
    ("pm", Part::SmallNoon),
    ("-070000", offset(false, false, true, false)),
    ("-07:00:00", offset(false, true, true, false)),
    ("-0700", offset(false, false, false, false)),
    ("-07:00", offset(false, true, false, false)),
    ("-07", offset(false, false, false, true)),
    ("Z070000", offset(true, false, true, false)),
    ("Z07:00:00", offset(true, true, true, false)),
    ("Z0700", offset(true, false, false, false)),
    ("Z07:00", offset(true, true, false, false)),
    ("Z07", offset(true, false, false, true)),
    (".", Part::Fraction { separator: '.', n_digits: 0, is_short: false }),
    (",", Part::Fraction { separator: ',', n_digits: 0, is_short: false }),
];

/// Returns the part at the start of a layout, and its length.
fn part(layout: &str) -> Option<(Part, usize)> {
    let (spelling, part) = PARTS.iter().find(|(spelling, _)| layout.starts_with(spelling))?;
    let rest = &layout[spelling.len()..];
    match part {
        Part::Fraction { separator, .. } => {
            let (separator, digit) = (*separator, rest.chars().next().filter(|c| matches!(c, '0' | '9'))?);
            let n_digits = rest.bytes().take_while(|b| *b == digit as u8).count();
            let is_end = !rest[n_digits..].starts_with(|c: char| c.is_ascii_digit());
            is_end.then_some((Part::Fraction { separator, n_digits, is_short: digit == '9' }, n_digits + 1))
        }
        // `Month` is no month, `Money` no day.
        Part::Month | Part::WeekDay if rest.starts_with(|c: char| c.is_ascii_lowercase()) => None,
        // The underscore before a year is a sign of its own.
        Part::LongYear if layout.starts_with('_') => None,
        part => Some((*part, spelling.len())),
    }
}

/// Literals and parts of a layout, in order.
fn parts(layout: &str) -> Vec<(&str, Option<Part>)> {
    let (mut parts, mut from, mut at) = (Vec::new(), 0, 0);
    while at < layout.len() {
        match part(&layout[at..]) {
            Some((part, n_bytes)) => {
                parts.push((&layout[from..at], Some(part)));
                at += n_bytes;
                from = at;
            }
            None => at += layout[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    parts.push((&layout[from..], None));
    parts
}

/// Writes a time by a layout.
pub fn format(moment: &ZonedTime, layout: &str) -> String {
    let civil = moment.civil();
    let mut out = String::new();
    for (literal, part) in parts(layout) {
        out.push_str(literal);
        if let Some(part) = part {
            out.push_str(&written(part, &civil));
        }
    }
    out
}

fn written(part: Part, civil: &Civil) -> String {
    let month = MONTHS[(civil.month as usize - 1).min(11)];
    let day = DAYS[(civil.weekday as usize).min(6)];
    let hour12 = if civil.hour.is_multiple_of(12) { 12 } else { civil.hour % 12 };
    let noon = if civil.hour >= 12 { "PM" } else { "AM" };
    match part {
        Part::LongMonth => month.to_owned(),
        Part::Month => month[..3].to_owned(),
        Part::NumMonth => civil.month.to_string(),
        Part::ZeroMonth => format!("{:02}", civil.month),
        Part::LongDay => day.to_owned(),
        Part::WeekDay => day[..3].to_owned(),
        Part::Day => civil.day.to_string(),
        Part::UnderDay => format!("{:2}", civil.day),
        Part::ZeroDay => format!("{:02}", civil.day),
        Part::UnderYearDay => format!("{:3}", civil.day_of_year),
        Part::ZeroYearDay => format!("{:03}", civil.day_of_year),
        Part::Hour => format!("{:02}", civil.hour),
        Part::Hour12 => hour12.to_string(),
        Part::ZeroHour12 => format!("{hour12:02}"),
        Part::Minute => civil.minute.to_string(),
        Part::ZeroMinute => format!("{:02}", civil.minute),
        Part::Second => civil.second.to_string(),
        Part::ZeroSecond => format!("{:02}", civil.second),
        Part::LongYear => format!("{:04}", civil.year),
        Part::Year => format!("{:02}", civil.year.rem_euclid(100)),
        Part::Noon => noon.to_owned(),
        Part::SmallNoon => noon.to_lowercase(),
        Part::ZoneName if civil.zone.is_empty() || civil.zone.starts_with(['+', '-']) => short_offset(civil.offset_s),
        Part::ZoneName => civil.zone.clone(),
        Part::Offset { is_z: true, .. } if civil.offset_s == 0 => "Z".to_owned(),
        Part::Offset { has_colon, has_seconds, is_short, .. } => {
            let (sign, seconds) = (if civil.offset_s < 0 { '-' } else { '+' }, civil.offset_s.abs());
            let colon = if has_colon { ":" } else { "" };
            let mut text = format!("{sign}{:02}", seconds / 3600);
            if !is_short {
                text.push_str(&format!("{colon}{:02}", seconds / 60 % 60));
            }
            if has_seconds {
                text.push_str(&format!("{colon}{:02}", seconds % 60));
            }
            text
        }
        Part::Fraction { separator, n_digits, is_short } => {
            let digits = format!("{:09}", civil.nanosecond);
            let digits: String = digits.chars().chain(std::iter::repeat('0')).take(n_digits).collect();
            let shown = if is_short { digits.trim_end_matches('0') } else { &digits };
            if shown.is_empty() { String::new() } else { format!("{separator}{shown}") }
        }
    }
}

/// Returns an offset as a zone without a name has it: `+05`, `+0530`.
fn short_offset(offset_s: i32) -> String {
    let (sign, minutes) = (if offset_s < 0 { '-' } else { '+' }, offset_s.abs() / 60);
    let rest = if minutes % 60 == 0 { String::new() } else { format!("{:02}", minutes % 60) };
    format!("{sign}{:02}{rest}", minutes / 60)
}

/// What was read of a time so far.
#[derive(Default)]
struct TimeParts {
    year: i32,
    month: u32,
    day: u32,
    day_of_year: Option<u32>,
    hour: u32,
    minute: u32,
    second: u32,
    nanosecond: u32,
    is_afternoon: Option<bool>,
    offset_s: Option<i32>,
    is_utc: bool,
}

/// Reads a time by a layout; without a zone in it, it is one of `zone`.
pub fn parse(layout: &str, text: &str, zone: Tz) -> Option<ZonedTime> {
    let mut read = TimeParts { month: 1, day: 1, ..TimeParts::default() };
    let mut rest = text;
    let parts = parts(layout);
    for (index, (literal, part)) in parts.iter().enumerate() {
        rest = after_literal(rest, literal)?;
        let Some(part) = part else { break };
        let next_is_fraction = matches!(parts.get(index + 1), Some(("", Some(Part::Fraction { .. }))));
        rest = take(*part, rest, &mut read)?;
        // Seconds may have a fraction that the layout does not speak of.
        if matches!(part, Part::Second | Part::ZeroSecond) && !next_is_fraction {
            rest = fraction(rest, &mut read);
        }
    }
    rest.is_empty().then(|| moment(&read, zone)).flatten()
}

/// Returns what follows a literal of the layout; a space in it matches any number of spaces.
fn after_literal<'t>(text: &'t str, literal: &str) -> Option<&'t str> {
    let mut rest = text;
    for c in literal.chars() {
        match c {
            ' ' => rest = rest.trim_start_matches(' '),
            c => rest = rest.strip_prefix(c)?,
        }
    }
    Some(rest)
}

fn fraction<'t>(rest: &'t str, read: &mut TimeParts) -> &'t str {
    let Some(digits) = rest.strip_prefix(['.', ',']) else { return rest };
    let n_digits = digits.bytes().take_while(u8::is_ascii_digit).count();
    if n_digits == 0 {
        return rest;
    }
    let padded: String = digits[..n_digits].chars().chain(std::iter::repeat('0')).take(9).collect();
    read.nanosecond = padded.parse().unwrap_or(0);
    &digits[n_digits..]
}

/// Returns a number of `least` to `most` digits, and what follows it.
fn number(rest: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let n_digits = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    (n_digits >= least).then(|| Some((rest[..n_digits].parse().ok()?, &rest[n_digits..])))?
}

/// Returns the place of a name that the text begins with, and what follows it.
fn name<'t>(rest: &'t str, names: &[&str], n_bytes: Option<usize>) -> Option<(u32, &'t str)> {
    names.iter().enumerate().find_map(|(index, name)| {
        let name = &name[..n_bytes.unwrap_or(name.len())];
        let start = rest.get(..name.len())?;
        start.eq_ignore_ascii_case(name).then(|| (index as u32, &rest[name.len()..]))
    })
}

fn take<'t>(part: Part, rest: &'t str, read: &mut TimeParts) -> Option<&'t str> {
    let spaced = rest.strip_prefix(' ').unwrap_or(rest);
    let (value, after) = match part {
        Part::LongMonth => name(rest, &MONTHS, None)?,
        Part::Month => name(rest, &MONTHS, Some(3))?,
        Part::LongDay => name(rest, &DAYS, None)?,
        Part::WeekDay => name(rest, &DAYS, Some(3))?,
        Part::LongYear => number(rest, 4, 4)?,
        Part::Year => number(rest, 2, 2)?,
        Part::ZeroYearDay => number(rest, 3, 3)?,
        Part::UnderYearDay => number(rest.trim_start_matches(' '), 1, 3)?,
        Part::ZeroMonth | Part::ZeroDay | Part::ZeroHour12 | Part::ZeroMinute | Part::ZeroSecond => number(rest, 2, 2)?,
        Part::UnderDay => number(spaced, 1, 2)?,
        Part::NumMonth | Part::Day | Part::Hour | Part::Hour12 | Part::Minute | Part::Second => number(rest, 1, 2)?,
        Part::Noon | Part::SmallNoon => name(rest, &["AM", "PM"], None)?,
        Part::ZoneName => return zone_name(rest, read),
        Part::Offset { is_z, has_colon, has_seconds, is_short } => {
            return take_offset(rest, read, is_z, (has_colon, has_seconds, is_short));
        }
        Part::Fraction { is_short, .. } => {
            let after = fraction(rest, read);
            return (is_short || after.len() < rest.len()).then_some(after);
        }
    };
    match part {
        Part::LongMonth | Part::Month => read.month = value + 1,
        Part::NumMonth | Part::ZeroMonth => read.month = value,
        Part::Day | Part::UnderDay | Part::ZeroDay => read.day = value,
        Part::UnderYearDay | Part::ZeroYearDay => read.day_of_year = Some(value),
        Part::Hour | Part::Hour12 | Part::ZeroHour12 => read.hour = value,
        Part::Minute | Part::ZeroMinute => read.minute = value,
        Part::Second | Part::ZeroSecond => read.second = value,
        Part::LongYear => read.year = value as i32,
        Part::Year => read.year = value as i32 + if value >= 69 { 1900 } else { 2000 },
        Part::Noon | Part::SmallNoon => read.is_afternoon = Some(value == 1),
        _ => {}
    }
    Some(after)
}

fn zone_name<'t>(rest: &'t str, read: &mut TimeParts) -> Option<&'t str> {
    let n_letters = rest.bytes().take_while(u8::is_ascii_uppercase).count();
    (3..=5).contains(&n_letters).then(|| {
        read.is_utc = matches!(&rest[..n_letters], "UTC" | "GMT");
        &rest[n_letters..]
    })
}

fn take_offset<'t>(rest: &'t str, read: &mut TimeParts, is_z: bool, form: (bool, bool, bool)) -> Option<&'t str> {
    if let Some(after) = rest.strip_prefix('Z').filter(|_| is_z) {
        read.offset_s = Some(0);
        return Some(after);
    }
    let (has_colon, has_seconds, is_short) = form;
    let sign = match rest.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, mut rest) = number(&rest[1..], 2, 2)?;
    let mut seconds = hours * 3600;
    let mut more = |factor: u32| {
        rest = if has_colon { rest.strip_prefix(':')? } else { rest };
        let (value, after) = number(rest, 2, 2)?;
        (seconds, rest) = (seconds + value * factor, after);
        Some(())
    };
    if !is_short {
        more(60)?;
    }
    if has_seconds {
        more(1)?;
    }
    read.offset_s = Some(sign * seconds as i32);
    Some(rest)
}

fn moment(read: &TimeParts, zone: Tz) -> Option<ZonedTime> {
    let hour = match (read.is_afternoon, read.hour) {
        (Some(true), hour) if hour < 12 => hour + 12,
        (Some(false), 12) => 0,
        (_, hour) => hour,
    };
    let date = match read.day_of_year {
        Some(day) => NaiveDate::from_yo_opt(read.year, day)?,
        None => NaiveDate::from_ymd_opt(read.year, read.month, read.day)?,
    };
    let local = date.and_hms_nano_opt(hour, read.minute, read.second, read.nanosecond)?;
    let (utc, zone) = match read.offset_s {
        Some(offset) => (local - chrono::TimeDelta::seconds(i64::from(offset)), Zone::Offset(offset)),
        None if read.is_utc => (local, Zone::Named(Tz::UTC)),
        None => {
            // Go's way, which also gives an hour that is skipped or that comes twice an instant.
            let offset = |at: &NaiveDateTime| zone.offset_from_utc_datetime(at).fix();
            let nearly = offset(&local);
            (local - if nearly.local_minus_utc() == 0 { nearly } else { offset(&(local - nearly)) }, Zone::Named(zone))
        }
    };
    Some(ZonedTime { seconds: utc.and_utc().timestamp(), nanoseconds: read.nanosecond, zone })
}
