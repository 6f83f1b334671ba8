//! Lines put together into batches: of one input and one format each, cut between events where they are full.

use std::io;
use std::time::{Duration, Instant};

use parse::{Boundaries, Placement};

use super::lines::{Line, LineBlock, Lines};
use crate::arguments::InputFormat;

/// Bytes after which a batch is sent …
const BATCH_BYTES: usize = 1 << 20;

/// … or when its first line is so old: what a job writes is to be seen at once.
const BATCH_AGE: Duration = Duration::from_millis(200);

/// A day: an event is never cut because its source is slow.
const ARCHIVE_AGE: Duration = Duration::from_secs(86_400);

/// What the lines of a batch are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Kind {
    Text,
    Records,
}

/// Lines that are sent at once.
#[derive(Debug)]
pub(in crate::commands) struct Batch {
    pub(in crate::commands) input: usize,
    pub(in crate::commands) kind: Kind,
    bytes: Vec<u8>,
    /// The number of each line, and where it begins in `bytes`.
    lines: Vec<(u64, usize)>,
    boundaries: Boundaries,
    /// Which lines begin events.
    events: Vec<usize>,
}

impl Batch {
    fn new(input: usize, kind: Kind) -> Self {
        let boundaries = Boundaries::new(BATCH_BYTES);
        Self { input, kind, bytes: Vec::new(), lines: Vec::new(), boundaries, events: Vec::new() }
    }

    pub(super) fn of(line: Line<'_>, kind: Kind) -> Self {
        let mut batch = Self::new(line.input, kind);
        batch.push(line.number, line.bytes);
        batch
    }

    pub(in crate::commands) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the number of its first line in the input.
    pub(super) fn first_line(&self) -> u64 {
        self.line_number(1)
    }

    /// Returns the number in the input of a line of the batch, counted from 1.
    pub(in crate::commands) fn line_number(&self, line: usize) -> u64 {
        let known = self.lines.get(line.saturating_sub(1)).or(self.lines.last());
        known.map_or(0, |(number, _)| *number)
    }

    /// Returns the bytes of each event, which are all bytes together: empty lines before the first one are its own.
    pub(in crate::commands) fn event_lengths(&self) -> Vec<u64> {
        let ends = self.events.iter().skip(1).map(|line| self.lines[*line].1).chain([self.bytes.len()]);
        let mut from = 0;
        ends.map(|end| (end - std::mem::replace(&mut from, end)) as u64).collect()
    }

    /// Returns how many events it has.
    pub(in crate::commands) fn n_events(&self) -> u64 {
        if self.kind == Kind::Text {
            return self.events.len() as u64;
        }
        (0..self.lines.len()).filter(|line| !self.line(*line).trim_ascii().is_empty()).count() as u64
    }

    fn push(&mut self, number: u64, line: &[u8]) {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let at = self.bytes.len() as u64;
        let placement = if self.kind == Kind::Text { self.boundaries.place_at(at, text) } else { Placement::Begins };
        match placement {
            Placement::Begins => self.events.push(self.lines.len()),
            Placement::Continues { n_joined } => self.events.truncate(self.events.len() - n_joined),
            Placement::Splits { from } => {
                self.events.push(self.lines.partition_point(|(_, start)| (*start as u64) < from));
            }
        }
        self.lines.push((number, self.bytes.len()));
        self.bytes.extend_from_slice(line);
    }

    /// Removes the last event if it is not the only one, since further lines may belong to it.
    fn split_last_event(&mut self) -> Option<Self> {
        self.split(self.events.last().copied().unwrap_or_default())
    }

    /// Two halves, cut between events where there are several, else between lines; nothing where it is one line.
    pub(super) fn halves(mut self) -> Option<(Self, Self)> {
        let middle = self.lines.len() / 2;
        let starts = self.events.iter().copied().filter(|start| *start > 0);
        let at = starts.min_by_key(|start| start.abs_diff(middle)).unwrap_or(middle);
        let second = self.split(at)?;
        Some((self, second))
    }

    fn line(&self, line: usize) -> &[u8] {
        let start_of = |line: usize| self.lines.get(line).map_or(self.bytes.len(), |(_, start)| *start);
        self.bytes.get(start_of(line)..start_of(line + 1)).unwrap_or_default()
    }

    /// Takes away the lines from `at` on.
    fn split(&mut self, at: usize) -> Option<Self> {
        if at == 0 || at >= self.lines.len() {
            return None;
        }
        let mut rest = Self::new(self.input, self.kind);
        for line in at..self.lines.len() {
            rest.push(self.line_number(line + 1), self.line(line));
        }
        let start = self.bytes.len() - rest.bytes.len();
        self.bytes.truncate(start);
        self.lines.truncate(at);
        self.events.retain(|start| *start < at);
        Some(rest)
    }
}

