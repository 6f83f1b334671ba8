//! Caches what queries read from open segments: sections of blocks, checked and decompressed, and the decoded parts of whole
//! runs (templates, dictionaries, filters).
//!
//! Dashboards and interactive searches read the same blocks again and again, and reading, checking and decompressing
//! them is most of their cost. The cache is bounded in bytes, over all of its parts and with the texts that dictionaries share:
//! whatever else an open segment holds is its footer. Entries
//! are evicted at random, sparing those that were read since they were last picked: with an order of eviction, a query
//! that reads more than fits would evict each section just before reading it again.
//!
//! A segment never changes, so entries never become stale; they are dropped with their segment. Verification and
//! compaction read the file itself.

use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use types::{Hold, Value};

use crate::held::Holdings;
use crate::text_pool::TextPool;

/// Shards with a lock each, so that threads seldom wait for each other.
const N_PARTS: usize = 8;

/// The part of the cache that one section may take, 8 MiB of 128: the values of a block of samples take up to 4.
const SHARE_OF_SECTION: usize = 16;

/// The part that may be taken by what belongs to a run as a whole: without it, each query would take it apart again.
const SHARE_OF_RUN: usize = 4;

/// The part that texts of dictionaries may take which several segments have.
const SHARE_OF_TEXTS: usize = 2;

/// Approximate overhead of an entry in bytes.
const ENTRY_BYTES: usize = 128;

/// Recently used entries that one eviction may skip before it takes one.
const SPARED_MAX: usize = 8;

/// A section of a segment that was opened.
type Key = (u64, u32);

/// Something that is kept.
pub(crate) type Kept = Arc<dyn Any + Send + Sync>;

/// A bounded cache of what queries read of segments.
#[derive(Debug)]
pub struct SectionCache {
    bytes_max: usize,
    /// Bytes held by all parts.
    n_bytes: AtomicUsize,
    /// Bytes of footers.
    n_footer_bytes: AtomicUsize,
    /// Bytes that were evicted since unused texts were removed.
    n_evicted: AtomicUsize,
    /// The part that is to give something up next, counted on.
    next_part: AtomicUsize,
    parts: [Mutex<Part>; N_PARTS],
    next_segment: AtomicU64,
    n_hits: AtomicU64,
    n_misses: AtomicU64,
    texts: TextPool,
    /// What queries hold of runs now.
    held: Holdings,
}

/// Size and hit counts of the section cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SectionCacheStatus {
    /// Bytes held.
    pub bytes: u64,
    /// Bytes that the footers of open segments take besides; they stay.
    pub footer_bytes: u64,
    /// Sections held.
    pub sections: u64,
    /// Sections found in the cache.
    pub hits: u64,
    /// Sections that had to be read, checked, and decompressed or taken apart.
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
    kept: Kept,
    n_bytes: usize,
    was_asked: bool,
}

impl Part {
    /// Reports whether an entry of this size is there.
    fn is_known(&self, key: Key, n_bytes: usize) -> bool {
        self.places.get(&key).is_some_and(|place| self.entries[*place].n_bytes == n_bytes)
    }

