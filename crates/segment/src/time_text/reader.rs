//! Finds times in texts.

use types::{civil_from_days, days_from_civil};

use super::SECONDS_OF_DAY;
use super::form::{Form, MONTHS, WEEKDAYS, is_between, is_mark};
use crate::words::is_word_byte;

/// A time found in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeText {
    pub(crate) form: Form,
    /// Units since the epoch.
    pub(crate) units: i64,
    /// Where it ends.
    pub(crate) end: usize,
}

/// Reports whether the word at `at`, `length` bytes long, may begin a time; a quick look that spares [`find`].
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

/// Returns the time that begins at `at`, in a text of an event of time `near` (nanoseconds).
pub(crate) fn find(bytes: &[u8], at: usize, near: i64) -> Option<TimeText> {
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
    Some(TimeText { form, units: whole.checked_add(decimals)?, end: reader.at })
}

struct Date {
    form: u8,
    year: Option<i64>,
    month: i64,
    day: i64,
    weekday: Option<usize>,
}

impl Date {
    /// Days since the epoch; `None` if there is no such day.
    fn day_number(&self, near_day: i64) -> Option<i64> {
        let (month, day) = (u32::try_from(self.month).ok()?, u32::try_from(self.day).ok()?);
        let of_year = |year: i64| days_from_civil(year, month, day);
        let day = match self.year {
            Some(year) => of_year(year)?,
            None => {
                let (near_year, ..) = civil_from_days(near_day);
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

    /// Returns the form of a time of day, and its seconds.
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

    /// Returns the mark, the number of decimals, and their value; none if what follows is no decimals.
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

#[cfg(test)]
mod tests;
