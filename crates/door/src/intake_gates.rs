//! How many bodies are on their way into the store at once: bounded by the bytes that they may become, not by their number.
//!
//! Most of the time a body only waits for the group's sync, and the more wait together, the fewer syncs there are. So small
//! ones, of hundreds of senders, go through together, while large ones, and packed ones that may unfold to large ones, take
//! as many places as their bytes. Threads are fewer: each costs a megabyte by what its allocator keeps. At doors that wait
//! without one it is needed for reading alone. Bodies that wait for places are in the budget of [`crate::body`] already.

use std::time::Duration;

use ingest::Encoding;
use tokio::sync::oneshot;

use crate::problem::{Problem, Result};
use crate::work::Gate;

/// Places for plain bodies, and for packed ones.
const PLACES: u32 = 512;

/// Bytes for which a body takes one place: of plain ones 64 MiB go through together (or two of the largest), of packed ones
/// what may unfold to eight of the largest that are allowed by default.
const PLAIN_PLACE_BYTES: usize = 128 << 10;
const PACKED_PLACE_BYTES: usize = 1 << 20;

/// Most places that one body takes: the largest go two at a time, so that small ones need not wait for each of them.
const WEIGHT_MAX: u32 = PLACES / 2;

/// Threads that read bodies and then wait for their sync.
const WAITING_THREADS_MAX: u32 = 64;

/// Threads that only read bodies, for each processor: one of two may wait for room in the store's queue.
const READERS_PER_PROCESSOR: u32 = 2;

/// Bodies that may wait for places, and for how long: one of each connection, about.
const WAITING_MAX: usize = 16 << 10;
const WAITING_TIME_MAX: Duration = Duration::from_secs(15);

/// Most bytes that a byte of gzip can stand for, and one of a Snappy block.
const GZIP_RATIO_MAX: usize = 1032;
const SNAPPY_RATIO_MAX: usize = 22;

/// Takes what became of a body, from whatever thread knows it; it does not block.
pub type Done<T> = Box<dyn FnOnce(T) + Send>;

/// How a body is packed, as far as its size tells how much it may unfold to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// It is plain or packed as a request's header says.
    Encoded(Encoding),
    /// It is a block of Snappy.
    Snappy,
}

impl From<Encoding> for Packing {
    fn from(encoding: Encoding) -> Self {
        Self::Encoded(encoding)
    }
}

/// The ways into the store.
pub struct IntakeGates {
    plain: Gate,
    packed: Gate,
    waiting_threads: Gate,
    readers: Gate,
    body_bytes_max: usize,
}

impl IntakeGates {
    /// Gates for bodies of at most `body_bytes_max` bytes, unfolded, on so many processors.
    pub fn new(body_bytes_max: usize, n_processors: usize) -> Self {
        let gate = |places| Gate::new("ingest", places, WAITING_MAX, WAITING_TIME_MAX);
        let n_readers = u32::try_from(n_processors).unwrap_or(u32::MAX).saturating_mul(READERS_PER_PROCESSOR);
        Self {
            plain: gate(PLACES),
            packed: gate(PLACES),
            waiting_threads: gate(WAITING_THREADS_MAX),
            readers: gate(n_readers.clamp(READERS_PER_PROCESSOR, WAITING_THREADS_MAX)),
            body_bytes_max,
        }
    }

    /// Waits for the places of a body of `n_bytes` and runs `work`, which stores it, on a blocking thread.
    pub async fn run<T, F>(&self, packing: impl Into<Packing>, n_bytes: usize, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let places = self.enter(packing.into(), n_bytes).await?;
        let work = move || {
            let result = work();
            drop(places);
            result
        };
        self.waiting_threads.run(work).await
    }

    /// Runs `work` that does not wait: it returns the outcome, or `None` if it calls `Done` later.
    pub async fn run_then<T, F>(&self, packing: impl Into<Packing>, n_bytes: usize, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(Done<T>) -> Option<T> + Send + 'static,
    {
        let places = self.enter(packing.into(), n_bytes).await?;
        let (answer, answered) = oneshot::channel();
        let done = Box::new(move |result| {
            drop(places);
            // A sender that no longer waits needs no answer.
            let _ = answer.send(result);
        });
        match self.readers.run(move || work(done)).await? {
            Some(result) => Ok(result),
            None => answered.await.map_err(|_| Problem::internal("a fault in the store ended this request")),
        }
    }

    async fn enter(&self, packing: Packing, n_bytes: usize) -> Result<impl Send + use<>> {
        let gate = if packing == Packing::Encoded(Encoding::Identity) { &self.plain } else { &self.packed };
        gate.enter_weighing(self.weight(packing, n_bytes)).await
    }

    /// Takes all places for plain bodies.
    pub async fn take_all(&self) -> impl Sized + use<> {
        self.plain.enter_weighing(PLACES).await.ok()
    }

    /// Takes all places, and those for waiting for good: whoever comes is told to come back.
    pub async fn fill(&self) -> impl Sized + use<> {
        (self.plain.fill().await, self.packed.fill().await)
    }

    /// Returns the number of slots that a body takes.
    fn weight(&self, packing: Packing, n_bytes: usize) -> u32 {
        let (unfolded_max, place_bytes) = match packing {
            Packing::Encoded(Encoding::Identity) => (n_bytes, PLAIN_PLACE_BYTES),
            Packing::Encoded(Encoding::Gzip | Encoding::Deflate) => {
                (n_bytes.saturating_mul(GZIP_RATIO_MAX), PACKED_PLACE_BYTES)
            }
            // A few bytes of it can stand for any number.
            Packing::Encoded(Encoding::Zstd) => (usize::MAX, PACKED_PLACE_BYTES),
            Packing::Snappy => (n_bytes.saturating_mul(SNAPPY_RATIO_MAX), PACKED_PLACE_BYTES),
        };
        let weight = u32::try_from(unfolded_max.min(self.body_bytes_max).div_ceil(place_bytes)).unwrap_or(u32::MAX);
        weight.min(WEIGHT_MAX)
    }
}

#[cfg(test)]
mod tests;
