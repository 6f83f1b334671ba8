//! A set of sequences, small in memory and on disk: which events of a group are deleted.
//!
//! ```text
//! ranges × (varint gap, varint length − 1)
//! gap: sequences between the end of the range before (0 at first) and its start; at least 1 but for the first
//! ```
//!
//! Ranges stand in order and never touch, so that what was accepted in a row costs a few bytes however much it is,
//! and what lies scattered costs two or three bytes each. Memory is the encoded form and a place in it for every
//! [`CHUNK_RANGES`] ranges; nothing is ever unfolded, so bytes from a damaged file cannot ask for more than they are.

use segment::bytes::{Cursor, Damage, Decoded, put_varint};

/// Ranges between two remembered places. A look-up decodes at most so many; more places would cost more memory
/// than the ranges themselves.
const CHUNK_RANGES: usize = 32;

/// Sequences that are collected before they are sorted into the set: 8 MiB.
const PENDING_MAX: usize = 1 << 20;

/// A set of sequences of one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sequences {
    bytes: Vec<u8>,
    chunks: Vec<Chunk>,
    n_events: u64,
    last: u64,
}

/// Where a chunk of ranges begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Chunk {
    /// The first sequence in it.
    start: u64,
    /// Place of that range's length among the bytes.
    offset: usize,
}

/// Sequences from `start` to `end`, both in it.
type Range = (u64, u64);

impl Sequences {
    /// Returns how many there are.
    pub fn len(&self) -> u64 {
        self.n_events
    }

    /// Reports whether there are none.
    pub fn is_empty(&self) -> bool {
        self.n_events == 0
    }

    /// Returns bytes of the encoded form.
    pub fn n_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the least and the greatest one.
    pub(crate) fn bounds(&self) -> Option<Range> {
        self.chunks.first().map(|chunk| (chunk.start, self.last))
    }

    /// Returns the encoded form.
    pub(crate) fn encoded(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads the encoded form.
    pub(crate) fn decode(bytes: &[u8]) -> Decoded<Self> {
        let mut encoder = Encoder::default();
        let mut cursor = Cursor::new(bytes);
        let mut after = 0u64;
        while !cursor.is_at_end() {
            let (gap, length) = (cursor.varint()?, cursor.varint()?);
            types::ensure!(gap != 0 || encoder.set.is_empty(), Damage("two ranges of sequences touch"));
            let end = after.checked_add(gap).and_then(|start| Some((start, start.checked_add(length)?)));
            let (start, end) = end.filter(|(_, end)| *end < u64::MAX).ok_or(Damage("a sequence is out of range"))?;
            encoder.push((start, end));
            after = end + 1;
        }
        let set = encoder.finish();
        // The shortest form is the only one: other bytes were not written by us.
        if set.bytes == bytes { Ok(set) } else { Err(Damage("ranges of sequences are not in their usual form")) }
    }

    /// Reports whether any sequence from `first` to `last` is in the set.
    pub(crate) fn overlaps(&self, first: u64, last: u64) -> bool {
        let from = self.chunks.partition_point(|chunk| chunk.start <= first).saturating_sub(1);
        let mut ranges = self.ranges_from(from);
        ranges.find(|(_, end)| *end >= first).is_some_and(|(start, _)| start <= last)
    }

    fn ranges_from(&self, chunk: usize) -> Ranges<'_> {
        match self.chunks.get(chunk) {
            Some(Chunk { start, offset }) => {
                Ranges { rest: self.bytes.get(*offset..).unwrap_or_default(), next: Some(*start) }
            }
            None => Ranges { rest: &[], next: None },
        }
    }

    fn union(&self, sorted: impl Iterator<Item = u64>) -> Self {
        let mut encoder = Encoder::default();
        let mut ranges = self.ranges_from(0).peekable();
        for sequence in sorted {
            while let Some(range) = ranges.next_if(|(start, _)| *start <= sequence) {
                encoder.push(range);
            }
            encoder.push((sequence, sequence));
        }
        ranges.for_each(|range| encoder.push(range));
        encoder.finish()
    }
}

impl FromIterator<u64> for Sequences {
    fn from_iter<I: IntoIterator<Item = u64>>(sequences: I) -> Self {
        let mut collector = SequenceCollector::default();
        sequences.into_iter().for_each(|sequence| collector.push(sequence));
        collector.finish()
    }
}

/// Ranges in order.
struct Ranges<'a> {
    rest: &'a [u8],
    next: Option<u64>,
}

