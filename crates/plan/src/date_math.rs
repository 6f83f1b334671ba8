//! Times as clients of Elasticsearch write them: numbers, dates with parts left out, date math; and how they are shown.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use chrono_tz::Tz;
use serde_json::Value as Json;
use types::Timestamp;

use crate::calendar::{bounds, earlier, instant_of, later, offset_ns};
use crate::length::Length;

const MILLISECOND: i64 = 1_000_000;

/// Operations of one expression of date math.
const OPERATIONS_MAX: usize = 32;

/// A time, and the last instant that is meant by it: `2026-11-20` is a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateRange {
    /// The first instant, in nanoseconds since the Unix epoch.
    pub first: i64,
    /// The last instant, in nanoseconds since the Unix epoch.
    pub last: i64,
}

/// Reads a time; `None` for what is none.
pub fn read(json: &Json, format: Option<&str>, now: Timestamp, zone: Tz) -> Option<DateRange> {
    match json {
        Json::Number(number) => of_number(number.as_f64()?, number.as_i64(), format),
        Json::String(text) => read_text(text.trim(), format, now, zone),
        _ => None,
    }
}

/// Returns the first and the last instant of a time in text; `None` for what is none.
pub fn read_time(text: &str, now: Timestamp) -> Option<(i64, i64)> {
    read_text(text.trim(), None, now, Tz::UTC).map(|written| (written.first, written.last))
}

/// Returns the instant of a text that Elasticsearch would take for a date where no mapping says what it is: at least a
/// year and a month, without a zone in UTC.
pub fn date_value(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let is_like_one = (7..=40).contains(&bytes.len())
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && matches!(bytes[4], b'-' | b'/')
        && bytes[5].is_ascii_digit();
    if !is_like_one {
        return None;
    }
    if bytes[4] == b'/' {
        let (day, time) = text.split_once(' ').unwrap_or((text, ""));
        let (clock, zone) = time.split_once(' ').unwrap_or((time, ""));
        return date(format!("{} {clock}{zone}", day.replace('/', "-")).trim_end(), Tz::UTC)
            .map(|written| written.first);
    }
    date(text, Tz::UTC).map(|written| written.first)
}

fn of_number(number: f64, whole: Option<i64>, format: Option<&str>) -> Option<DateRange> {
    let unit =
        if format.is_some_and(|format| format.contains("epoch_second")) { Timestamp::SECOND } else { MILLISECOND };
    match whole {
        Some(whole) => {
            let first = whole.saturating_mul(unit);
            Some(DateRange { first, last: first.saturating_add(unit - 1) })
        }
        None => {
            let instant = (number * unit as f64) as i64;
            number.is_finite().then_some(DateRange { first: instant, last: instant })
        }
    }
}

fn read_text(text: &str, format: Option<&str>, now: Timestamp, zone: Tz) -> Option<DateRange> {
    if let Some(operations) = text.strip_prefix("now") {
        return calculated(DateRange { first: now.0, last: now.0 }, operations, zone);
    }
    if let Some((date, operations)) = text.split_once("||") {
        return calculated(read_text(date, format, now, zone)?, operations, zone);
    }
    let is_number = !text.is_empty() && text.strip_prefix('-').unwrap_or(text).bytes().all(|b| b.is_ascii_digit());
    if is_number && (text.len() != 4 || format.is_some_and(|format| format.starts_with("epoch"))) {
        return of_number(0.0, Some(text.parse().ok()?), format);
    }
    of_formats(text, format, zone)
}

/// Reads a date by letters of Java's where there are such formats, else as ISO 8601 has it.
fn of_formats(text: &str, format: Option<&str>, zone: Tz) -> Option<DateRange> {
    let (mut is_iso, mut found) = (format.is_none(), None);
    for format in format.into_iter().flat_map(|format| format.split("||")) {
        let is_of_letters = !format.contains('_') && format.contains(['y', 'u']) && format.contains(['M', 'd']);
        is_iso |= !is_of_letters;
        found = found.or_else(|| is_of_letters.then(|| of_letters(text, format, zone)).flatten());
    }
    found.or_else(|| is_iso.then(|| date(text, zone)).flatten())
}

