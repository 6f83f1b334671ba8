//! Times of day, and the zone after them.

use chrono_tz::Tz;

use super::names::meanings;

/// A time of day and where the text goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub(super) second_of_day: u32,
    pub(super) nanos: u32,
    pub(super) end: usize,
    /// Whether it says more than the minute.
    pub(super) has_seconds: bool,
}

/// The zone that a text says its time is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WrittenZone {
    None,
    /// So many seconds east of UTC.
    Offset(i32),
    /// `CET`, filled up with blanks, which may mean several offsets.
    Abbreviation([u8; 4]),
    /// `Europe/Berlin`.
    Named(Tz),
}

/// Longest name of a zone of the IANA database: `America/Argentina/ComodRivadavia`.
const NAME_BYTES_MAX: usize = 32;

/// `06:47:13` with one or two digits of the hour, a fraction and a half of the day; seconds may be missing.
pub(super) fn clock(b: &[u8], at: usize) -> Option<Clock> {
    let colon = at + if b.get(at + 1) == Some(&b':') { 1 } else { 2 };
    let (hour, minute) = (number(b, at, colon - at)?, two_digits(b, colon + 1)?);
    if b.get(colon) != Some(&b':') {
        return None;
    }
    // `06:47.13.123` of console-stamp.
    if b.get(colon + 3) == Some(&b'.') && b.get(colon + 6) == Some(&b'.') && n_digits(b, colon + 7) == 3 {
        return of_parts(hour, minute, Some(two_digits(b, colon + 4)?), fraction(b, colon + 6));
    }
    // `16:43: text` has no seconds.
    if b.get(colon + 3) != Some(&b':') || b.get(colon + 4) == Some(&b' ') {
        let clock = half_of_day(b, of_parts(hour, minute, None, (0, colon + 3))?)?;
        // With an hour of one digit it is a ratio or a place in a file, unless a half of the day follows.
        return (colon == at + 2 || clock.end > colon + 3).then_some(clock);
    }
    let second = two_digits(b, colon + 4)?;
    half_of_day(b, of_parts(hour, minute, Some(second), fraction(b, colon + 6))?)
}

/// `06.47.13.123456`; a fourth number of up to three digits makes it an address.
pub(super) fn dotted_clock(b: &[u8], at: usize) -> Option<Clock> {
    separated_clock(b, at, b'.')
}

/// `06-47-13.599` of AixLog.
pub(super) fn hyphened_clock(b: &[u8], at: usize) -> Option<Clock> {
    separated_clock(b, at, b'-').filter(|clock| !matches!(b.get(clock.end), Some(b'-' | b'0'..=b'9')))
}

fn separated_clock(b: &[u8], at: usize, separator: u8) -> Option<Clock> {
    if b.get(at + 2) != Some(&separator) || b.get(at + 5) != Some(&separator) {
        return None;
    }
    let seconds = number(b, at + 6, 2)?;
    half_of_day(b, of_parts(number(b, at, 2)?, number(b, at + 3, 2)?, Some(seconds), fraction(b, at + 8))?)
}

/// `064713`, with a fraction.
pub(super) fn compact_clock(b: &[u8], at: usize) -> Option<Clock> {
    if n_digits(b, at) != 6 {
        return None;
    }
    let seconds = two_digits(b, at + 4)?;
    of_parts(two_digits(b, at)?, two_digits(b, at + 2)?, Some(seconds), fraction(b, at + 6))
}

/// `6:7:0:123`: parts of one or two digits, milliseconds after a colon.
pub(super) fn loose_clock(b: &[u8], at: usize) -> Option<Clock> {
    let (hour, minute_at) = short_number(b, at)?;
    let (minute, second_at) = short_number(b, minute_at + 1)?;
    let (second, end) = short_number(b, second_at + 1)?;
    if b.get(minute_at) != Some(&b':') || b.get(second_at) != Some(&b':') {
        return None;
    }
    let fraction = match (b.get(end), n_digits(b, end + 1)) {
        (Some(b':'), length @ 1..=3) => (number(b, end + 1, length)? * 1_000_000, end + 1 + length),
        _ => fraction(b, end),
    };
    of_parts(hour, minute, Some(second), fraction)
}

/// A leap second `:60` is the second after it.
fn of_parts(hour: u32, minute: u32, second: Option<u32>, (nanos, end): (u32, usize)) -> Option<Clock> {
    let seconds = second.unwrap_or(0);
    if hour > 23 || minute > 59 || seconds > 60 {
        return None;
    }
    let second_of_day = hour * 3600 + minute * 60 + seconds;
    Some(Clock { second_of_day, nanos, end, has_seconds: second.is_some() })
}

