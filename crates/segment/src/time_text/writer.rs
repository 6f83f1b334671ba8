//! Times as their forms spell them.

use types::civil_from_days;

use super::SECONDS_OF_DAY;
use super::form::{Form, MONTHS, WEEKDAYS};

/// Writes the time that is `units` units after the epoch in a form.
pub(crate) fn push(out: &mut Vec<u8>, form: Form, units: i64) {
    let parts = Parts::new(form, units);
    let year = push_date(out, form, parts.days);
    push_time(out, form, &parts, year);
}

impl Form {
    /// Reports whether such a time may hold all of `literal`.
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
}

/// Spells many times of one form; a date is written once for those that follow each other.
pub(crate) struct TimeWriter {
    form: Form,
    /// The date that `text` begins with, as days since the epoch, and its year.
    date: Option<(i64, i64)>,
    date_bytes: usize,
    text: Vec<u8>,
}

impl TimeWriter {
    /// Creates an empty writer.
    pub(crate) fn new(form: Form) -> Self {
        Self { form, date: None, date_bytes: 0, text: Vec::new() }
    }

    /// Returns the text of the time that is `units` units after the epoch.
    pub(crate) fn spell(&mut self, units: i64) -> &[u8] {
        let parts = Parts::new(self.form, units);
        let year = match self.date {
            Some((days, year)) if days == parts.days => year,
            _ => {
                self.text.clear();
                let year = push_date(&mut self.text, self.form, parts.days);
                self.date = Some((parts.days, year));
                self.date_bytes = self.text.len();
                year
            }
        };
        self.text.truncate(self.date_bytes);
        push_time(&mut self.text, self.form, &parts, year);
        &self.text
    }
}

/// Date and time of day of a number of units.
struct Parts {
    days: i64,
    seconds: i64,
    decimals: i64,
}

impl Parts {
    fn new(form: Form, units: i64) -> Self {
        let scale = 10i64.pow(u32::from(form.digits));
        let (whole, decimals) = (units.div_euclid(scale), units.rem_euclid(scale));
        Self { days: whole.div_euclid(SECONDS_OF_DAY), seconds: whole.rem_euclid(SECONDS_OF_DAY), decimals }
    }
}

/// Writes the part before the time of day; returns the year.
fn push_date(out: &mut Vec<u8>, form: Form, days: i64) -> i64 {
    // Days of a damaged file may be any number; no date is that far away.
    let (year, month, day) = civil_from_days(days.clamp(-(1 << 40), 1 << 40));
    let (month, day) = (i64::from(month), i64::from(day));
    let name = MONTHS[(month - 1) as usize % MONTHS.len()];
    if matches!(form.date, b'k' | b'n') {
        out.extend_from_slice(WEEKDAYS[days.rem_euclid(7) as usize]);
        out.push(b' ');
    }
    match form.date {
        b'a' => push_parts(out, &[(year, 4), (month, 2), (day, 2)], b"-"),
        b'b' => push_parts(out, &[(year, 4), (month, 2), (day, 2)], b"/"),
        b'c' => push_parts(out, &[(year, 4), (month, 2), (day, 2)], b"."),
        b'd' => push_parts(out, &[(year, 4), (month, 2), (day, 2)], b""),
        b'e' => push_parts(out, &[(year % 100, 2), (month, 2), (day, 2)], b"/"),
        b'f' => push_parts(out, &[(year % 100, 2), (month, 2), (day, 2)], b""),
        b'g' => push_parts(out, &[(month, 2), (day, 2)], b"-"),
        b'h' => push_parts(out, &[(month, 2), (day, 2)], b"."),
        b'l' => {
            push_digits(out, day, 2);
            out.push(b'/');
            out.extend_from_slice(name);
            out.push(b'/');
            push_digits(out, year, 4);
        }
        _ => {
            out.extend_from_slice(name);
            out.push(b' ');
            match (form.date, day < 10) {
                (b'j' | b'n', true) => {
                    out.push(b' ');
                    push_digits(out, day, 1);
                }
                (b'm', true) => push_digits(out, day, 1),
                _ => push_digits(out, day, 2),
            }
        }
    }
    out.push(form.between);
    year
}

/// Writes the time of day and what follows it.
fn push_time(out: &mut Vec<u8>, form: Form, parts: &Parts, year: i64) {
    let (seconds, decimals) = (parts.seconds, parts.decimals);
    let parts = [seconds / 3600, seconds / 60 % 60, seconds % 60];
    let width = |part: i64| if form.time == b'd' && part < 10 { 1 } else { 2 };
    let mark: &[u8] = if form.time == b'b' {
        b"."
    } else if form.time == b'c' {
        b""
    } else {
        b":"
    };
    push_parts(out, &parts.map(|part| (part, width(part))), mark);
    if form.digits > 0 {
        out.push(form.mark);
        push_digits(out, decimals, usize::from(form.digits));
    }
    if matches!(form.date, b'k' | b'n') {
        out.push(b' ');
        push_digits(out, year, 4);
    }
}

fn push_parts(out: &mut Vec<u8>, parts: &[(i64, usize)], mark: &[u8]) {
    for (place, (number, width)) in parts.iter().enumerate() {
        if place > 0 {
            out.extend_from_slice(mark);
        }
        push_digits(out, *number, *width);
    }
}

fn push_digits(out: &mut Vec<u8>, number: i64, width: usize) {
    let mut rest = number.unsigned_abs();
    let from = out.len();
    for _ in 0..width {
        out.push(b'0' + (rest % 10) as u8);
        rest /= 10;
    }
    out[from..].reverse();
}

#[cfg(test)]
mod tests;
