//! The written forms of a calendar time, each read at a given place of a line: a date, what stands between it and the time of
//! day, and what follows that: a zone, or the year.

use super::clock::{
    Clock, WrittenZone, clock, compact_clock, dotted_clock, hyphened_clock, loose_clock, n_digits, number,
    offset_of_minutes, short_number, two_digits, zone_after,
};
use super::names::{month_at, short_month, weekday_end};

/// A calendar time as written; what the text does not say is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: Option<i64>,
    pub(super) month: u32,
    pub(super) day: u32,
    pub(super) order: DateOrder,
    pub(super) second_of_day: u32,
    pub(super) nanos: u32,
    pub(super) zone: WrittenZone,
}

/// Which number of a date is what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DateOrder {
    Sure,
    /// Month and day may change places.
    MonthFirst,
    /// Three numbers of two digits, taken for year, month and day; the month or the day may be first instead.
    Short,
}

/// A date and where the text goes on.
#[derive(Clone, Copy)]
struct Date {
    year: Option<i64>,
    month: u32,
    day: u32,
    order: DateOrder,
    end: usize,
}

/// Blanks between a date and a time of day.
const BLANKS_MAX: usize = 4;

/// Reads the calendar time that begins at `at`, in any known form, and says where it ends.
pub(super) fn parse_at(b: &[u8], at: usize) -> Option<(Civil, usize)> {
    match b.get(at)? {
        b'0'..=b'9' => digits_first(b, at),
        b'A'..=b'Z' | b'a'..=b'z' | 0x80.. => letters_first(b, at),
        _ => None,
    }
}

fn digits_first(b: &[u8], at: usize) -> Option<(Civil, usize)> {
    if b.get(at + 13) == Some(&b':')
        && let Some(found) = whole(b, at)
    {
        return Some(found);
    }
    if b.get(at + 11) == Some(&b':')
        && let Some((date, clock)) = of_access_log(b, at)
    {
        return with_zone(b, date, clock?);
    }
    let length = n_digits(b, at);
    let next = at + length;
    match (length, b.get(next).copied()?) {
        (4, separator @ (b'-' | b'/' | b'.')) => {
            let date =
                year_month_day(b, at, separator).or_else(|| year_name_day(b, at)).or_else(|| day_of_year(b, at))?;
            timed(b, date)
        }
        (4, b' ') => timed(b, year_name_day(b, at)?),
        (4, 0xe5) => timed(b, east_asian(b, at)?),
        (8, b'T' | b't' | b'-' | b' ' | b'\t' | b'_' | b':' | b'.') => eight_digits(b, at),
        (6, b' ' | b'\t') => six_digits(b, at),
        (14, _) => fourteen_digits(b, at),
        (1 | 2, b'/' | b'-' | b'.' | b' ') => {
            let date = match b.get(next + 1)? {
                b'0'..=b'9' => three_numbers(b, at, next)?,
                _ => day_name_year(b, at, next)?,
            };
            timed(b, date)
        }
        (1 | 2, 0xe6 | 0xec) => timed(b, numbered_month(b, at, next)?),
        _ => None,
    }
}

/// `2026-11-20T06:47:13`: what most lines begin with, at fixed places.
fn whole(b: &[u8], at: usize) -> Option<(Civil, usize)> {
    let text: &[u8; 19] = b[at..].first_chunk()?;
    let has_marks = matches!((text[4], text[7]), (b'-', b'-') | (b'/', b'/'))
        && matches!(text[10], b'T' | b' ')
        && text[16] == b':';
    if !has_marks {
        return None;
    }
    let year = two_digits(text, 0)? * 100 + two_digits(text, 2)?;
    let found = date(Some(i64::from(year)), (two_digits(text, 5)?, two_digits(text, 8)?), at + 10)?;
    with_zone(b, found, clock(b, at + 11)?)
}

/// Reads the form of access logs, `20/Nov/2026:06:47:13`, whose parts are at fixed places: the date, and the time of
/// day if it is valid.
fn of_access_log(b: &[u8], at: usize) -> Option<(Date, Option<Clock>)> {
    let text: &[u8; 15] = b[at..].first_chunk()?;
    let has_marks = (text[2], text[6], text[14]) == (b'/', b'/', b':') && text[12].is_ascii_digit();
    let month = short_month(&[text[3], text[4], text[5]]).filter(|_| has_marks)?;
    let year = two_digits(text, 7)? * 100 + two_digits(text, 9)?;
    Some((date(Some(i64::from(year)), (month, two_digits(text, 0)?), at + 11)?, clock(b, at + 12)))
}

