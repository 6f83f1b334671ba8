//! What a single line shows of itself: whether it begins as entries do, whether it can only continue one.
//!
//! Everything here depends on the line alone and reads a bounded part of it.

use types::Level;

use crate::level::upper_level;
use crate::time::{find_time, find_time_of_day, find_time_strictly_at_start};
use crate::{ArrivalContext, Zone, colour};

/// Bytes in which a time or a level makes a line one with a head of its own.
const HEAD_BYTES_MAX: usize = 96;

/// An instant of the year 2200.
const EVERY_DATE_BEFORE: i64 = 7_258_118_400_000_000_000;

/// Reports whether a time of day or a date of digits stands near the beginning: `06:47:13`, `06:47`, `20261120`.
///
/// Ports, places in files and addresses are none: a colon before the hour or further digits after the minute exclude them.
pub(super) fn has_clock(line: &[u8]) -> bool {
    let head = &line[..line.len().min(HEAD_BYTES_MAX)];
    let is_digit = |at: usize| head.get(at).is_some_and(u8::is_ascii_digit);
    let has_pairs = |at: usize| at > 0 && is_digit(at - 1) && is_digit(at + 1) && is_digit(at + 2);
    let has_seconds = |at: usize| head.get(at + 3) == Some(&b':') && is_digit(at + 4) && is_digit(at + 5);
    // Most times begin at one of a few places.
    if [13, 14, 9, 8, 11].iter().any(|at| head.get(*at) == Some(&b':') && has_pairs(*at) && has_seconds(*at)) {
        return true;
    }
    if has_short_clock(head) {
        return true;
    }
    memchr::memchr_iter(b':', head).any(|at| {
        let begins = at > 1 && is_digit(at - 2) && (at == 2 || !matches!(head[at - 3], b':' | b'.' | b'0'..=b'9'));
        has_pairs(at) && (has_seconds(at) || (begins && !is_digit(at + 3)))
    }) || has_digits_of_date(head)
}

/// Reports whether a line with a time at its head is nothing but the first of an event: no report begins with it, no row of a table
/// whose quote is open, no stanza, no record of Java's own library.
pub(super) fn is_plain_head(line: &[u8]) -> bool {
    let may_be = match line {
        [] | [b' ' | b'\t' | b'{' | b'=' | b'*' | b'#' | 0x1b, ..] => false,
        // Three letters and a blank begin a date.
        [b'a'..=b'z' | b'A'..=b'Z', rest @ ..] => {
            rest.get(2) == Some(&b' ') && rest.get(4) != Some(&b',') && rest.get(5) != Some(&b',')
        }
        _ => true,
    };
    may_be && line.last() != Some(&b']') && has_clock(line) && !opens_quote(line)
}

/// `20261120` or an epoch of ten digits or more, not within a longer word.
fn has_digits_of_date(head: &[u8]) -> bool {
    const DIGITS_MIN: usize = 8;
    let is_digit = |at: &usize| head[*at].is_ascii_digit();
    // One of every few bytes is within digits that are so many.
    let mut seen = (DIGITS_MIN - 1..head.len()).step_by(DIGITS_MIN).filter(is_digit);
    seen.any(|at| {
        let from = at - head[..at].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let digits = &head[from..];
        let digits = &digits[..digits.iter().take_while(|byte| byte.is_ascii_digit()).count()];
        // After ` = ` a statement has a number to compare with.
        let is_bound = !head[..from].ends_with(b" = ")
            && (from == 0 || !(head[from - 1].is_ascii_alphanumeric() || head[from - 1] == b'.'));
        let is_day = || (digits.starts_with(b"20") || digits.starts_with(b"19")) && matches!(digits[4], b'0' | b'1');
        is_bound
            && (digits.len() == DIGITS_MIN && is_day()
                || matches!(digits.len(), 10 | 13 | 16 | 19) && digits[0] == b'1')
    })
}

/// `261120 203615 `: a date and a time of six digits each.
fn has_short_clock(head: &[u8]) -> bool {
    let are_digits = |from: usize| head[from..from + 6].iter().all(u8::is_ascii_digit);
    head.len() > 13
        && head[6] == b' '
        && (head.len() == 14 || !head[13].is_ascii_digit())
        && are_digits(0)
        && are_digits(7)
}

