//! Steps over a line: words, what is enclosed, times.

use crate::find::split_blank;
use crate::time::TimeMemo;

/// Takes the word before the next blank off the front.
pub(super) fn word<'t>(rest: &mut &'t str) -> Option<&'t str> {
    let (word, behind) = split_blank(rest).unwrap_or((rest, ""));
    *rest = behind;
    (!word.is_empty()).then_some(word)
}

/// Takes what stands between two signs off the front, and a blank behind it; inside of it, a backslash keeps a sign
/// from closing.
pub(super) fn enclosed<'t>(rest: &mut &'t str, open: u8, close: u8) -> Option<&'t str> {
    let bytes = rest.as_bytes();
    if bytes.first() != Some(&open) {
        return None;
    }
    let mut at = 1;
    loop {
        at += memchr::memchr2(close, b'\\', bytes.get(at..)?)?;
        if bytes[at] == close {
            break;
        }
        // The escaped sign may be of several bytes: none of those that follow the first is one that is looked for.
        at += 2;
    }
    let (inner, behind) = (rest.get(1..at)?, rest.get(at + 1..)?);
    *rest = behind.strip_prefix(' ').unwrap_or(behind);
    Some(inner)
}

/// Takes `mark` off the front.
pub(super) fn mark(rest: &mut &str, mark: &str) -> Option<()> {
    *rest = rest.strip_prefix(mark)?;
    Some(())
}

/// Takes a calendar time in any known form off the front.
pub(super) fn time<'t>(rest: &mut &'t str, times: &TimeMemo) -> Option<&'t str> {
    let end = times.time_end(rest.as_bytes())?;
    let (time, behind) = rest.split_at_checked(end)?;
    *rest = behind;
    Some(time)
}

/// Takes blanks off the front.
pub(super) fn blanks(rest: &mut &str) {
    *rest = rest.trim_start_matches([' ', '\t']);
}

/// Takes digits off the front.
pub(super) fn digits<'t>(rest: &mut &'t str) -> Option<&'t str> {
    let end = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, behind) = rest.split_at(end);
    *rest = behind;
    (!digits.is_empty()).then_some(digits)
}

/// Whether a text has digits only, and at least one.
pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `main.go:42` and `/srv/app/main.py:7`: where in a program a line was written. One colon alone may stand before a port.
pub(crate) fn is_source(text: &str) -> bool {
    let bytes = text.as_bytes();
    let n_digits = bytes.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let Some(file) = bytes[..bytes.len() - n_digits].strip_suffix(b":").filter(|_| n_digits > 0) else { return false };
    let (mut has_colon, mut point) = (false, None);
    for (at, byte) in file.iter().enumerate() {
        match byte {
            b' ' => return false,
            b':' => has_colon = true,
            b'.' => point = Some(at),
            _ => {}
        }
    }
    point.is_some_and(|at| has_colon || file.len() <= at + 2 || is_ending(&file[at + 1..]))
}

/// Whether files of source code end so; those of one letter are not asked for.
fn is_ending(ending: &[u8]) -> bool {
    let may_be = ending.len() <= ENDING_BYTES_MAX && ending.iter().all(u8::is_ascii_lowercase);
    may_be && ENDINGS.as_bytes().split(|byte| *byte == b' ').any(|known| known == ending)
}

/// Endings of files of source code that have more than one letter.
const ENDINGS: &str = "go rs py js ts rb cc hh cs kt pl pm ex hs ml mm sh vb fs cr jl mjs cjs jsx tsx php cpp cxx hpp exs erl lua clj zig \
    nim inc java dart scala swift";

/// Bytes of the longest ending.
const ENDING_BYTES_MAX: usize = 5;
