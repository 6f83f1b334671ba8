//! What one query may use: memory, out of what all queries may use together, and time. It says when to stop.
//!
//! Memory is counted as it grows, and belongs to the query until it ends or gives it back. Work that goes over many
//! rows asks [`Budget::check`] every few thousand of them, so that a query ends soon wherever it is. What ended between
//! two blocks has a moment left to make an answer of what was found: [`GRACE`].

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::columns::memory::{Lease, MemoryPool, MemoryReservation};
use crate::columns::stop::{Result, Stop};

/// How long a query that has to end may continue making an answer of what it has found.
const GRACE: Duration = Duration::from_millis(50);

/// Rows between two looks at whether the query is over.
const ROWS_BETWEEN_LOOKS: usize = 1024;

/// What one query may use, and what it uses.
#[derive(Debug)]
pub struct Budget<'a> {
    memory_bytes_max: usize,
    held: Arc<MemoryReservation>,
    /// Set once the pool had no more.
    is_pool_empty: AtomicBool,
    deadline: Option<Instant>,
    paused_ns: AtomicU64,
    cancelled: Option<&'a AtomicBool>,
    is_over: AtomicBool,
    /// Why the query ended before its time, and when.
    ended: OnceLock<EndReason>,
    /// Set where what was half done cannot be shown.
    is_cut: AtomicBool,
}

/// Why and when a query ended before its time.
#[derive(Clone, Copy, Debug)]
pub struct EndReason {
    /// As answers name it.
    pub code: &'static str,
    /// One sentence.
    pub message: &'static str,
    /// From when on there is no more time; none where there never was any.
    last: Option<Instant>,
}

/// The limit at which memory was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryLimit {
    /// What one query may hold.
    OfQuery {
        /// Bytes.
        bytes_max: usize,
        /// The setting that says so.
        setting: &'static str,
    },
    /// What all queries together may hold.
    OfAll {
        /// Bytes.
        bytes_max: usize,
    },
}

impl<'a> Budget<'a> {
    /// So much memory, out of that of `pool`, until the deadline or until `cancelled` is set.
    pub fn new(
        memory_bytes_max: usize,
        pool: Option<Arc<MemoryPool>>,
        deadline: Option<Instant>,
        cancelled: &'a AtomicBool,
    ) -> Self {
        let held = Arc::new(MemoryReservation::of(pool));
        Self { held, deadline, cancelled: Some(cancelled), ..Self::of_memory(memory_bytes_max) }
    }

    /// So much memory, and all the time.
    pub fn of_memory(memory_bytes_max: usize) -> Self {
        Self {
            memory_bytes_max,
            held: Arc::new(MemoryReservation::of(None)),
            is_pool_empty: AtomicBool::new(false),
            deadline: None,
            paused_ns: AtomicU64::new(0),
            cancelled: None,
            is_over: AtomicBool::new(false),
            ended: OnceLock::new(),
            is_cut: AtomicBool::new(false),
        }
    }

    /// Returns the bytes that the query may hold, unless others hold them.
    pub fn memory_bytes(&self) -> usize {
        self.held.pool.as_ref().map_or(self.memory_bytes_max, |pool| self.memory_bytes_max.min(pool.bytes_max))
    }

    /// Changes a lease to `n_bytes`.
    ///
    /// # Errors
    /// The query may not hold that much.
    pub fn resize(&self, lease: &mut Lease, n_bytes: usize) -> Result<()> {
        match n_bytes.checked_sub(lease.n_bytes) {
            Some(more) => self.hold(more)?,
            None => lease.held.release(lease.n_bytes - n_bytes),
        }
        lease.n_bytes = n_bytes;
        Ok(())
    }

    /// Takes `n_bytes` of the query's memory.
    ///
    /// # Errors
    /// The query may not hold that much, or all queries together hold too much. Then nothing was taken.
    pub fn hold(&self, n_bytes: usize) -> Result<()> {
        let wanted = self.held().saturating_add(n_bytes);
        types::ensure!(wanted <= self.memory_bytes_max, Stop::Memory);
        if let Some(pool) = &self.held.pool
            && !pool.take(n_bytes, wanted)
        {
            // A query that needs more than all of it is not helped by waiting for the others.
            self.is_pool_empty.store(wanted <= pool.bytes_max, Relaxed);
            return Err(Stop::Memory);
        }
        self.held.n_bytes.fetch_add(n_bytes, Relaxed);
        Ok(())
    }

    /// Gives bytes of the query's memory back.
    pub fn release(&self, n_bytes: usize) {
        self.held.release(n_bytes);
    }

    /// Takes `n_bytes` for as long as `work` lasts.
    pub fn holding<T>(&self, n_bytes: usize, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let lease = self.lease(n_bytes)?;
        let done = work();
        drop(lease);
        done
    }

    /// Takes `n_bytes` until the lease is dropped.
    ///
    /// # Errors
    /// As for [`hold`](Self::hold).
    pub fn lease(&self, n_bytes: usize) -> Result<Lease> {
        self.hold(n_bytes)?;
        Ok(Lease { held: self.held.clone(), n_bytes })
    }