fn letters_first(b: &[u8], at: usize) -> Option<(Civil, usize)> {
    if matches!(b[at], b'I' | b'W' | b'E' | b'F' | b'D') && b.get(at + 1).is_some_and(u8::is_ascii_digit) {
        return glog(b, at);
    }
    let start = if matches!(b[at], b'M' | b'T' | b'W' | b'F' | b'S') { weekday_end(b, at) } else { None };
    if let Some(start) = start.filter(|start| b.get(*start).is_some_and(u8::is_ascii_digit)) {
        return digits_first(b, start);
    }
    timed(b, name_day_year(b, start.unwrap_or(at))?)
}

/// `2026-11-20`, `2026/1/2`, `2026.11.20`.
fn year_month_day(b: &[u8], at: usize, separator: u8) -> Option<Date> {
    let (month, day_at) = short_number(b, at + 5)?;
    if b.get(day_at) != Some(&separator) {
        return None;
    }
    let (day, end) = short_number(b, day_at + 1)?;
    date(Some(i64::from(number(b, at, 4)?)), (month, day), end)
}

/// `2026-Nov-20`, `2026 Nov 20`.
fn year_name_day(b: &[u8], at: usize) -> Option<Date> {
    let (month, month_end) = month_at(b, at + 5)?;
    let (day, end) = short_number(b, skip_blanks(b, month_end + 1))?;
    date(Some(i64::from(number(b, at, 4)?)), (month, day), end)
}

/// `2026-330T06:47:13`: the day counts from the beginning of the year.
fn day_of_year(b: &[u8], at: usize) -> Option<Date> {
    let end = at + 8;
    if b[at + 4] != b'-' || n_digits(b, at + 5) != 3 || !matches!(b.get(end), Some(b'T' | b' ')) {
        return None;
    }
    let (year, day) = (i64::from(number(b, at, 4)?), i64::from(number(b, at + 5, 3)?));
    let (of_year, month, day) = types::civil_from_days(types::days_from_civil(year, 1, 1)? + day - 1);
    if of_year != year { None } else { date(Some(year), (month, day), end) }
}

/// `2026年11月20日`.
fn east_asian(b: &[u8], at: usize) -> Option<Date> {
    let month_at = at + 4 + "年".len();
    let (month, month_end) = short_number(b, month_at)?;
    let (day, day_end) = short_number(b, month_end + "月".len())?;
    let is_so = b[at + 4..].starts_with("年".as_bytes())
        && b[month_end..].starts_with("月".as_bytes())
        && b[day_end..].starts_with("日".as_bytes());
    if is_so { date(Some(i64::from(number(b, at, 4)?)), (month, day), day_end + 3) } else { None }
}

/// `11月 20`, `11월 20`: what C's libraries write for a month in Chinese, Japanese and Korean.
fn numbered_month(b: &[u8], at: usize, next: usize) -> Option<Date> {
    let is_month = ["月", "월"].iter().any(|sign| b[next..].starts_with(sign.as_bytes()));
    let (day, end) = short_number(b, skip_blanks(b, next + 3))?;
    if is_month { date(None, (short_number(b, at)?.0, day), end) } else { None }
}

/// `20261120T064713Z`, `20261120-06:47:13:123`, `20261120.064713`, `20261120 06:47:13`.
fn eight_digits(b: &[u8], at: usize) -> Option<(Civil, usize)> {
    let found = basic_date(b, at, 4)?;
    let from = skip_blanks(b, found.end + 1);
    let clock = if n_digits(b, from) == 6 {
        compact_clock(b, from)?
    } else if b[found.end] == b'-' {
        loose_clock(b, from)?
    } else {
        clock(b, from)?
    };
    with_zone(b, found, clock)
}

/// `081109 203615`: two-digit year, month, day, then the time of day, also `081109  9:36:15`.
fn six_digits(b: &[u8], at: usize) -> Option<(Civil, usize)> {
    let found = basic_date(b, at, 2)?;
    let from = skip_blanks(b, found.end + 1);
    let clock = compact_clock(b, from).or_else(|| clock(b, from).filter(|clock| clock.has_seconds))?;
    with_zone(b, found, clock)
}

/// `20261120064713`, alone or with a fraction or a zone.
fn fourteen_digits(b: &[u8], at: usize) -> Option<(Civil, usize)> {
    let found = basic_date(b, at, 4)?;
    let clock = compact_clock(b, found.end)?;
    let is_alone = !b.get(clock.end).is_some_and(|byte| byte.is_ascii_alphanumeric() && *byte != b'Z');
    if is_alone && (1990..2100).contains(&found.year?) { with_zone(b, found, clock) } else { None }
}

