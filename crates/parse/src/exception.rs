//! Reads the exceptions out of the report of a program that died, or out of a stack trace that it logged.
//!
//! A report becomes exceptions with type, message and frames, the outermost first; which of them is the innermost cause; the
//! thread, and the runtime with its version where the text names them. [`frame`] has the forms of frames, [`heading`] those of
//! the lines that name an exception, [`own`] tells frames of the program from those of libraries, [`reader`] puts lines
//! together, [`fields`] gives events what was found. Colours count as nothing. Reading is linear in the text and bounded:
//! of a longer text the first and the last lines are read.

mod assembly;
mod erlang;
mod fields;
mod frame;
mod heading;
mod own;
mod reader;

use std::borrow::Cow;

pub(crate) use fields::{FIELDS, TRACE_KEYS, add_of_members, add_of_text};

/// Lines that are read of a text: so many at its beginning, and so many at its end. Where the innermost frame comes last, the
/// end is what matters.
const HEAD_LINES_MAX: usize = 700;
const TAIL_LINES_MAX: usize = 300;

/// Bytes of a line, of a name and of a message that are read.
const LINE_BYTES_MAX: usize = 2_000;
const NAME_BYTES_MAX: usize = 300;
const MESSAGE_BYTES_MAX: usize = 4_000;

/// A function through which an exception passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Its name as the runtime writes it, without arguments; empty where it has none.
    pub function: String,
    /// The file, as the runtime writes it; empty where it is not known.
    pub file: String,
    /// The line in the file, from 1.
    pub line: Option<u32>,
    /// Whether it is the program's own, not the runtime's or a library's.
    pub is_own: bool,
}

/// An exception, panic, failed assertion or signal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exception {
    /// Its type; empty where the text names none.
    pub kind: String,
    /// What it says.
    pub message: String,
    /// Where it passed through, the innermost first.
    pub frames: Vec<Frame>,
    /// The number of the member of a group that it belongs to; 0 for those that are in no group.
    pub member: u16,
    /// Whether it is a group of others.
    pub is_group: bool,
}

/// What a text says of a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The exceptions, the outermost first.
    pub exceptions: Vec<Exception>,
    /// The name of the thread.
    pub thread: Option<String>,
    /// The name of the runtime, where the text says it.
    pub runtime: Option<&'static str>,
    /// The version of the runtime.
    pub version: Option<String>,
}

impl Trace {
    /// Returns the innermost cause of an exception, or of each member of a group.
    pub fn causes(&self) -> Vec<&Exception> {
        let members: Vec<&Exception> = self.exceptions.iter().filter(|one| one.member > 0 && !one.is_group).collect();
        if members.is_empty() {
            return self.exceptions.last().into_iter().collect();
        }
        let is_last = |at: &usize| members.get(at + 1).is_none_or(|next| next.member != members[*at].member);
        (0..members.len()).filter(is_last).map(|at| members[at]).collect()
    }

    /// Returns the frame that says where it failed: the program's own that is next to the innermost cause, else a library's.
    pub fn place(&self) -> Option<&Frame> {
        let inner_first = || self.exceptions.iter().rev();
        let own = inner_first().find_map(|one| one.frames.iter().find(|frame| frame.is_own));
        own.or_else(|| inner_first().find_map(|one| one.frames.iter().find(|frame| !own::is_runtime(frame))))
    }

    /// Reports whether a type is named.
    pub fn has_kind(&self) -> bool {
        self.exceptions.iter().any(|one| !one.kind.is_empty())
    }
}

/// Returns what a text says of a failure; `None` where it has neither a frame nor the report of a runtime.
pub fn read(text: &str) -> Option<Trace> {
    let text = without_colours(text);
    let mut reader = reader::Reader::default();
    let (head, tail) = split(&text);
    let mut lines = head.lines().chain(tail.lines()).map(|line| cut(line, LINE_BYTES_MAX)).peekable();
    while let Some(line) = lines.next() {
        reader.read(line, lines.peek().copied().unwrap_or_default());
    }
    let mut trace = reader.finish();
    if trace.exceptions.iter().all(|one| one.frames.is_empty()) {
        erlang::add_frames(&text[..head.len()], &mut trace);
    }
    let is_report = |trace: &Trace| trace.exceptions.iter().any(|one| !one.kind.is_empty() || !one.frames.is_empty());
    is_report(&trace).then_some(trace)
}

/// The lines at the beginning and at the end that are read.
fn split(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    let Some(head) = memchr::memchr_iter(b'\n', bytes).nth(HEAD_LINES_MAX - 1) else { return (text, "") };
    let rest = &text[head + 1..];
    let tail = memchr::memrchr_iter(b'\n', rest.as_bytes()).nth(TAIL_LINES_MAX).map_or(0, |at| at + 1);
    (&text[..=head], &rest[tail..])
}

/// The text without escapes of terminals.
fn without_colours(text: &str) -> Cow<'_, str> {
    const ESCAPE: char = '\u{1b}';
    if memchr::memchr(ESCAPE as u8, text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut pieces = text.split(ESCAPE);
    let mut out = String::with_capacity(text.len());
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let Some(sequence) = piece.strip_prefix('[') else {
            out.push_str(piece);
            continue;
        };
        let end = sequence.find(|char: char| !matches!(char, '0'..='9' | ';' | ':' | '?'));
        out.push_str(end.and_then(|end| sequence[end..].get(1..)).unwrap_or_default());
    }
    Cow::Owned(out)
}

/// The beginning of a text, at most so many bytes.
fn cut(text: &str, n_bytes_max: usize) -> &str {
    let mut end = text.len().min(n_bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests;