    /// Reports whether a column of so many bytes may be made at all.
    pub fn permits(&self, n_bytes: usize) -> Result<()> {
        if n_bytes > self.memory_bytes_max { Err(Stop::Memory) } else { Ok(()) }
    }

    /// Returns bytes of the query's memory that are taken.
    pub fn held(&self) -> usize {
        self.held.n_bytes.load(Relaxed)
    }

    /// Returns what is held, for as long as the rows of the answer are: `n_bytes` at most.
    pub fn keep(&self, n_bytes: usize) -> Arc<MemoryReservation> {
        self.held.shrink(n_bytes);
        self.held.clone()
    }

    /// Returns the limit that was reached where memory was refused: that of all queries, or of this one.
    pub fn limit_reached(&self) -> MemoryLimit {
        match &self.held.pool {
            Some(pool) if self.is_pool_empty.load(Relaxed) => MemoryLimit::OfAll { bytes_max: pool.bytes_max },
            Some(pool) if pool.bytes_max < self.memory_bytes_max => {
                MemoryLimit::OfQuery { bytes_max: pool.bytes_max, setting: "query.memory_total" }
            }
            _ => MemoryLimit::OfQuery { bytes_max: self.memory_bytes_max, setting: "limits.query_memory" },
        }
    }

    /// Waits for someone else; that time is not the query's.
    pub fn pause<T>(&self, wait: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let done = wait();
        let nanos = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        // Sums of waiting times stay below centuries.
        self.paused_ns.fetch_add(nanos, Relaxed);
        done
    }

    /// Ends the query; its answer is not whole.
    pub fn end(&self, code: &'static str, message: &'static str) {
        if !self.is_over.swap(true, Relaxed) {
            let ended = EndReason { code, message, last: Instant::now().checked_add(GRACE) };
            self.ended.get_or_init(|| ended);
        }
    }

    /// Ends the query without an answer.
    pub fn abort(&self) {
        self.is_over.store(true, Relaxed);
    }

    /// Why the query ended before its time, if so.
    pub fn ended(&self) -> Option<EndReason> {
        self.ended.get().copied()
    }

    /// Reports whether the query has to end now.
    pub fn is_over(&self) -> bool {
        if self.is_over.load(Relaxed) {
            return true;
        }
        if self.cancelled.is_some_and(|cancelled| cancelled.load(Relaxed)) {
            self.end("cancelled", "the query was cancelled");
        } else if self.is_out_of_time() {
            self.end("timeout", "the query ran out of time; ask for a shorter range or fewer groups");
        } else {
            return false;
        }
        true
    }

    fn is_out_of_time(&self) -> bool {
        let paused = Duration::from_nanos(self.paused_ns.load(Relaxed));
        let deadline = self.deadline.and_then(|deadline| deadline.checked_add(paused));
        deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Stops whoever asks once the query is over and its grace has passed.
    pub fn check(&self) -> Result<()> {
        if !self.is_over() {
            return Ok(());
        }
        match self.ended.get().and_then(|ended| ended.last) {
            Some(last) if Instant::now() < last => Ok(()),
            _ => Err(Stop::Over),
        }
    }

    /// Does the same for work that leaves nothing to be shown where it is stopped.
    pub fn check_or_cut(&self) -> Result<()> {
        self.check().inspect_err(|_| self.is_cut.store(true, Relaxed))
    }

    /// Reports whether there is nothing that could be shown.
    pub fn is_cut(&self) -> bool {
        self.is_cut.load(Relaxed)
    }

    /// Says that nothing can be shown.
    pub fn cut(&self) {
        self.is_cut.store(true, Relaxed);
    }

    /// Returns the numbers of rows, ending early where the query does: [`check`](Self::check) says so after it.
    pub fn rows(&self, n_rows: usize) -> impl Iterator<Item = usize> {
        (0..n_rows).take_while(|row| row % ROWS_BETWEEN_LOOKS != 0 || self.check().is_ok())
    }

    /// Sorts as `sort_by` does, in parts between which it may be stopped.
    pub fn sort_by<T: Copy>(
        &self,
        items: &mut Vec<T>,
        mut compare: impl FnMut(&T, &T) -> std::cmp::Ordering,
    ) -> Result<()> {
        let mut length = 8 * ROWS_BETWEEN_LOOKS;
        for part in items.chunks_mut(length) {
            self.check()?;
            part.sort_by(&mut compare);
        }
        let mut merged = Vec::with_capacity(if length < items.len() { items.len() } else { 0 });
        while length < items.len() {
            merged.clear();
            for pair in items.chunks(2 * length) {
                let (mut a, mut b) = pair.split_at(length.min(pair.len()));
                while let ([first, a_rest @ ..], [other, b_rest @ ..]) = (a, b) {
                    if merged.len() % ROWS_BETWEEN_LOOKS == 0 {
                        self.check()?;
                    }
                    // Equal ones stay in their order.
                    if compare(other, first).is_lt() {
                        merged.push(*other);
                        b = b_rest;
                    } else {
                        merged.push(*first);
                        a = a_rest;
                    }
                }
                merged.extend_from_slice(a);
                merged.extend_from_slice(b);
            }
            std::mem::swap(items, &mut merged);
            length *= 2;
        }
        Ok(())
    }
}
