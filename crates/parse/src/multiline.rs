//! Where one event ends and the next begins in the lines of a text file.
//!
//! A line decides by what it shows of itself ([`line`]): a time at its head begins an event; white space before it, a frame of
//! a trace, a closing bracket continue one. In between, the event at hand decides ([`entry`]): within the report of a program
//! that dies ([`crate::crash`]), a quoted column or a slow query other lines belong to it. A line that shows nothing continues
//! an event with a time where the source has taught that all have one ([`Profile`]), and begins one elsewhere.
//!
//! Lines of a container runtime are cut by what the program wrote, for each stream by itself. Streams write between each
//! other, so what they wrote is one stretch of the file until no event of either is open; [`crate::texts`] makes events of
//! it. Messages of syslog and of the journal are cut likewise, for each source by itself. Of their sources there are many, so a
//! message that continues an event joins to one stretch what stands between, and others stay by themselves. Shipper and
//! server run the same rules, so that both cut alike.

mod entry;
mod line;
mod plain;
mod profile;
mod sources;

use std::collections::VecDeque;
use std::ops::Range;

pub(crate) use line::{is_exception, is_sure_head, is_typed_exception};
pub(crate) use plain::joined as joined_plain;
pub use profile::Profile;
pub use sources::{Joiner, SourceLine};

use crate::event::without_mark;
use crate::runtime::{self, LANES, Open};
use crate::{colour, message};
use entry::{Entry, Seen};
use plain::PlainLines;
pub(crate) use sources::LINES_MAX;
use sources::{OTHERS_LINES_MAX, Reach, Sources};

/// Events of a text whose ends are found in one run: what finds them and what reads events are each too much code for the
/// processor to hold at once.
const RUN_OF_EVENTS: usize = 64;

/// Lines of other streams after which the event of a stream is over.
const FOREIGN_LINES_MAX: usize = 32;

/// Bytes of a stretch of messages that holds a continued one.
const STRETCH_BYTES_MAX: u64 = 4 << 20;

/// Stretches that a message may join to one.
const STRETCHES_MAX: usize = 257;

/// Bytes of a message that are kept, for lines of it that follow.
const HEAD_BYTES: usize = 192;

/// Where a line belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// It begins an event.
    Begins,
    /// It continues the event at hand, or one further back: then that many events before are one with it.
    Continues {
        /// How many events are joined to the one before them.
        n_joined: usize,
    },
    /// Lines that continued the event before belong to it instead: it is the report behind the text of a death.
    Splits {
        /// The offset of the first of them, which begins an event.
        from: u64,
    },
}

