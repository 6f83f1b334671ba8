//! Which bytes of which shipped files were accepted.
//!
//! Kept without a time limit: a file that is shipped again, from whatever place, stores nothing twice. What
//! lies between two ranges is a gap that the shipper still owes. The catalog has all of them; each segment has those
//! that came with its events, for a catalog that is created again:
//!
//! ```text
//! varint files, files × (text source, text file, varint generation, varint ranges,
//!                        ranges × (varint bytes since the end of the one before, varint length))
//! ```

use std::collections::BTreeMap;
use std::ops::Range;

use segment::bytes::{Cursor, Damage, Decoded, put_text, put_varint};

use crate::{AppendError, SourcePosition};

/// Most separate ranges of one file. A shipper that reads forward has one; this bounds what a sender of
/// scattered positions can make the store remember.
const RANGES_MAX: usize = 4096;

/// A shipped file in one of its generations.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileKey {
    pub(crate) source: String,
    pub(crate) file: String,
    pub(crate) generation: u64,
}

impl FileKey {
    pub(crate) fn of(position: &SourcePosition) -> Self {
        let SourcePosition { source, file, generation, .. } = position;
        Self { source: source.clone(), file: file.clone(), generation: *generation }
    }
}

/// Most gaps of one file that are named; more are counted.
const GAPS_NAMED_MAX: usize = 100;

/// Which bytes of a shipped file were accepted, in one of its generations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShippedFile {
    /// The file's identity at the shipper.
    pub file: String,
    /// Rises when the file is truncated or replaced.
    pub generation: u64,
    /// Where the first accepted range begins.
    pub start: u64,
    /// Where the last one ends.
    pub end: u64,
    /// Bytes accepted.
    pub bytes: u64,
    /// What was not accepted between the two, rising; the first hundred gaps.
    pub gaps: Vec<Range<u64>>,
    /// How many gaps there are.
    pub n_gaps: usize,
}

/// Accepted ranges: rising, never empty, neither overlapping nor touching each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ranges(Vec<Range<u64>>);

impl Ranges {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Range<u64>> {
        self.0.iter()
    }

    /// Returns the index of the first range that ends at or after `at`.
    fn index_of(&self, at: u64) -> usize {
        self.0.partition_point(|range| range.end < at)
    }

    pub(crate) fn insert(&mut self, new: Range<u64>) {
        if new.is_empty() {
            return;
        }
        let from = self.index_of(new.start);
        let to = from + self.0[from..].iter().take_while(|range| range.start <= new.end).count();
        let touched = &self.0[from..to];
        let start = touched.first().map_or(new.start, |range| range.start.min(new.start));
        let end = touched.last().map_or(new.end, |range| range.end.max(new.end));
        self.0.splice(from..to, std::iter::once(start..end));
    }

    fn overlaps(&self, range: &Range<u64>) -> bool {
        let behind = &self.0[self.index_of(range.start)..];
        behind.iter().any(|known| known.start.max(range.start) < known.end.min(range.end))
    }

    /// Returns the parts of `range` that are in no accepted range.
    fn missing(&self, range: &Range<u64>) -> Vec<Range<u64>> {
        let mut missing = Vec::new();
        let mut at = range.start;
        for known in &self.0[self.index_of(range.start)..] {
            if known.start >= range.end {
                break;
            }
            if at < known.start {
                missing.push(at..known.start);
            }
            at = at.max(known.end);
        }
        if at < range.end {
            missing.push(at..range.end);
        }
        missing
    }

    /// Formats the ranges for people; `None` if there are none.
    fn describe(&self, key: &FileKey) -> Option<ShippedFile> {
        let (start, end) = (self.0.first()?.start, self.0.last()?.end);
        let between = self.0.iter().zip(self.0.iter().skip(1)).map(|(one, next)| one.end..next.start);
        Some(ShippedFile {
            file: key.file.clone(),
            generation: key.generation,
            start,
            end,
            bytes: self.0.iter().map(|range| range.end - range.start).sum(),
            gaps: between.take(GAPS_NAMED_MAX).collect(),
            n_gaps: self.0.len() - 1,
        })
    }

    /// Returns the end of the accepted range that contains `at` or ends there.
    fn end_around(&self, at: u64) -> Option<u64> {
        self.0.get(self.index_of(at)).filter(|range| range.start <= at).map(|range| range.end)
    }
}

