//! Mutexes without poison.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes a mutex, also after a panic of a thread that held it: a panic ends one request and not the server, and nothing that panics
/// leaves what a mutex guards half changed.
pub trait Hold {
    /// What the mutex guards.
    type Value;

    /// Waits for the mutex.
    fn hold(&self) -> MutexGuard<'_, Self::Value>;

    /// Returns what the mutex guarded.
    fn into_held(self) -> Self::Value;
}

impl<T> Hold for Mutex<T> {
    type Value = T;

    fn hold(&self) -> MutexGuard<'_, T> {
        self.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn into_held(self) -> T {
        self.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
