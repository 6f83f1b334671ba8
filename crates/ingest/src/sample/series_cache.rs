//! Labels of series as senders spell them: a sender spells those of a series the same way in each request, and reading, checking
//! and sorting them costs more than the sample.
//!
//! Senders keep the order of their series too, so the series that followed one the last time is looked at first: a comparison of
//! bytes then stands for taking labels apart, hashing and a look into a table.
//!
//! A series that no request has had for a while is forgotten as soon as many others have come, so that series which come and go
//! take no memory for ever. With more series than there is room for, those that are here stay: what is forgotten to make room for
//! the next one would be needed again a moment later.

use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use types::Timestamp;

use super::SampleSeries;

/// Bytes that spellings and series take at most: a million series that each take some 800.
const BYTES_MAX: usize = 800 << 20;

/// Bytes of an entry besides texts.
const ENTRY_BYTES: usize = 150;

/// Minutes after its last use from which a series may be evicted.
const IDLE_MIN: u32 = 15;

/// Number of series from which idle ones are evicted.
const SWEPT_FROM: usize = 1 << 16;

/// Bytes of spellings that lie one behind the other.
const CHUNK_BYTES: usize = 64 << 10;

/// No entry.
const NONE: u32 = u32::MAX;

/// Series by the bytes that mean them, compared as a whole: nobody can make others' series look like their own.
#[derive(Debug, Default)]
pub struct SeriesCache {
    entries: Vec<Entry>,
    spelled: SpelledBytes,
    by_hash: HashTable<u32>,
    hasher: RandomState,
    n_bytes: usize,
    /// Number of series after the last sweep, and its minute.
    n_left: usize,
    swept: u32,
}

/// A series and how it is spelled. What is needed of it for each sample is here: most of the time that a sample takes is spent waiting
/// for memory.
#[derive(Debug)]
struct Entry {
    spelled: SpelledPlace,
    /// The entry that followed this one the last time.
    next: AtomicU32,
    /// The minute in which a request had it last.
    used: AtomicU32,
    series: SampleSeries,
}

impl Entry {
    fn note_use(&self, minute: u32) {
        // Nearly always it is noted already; a write would take the cache line from other cores.
        if self.used.load(Ordering::Relaxed) != minute {
            self.used.store(minute, Ordering::Relaxed);
        }
    }
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
pub struct LastSeries {
    place: u32,
    /// Of the request.
    minute: u32,
}

impl LastSeries {
    /// Returns that of a request that has had none; `now` is its time.
    pub fn none(now: Timestamp) -> Self {
        Self { place: NONE, minute: minute_of(now) }
    }
}

fn minute_of(now: Timestamp) -> u32 {
    now.0.div_euclid(Timestamp::MINUTE).clamp(0, i64::from(u32::MAX)) as u32
}

impl SeriesCache {
    /// Returns the series that is expected after the last one if its spelling is the beginning of some bytes, and the bytes after it.
    #[inline]
    pub fn next<'b>(&self, last: &mut LastSeries, bytes: &'b [u8]) -> Option<(&SampleSeries, &'b [u8])> {
        let place = self.entries.get(last.place as usize)?.next.load(Ordering::Relaxed);
        let entry = self.entries.get(place as usize)?;
        let rest = bytes.strip_prefix(self.spelled.get(&entry.spelled))?;
        entry.note_use(last.minute);
        last.place = place;
        Some((&entry.series, rest))
    }

    /// Returns the series that some bytes mean.
    pub fn get(&self, last: &mut LastSeries, spelled: &[u8]) -> Option<&SampleSeries> {
        let place = self.place_of(spelled)?;
        if let Some(before) = self.entries.get(last.place as usize).filter(|_| last.place != place) {
            before.next.store(place, Ordering::Relaxed);
        }
        last.place = place;
        let entry = &self.entries[place as usize];
        entry.note_use(last.minute);
        Some(&entry.series)
    }

    fn place_of(&self, spelled: &[u8]) -> Option<u32> {
        let is_same = |place: &u32| self.spelled.get(&self.entries[*place as usize].spelled) == spelled;
        self.by_hash.find(self.hasher.hash_one(spelled), is_same).copied()
    }

    /// Keeps what some bytes mean, if there is room left.
    pub fn put(&mut self, spelled: &[u8], mut series: SampleSeries, now: Timestamp) {
        let (n_bytes, minute) = (spelled.len() + series.memory_bytes + ENTRY_BYTES, minute_of(now));
        let is_full = self.n_bytes + n_bytes > BYTES_MAX;
        let is_many = self.entries.len() >= SWEPT_FROM.max(self.n_left.saturating_mul(2));
        if (is_full && self.swept != minute) || is_many {
            self.sweep(minute);
        }
        if self.n_bytes + n_bytes > BYTES_MAX || n_bytes > BYTES_MAX / 16 || self.place_of(spelled).is_some() {
            return;
        }
        // A group that is the same object is recognised at once.
        if let Some(last) = self.entries.last().filter(|last| last.series.group == series.group) {
            series.group = last.series.group.clone();
        }
        let (next, used) = (AtomicU32::new(NONE), AtomicU32::new(minute));
        series.series.note_cached(true);
        let spelled = self.spelled.put(spelled);
        self.entries.push(Entry { spelled, next, used, series });
        self.index(self.entries.len() - 1);
        self.n_bytes += n_bytes;
    }

    /// Makes an entry found by its spelling.
    fn index(&mut self, place: usize) {
        let Self { entries, spelled, by_hash, hasher, .. } = self;
        let hash_of = |place: &u32| hasher.hash_one(spelled.get(&entries[*place as usize].spelled));
        by_hash.insert_unique(hash_of(&(place as u32)), place as u32, hash_of);
    }

    /// Evicts idle series, if they are many.
    fn sweep(&mut self, minute: u32) {
        let is_idle = |entry: &Entry| minute.saturating_sub(entry.used.load(Ordering::Relaxed)) > IDLE_MIN;
        let n_idle = self.entries.iter().filter(|entry| is_idle(entry)).count();
        if n_idle > self.entries.len() / 8 {
            self.entries.iter().filter(|entry| is_idle(entry)).for_each(|entry| entry.series.series.note_cached(false));
            self.entries.retain(|entry| !is_idle(entry));
            self.rebuild();
        }
        (self.n_left, self.swept) = (self.entries.len(), minute);
    }

    /// Copies the spellings of the entries that are left, and indexes them anew.
    fn rebuild(&mut self) {
        let mut before = std::mem::take(&mut self.spelled);
        self.by_hash.clear();
        self.n_bytes = 0;
        let mut n_freed = 0;
        for place in 0..self.entries.len() {
            // What follows is found anew: its place is another one.
            self.entries[place].next = AtomicU32::new(NONE);
            let spelled = self.entries[place].spelled.clone();
            // Spellings lie in the order of the entries: those of chunks before this one are copied.
            before.chunks[n_freed..spelled.chunk as usize].fill(Vec::new());
            n_freed = spelled.chunk as usize;
            let spelled = before.get(&spelled);
            self.n_bytes += spelled.len() + self.entries[place].series.memory_bytes + ENTRY_BYTES;
            self.entries[place].spelled = self.spelled.put(spelled);
            self.index(place);
        }
    }
}

#[cfg(test)]
mod tests;
