//! Lines that others wrote for programs: each holds a line of a program, or a part of one that was too long. Messages are
//! read in [`crate::message`].
//!
//! ```text
//! CRI      2026-11-20T06:47:13.123456789Z stdout P a part          F instead of P: the last part, or all of it
//! Docker   {"log":"a part","stream":"stdout","time":"2026-…Z"}     \n at the end: the last part, or all of it
//! ```
//!
//! Lines of one source follow one another, but those of others may stand in between. What belongs together is one
//! stretch of the file ([`crate::Boundaries`]), of which [`crate::texts`] makes a text for each event: the first line with what the
//! program wrote in the others behind its own.

use std::ops::Range;

use crate::time::TimeMemo;
use crate::{colour, message};

/// How Docker's lines begin.
const DOCKER_START: &[u8] = b"{\"log\":\"";

/// What stands behind the content of Docker's lines. Quotes within it are escaped.
const DOCKER_NEXT: &[u8] = b"\",\"stream\":\"std";

/// Where the time of CRI's lines ends at the latest: `2026-11-20T06:47:13.123456789+01:00 `.
const CRI_TIME_BYTES_MAX: usize = 36;

/// Where the bar of Docker's compose stands at the latest.
const COMPOSE_BYTES_MAX: usize = 80;

/// One of these stands in every line whose text may become longer, or is written with escapes.
const MARKS: [&[u8]; 3] = [DOCKER_START, b" stdout ", b" stderr "];

/// Whether a text may have lines of programs in parts, or written with escapes, or lines with headers of their own.
pub(crate) fn may_have_parts(text: &[u8]) -> bool {
    MARKS.iter().any(|mark| memchr::memmem::find(text, mark).is_some())
}

/// Who wrote a line for a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writer {
    /// A runtime of the interface for containers.
    Cri,
    /// Docker.
    Docker,
    /// A sender of syslog.
    Syslog,
    /// The journal.
    Journal,
}

impl Writer {
    /// What separates lines of a program in a text that is put together, and an empty line of it. Docker's lines have their ends.
    pub(crate) fn separators(self) -> (&'static [u8], &'static [u8]) {
        match self {
            Self::Cri | Self::Syslog => (b"\n", b"\n"),
            Self::Docker => (b"", b"\\n"),
            Self::Journal => (b"\\n", b"\\n"),
        }
    }

    fn has_escapes(self) -> bool {
        matches!(self, Self::Docker | Self::Journal)
    }
}

/// What a line says of the line of a program in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fragment {
    pub(crate) writer: Writer,
    /// 0 for standard output and 1 for standard error of CRI, 2 and 3 for those of Docker; larger numbers for the sources of
    /// messages.
    pub(crate) source: u64,
    /// Where the program's own bytes are, as written.
    pub(crate) content: Range<usize>,
    /// Whether the next line of the stream goes on with it.
    pub(crate) is_partial: bool,
    /// Where CRI's letter for that is.
    pub(crate) tag: Option<usize>,
}

/// Names of the streams of each runtime.
const STREAMS: [&str; 2] = ["stdout", "stderr"];

/// How many streams there are.
pub(crate) const STREAMS_ALL: usize = 4;

impl Fragment {
    fn of_stream(writer: Writer, stream: usize, content: Range<usize>) -> Self {
        Self { writer, source: stream as u64, content, is_partial: false, tag: None }
    }

    fn of_message(writer: Writer, message: message::Message) -> Self {
        Self { writer, source: message.source, content: message.content, is_partial: false, tag: None }
    }

    /// The stream of a container; `None` for messages.
    fn stream(&self) -> Option<usize> {
        usize::try_from(self.source).ok().filter(|stream| *stream < STREAMS_ALL)
    }

    /// The name of its stream.
    pub(crate) fn stream_name(&self) -> &'static str {
        STREAMS[self.stream().unwrap_or_default() % STREAMS.len()]
    }

    /// Whether it is a message, between whose lines those of any number of sources may stand.
    pub(crate) fn is_message(&self) -> bool {
        self.stream().is_none()
    }
}

