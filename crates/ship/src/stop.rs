//! The stop signal, which wakes every thread that waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use types::Hold;

/// Set once, seen by all.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    is_set: AtomicBool,
    mutex: Mutex<()>,
    signal: Condvar,
}

impl Stop {
    pub(crate) fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Acquire)
    }

    pub(crate) fn set(&self) {
        let guard = self.mutex.hold();
        self.is_set.store(true, Ordering::Release);
        self.signal.notify_all();
        drop(guard);
    }

    /// Waits, or less when it is set.
    pub(crate) fn wait(&self, duration: Duration) {
        self.wait_unless(duration, || false);
    }

    /// Waits, or less when it is set or [`Stop::wake`] finds that `is_over`.
    pub(crate) fn wait_unless(&self, duration: Duration, is_over: impl Fn() -> bool) {
        let guard = self.mutex.hold();
        let wait = self.signal.wait_timeout_while(guard, duration, |()| !self.is_set() && !is_over());
        drop(wait);
    }

    /// Wakes all waiting threads to check their condition.
    pub(crate) fn wake(&self) {
        let guard = self.mutex.hold();
        self.signal.notify_all();
        drop(guard);
    }
}

#[cfg(test)]
mod tests;
