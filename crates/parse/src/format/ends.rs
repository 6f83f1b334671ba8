//! How far the pieces of a form reach in a line.

/// Longest word or text that a step captures, but for the last.
pub(super) const CAPTURE_BYTES_MAX: usize = 512;

/// The length of a name of several parts, such as `org.acme.App`, `mail::queue` and `main/yp`, and how many bytes of the text
/// could be in one.
pub(super) fn n_dotted(bytes: &[u8]) -> (usize, usize) {
    if !bytes.first().is_some_and(u8::is_ascii_alphabetic) {
        return (0, 0);
    }
    let (mut length, mut n_parts) = (0, 0);
    while let Some(byte) = bytes.get(length) {
        let is_colons = bytes[length..].starts_with(b"::");
        if is_colons || matches!(byte, b'.' | b'/') {
            n_parts += 1;
        } else if !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'$' | b'-') {
            break;
        }
        length += if is_colons { 2 } else { 1 };
    }
    let is_name = n_parts > 0 && bytes[length - 1].is_ascii_alphanumeric();
    (if is_name { length } else { 0 }, length)
}

pub(super) fn n_leading(bytes: &[u8], is: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !is(*byte)).unwrap_or(bytes.len())
}

pub(super) fn unsigned(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"-").unwrap_or(bytes)
}

pub(super) fn signed(bytes: &[u8], n_digits: usize) -> usize {
    if n_digits == 0 { 0 } else { n_digits + usize::from(bytes.first() == Some(&b'-')) }
}

/// The length of the word that a text begins with.
pub(super) fn n_word(rest: &[u8]) -> usize {
    let within = &rest[..rest.len().min(CAPTURE_BYTES_MAX)];
    n_leading(within, |byte| !matches!(byte, b' ' | b'\t'))
}

/// How long a word is up to a character, or up to its end where padding may stand before that.
pub(super) fn n_until(until: Option<u8>, is_padded: bool, rest: &[u8], n_word: usize) -> Option<usize> {
    let Some(until) = until else { return Some(n_word) };
    // A tab ends a word anyhow.
    let is_behind = || rest.get(n_word) == Some(&until) || is_padded && n_word < rest.len();
    let end = n_leading(&rest[..n_word], |byte| byte != until);
    (end < n_word || is_behind()).then_some(end)
}

/// Where an epoch number ends: seconds with or without a fraction, milliseconds, microseconds or nanoseconds.
pub(super) fn epoch_end(bytes: &[u8]) -> Option<usize> {
    let n_digits = n_leading(&bytes[..bytes.len().min(20)], |byte| byte.is_ascii_digit());
    if !matches!(n_digits, 10 | 13 | 16 | 19) {
        return None;
    }
    let n_fraction = bytes
        .get(n_digits..)
        .and_then(|rest| rest.strip_prefix(b"."))
        .map_or(0, |fraction| n_leading(&fraction[..fraction.len().min(9)], |byte| byte.is_ascii_digit()));
    Some(if n_fraction == 0 { n_digits } else { n_digits + 1 + n_fraction })
}

/// Where a time of day with seconds ends.
pub(super) fn clock_end(bytes: &[u8]) -> Option<usize> {
    let is_clock = bytes.get(..8)?.iter().enumerate().all(|(at, byte)| match at {
        2 | 5 => *byte == b':',
        _ => byte.is_ascii_digit(),
    });
    let has_fraction = bytes.get(8).is_some_and(|byte| matches!(byte, b'.' | b','));
    let n_fraction = if has_fraction { n_leading(&bytes[9..], |byte| byte.is_ascii_digit()) } else { 0 };
    is_clock.then_some(if n_fraction == 0 { 8 } else { 9 + n_fraction })
}

/// Where the text ends that a form has up to this one.
pub(super) fn text_end(rest: &[u8], until: &str) -> Option<usize> {
    crate::find::find_short(&rest[..rest.len().min(CAPTURE_BYTES_MAX)], until.as_bytes())
}
