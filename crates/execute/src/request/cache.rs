//! What queries found in immutable runs, kept for the next query that needs it.
//!
//! Five kinds of things: partial results of aggregations, of one run or of several together; whole answers; which rows
//! of a run fulfil conditions; event rows as they were read; and counts of parts of runs. A key is a hash of all that its
//! value depends on: the runs with the versions of their tombstones, the steps and the aggregation, the part of the range
//! that cuts a run, the time zone. So nothing here is ever wrong, only unused: there is no invalidation. Answers to PromQL ranges are
//! the exception: they have their runs in them, which their reader compares, and the next answer replaces them. What was used least recently goes once
//! the bytes are used up.
//!
//! Values are never changed once they are here. Partials are encoded, since a plan lends its parts to those in use.

use std::any::Any;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

use lru::LruCache;
use types::Hold;

use crate::request::cache_entries::{CachedAnswer, CachedMatches, CachedRows};

/// Bytes of an entry next to its value: two keys, a stamp, the tables' share.
const ENTRY_BYTES: usize = 128;

/// One partial may take this share of the cache, so that a few large ones cannot drive out all others.
const SHARE_MAX: usize = 16;

/// What may be kept.
#[derive(Clone, Debug)]
pub(crate) enum CacheEntry {
    /// An encoded partial; empty where it was too large.
    Partial(Arc<[u8]>),
    /// Rows that fulfil conditions.
    Matches(Arc<CachedMatches>),
    /// Rows that were read.
    Rows(Arc<CachedRows>),
    /// A whole answer.
    Answer(Arc<CachedAnswer>),
    /// Counts of a part of a run, and the bytes that they hold; those who count know their form.
    Counts(Arc<dyn Any + Send + Sync>, usize),
}

impl CacheEntry {
    fn n_bytes(&self) -> usize {
        let n_bytes = match self {
            Self::Partial(bytes) => bytes.len(),
            Self::Matches(matches) => matches.n_bytes(),
            Self::Rows(rows) => rows.n_bytes(),
            Self::Answer(answer) => answer.n_bytes,
            Self::Counts(_, n_bytes) => *n_bytes,
        };
        n_bytes.saturating_add(ENTRY_BYTES)
    }
}

impl From<Vec<u8>> for CacheEntry {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Partial(bytes.into())
    }
}

/// A bounded store of what queries found.
#[derive(Debug)]
pub struct PartialCache {
    bytes_max: usize,
    // No statement between two changes of the tables can panic, unless memory runs out: they always agree.
    shelf: Mutex<Shard>,
    n_hits: AtomicU64,
    n_misses: AtomicU64,
    n_evicted: AtomicU64,
}

#[derive(Debug)]
struct Shard {
    /// Values with their bytes.
    entries: LruCache<u128, (CacheEntry, usize), foldhash::fast::RandomState>,
    n_bytes: usize,
}

/// What a cache holds and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// Bytes held.
    pub n_bytes: u64,
    /// Entries held.
    pub n_entries: u64,
    /// Entries that were found.
    pub n_hits: u64,
    /// Entries that were asked for and not there.
    pub n_misses: u64,
    /// Entries that went to make room.
    pub n_evicted: u64,
}

impl PartialCache {
    /// Returns a cache of at most `bytes_max` bytes; with 0 it never holds anything.
    pub fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            shelf: Mutex::new(Shard { entries: LruCache::unbounded_with_hasher(Default::default()), n_bytes: 0 }),
            n_hits: AtomicU64::new(0),
            n_misses: AtomicU64::new(0),
            n_evicted: AtomicU64::new(0),
        }
    }

    /// Returns the most bytes that one entry may have to be kept.
    pub(crate) fn entry_bytes_max(&self) -> usize {
        self.bytes_max / SHARE_MAX
    }

    /// Returns what it holds and did.
    pub fn counts(&self) -> CacheCounts {
        let (n_bytes, n_entries) = {
            let shelf = self.shelf.hold();
            (shelf.n_bytes as u64, shelf.entries.len() as u64)
        };
        CacheCounts {
            n_bytes,
            n_entries,
            n_hits: self.n_hits.load(Relaxed),
            n_misses: self.n_misses.load(Relaxed),
            n_evicted: self.n_evicted.load(Relaxed),
        }
    }

    /// Finds an encoded partial.
    pub(crate) fn partial(&self, key: u128) -> Option<Arc<[u8]>> {
        self.find(key, |kept| if let CacheEntry::Partial(bytes) = kept { Some(bytes) } else { None })
    }

    /// Finds rows that fulfil conditions.
    pub(crate) fn matches(&self, key: u128) -> Option<Arc<CachedMatches>> {
        self.find(key, |kept| if let CacheEntry::Matches(matches) = kept { Some(matches) } else { None })
    }

    /// Finds rows that were read.
    pub(crate) fn rows(&self, key: u128) -> Option<Arc<CachedRows>> {
        self.find(key, |kept| if let CacheEntry::Rows(rows) = kept { Some(rows) } else { None })
    }

    /// Finds a whole answer.
    pub(crate) fn answer(&self, key: u128) -> Option<Arc<CachedAnswer>> {
        self.find(key, |kept| if let CacheEntry::Answer(answer) = kept { Some(answer) } else { None })
    }

    /// Finds counts of a part of a run.
    pub(crate) fn part_counts<T: Any + Send + Sync>(&self, key: u128) -> Option<Arc<T>> {
        self.find(key, |kept| if let CacheEntry::Counts(counts, _) = kept { counts.downcast().ok() } else { None })
    }

    fn find<T>(&self, key: u128, of_kind: impl FnOnce(CacheEntry) -> Option<T>) -> Option<T> {
        let found = self.shelf.hold().entries.get(&key).map(|(value, _)| value.clone());
        let found = found.and_then(of_kind);
        let counter = if found.is_some() { &self.n_hits } else { &self.n_misses };
        counter.fetch_add(1, Relaxed);
        found
    }

    /// Notes that entries are of use, though others were found that make them needless for now.
    pub(crate) fn touch(&self, keys: &[u128]) {
        let mut shelf = self.shelf.hold();
        keys.iter().for_each(|key| _ = shelf.entries.promote(key));
    }

    /// Keeps something, unless it is too large.
    pub(crate) fn put(&self, key: u128, value: impl Into<CacheEntry>) {
        let value = value.into();
        let n_bytes = value.n_bytes();
        if n_bytes > self.entry_bytes_max() {
            return;
        }
        let mut shelf = self.shelf.hold();
        shelf.n_bytes -= shelf.entries.pop(&key).map_or(0, |(_, n_bytes)| n_bytes);
        while shelf.n_bytes + n_bytes > self.bytes_max
            && let Some((_, (_, evicted))) = shelf.entries.pop_lru()
        {
            shelf.n_bytes -= evicted;
            self.n_evicted.fetch_add(1, Relaxed);
        }
        shelf.n_bytes += n_bytes;
        shelf.entries.put(key, (value, n_bytes));
    }
}

#[cfg(test)]
mod tests;
