//! The written forms of a calendar time, each read at a given place of a line.

/// A calendar time as written; what the text does not say is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: Option<i64>,
    pub(super) month: u32,
    pub(super) day: u32,
    pub(super) second_of_day: u32,
    pub(super) nanos: u32,
    pub(super) offset_seconds: Option<i32>,
}

/// A time of day and where the text goes on.
struct Clock {
    second_of_day: u32,
    nanos: u32,
    end: usize,
}

/// Reads the calendar time that begins at `at`, in any known form, and says where it ends.
pub(super) fn parse_at(b: &[u8], at: usize) -> Option<(Civil, usize)> {
    match b.get(at)? {
        b'0'..=b'9' => digits_first(b, at),
        b'A'..=b'Z' => letters_first(b, at),
        _ => None,
    }
}

fn digits_first(b: &[u8], at: usize) -> Option<(Civil, usize)> {
    let n_digits = b[at..].iter().take(15).take_while(|byte| byte.is_ascii_digit()).count();
    match (n_digits, b.get(at + n_digits).copied()?) {
        (4, separator @ (b'-' | b'/' | b'.')) => year_month_day(b, at, separator),
        (8, b'T' | b't' | b'-') => basic(b, at),
        (6, b' ') => six_and_six(b, at),
        (2, b'/') if b.get(at + 3).is_some_and(u8::is_ascii_alphabetic) => access_log(b, at),
        (2, b'/') if b.get(at + 6).is_some_and(u8::is_ascii_digit) && b.get(at + 5) == Some(&b'/') => {
            short_year(b, at).or_else(|| american(b, at))
        }
        (1 | 2, b'/') => american(b, at),
        (2, b'-') if b.get(at + 3).is_some_and(u8::is_ascii_alphabetic) => day_month_name(b, at),
        (2, separator @ (b'-' | b'.')) => month_day(b, at, separator),
        (1 | 2, b' ') => day_month_year(b, at),
        _ => None,
    }
}

fn letters_first(b: &[u8], at: usize) -> Option<(Civil, usize)> {
    if matches!(b[at], b'I' | b'W' | b'E' | b'F') && b.get(at + 1).is_some_and(u8::is_ascii_digit) {
        return klog(b, at);
    }
    if month_of(b, at).is_some() {
        return month_first(b, at);
    }
    let is_day = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"].iter().any(|day| b[at..].starts_with(*day));
    if !is_day {
        return None;
    }
    match b.get(at + 3)? {
        b' ' => month_first(b, skip_spaces(b, at + 4)),
        b',' => {
            let (civil, end) = day_month_year(b, skip_spaces(b, at + 4))?;
            Some((civil, end))
        }
        _ => None,
    }
}

/// `2026-11-20T06:47:13.123Z`, with `T`, space, or `-`; `2026/11/20 06:47:13`.
fn year_month_day(b: &[u8], at: usize, separator: u8) -> Option<(Civil, usize)> {
    if b.get(at + 7) != Some(&separator) {
        return None;
    }
    let (year, month, day) = (number(b, at, 4)?, number(b, at + 5, 2)?, number(b, at + 8, 2)?);
    let clock = match b.get(at + 10)? {
        b'T' | b't' | b' ' => clock(b, at + 11)?,
        b'-' => dotted_clock(b, at + 11)?,
        _ => return None,
    };
    with_zone(b, Some(i64::from(year)), (month, day), clock)
}

/// `20261120T064713Z`, `20261120-06:47:13:123`.
fn basic(b: &[u8], at: usize) -> Option<(Civil, usize)> {
    let (year, month, day) = (number(b, at, 4)?, number(b, at + 4, 2)?, number(b, at + 6, 2)?);
    let from = at + 9;
    let has_colon = b.get(from + 1) == Some(&b':') || b.get(from + 2) == Some(&b':');
    let clock = if has_colon { loose_clock(b, from)? } else { compact_clock(b, from)? };
    with_zone(b, Some(i64::from(year)), (month, day), clock)
}

/// `081109 203615`: two-digit year, month, day, then the time of day.
fn six_and_six(b: &[u8], at: usize) -> Option<(Civil, usize)> {
    let (year, month, day) = (number(b, at, 2)?, number(b, at + 2, 2)?, number(b, at + 4, 2)?);
    let clock = compact_clock(b, at + 7)?;
    if b.get(clock.end).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    civil(Some(century(year)), (month, day), &clock, None)
}

