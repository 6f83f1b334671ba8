//! ConnectionSlots for connections: so many at once as the files that the process may open allow, and not one more.
//!
//! Files are limited together. Connections that say nothing are cheap in memory but not in these, and a store without
//! files takes and answers nothing. So a quarter is for what is stored; HTTP and syslog have an eighth each that nobody
//! takes from them, and the half that is left is for whichever of them needs it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::warn;

/// Most connections of one kind that nobody takes from it, and most that are for both, however many files there may be.
const OWN_MAX: usize = 4_096;
const COMMON_MAX: usize = 12_288;

/// Fewest of one kind, however few.
const OWN_MIN: usize = 16;

/// How often it is said that there are too many.
const WORD_EVERY: Duration = Duration::from_secs(60);

/// The slots of one kind of connections.
#[derive(Debug)]
pub struct ConnectionSlots {
    own: Arc<Semaphore>,
    common: Arc<Semaphore>,
    /// The number of connections if no other listener needs any.
    pub n_max: usize,
    kind: &'static str,
    told: Option<Instant>,
}

impl ConnectionSlots {
    /// Returns the limits of HTTP and of syslog connections in this process.
    pub fn of_process() -> (Self, Self) {
        let n_files = getrlimit(Resource::Nofile).current.and_then(|n| usize::try_from(n).ok());
        Self::of_files(n_files.unwrap_or(usize::MAX))
    }

    /// Returns the limits for a process that may open `files_max` files.
    pub fn of_files(n_files: usize) -> (Self, Self) {
        let n_common = (n_files / 2).min(COMMON_MAX);
        let common = Arc::new(Semaphore::new(n_common));
        let n_own = (n_files / 8).clamp(OWN_MIN, OWN_MAX);
        let of_kind = |kind| Self {
            own: Arc::new(Semaphore::new(n_own)),
            common: common.clone(),
            n_max: n_own + n_common,
            kind,
            told: None,
        };
        (of_kind("HTTP"), of_kind("syslog"))
    }

    /// Returns the limiter for another listener of the same pool.
    pub fn shared(&self) -> Self {
        Self { own: self.own.clone(), common: self.common.clone(), n_max: self.n_max, kind: self.kind, told: None }
    }

    /// Returns a place that is free; it is given back when it is dropped.
    pub fn take(&self) -> Option<OwnedSemaphorePermit> {
        let own = self.own.clone().try_acquire_owned();
        own.or_else(|_| self.common.clone().try_acquire_owned()).ok()
    }

    /// Returns the next one that is given back.
    pub async fn next(&self) -> Option<OwnedSemaphorePermit> {
        tokio::select! {
            own = self.own.clone().acquire_owned() => own.ok(),
            common = self.common.clone().acquire_owned() => common.ok(),
        }
    }

    /// Says that somebody was refused for whom there was none, now and then.
    pub fn tell_refused(&mut self) {
        if self.told.is_none_or(|at| at.elapsed() > WORD_EVERY) {
            self.told = Some(Instant::now());
            warn!(kind = self.kind, at_most = self.n_max, "connections refused: as many as may be are open");
        }
    }
}

#[cfg(test)]
mod tests;