/// Reads a date by letters: years, months, days, hours, minutes, seconds, fractions and offsets in digits.
fn of_letters(text: &str, letters: &str, zone: Tz) -> Option<DateRange> {
    let mut parts: [&str; 7] = [""; 7];
    let mut offset = "";
    let (mut rest, mut pattern, mut is_quoted) = (text, letters.chars().peekable(), false);
    while let Some(letter) = pattern.next() {
        if letter == '\'' {
            is_quoted = !is_quoted;
            continue;
        }
        let place = "yMdHmsS".find(if letter == 'u' { 'y' } else { letter }).filter(|_| !is_quoted);
        let mut n = 1;
        while !is_quoted && pattern.next_if_eq(&letter).is_some() {
            n += 1;
        }
        match (place, letter) {
            (Some(place), _) => {
                let most = if n == 1 { 9 } else { n };
                let n_digits = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
                if n_digits == 0 || (n > 1 && n_digits != n) {
                    return None;
                }
                (parts[place], rest) = rest.split_at(n_digits);
            }
            (None, 'X' | 'x' | 'Z') if !is_quoted => (offset, rest) = (rest, ""),
            (None, letter) if is_quoted || !letter.is_ascii_alphabetic() => {
                for _ in 0..n {
                    rest = rest.strip_prefix(letter)?;
                }
            }
            _ => return None,
        }
    }
    if !rest.is_empty() {
        return None;
    }
    let mut iso = String::new();
    for (place, before) in ["", "-", "-", "T", ":", ":", "."].into_iter().enumerate() {
        if parts[place].is_empty() {
            // What is finer than a part that is missing would be of nothing.
            return (parts[place..].iter().all(|part| part.is_empty())).then(|| date(&(iso + offset), zone)).flatten();
        }
        let width = if place == 0 { 4 } else { 2 };
        iso.push_str(before);
        iso.push_str(&format!("{:0>width$}", parts[place], width = if place == 6 { 1 } else { width }));
    }
    date(&(iso + offset), zone)
}

/// `2026`, `2026-11`, … `2026-11-20T12:00:00.123Z`.
fn date(text: &str, zone: Tz) -> Option<DateRange> {
    let (day, time) = text.split_once(['T', ' ']).unwrap_or((text, ""));
    let mut parts = day.split('-');
    let year: i32 = parts.next().filter(|year| year.len() == 4)?.parse().ok()?;
    let month: Option<u32> = parts.next().map(str::parse).transpose().ok()?;
    let of_month: Option<u32> = parts.next().map(str::parse).transpose().ok()?;
    if parts.next().is_some() || (of_month.is_none() && !time.is_empty()) {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(year, month.unwrap_or(1), of_month.unwrap_or(1))?;
    let (clock, offset) = split_offset(time)?;
    let mut fields = clock.split(':');
    let hour = fields.next().filter(|text| !text.is_empty()).map(str::parse::<u32>).transpose().ok()?;
    let minute = fields.next().map(str::parse::<u32>).transpose().ok()?;
    let second = match fields.next() {
        Some(text) => Some(seconds(text)?),
        None => None,
    };
    if fields.next().is_some() {
        return None;
    }
    let (whole, nanos, digits) = second.unwrap_or_default();
    let naive = date.and_hms_nano_opt(hour.unwrap_or(0), minute.unwrap_or(0), whole, nanos)?;
    let first = at(naive, offset, zone)?;
    // With three digits or fewer a time of Elasticsearch is a millisecond.
    let length = match (hour, minute, second, digits) {
        // Of a year or month, Elasticsearch means the first day.
        (None, ..) if offset.is_none() => {
            bounds(zone, first, Length::Nanoseconds(Timestamp::DAY))?.1.checked_sub(first)?
        }
        (None, ..) => Timestamp::DAY,
        (_, None, ..) => Timestamp::HOUR,
        (_, _, None, _) => Timestamp::MINUTE,
        (.., 1..3) => MILLISECOND,
        _ => 10i64.pow(9 - digits.min(9)),
    };
    Some(DateRange { first, last: first.checked_add(length - 1)? })
}

/// Returns the instant so many days later at which clocks show the same.
fn by_days(zone: Tz, instant: i64, days: i64) -> Option<i64> {
    let local = instant.checked_add(offset_ns(zone, instant))?;
    let moved = local.checked_add(days.checked_mul(Timestamp::DAY)?)?;
    instant_of(zone, DateTime::from_timestamp_nanos(moved).naive_utc())
}

/// Whole seconds, nanoseconds, and how many digits there were.
fn seconds(text: &str) -> Option<(u32, u32, u32)> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let padded = format!("{fraction:0<9}");
    let nanos = padded.get(..9)?.parse().ok()?;
    Some((whole.parse().ok()?, nanos, u32::try_from(fraction.len()).ok()?.min(9)))
}