fn basic_date(b: &[u8], at: usize, year_digits: usize) -> Option<Date> {
    let year = number(b, at, year_digits)?;
    let year = if year_digits == 2 { century(year) } else { i64::from(year) };
    let month_at = at + year_digits;
    date(Some(year), (two_digits(b, month_at)?, two_digits(b, month_at + 2)?), month_at + 4)
}

/// `11/20/2026`, `20.11.2026`, `20-11-2026`, `20 11 2026`, `26/11/20`, `11-20`, `11/20`, `10.30`. `next` is the first separator.
fn three_numbers(b: &[u8], at: usize, next: usize) -> Option<Date> {
    let separator = b[next];
    let (first, _) = short_number(b, at)?;
    let (second, second_end) = short_number(b, next + 1)?;
    let third_at = second_end + 1;
    let is_short = next == at + 2 && second_end == next + 3;
    let is_of_blanks = separator == b' ' && is_short && matches!(number(b, third_at, 4), Some(1990..2100));
    let has_third = b.get(second_end) == Some(&separator) && (separator != b' ' || is_of_blanks);
    let month_first = |year: Option<i64>, end: usize| {
        let sure = if first > 12 { (second, first) } else { (first, second) };
        let order = if first > 12 || second > 12 { DateOrder::Sure } else { DateOrder::MonthFirst };
        Some(Date { order, ..date(year, sure, end)? })
    };
    match n_digits(b, third_at) {
        4 if has_third => {
            let year = Some(i64::from(number(b, third_at, 4)?));
            match separator {
                b'/' => month_first(year, third_at + 4),
                _ if second > 12 => date(year, (first, second), third_at + 4),
                _ => date(year, (second, first), third_at + 4),
            }
        }
        2 if has_third && is_short => {
            let third = number(b, third_at, 2)?;
            if separator == b'.' {
                return date(Some(century(third)), (second, first), third_at + 2);
            }
            let is_year_first = (1..=12).contains(&second) && (1..=31).contains(&third);
            if is_year_first {
                return Some(Date {
                    order: DateOrder::Short,
                    ..date(Some(i64::from(first)), (second, third), third_at + 2)?
                });
            }
            month_first(Some(century(third)), third_at + 2)
        }
        2 if has_third && separator == b'/' => month_first(Some(century(number(b, third_at, 2)?)), third_at + 2),
        // Without a year.
        _ if is_short && separator != b' ' => {
            let end = second_end + usize::from(separator == b'.' && b.get(second_end) == Some(&b'.'));
            Some(Date { order: DateOrder::Sure, ..month_first(None, end)? })
        }
        _ => None,
    }
}

/// `20 Nov 2026`, `20-Nov-2026`, `20/Nov/2026`, `20. November 2026`, `20-Nov`. `next` is where the day ends.
fn day_name_year(b: &[u8], at: usize, next: usize) -> Option<Date> {
    let (day, _) = short_number(b, at)?;
    let separator = b[next];
    let (month, month_end) = month_at(b, skip_blanks(b, next + 1))?;
    let year_at = month_end + 1;
    let (year, end) = match (b.get(month_end)?, n_digits(b, year_at)) {
        (_, 4) => (Some(i64::from(number(b, year_at, 4)?)), year_at + 4),
        (b'-' | b'/', 2) if b.get(year_at + 2) != Some(&b':') && separator == b[month_end] => {
            (Some(century(number(b, year_at, 2)?)), year_at + 2)
        }
        _ => (None, month_end),
    };
    date(year, (month, day), end)
}

/// `Nov 20`, `Nov  2 2026`, `November 20, 2026`, `Nov-20`.
fn name_day_year(b: &[u8], at: usize) -> Option<Date> {
    let (month, month_end) = month_at(b, at)?;
    if !matches!(b.get(month_end), Some(b' ' | b'-' | b'/')) {
        return None;
    }
    let (day, mut end) = short_number(b, skip_blanks(b, month_end + 1))?;
    end += usize::from(b.get(end) == Some(&b','));
    let year_at = skip_blanks(b, end + 1);
    let year = number(b, year_at, 4).filter(|_| {
        matches!(b.get(end), Some(b' ' | b'-' | b'/')) && matches!(b.get(year_at + 4), Some(b' ' | b',' | b'-' | b':'))
    });
    match year {
        Some(year) => date(Some(i64::from(year)), (month, day), year_at + 4),
        None => date(None, (month, day), end),
    }
}

