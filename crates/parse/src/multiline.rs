//! Where one event ends and the next begins in the lines of a text file.
//!
//! A line decides by what it shows of itself ([`line`]): a time at its head begins an event; white space before it, a frame of
//! a trace, a closing bracket continue one. In between, the event at hand decides ([`entry`]): within the report of a program
//! that dies ([`crate::crash`]), a quoted column or a slow query other lines belong to it. A line that shows nothing continues
//! an event with a time where the source has taught that all have one ([`Profile`]), and begins one elsewhere.
//!
//! Lines of a container runtime are cut by what the program wrote, for each stream by itself. Streams write between each
//! other, so what they wrote is one stretch of the file until no event of either is open; [`crate::texts`] makes events of
//! it. Shipper and server run the same rules, so that both cut alike.

mod entry;
mod line;
mod profile;

use std::ops::Range;

pub(crate) use line::{is_exception, is_typed_exception};
pub use profile::Profile;

use crate::colour;
use crate::event::without_mark;
use crate::runtime::{self, LANES, Open};
use entry::{Entry, Seen};

/// Lines of one event; further ones begin another.
const LINES_MAX: usize = 1_000;

/// Lines of other streams after which the event of a stream is over.
const FOREIGN_LINES_MAX: usize = 32;

/// Decides line by line. State is that of the event at hand, and the profile of the source.
#[derive(Clone, Debug)]
pub struct Boundaries {
    bytes_max: usize,
    n_lines: usize,
    n_bytes: usize,
    lanes: [Entry; LANES],
    /// The lane of the last line, and how many of it came one after the other.
    last: (usize, usize),
    /// Which streams of a container runtime are within a line of their program.
    open: Open,
    profile: Profile,
    offset: u64,
    scratch: Vec<u8>,
}

impl Boundaries {
    /// Boundaries of events that are no longer than `bytes_max` unless a single line is.
    pub fn new(bytes_max: usize) -> Self {
        Self::at(bytes_max, Profile::default(), 0)
    }

    /// The same for lines that begin at `offset` of their source, whose lines before have taught this.
    pub fn at(bytes_max: usize, profile: Profile, offset: u64) -> Self {
        Self {
            bytes_max,
            n_lines: 0,
            n_bytes: 0,
            lanes: Default::default(),
            last: (0, 0),
            open: Open::default(),
            profile,
            offset,
            scratch: Vec::new(),
        }
    }

    /// Tells whether `line`, without its line end, begins an event. Empty lines neither begin nor end one.
    pub fn is_start(&mut self, line: &[u8]) -> bool {
        let offset = self.offset;
        self.is_start_at(offset, line)
    }

    /// The same for a line at `offset` of its source.
    pub fn is_start_at(&mut self, offset: u64, line: &[u8]) -> bool {
        self.offset = offset + line.len() as u64 + 1;
        let line = without_mark(line.strip_suffix(b"\r").unwrap_or(line));
        if line.is_empty() {
            return false;
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let is_start = self.decide(offset, line, &mut scratch);
        self.scratch = scratch;
        is_start
    }

    /// What the lines so far have taught of their source.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Whether further lines are likely to belong to the event at hand: it has several already, or begins as those do that have.
    pub fn may_grow(&self) -> bool {
        self.open != Open::default() || self.lanes.iter().any(Entry::may_grow)
    }

    fn decide(&mut self, offset: u64, line: &[u8], scratch: &mut Vec<u8>) -> bool {
        let part = runtime::fragment(line);
        let (lane, content) = runtime::content(line, part.as_ref(), scratch);
        let content = colour::without_leading(content);
        let is_object = content.first() == Some(&b'{') && line::is_object(content);
        let has_clock = !content.is_empty() && !is_object && line::has_clock(content);
        self.profile.enter(offset);
        self.profile.learn(lane, content, has_clock);
        let seen = Seen { has_clock, is_object, score: self.profile.score(lane) };
        let fits = self.n_lines < LINES_MAX && self.n_bytes.saturating_add(line.len()) <= self.bytes_max;
        let goes_on = self.n_lines > 0 && fits && self.goes_on(lane, content, seen, part.as_ref());
        if self.last.0 != lane {
            self.last = (lane, 0);
        }
        self.last.1 += 1;
        self.open = self.open.after(part.as_ref(), !goes_on);
        if goes_on {
            self.n_lines += 1;
            self.n_bytes += line.len() + 1;
            return false;
        }
        (self.n_lines, self.n_bytes) = (1, line.len() + 1);
        self.lanes.iter_mut().for_each(Entry::clear);
        if !content.is_empty() {
            self.lanes[lane].begin(content, seen);
        }
        true
    }

    /// Whether a line belongs to the stretch at hand.
    fn goes_on(&mut self, lane: usize, content: &[u8], seen: Seen, part: Option<&runtime::Fragment>) -> bool {
        if self.open.goes_on(part) {
            // Within a line of its program only its first part is looked at.
            if !self.open.is_open(part) && !content.is_empty() && !self.lanes[lane].takes(content, seen) {
                self.lanes[lane].begin(content, seen);
            }
            return true;
        }
        if self.open != Open::default() {
            return false;
        }
        if content.is_empty() {
            return !self.lanes[lane].is_none();
        }
        if self.lanes[lane].takes(content, seen) {
            return true;
        }
        let is_foreign_open = part.is_some()
            && self.last.1 < FOREIGN_LINES_MAX
            && (1..LANES).any(|other| other != lane && self.lanes[other].expects_more());
        if is_foreign_open {
            self.lanes[lane].begin(content, seen);
        }
        is_foreign_open
    }
}

/// The events of `text` in order, as byte ranges without their last line end. Empty lines between events are
/// in none; a text that begins with a continuation begins with an event all the same.
pub fn events(text: &[u8], bytes_max: usize) -> impl Iterator<Item = Range<usize>> {
    events_at(text, bytes_max, Profile::default(), 0)
}

/// The same for a text at `offset` of its source, whose lines before have taught this.
pub(crate) fn events_at(
    text: &[u8],
    bytes_max: usize,
    profile: Profile,
    offset: u64,
) -> impl Iterator<Item = Range<usize>> {
    let mut boundaries = Boundaries::at(bytes_max, profile, offset);
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
            if boundaries.is_start_at(offset + from as u64, line) {
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

/// Where the last line of `text` begins that begins an event whatever stands before it. `text` ends with a whole line.
pub(crate) fn last_sure_start(text: &[u8]) -> Option<usize> {
    let mut end = text.len();
    while end > 0 {
        // A line end right before `end` closes the line that is looked at.
        let body_end = if text[end - 1] == b'\n' { end - 1 } else { end };
        let from = memchr::memrchr(b'\n', &text[..body_end]).map_or(0, |newline| newline + 1);
        if is_sure_start(&text[from..body_end]) {
            return Some(from);
        }
        end = from;
    }
    None
}

/// Tells whether `line` begins an event whatever stands before it. Lines of a container runtime depend on other streams.
fn is_sure_start(line: &[u8]) -> bool {
    let line = without_mark(line.strip_suffix(b"\r").unwrap_or(line));
    !line.is_empty() && runtime::fragment(line).is_none() && line::is_sure_head(line)
}

#[cfg(test)]
mod tests;
