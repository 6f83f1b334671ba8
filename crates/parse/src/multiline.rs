//! Where one event ends and the next begins in the lines of a text file.
//!
//! Java's own logging library writes the level and the text on a second line, which belongs to the first.
//! A line that begins with white space, `at `, `Caused by:`, `...`, a closing bracket, or that belongs to a
//! traceback, goes on with the event before it; so do lines of a container runtime from the first part of a program's line
//! to its last, of which [`crate::texts`] makes events again. Every other line begins one. Shipper and server run the same
//! rules, so that both cut alike.

use std::ops::Range;

use crate::runtime::{Open, fragment};
use crate::time::find_time_strictly_at_start;
use crate::{ArrivalContext, Zone};

/// Lines of one event; further ones begin another.
const LINES_MAX: usize = 1_000;

/// Decides line by line. State is that of the event at hand.
#[derive(Clone, Debug)]
pub struct Boundaries {
    bytes_max: usize,
    n_lines: usize,
    n_bytes: usize,
    /// A traceback's frames were seen; the line of its exception is still to come.
    in_traceback: bool,
    /// Whether the event so far is the first line of a record of Java's own logging library.
    is_half: bool,
    /// Which streams of a container runtime are within a line of their program.
    open: Open,
}

impl Boundaries {
    /// Boundaries of events that are no longer than `bytes_max` unless a single line is.
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, n_lines: 0, n_bytes: 0, in_traceback: false, is_half: false, open: Open::default() }
    }

    /// Tells whether `line`, without its line end, begins an event. Empty lines neither begin nor end one.
    pub fn is_start(&mut self, line: &[u8]) -> bool {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return false;
        }
        let fits = self.n_lines < LINES_MAX && self.n_bytes.saturating_add(line.len()) <= self.bytes_max;
        let part = fragment(line);
        let goes_on = self.n_lines > 0 && fits && (self.open.goes_on(part.as_ref()) || self.goes_on(line));
        self.open = self.open.after(part.as_ref(), !goes_on);
        if goes_on {
            self.n_lines += 1;
            self.n_bytes += line.len() + 1;
        } else {
            self.n_lines = 1;
            self.n_bytes = line.len() + 1;
            self.in_traceback = is_traceback(line);
        }
        self.is_half = !goes_on && is_java_head(line);
        !goes_on
    }

    fn goes_on(&mut self, line: &[u8]) -> bool {
        if matches!(line[0], b' ' | b'\t') {
            return !begins_with_time(line);
        }
        if self.is_half && is_level_line(line) {
            return true;
        }
        if is_traceback(line) {
            self.in_traceback = true;
            return true;
        }
        if self.in_traceback {
            // The first line without indentation is the exception itself; what follows is something new.
            self.in_traceback = false;
            return is_exception(line);
        }
        const STARTS: [&[u8]; 8] = [
            b"at ",
            b"Caused by:",
            b"Suppressed:",
            b"... ",
            b"}",
            b"]",
            b"During handling of the above exception",
            b"The above exception was the direct cause",
        ];
        // Most lines begin with none of these letters, and are done with.
        let may_start = matches!(line[0], b'a' | b'C' | b'S' | b'.' | b'}' | b']' | b'D' | b'T');
        may_start && (STARTS.iter().any(|start| line.starts_with(start)) || line == b"...") || is_dotted_exception(line)
    }
}

fn begins_with_time(line: &[u8]) -> bool {
    let limits = types::Limits::default();
    let received = ArrivalContext { at: types::Timestamp(i64::MAX), modified: None, zone: Zone::UTC, limits: &limits };
    find_time_strictly_at_start(line, &received)
}

/// `Nov 20, 2026 6:47:13 PM org.acme.App main`.
fn is_java_head(line: &[u8]) -> bool {
    let has_comma = line.get(5) == Some(&b',') || line.get(6) == Some(&b',');
    let end = if has_comma && line[0].is_ascii_uppercase() { crate::time::time_end(line) } else { None };
    end.is_some_and(|end| line[..end].ends_with(b"M") && line.get(end) == Some(&b' '))
}

/// `SEVERE: text`.
fn is_level_line(line: &[u8]) -> bool {
    let end = line.iter().take(12).position(|b| *b == b':').unwrap_or(0);
    let is_level = |word: &str| types::Level::parse(word).is_some();
    line[..end].iter().all(u8::is_ascii_uppercase) && std::str::from_utf8(&line[..end]).is_ok_and(is_level)
}

fn is_traceback(line: &[u8]) -> bool {
    match line.first() {
        Some(b'T') => line.starts_with(b"Traceback (most recent call last)"),
        Some(b'g') => line.starts_with(b"goroutine "),
        _ => false,
    }
}

/// `ValueError: x`, `pkg.Some$Error`: one word of a name, then a colon or the end.
fn is_exception(line: &[u8]) -> bool {
    let end = line.iter().position(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'.' | b'_' | b'$'));
    let end = end.unwrap_or(line.len());
    line[0].is_ascii_alphabetic() && line.get(end).is_none_or(|b| *b == b':')
}

