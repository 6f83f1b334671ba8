//! Partial results of immutable runs, kept for the next query that needs them.
//!
//! A key is a hash of all that a partial depends on: the run with the version of its tombstones, the steps and the
//! aggregation, the part of the range that cuts the run, the time zone. So nothing here is ever wrong, only unused:
//! there is no invalidation. What was used least recently goes once the bytes are used up.
//!
//! Values are encoded, which makes their size exact and keeps what is shared from being changed.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of an entry beside its value: two keys, a stamp, the tables' share.
const ENTRY_BYTES: usize = 128;

/// One partial may take this share of the cache, so that a few large ones cannot drive out all others.
const SHARE_MAX: usize = 16;

/// A bounded store of encoded partials.
#[derive(Debug)]
pub struct PartialCache {
    bytes_max: usize,
    shelf: Mutex<Shelf>,
    n_hits: AtomicU64,
    n_misses: AtomicU64,
    n_evicted: AtomicU64,
}

#[derive(Debug, Default)]
struct Shelf {
    entries: HashMap<u128, Entry>,
    /// Keys by when they were used last.
    by_use: BTreeMap<u64, u128>,
    n_uses: u64,
    n_bytes: usize,
}

#[derive(Debug)]
struct Entry {
    value: Arc<[u8]>,
    used: u64,
}

/// What a cache holds and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// Bytes held.
    pub n_bytes: u64,
    /// Partials held.
    pub n_entries: u64,
    /// Partials that were found.
    pub n_hits: u64,
    /// Partials that had to be computed.
    pub n_misses: u64,
    /// Partials that went to make room.
    pub n_evicted: u64,
}

impl PartialCache {
    /// A cache of at most `bytes_max` bytes; with 0 it never holds anything.
    pub fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            shelf: Mutex::default(),
            n_hits: AtomicU64::new(0),
            n_misses: AtomicU64::new(0),
            n_evicted: AtomicU64::new(0),
        }
    }

    /// The most bytes that one partial may have to be kept.
    pub fn entry_bytes_max(&self) -> usize {
        self.bytes_max / SHARE_MAX
    }

    /// What it holds and did.
    pub fn counts(&self) -> CacheCounts {
        let (n_bytes, n_entries) = {
            let shelf = self.shelf();
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

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        // The tables agree between any two statements that can panic: none can but for want of memory.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds a partial.
    pub fn get(&self, key: u128) -> Option<Arc<[u8]>> {
        let found = self.shelf().touch(key);
        let counter = if found.is_some() { &self.n_hits } else { &self.n_misses };
        counter.fetch_add(1, Relaxed);
        found
    }

    /// Keeps a partial, unless it is too large.
    pub fn put(&self, key: u128, value: Vec<u8>) {
        let n_bytes = value.len() + ENTRY_BYTES;
        if n_bytes > self.entry_bytes_max() {
            return;
        }
        let value: Arc<[u8]> = value.into();
        let mut shelf = self.shelf();
        shelf.remove(key);
        while shelf.n_bytes + n_bytes > self.bytes_max && shelf.remove_oldest() {
            self.n_evicted.fetch_add(1, Relaxed);
        }
        shelf.insert(key, value);
    }
}

impl Shelf {
    fn next_use(&mut self) -> u64 {
        self.n_uses += 1;
        self.n_uses
    }

    fn touch(&mut self, key: u128) -> Option<Arc<[u8]>> {
        let now = self.next_use();
        let entry = self.entries.get_mut(&key)?;
        self.by_use.remove(&entry.used);
        entry.used = now;
        self.by_use.insert(now, key);
        Some(entry.value.clone())
    }

    fn insert(&mut self, key: u128, value: Arc<[u8]>) {
        let used = self.next_use();
        self.n_bytes += value.len() + ENTRY_BYTES;
        self.by_use.insert(used, key);
        self.entries.insert(key, Entry { value, used });
    }

    fn remove(&mut self, key: u128) -> bool {
        let Some(entry) = self.entries.remove(&key) else { return false };
        self.by_use.remove(&entry.used);
        self.n_bytes -= entry.value.len() + ENTRY_BYTES;
        true
    }

    fn remove_oldest(&mut self) -> bool {
        let oldest = self.by_use.first_key_value().map(|(_, key)| *key);
        oldest.is_some_and(|key| self.remove(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_least_recently_goes_first_and_bytes_are_bounded() {
        let cache = PartialCache::new(40 * (ENTRY_BYTES + 100));
        for key in 0..30 {
            cache.put(key, vec![0; 100]);
        }
        assert!(cache.get(0).is_some());
        for key in 30..50 {
            cache.put(key, vec![0; 100]);
        }
        assert!(cache.get(0).is_some() && cache.get(1).is_none() && cache.get(49).is_some());
        let counts = cache.counts();
        assert_eq!((counts.n_entries, counts.n_evicted, counts.n_hits, counts.n_misses), (40, 10, 3, 1));
        assert_eq!(counts.n_bytes, 40 * (ENTRY_BYTES as u64 + 100));
        cache.put(49, vec![0; 50]);
        assert_eq!(cache.counts().n_bytes, counts.n_bytes - 50);
    }

    #[test]
    fn what_is_too_large_is_not_kept() {
        let cache = PartialCache::new(SHARE_MAX * 1000);
        cache.put(1, vec![0; 1001 - ENTRY_BYTES]);
        assert!(cache.get(1).is_none());
        cache.put(1, vec![0; 1000 - ENTRY_BYTES]);
        assert!(cache.get(1).is_some());
        let nothing = PartialCache::new(0);
        nothing.put(1, Vec::new());
        assert_eq!(nothing.counts().n_entries, 0);
    }
}