/// Reports by the first bytes of a line whether a container runtime, the journal or syslog may have written it for a
/// program.
pub(crate) fn may_be_fragment(line: &[u8]) -> bool {
    match line.first() {
        Some(b'0'..=b'9') if line.get(10) == Some(&b'T') => true,
        Some(b'0'..=b'9' | b'[') => message::of_kernel(line).is_some(),
        Some(b'{') => is_docker(line) || message::may_be_entry(line),
        first => first == Some(&b'<'),
    }
}

/// Reads a line that someone wrote for a program, without its line end.
pub(crate) fn fragment(line: &[u8]) -> Option<Fragment> {
    match line.first()? {
        b'0'..=b'9' if line.get(10) == Some(&b'T') => cri(line),
        b'0'..=b'9' | b'[' => Some(Fragment::of_message(Writer::Syslog, message::of_kernel(line)?)),
        b'{' => docker(line).or_else(|| Some(Fragment::of_message(Writer::Journal, message::entry(line)?))),
        b'<' => Some(Fragment::of_message(Writer::Syslog, message::syslog(line)?)),
        _ => None,
    }
}

/// Whether a line begins as Docker's do.
pub(crate) fn is_docker(line: &[u8]) -> bool {
    line.starts_with(DOCKER_START)
}

/// Where the line of a program begins that `docker compose` has written the name of its container before: `shop-1  | text`.
pub(crate) fn compose(text: &str, times: &TimeMemo) -> Option<usize> {
    let line = text.as_bytes();
    if !matches!(line.first()?, b'a'..=b'z' | b'A'..=b'Z' | 0x1b) || !times.may_have(text, b'|') {
        return None;
    }
    let bar = memchr::memchr(b'|', &line[..line.len().min(COMPOSE_BYTES_MAX)])?;
    let (name, behind) = (line[..bar].strip_suffix(b" ")?.trim_ascii_end(), &line[bar + 1..]);
    // On a terminal the name has a colour, which ends behind the bar.
    let name = colour::without_leading(name);
    let content = behind.strip_prefix(b"\x1b[0m").unwrap_or(behind).strip_prefix(b" ")?;
    let is_name = name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    let n_digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let is_numbered = n_digits > 0 && matches!(name.iter().rev().nth(n_digits), Some(b'-' | b'_'));
    // The name may be one of the user's; a bar behind a word is little for a line of any other form.
    (is_name && (is_numbered || content.starts_with(b"{"))).then(|| line.len() - content.len())
}

/// Reads the header of CRI.
pub(crate) fn cri(line: &[u8]) -> Option<Fragment> {
    if line.get(10) != Some(&b'T') || line.get(4) != Some(&b'-') {
        return None;
    }
    let space = memchr::memchr(b' ', &line[..line.len().min(CRI_TIME_BYTES_MAX)])?;
    let stream = stream_at(line.get(space + 1..)?)?;
    let tag = space + 1 + STREAMS[stream].len() + 1;
    if line.get(tag - 1) != Some(&b' ') {
        return None;
    }
    let is_partial = match line.get(tag)? {
        b'P' => true,
        b'F' => false,
        _ => return None,
    };
    // Tags may follow with colons between them.
    let rest = &line[tag + 1..];
    let length = match rest.first() {
        None | Some(b' ') => 0,
        Some(b':') => memchr::memchr(b' ', rest).unwrap_or(rest.len()),
        Some(_) => return None,
    };
    let start = (tag + 1 + length + 1).min(line.len());
    Some(Fragment { is_partial, tag: Some(tag), ..Fragment::of_stream(Writer::Cri, stream, start..line.len()) })
}

