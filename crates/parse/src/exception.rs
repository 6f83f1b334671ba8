//! Reads the exceptions out of the report of a program that died, or out of a stack trace that it logged.
//!
//! A report becomes exceptions with type, message and frames, the outermost first; which of them is the innermost cause; the
//! thread, and the runtime with its version where the text names them. [`frame`] has the forms of frames, [`heading`] those of
//! the lines that name an exception, [`own`] tells frames of the program from those of libraries, [`reader`] puts lines
//! together, [`fields`] gives events what was found. Colours count as nothing. Reading is linear in the text and bounded:
//! of a longer text the first and the last lines are read.

mod assembly;
mod erlang;
mod family;
mod fields;
mod frame;
mod heading;
mod kernel;
mod names;
mod own;
mod reader;
mod signs;
mod trace;

use trace::cut;

use crate::colour;

pub(crate) use fields::{add_of_members, add_of_text};
pub(crate) use names::{FIELDS, TRACE_KEYS};
pub use trace::{Exception, Frame, Trace};

/// Lines that are read of a text: so many at its beginning, and so many at its end. Where the innermost frame comes last, the
/// end is what matters.
const HEAD_LINES_MAX: usize = 700;
const TAIL_LINES_MAX: usize = 300;

/// Bytes of a line that are read.
const LINE_BYTES_MAX: usize = 2_000;

impl Trace {
    /// Returns the frame that says where it failed: the program's own that is next to the innermost cause, else a library's.
    pub fn place(&self) -> Option<&Frame> {
        let inner_first = || self.exceptions.iter().rev();
        let own = inner_first().find_map(|one| one.frames.iter().find(|frame| frame.is_own));
        own.or_else(|| inner_first().find_map(|one| one.frames.iter().find(|frame| !own::is_runtime(frame))))
    }
}

/// Returns what a text says of a failure; `None` where it has neither a frame nor the report of a runtime.
pub fn read(text: &str) -> Option<Trace> {
    let text = colour::without(text);
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

/// Returns the line of a bare report that states the outermost exception, from its type on, if that is not the first line:
/// Python announces a traceback there, Node shows a line of source, Rust a place. `None` for all other texts.
pub fn headline(text: &str) -> Option<&str> {
    crate::crash::death(text)?;
    let trace = read(text)?;
    let Exception { kind, message, .. } = trace.exceptions.first()?;
    let message = message.lines().next().unwrap_or_default().trim_end();
    let whole = if message.is_empty() { kind.clone() } else { format!("{kind}: {message}") };
    // A message without letters may stand anywhere.
    let has_words = message.bytes().any(|byte| byte.is_ascii_alphabetic());
    let first = text.trim_start().lines().next()?;
    if whole.is_empty() || first.contains(&whole) || has_words && first.contains(message) {
        return None;
    }
    let of_message = || text.lines().map(str::trim_start).find(|line| has_words && line.starts_with(message));
    // What follows on the line of the message may be a place.
    text.find(&whole).and_then(|at| text[at..].lines().next()).or_else(of_message)
}

/// The lines at the beginning and at the end that are read.
fn split(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    let Some(head) = memchr::memchr_iter(b'\n', bytes).nth(HEAD_LINES_MAX - 1) else { return (text, "") };
    let rest = &text[head + 1..];
    let tail = memchr::memrchr_iter(b'\n', rest.as_bytes()).nth(TAIL_LINES_MAX).map_or(0, |at| at + 1);
    (&text[..=head], &rest[tail..])
}

#[cfg(test)]
mod tests;
