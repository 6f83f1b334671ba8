//! Where events end in the bytes of a file: at the end of a line, unless the next line continues with the event.
//!
//! The last event at the end of a file may still grow, and its last line may be half written, so how much is taken
//! depends on how long the file has been quiet ([`TailState`]). Cutting is a pure function of bytes and that.

use memchr::{memchr, memchr_iter};
use parse::{Boundaries, JOINED_BYTES_MAX, Placement, Profile, Transcript, Utf16};
use regex::Regex;

use crate::rules::same_length_text;

/// Most lines joined by an expression of the user; of a trace that never ends the rest is the next event.
const EVENT_LINES_JOINED_MAX: usize = 1_000;

/// Which lines make up an event.
#[derive(Clone, Debug, Default)]
pub enum Multiline {
    /// Those that look as if they continued: traces, indented lines.
    #[default]
    Auto,
    /// Each line is one.
    None,
    /// Those from one in which this matches to the next.
    Start(Regex),
}

/// Where bytes are in their file, and what the lines before have taught of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    pub(crate) profile: Profile,
    /// Messages before this offset came so long ago that no further lines of their events are waited for.
    pub(crate) settled_to: u64,
}

impl Place {
    /// Goes on behind bytes that stand there.
    pub(crate) fn advance(&mut self, bytes: &[u8]) {
        self.profile.advance(bytes, self.offset);
        self.offset += bytes.len() as u64;
    }
}

/// Decides line by line whether an event begins.
struct EventStarts<'m> {
    multiline: &'m Multiline,
    offset: u64,
    settled_to: u64,
    auto: Boundaries,
    n_lines: usize,
    n_bytes: usize,
}

impl<'m> EventStarts<'m> {
    fn new(multiline: &'m Multiline, Place { offset, profile, settled_to }: Place) -> Self {
        let auto = Boundaries::at(JOINED_BYTES_MAX, profile, offset);
        Self { multiline, offset, settled_to, auto, n_lines: 0, n_bytes: 0 }
    }

    /// Returns how many events, that at hand included, lines are likely to continue that come later.
    fn n_waiting(&self) -> usize {
        match self.multiline {
            Multiline::Auto => self.auto.n_waiting(self.settled_to).max(self.auto.may_grow().into()),
            Multiline::None => 0,
            Multiline::Start(_) => 1,
        }
    }

    /// Returns where a place of the file is in the bytes.
    fn within(&self, place: u64) -> usize {
        (place - self.offset) as usize
    }

    /// Places a line at `at` of the bytes. Empty lines neither begin nor end an event.
    fn place(&mut self, at: usize, line: &[u8]) -> Placement {
        let continued = Placement::Continues { n_joined: 0 };
        let begins = match self.multiline {
            Multiline::Auto => return self.auto.place_at(self.offset + at as u64, line),
            _ if line.is_empty() => return continued,
            Multiline::None => return Placement::Begins,
            Multiline::Start(regex) => regex.is_match(&same_length_text(line)),
        };
        let fits = self.n_lines < EVENT_LINES_JOINED_MAX && self.n_bytes + line.len() <= JOINED_BYTES_MAX;
        if begins || !fits {
            (self.n_lines, self.n_bytes) = (0, 0);
        }
        self.n_lines += 1;
        self.n_bytes += line.len() + 1;
        if begins || !fits { Placement::Begins } else { continued }
    }
}

/// How long the bytes at the end of the file have been quiet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TailState {
    /// More may come at any moment, or is there already: the last event is left out, as it may continue.
    Growing,
    /// Long enough that a whole line is the end of its event, unless further ones are likely.
    Pausing,
    /// Long enough that a whole line is the end of its event.
    Lines,
    /// Long enough that even a line without newline is taken.
    All,
}

/// A cut: whole events at the start of the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Bytes of all the events.
    pub(crate) n_bytes: usize,
    /// Bytes of each, where some event has more than one line.
    pub(crate) lengths: Option<Vec<u64>>,
}

/// Cuts whole events off the start of `bytes`. Empty lines belong to the event before them.
pub(crate) fn cut(bytes: &[u8], place: Place, settled: TailState, multiline: &Multiline) -> Cut {
    let is_last = settled == TailState::All && memchr(b'\n', bytes).is_none();
    cut_at(if is_last { b'\r' } else { b'\n' }, bytes, settled, EventStarts::new(multiline, place))
}

/// Cuts bytes without any newline: lines of some programs end with a carriage return alone. Nothing is taken
/// for it that would not be taken anyhow: most that such text shows is how far something is, over and over.
pub(crate) fn cut_at_returns(bytes: &[u8], multiline: &Multiline) -> Cut {
    cut_at(b'\r', bytes, TailState::Lines, EventStarts::new(multiline, Place::default()))
}