/// Decides line by line. State is that of the event at hand, and the profile of the source.
#[derive(Clone, Debug)]
pub struct Boundaries {
    bytes_max: usize,
    n_lines: usize,
    n_bytes: usize,
    lanes: [Entry; LANES],
    /// Whether the last line began an event and has no text.
    is_blank: bool,
    /// The lane of the last line, and how many of it came one after the other.
    last: (usize, usize),
    /// Which streams of a container runtime are within a line of their program.
    open: Open,
    profile: Profile,
    offset: u64,
    scratch: Vec<u8>,
    /// The sources of messages, and where the stretches begin that may still be joined; the last is the one at hand.
    sources: Sources,
    starts: VecDeque<u64>,
    /// The beginning of the last line, if it was a message.
    message: Vec<u8>,
    /// Where the lines begin that continue the event at hand though they show nothing of themselves, and how long it was before.
    text: (u64, usize, usize),
    /// The last line of a syslog daemon.
    plain: PlainLines,
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
            is_blank: false,
            last: (0, 0),
            open: Open::default(),
            profile,
            offset,
            scratch: Vec::new(),
            sources: Sources::default(),
            starts: VecDeque::new(),
            message: Vec::new(),
            text: (0, 0, 0),
            plain: PlainLines::default(),
        }
    }

    /// Places `line` at `offset` of its source, without its line end. Empty lines neither begin nor end an event.
    pub fn place_at(&mut self, offset: u64, line: &[u8]) -> Placement {
        self.offset = offset + line.len() as u64 + 1;
        let line = without_mark(line.strip_suffix(b"\r").unwrap_or(line));
        if line.is_empty() {
            return Placement::Continues { n_joined: 0 };
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let part = runtime::fragment(line);
        let placement = match part.as_ref().filter(|part| part.is_message()) {
            Some(part) => self.place_message(offset, line, part, &mut scratch),
            None => self
                .place_plain(offset, line, part.is_none())
                .unwrap_or_else(|| self.decide(offset, line, part.as_ref(), &mut scratch)),
        };
        self.scratch = scratch;
        let start = match placement {
            Placement::Begins => offset,
            Placement::Splits { from } => from,
            Placement::Continues { .. } => return placement,
        };
        if self.sources.is_empty() || self.starts.len() == STRETCHES_MAX {
            self.starts.pop_front();
        }
        self.starts.push_back(start);
        placement
    }

    /// How many events, that at hand included, may still become one with a later line.
    pub(crate) fn n_joinable(&self) -> usize {
        self.starts.len()
    }

    /// How many events, that at hand included, wait for further lines that are likely to come: those of messages from the one on
    /// that came at `since` of the source or later.
    pub fn n_waiting(&self, since: u64) -> usize {
        let first = self.sources.open(since, OTHERS_LINES_MAX).min();
        first.map_or(0, |first| self.n_after(first) + 1)
    }

    /// How many stretches begin behind an offset.
    fn n_after(&self, offset: u64) -> usize {
        self.starts.iter().rev().take_while(|start| **start > offset).count()
    }

    /// Whether further lines are likely to belong to the event at hand: it has several already, or begins as those do that have.
    pub fn may_grow(&self) -> bool {
        self.open != Open::default() || self.lanes.iter().any(Entry::may_grow)
    }

    /// Places a message by what its program wrote.
    fn place_message(
        &mut self,
        offset: u64,
        line: &[u8],
        part: &runtime::Fragment,
        scratch: &mut Vec<u8>,
    ) -> Placement {
        let (lane, content) = runtime::content(line, Some(part), scratch);
        let content = colour::without_leading(content);
        let mut seen = Seen::of(content, (&mut self.profile, lane), offset);
        seen.score = message::score_of(part.source, seen.score);
        self.profile.learn(0, line, true);
        self.message.clear();
        self.message.extend_from_slice(&line[..line.len().min(HEAD_BYTES)]);
        self.lanes.iter_mut().for_each(Entry::clear);
        (self.open, self.n_lines, self.n_bytes) = (Open::default(), 1, line.len() + 1);
        let end = offset + line.len() as u64;
        let starts = &self.starts;
        let is_within = |event| {
            let stretch = starts.iter().rev().find(|start| **start <= event);
            stretch.is_some_and(|start| end - start <= STRETCH_BYTES_MAX)
        };
        let reach = Reach::File(&is_within);
        match self.sources.place(part.source, (content, seen), (offset, offset), reach) {
            SourceLine::Continues(event) => {
                let n_joined = self.n_after(event);
                self.starts.truncate(self.starts.len() - n_joined);
                Placement::Continues { n_joined }
            }
            SourceLine::Begins | SourceLine::Overflows(_) => Placement::Begins,
        }
    }

    /// Places a line that a syslog daemon wrote by what its program wrote, where that decides.
    fn place_plain(&mut self, offset: u64, line: &[u8], is_whole: bool) -> Option<Placement> {
        let found = if is_whole { message::plain(line) } else { None };
        let was_within = self.plain.is_within();
        let content = match &found {
            Some((names, content)) => self.plain.enter(line, names, *content),
            None => {
                self.plain.skip();
                None
            }
        };
        if was_within && content.is_none() {
            let before = self.plain.before().0.to_vec();
            self.begin_plain(&before);
        }
        let placement = content.map(|content| {
            self.sources.skip();
            self.profile.enter(offset);
            self.profile.learn(0, line, true);
            if !was_within {
                let before = self.plain.before().1;
                self.lanes.iter_mut().for_each(Entry::clear);
                if !before.is_empty() {
                    self.lanes[0].begin(&before, Seen::of_content(&before));
                }
            }
            let fits = self.n_lines < LINES_MAX && self.n_bytes.saturating_add(line.len()) <= self.bytes_max;
            let seen = Seen::of_content(&content);
            let entry = &mut self.lanes[0];
            let goes_on = fits
                && match (entry.is_none(), content.is_empty()) {
                    (true, is_empty) => !is_empty && entry.begins_report(&content, seen),
                    (false, is_empty) => is_empty || entry.takes(&content, seen),
                };
            if goes_on {
                (self.n_lines, self.n_bytes) = (self.n_lines + 1, self.n_bytes + line.len() + 1);
                return Placement::Continues { n_joined: 0 };
            }
            (self.n_lines, self.n_bytes) = (1, line.len() + 1);
            self.plain.end();
            self.begin_plain(line);
            Placement::Begins
        });
        if let Some((names, content)) = found {
            self.plain.note(line, names, content);
        }
        placement
    }

    /// Begins with the whole of a line.
    fn begin_plain(&mut self, line: &[u8]) {
        let seen = Seen { has_clock: true, is_object: false, score: self.profile.score(0) };
        self.lanes[0] = Entry::default();
        self.lanes[0].begin(line, seen);
    }

    fn decide(
        &mut self,
        offset: u64,
        line: &[u8],
        part: Option<&runtime::Fragment>,
        scratch: &mut Vec<u8>,
    ) -> Placement {
        self.sources.skip();
        if part.is_none() && self.begins_at_head(offset, line) {
            return Placement::Begins;
        }
        if !self.message.is_empty() {
            // A line of a message of several.
            let message = std::mem::take(&mut self.message);
            let (is_object, has_clock) = (message[0] == b'{', message[0] != b'{' && line::has_clock(&message));
            let seen = Seen { has_clock, is_object, score: self.profile.score(0) };
            self.lanes[0].begin(&message, seen);
        }
        let (lane, content) = runtime::content(line, part, scratch);
        let content = colour::without_leading(content);
        let seen = Seen::of(content, (&mut self.profile, lane), offset);
        let fits = self.n_lines < LINES_MAX && self.n_bytes.saturating_add(line.len()) <= self.bytes_max;
        let goes_on = self.n_lines > 0 && fits && self.goes_on(lane, content, seen, part);
        if self.last.0 != lane {
            self.last = (lane, 0);
        }
        self.last.1 += 1;
        self.is_blank = !goes_on && content.is_empty() && !self.open.is_open(part);
        self.open = self.open.after(part, !goes_on);
        if goes_on {
            let n_text = self.lanes[lane].n_text;
            if n_text == 1 && !content.is_empty() {
                self.text = (offset, self.n_lines, self.n_bytes);
            }
            self.n_lines += 1;
            self.n_bytes += line.len() + 1;
            if self.lanes[lane].splits && self.lanes.iter().filter(|entry| !entry.is_none()).count() == 1 {
                let (from, n_lines, n_bytes) = self.text;
                (self.n_lines, self.n_bytes) = (self.n_lines - n_lines, self.n_bytes - n_bytes);
                return Placement::Splits { from };
            }
            return Placement::Continues { n_joined: 0 };
        }
        (self.n_lines, self.n_bytes) = (1, line.len() + 1);
        self.lanes.iter_mut().for_each(Entry::clear);
        if !content.is_empty() {
            self.lanes[lane].begin(content, seen);
        }
        Placement::Begins
    }

    /// Begins an event with a line that has a time at its head, where nothing is open that could take such a line: of most files
    /// almost all lines are of this kind, and what else [`decide`](Self::decide) looks at says nothing of them.
    fn begins_at_head(&mut self, offset: u64, line: &[u8]) -> bool {
        let [entry, streams @ ..] = &mut self.lanes;
        let is_over = !self.is_blank
            && self.message.is_empty()
            && self.open == Open::default()
            && entry.is_over_at_head()
            && streams.iter().all(Entry::is_none);
        if !is_over || !line::is_plain_head(line) {
            return false;
        }
        self.profile.enter(offset);
        self.profile.learn(0, line, true);
        entry.begin_at_head(line, self.profile.score(0));
        self.last = (0, if self.last.0 == 0 { self.last.1 + 1 } else { 1 });
        (self.n_lines, self.n_bytes) = (1, line.len() + 1);
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
        let is_behind_blank = self.is_blank && self.last.0 == lane && self.lanes.iter().all(Entry::is_none);
        if is_behind_blank && self.lanes[lane].begins_report(content, seen) {
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
    let mut found: VecDeque<Range<usize>> = VecDeque::new();
    let mut n_ready: usize = 0;
    let line_at = |from: usize| {
        let end = memchr::memchr(b'\n', &text[from..]).map_or(text.len(), |length| from + length);
        (end, (end + 1).min(text.len()))
    };
    std::iter::from_fn(move || {
        while next_line < text.len() && n_ready == 0 {
            let from = next_line;
            let (end, after) = line_at(from);
            next_line = if end == text.len() { text.len() } else { after };
            let line = text[from..end].strip_suffix(b"\r").unwrap_or(&text[from..end]);
            if line.is_empty() {
                continue;
            }
            let line_end = from + line.len();
            match boundaries.place_at(offset + from as u64, line) {
                Placement::Begins => found.push_back(from..line_end),
                Placement::Continues { n_joined } => {
                    found.truncate(found.len() - n_joined);
                    found.back_mut().into_iter().for_each(|event| event.end = line_end);
                }
                Placement::Splits { from } => {
                    let from = (from - offset) as usize;
                    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
                    let end = text[..from].iter().rposition(|byte| !is_end(byte)).map_or(0, |last| last + 1);
                    found.back_mut().into_iter().for_each(|event| event.end = end);
                    found.push_back(from..line_end);
                }
            }
            if found.len() >= boundaries.n_joinable() + RUN_OF_EVENTS {
                n_ready = found.len() - boundaries.n_joinable();
            }
        }
        n_ready = n_ready.saturating_sub(1);
        found.pop_front()
    })
}

/// Where the last event of `text` begins, or the first of those at its end that are likely to be continued; for a text as of
/// [`events_at`].
pub(crate) fn last_start(text: &[u8], bytes_max: usize, (profile, offset): (Profile, u64)) -> Option<usize> {
    let mut boundaries = Boundaries::at(bytes_max, profile, offset);
    let (mut starts, mut at) = (Vec::new(), 0);
    for line in text.split(|byte| *byte == b'\n') {
        match boundaries.place_at(offset + at as u64, line) {
            Placement::Begins => starts.push(at),
            Placement::Continues { n_joined } => starts.truncate(starts.len() - n_joined),
            Placement::Splits { from } => starts.push((from - offset) as usize),
        }
        at += line.len() + 1;
    }
    let n_open = boundaries.n_waiting(0).max(1);
    starts.len().checked_sub(n_open).map(|place| starts[place])
}

/// Where the last line of `text` begins that begins an event whatever stands before it. `text` ends with a whole line.
pub(crate) fn last_sure_start(text: &[u8]) -> Option<usize> {
    let mut end = text.len();
    while end > 0 {
        // A line end right before `end` closes the line that is looked at.
        let body_end = if text[end - 1] == b'\n' { end - 1 } else { end };
        let from = memchr::memrchr(b'\n', &text[..body_end]).map_or(0, |newline| newline + 1);
        if is_sure_start(&text[from..body_end]) && !plain::may_continue(&text[..body_end], from) {
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
