//! Splits a message into a template and typed variables.

use super::kind::{Kind, Slot, put_field};
use super::spelling::parse_address;
use crate::time_text;
use crate::words::is_word_byte;

/// Longest message in bytes that is split; longer ones hardly repeat and would make long templates.
const SPLIT_BYTES_MAX: usize = 8 << 10;

/// How finely messages are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Granularity {
    /// By words.
    Fine,
    /// By words, texts in double quotes as a whole.
    Coarse,
}

/// A variable of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Variable<'m> {
    pub(crate) kind: Kind,
    pub(crate) text: &'m str,
    /// Its value, where it is an integer, an address or a time.
    pub(crate) number: i64,
    /// Reports whether it is stored with a field.
    pub(crate) is_field: bool,
}

/// A message in parts; kept from one to the next for its memory.
#[derive(Default)]
pub(crate) struct Parts<'m> {
    pub(crate) template: Vec<u8>,
    pub(crate) variables: Vec<Variable<'m>>,
}

impl<'m> Parts<'m> {
    pub(super) fn clear(&mut self) {
        self.template.clear();
        self.variables.clear();
    }

    pub(super) fn push(&mut self, kind: Kind, text: &'m str, number: i64) {
        self.template.push(kind.marker());
        self.variables.push(Variable { kind, text, number, is_field: false });
    }

    /// Adds a variable of another message's parts at the place `slot` of its template.
    pub(crate) fn push_again(&mut self, slot: Slot, variable: Variable<'m>) {
        match slot.field {
            Some(field) => self.push_field(slot.kind, field, variable.text),
            None => {
                self.template.push(slot.kind.marker());
                self.template.extend(slot.form.iter().flat_map(|form| form.bytes()));
                self.variables.push(variable);
            }
        }
    }

    /// Adds the value `text` of a field.
    pub(crate) fn push_field(&mut self, kind: Kind, field: u16, text: &'m str) {
        put_field(&mut self.template, kind, field);
        self.variables.push(Variable { kind, text, number: 0, is_field: true });
    }
}

/// Splits the message of an event of time `timestamp`; `false` if it must be kept raw.
pub(crate) fn split<'m>(message: &'m str, timestamp: i64, grain: Granularity, parts: &mut Parts<'m>) -> bool {
    parts.clear();
    message.len() <= SPLIT_BYTES_MAX && split_on(message, 0, timestamp, grain, parts)
}

/// Splits what `message` has from `at` on, which is the beginning of a word or none, and adds it to `parts`.
pub(super) fn split_on<'m>(
    message: &'m str,
    mut at: usize,
    timestamp: i64,
    grain: Granularity,
    parts: &mut Parts<'m>,
) -> bool {
    let bytes = message.as_bytes();
    while at < bytes.len() {
        let byte = bytes[at];
        if !is_word_byte(byte) {
            if Kind::is_marker(byte) {
                return false;
            }
            parts.template.push(byte);
            at += 1;
            if grain == Granularity::Coarse
                && byte == b'"'
                && let Some(length) = quoted_length(&bytes[at..])
            {
                if length > 0 {
                    parts.push(Kind::Quoted, &message[at..at + length], 0);
                }
                parts.template.push(b'"');
                at += length + 1;
            }
            continue;
        }
        let mut end = at;
        let mut has_digit = false;
        while end < bytes.len() && is_word_byte(bytes[end]) {
            has_digit |= bytes[end].is_ascii_digit();
            end += 1;
        }
        // Word ends and the ends of addresses, UUIDs and times are next to ASCII bytes, hence on character boundaries.
        if time_text::may_begin(bytes, at, end - at, has_digit)
            && let Some(found) = time_text::find(bytes, at, timestamp)
        {
            parts.push(Kind::Time, &message[at..found.end], found.units);
            parts.template.extend_from_slice(&found.form.bytes());
            at = found.end;
            continue;
        }
        at = match classify(bytes, at, end, has_digit) {
            Some((kind, end)) => {
                let text = &message[at..end];
                parts.push(kind, text, value(kind, text));
                end
            }
            None => {
                parts.template.extend_from_slice(&bytes[at..end]);
                end
            }
        };
    }
    true
}

fn value(kind: Kind, text: &str) -> i64 {
    match kind {
        // At most 18 digits.
        Kind::Integer => text.bytes().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')),
        Kind::Address => i64::from(parse_address(text)),
        _ => 0,
    }
}

/// Returns how long the text before the closing quote is, if there is one.
fn quoted_length(rest: &[u8]) -> Option<usize> {
    let length = memchr::memchr(b'"', rest)?;
    rest[..length].iter().all(|byte| !Kind::is_marker(*byte)).then_some(length)
}

/// Returns the kind of the variable that starts with the word `at..end`, and where it ends; `None` for a literal word.
fn classify(bytes: &[u8], at: usize, end: usize, has_digit: bool) -> Option<(Kind, usize)> {
    let word = &bytes[at..end];
    let is_hex = |b: &[u8]| b.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if word.len() == 8 && is_uuid(&bytes[at..]) {
        return Some((Kind::Uuid, at + 36));
    }
    if !has_digit {
        let long_hex = word.len() >= 16 && word.len().is_multiple_of(2) && is_hex(word);
        return long_hex.then_some((Kind::Hex, end));
    }
    if word.len() <= 3
        && let Some(end) = address_end(bytes, at)
    {
        return Some((Kind::Address, end));
    }
    let kind = if word.iter().all(u8::is_ascii_digit) {
        let canonical = word.len() == 1 || word[0] != b'0';
        let fits = word.len() <= 18;
        if canonical && fits { Kind::Integer } else { Kind::Text }
    } else if word.len() >= 8 && word.len().is_multiple_of(2) && is_hex(word) {
        Kind::Hex
    } else {
        Kind::Text
    };
    Some((kind, end))
}

fn is_uuid(bytes: &[u8]) -> bool {
    let Some(uuid) = bytes.get(..36) else { return false };
    let ends_there = bytes.get(36).is_none_or(|b| !is_word_byte(*b));
    ends_there
        && uuid.iter().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// Returns where the IPv4 address that starts at `at` ends, if there is one that is not part of a longer dotted number.
fn address_end(bytes: &[u8], at: usize) -> Option<usize> {
    if at >= 2 && bytes[at - 1] == b'.' && bytes[at - 2].is_ascii_digit() {
        return None;
    }
    let mut end = at;
    for part in 0..4 {
        if part > 0 {
            if bytes.get(end) != Some(&b'.') {
                return None;
            }
            end += 1;
        }
        let digits = bytes[end..].iter().take(4).take_while(|b| b.is_ascii_digit()).count();
        let text = &bytes[end..end + digits];
        let number = text.iter().fold(0u32, |sum, b| sum * 10 + u32::from(b - b'0'));
        if digits == 0 || digits > 3 || number > 255 || (digits > 1 && text[0] == b'0') {
            return None;
        }
        end += digits;
    }
    let next = bytes.get(end).copied();
    let goes_on =
        next.is_some_and(is_word_byte) || (next == Some(b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit));
    (!goes_on).then_some(end)
}

#[cfg(test)]
mod tests;
