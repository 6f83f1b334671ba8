//! Finds the time at the head of a log line.

use super::{FoundTime, ResolvedTime, bounded, epoch_of_digits, forms, resolve};
use crate::ArrivalContext;

/// Bytes of a line that are looked at; a header is shorter.
const HEAD_BYTES_MAX: usize = 256;

/// Words before which a time in any form counts as the line's own: file names and hosts may come first.
const WORDS_BEFORE_MAX: usize = 3;

/// The same for the bracketed form of access logs and for keys, which nothing in prose looks like.
const WORDS_BEFORE_KNOWN_MAX: usize = 8;

/// Keys of `key=value` lines whose value is the line's time.
const TIME_KEYS: [&[u8]; 4] = [b"time=", b"ts=", b"timestamp=", b"t="];

/// Looks for the line's own time among its first words, or as the value of a key `time`, `ts` or `timestamp`.
///
/// Prefixes such as `[`, `(`, `"` and `<34>1 ` do not count as words.
pub fn find_time(line: &[u8], received: &ArrivalContext<'_>) -> Option<FoundTime> {
    let head = &line[..line.len().min(HEAD_BYTES_MAX)];
    let mut n_words = 0;
    let mut is_first_name = true;
    let mut at = after_priority(head);
    while at < head.len() && n_words < WORDS_BEFORE_KNOWN_MAX {
        while at < head.len() && matches!(head[at], b' ' | b'\t' | b'[' | b'(' | b'"' | b'\'' | b'|' | b'<') {
            at += 1;
        }
        let key = TIME_KEYS.iter().find(|key| head[at..].starts_with(key));
        let value_at = at + key.map_or(0, |key| key.len());
        let value_at = value_at + usize::from(key.is_some() && head.get(value_at) == Some(&b'"'));
        let is_access = at > 0 && head[at - 1] == b'[' && head.get(at + 2) == Some(&b'/');
        let is_known = is_access || key.is_some();
        if (n_words < WORDS_BEFORE_MAX || is_known)
            && let Some(found) = time_at(head, value_at, is_first_name || key.is_some(), received)
        {
            return Some(found);
        }
        while at < head.len() && !matches!(head[at], b' ' | b'\t' | b'|') {
            is_first_name &= !head[at].is_ascii_alphanumeric();
            at += 1;
        }
        n_words += 1;
    }
    None
}

/// Tells whether a line begins with a time, after brackets at most.
pub(crate) fn find_time_strictly_at_start(line: &[u8], received: &ArrivalContext<'_>) -> bool {
    let head = &line[..line.len().min(HEAD_BYTES_MAX)];
    let start = head.iter().position(|b| !matches!(b, b'[' | b'(' | b' ' | b'\t')).unwrap_or(head.len());
    forms::parse_at(head, start).is_some_and(|(civil, _)| resolve(&civil, received).is_some())
}

/// The time at `at`; a number is one only where nothing but punctuation stands before it, or behind a key.
fn time_at(head: &[u8], at: usize, may_be_number: bool, received: &ArrivalContext<'_>) -> Option<FoundTime> {
    if let Some((civil, end)) = forms::parse_at(head, at) {
        let time = resolve(&civil, received)?;
        return Some(FoundTime { time, start: at, end });
    }
    if may_be_number { epoch_at(head, at, received) } else { None }
}

/// An epoch number standing alone: 10, 13, 16 or 19 digits, the first with an optional fraction.
fn epoch_at(head: &[u8], at: usize, received: &ArrivalContext<'_>) -> Option<FoundTime> {
    let n_digits = head[at..].iter().take_while(|b| b.is_ascii_digit()).count();
    if !matches!(n_digits, 10 | 13 | 16 | 19) {
        return None;
    }
    let mut end = at + n_digits;
    if n_digits == 10 && head.get(end) == Some(&b'.') {
        let n_fraction = head[end + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
        end += if n_fraction == 0 { 0 } else { 1 + n_fraction };
    }
    let is_alone = head.get(end).is_none_or(|b| matches!(b, b' ' | b'\t' | b']' | b')' | b':' | b',' | b'|' | b'"'));
    // A number that would be outside all bounds is a number, not a wrong time.
    match bounded(epoch_of_digits(&head[at..end])?, received) {
        time @ ResolvedTime::At(instant) if is_alone && instant.0 >= 1_000_000_000_000_000_000 / 2 => {
            Some(FoundTime { time, start: at, end })
        }
        _ => None,
    }
}

/// Where the text goes on after a syslog priority `<34>` and version `1 `.
fn after_priority(head: &[u8]) -> usize {
    if head.first() != Some(&b'<') {
        return 0;
    }
    let n_digits = head[1..].iter().take(4).take_while(|b| b.is_ascii_digit()).count();
    if !(1..=3).contains(&n_digits) || head.get(1 + n_digits) != Some(&b'>') {
        return 0;
    }
    let end = n_digits + 2;
    if head[end..].starts_with(b"1 ") { end + 2 } else { end }
}