/// `17/06/09 20:10:40`.
fn short_year(b: &[u8], at: usize) -> Option<(Civil, usize)> {
    if b.get(at + 5) != Some(&b'/') || b.get(at + 8) != Some(&b' ') {
        return None;
    }
    let (year, month, day) = (number(b, at, 2)?, number(b, at + 3, 2)?, number(b, at + 6, 2)?);
    let clock = clock(b, at + 9)?;
    civil(Some(century(year)), (month, day), &clock, None)
}

/// `11/20/2026 6:47:13 PM`, `1/2/2026 06:47:13`: month, day, year.
fn american(b: &[u8], at: usize) -> Option<(Civil, usize)> {
    let (month, day_at) = short_number(b, at)?;
    let (day, year_at) = short_number(b, day_at + 1)?;
    if b.get(day_at) != Some(&b'/') || b.get(year_at) != Some(&b'/') {
        return None;
    }
    let year = number(b, year_at + 1, 4)?;
    let behind = if b.get(year_at + 5) == Some(&b',') { year_at + 6 } else { year_at + 5 };
    if b.get(behind) != Some(&b' ') {
        return None;
    }
    // Where it can only be so, the day comes first.
    let date = if month > 12 { (day, month) } else { (month, day) };
    with_zone(b, Some(i64::from(year)), date, half_day_clock(b, behind + 1)?)
}

/// `20-Nov-2026 06:47:13.123`.
fn day_month_name(b: &[u8], at: usize) -> Option<(Civil, usize)> {
    let month = month_of(b, at + 3)?;
    if b.get(at + 6) != Some(&b'-') || b.get(at + 11) != Some(&b' ') {
        return None;
    }
    let (day, year) = (number(b, at, 2)?, number(b, at + 7, 4)?);
    with_zone(b, Some(i64::from(year)), (month, day), clock(b, at + 12)?)
}

/// A number of one or two digits, and where the text goes on.
fn short_number(b: &[u8], at: usize) -> Option<(u32, usize)> {
    let n_digits = b.get(at..)?.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=2).contains(&n_digits) {
        return None;
    }
    Some((number(b, at, n_digits)?, at + n_digits))
}

/// `6:47:13 PM`; without a half of the day the hours count to 23.
fn half_day_clock(b: &[u8], at: usize) -> Option<Clock> {
    let mut clock = loose_clock(b, at)?;
    let rest = b.get(clock.end..)?;
    let rest = rest.strip_prefix("\u{202f}".as_bytes()).or_else(|| rest.strip_prefix(b" ")).unwrap_or(rest);
    let half = rest.get(..2).unwrap_or_default().to_ascii_uppercase();
    let is_alone = !rest.get(2).is_some_and(u8::is_ascii_alphanumeric);
    let hour = clock.second_of_day / 3600;
    if is_alone && matches!(&half[..], b"AM" | b"PM") {
        if !(1..=12).contains(&hour) {
            return None;
        }
        let hours = hour % 12 + if half == b"PM" { 12 } else { 0 };
        clock.second_of_day = hours * 3600 + clock.second_of_day % 3600;
        clock.end = b.len() - rest.len() + 2;
    }
    Some(clock)
}

/// `20/Nov/2026:06:47:13 +0000`.
fn access_log(b: &[u8], at: usize) -> Option<(Civil, usize)> {
    let month = month_of(b, at + 3)?;
    if b.get(at + 6) != Some(&b'/') || b.get(at + 11) != Some(&b':') {
        return None;
    }
    let (day, year) = (number(b, at, 2)?, number(b, at + 7, 4)?);
    let clock = clock(b, at + 12)?;
    with_zone(b, Some(i64::from(year)), (month, day), clock)
}

/// `11-20 06:47:13.123` and `11.20 06:47:13`: no year.
fn month_day(b: &[u8], at: usize, _separator: u8) -> Option<(Civil, usize)> {
    if b.get(at + 5) != Some(&b' ') {
        return None;
    }
    let (month, day) = (number(b, at, 2)?, number(b, at + 3, 2)?);
    let clock = clock(b, at + 6)?;
    civil(None, (month, day), &clock, None)
}

/// `20 Nov 2026 06:47:13.123 +0000`.
fn day_month_year(b: &[u8], at: usize) -> Option<(Civil, usize)> {
    let n_digits = b[at.min(b.len())..].iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=2).contains(&n_digits) || b.get(at + n_digits) != Some(&b' ') {
        return None;
    }
    let day = number(b, at, n_digits)?;
    let month_at = at + n_digits + 1;
    let month = month_of(b, month_at)?;
    if b.get(month_at + 3) != Some(&b' ') || b.get(month_at + 8) != Some(&b' ') {
        return None;
    }
    let year = number(b, month_at + 4, 4)?;
    let clock = clock(b, month_at + 9)?;
    with_zone(b, Some(i64::from(year)), (month, day), clock)
}

