//! A cache of checked and decompressed sections for later queries.
//!
//! Dashboards and interactive searches read the same blocks again and again, and reading, checking and decompressing
//! them is most of their cost. The cache is bounded in bytes, over all of its parts. Sections
//! are evicted at random, sparing those that were read since they were last picked: with an order of eviction, a query
//! that reads more than fits would evict each section just before reading it again.
//!
//! A segment never changes, so entries never become stale; they are dropped with their segment. Verification and
//! compaction read the file itself.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use types::Value;

use crate::text_pool::TextPool;

/// Shards with a lock each, so that threads seldom wait for each other.
const N_PARTS: usize = 8;

/// The part of the cache that one section may take, 8 MiB of 128: the values of a block of samples take up to 4.
const SHARE_MIN: usize = 16;

/// Approximate overhead of an entry in bytes.
const ENTRY_BYTES: usize = 128;

/// Recently used entries that one eviction may skip before it takes one.
const SPARED_MAX: usize = 8;

/// A section of a segment that was opened.
type Key = (u64, u32);

/// A bounded cache of sections.
#[derive(Debug)]
pub struct SectionCache {
    bytes_max: usize,
    /// Bytes held by all parts.
    n_bytes: AtomicUsize,
    /// The part that is to give something up next, counted on.
    next_part: AtomicUsize,
    parts: [Mutex<Part>; N_PARTS],
    next_segment: AtomicU64,
    n_hits: AtomicU64,
    n_misses: AtomicU64,
    texts: TextPool,
}

/// Size and hit counts of the section cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SectionCacheStatus {
    /// Bytes held.
    pub bytes: u64,
    /// Sections held.
    pub sections: u64,
    /// Sections found in the cache.
    pub hits: u64,
    /// Sections that had to be read, checked and decompressed.
    pub misses: u64,
}

#[derive(Debug, Default)]
struct Part {
    places: HashMap<Key, usize, foldhash::fast::RandomState>,
    entries: Vec<Entry>,
    /// The state of a generator of numbers that need only be different.
    chance: u64,
}

#[derive(Debug)]
struct Entry {
    key: Key,
    section: Arc<Vec<u8>>,
    was_asked: bool,
}

impl Part {
    /// Removes an entry; returns its bytes.
    fn remove(&mut self, place: usize) -> usize {
        let entry = self.entries.swap_remove(place);
        self.places.remove(&entry.key);
        if let Some(moved) = self.entries.get(place) {
            self.places.insert(moved.key, place);
        }
        bytes_of(&entry.section)
    }

    /// Picks a random entry, skipping recently used ones up to [`SPARED_MAX`].
    fn victim(&mut self) -> usize {
        let mut place = 0;
        for _ in 0..=SPARED_MAX {
            // Knuth's MMIX generator; its upper bits are the good ones.
            self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            place = (self.chance >> 33) as usize % self.entries.len().max(1);
            match self.entries.get_mut(place) {
                Some(entry) if entry.was_asked => entry.was_asked = false,
                _ => break,
            }
        }
        place
    }
}

fn bytes_of(section: &Vec<u8>) -> usize {
    section.capacity() + ENTRY_BYTES
}

impl SectionCache {
    /// Creates a cache of `capacity_bytes`.
    pub fn new(capacity_bytes: u64) -> Arc<Self> {
        let bytes_max = usize::try_from(capacity_bytes).unwrap_or(usize::MAX);
        let (n_bytes, next_part, parts, next_segment, n_hits, n_misses, texts) = Default::default();
        Arc::new(Self { bytes_max, n_bytes, next_part, parts, next_segment, n_hits, n_misses, texts })
    }