/// Nanoseconds of a fraction, digits beyond the ninth cut off, and where it ends. A colon is a point before three or six
/// digits that nothing but a mark follows.
fn fraction(b: &[u8], at: usize) -> (u32, usize) {
    let is_point = match b.get(at) {
        Some(b'.' | b',') => true,
        // I2P puts the level behind a slash: `06:47:13@123/info`.
        Some(b'@') => n_digits(b, at + 1) == 3 && b.get(at + 4) == Some(&b'/'),
        Some(b':') => {
            let length = n_digits(b, at + 1);
            let after = |place: usize| b.get(at + 1 + length + place).copied().unwrap_or(b' ');
            let is_column = after(0) == b':' && !after(1).is_ascii_digit();
            matches!(length, 3 | 6 | 9)
                && (matches!(after(0), b' ' | b'\t' | b']' | b')' | b'>' | b'|' | b',' | b'"' | b'+' | b'-' | b'Z')
                    || is_column)
        }
        _ => false,
    };
    let (mut nanos, mut unit, mut length) = (0, 100_000_000, 0);
    while is_point && let Some(digit) = digit(b, at + 1 + length).filter(|_| length < DIGITS_MAX) {
        nanos += digit * unit;
        unit /= 10;
        length += 1;
    }
    (nanos, if length == 0 { at } else { at + 1 + length })
}

/// Reads `PM`, `p.m.` or `p. m.` after a time of day, with or without a blank before it and a fraction behind it. `None`
/// where the hour is of no such half.
fn half_of_day(b: &[u8], mut clock: Clock) -> Option<Clock> {
    let at = match b.get(clock.end) {
        Some(b' ' | b'A' | b'P' | b'a' | b'p' | 0xc2 | 0xe2) => clock.end + blank(b, clock.end),
        _ => return Some(clock),
    };
    let Some(letter @ (b'A' | b'P' | b'a' | b'p')) = b.get(at) else { return Some(clock) };
    let has_point = b.get(at + 1) == Some(&b'.');
    let m_at = if has_point { at + 2 + blank(b, at + 2) } else { at + 1 };
    let end = m_at + 1 + usize::from(has_point && b.get(m_at + 1) == Some(&b'.'));
    if !matches!(b.get(m_at), Some(b'M' | b'm')) || b.get(end).is_some_and(u8::is_ascii_alphanumeric) {
        return Some(clock);
    }
    let (hour, is_morning) = (clock.second_of_day / 3600, letter.eq_ignore_ascii_case(&b'a'));
    if hour > 12 && is_morning {
        return None;
    }
    // Where the hours count to 23 all the same, the half is said twice.
    if hour <= 12 {
        let hour = hour % 12 + if is_morning { 0 } else { 12 };
        clock.second_of_day = hour * 3600 + clock.second_of_day % 3600;
    }
    clock.end = end;
    if clock.nanos == 0 && clock.has_seconds {
        (clock.nanos, clock.end) = fraction(b, end);
    }
    Some(clock)
}

/// Bytes of the blank at `at`: also U+00A0 and U+202F, which languages write before the half of a day.
fn blank(b: &[u8], at: usize) -> usize {
    match b.get(at) {
        Some(b' ') => 1,
        Some(0xc2) if b.get(at + 1) == Some(&0xa0) => 2,
        Some(0xe2) if b.get(at + 1..at + 3) == Some(&[0x80, 0xaf]) => 3,
        _ => 0,
    }
}

/// The zone at `at`, the end of a time: `Z`, `+07:00`, ` +0700`, ` [+0700]`, ` CET`, ` GMT+2`, ` Europe/Berlin`.
pub(super) fn zone_after(b: &[u8], at: usize) -> Option<(WrittenZone, usize)> {
    let (zone, end) = match b.get(at)? {
        b'Z' | b'z' => (WrittenZone::Offset(0), at + 1),
        b'+' | b'-' => offset(b, at)?,
        b' ' => match b.get(at + 1)? {
            b'+' | b'-' => offset(b, at + 1)?,
            b'[' => in_brackets(b, at + 1)?,
            b'A'..=b'Z' => named(b, at + 1)?,
            _ => return None,
        },
        b'[' => in_brackets(b, at)?,
        b'A'..=b'Y' => named(b, at)?,
        _ => return None,
    };
    // Java writes both: `+01:00[Europe/Berlin]`.
    let has_both = matches!(zone, WrittenZone::Offset(_)) && b.get(end) == Some(&b'[');
    let end = if has_both { in_brackets(b, end).map_or(end, |(_, end)| end) } else { end };
    Some((zone, end))
}

fn offset(b: &[u8], at: usize) -> Option<(WrittenZone, usize)> {
    parse_offset(b, at).map(|(offset, end)| (WrittenZone::Offset(offset), end))
}

fn in_brackets(b: &[u8], at: usize) -> Option<(WrittenZone, usize)> {
    let (zone, end) = offset(b, at + 1).or_else(|| named(b, at + 1))?;
    (b.get(end) == Some(&b']')).then_some((zone, end + 1))
}

