//! The texts of events whose lines a container runtime wrote: what belongs together is put together, by stream.

use std::borrow::Cow;

use crate::Boundaries;
use crate::runtime::{Fragment, STREAMS_ALL, content, fragment};

/// The texts of a stretch as [`crate::events`] cuts it: one, but for lines of a container runtime. Of those each event is a
/// text, of one stream: its first line with what the program wrote in the others behind its own, in the order in which they
/// begin.
pub fn texts(event: &[u8]) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let end = memchr::memchr(b'\n', event);
    let is_of_runtime = end.is_some_and(|end| fragment(&event[..end]).is_some());
    let (whole, joined) = if is_of_runtime { (None, joined(event)) } else { (Some(event), Vec::new()) };
    whole.into_iter().map(Cow::Borrowed).chain(joined.into_iter().map(Cow::Owned))
}

/// A text that is being put together.
struct JoinedText {
    text: Vec<u8>,
    /// Where the content of the next line goes.
    end: usize,
    tag: Option<usize>,
    /// Empty lines that are part of it if another line follows.
    n_empty: usize,
}

impl JoinedText {
    fn of(line: &[u8], part: &Fragment) -> Self {
        Self { text: line.to_vec(), end: part.content.end, tag: part.tag, n_empty: 0 }
    }

    /// Adds a line of the program, or a further part of one.
    fn add(&mut self, content: &[u8], is_further_part: bool) {
        // Docker's contents have their line ends, CRI's have none.
        let (newline, empty): (&[u8], &[u8]) = if self.tag.is_some() { (b"\n", b"\n") } else { (b"", b"\\n") };
        if !is_further_part && matches!(content, b"" | b"\\n") {
            self.n_empty += 1;
            return;
        }
        for _ in 0..std::mem::take(&mut self.n_empty) {
            self.insert(empty);
        }
        self.insert(if is_further_part { b"" } else { newline });
        self.insert(content);
    }

    fn insert(&mut self, bytes: &[u8]) {
        self.text.splice(self.end..self.end, bytes.iter().copied());
        self.end += bytes.len();
    }
}

/// A stream while texts are put together.
struct StreamTexts {
    /// The text at hand.
    place: usize,
    is_partial: bool,
    boundaries: Boundaries,
}

fn joined(event: &[u8]) -> Vec<Vec<u8>> {
    let mut texts: Vec<JoinedText> = Vec::new();
    let mut streams: [Option<StreamTexts>; STREAMS_ALL] = Default::default();
    let mut scratch = Vec::new();
    for line in event.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(part) = fragment(line) else {
            // A continuation of another kind belongs to what stands before it.
            if let Some(text) = texts.last_mut().filter(|_| !line.is_empty()) {
                text.text.push(b'\n');
                text.text.extend_from_slice(line);
            }
            continue;
        };
        let new = || StreamTexts { place: usize::MAX, is_partial: false, boundaries: Boundaries::new(usize::MAX) };
        let stream = streams[part.stream].get_or_insert_with(new);
        let is_start = !stream.is_partial && stream.boundaries.is_start(content(line, Some(&part), &mut scratch).1);
        match texts.get_mut(stream.place).filter(|_| !is_start) {
            Some(text) => {
                text.add(&line[part.content.clone()], stream.is_partial);
                if let Some(letter) = text.tag.filter(|_| !part.is_partial).and_then(|tag| text.text.get_mut(tag)) {
                    *letter = b'F';
                }
            }
            None => {
                stream.place = texts.len();
                texts.push(JoinedText::of(line, &part));
            }
        }
        stream.is_partial = part.is_partial;
    }
    texts.into_iter().map(|joined| joined.text).collect()
}
