//! Places for connections: so many at once as the files that the process may open allow, and not one more.
//!
//! Files are limited together. Connections that say nothing are cheap in memory but not in these, and a store without
//! files takes and answers nothing. So HTTP has five eighths of them, syslog an eighth, and a quarter is for what is
//! stored.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::warn;

/// Most connections of one kind, however many files there may be.
const CONNECTIONS_MAX: usize = 16_384;

/// Fewest, however few.
const CONNECTIONS_MIN: usize = 64;

/// How often it is said that there are too many.
const WORD_EVERY: Duration = Duration::from_secs(60);

/// The places of one kind of connections.
#[derive(Debug)]
pub(crate) struct Places {
    free: Arc<Semaphore>,
    n_max: usize,
    kind: &'static str,
    told: Option<Instant>,
}

impl Places {
    /// Those of HTTP.
    pub(crate) fn of_http() -> Self {
        Self::new("HTTP", files_max() / 8 * 5)
    }

    /// Those of syslog.
    pub(crate) fn of_syslog() -> Self {
        Self::new("syslog", files_max() / 8)
    }

    /// So many, within bounds.
    pub(crate) fn new(kind: &'static str, n_wanted: usize) -> Self {
        let n_max = n_wanted.clamp(CONNECTIONS_MIN, CONNECTIONS_MAX);
        Self { free: Arc::new(Semaphore::new(n_max)), n_max, kind, told: None }
    }

    /// How many there are.
    pub(crate) fn n_max(&self) -> usize {
        self.n_max
    }

    /// The same places, for another listener.
    pub(crate) fn shared(&self) -> Self {
        Self { free: self.free.clone(), n_max: self.n_max, kind: self.kind, told: None }
    }

    /// A place that is free; it is given back when it is dropped. Says now and then that there is none.
    pub(crate) fn take(&mut self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = self.free.clone().try_acquire_owned() {
            return Some(place);
        }
        if self.told.is_none_or(|at| at.elapsed() > WORD_EVERY) {
            self.told = Some(Instant::now());
            warn!(kind = self.kind, at_once = self.n_max, "connections refused: as many as may be are open");
        }
        None
    }
}

/// How many files the process may open.
fn files_max() -> usize {
    getrlimit(Resource::Nofile).current.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_places_as_there_are_and_each_is_given_back() {
        let mut places = Places::new("tests", 3);
        let mut other = places.shared();
        let mut taken: Vec<_> = std::iter::from_fn(|| places.take()).collect();
        assert_eq!(taken.len(), CONNECTIONS_MIN);
        assert!(other.take().is_none());
        taken.pop();
        assert!(other.take().is_some());
        assert_eq!(Places::new("tests", usize::MAX).n_max, CONNECTIONS_MAX);
    }
}
