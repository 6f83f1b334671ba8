//! Until when a caller may act. A revoked key ends the answers and uploads that are under way, also those that wait for
//! their next piece.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use storage::Clock;
use tokio::sync::Notify;
use tokio::time::timeout;
use types::Timestamp;

/// Longest wait for a known end. Meanwhile the clock may be set forward, so that the end comes sooner.
const RECHECK_AFTER: Duration = Duration::from_secs(60);

/// The time until which a caller may act. All copies end together.
#[derive(Clone, Debug)]
pub struct Validity(Arc<End>);

#[derive(Debug)]
struct End {
    at_ns: AtomicI64,
    /// Notified each time the end is set.
    is_set: Notify,
}

impl Default for Validity {
    /// Returns a validity without an end.
    fn default() -> Self {
        Self(Arc::new(End { at_ns: AtomicI64::new(i64::MAX), is_set: Notify::new() }))
    }
}

impl PartialEq for Validity {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Validity {}

impl Validity {
    /// Sets the end.
    pub fn end_at(&self, time: Timestamp) {
        self.0.at_ns.store(time.0, Ordering::Release);
        self.0.is_set.notify_waiters();
    }

    /// Ends the validity now, whatever the clock says.
    pub fn end(&self) {
        self.end_at(Timestamp(i64::MIN));
    }

    /// Returns the end if there is one.
    pub fn ends(&self) -> Option<Timestamp> {
        Some(self.0.at_ns.load(Ordering::Acquire)).filter(|ends_ns| *ends_ns != i64::MAX).map(Timestamp)
    }

    /// Reports whether the caller may act at `now`.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        now.0 < self.0.at_ns.load(Ordering::Acquire)
    }

    /// Waits for the end.
    pub async fn expired(self, clock: Clock) {
        loop {
            let mut is_set = pin!(self.0.is_set.notified());
            // Registered before the check, so that an end set between the check and the wait is not missed.
            is_set.as_mut().enable();
            let now = clock.now();
            if !self.is_valid_at(now) {
                return;
            }
            match self.ends() {
                None => is_set.await,
                Some(ends) => {
                    let left = Duration::from_nanos(ends.0.saturating_sub(now.0).unsigned_abs());
                    // Whether the end was set or the time passed: check again.
                    let _ = timeout(left.min(RECHECK_AFTER), is_set).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