/// A zone by its name or abbreviation, which must be a word of its own.
fn named(b: &[u8], at: usize) -> Option<(WrittenZone, usize)> {
    let n_upper = b[at..].iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count();
    let end = at + n_upper;
    let is_universal = matches!(&b[at..end], b"UTC" | b"GMT" | b"UT");
    if is_universal && let Some((offset, end)) = hours_offset(b, end) {
        return Some((WrittenZone::Offset(offset), end));
    }
    if n_upper >= 2 && b.get(end) != Some(&b'/') || n_upper == 1 && &b[at..end] == b"Z" {
        if !is_alone(b, end) {
            return None;
        }
        let zone = if is_universal || n_upper == 1 {
            WrittenZone::Offset(0)
        } else {
            meanings(&b[at..end])?;
            let mut name = [b' '; 4];
            name[..n_upper].copy_from_slice(&b[at..end]);
            WrittenZone::Abbreviation(name)
        };
        return Some((zone, end));
    }
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'+' | b'-');
    let length = b[at..].iter().take(NAME_BYTES_MAX + 1).take_while(|byte| is_of_name(byte)).count();
    let name = b.get(at..at + length).filter(|name| name.contains(&b'/'))?;
    let zone: Tz = std::str::from_utf8(name).ok()?.parse().ok()?;
    Some((WrittenZone::Named(zone), at + length))
}

/// `+2`, `-0500`, `+01:00` behind `GMT`.
fn hours_offset(b: &[u8], at: usize) -> Option<(i32, usize)> {
    if n_digits(b, at + 1) != 1 {
        return parse_offset(b, at);
    }
    let sign = if b.get(at)? == &b'+' { 1 } else { -1 };
    let is_offset = matches!(b[at], b'+' | b'-') && is_alone(b, at + 2);
    is_offset.then_some((sign * number(b, at + 1, 1)? as i32 * 3600, at + 2))
}

/// Whether a word ends at `end`: no letter, digit or path goes on.
fn is_alone(b: &[u8], end: usize) -> bool {
    match b.get(end) {
        Some(b'-' | b'.' | b'+') => !b.get(end + 1).is_some_and(u8::is_ascii_alphanumeric),
        Some(byte) => !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'/' | b'=' | b'\\' | b'@' | 0x80..),
        None => true,
    }
}

/// `+07:00`, `-0330` or `+07`, in seconds east of UTC. A colon that no minutes follow begins something else.
pub(crate) fn parse_offset(b: &[u8], at: usize) -> Option<(i32, usize)> {
    let sign = match b.get(at)? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = number(b, at + 1, 2)?;
    let is_end = |end: usize| !b.get(end).is_some_and(u8::is_ascii_alphanumeric);
    let minutes_at = at + 3 + usize::from(b.get(at + 3) == Some(&b':'));
    let is_address = b.get(minutes_at + 2) == Some(&b'.') && b.get(minutes_at + 3).is_some_and(u8::is_ascii_digit);
    let minutes = number(b, minutes_at, 2).filter(|_| is_end(minutes_at + 2) && !is_address);
    let (minutes, end) = minutes.map_or((0, at + 3), |minutes| (minutes, minutes_at + 2));
    let offset = sign * (hours as i32 * 3600 + minutes as i32 * 60);
    (hours <= 23 && minutes <= 59 && is_end(end)).then_some((offset, end))
}

/// `-300`: minutes, as DB2 has them.
pub(super) fn offset_of_minutes(b: &[u8], at: usize) -> Option<(WrittenZone, usize)> {
    if n_digits(b, at + 1) != 3 || !matches!(b[at], b'+' | b'-') {
        return None;
    }
    let seconds = number(b, at + 1, 3)? as i32 * 60;
    Some((WrittenZone::Offset(if b[at] == b'-' { -seconds } else { seconds }), at + 4))
}

/// A number of exactly `n_digits` digits, at most nine, at `at`.
pub(super) fn number(b: &[u8], at: usize, n_digits: usize) -> Option<u32> {
    let mut number = 0;
    for byte in b.get(at..at + n_digits)? {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u32::from(digit);
    }
    Some(number)
}

/// A number of two digits.
pub(super) fn two_digits(b: &[u8], at: usize) -> Option<u32> {
    let [tens, ones] = b.get(at..)?.first_chunk()?;
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| u32::from(tens) * 10 + u32::from(ones))
}

fn digit(b: &[u8], at: usize) -> Option<u32> {
    let digit = b.get(at)?.wrapping_sub(b'0');
    (digit <= 9).then_some(u32::from(digit))
}

/// A number of one or two digits, and where the text goes on.
pub(super) fn short_number(b: &[u8], at: usize) -> Option<(u32, usize)> {
    let length = n_digits(b, at);
    if !(1..=2).contains(&length) {
        return None;
    }
    Some((number(b, at, length)?, at + length))
}

/// Most digits that are counted.
const DIGITS_MAX: usize = 20;

/// Digits from `at` on, at most twenty.
pub(super) fn n_digits(b: &[u8], at: usize) -> usize {
    let rest = b.get(at..).unwrap_or_default();
    let rest = &rest[..rest.len().min(DIGITS_MAX)];
    rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
}