    /// Removes an entry.
    fn remove(&mut self, place: usize) -> Entry {
        let entry = self.entries.swap_remove(place);
        self.places.remove(&entry.key);
        if let Some(moved) = self.entries.get(place) {
            self.places.insert(moved.key, place);
        }
        entry
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

impl SectionCache {
    /// Creates a cache of `capacity_bytes`.
    pub fn new(capacity_bytes: u64) -> Arc<Self> {
        let bytes_max = usize::try_from(capacity_bytes).unwrap_or(usize::MAX);
        let (n_bytes, n_evicted, next_part, parts, next_segment, n_hits, n_misses) = Default::default();
        let (n_footer_bytes, texts, held) = Default::default();
        Arc::new(Self {
            bytes_max,
            n_bytes,
            n_footer_bytes,
            n_evicted,
            next_part,
            parts,
            next_segment,
            n_hits,
            n_misses,
            texts,
            held,
        })
    }

    fn part(&self, key: Key) -> MutexGuard<'_, Part> {
        let part = (key.0.wrapping_mul(31) as usize).wrapping_add(key.1 as usize) % N_PARTS;
        // Nothing is left half done where a thread may panic.
        self.parts[part].hold()
    }

    fn get<T: Any + Send + Sync>(&self, key: Key) -> Option<Arc<T>> {
        let mut part = self.part(key);
        let Some(place) = part.places.get(&key).copied() else {
            self.n_misses.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let entry = &mut part.entries[place];
        entry.was_asked = true;
        self.n_hits.fetch_add(1, Ordering::Relaxed);
        entry.kept.clone().downcast().ok()
    }

    /// Keeps something of `n_bytes` that takes at most one part in `share`. What is there already is replaced where it has
    /// become another size.
    fn put(&self, key: Key, kept: Kept, n_bytes: usize, share: usize) {
        let n_bytes = n_bytes + ENTRY_BYTES;
        // One entry must not throw out a large share of the others.
        if n_bytes > self.bytes_max / share || self.part(key).is_known(key, n_bytes) {
            return;
        }
        // It counts before there is room for it, so that several threads do not take the same room.
        if self.n_bytes.fetch_add(n_bytes, Ordering::Relaxed) + n_bytes > self.bytes_max {
            self.make_room();
        }
        let mut part = self.part(key);
        let known = part.places.get(&key).copied();
        let known = known.map(|place| part.remove(place));
        let place = part.entries.len();
        part.places.insert(key, place);
        part.entries.push(Entry { key, kept, n_bytes, was_asked: known.is_some() });
        drop(part);
        self.n_bytes.fetch_sub(known.map_or(0, |known| known.n_bytes), Ordering::Relaxed);
    }

    /// Evicts entries of one part after the other until what is held is within bounds, or no part has any more.
    fn make_room(&self) {
        let mut n_empty = 0;
        while n_empty < N_PARTS && self.n_bytes.load(Ordering::Relaxed) > self.bytes_max {
            let number = self.next_part.fetch_add(1, Ordering::Relaxed) % N_PARTS;
            let mut part = self.parts[number].hold();
            if part.entries.is_empty() {
                n_empty += 1;
                continue;
            }
            let victim = part.victim();
            let evicted = part.remove(victim);
            // Whoever waits for the part need not wait until all of it is freed.
            drop(part);
            self.release(evicted);
            n_empty = 0;
        }
    }

    /// Lets go of an entry, and of texts that none of those left has, once there may be many.
    fn release(&self, evicted: Entry) {
        let n_bytes = evicted.n_bytes;
        drop(evicted);
        self.n_bytes.fetch_sub(n_bytes, Ordering::Relaxed);
        // Looking at all texts costs no more than evicting as many bytes did.
        let n_enough = self.texts.n_bytes().max(self.bytes_max / SHARE_OF_SECTION);
        if self.n_evicted.fetch_add(n_bytes, Ordering::Relaxed) > n_enough {
            self.n_evicted.store(0, Ordering::Relaxed);
            self.n_bytes.fetch_sub(self.texts.sweep(), Ordering::Relaxed);
        }
    }

    /// Returns its size and hit counts.
    pub fn status(&self) -> SectionCacheStatus {
        let n_of = |part: &Mutex<Part>| part.hold().entries.len() as u64;
        let (bytes, sections) = (self.n_bytes.load(Ordering::Relaxed) as u64, self.parts.iter().map(n_of).sum());
        let (hits, misses) = (self.n_hits.load(Ordering::Relaxed), self.n_misses.load(Ordering::Relaxed));
        let footer_bytes = self.n_footer_bytes.load(Ordering::Relaxed) as u64;
        SectionCacheStatus { bytes, footer_bytes, sections, hits, misses }
    }
}

/// What is kept of one open segment.
#[derive(Debug)]
pub(crate) struct SegmentSections {
    cache: Arc<SectionCache>,
    segment: u64,
    n_footer_bytes: usize,
}

impl SegmentSections {
    /// Creates an empty set, of a segment whose footer takes so many bytes.
    pub(crate) fn new(cache: &Arc<SectionCache>, n_footer_bytes: usize) -> Self {
        cache.n_footer_bytes.fetch_add(n_footer_bytes, Ordering::Relaxed);
        let segment = cache.next_segment.fetch_add(1, Ordering::Relaxed);
        Self { cache: cache.clone(), segment, n_footer_bytes }
    }

    /// Returns what is kept under a number.
    pub(crate) fn get<T: Any + Send + Sync>(&self, section: u32) -> Option<Arc<T>> {
        self.cache.get((self.segment, section))
    }

    /// Keeps a section as long as there is room.
    pub(crate) fn put(&self, section: u32, bytes: &Arc<Vec<u8>>) {
        self.cache.put((self.segment, section), bytes.clone(), bytes.capacity(), SHARE_OF_SECTION);
    }

    /// Keeps what belongs to a run as a whole; again, where it has become another size.
    pub(crate) fn put_whole(&self, section: u32, kept: Kept, n_bytes: usize) {
        self.cache.put((self.segment, section), kept, n_bytes, SHARE_OF_RUN);
    }

    /// Replaces the texts of a dictionary by the same ones of other segments; returns how many bytes texts of its own take.
    pub(crate) fn share_texts(&self, values: &mut [Value]) -> usize {
        let (n_own, n_added) = self.cache.texts.share(values, self.cache.bytes_max / SHARE_OF_TEXTS);
        self.cache.n_bytes.fetch_add(n_added, Ordering::Relaxed);
        n_own
    }

    /// Returns what queries hold of runs.
    pub(crate) fn held(&self) -> &Holdings {
        &self.cache.held
    }
}

impl Drop for SegmentSections {
    fn drop(&mut self) {
        self.cache.n_footer_bytes.fetch_sub(self.n_footer_bytes, Ordering::Relaxed);
        for part in &self.cache.parts {
            let mut part = part.hold();
            let mut place = 0;
            while place < part.entries.len() {
                if part.entries[place].key.0 != self.segment {
                    place += 1;
                    continue;
                }
                self.cache.release(part.remove(place));
            }
        }
    }
}

#[cfg(test)]
mod tests;