/// `Nov 20 06:47:13`, `Nov  2 06:47:13.123`, `Nov 20 2026 06:47:13`, `Nov 20 06:47:13 2026`, `… UTC 2026`.
fn month_first(b: &[u8], at: usize) -> Option<(Civil, usize)> {
    let month = month_of(b, at)?;
    if b.get(at + 3) != Some(&b' ') {
        return None;
    }
    let day_at = skip_spaces(b, at + 4);
    let n_digits = b[day_at..].iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    if (1..=2).contains(&n_digits) && b.get(day_at + n_digits..day_at + n_digits + 2) == Some(b", ") {
        // `Nov 20, 2026 6:47:13 PM`, with or without a comma behind the year.
        let (day, year_at) = (number(b, day_at, n_digits)?, day_at + n_digits + 2);
        let year = number(b, year_at, 4)?;
        let from = skip_spaces(b, year_at + 4 + usize::from(b.get(year_at + 4) == Some(&b',')));
        return with_zone(b, Some(i64::from(year)), (month, day), half_day_clock(b, from)?);
    }
    if !(1..=2).contains(&n_digits) || b.get(day_at + n_digits) != Some(&b' ') {
        return None;
    }
    let day = number(b, day_at, n_digits)?;
    let mut from = day_at + n_digits + 1;
    let mut year = None;
    if b.get(from + 4) == Some(&b' ')
        && let Some(before_clock) = number(b, from, 4)
    {
        year = Some(i64::from(before_clock));
        from += 5;
    }
    let clock = clock(b, from)?;
    let mut offset = None;
    let mut end = clock.end;
    if year.is_none() {
        let zone_end =
            ["UTC", "GMT"].iter().find(|zone| b[end..].get(1..).is_some_and(|r| r.starts_with(zone.as_bytes())));
        let year_at = end + 1 + zone_end.map_or(0, |zone| zone.len() + 1);
        let is_alone = !b.get(year_at + 4).is_some_and(u8::is_ascii_alphanumeric);
        if b.get(end) == Some(&b' ')
            && is_alone
            && let Some(after) = number(b, year_at, 4).filter(|y| *y >= 1970)
        {
            year = Some(i64::from(after));
            end = year_at + 4;
            offset = zone_end.map(|_| 0);
        }
    }
    let (civil, _) = civil(year, (month, day), &clock, offset)?;
    Some((civil, end))
}

/// `E1120 06:47:13.123456`: level, month and day, time of day.
fn klog(b: &[u8], at: usize) -> Option<(Civil, usize)> {
    if b.get(at + 5) != Some(&b' ') {
        return None;
    }
    let (month, day) = (number(b, at + 1, 2)?, number(b, at + 3, 2)?);
    let clock = clock(b, skip_spaces(b, at + 6))?;
    civil(None, (month, day), &clock, None)
}

fn with_zone(b: &[u8], year: Option<i64>, date: (u32, u32), clock: Clock) -> Option<(Civil, usize)> {
    let (offset, end) = match zone_after(b, clock.end) {
        Some((offset, end)) => (Some(offset), end),
        None => (None, clock.end),
    };
    let (civil, _) = civil(year, date, &clock, offset)?;
    Some((civil, end))
}

/// `Z`, `+07:00`, ` +0700`, ` UTC` or ` GMT` at `at`.
fn zone_after(b: &[u8], at: usize) -> Option<(i32, usize)> {
    match b.get(at)? {
        b'Z' | b'z' => Some((0, at + 1)),
        b'+' | b'-' => parse_offset(b, at),
        b' ' if matches!(b.get(at + 1), Some(b'+' | b'-')) => parse_offset(b, at + 1),
        b' ' if b[at + 1..].starts_with(b"UTC") || b[at + 1..].starts_with(b"GMT") => Some((0, at + 4)),
        b' ' if b.get(at + 1) == Some(&b'Z') && !b.get(at + 2).is_some_and(u8::is_ascii_alphanumeric) => {
            Some((0, at + 2))
        }
        _ => None,
    }
}

/// `+07:00`, `-0330` or `+07`, in seconds east of UTC.
pub(crate) fn parse_offset(b: &[u8], at: usize) -> Option<(i32, usize)> {
    let sign = match b.get(at)? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = number(b, at + 1, 2)?;
    let with_colon = b.get(at + 3) == Some(&b':');
    let minutes_at = at + 3 + usize::from(with_colon);
    let (minutes, end) = match number(b, minutes_at, 2) {
        Some(minutes) => (minutes, minutes_at + 2),
        None => (0, at + 3),
    };
    let is_alone = !b.get(end).is_some_and(u8::is_ascii_alphanumeric);
    let offset = sign * (hours as i32 * 3600 + minutes as i32 * 60);
    (hours <= 23 && minutes <= 59 && is_alone).then_some((offset, end))
}

