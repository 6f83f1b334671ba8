//! Labels of series as senders spell them: a sender spells those of a series the same way in each request, and reading, checking
//! and sorting them costs more than the sample.
//!
//! Senders keep the order of their series too, so the series that followed one the last time is looked at first: a comparison of
//! bytes then stands for taking labels apart, hashing and a look into a table.

use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use ingest::sample::SampleSeries;

/// Bytes that spellings and series take at most; a series takes some 1,500.
const BYTES_MAX: usize = 192 << 20;

/// Bytes of an entry besides texts.
const ENTRY_BYTES: usize = 150;

/// Bytes of spellings that lie one behind the other.
const CHUNK_BYTES: usize = 64 << 10;

/// No entry.
const NONE: u32 = u32::MAX;

/// Series by the bytes that mean them, compared as a whole: nobody can make others' series look like their own.
#[derive(Debug, Default)]
pub(crate) struct SeriesCache {
    entries: Vec<Entry>,
    spelled: SpelledBytes,
    by_hash: HashTable<u32>,
    hasher: RandomState,
    n_bytes: usize,
}

/// A series and how it is spelled. What is needed of it for each sample is here: most of the time that a sample takes is spent waiting
/// for memory.
#[derive(Debug)]
struct Entry {
    spelled: SpelledPlace,
    /// The entry that followed this one the last time.
    next: AtomicU32,
    series: SampleSeries,
}

/// Spellings in the order in which they came, which is that in which they come again.
#[derive(Debug, Default)]
struct SpelledBytes {
    chunks: Vec<Vec<u8>>,
}

/// Where a spelling lies.
#[derive(Clone, Debug)]
struct SpelledPlace {
    chunk: u32,
    range: Range<u32>,
}

impl SpelledBytes {
    fn put(&mut self, spelled: &[u8]) -> SpelledPlace {
        if self.chunks.last().is_none_or(|last| last.capacity() - last.len() < spelled.len()) {
            self.chunks.push(Vec::with_capacity(CHUNK_BYTES.max(spelled.len())));
        }
        let chunk = self.chunks.len() - 1;
        let last = &mut self.chunks[chunk];
        let from = last.len() as u32;
        last.extend_from_slice(spelled);
        SpelledPlace { chunk: chunk as u32, range: from..last.len() as u32 }
    }

    fn get(&self, place: &SpelledPlace) -> &[u8] {
        &self.chunks[place.chunk as usize][place.range.start as usize..place.range.end as usize]
    }
}

/// The place of the series before, in one request.
#[derive(Debug)]
pub(crate) struct LastSeries(u32);

impl Default for LastSeries {
    fn default() -> Self {
        Self(NONE)
    }
}

impl SeriesCache {
    /// Returns the series that is expected after the last one if its spelling is the beginning of some bytes, and the bytes after it.
    #[inline]
    pub(crate) fn next<'b>(&self, last: &mut LastSeries, bytes: &'b [u8]) -> Option<(&SampleSeries, &'b [u8])> {
        let place = self.entries.get(last.0 as usize)?.next.load(Ordering::Relaxed);
        let entry = self.entries.get(place as usize)?;
        let rest = bytes.strip_prefix(self.spelled.get(&entry.spelled))?;
        last.0 = place;
        Some((&entry.series, rest))
    }

    /// Returns the series that some bytes mean.
    pub(crate) fn get(&self, last: &mut LastSeries, spelled: &[u8]) -> Option<&SampleSeries> {
        let place = self.place_of(spelled)?;
        if let Some(before) = self.entries.get(last.0 as usize) {
            before.next.store(place, Ordering::Relaxed);
        }
        last.0 = place;
        Some(&self.entries[place as usize].series)
    }

    fn place_of(&self, spelled: &[u8]) -> Option<u32> {
        let is_same = |place: &u32| self.spelled.get(&self.entries[*place as usize].spelled) == spelled;
        self.by_hash.find(self.hasher.hash_one(spelled), is_same).copied()
    }

    /// Keeps what some bytes mean. If there is no room left, everything else is forgotten, as series that ended are.
    pub(crate) fn put(&mut self, spelled: &[u8], mut series: SampleSeries) {
        let n_bytes = spelled.len() + series.memory_bytes + ENTRY_BYTES;
        if self.n_bytes + n_bytes > BYTES_MAX {
            *self = Self::default();
        }
        if n_bytes > BYTES_MAX / 16 || self.place_of(spelled).is_some() {
            return;
        }
        // A group that is the same object is recognised at once.
        if let Some(last) = self.entries.last().filter(|last| last.series.group == series.group) {
            series.group = last.series.group.clone();
        }
        let place = self.entries.len() as u32;
        let spelled_place = self.spelled.put(spelled);
        self.entries.push(Entry { spelled: spelled_place, next: AtomicU32::new(NONE), series });
        let Self { entries, spelled: all, by_hash, hasher, .. } = self;
        let hash_of = |place: &u32| hasher.hash_one(all.get(&entries[*place as usize].spelled));
        by_hash.insert_unique(hasher.hash_one(spelled), place, hash_of);
        self.n_bytes += n_bytes;
    }
}

#[cfg(test)]
mod tests {
    use types::Limits;

    use super::*;
    use ingest::sample::SeriesLabels;

    fn series(value: &str) -> SampleSeries {
        let pairs = [("__name__".into(), "up".into()), ("a".into(), value.into())];
        SampleSeries::clone(SeriesLabels::new(pairs, &Limits::default()).expect("labels").series())
    }

    #[test]
    fn memory_is_bounded() {
        let mut cache = SeriesCache::default();
        for n in 0..6000u32 {
            let text = format!("{n:>20000}");
            cache.put(text.as_bytes(), series(&text));
            assert!(cache.get(&mut LastSeries::default(), text.as_bytes()).is_some());
            assert!(cache.n_bytes <= BYTES_MAX && cache.entries.len() * 60_000 <= BYTES_MAX);
        }
        assert_eq!(cache.get(&mut LastSeries::default(), b"other"), None);
    }

    #[test]
    fn the_series_that_came_next_is_expected() {
        let mut cache = SeriesCache::default();
        for name in ["a", "b", "c"] {
            cache.put(name.as_bytes(), series(name));
        }
        let mut last = LastSeries::default();
        for name in ["a", "b", "c"] {
            assert_eq!(cache.next(&mut last, name.as_bytes()), None, "{name}");
            assert!(cache.get(&mut last, name.as_bytes()).is_some());
        }
        let mut last = LastSeries::default();
        assert!(cache.get(&mut last, b"a").is_some());
        assert_eq!(cache.next(&mut last, b"b and more"), Some((&series("b"), &b" and more"[..])));
        assert_eq!(cache.next(&mut last, b"other"), None);
        assert_eq!(cache.next(&mut last, b"c"), Some((&series("c"), &b""[..])));
    }
}