/// Cuts UTF-16 text at `place` in its file where it would be cut as UTF-8. The lengths are always set.
pub(crate) fn cut_utf16(encoding: Utf16, bytes: &[u8], place: u64, settled: TailState, multiline: &Multiline) -> Cut {
    let transcript = Transcript::of(encoding, bytes, place);
    // Offsets are of other bytes than those of the file, so each look learns by itself.
    let Cut { n_bytes, lengths } = cut(&transcript.text, Place::default(), settled, multiline);
    let ends: Vec<usize> = match lengths {
        Some(lengths) => ends_of(&lengths).collect(),
        None => transcript.line_ends(n_bytes).collect(),
    };
    let mut from = 0;
    let lengths = ends.into_iter().map(|end| {
        let start = std::mem::replace(&mut from, transcript.read_until(end));
        from.saturating_sub(start) as u64
    });
    let lengths: Vec<u64> = lengths.collect();
    Cut { n_bytes: from, lengths: Some(lengths) }
}

fn cut_at(line_end: u8, bytes: &[u8], settled: TailState, mut boundaries: EventStarts<'_>) -> Cut {
    // A server takes newlines for line ends unless lengths are sent.
    let mut events = Events { has_joined: line_end != b'\n', ..Events::default() };
    for at in memchr_iter(line_end, bytes) {
        events.add_line(&bytes[events.end..=at], &mut boundaries);
    }
    // A half line that follows, or further lines at any moment, may turn out to continue the event.
    let is_half = settled == TailState::Growing || events.end < bytes.len();
    match settled {
        TailState::Growing | TailState::Pausing => events.leave(boundaries.n_waiting().max(is_half.into())),
        TailState::Lines => {}
        // A half line is an event of its own, unless it continues with the one before.
        TailState::All => events.add_line(&bytes[events.end..], &mut boundaries),
    }
    events.finish()
}

/// Events found so far.
#[derive(Debug, Default)]
struct Events {
    /// Bytes of each whole event.
    lengths: Vec<u64>,
    /// Whether one of them has several lines, or ends otherwise than with a newline.
    has_joined: bool,
    /// Where the last event starts, and where the lines looked at end.
    start: usize,
    end: usize,
    /// Whether the last event has a line that is not empty.
    has_text: bool,
    /// Whether it has several.
    is_joined: bool,
}

impl Events {
    fn add_line(&mut self, line: &[u8], boundaries: &mut EventStarts<'_>) {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let is_empty = text.is_empty();
        let placement = boundaries.place(self.end, text);
        let is_start = placement == Placement::Begins;
        match placement {
            Placement::Continues { n_joined } => self.take_back(n_joined),
            Placement::Splits { from } => self.split(boundaries.within(from)),
            Placement::Begins => {}
        }
        if is_start || (!is_empty && !self.has_text) {
            self.close();
        }
        self.is_joined |= !is_empty && !is_start && self.has_text;
        self.has_text |= !is_empty;
        self.end += line.len();
    }

    /// Makes the last events before that at hand one with it.
    fn take_back(&mut self, n_events: usize) {
        let lengths = self.lengths.drain(self.lengths.len().saturating_sub(n_events)..);
        self.start -= lengths.sum::<u64>() as usize;
    }

    /// Makes what begins at `from` an event of its own.
    fn split(&mut self, from: usize) {
        let end = std::mem::replace(&mut self.end, from);
        self.close();
        (self.end, self.has_text) = (end, true);
    }

    /// Leaves the last events, that at hand included, for later.
    fn leave(&mut self, n_events: usize) {
        if n_events > 0 {
            self.take_back(n_events - 1);
            self.end = self.start;
        }
    }

    fn close(&mut self) {
        if self.end > self.start {
            self.lengths.push((self.end - self.start) as u64);
            self.has_joined |= self.is_joined;
        }
        (self.start, self.has_text, self.is_joined) = (self.end, false, false);
    }

    fn finish(mut self) -> Cut {
        self.close();
        Cut { n_bytes: self.end, lengths: self.has_joined.then_some(self.lengths) }
    }
}

/// Returns where events of these lengths end.
pub(crate) fn ends_of(lengths: &[u64]) -> impl Iterator<Item = usize> + '_ {
    lengths.iter().scan(0usize, |end, length| {
        *end = end.saturating_add(usize::try_from(*length).unwrap_or(usize::MAX));
        Some(*end)
    })
}

#[cfg(test)]
mod tests;
