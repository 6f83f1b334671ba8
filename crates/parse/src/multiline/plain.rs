//! Lines of a file that a syslog daemon wrote, without priorities: `Nov 20 06:47:13 web-1 shop[7]: text`; and those of `dmesg -T`.
//!
//! Almost all of them are events, so that little is asked of each: only behind a line of the same program, and only once one of
//! the two is of the report of a death, it matters what the program itself wrote.

use std::borrow::Cow;
use std::ops::Range;

use crate::crash::OpenReport;
use crate::message::{self, text};

/// Bytes of a line that are kept to look at it again.
const LINE_BYTES_MAX: usize = 256;

/// Lines behind the last that surely is of a report in which the report may go on.
const QUIET_LINES_MAX: usize = 64;

/// The line before, and how long ago one was of a report.
#[derive(Clone, Debug)]
pub(super) struct PlainLines {
    line: Vec<u8>,
    /// Where the names of host, program and process are in it; empty where it is no such line.
    names: Range<usize>,
    content: usize,
    /// Whether its text begins a report, where that is known.
    begins_report: Option<bool>,
    n_quiet: usize,
}

impl Default for PlainLines {
    fn default() -> Self {
        Self { line: Vec::new(), names: 0..0, content: 0, begins_report: None, n_quiet: QUIET_LINES_MAX }
    }
}

impl PlainLines {
    /// Forgets the line before: one of another kind follows.
    pub(super) fn skip(&mut self) {
        self.names = 0..0;
        self.end();
    }

    /// Ends the report at hand.
    pub(super) fn end(&mut self) {
        self.n_quiet = QUIET_LINES_MAX;
    }

    /// Whether what the program wrote decides about the lines now.
    pub(super) fn is_within(&self) -> bool {
        self.n_quiet < QUIET_LINES_MAX
    }

    /// The line before, and what its program wrote.
    pub(super) fn before(&self) -> (&[u8], Cow<'_, [u8]>) {
        (&self.line, text(&self.line[self.content.min(self.line.len())..]))
    }

    /// Looks at a line; returns what its program wrote if that decides.
    pub(super) fn enter<'l>(&mut self, line: &'l [u8], names: &Range<usize>, from: usize) -> Option<Cow<'l, [u8]>> {
        if self.names.is_empty() || self.line[self.names.clone()] != line[names.clone()] {
            self.n_quiet = QUIET_LINES_MAX;
            return None;
        }
        let content = text(&line[from..]);
        let begins = begins_report(line, &content);
        let began = || begins_report(&self.line, &self.before().1);
        let is_of_report = begins || self.begins_report.unwrap_or_else(began) || is_frame(line, &content);
        self.n_quiet = if is_of_report { 0 } else { (self.n_quiet + 1).min(QUIET_LINES_MAX) };
        self.begins_report = Some(begins);
        self.is_within().then_some(content)
    }

    /// Notes a line as that before the next.
    pub(super) fn note(&mut self, line: &[u8], names: Range<usize>, content: usize) {
        if self.names.is_empty() || self.line[self.names.clone()] != line[names.clone()] {
            self.begins_report = None;
        }
        self.line.clear();
        self.line.extend_from_slice(&line[..line.len().min(LINE_BYTES_MAX)]);
        (self.names, self.content) = (names, content);
    }
}

/// Reports whether what a program wrote in a line begins a report. A line that names no program may be of any, so that only
/// the kernel's reports count there.
fn begins_report(line: &[u8], content: &[u8]) -> bool {
    let report = if content.is_empty() { None } else { OpenReport::of(content) };
    report.is_some_and(|report| line[0] != b'[' || report.is_of_kernel())
}

/// `at a.B.c(B.java:7)`, `File "pay.py", line 7`, `#0 pay.c:7`: an indented frame of a trace.
fn is_frame(line: &[u8], content: &[u8]) -> bool {
    let frame = content.trim_ascii_start();
    line[0] != b'['
        && frame.len() < content.len()
        && ([&b"at "[..], b"from ", b"File \"", b"/", b"@ "].iter().any(|start| frame.starts_with(start))
            || matches!(frame, [b'#', b'0'..=b'9', ..]))
}

/// Whether a line at the end of `lines`, from `from` on, may belong to a report that begins before it.
pub(super) fn may_continue(lines: &[u8], from: usize) -> bool {
    let mut before = &lines[..from];
    let mut line = &lines[from..];
    for _ in 0..QUIET_LINES_MAX {
        let Some((names, content)) = message::plain(line) else { return false };
        let n_ends = before.iter().rev().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        let body = &before[..before.len() - n_ends];
        let start = memchr::memrchr(b'\n', body).map_or(0, |newline| newline + 1);
        let previous = &body[start..];
        let Some((names_before, content_before)) = message::plain(previous) else { return false };
        if previous[names_before] != line[names] {
            return false;
        }
        let content = text(&line[content..]);
        let began = || begins_report(previous, &text(&previous[content_before..]));
        if is_frame(line, &content) || begins_report(line, &content) || began() {
            return true;
        }
        (before, line) = (&lines[..start], previous);
    }
    false
}

/// The text of an event of several such lines: the first line, and what the program wrote in the others.
pub(crate) fn joined(event: &[u8]) -> Option<Vec<u8>> {
    let mut lines = event.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = lines.next()?;
    let (names, _) = message::plain(first)?;
    let mut out = first.to_vec();
    let mut n_own = 0;
    for line in lines {
        out.push(b'\n');
        match message::plain(line).filter(|(of_line, _)| line[of_line.clone()] == first[names.clone()]) {
            Some((_, content)) => {
                n_own += 1;
                out.extend_from_slice(&text(&line[content..]));
            }
            None => out.extend_from_slice(line),
        }
    }
    (n_own > 0).then_some(out)
}
