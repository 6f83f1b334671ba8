//! The memory that queries share, and what each of them holds.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

/// Memory that all queries of a server may hold together.
#[derive(Debug)]
pub struct MemoryPool {
    pub(crate) bytes_max: usize,
    pub(crate) held: AtomicUsize,
}

impl MemoryPool {
    /// Returns a pool of so many bytes.
    pub fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { bytes_max, held: AtomicUsize::new(0) })
    }

    /// Returns bytes that queries hold now.
    pub fn held_bytes(&self) -> usize {
        self.held.load(Relaxed)
    }

    /// Takes `n_bytes` for a query that then holds `n_wanted`, unless that would leave too little.
    pub fn take(&self, n_bytes: usize, n_wanted: usize) -> bool {
        let reserved = if n_wanted <= self.bytes_max / SMALL_PART { 0 } else { self.bytes_max / RESERVED_PART };
        let more = |held: usize| {
            let held = held.checked_add(n_bytes)?;
            let is_alone = held == n_wanted;
            let limit = if is_alone { self.bytes_max } else { self.bytes_max - reserved };
            (held <= limit).then_some(held)
        };
        self.held.fetch_update(Relaxed, Relaxed, more).is_ok()
    }

    fn give_back(&self, n_bytes: usize) {
        // No one gives back what was not taken, but saturating costs nothing.
        let _ = self.held.fetch_update(Relaxed, Relaxed, |held| Some(held.saturating_sub(n_bytes)));
    }
}

/// Memory taken out of a pool; dropping it gives all of it back.
#[derive(Debug)]
pub struct MemoryReservation {
    pub(crate) pool: Option<Arc<MemoryPool>>,
    pub(crate) n_bytes: AtomicUsize,
}

impl MemoryReservation {
    /// Returns one of nothing yet, out of a pool where there is one.
    pub fn of(pool: Option<Arc<MemoryPool>>) -> Self {
        Self { pool, n_bytes: AtomicUsize::new(0) }
    }

    /// Returns how much it is.
    pub fn n_bytes(&self) -> usize {
        self.n_bytes.load(Relaxed)
    }

    /// Takes over what `other` holds of the same pool.
    pub fn take_over(&self, other: &Self) {
        self.n_bytes.fetch_add(other.n_bytes.swap(0, Relaxed), Relaxed);
    }

    /// Gives `n_bytes` of it back.
    pub fn release(&self, n_bytes: usize) {
        let less = |held: usize| Some(held.saturating_sub(n_bytes));
        let before = self.n_bytes.fetch_update(Relaxed, Relaxed, less).unwrap_or_default();
        if let Some(pool) = &self.pool {
            pool.give_back(before.min(n_bytes));
        }
    }

    /// Keeps `n_bytes` of it at most.
    pub fn shrink(&self, n_bytes: usize) {
        let before = self.n_bytes.fetch_min(n_bytes, Relaxed);
        if let Some(pool) = &self.pool {
            pool.give_back(before.saturating_sub(n_bytes));
        }
    }
}

impl Drop for MemoryReservation {
    fn drop(&mut self) {
        self.shrink(0);
    }
}

/// Memory of a query that belongs to rows under way; dropping it gives it back to the query.
#[derive(Debug)]
pub struct Lease {
    pub(crate) held: Arc<MemoryReservation>,
    pub(crate) n_bytes: usize,
}

impl Lease {
    /// Returns how much it is.
    pub fn n_bytes(&self) -> usize {
        self.n_bytes
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.held.release(self.n_bytes);
    }
}

/// The part of the pool that queries leave to small ones: beside queries that hold all they can get, a query for a few
/// rows is still answered.
pub const RESERVED_PART: usize = 8;

/// The part of the pool up to which a query is a small one.
pub const SMALL_PART: usize = 64;
