//! What stands around a word of a head, and places that are no words: times, zones, lines of files.

use super::words::upper_level;

/// `line:1`, `main.c:12:5`: where in a text something is.
pub(super) fn is_place(word: &[u8]) -> bool {
    let n_digits = word.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    n_digits > 0 && word[..word.len() - n_digits].ends_with(b":")
}

/// A word and what stands around it.
pub(super) struct Place<'t> {
    /// Without a colon or comma at its end.
    pub(super) bare: &'t [u8],
    pub(super) has_colon: bool,
    pub(super) behind: &'t [u8],
    pub(super) is_first: bool,
}

impl<'t> Place<'t> {
    /// The next word.
    pub(super) fn next(&self) -> &'t [u8] {
        let start =
            self.behind.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'|')).unwrap_or(self.behind.len());
        let word = &self.behind[start..];
        let is_end = |byte: &u8| matches!(byte, b' ' | b'\t' | b'|');
        &word[..word.iter().take(80).position(is_end).unwrap_or(word.len().min(80))]
    }

    /// The first byte behind the word and its blanks that belongs to something.
    pub(super) fn separator(&self) -> Option<&u8> {
        self.behind.iter().find(|byte| **byte != b' ')
    }
}

/// `06:47:13.123`, `06:47:13@123/` of I2P, or digits since the epoch that stand alone.
pub(super) fn clock_end(text: &[u8]) -> Option<usize> {
    let end = text.iter().take(32).position(|byte| !byte.is_ascii_digit() && !matches!(byte, b':' | b'.' | b','));
    let word = &text[..end.unwrap_or(text.len().min(32))];
    let word = word.trim_ascii_end().strip_suffix(b":").unwrap_or(word);
    let is_clock = (8..=16).contains(&word.len()) && word[2] == b':' && word[5] == b':' && word[7].is_ascii_digit();
    let n_digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_epoch = matches!(n_digits, 10 | 13 | 16 | 19)
        && word[0] == b'1'
        && (n_digits == word.len() || n_digits == 10 && word[10] == b'.');
    let milliseconds = text.get(word.len()..word.len() + 5).filter(|behind| {
        is_clock && behind[0] == b'@' && behind[4] == b'/' && behind[1..4].iter().all(u8::is_ascii_digit)
    });
    (is_clock || is_epoch).then_some(word.len() + milliseconds.map_or(0, <[u8]>::len))
}

/// How long the zone or half of the day is that stands behind a time.
pub(super) fn zone_bytes(text: &[u8]) -> usize {
    let Some((b' ', zone)) = text.split_first() else { return 0 };
    let is_end = |end: usize| zone.get(end).is_none_or(|byte| matches!(byte, b' ' | b']' | b')' | b':' | b'|' | b'\t'));
    let n_letters = zone.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    if (2..=4).contains(&n_letters) && is_end(n_letters) && upper_level(&zone[..n_letters]).is_none() {
        return 1 + n_letters;
    }
    let is_offset = matches!(zone.first(), Some(b'+' | b'-'));
    let n_digits = zone.iter().skip(1).take_while(|byte| byte.is_ascii_digit() || **byte == b':').count();
    if is_offset && n_digits >= 2 && is_end(1 + n_digits) { 2 + n_digits } else { 0 }
}

/// Returns the index of the bracket that closes the one before `inner`. Brackets may be nested.
pub(crate) fn closing(inner: &[u8], open: u8) -> Option<usize> {
    let close = if open == b'(' { b')' } else { open + 2 };
    let mut n_open = 1usize;
    inner.iter().position(|byte| {
        n_open += usize::from(*byte == open);
        n_open -= usize::from(*byte == close);
        n_open == 0
    })
}