/// Returns the time of day, and the seconds that its clock is ahead of UTC where it says so.
fn split_offset(time: &str) -> Option<(&str, Option<i64>)> {
    if let Some(clock) = time.strip_suffix('Z') {
        return Some((clock, Some(0)));
    }
    let Some(sign) = time.rfind(['+', '-']) else { return Some((time, None)) };
    Some((&time[..sign], Some(offset(&time[sign..])?)))
}

/// `+07:00`, `-0530`, `+07` in seconds.
fn offset(text: &str) -> Option<i64> {
    let digits: String = text.get(1..)?.chars().filter(|c| *c != ':').collect();
    let number = |part: &str| part.parse::<i64>().ok();
    let (hours, minutes) = match digits.len() {
        1 | 2 => (number(&digits)?, 0),
        4 => (number(digits.get(..2)?)?, number(digits.get(2..)?)?),
        _ => return None,
    };
    let seconds = hours * 3600 + minutes * 60;
    Some(if text.starts_with('-') { -seconds } else { seconds })
}

fn at(naive: NaiveDateTime, offset: Option<i64>, zone: Tz) -> Option<i64> {
    match offset {
        Some(seconds) => naive.and_utc().timestamp_nanos_opt()?.checked_sub(seconds.checked_mul(Timestamp::SECOND)?),
        None => instant_of(zone, naive),
    }
}

/// Applies `+1d`, `-2h`, `/M` one after the other.
fn calculated(mut written: DateRange, operations: &str, zone: Tz) -> Option<DateRange> {
    let mut rest = operations.trim();
    for _ in 0..OPERATIONS_MAX {
        let Some(sign) = rest.chars().next() else { return Some(written) };
        rest = rest.get(1..)?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = if digits == 0 { 1 } else { rest.get(..digits)?.parse().ok()? };
        let unit = rest.get(digits..)?.chars().next()?;
        rest = rest.get(digits + unit.len_utf8()..)?;
        written = match sign {
            '+' | '-' => {
                let first = match unit {
                    'd' | 'w' => {
                        let days = number.checked_mul(if unit == 'w' { 7 } else { 1 })?;
                        by_days(zone, written.first, if sign == '-' { -days } else { days })?
                    }
                    unit => moved(written.first, sign, span(unit, number)?, zone)?,
                };
                DateRange { first, last: first }
            }
            '/' if digits == 0 => {
                let span = span(unit, 1)??;
                let (first, next) = bounds(zone, written.first, span)?;
                DateRange { first, last: next.checked_sub(1)? }
            }
            _ => return None,
        };
    }
    None
}

fn moved(instant: i64, sign: char, span: Option<Length>, zone: Tz) -> Option<i64> {
    match span {
        None => Some(instant),
        Some(span) if sign == '+' => later(zone, instant, span),
        Some(span) => earlier(zone, instant, span),
    }
}