/// Accepted ranges of all shipped files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Positions(BTreeMap<FileKey, Ranges>);

impl Positions {
    pub(crate) fn insert(&mut self, key: FileKey, range: Range<u64>) {
        if !range.is_empty() {
            self.0.entry(key).or_default().insert(range);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&FileKey, &Ranges)> {
        self.0.iter()
    }

    /// Returns all sources, sorted.
    pub(crate) fn sources(&self) -> Vec<String> {
        let mut sources: Vec<&str> = self.0.keys().map(|key| key.source.as_str()).collect();
        sources.dedup();
        sources.into_iter().map(str::to_owned).collect()
    }

    /// Returns what is known of the files of a source, sorted by file and generation.
    pub(crate) fn files_of(&self, source: &str) -> Vec<ShippedFile> {
        let first = FileKey { source: source.to_owned(), file: String::new(), generation: 0 };
        let of_source = self.0.range(first..).take_while(|(key, _)| key.source == source);
        of_source.filter_map(|(key, ranges)| ranges.describe(key)).collect()
    }

    /// Adds all positions of `others`.
    pub(crate) fn merge(&mut self, others: &Self) {
        for (key, ranges) in others.iter() {
            let known = self.0.entry(key.clone()).or_default();
            ranges.iter().for_each(|range| known.insert(range.clone()));
        }
    }

    /// Returns the positions as a segment holds them; nothing if there are none.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.0.is_empty() {
            return out;
        }
        put_varint(&mut out, self.0.len() as u64);
        for (key, ranges) in &self.0 {
            put_text(&mut out, &key.source);
            put_text(&mut out, &key.file);
            put_varint(&mut out, key.generation);
            put_varint(&mut out, ranges.0.len() as u64);
            let mut at = 0;
            for range in &ranges.0 {
                put_varint(&mut out, range.start - at);
                put_varint(&mut out, range.end - range.start);
                at = range.end;
            }
        }
        out
    }

    /// Reads what [`encode`](Self::encode) wrote.
    pub(crate) fn decode(bytes: &[u8]) -> Decoded<Self> {
        let mut positions = Self::default();
        let mut cursor = Cursor::new(bytes);
        for _ in 0..cursor.count(4)? {
            let (source, file) = (cursor.text()?.to_owned(), cursor.text()?.to_owned());
            let key = FileKey { source, file, generation: cursor.varint()? };
            let mut at = 0u64;
            for _ in 0..cursor.count(2)? {
                let start = at.checked_add(cursor.varint()?).ok_or(Damage("a position is out of range"))?;
                at = start.checked_add(cursor.varint()?).ok_or(Damage("a position is out of range"))?;
                positions.insert(key.clone(), start..at);
            }
        }
        if cursor.is_at_end() { Ok(positions) } else { Err(Damage("bytes follow")) }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Reports whether any byte of the position was accepted.
    pub(crate) fn overlap(&self, position: &SourcePosition) -> bool {
        self.0.get(&FileKey::of(position)).is_some_and(|ranges| ranges.overlaps(&position.range))
    }

    /// Reports whether another range of the file may be remembered.
    pub(crate) fn has_room(&self, position: &SourcePosition) -> bool {
        self.0.get(&FileKey::of(position)).is_none_or(|ranges| ranges.0.len() < RANGES_MAX)
    }

    /// Returns why a range cannot be accepted, if it cannot.
    pub(crate) fn refuse(&self, position: &SourcePosition) -> Option<AppendError> {
        if self.overlap(position) {
            return Some(AppendError::PositionChanged);
        }
        let problem = || AppendError::TooLarge("its file has too many gaps in what was accepted of it".to_owned());
        (!self.has_room(position)).then(problem)
    }

    pub(crate) fn missing(&self, position: &SourcePosition) -> Vec<Range<u64>> {
        match self.0.get(&FileKey::of(position)) {
            Some(ranges) => ranges.missing(&position.range),
            None if position.range.is_empty() => Vec::new(),
            None => vec![position.range.clone()],
        }
    }

    /// Returns the end of the gapless accepted range around the end of the position.
    pub(crate) fn high_water(&self, position: &SourcePosition) -> Option<u64> {
        self.0.get(&FileKey::of(position))?.end_around(position.range.end)
    }
}

#[cfg(test)]
mod tests;
