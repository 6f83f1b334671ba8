//! Times written in messages, as numbers.
//!
//! Most lines begin with the time that is the event's timestamp as well, and many name further ones. A time is
//! recognized where it is spelled in one of the usual ways, and becomes a whole number: how many units, as small as
//! its last digit, lie between the epoch and the time on its face, whatever zone it means. Beside the event's own
//! timestamp such a number is nearly always a constant, the zone (`numbers`).
//!
//! How a time is spelled is its *form*, five ASCII characters, which stand in the template behind the marker:
//!
//! ```text
//! date     a 2026-11-19   b 2026/11/19   c 2026.11.19   d 20261119   e 26/11/19   f 261119   g 11-19   h 11.19
//!          i Nov 09   j Nov  9   m Nov 9   l 19/Nov/2026   k Thu Nov 09 … 2026   n Thu Nov  9 … 2026
//! between  the character between date and time
//! time     a 08:07:06   b 08.07.06   c 080706   d 8:7:6
//! mark     the character before the decimals, `-` where there are none
//! digits   how many decimals, 0 to 9
//! ```
//!
//! Where the form says no year, the year that brings the time nearest to the event's is meant. A spelling that would
//! not be written back exactly (a 31 June, a leap second, a wrong weekday) is no time.

mod pen;

use crate::template::is_word_byte;

pub(crate) use pen::{Pen, push};

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// Day 0 of the epoch was a Thursday.
const WEEKDAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];

const SECONDS_OF_DAY: i64 = 86_400;

/// Bytes of a form in a template.
pub(crate) const FORM_BYTES: usize = 5;

/// How a time is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Form {
    date: u8,
    between: u8,
    time: u8,
    mark: u8,
    digits: u8,
}

impl Form {
    /// Reads a form from a template.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let [date, between, time, mark, digits] = *bytes else { return None };
        let is_known = matches!(date, b'a'..=b'n')
            && matches!(time, b'a'..=b'd')
            && is_between(between)
            && digits.is_ascii_digit()
            && (mark == b'-' || is_mark(mark));
        is_known.then_some(Self { date, between, time, mark, digits: digits - b'0' })
    }

    /// What stands in the template.
    pub(crate) fn bytes(self) -> [u8; FORM_BYTES] {
        [self.date, self.between, self.time, self.mark, b'0' + self.digits]
    }

    /// Nanoseconds of one unit.
    pub(crate) fn unit_ns(self) -> i64 {
        10i64.pow(9 - u32::from(self.digits.min(9)))
    }

    /// Whether it holds names of months or days.
    pub(crate) fn has_names(self) -> bool {
        matches!(self.date, b'i'..=b'n')
    }

    /// Whether such a time may hold all of `literal`.
    pub(crate) fn may_hold(self, literal: &[u8], ignores_case: bool) -> bool {
        if self.has_names() || self.time == b'd' {
            // Not all are spelled with as many characters, or with the same.
            return true;
        }
        let mut shape = Vec::new();
        push(&mut shape, self, 0);
        let fits = |(of_shape, byte): (&u8, &u8)| match of_shape {
            b'0'..=b'9' => byte.is_ascii_digit(),
            other => byte == other || (ignores_case && byte.eq_ignore_ascii_case(other)),
        };
        shape.windows(literal.len().max(1)).any(|window| window.iter().zip(literal).all(fits))
    }

    /// Whether `byte`, which is no letter of a name, may stand in such a time.
    pub(crate) fn admits(self, byte: u8) -> bool {
        byte.is_ascii_digit()
            || byte == self.between
            || (byte == self.mark && self.digits > 0)
            || match self.date {
                b'a' | b'g' => byte == b'-',
                b'b' | b'e' | b'l' => byte == b'/',
                b'c' | b'h' => byte == b'.',
                b'i' | b'j' | b'k' | b'm' | b'n' => byte == b' ',
                _ => false,
            }
            || match self.time {
                b'a' | b'd' => byte == b':',
                b'b' => byte == b'.',
                _ => false,
            }
    }
}

fn is_between(byte: u8) -> bool {
    matches!(byte, b' ' | b'T' | b'-' | b':' | b'_')
}

fn is_mark(byte: u8) -> bool {
    matches!(byte, b'.' | b',' | b':')
}

/// Tells whether letters that stand together may be part of a name in some time, or the letters around one.
pub(crate) fn may_be_letters(letters: &[u8], ignores_case: bool) -> bool {
    let is_in = |name: &[u8; 3]| {
        let holds = |part: &[u8]| if ignores_case { part.eq_ignore_ascii_case(letters) } else { part == letters };
        name.windows(letters.len().max(1)).any(holds)
    };
    matches!(letters, b"T" | b"t" | b"Z" | b"z") || MONTHS.iter().chain(&WEEKDAYS).any(|name| is_in(name))
}

