//! The canonical level of an event, from its fields or its text.

mod field;
mod head;
mod keys;
mod outlook;
mod place;
mod signs;
mod words;

pub use field::level_of_field;
pub(crate) use field::{LevelField, level_field, level_of_number, level_of_word};
pub(crate) use place::closing;
pub(crate) use signs::letter;
pub(crate) use words::{any_level, upper_level, word_before_colon};

use std::cell::Cell;

use types::Level;

use crate::time::TimeMemo;
use keys::of_keys;

/// Bytes of a line in which the key `level=` is looked for.
const KEYS_BYTES_MAX: usize = 1024;

/// Bytes of a line in which a level is looked for that is no value of a key: long prefixes name user, database and client.
const HEAD_BYTES_MAX: usize = 384;

/// The level that a text says by its form: a sign of its program's, or a word at the place of a level. Never a word of prose.
pub fn level_of_text(text: &str) -> Option<Level> {
    level_in(text, &TimeMemo::default(), &Cell::new(false))
}

/// The same for a text in which the time may have been read before. `said` is whether the text of the source before said a level:
/// this one is likely to do so too, and is not looked over first.
pub(crate) fn level_in(text: &str, times: &TimeMemo, said: &Cell<bool>) -> Option<Level> {
    let first_line = times.first_line(text).as_bytes();
    let head = &first_line[..first_line.len().min(KEYS_BYTES_MAX)];
    if !said.get() && head.len() <= HEAD_BYTES_MAX && !outlook::may_say_level(head) {
        times.note_silent(text);
        return None;
    }
    let level = head::level(&head[..head.len().min(HEAD_BYTES_MAX)], times).unwrap_or_else(|| {
        let of_request = if times.lacks(text, b'"') { None } else { of_access_log(head) };
        of_request.or_else(|| if times.lacks(text, b'=') { None } else { of_keys(head) })
    });
    said.set(level.is_some());
    level
}

/// The status of `… [20/Nov/2026:06:47:13 +0000] "GET /path HTTP/1.1" 503 …`.
fn of_access_log(head: &[u8]) -> Option<Level> {
    let after_time = memchr::memchr_iter(b'"', head).find(|quote| head[..*quote].ends_with(b"] "))? + 1;
    let is_time = head[..after_time].iter().filter(|b| **b == b':').count() >= 3;
    let quote = after_time + memchr::memchr(b'"', &head[after_time..])?;
    let status = head.get(quote + 2..quote + 5)?;
    let ends = head.get(quote + 5).is_none_or(|b| *b == b' ');
    if !is_time || !ends || head[quote + 1] != b' ' || !status.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let status = status.iter().fold(0i64, |sum, b| sum * 10 + i64::from(b - b'0'));
    Level::of_http_status(status)
}

#[cfg(test)]
mod tests;