fn civil(year: Option<i64>, date: (u32, u32), clock: &Clock, offset: Option<i32>) -> Option<(Civil, usize)> {
    let (month, day) = date;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let second_of_day = clock.second_of_day;
    let civil = Civil { year, month, day, second_of_day, nanos: clock.nanos, offset_seconds: offset };
    Some((civil, clock.end))
}

/// `06:47:13`, with a fraction after `.` or `,`; seconds may be missing.
fn clock(b: &[u8], at: usize) -> Option<Clock> {
    let (hour, minute) = (number(b, at, 2)?, number(b, at + 3, 2)?);
    if b.get(at + 2) != Some(&b':') {
        return None;
    }
    if b.get(at + 5) != Some(&b':') {
        return of_parts(hour, minute, 0, (0, at + 5));
    }
    let second = number(b, at + 6, 2)?;
    of_parts(hour, minute, second, fraction(b, at + 8, b".,"))
}

/// `06.47.13.123456`.
fn dotted_clock(b: &[u8], at: usize) -> Option<Clock> {
    if b.get(at + 2) != Some(&b'.') || b.get(at + 5) != Some(&b'.') {
        return None;
    }
    of_parts(number(b, at, 2)?, number(b, at + 3, 2)?, number(b, at + 6, 2)?, fraction(b, at + 8, b"."))
}

/// `064713`, with a fraction after `.` or `,`.
fn compact_clock(b: &[u8], at: usize) -> Option<Clock> {
    of_parts(number(b, at, 2)?, number(b, at + 2, 2)?, number(b, at + 4, 2)?, fraction(b, at + 6, b".,"))
}

/// `6:7:0:123`: parts of one or two digits, milliseconds after a colon.
fn loose_clock(b: &[u8], at: usize) -> Option<Clock> {
    let mut parts = [0u32; 3];
    let mut from = at;
    for (i, part) in parts.iter_mut().enumerate() {
        let n_digits = b.get(from..)?.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=2).contains(&n_digits) {
            return None;
        }
        *part = number(b, from, n_digits)?;
        from += n_digits;
        if i < 2 {
            if b.get(from) != Some(&b':') {
                return None;
            }
            from += 1;
        }
    }
    let [hour, minute, second] = parts;
    if b.get(from) == Some(&b':') {
        let n_digits = b[from + 1..].iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
        if (1..=3).contains(&n_digits) {
            let millis = number(b, from + 1, n_digits)?;
            return of_parts(hour, minute, second, (millis * 1_000_000, from + 1 + n_digits));
        }
    }
    of_parts(hour, minute, second, fraction(b, from, b".,"))
}

/// A leap second `:60` is the second after it.
fn of_parts(hour: u32, minute: u32, second: u32, (nanos, end): (u32, usize)) -> Option<Clock> {
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(Clock { second_of_day: hour * 3600 + minute * 60 + second, nanos, end })
}

/// Nanoseconds of a fraction after one of `points`, digits beyond the ninth cut off, and where it ends.
fn fraction(b: &[u8], at: usize, points: &[u8]) -> (u32, usize) {
    let n_digits = match b.get(at) {
        Some(point) if points.contains(point) => {
            b[at + 1..].iter().take(64).take_while(|byte| byte.is_ascii_digit()).count()
        }
        _ => 0,
    };
    if n_digits == 0 {
        return (0, at);
    }
    let nanos = (0..9.min(n_digits)).fold(0, |sum, i| sum * 10 + u32::from(b[at + 1 + i] - b'0'));
    (nanos * 10u32.pow(9 - n_digits.min(9) as u32), at + 1 + n_digits)
}

/// A number of exactly `n_digits` digits, at most nine, at `at`.
fn number(b: &[u8], at: usize, n_digits: usize) -> Option<u32> {
    let digits = b.get(at..at + n_digits)?;
    digits.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

/// Two-digit years: 70 to 99 are of the last century.
fn century(year: u32) -> i64 {
    i64::from(if year >= 70 { 1900 + year } else { 2000 + year })
}

fn skip_spaces(b: &[u8], mut at: usize) -> usize {
    while b.get(at) == Some(&b' ') {
        at += 1;
    }
    at.min(b.len())
}

fn month_of(b: &[u8], at: usize) -> Option<u32> {
    Some(match b.get(at..at + 3)? {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    })
}