/// A time found in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) form: Form,
    /// Units since the epoch.
    pub(crate) units: i64,
    /// Where it ends.
    pub(crate) end: usize,
}

/// Tells whether the word at `at`, `length` bytes long, may begin a time; a quick look that spares [`find`].
pub(crate) fn may_begin(bytes: &[u8], at: usize, length: usize, has_digit: bool) -> bool {
    let next = bytes.get(at + length).copied().unwrap_or(0);
    match (has_digit, length) {
        (true, 2 | 4) => matches!(next, b'-' | b'/' | b'.'),
        (true, 6) => next == b' ',
        (true, 8) => matches!(next, b' ' | b'-' | b':' | b'_'),
        (false, 3) => next == b' ' && bytes[at].is_ascii_uppercase(),
        _ => false,
    }
}

/// The time that begins at `at`, in a text of an event of time `near` (nanoseconds).
pub(crate) fn find(bytes: &[u8], at: usize, near: i64) -> Option<Found> {
    let mut reader = Reader { bytes, at };
    let mut date = reader.date()?;
    let between = reader.next()?;
    if !is_between(between) {
        return None;
    }
    let (time, seconds) = reader.time()?;
    let (mark, digits, decimals) = reader.decimals();
    if matches!(date.form, b'k' | b'n') {
        reader.expect(b' ')?;
        date.year = Some(reader.number(4)?);
    }
    let next = bytes.get(reader.at).copied();
    let is_zulu = next == Some(b'Z') && bytes.get(reader.at + 1).is_none_or(|byte| !is_word_byte(*byte));
    if next.is_some_and(is_word_byte) && !is_zulu {
        return None;
    }
    let day = date.day_number(near.div_euclid(SECONDS_OF_DAY * 1_000_000_000))?;
    let form = Form { date: date.form, between, time, mark, digits };
    let whole = (day * SECONDS_OF_DAY + seconds).checked_mul(10i64.pow(u32::from(digits)))?;
    Some(Found { form, units: whole.checked_add(decimals)?, end: reader.at })
}

struct Date {
    form: u8,
    year: Option<i64>,
    month: i64,
    day: i64,
    weekday: Option<usize>,
}

