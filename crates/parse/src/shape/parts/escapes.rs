//! Texts whose escapes are undone.

use std::borrow::Cow;

/// A text whose escapes are undone: `\n`, `\t` and `\r` are what they are in C, anything else stands for itself.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        match (sign, if sign == '\\' { signs.next() } else { None }) {
            ('\\', Some('n')) => plain.push('\n'),
            ('\\', Some('t')) => plain.push('\t'),
            ('\\', Some('r')) => plain.push('\r'),
            ('\\', Some(other)) => plain.push(other),
            (sign, _) => plain.push(sign),
        }
    }
    Cow::Owned(plain)
}

/// A text in which a backslash before one of `guarded` is undone.
pub(super) fn unguarded<'t>(text: &'t str, guarded: &[char]) -> Cow<'t, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        let next = if sign == '\\' { signs.next_if(|next| guarded.contains(next)) } else { None };
        plain.push(next.unwrap_or(sign));
    }
    Cow::Owned(plain)
}

/// A text in which `\"`, `\\` and bytes such as `\x22` are undone.
pub(super) fn unquoted(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let (byte, n_more) = match (first, behind) {
            (b'\\', [b'x', high, low, ..]) => (pair_of_hexadecimal(*high, *low), 3),
            (b'\\', [escaped @ (b'"' | b'\\'), ..]) => (Some(*escaped), 1),
            _ => (None, 0),
        };
        plain.push(byte.unwrap_or(*first));
        rest = &behind[if byte.is_some() { n_more } else { 0 }..];
    }
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}

pub(super) fn undoubled(text: &str) -> Cow<'_, str> {
    if text.contains("\"\"") { Cow::Owned(text.replace("\"\"", "\"")) } else { Cow::Borrowed(text) }
}

/// The text that pairs of digits are; zeros part words. Digits that are no text stay.
pub(super) fn from_hexadecimal(digits: &str) -> Cow<'_, str> {
    let (pairs, _) = digits.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| pair_of_hexadecimal(*high, *low));
    let text = bytes.collect::<Option<Vec<u8>>>().and_then(|bytes| String::from_utf8(bytes).ok());
    match text.filter(|text| !text.chars().any(|c| c.is_control() && !matches!(c, '\0' | '\n' | '\t'))) {
        Some(text) => Cow::Owned(text.trim_end_matches('\0').replace('\0', " ")),
        None => Cow::Borrowed(digits),
    }
}

fn pair_of_hexadecimal(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}
