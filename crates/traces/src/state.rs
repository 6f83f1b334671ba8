//! What the routes of this crate share.

use std::sync::atomic::{AtomicI64, Ordering};

use types::Timestamp;

use crate::map::cache::SliceCache;

/// What the routes share.
#[derive(Debug, Default)]
pub struct TracesState {
    /// Slices of service maps that were read.
    pub(crate) slices: SliceCache,
    /// The time of the last request for a map, in nanoseconds since the epoch; 0 if there was none.
    asked: AtomicI64,
}

impl TracesState {
    /// Notes a request for a map.
    pub(crate) fn note_asked(&self, now: Timestamp) {
        self.asked.fetch_max(now.0, Ordering::Relaxed);
    }

    /// Reports whether a map was requested since a time.
    pub(crate) fn was_asked_since(&self, since: Timestamp) -> bool {
        let asked = self.asked.load(Ordering::Relaxed);
        asked > 0 && asked >= since.0
    }
}