fn docker(line: &[u8]) -> Option<Fragment> {
    let rest = line.strip_prefix(DOCKER_START)?;
    let length = memchr::memmem::find(rest, DOCKER_NEXT)?;
    let stream = stream_at(rest.get(length + DOCKER_NEXT.len() - 3..)?)?;
    let content = &rest[..length];
    let n_backslashes = |end: usize| content[..end].iter().rev().take_while(|byte| **byte == b'\\').count();
    let ends_line = content.ends_with(b"\\n") && n_backslashes(length - 1) % 2 == 1;
    let start = DOCKER_START.len();
    let content = start..start + length;
    Some(Fragment { is_partial: !ends_line, ..Fragment::of_stream(Writer::Docker, STREAMS.len() + stream, content) })
}

fn stream_at(bytes: &[u8]) -> Option<usize> {
    STREAMS.iter().position(|name| bytes.starts_with(name.as_bytes()))
}

/// Lanes of lines that are cut by themselves: lines as they are, and those of each stream of a container.
pub(crate) const LANES: usize = 1 + STREAMS.len();

/// Lanes that teach by themselves how entries begin: those and the sources of messages, some of which share one.
pub(crate) const LANES_TAUGHT: usize = LANES + MESSAGE_LANES;
const MESSAGE_LANES: usize = 13;

/// Bytes of a program's line that are made readable: all that decides where it belongs.
const CONTENT_BYTES_MAX: usize = 1024;

/// The lane of a source.
pub(crate) fn lane_of(source: u64) -> usize {
    let n_streams = STREAMS.len() as u64;
    let lane =
        if source < STREAMS_ALL as u64 { 1 + source % n_streams } else { LANES as u64 + source % MESSAGE_LANES as u64 };
    lane as usize
}

/// The lane of a line, and what the program wrote in it. `scratch` is where escapes are resolved.
pub(crate) fn content<'l>(line: &'l [u8], part: Option<&Fragment>, scratch: &'l mut Vec<u8>) -> (usize, &'l [u8]) {
    let Some(part) = part else { return (0, line) };
    let lane = lane_of(part.source);
    let content = &line[part.content.clone()];
    if !part.writer.has_escapes() || memchr::memchr(b'\\', content).is_none() {
        return match part.writer {
            Writer::Syslog if content.first() == Some(&b'#') => {
                scratch.clear();
                scratch.extend_from_slice(&message::text(content));
                (lane, scratch)
            }
            _ => (lane, content.trim_ascii_end()),
        };
    }
    scratch.clear();
    let mut rest = &content[..content.len().min(CONTENT_BYTES_MAX)];
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let escaped = if *byte == b'\\' { rest.split_first() } else { None };
        let Some((escaped, after)) = escaped else {
            scratch.push(*byte);
            continue;
        };
        rest = after;
        let digits = rest.get(..4).filter(|_| *escaped == b'u').and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(letter) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32) {
            scratch.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &rest[4..];
            continue;
        }
        scratch.push(match escaped {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            other => *other,
        });
    }
    (lane, scratch.trim_ascii_end())
}

/// Which streams of a runtime are within a line of their program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Open([bool; STREAMS_ALL]);

impl Open {
    /// Whether the line goes on with a program's line, or stands between the parts of one.
    pub(crate) fn goes_on(self, fragment: Option<&Fragment>) -> bool {
        self != Self::default() && fragment.is_some()
    }

    /// What holds behind a line that begins an event, or goes on with one.
    pub(crate) fn after(self, fragment: Option<&Fragment>, is_start: bool) -> Self {
        let mut after = if is_start { Self::default() } else { self };
        if let Some((fragment, stream)) = fragment.and_then(|fragment| Some((fragment, fragment.stream()?))) {
            after.0[stream] = fragment.is_partial;
        }
        after
    }

    /// Whether the stream of a line is within a line of its program.
    pub(crate) fn is_open(self, fragment: Option<&Fragment>) -> bool {
        fragment.and_then(Fragment::stream).is_some_and(|stream| self.0[stream])
    }
}

#[cfg(test)]
mod tests;
