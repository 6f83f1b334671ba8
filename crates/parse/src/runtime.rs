//! Lines as container runtimes write them: each holds a line of a program, or a part of one that was too long.
//!
//! ```text
//! CRI      2026-11-20T06:47:13.123456789Z stdout P a part          F instead of P: the last part, or all of it
//! Docker   {"log":"a part","stream":"stdout","time":"2026-…Z"}     \n at the end: the last part, or all of it
//! ```
//!
//! Parts follow one another, but those of the other stream may stand in between. All of them are one stretch of the file
//! ([`crate::Boundaries`] keeps them together), of which [`texts`] makes a line each: that of the first part with the
//! contents of the others behind its own.

use std::borrow::Cow;
use std::ops::Range;

/// How Docker's lines begin.
const DOCKER_START: &[u8] = b"{\"log\":\"";

/// What stands behind the content of Docker's lines. Quotes within it are escaped.
const DOCKER_NEXT: &[u8] = b"\",\"stream\":\"std";

/// Where the time of CRI's lines ends at the latest: `2026-11-20T06:47:13.123456789+01:00 `.
const CRI_TIME_BYTES_MAX: usize = 36;

/// Where the bar of Docker's compose stands at the latest.
const COMPOSE_BYTES_MAX: usize = 80;

/// One of these stands in every line whose text may become longer, or is written with escapes.
const MARKS: [&[u8]; 3] = [DOCKER_START, b" stdout P", b" stderr P"];

/// Whether a text may have lines of programs in parts, or written with escapes.
pub(crate) fn may_have_parts(text: &[u8]) -> bool {
    MARKS.iter().any(|mark| memchr::memmem::find(text, mark).is_some())
}

/// What a runtime says of the line of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fragment {
    /// 0 for standard output and 1 for standard error of CRI, 2 and 3 for those of Docker.
    pub(crate) stream: usize,
    /// Where the program's own bytes are, as written.
    pub(crate) content: Range<usize>,
    /// Whether the next line of the stream goes on with it.
    pub(crate) is_partial: bool,
    /// Where CRI's letter for that is.
    tag: Option<usize>,
}

/// Names of the streams of each runtime.
const STREAMS: [&str; 2] = ["stdout", "stderr"];

/// How many streams there are.
const STREAMS_ALL: usize = 4;

impl Fragment {
    /// The name of its stream.
    pub(crate) fn stream_name(&self) -> &'static str {
        STREAMS[self.stream % STREAMS.len()]
    }
}

/// Reads a line of a runtime, without its line end.
pub(crate) fn fragment(line: &[u8]) -> Option<Fragment> {
    match line.first()? {
        b'0'..=b'9' => cri(line),
        b'{' => docker(line),
        _ => None,
    }
}

/// Whether a line begins as Docker's do.
pub(crate) fn is_docker(line: &[u8]) -> bool {
    line.starts_with(DOCKER_START)
}

/// Where the line of a program begins that `docker compose` has written the name of its container before: `shop-1  | text`.
pub(crate) fn compose(line: &[u8]) -> Option<usize> {
    if !matches!(line.first()?, b'a'..=b'z' | b'A'..=b'Z' | 0x1b) {
        return None;
    }
    let bar = memchr::memchr(b'|', &line[..line.len().min(COMPOSE_BYTES_MAX)])?;
    let (name, behind) = (line[..bar].strip_suffix(b" ")?.trim_ascii_end(), &line[bar + 1..]);
    // On a terminal the name has a colour, which ends behind the bar.
    let name = if name[0] == 0x1b { name.splitn(2, |byte| *byte == b'm').nth(1)? } else { name };
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
    Some(Fragment { stream, content: start..line.len(), is_partial, tag: Some(tag) })
}

fn docker(line: &[u8]) -> Option<Fragment> {
    let rest = line.strip_prefix(DOCKER_START)?;
    let length = memchr::memmem::find(rest, DOCKER_NEXT)?;
    let stream = stream_at(rest.get(length + DOCKER_NEXT.len() - 3..)?)?;
    let content = &rest[..length];
    let n_backslashes = |end: usize| content[..end].iter().rev().take_while(|byte| **byte == b'\\').count();
    let ends_line = content.ends_with(b"\\n") && n_backslashes(length - 1) % 2 == 1;
    let start = DOCKER_START.len();
    Some(Fragment { stream: STREAMS.len() + stream, content: start..start + length, is_partial: !ends_line, tag: None })
}

fn stream_at(bytes: &[u8]) -> Option<usize> {
    STREAMS.iter().position(|name| bytes.starts_with(name.as_bytes()))
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
        if let Some(fragment) = fragment {
            after.0[fragment.stream] = fragment.is_partial;
        }
        after
    }

    /// Any stream may be within a line.
    pub(crate) fn any() -> Self {
        Self([true; STREAMS_ALL])
    }

    /// Those that may be within a line anywhere in a text that begins with an event.
    pub(crate) fn within(text: &[u8]) -> Self {
        if may_have_parts(text) { Self::any() } else { Self::default() }
    }
}

/// The texts of an event as [`crate::events`] cuts it: one, but for lines of a container runtime that came in parts. Those
/// are put together by stream, in the order in which they begin.
pub fn texts(event: &[u8]) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let end = memchr::memchr(b'\n', event);
    let is_in_parts = end.is_some_and(|end| fragment(&event[..end]).is_some_and(|first| first.is_partial));
    let (whole, joined) = if is_in_parts { (None, joined(event)) } else { (Some(event), Vec::new()) };
    whole.into_iter().map(Cow::Borrowed).chain(joined.into_iter().map(Cow::Owned))
}

/// A text that is being put together.
struct JoinedText {
    text: Vec<u8>,
    /// Where the content of the next part goes.
    end: usize,
    tag: Option<usize>,
}

fn joined(event: &[u8]) -> Vec<Vec<u8>> {
    let mut texts: Vec<JoinedText> = Vec::new();
    let mut open: [Option<usize>; STREAMS_ALL] = [None; STREAMS_ALL];
    let mut last = 0;
    for line in event.split(|byte| *byte == b'\n') {
        let Some(part) = fragment(line) else {
            // A continuation of another kind belongs to what stands before it.
            if let Some(text) = texts.get_mut(last).filter(|_| !line.is_empty()) {
                text.text.push(b'\n');
                text.text.extend_from_slice(line);
            }
            continue;
        };
        match open[part.stream].and_then(|place| texts.get_mut(place).map(|text| (place, text))) {
            Some((place, text)) => {
                last = place;
                let content = &line[part.content.clone()];
                text.text.splice(text.end..text.end, content.iter().copied());
                text.end += content.len();
                if let Some(letter) = text.tag.filter(|_| !part.is_partial).and_then(|tag| text.text.get_mut(tag)) {
                    *letter = b'F';
                }
            }
            None => {
                last = texts.len();
                texts.push(JoinedText { text: line.to_vec(), end: part.content.end, tag: part.tag });
            }
        }
        open[part.stream] = part.is_partial.then_some(last);
    }
    texts.into_iter().map(|joined| joined.text).collect()
}

#[cfg(test)]
mod tests;