/// `E1120 06:47:13.123456`, `I20261120 06:47:13`, `E261120 06:47:13`: level, date, time of day.
fn glog(b: &[u8], at: usize) -> Option<(Civil, usize)> {
    let length = n_digits(b, at + 1);
    let found = match length {
        4 => date(None, (number(b, at + 1, 2)?, number(b, at + 3, 2)?), at + 5)?,
        6 | 8 => basic_date(b, at + 1, length - 4)?,
        _ => return None,
    };
    let clock = clock(b, skip_blanks(b, found.end + 1)).filter(|clock| clock.has_seconds)?;
    if b[found.end] == b' ' { with_zone(b, found, clock) } else { None }
}

/// The time of day after a date, and what follows.
fn timed(b: &[u8], found: Date) -> Option<(Civil, usize)> {
    let end = found.end;
    let from = match b.get(end)? {
        b'T' | b't' | b'_' | b'-' | b'|' => end + 1,
        b' ' | b'\t' => {
            let from = skip_blanks(b, end);
            match &b[from..] {
                [b'a', b't', b' ', ..] => from + 3,
                // Gin.
                [b'-', b' ', ..] => from + 2,
                _ => from,
            }
        }
        b',' => skip_blanks(b, end + 1),
        // `[11/20/2026] [6:47:13 PM]`.
        b']' if b[end..].starts_with(b"] [") => end + 3,
        b':' => end + 1 + usize::from(b.get(end + 1) == Some(&b':')),
        _ => return None,
    };
    let clock = match b.get(from + 2) {
        Some(b'.') => return dotted(b, found, from),
        Some(b'-') if found.year.is_some() => hyphened_clock(b, from)?,
        _ => clock(b, from)?,
    };
    // Minutes alone are too little for a date without a year that is not written in one word.
    let is_enough = clock.has_seconds || found.year.is_some() || b.get(found.end) == Some(&b' ') && from == end + 1;
    if is_enough { with_zone(b, found, clock) } else { None }
}

/// `2026-11-20-15.20.56.067170-300`, `20.11.2026 15.20.56`: an offset of DB2 is in minutes.
fn dotted(b: &[u8], found: Date, from: usize) -> Option<(Civil, usize)> {
    let clock = dotted_clock(b, from)?;
    // After a blank three points may be an address.
    let n_fraction = if b.get(from + 8) == Some(&b'.') { n_digits(b, from + 9) } else { 0 };
    if b[found.end] != b'-' && (1..=3).contains(&n_fraction) {
        return None;
    }
    match b.get(clock.end).and_then(|_| offset_of_minutes(b, clock.end)) {
        Some((zone, end)) => Some((civil(found, &clock, zone), end)),
        None => with_zone(b, found, clock),
    }
}

/// A zone may follow the time of day; where the date had no year, that may follow too, before the zone or after it.
fn with_zone(b: &[u8], found: Date, clock: Clock) -> Option<(Civil, usize)> {
    let mut end = clock.end;
    let mut zone = WrittenZone::None;
    let mut year = found.year;
    if let Some((written, behind)) = zone_after(b, end) {
        (zone, end) = (written, behind);
    }
    if year.is_none()
        && let Some(behind) = year_after(b, end)
    {
        (year, end) = (Some(i64::from(behind)), end + 5);
        if zone == WrittenZone::None
            && let Some((written, behind)) = zone_after(b, end)
        {
            (zone, end) = (written, behind);
        }
    }
    Some((civil(Date { year, ..found }, &clock, zone), end))
}

/// ` 2026`.
fn year_after(b: &[u8], at: usize) -> Option<u32> {
    let is_alone = b.get(at) == Some(&b' ')
        && !b.get(at + 5).is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/'));
    if is_alone { number(b, at + 1, 4).filter(|year| (1970..2262).contains(year)) } else { None }
}

fn civil(date: Date, clock: &Clock, zone: WrittenZone) -> Civil {
    let Date { year, month, day, order, .. } = date;
    Civil { year, month, day, order, second_of_day: clock.second_of_day, nanos: clock.nanos, zone }
}

fn date(year: Option<i64>, (month, day): (u32, u32), end: usize) -> Option<Date> {
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day);
    is_date.then_some(Date { year, month, day, order: DateOrder::Sure, end })
}

/// Two-digit years: 70 to 99 are of the last century.
pub(super) fn century(year: u32) -> i64 {
    i64::from(if year >= 70 { 1900 + year } else { 2000 + year })
}

fn skip_blanks(b: &[u8], at: usize) -> usize {
    let rest = b.get(at..).unwrap_or_default();
    at.min(b.len()) + rest.iter().take(BLANKS_MAX).take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}