/// Makes batches of lines as they come.
pub(in crate::commands) struct Batches {
    lines: Lines,
    /// Lines that came together, and the place of the one at hand.
    block: LineBlock,
    at: usize,
    kinds: Kinds,
    /// What the next batch begins with.
    carried: Option<Batch>,
    /// Why nothing more can be read.
    failure: Option<(usize, io::Error)>,
}

/// Tells what lines are.
struct Kinds {
    format: InputFormat,
    /// Whether nobody waits for the lines, and what writes them may be the containers of a host.
    is_archive: bool,
    /// The input at hand, and whether its first line is a JSON object.
    of_input: Option<(usize, bool)>,
}

impl Batches {
    pub(super) fn new(lines: Lines, format: InputFormat) -> Self {
        let kinds = Kinds { format, is_archive: false, of_input: None };
        Self { lines, block: LineBlock::default(), at: 0, kinds, carried: None, failure: None }
    }

    /// Batches that are full, of lines that nobody waits for.
    pub(in crate::commands) fn of_archive(lines: Lines) -> Self {
        let mut batches = Self::new(lines, InputFormat::Auto);
        batches.kinds.is_archive = true;
        batches
    }

    /// Goes to the next line, until which it waits; `false` if none has come by then, or none will.
    fn advance(&mut self, due: Option<Instant>) -> Result<bool, (usize, io::Error)> {
        self.at += 1;
        if self.at < self.block.lines.len() {
            return Ok(true);
        }
        let next = match due {
            Some(due) => self.lines.recv_timeout(due.saturating_duration_since(Instant::now())).ok(),
            None => self.lines.recv().ok(),
        };
        (self.block, self.at) = (next.transpose()?.unwrap_or_default(), 0);
        Ok(!self.block.lines.is_empty())
    }

    /// Returns the next batch; `None` at the end of the last input.
    pub(in crate::commands) fn next(&mut self) -> Result<Option<Batch>, (usize, io::Error)> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let carried = self.carried.take();
        if carried.is_none() && !self.advance(None)? {
            return Ok(None);
        }
        let first = || self.block.line(self.at).map(|line| Batch::of(line, self.kinds.of(line, None)));
        let Some(mut batch) = carried.or_else(first) else { return Ok(None) };
        if self.kinds.is_archive {
            // It will be full, but for the last one.
            batch.bytes.reserve(BATCH_BYTES);
        }
        let due = Instant::now() + if self.kinds.is_archive { ARCHIVE_AGE } else { BATCH_AGE };
        while batch.bytes.len() < BATCH_BYTES {
            match self.advance(Some(due)) {
                Err(failure) => {
                    // What was read before it goes first.
                    self.failure = Some(failure);
                    return Ok(Some(batch));
                }
                Ok(false) => return Ok(Some(batch)),
                Ok(true) => {}
            }
            let Some(line) = self.block.line(self.at) else { return Ok(Some(batch)) };
            let kind = self.kinds.of(line, Some(batch.kind));
            if line.input != batch.input || kind != batch.kind {
                self.carried = Some(Batch::of(line, kind));
                return Ok(Some(batch));
            }
            batch.push(line.number, line.bytes);
        }
        self.carried = batch.split_last_event();
        Ok(Some(batch))
    }
}

impl Kinds {
    /// Returns the kind of a line; an empty one has that of the line before.
    fn of(&mut self, line: Line<'_>, before: Option<Kind>) -> Kind {
        let text = line.bytes.trim_ascii();
        // Lines of Docker's files are envelopes of text.
        let is_envelope = self.is_archive && text.starts_with(b"{\"log\":\"");
        let is_object = text.starts_with(b"{") && text.ends_with(b"}") && !is_envelope;
        match self.format {
            InputFormat::Text => return Kind::Text,
            InputFormat::Ndjson => return Kind::Records,
            InputFormat::Auto if text.is_empty() => return before.unwrap_or(Kind::Text),
            InputFormat::Auto => {}
        }
        if self.of_input.is_none_or(|(input, _)| input != line.input) {
            self.of_input = Some((line.input, is_object));
        }
        let begins_with_object = self.of_input.is_some_and(|(_, is_object)| is_object);
        if begins_with_object && is_object { Kind::Records } else { Kind::Text }
    }
}

#[cfg(test)]
mod tests;