impl Iterator for Ranges<'_> {
    type Item = Range;

    fn next(&mut self) -> Option<Range> {
        let start = self.next.take()?;
        // The bytes were checked, or made, when the set was.
        let end = start + take_varint(&mut self.rest);
        if !self.rest.is_empty() {
            self.next = Some(end + 1 + take_varint(&mut self.rest));
        }
        Some((start, end))
    }
}

/// Reads a varint of bytes that are known to be right.
fn take_varint(rest: &mut &[u8]) -> u64 {
    let (mut number, mut shift) = (0u64, 0u32);
    while let Some((byte, after)) = rest.split_first() {
        *rest = after;
        number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if *byte < 0x80 {
            break;
        }
        shift += 7;
    }
    number
}

/// Puts ranges together whose starts come in order; ranges that touch or overlap become one.
#[derive(Default)]
struct Encoder {
    set: Sequences,
    open: Option<Range>,
    n_ranges: usize,
}

impl Encoder {
    fn push(&mut self, (start, end): Range) {
        match &mut self.open {
            Some((_, open_end)) if start <= open_end.saturating_add(1) => *open_end = (*open_end).max(end),
            _ => {
                self.close();
                self.open = Some((start, end));
            }
        }
    }

    fn close(&mut self) {
        let Some((start, end)) = self.open.take() else { return };
        let before = if self.n_ranges == 0 { 0 } else { self.set.last + 1 };
        put_varint(&mut self.set.bytes, start - before);
        if self.n_ranges.is_multiple_of(CHUNK_RANGES) {
            self.set.chunks.push(Chunk { start, offset: self.set.bytes.len() });
        }
        put_varint(&mut self.set.bytes, end - start);
        self.set.n_events = self.set.n_events.saturating_add((end - start).saturating_add(1));
        self.set.last = end;
        self.n_ranges += 1;
    }

    fn finish(mut self) -> Sequences {
        self.close();
        self.set.bytes.shrink_to_fit();
        self.set
    }
}

/// Collects sequences in any order, each as often as it likes.
#[derive(Debug, Default)]
pub struct SequenceCollector {
    set: Sequences,
    pending: Vec<u64>,
}

impl SequenceCollector {
    /// Adds one.
    pub fn push(&mut self, sequence: u64) {
        // The last number stands for "not known" elsewhere, and no event has it.
        if sequence == u64::MAX {
            return;
        }
        self.pending.push(sequence);
        if self.pending.len() >= PENDING_MAX {
            self.sort_in();
        }
    }

    /// Returns bytes of what was collected so far, roughly.
    pub fn n_bytes(&self) -> usize {
        self.set.bytes.len() + self.pending.len() * 8
    }

    fn sort_in(&mut self) {
        self.pending.sort_unstable();
        self.set = self.set.union(self.pending.drain(..));
    }

    /// Returns the set.
    pub fn finish(mut self) -> Sequences {
        self.sort_in();
        self.set
    }
}

/// Looks many sequences up that mostly lie near each other, as those of a block do.
pub(crate) struct Finder<'a> {
    set: &'a Sequences,
    /// The ranges of one chunk, and what it covers: from its start up to the start of the next one.
    ranges: Vec<Range>,
    covered: std::ops::Range<u64>,
}

impl<'a> Finder<'a> {
    pub(crate) fn new(set: &'a Sequences) -> Self {
        Self { set, ranges: Vec::new(), covered: 0..0 }
    }

    /// Reports whether the sequence is in the set.
    pub(crate) fn contains(&mut self, sequence: u64) -> bool {
        if !self.covered.contains(&sequence) {
            self.load(sequence);
        }
        let at = self.ranges.partition_point(|(_, end)| *end < sequence);
        self.ranges.get(at).is_some_and(|(start, _)| *start <= sequence)
    }

    fn load(&mut self, sequence: u64) {
        let chunks = &self.set.chunks;
        self.ranges.clear();
        let after = chunks.partition_point(|chunk| chunk.start <= sequence);
        let next = chunks.get(after).map_or(u64::MAX, |chunk| chunk.start);
        match after.checked_sub(1) {
            None => self.covered = 0..next,
            Some(chunk) => {
                self.ranges.extend(self.set.ranges_from(chunk).take(CHUNK_RANGES));
                self.covered = chunks[chunk].start..next;
            }
        }
    }
}

#[cfg(test)]
mod tests;