/// Reports whether a line begins with a level: `ERROR: `, `[warn] `, `<6>`, `E, `, `WARN  [`.
pub(super) fn has_level(line: &[u8]) -> bool {
    let head = &line[..line.len().min(HEAD_BYTES_MAX)];
    let start = head.iter().position(|byte| !matches!(byte, b'[' | b'<' | b'(' | b'*' | b' ')).unwrap_or(head.len());
    let word = &head[start..];
    let end = word.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(word.len());
    let behind = colour::without_leading(&word[end..]).first();
    let closes = behind.is_some_and(|byte| matches!(byte, b':' | b']' | b'>' | b')' | b'|' | b',' | b' '));
    let word = &word[..end];
    let is_marked = start > 0 && !head[..start].iter().all(|byte| *byte == b' ');
    let is_written = word.iter().all(u8::is_ascii_uppercase) || is_marked || behind == Some(&b':');
    let is_level = |word: &str| Level::parse(word).is_some();
    closes && is_written && word.len() > 1 && std::str::from_utf8(word).is_ok_and(is_level)
}

/// Reports whether a level follows a thread in brackets, before which a count may stand: `[main] INFO shop - `,
/// `31   [main] WARN  shop - `.
pub(super) fn has_level_of_thread(line: &[u8]) -> bool {
    let start = line.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b' ').count();
    let Some(inside) = line[start..].strip_prefix(b"[") else { return false };
    let thread = inside.iter().take(HEAD_BYTES_MAX).position(|byte| *byte == b']');
    let behind = thread.and_then(|end| inside[end + 1..].strip_prefix(b" "));
    behind.is_some_and(|behind| behind.first().is_some_and(u8::is_ascii_uppercase) && has_level(behind))
}

/// Returns the name before a colon that a line begins with: `Start-Date: `.
pub(super) fn name(line: &[u8]) -> Option<&[u8]> {
    let is_of_name = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'-';
    let name = &line[..line.iter().take(24).take_while(|byte| is_of_name(byte)).count()];
    (name.first()?.is_ascii_uppercase() && line[name.len()..].starts_with(b": ")).then_some(name)
}

/// Reports whether a line is a name and a time, and nothing else: `Start-Date: 2026-11-20  06:47:13`.
pub(super) fn is_named_time(line: &[u8]) -> bool {
    let value = name(line).map(|name| line[name.len() + 1..].trim_ascii());
    value.is_some_and(|value| crate::time::time_end(value) == Some(value.len()))
}

/// Returns the end of the level in upper case that a line begins with. Blanks before it may pad it to the length of the
/// longest level.
pub(super) fn level_end(line: &[u8]) -> Option<usize> {
    let start = line.iter().take(5).position(|byte| *byte != b' ')?;
    let end = start + line[start..].iter().take(12).take_while(|byte| byte.is_ascii_uppercase()).count();
    (matches!(line.get(end), Some(b' ' | b':')) && upper_level(&line[start..end]).is_some()).then_some(end)
}

/// Reports whether a line is a place in a trace of Gin: `/srv/shop/main.go:3 (0x76b766)`.
pub(super) fn is_gin_frame(line: &[u8]) -> bool {
    line.ends_with(b")") && crate::find::find_short(line, b" (0x").is_some_and(|at| line[at - 1].is_ascii_digit())
}

/// Reports whether a line begins an entry whatever stands before it: a date and time at its beginning, or a JSON object.
pub(crate) fn is_sure_head(line: &[u8]) -> bool {
    match line[0] {
        b'{' => is_object(line),
        b'0'..=b'9' | b'[' | b'(' | b'A'..=b'Z' => has_clock(line) && begins_with_time(line),
        _ => false,
    }
}

/// Reports whether a line is a JSON object by its ends.
pub(super) fn is_object(line: &[u8]) -> bool {
    line.starts_with(b"{\"") && line.ends_with(b"}")
}

pub(super) fn begins_with_time(line: &[u8]) -> bool {
    in_utc(|received| find_time_strictly_at_start(line, received))
}

/// Reports whether a line has a time of its own, not merely one that its text mentions.
pub(super) fn has_own_time(line: &[u8]) -> bool {
    in_utc(|received| find_time(line, received).or_else(|| find_time_of_day(line, None, received)).is_some())
}