/// `java.lang.IllegalStateException: x` behind the line that logged it.
fn is_dotted_exception(line: &[u8]) -> bool {
    if !line.first().is_some_and(u8::is_ascii_lowercase) {
        return false;
    }
    let end = memchr::memchr2(b':', b' ', line).unwrap_or(line.len());
    let name = &line[..end];
    let ends = [&b"Exception"[..], b"Error", b"Throwable"].iter().any(|ending| name.ends_with(ending));
    ends && name.contains(&b'.') && is_exception(line)
}

/// The events of `text` in order, as byte ranges without their last line end. Empty lines between events are
/// in none; a text that begins with a continuation begins with an event all the same.
pub fn events(text: &[u8], bytes_max: usize) -> impl Iterator<Item = Range<usize>> {
    let mut boundaries = Boundaries::new(bytes_max);
    let mut next_line = 0;
    let mut event: Option<Range<usize>> = None;
    let line_at = |from: usize| {
        let end = memchr::memchr(b'\n', &text[from..]).map_or(text.len(), |length| from + length);
        (end, (end + 1).min(text.len()))
    };
    std::iter::from_fn(move || {
        while next_line < text.len() {
            let from = next_line;
            let (end, after) = line_at(from);
            next_line = if end == text.len() { text.len() } else { after };
            let line = text[from..end].strip_suffix(b"\r").unwrap_or(&text[from..end]);
            if line.is_empty() {
                continue;
            }
            let line_end = from + line.len();
            if boundaries.is_start(line) {
                if let Some(done) = event.replace(from..line_end) {
                    return Some(done);
                }
            } else if let Some(event) = &mut event {
                event.end = line_end;
            }
        }
        event.take()
    })
}

/// Where the last line of `text` begins that begins an event whatever stands before it. `text` ends with a whole line; `open`
/// says which streams of a container runtime may be within a line.
pub(crate) fn last_sure_start(text: &[u8], open: Open) -> Option<usize> {
    let mut end = text.len();
    while end > 0 {
        // A line end right before `end` closes the line that is looked at.
        let body_end = if text[end - 1] == b'\n' { end - 1 } else { end };
        let from = memchr::memrchr(b'\n', &text[..body_end]).map_or(0, |newline| newline + 1);
        if is_sure_start(&text[from..body_end], open) {
            return Some(from);
        }
        end = from;
    }
    None
}

/// Tells whether `line` begins an event whatever stands before it.
fn is_sure_start(line: &[u8], open: Open) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return false;
    }
    let after_line = Boundaries { n_lines: 1, open, ..Boundaries::new(usize::MAX) };
    let in_traceback = Boundaries { in_traceback: true, ..after_line.clone() };
    let after_half = Boundaries { is_half: true, ..after_line.clone() };
    [after_line, in_traceback, after_half].into_iter().all(|mut before| before.is_start(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&str], expected: &[&str]) {
        let text = lines.join("\n");
        let found: Vec<&str> = events(text.as_bytes(), 1 << 20).map(|range| &text[range]).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_stack_trace_belongs_to_the_line_before_it() {
        check(
            &["one", "java.lang.Error: x", "\tat A.b(A.java:1)", "Caused by: y", "\t... 3 more", "two"],
            &["one\njava.lang.Error: x\n\tat A.b(A.java:1)\nCaused by: y\n\t... 3 more", "two"],
        );
        check(
            &["one", "Traceback (most recent call last):", "  File \"a.py\"", "    f()", "ValueError: x", "two: 2"],
            &["one\nTraceback (most recent call last):\n  File \"a.py\"\n    f()\nValueError: x", "two: 2"],
        );
    }

    #[test]
    fn a_record_of_two_lines_is_one_event() {
        check(
            &["Nov 20, 2026 6:47:13 PM org.acme.App main", "SEVERE: broken", "INFO: next", "INFO: alone"],
            &["Nov 20, 2026 6:47:13 PM org.acme.App main\nSEVERE: broken", "INFO: next", "INFO: alone"],
        );
        check(&["Nov 20 06:47:13 host app: x", "INFO: y"], &["Nov 20 06:47:13 host app: x", "INFO: y"]);
        assert_eq!(last_sure_start(b"x y\nINFO: y\n", Open::any()), Some(0));
    }

    #[test]
    fn plain_lines_are_events_and_empty_lines_are_none() {
        check(&["one", "", "two", "\r", "", "three"], &["one", "two", "three"]);
        check(&["", ""], &[]);
        check(&[], &[]);
        check(&["  first", "second"], &["  first", "second"]);
        check(&["one", "  2026-11-20 06:47:13 two"], &["one", "  2026-11-20 06:47:13 two"]);
        check(&["{", "  \"a\": 1", "}", "{\"b\":2}"], &["{\n  \"a\": 1\n}", "{\"b\":2}"]);
    }

    #[test]
    fn an_event_is_bounded_in_lines_and_bytes() {
        let text = format!("one\n{}", "  more\n".repeat(2 * LINES_MAX));
        assert_eq!(events(text.as_bytes(), 1 << 20).count(), 3);
        assert!(events(text.as_bytes(), 100).all(|range| range.len() <= 100));
        let long = "x".repeat(1000);
        assert_eq!(events(long.as_bytes(), 100).map(|range| range.len()).collect::<Vec<_>>(), [1000]);
    }
}
