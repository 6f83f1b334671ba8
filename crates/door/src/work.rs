//! Where blocking work runs: storage, ingest and query are synchronous and must not hold up a connection's thread.
//!
//! A [`Gate`] lets a bounded number through at once and a bounded number wait for a bounded time; everybody else
//! is told to come back. Work that weighs more than other work takes several places. It keeps no order beyond first
//! come, first served, so that the heavy is not overtaken for ever, and knows nothing of what it runs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;
use types::{Hold, ensure};

use crate::problem::{Problem, Result};

/// A door to the blocking threads.
pub struct Gate {
    permits: Arc<Semaphore>,
    places: u32,
    n_waiting: AtomicUsize,
    waiting_max: usize,
    patience: Duration,
    name: &'static str,
}

/// Where work on another thread leaves its result. A channel would be compiled anew for each type of result.
pub(crate) struct WorkResult<T>(Arc<Mutex<Option<T>>>);

impl<T> WorkResult<T> {
    pub(crate) fn put(&self, result: T) {
        *self.0.hold() = Some(result);
    }

    /// Returns the result, unless the work has ended without one.
    pub(crate) fn take(&self) -> Option<T> {
        self.0.hold().take()
    }
}

impl<T> Default for WorkResult<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for WorkResult<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Counts one waiting caller down again, also when its connection goes away.
struct WaitingCaller<'a>(&'a AtomicUsize);

impl Drop for WaitingCaller<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gate {
    /// Lets work of `places` through at once; `waiting_max` more wait up to `patience`.
    pub fn new(name: &'static str, places: u32, waiting_max: usize, patience: Duration) -> Self {
        let permits = Arc::new(Semaphore::new(places as usize));
        Self { permits, places, n_waiting: AtomicUsize::new(0), waiting_max, patience, name }
    }

    /// Returns the number of waiting requests.
    pub fn n_waiting(&self) -> usize {
        self.n_waiting.load(Ordering::Relaxed)
    }

    /// Reports whether nobody is inside or waits.
    pub fn is_idle(&self) -> bool {
        self.permits.available_permits() == self.places as usize && self.n_waiting.load(Ordering::Relaxed) == 0
    }

    /// Returns the number of free slots.
    pub fn n_free(&self) -> usize {
        self.permits.available_permits()
    }

    /// Takes all places, and those for waiting for good.
    pub async fn fill(&self) -> Option<OwnedSemaphorePermit> {
        self.n_waiting.fetch_add(self.waiting_max, Ordering::Relaxed);
        self.permits.clone().acquire_many_owned(self.places).await.ok()
    }

    /// Returns a place if one is free. It is given back when the permit is dropped.
    pub fn try_enter(&self) -> Result<OwnedSemaphorePermit> {
        self.permits.clone().try_acquire_owned().map_err(|_| self.full())
    }

    /// Waits for a place. It is given back when the permit is dropped.
    pub async fn enter(&self) -> Result<OwnedSemaphorePermit> {
        self.enter_weighing(1).await
    }

    /// Runs work that takes `weight` slots, at most all of the gate.
    pub async fn enter_weighing(&self, weight: u32) -> Result<OwnedSemaphorePermit> {
        let weight = weight.clamp(1, self.places);
        if let Ok(permit) = self.permits.clone().try_acquire_many_owned(weight) {
            return Ok(permit);
        }
        let waiting = WaitingCaller(&self.n_waiting);
        ensure!(self.n_waiting.fetch_add(1, Ordering::Relaxed) < self.waiting_max, self.full());
        let entered = timeout(self.patience, self.permits.clone().acquire_many_owned(weight)).await;
        drop(waiting);
        match entered {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(self.full()),
        }
    }

    /// Waits for a place and runs `work` on a blocking thread, which keeps the place until it is done even when
    /// nobody waits for it any more.
    pub async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let result = WorkResult::default();
        let of_thread = result.clone();
        self.run_to_end(Box::new(move || of_thread.put(work()))).await?;
        result.take().ok_or_else(|| Problem::internal(format!("a fault in {} ended this request", self.name)))
    }

    /// Does the same with work that keeps its result itself: this is compiled once, and `run` for each type of work.
    async fn run_to_end(&self, work: Box<dyn FnOnce() + Send>) -> Result<()> {
        let permit = self.enter().await?;
        let (at_end, ended) = oneshot::channel::<()>();
        on_blocking_thread(Box::new(move || {
            // Dropped in the end, also where the work panics: first the place, then the sign that it is free.
            let _at_end = at_end;
            let _permit = permit;
            work();
        }));
        // Nothing is ever sent.
        let _ = ended.await;
        Ok(())
    }

    fn full(&self) -> Problem {
        Problem::busy(format!("too many requests at once for {}", self.name))
    }
}

/// Runs work on a blocking thread. The work is boxed because tokio compiles a task anew for each type of closure. The work
/// sends its result itself; if it panics, its sender is dropped, and the receiver sees that.
pub(crate) fn on_blocking_thread(work: Box<dyn FnOnce() + Send>) {
    drop(tokio::task::spawn_blocking(work));
}

/// Runs work on the thread of the calling task, whose other tasks move to another thread; only where the runtime has several. If it
/// panics, its sender is dropped as well.
pub(crate) fn in_place(work: Box<dyn FnOnce() + Send>) {
    // The panic was reported by the hook, and what the work holds is not used again.
    let _ = tokio::task::block_in_place(|| catch_unwind(AssertUnwindSafe(work)));
}

#[cfg(test)]
mod tests;