impl Date {
    /// Days since the epoch; `None` where there is no such day.
    fn day_number(&self, near_day: i64) -> Option<i64> {
        let of_year = |year: i64| {
            let is_day = (1..=12).contains(&self.month) && (1..=days_of_month(year, self.month)).contains(&self.day);
            is_day.then(|| days_of_civil(year, self.month, self.day))
        };
        let day = match self.year {
            Some(year) => of_year(year)?,
            None => {
                let (near_year, ..) = civil_of_days(near_day);
                let years = [near_year, near_year - 1, near_year + 1];
                years.into_iter().filter_map(of_year).min_by_key(|day| day.saturating_sub(near_day).unsigned_abs())?
            }
        };
        let is_weekday = self.weekday.is_none_or(|weekday| day.rem_euclid(7) as usize == weekday);
        is_weekday.then_some(day)
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    fn number(&mut self, n_digits: usize) -> Option<i64> {
        let digits = self.bytes.get(self.at..self.at + n_digits)?;
        self.at += n_digits;
        let add = |number: i64, byte: &u8| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'));
        digits.iter().try_fold(0, add)
    }

    fn n_digits(&self, most: usize) -> usize {
        self.bytes[self.at..].iter().take(most).take_while(|byte| byte.is_ascii_digit()).count()
    }

    fn name(&mut self, names: &[&[u8; 3]]) -> Option<usize> {
        let name = self.bytes.get(self.at..self.at + 3)?;
        self.at += 3;
        names.iter().position(|known| known[..] == *name)
    }

    fn date(&mut self) -> Option<Date> {
        let digits = self.n_digits(9);
        if digits == 0 {
            return self.date_of_names();
        }
        let first = if matches!(digits, 6 | 8) { 0 } else { self.number(digits)? };
        let mut date = Date { form: 0, year: None, month: 0, day: 0, weekday: None };
        match digits {
            8 => (date.form, date.year) = (b'd', Some(self.number(4)?)),
            6 => (date.form, date.year) = (b'f', Some(2000 + self.number(2)?)),
            4 => {
                let mark = self.next()?;
                date.form = b'a' + [b'-', b'/', b'.'].iter().position(|known| *known == mark)? as u8;
                (date.year, date.month) = (Some(first), self.number(2)?);
                self.expect(mark)?;
                date.day = self.number(2)?;
                return Some(date);
            }
            2 => match self.next()? {
                b'-' => (date.form, date.month) = (b'g', first),
                b'.' => (date.form, date.month) = (b'h', first),
                b'/' if self.peek()?.is_ascii_digit() => {
                    (date.form, date.year, date.month) = (b'e', Some(2000 + first), self.number(2)?);
                    self.expect(b'/')?;
                }
                b'/' => {
                    (date.form, date.day, date.month) = (b'l', first, self.name(&MONTHS)? as i64 + 1);
                    self.expect(b'/')?;
                    date.year = Some(self.number(4)?);
                    return Some(date);
                }
                _ => return None,
            },
            _ => return None,
        }
        if matches!(digits, 6 | 8) {
            date.month = self.number(2)?;
        }
        date.day = self.number(2)?;
        Some(date)
    }

    fn date_of_names(&mut self) -> Option<Date> {
        let start = self.at;
        let weekday = self.name(&WEEKDAYS);
        match weekday {
            Some(_) => self.expect(b' ')?,
            None => self.at = start,
        }
        let month = self.name(&MONTHS)? as i64 + 1;
        self.expect(b' ')?;
        let is_padded = self.peek()? == b' ';
        self.at += usize::from(is_padded);
        let (n_digits, is_zero) = (self.n_digits(3), self.peek()? == b'0');
        let day = self.number(n_digits)?;
        let form = match (n_digits, is_padded, is_zero, weekday.is_some()) {
            (2, false, true, false) => b'i',
            (1, true, false, false) | (2, false, false, false) => b'j',
            (1, false, false, false) => b'm',
            (2, false, true, true) => b'k',
            (1, true, false, true) | (2, false, false, true) => b'n',
            _ => return None,
        };
        Some(Date { form, year: None, month, day, weekday })
    }

    /// The form of a time of day, and its seconds.
    fn time(&mut self) -> Option<(u8, i64)> {
        let mut parts = [0; 3];
        let (mut is_padded, mut has_zero) = (true, false);
        let form = if self.n_digits(7) == 6 {
            for part in &mut parts {
                *part = self.number(2)?;
            }
            b'c'
        } else {
            let mark = *self.bytes.get(self.at + self.n_digits(3))?;
            for (place, part) in parts.iter_mut().enumerate() {
                if place > 0 {
                    self.expect(mark)?;
                }
                let n_digits = self.n_digits(3);
                if !(1..=2).contains(&n_digits) {
                    return None;
                }
                is_padded &= n_digits == 2;
                has_zero |= n_digits == 2 && self.peek()? == b'0';
                *part = self.number(n_digits)?;
            }
            match (mark, is_padded) {
                (b':', true) => b'a',
                (b'.', true) => b'b',
                // Some numbers without a zero in front, and some with one: nothing says which.
                (b':', false) if !has_zero => b'd',
                _ => return None,
            }
        };
        let [hour, minute, second] = parts;
        (hour < 24 && minute < 60 && second < 60).then_some((form, (hour * 60 + minute) * 60 + second))
    }

    /// The mark, the number of decimals, and their value; none where what follows is no decimals.
    fn decimals(&mut self) -> (u8, u8, i64) {
        let none = (b'-', 0, 0);
        let Some(mark) = self.peek().filter(|byte| is_mark(*byte)) else { return none };
        self.at += 1;
        let n_digits = self.n_digits(10);
        let goes_on = self.bytes.get(self.at + n_digits).is_some_and(|byte| is_word_byte(*byte) && *byte != b'Z');
        if (1..=9).contains(&n_digits)
            && !goes_on
            && let Some(value) = self.number(n_digits)
        {
            return (mark, n_digits as u8, value);
        }
        self.at -= 1;
        none
    }
}

/// Days since the epoch of a civil date (Hinnant, "chrono-compatible low-level date algorithms", 2013).
fn days_of_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The civil date of a day since the epoch, by the same source.
fn civil_of_days(days: i64) -> (i64, i64, i64) {
    // Days of a damaged file may be any number; no date is that far away.
    let shifted = days.clamp(-(1 << 40), 1 << 40) + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

fn days_of_month(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-11-19T08:07:06Z.
    const NEAR: i64 = 1_795_075_626_000_000_000;

    fn check(text: &str, form: &str, units: i64) {
        let found = find(text.as_bytes(), 0, NEAR).unwrap_or_else(|| panic!("{text} is a time"));
        assert_eq!((found.form.bytes().as_slice(), found.units), (form.as_bytes(), units), "{text}");
        let mut back = Vec::new();
        push(&mut back, found.form, found.units);
        assert_eq!(String::from_utf8_lossy(&back), text[..found.end], "{form}");
        assert_eq!(Form::of_bytes(&found.form.bytes()), Some(found.form));
    }

    #[test]
    fn usual_spellings_are_numbers() {
        let seconds = NEAR / 1_000_000_000;
        check("2026-11-19 08:07:06", "a a-0", seconds);
        check("2026-11-19T08:07:06Z", "aTa-0", seconds);
        check("2026-11-19 08:07:06,045 x", "a a,3", seconds * 1000 + 45);
        check("2026/11/19 08:07:06.5", "b a.1", seconds * 10 + 5);
        check("2026.11.19-08.07.06.000001", "c-b.6", seconds * 1_000_000 + 1);
        check("20261119-8:7:6:045", "d-d:3", seconds * 1000 + 45);
        check("26/11/19 08:07:06", "e a-0", seconds);
        check("261119 080706 148", "f c-0", seconds);
        check("11-19 08:07:06.811", "g a.3", seconds * 1000 + 811);
        check("11.19 08:07:06]", "h a-0", seconds);
        check("Nov 19 08:07:06 host", "j a-0", seconds);
        check("Nov  9 08:07:06 host", "j a-0", seconds - 10 * 86_400);
        check("Nov 9 08:07:06 host", "m a-0", seconds - 10 * 86_400);
        check("Nov 09 08:07:06 host", "i a-0", seconds - 10 * 86_400);
        check("19/Nov/2026:08:07:06 +0000", "l:a-0", seconds);
        check("Thu Nov 19 08:07:06 2026", "n a-0", seconds);
        check("Mon Nov 09 08:07:06 2026", "k a-0", seconds - 10 * 86_400);
    }

    #[test]
    fn what_would_not_be_written_back_is_no_time() {
        for text in [
            "2026-11-31 08:07:06",
            "2026-02-29 00:00:00",
            "2026-11-19 24:00:00",
            "2026-11-19 08:07:60",
            "2026-1-9 08:07:06",
            "Fri Nov 19 08:07:06 2026",
            "Nov 019 08:07:06",
            "20261119-08:7:6",
            "20261119-8:07:6",
            "2026-11-19 08:07:061",
            "1234567 080706",
            "2026-11-19",
            "2026-11-19x08:07:06",
            "nov 19 08:07:06",
            "2026-11-19 08:07",
            "",
            "Thu ",
        ] {
            assert_eq!(find(text.as_bytes(), 0, NEAR), None, "{text}");
        }
    }

    #[test]
    fn a_time_without_a_year_is_the_one_nearest_to_its_event() {
        let new_year = 1_798_761_600_000_000_000i64;
        let found = find(b"Dec 31 23:59:59", 0, new_year).expect("a time");
        assert_eq!(found.units, new_year / 1_000_000_000 - 1);
        let leap_day = find(b"Feb 29 00:00:00", 0, 1_709_164_800_000_000_000).expect("a day of 2024");
        assert_eq!(leap_day.units, 1_709_164_800);
    }

    proptest! {
        #[test]
        fn whatever_is_found_is_written_back(
            text in "[A-Z][a-z]{2} [ 0-3]?[0-9] [0-2]?[0-9]:[0-5]?[0-9]:[0-6]?[0-9][.,:]?[0-9]{0,4}( 20[0-9]{2})?\
                |[0-9]{2,8}[-/. ]?[0-9]{1,2}[-/. ]?[0-9]{0,2}[ T:-][0-9]{1,2}[:.][0-9]{1,2}[:.][0-9]{1,2}[.,:]?[0-9]{0,10}Z?",
            near in any::<i64>(),
        ) {
            if let Some(found) = find(text.as_bytes(), 0, near) {
                let mut back = Vec::new();
                push(&mut back, found.form, found.units);
                prop_assert_eq!(&back, &text.as_bytes()[..found.end]);
            }
        }

        #[test]
        fn numbers_that_no_time_stands_for_never_panic(form in "[a-n][ T:_-][a-d][.,:-][0-9]", units in any::<i64>()) {
            let form = Form::of_bytes(form.as_bytes()).expect("made of known characters");
            push(&mut Vec::new(), form, units);
        }

        #[test]
        fn dates_are_their_days(days in -800_000i64..3_000_000) {
            let (year, month, day) = civil_of_days(days);
            prop_assert_eq!(days_of_civil(year, month, day), days);
            prop_assert!((1..=days_of_month(year, month)).contains(&day));
        }
    }
}
