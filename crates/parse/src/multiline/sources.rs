//! Events of many sources whose lines come between one another: which event a line of a source continues.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::Profile;
use super::entry::{Entry, Seen};
use crate::{colour, message, runtime};

/// Lines of one event; further ones begin another.
pub(crate) const LINES_MAX: usize = 1_000;

/// Lines of other sources across which an event of a file is continued.
pub(super) const OTHERS_LINES_MAX: u64 = 256;

/// Bytes of an event that is put together of several lines.
const EVENT_BYTES_MAX: usize = 1 << 20;

/// Where a line of a source belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceLine {
    /// It begins an event.
    Begins,
    /// It belongs to the event of this number.
    Continues(u64),
    /// It begins an event only because the event of this number may not become longer.
    Overflows(u64),
}

/// The latest event of each source.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    events: HashMap<u64, SourceEvent, RandomState>,
    /// Lines so far, of any source or of none.
    n_lines: u64,
}

#[derive(Clone, Debug, Default)]
struct SourceEvent {
    entry: Entry,
    n_lines: usize,
    n_bytes: usize,
    number: u64,
    /// When or where its last line came, and as which of all lines.
    last: (u64, u64),
}

/// How far and how long events are continued.
#[derive(Clone, Copy)]
pub(super) enum Reach<'r> {
    /// As long as events may be, however many lines stand between.
    Event,
    /// Across few lines of others, where the event of this number may be continued.
    File(&'r dyn Fn(u64) -> bool),
}

impl Sources {
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Counts a line that is of no source.
    pub(super) fn skip(&mut self) {
        self.n_lines += 1;
    }

    /// Places a line, which came at `at`; `number` is that of the event that it may begin.
    pub(super) fn place(
        &mut self,
        source: u64,
        (line, seen): (&[u8], Seen),
        (number, at): (u64, u64),
        reach: Reach<'_>,
    ) -> SourceLine {
        self.n_lines += 1;
        let n_lines = self.n_lines;
        if self.events.len() > OTHERS_LINES_MAX as usize && matches!(reach, Reach::File(_)) {
            self.events.retain(|_, event| n_lines - event.last.1 <= OTHERS_LINES_MAX);
        }
        let event = self.events.entry(source).or_default();
        let n_foreign = n_lines.saturating_sub(event.last.1 + 1);
        event.last = (at, n_lines);
        let is_near = match reach {
            Reach::Event => true,
            Reach::File(is_within) => n_foreign <= OTHERS_LINES_MAX && is_within(event.number),
        };
        let entry = &mut event.entry;
        let continues = event.n_lines > 0
            && is_near
            && match (line.is_empty(), n_foreign) {
                (true, 0) => true,
                (true, _) => entry.may_grow(),
                (false, 0) if entry.is_none() => entry.begins_report(line, seen),
                (false, 0) => entry.takes(line, seen),
                (false, _) => entry.takes_across(line, seen),
            };
        let fits = matches!(reach, Reach::File(_))
            || event.n_lines < LINES_MAX && event.n_bytes + line.len() <= EVENT_BYTES_MAX;
        if continues && fits {
            event.n_lines += 1;
            event.n_bytes += line.len() + 1;
            return SourceLine::Continues(event.number);
        }
        let before = std::mem::replace(&mut event.number, number);
        (event.n_lines, event.n_bytes) = (1, line.len() + 1);
        if continues {
            // What continues a report is within it still.
            return SourceLine::Overflows(before);
        }
        event.entry.clear();
        if !line.is_empty() {
            event.entry.begin(line, seen);
        }
        SourceLine::Begins
    }

    /// Returns the numbers of events that further lines are likely to continue, whose last lines came at `since` or later and are
    /// among the last `n_near`.
    pub(super) fn open(&self, since: u64, n_near: u64) -> impl Iterator<Item = u64> {
        let is_near = move |(at, line): (u64, u64)| at >= since && self.n_lines - line <= n_near;
        self.events
            .values()
            .filter(move |event| is_near(event.last) && event.entry.may_grow())
            .map(|event| event.number)
    }
}

/// Puts lines of many sources together, each by itself, however many lines of others come between.
#[derive(Clone, Debug, Default)]
pub struct Joiner {
    sources: Sources,
    profile: Profile,
    offset: u64,
    score_min: i8,
}

impl Joiner {
    /// A joiner of lines of one source, of which it is known that they are one event.
    pub(crate) fn of_one_event() -> Self {
        Self { score_min: i8::MAX, ..Self::default() }
    }

    /// Places a line of a source that came at `at`; `number` is that of the event that it may begin.
    pub fn place(&mut self, source: u64, line: &[u8], number: u64, at: u64) -> SourceLine {
        let line = colour::without_leading(line.trim_ascii_end());
        let mut seen = Seen::of(line, (&mut self.profile, runtime::lane_of(source)), self.offset);
        seen.score = message::score_of(source, seen.score).max(self.score_min);
        self.offset += line.len() as u64 + 1;
        self.sources.place(source, (line, seen), (number, at), Reach::Event)
    }

    /// Returns the numbers of the events that further lines are likely to continue, but for those whose last lines came before
    /// `since`.
    pub fn open(&self, since: u64) -> impl Iterator<Item = u64> {
        self.sources.open(since, u64::MAX)
    }

    /// Forgets events whose numbers are not wanted any more, so that no line continues them.
    pub fn retain(&mut self, is_wanted: impl Fn(u64) -> bool) {
        self.sources.events.retain(|_, event| is_wanted(event.number));
    }
}