    fn part(&self, key: Key) -> MutexGuard<'_, Part> {
        let part = (key.0.wrapping_mul(31) as usize).wrapping_add(key.1 as usize) % N_PARTS;
        // Nothing is left half done where a thread may panic.
        self.parts[part].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, key: Key) -> Option<Arc<Vec<u8>>> {
        let mut part = self.part(key);
        let Some(place) = part.places.get(&key).copied() else {
            self.n_misses.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let entry = &mut part.entries[place];
        entry.was_asked = true;
        self.n_hits.fetch_add(1, Ordering::Relaxed);
        Some(entry.section.clone())
    }

    fn put(&self, key: Key, section: &Arc<Vec<u8>>) {
        let n_bytes = bytes_of(section);
        // One section must not throw out a large share of the others.
        if n_bytes > self.bytes_max / SHARE_MIN || self.part(key).places.contains_key(&key) {
            return;
        }
        // It counts before there is room for it, so that several threads do not take the same room.
        if self.n_bytes.fetch_add(n_bytes, Ordering::Relaxed) + n_bytes > self.bytes_max {
            self.make_room();
        }
        let mut part = self.part(key);
        if part.places.contains_key(&key) {
            self.n_bytes.fetch_sub(n_bytes, Ordering::Relaxed);
            return;
        }
        let place = part.entries.len();
        part.places.insert(key, place);
        part.entries.push(Entry { key, section: section.clone(), was_asked: false });
    }

    /// Evicts sections of one part after the other until what is held is within bounds, or no part has any more.
    fn make_room(&self) {
        let mut n_empty = 0;
        while n_empty < N_PARTS && self.n_bytes.load(Ordering::Relaxed) > self.bytes_max {
            let number = self.next_part.fetch_add(1, Ordering::Relaxed) % N_PARTS;
            let mut part = self.parts[number].lock().unwrap_or_else(PoisonError::into_inner);
            if part.entries.is_empty() {
                n_empty += 1;
                continue;
            }
            let victim = part.victim();
            self.n_bytes.fetch_sub(part.remove(victim), Ordering::Relaxed);
            n_empty = 0;
        }
    }

    /// Returns its size and hit counts.
    pub fn status(&self) -> SectionCacheStatus {
        let n_of = |part: &Mutex<Part>| part.lock().unwrap_or_else(PoisonError::into_inner).entries.len() as u64;
        let (bytes, sections) = (self.n_bytes.load(Ordering::Relaxed) as u64, self.parts.iter().map(n_of).sum());
        let (hits, misses) = (self.n_hits.load(Ordering::Relaxed), self.n_misses.load(Ordering::Relaxed));
        SectionCacheStatus { bytes, sections, hits, misses }
    }

    /// Returns bytes held.
    #[cfg(test)]
    fn n_bytes(&self) -> usize {
        self.status().bytes as usize
    }
}

/// The cached sections of one open segment.
#[derive(Debug)]
pub(crate) struct SegmentSections {
    cache: Arc<SectionCache>,
    segment: u64,
}

impl SegmentSections {
    /// Creates an empty set.
    pub(crate) fn new(cache: &Arc<SectionCache>) -> Self {
        Self { cache: cache.clone(), segment: cache.next_segment.fetch_add(1, Ordering::Relaxed) }
    }

    /// Returns a section, if it is kept.
    pub(crate) fn get(&self, section: u32) -> Option<Arc<Vec<u8>>> {
        self.cache.get((self.segment, section))
    }

    /// Replaces the texts of a dictionary by the same ones of other segments.
    pub(crate) fn share_texts(&self, values: &mut [Value]) {
        self.cache.texts.share(values);
    }

    /// Keeps a section as long as there is room.
    pub(crate) fn put(&self, section: u32, bytes: &Arc<Vec<u8>>) {
        self.cache.put((self.segment, section), bytes);
    }
}

impl Drop for SegmentSections {
    fn drop(&mut self) {
        for part in &self.cache.parts {
            let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
            let mut place = 0;
            while place < part.entries.len() {
                if part.entries[place].key.0 != self.segment {
                    place += 1;
                    continue;
                }
                self.cache.n_bytes.fetch_sub(part.remove(place), Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests;
