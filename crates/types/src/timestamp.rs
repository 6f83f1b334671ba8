//! Instants and half-open ranges of them.
//!
//! A [`Timestamp`] is nanoseconds since the Unix epoch in UTC, as an `i64` (1677 to 2262). Calendar
//! arithmetic is the proleptic Gregorian calendar; the two conversions follow Howard Hinnant,
//! "chrono-Compatible Low-Level Date Algorithms".

use std::fmt;

/// An instant: nanoseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// Half-open range of instants: `from` belongs to it, `to` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// First instant of the range.
    pub from: Timestamp,
    /// First instant after the range.
    pub to: Timestamp,
}

impl TimeRange {
    /// The range that holds every instant but the very last nanosecond that an `i64` can say.
    pub const ALL: Self = Self { from: Timestamp(i64::MIN), to: Timestamp(i64::MAX) };

    /// Tells whether `instant` lies in the range.
    pub fn contains(&self, instant: Timestamp) -> bool {
        self.from <= instant && instant < self.to
    }

    /// Tells whether any instant of `first..=last` lies in the range.
    pub fn overlaps(&self, first: Timestamp, last: Timestamp) -> bool {
        self.from <= last && first < self.to
    }

    /// Tells whether all of `first..=last` lies in the range.
    pub fn covers(&self, first: Timestamp, last: Timestamp) -> bool {
        self.from <= first && last < self.to
    }
}

impl Timestamp {
    /// Nanoseconds in a millisecond.
    pub const MILLISECOND: i64 = 1_000_000;
    /// Nanoseconds in a second.
    pub const SECOND: i64 = 1_000_000_000;
    /// Nanoseconds in a minute.
    pub const MINUTE: i64 = 60 * Self::SECOND;
    /// Nanoseconds in an hour.
    pub const HOUR: i64 = 60 * Self::MINUTE;
    /// Nanoseconds in a day.
    pub const DAY: i64 = 24 * Self::HOUR;

    /// Reads an ISO 8601 time; without a zone it is UTC, a date alone is its midnight.
    pub fn parse_iso8601(text: &str) -> Option<Self> {
        if !text.starts_with(|c: char| c.is_ascii_digit()) || text.len() < 10 || text.len() > 40 {
            return None;
        }
        Self::parse_rfc3339(text).or_else(|| match text.len() {
            10 => Self::parse_rfc3339(&format!("{text}T00:00:00Z")),
            16 => Self::parse_rfc3339(&format!("{text}:00Z")),
            _ => Self::parse_rfc3339(&format!("{text}Z")),
        })
    }

    /// Reads an RFC 3339 time with `T` or a space between date and time, and `Z` or an offset at the end.
    ///
    /// `None` for anything else, for impossible dates, and for times that an `i64` of nanoseconds cannot hold.
    /// Fraction digits beyond the ninth are cut off. A leap second `:60` is the second after it.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (date_time, mut at) = parse_civil(bytes)?;
        let mut nanos = 0i64;
        if bytes.get(at) == Some(&b'.') || bytes.get(at) == Some(&b',') {
            at += 1;
            let digits = bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            nanos = fraction_nanos(&bytes[at..at + digits]);
            at += digits;
        }
        let offset_seconds = parse_offset(&bytes[at..])?;
        let seconds = date_time.checked_sub(offset_seconds)?;
        seconds.checked_mul(Self::SECOND)?.checked_add(nanos).map(Self)
    }

    /// Returns the beginning of its second.
    pub fn whole_seconds(self) -> Self {
        Self(self.0 - self.0.rem_euclid(Self::SECOND))
    }

    /// The UTC day (days since the epoch) that the instant belongs to.
    pub fn day(self) -> i64 {
        self.0.div_euclid(Self::DAY)
    }

    /// Writes `YYYY-MM-DDTHH:MM:SS` with exactly `digits` fraction digits (0 to 9) and `Z` onto `out`.
    pub fn write_rfc3339(self, digits: u8, out: &mut String) {
        use fmt::Write;
        let days = self.day();
        let (year, month, day) = civil_from_days(days);
        let of_day = self.0.rem_euclid(Self::DAY);
        let seconds = of_day / Self::SECOND;
        // Writing into a String cannot fail.
        let _ = write!(
            out,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        );
        if digits > 0 {
            let fraction = of_day % Self::SECOND / 10i64.pow(9 - u32::from(digits.min(9)));
            let _ = write!(out, ".{fraction:0width$}", width = usize::from(digits.min(9)));
        }
        out.push('Z');
    }
}

/// RFC 3339 in UTC with as many fraction digits as the instant needs.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fraction = self.0.rem_euclid(Self::SECOND);
        let mut digits = 9u8;
        while digits > 0 && fraction % 10 == 0 {
            fraction /= 10;
            digits -= 1;
        }
        let mut text = String::with_capacity(30);
        self.write_rfc3339(digits, &mut text);
        f.write_str(&text)
    }
}

fn number(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0i64, |sum, b| b.is_ascii_digit().then(|| sum * 10 + i64::from(b - b'0')))
}

/// Nanoseconds of a decimal fraction given by its digits.
fn fraction_nanos(digits: &[u8]) -> i64 {
    (0..9).fold(0, |sum, i| sum * 10 + digits.get(i).map_or(0, |b| i64::from(b - b'0')))
}

/// Seconds since the epoch of the leading `YYYY-MM-DDTHH:MM:SS`, and where the text continues.
fn parse_civil(b: &[u8]) -> Option<(i64, usize)> {
    if b.len() < 19 || b[4] != b'-' || b[7] != b'-' || !matches!(b[10], b'T' | b't' | b' ') {
        return None;
    }
    if b[13] != b':' || b[16] != b':' {
        return None;
    }
    let (year, month, day) = (number(&b[0..4])?, number(&b[5..7])?, number(&b[8..10])?);
    let (hour, minute, second) = (number(&b[11..13])?, number(&b[14..16])?, number(&b[17..19])?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let days = days_from_civil(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)?;
    Some((days * 86_400 + hour * 3600 + minute * 60 + second, 19))
}

/// Seconds east of UTC of `Z`, `+HH:MM`, `+HHMM` or `+HH`.
fn parse_offset(b: &[u8]) -> Option<i64> {
    if matches!(b, b"Z" | b"z") {
        return Some(0);
    }
    let sign = match b.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = match b.len() {
        6 if b[3] == b':' => (number(&b[1..3])?, number(&b[4..6])?),
        5 => (number(&b[1..3])?, number(&b[3..5])?),
        3 => (number(&b[1..3])?, 0),
        _ => return None,
    };
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Days since the epoch of a Gregorian date; `None` where there is no such day.
pub fn days_from_civil(year: i64, month: u32, day: u32) -> Option<i64> {
    const DAYS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let longest = *DAYS.get(month.checked_sub(1)? as usize)? + u32::from(leap && month == 2);
    if day == 0 || day > longest {
        return None;
    }
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let month_of_year = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_of_year + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Year, month (1–12) and day (1–31) of a number of days since the epoch.
pub fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_of_year = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_of_year + 2) / 5 + 1) as u32;
    let month = (if month_of_year < 10 { month_of_year + 3 } else { month_of_year - 9 }) as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests;
