//! The texts of events whose lines others wrote for programs: what belongs together is put together, by source.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use crate::message;
use crate::multiline::{Joiner, SourceLine, joined_plain};
use crate::runtime::{Fragment, Writer, content, fragment, may_be_fragment};

/// The texts of a stretch as [`crate::events`] cuts it: one, but for lines of a container runtime and messages. Of those each
/// event is a text, of one source: its first line with what the program wrote in the others behind its own, in the order in which
/// they begin.
pub fn texts(event: &[u8]) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let end = if may_be_fragment(event) { memchr::memchr(b'\n', event) } else { None };
    let is_of_others = end.is_some_and(|end| fragment(&event[..end]).is_some());
    let (whole, joined) = if is_of_others { (None, joined(event)) } else { (Some(event), Vec::new()) };
    let whole = whole.map(|event| match memchr::memchr(b'\n', event).and_then(|_| joined_plain(event)) {
        Some(text) => Cow::Owned(text),
        None => Cow::Borrowed(event),
    });
    whole.into_iter().chain(joined.into_iter().map(|joined| Cow::Owned(joined.text)))
}

/// The lines of a stretch, with their ends, by the text that each belongs to.
pub fn lines_by_text(event: &[u8]) -> Vec<Vec<Range<usize>>> {
    let end = memchr::memchr(b'\n', event);
    match end.filter(|end| end + 1 < event.len()).and_then(|end| fragment(&event[..end])) {
        Some(_) => joined(event).into_iter().map(|joined| joined.lines).collect(),
        None => vec![vec![0..event.len()]],
    }
}

/// A text that is being put together.
struct JoinedText {
    text: Vec<u8>,
    lines: Vec<Range<usize>>,
    /// Where the content of the next line goes.
    end: usize,
    tag: Option<usize>,
    /// What separates lines, and what an empty one is.
    separators: (&'static [u8], &'static [u8]),
    /// Empty lines that are part of it if another line follows.
    n_empty: usize,
}

impl JoinedText {
    fn of(line: &[u8], part: &Fragment) -> Self {
        let separators = part.writer.separators();
        let (text, lines, end) = (line.to_vec(), Vec::new(), part.content.end);
        Self { text, lines, end, tag: part.tag, separators, n_empty: 0 }
    }

    /// Adds a line of the program, or a further part of one.
    fn add(&mut self, content: &[u8], is_further_part: bool) {
        let (newline, empty) = self.separators;
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

/// A source while texts are put together.
#[derive(Default)]
struct SourceTexts {
    /// The text at hand.
    place: Option<usize>,
    is_partial: bool,
}

fn joined(event: &[u8]) -> Vec<JoinedText> {
    let lines = event.split_inclusive(|byte| *byte == b'\n').map(|whole| {
        let line = whole.strip_suffix(b"\n").unwrap_or(whole);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        (line, whole.len(), fragment(line))
    });
    let lines: Vec<(&[u8], usize, Option<Fragment>)> = lines.collect();
    let mut numbers = lines.iter().filter_map(|(_, _, part)| Some(part.as_ref()?.source));
    let first = numbers.next();
    let mut joiner =
        if numbers.all(|number| Some(number) == first) { Joiner::of_one_event() } else { Joiner::default() };
    let mut texts: Vec<JoinedText> = Vec::new();
    let mut sources: HashMap<u64, SourceTexts> = HashMap::new();
    let (mut last, mut at, mut scratch) = (0, 0, Vec::new());
    for (line, n_bytes, part) in lines {
        let whole = at..at + n_bytes;
        at = whole.end;
        let Some(part) = part else {
            // A continuation of another kind belongs to what stands before it.
            if let Some(text) = texts.get_mut(last).filter(|_| !line.is_empty()) {
                text.text.push(b'\n');
                text.text.extend_from_slice(line);
                text.lines.push(whole);
            }
            continue;
        };
        let source = sources.entry(part.source).or_default();
        let content = content(line, Some(&part), &mut scratch).1;
        let continues = source.is_partial
            || matches!(joiner.place(part.source, content, texts.len() as u64, 0), SourceLine::Continues(_));
        match source.place.and_then(|place| texts.get_mut(place)).filter(|_| continues) {
            Some(text) => {
                let content = &line[part.content.clone()];
                let content = if part.writer == Writer::Syslog { message::text(content) } else { content.into() };
                text.add(&content, source.is_partial);
                if let Some(letter) = text.tag.filter(|_| !part.is_partial).and_then(|tag| text.text.get_mut(tag)) {
                    *letter = b'F';
                }
            }
            None => {
                source.place = Some(texts.len());
                texts.push(JoinedText::of(line, &part));
            }
        }
        last = source.place.unwrap_or_default();
        texts[last].lines.push(whole);
        source.is_partial = part.is_partial;
    }
    texts
}