/// Returns a number of units; none for a number of 0.
fn span(unit: char, number: i64) -> Option<Option<Length>> {
    let nanoseconds = |unit: i64| number.checked_mul(unit).map(Length::Nanoseconds);
    let months = |unit: i64| Some(Length::Months(u32::try_from(number.checked_mul(unit)?).ok()?));
    let span = match unit {
        's' => nanoseconds(Timestamp::SECOND),
        'm' => nanoseconds(Timestamp::MINUTE),
        'h' | 'H' => nanoseconds(Timestamp::HOUR),
        'd' => nanoseconds(Timestamp::DAY),
        'w' => nanoseconds(7 * Timestamp::DAY),
        'M' => months(1),
        'y' => months(12),
        _ => None,
    };
    span.map(|span| (number != 0).then_some(span))
}

/// Zones whose clocks have not been changed for years, for offsets that are no whole hours.
const PART_HOURS: [(i64, Tz); 8] = [
    (-34_200, Tz::Pacific__Marquesas),
    (12_600, Tz::Asia__Tehran),
    (16_200, Tz::Asia__Kabul),
    (19_800, Tz::Asia__Kolkata),
    (20_700, Tz::Asia__Kathmandu),
    (23_400, Tz::Asia__Yangon),
    (31_500, Tz::Australia__Eucla),
    (34_200, Tz::Australia__Darwin),
];

/// Returns the zone that a client names: of the database, `utc` in any case, or an offset such as `+07:00` that some
/// place has.
pub fn zone_of(text: &str) -> Option<Tz> {
    if text.eq_ignore_ascii_case("utc") || text == "Z" || text.is_empty() {
        return Some(Tz::UTC);
    }
    if text.starts_with(['+', '-']) {
        let seconds = offset(text)?;
        if let Some((_, zone)) = PART_HOURS.iter().find(|(known, _)| *known == seconds) {
            return Some(*zone);
        }
        // Signs of these names are the other way round.
        let hours = -seconds / 3600;
        return (seconds % 3600 == 0)
            .then(|| if hours == 0 { Some(Tz::UTC) } else { format!("Etc/GMT{hours:+}").parse().ok() })?;
    }
    text.parse().ok()
}

/// Returns a time in a format: names of Elasticsearch's, or letters of Java's; without one, RFC 3339 with milliseconds.
pub fn format_time(instant: Timestamp, format: Option<&str>) -> String {
    format_time_in(Tz::UTC, instant, format)
}

/// Does the same by the clocks of a zone.
pub fn format_time_in(zone: Tz, instant: Timestamp, format: Option<&str>) -> String {
    let offset_ns = offset_ns(zone, instant.0);
    let offset = offset_text(offset_ns / Timestamp::SECOND);
    let local = Timestamp(instant.0.saturating_add(offset_ns));
    let iso = |digits: u8| {
        let mut text = String::new();
        local.write_rfc3339(digits, &mut text);
        text.trim_end_matches('Z').to_owned() + &offset
    };
    let first = format.map(|format| format.split("||").next().unwrap_or_default());
    match first {
        None => iso(3),
        Some("epoch_millis") => milliseconds(instant).to_string(),
        Some("epoch_second") => instant.0.div_euclid(Timestamp::SECOND).to_string(),
        Some(name) if name.ends_with("_nanos") => iso(9),
        Some(name) if name.contains('_') || name.is_empty() => iso(3),
        Some(letters) => {
            let iso = iso(9);
            let mut text = letters.replace('\'', "");
            let parts = [("yyyy", 0..4), ("uuuu", 0..4), ("MM", 5..7), ("dd", 8..10), ("HH", 11..13), ("mm", 14..16)];
            let more = [("SSSSSSSSS", 20..29), ("SSSSSS", 20..26), ("SSS", 20..23), ("ss", 17..19)];
            for (letters, place) in parts.into_iter().chain(more) {
                text = text.replace(letters, iso.get(place).unwrap_or_default());
            }
            text.replace("XXX", &offset)
        }
    }
}

/// `Z`, `+05:30`.
fn offset_text(seconds: i64) -> String {
    let (minutes, sign) = (seconds.abs() / 60, if seconds < 0 { '-' } else { '+' });
    if minutes == 0 { "Z".to_owned() } else { format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60) }
}

/// Milliseconds since the epoch.
pub fn milliseconds(instant: Timestamp) -> i64 {
    instant.0.div_euclid(1_000_000)
}

#[cfg(test)]
mod tests;