/// Looks for a time where it does not matter which one it is.
fn in_utc<T>(look: impl FnOnce(&ArrivalContext<'_>) -> T) -> T {
    let limits = types::Limits::default();
    let at = types::Timestamp(EVERY_DATE_BEFORE);
    look(&ArrivalContext { at, modified: None, previous: None, zone: Zone::UTC, limits: &limits })
}

/// How the head of a line is built: digits, letters and marks of its first words. 0 for a line without digits or a level there.
///
/// Runs of the same kind count once, and padding does not: ` 0(104) INFO:` and `12(7) ERROR:` are alike.
pub(super) fn signature(line: &[u8]) -> u64 {
    let (mut signature, mut last, mut n_runs, mut has_digit) = (0u64, 0, 0, false);
    for byte in line.iter().take(HEAD_BYTES_MAX).skip_while(|byte| **byte == b' ') {
        let kind = match byte {
            b'0'..=b'9' => 9,
            b'a'..=b'z' | b'A'..=b'Z' => b'a',
            other => *other,
        };
        if kind == last {
            continue;
        }
        (last, n_runs, has_digit) = (kind, n_runs + 1, has_digit || kind == 9);
        signature = signature.rotate_left(8) ^ u64::from(kind);
        if n_runs == 6 {
            break;
        }
    }
    if has_digit { signature } else { 0 }
}

/// `Nov 20, 2026 6:47:13 PM org.acme.App main`, `log:11/20/2026 06:47:13:515 PM UTC: Thread[http-80-8,5,main]`: the text stands
/// in the next line.
pub(super) fn is_java_head(line: &[u8]) -> bool {
    if line.ends_with(b"]") && crate::find::find_short(&line[..line.len().min(HEAD_BYTES_MAX)], b": Thread[").is_some()
    {
        return true;
    }
    let has_comma = line.get(5) == Some(&b',') || line.get(6) == Some(&b',');
    let end = if has_comma && line[0].is_ascii_uppercase() { crate::time::time_end(line) } else { None };
    end.is_some_and(|end| line[..end].ends_with(b"M") && line.get(end) == Some(&b' '))
}

/// `SEVERE: text`.
pub(super) fn is_level_line(line: &[u8]) -> bool {
    let end = line.iter().take(12).position(|b| *b == b':').unwrap_or(0);
    let is_level = |word: &str| Level::parse(word).is_some();
    line[..end].iter().all(u8::is_ascii_uppercase) && std::str::from_utf8(&line[..end]).is_ok_and(is_level)
}

/// Whether a row of a table begins that ends in a later line: columns between commas, one with an open quote.
pub(super) fn opens_quote(line: &[u8]) -> bool {
    let comma = memchr::memchr(b',', &line[..line.len().min(48)]);
    comma.is_some_and(|at| matches!(line.get(at + 1), Some(b'"' | b','))) && closes_quote(line)
}

/// Whether a line has an odd number of quotes, so that it opens what was closed or closes what was open.
pub(super) fn closes_quote(line: &[u8]) -> bool {
    memchr::memchr_iter(b'"', line).count() % 2 == 1
}

/// `ValueError: x`, `pkg.Some$Error`, `Mail::Lost (x)`: one word of a name, then a colon, a bracket or the end.
pub(crate) fn is_exception(line: &[u8]) -> bool {
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'$' | b'\\');
    let mut end = line.iter().position(|b| !is_name(b)).unwrap_or(line.len());
    while line[end..].starts_with(b"::") {
        end += 2 + line[end + 2..].iter().position(|b| !is_name(b)).unwrap_or(line.len() - end - 2);
    }
    let ends =
        line.get(end).is_none_or(|b| *b == b':') || line[end..].starts_with(b" [") || line[end..].starts_with(b" (");
    line[0].is_ascii_alphabetic() && ends && !is_level_line(line)
}

/// `java.lang.IllegalStateException: x`, `TypeError: x`, `SendFailed`: the type of an exception by its name.
pub(crate) fn is_typed_exception(line: &[u8]) -> bool {
    let end = memchr::memchr3(b':', b' ', b'(', line).unwrap_or(line.len());
    let name = &line[..end];
    let ends =
        [&b"Exception"[..], b"Error", b"Throwable", b"Failure", b"Fault"].iter().any(|ending| name.ends_with(ending));
    ends && name.len() > 5 && is_exception(line)
}

/// `SendFailed: x`: a name of several words in one, as types have.
pub(super) fn is_camel(line: &[u8]) -> bool {
    let end =
        line.iter().position(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'.' | b'_' | b'$')).unwrap_or(line.len());
    let name = line[..end].rsplit(|b| *b == b'.').next().unwrap_or_default();
    let n_upper = name.iter().filter(|b| b.is_ascii_uppercase()).count();
    let has_lower = name.iter().any(u8::is_ascii_lowercase);
    name.first().is_some_and(u8::is_ascii_uppercase) && n_upper > 1 && has_lower && is_exception(line)
}
