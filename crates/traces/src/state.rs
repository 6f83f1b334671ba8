//! What the routes of this crate share.

use std::sync::atomic::{AtomicI64, Ordering};

use types::Timestamp;

use crate::map::cache::SliceCache;

/// What the routes share.
#[derive(Debug, Default)]
pub struct TracesState {
    /// Slices of service maps that were read.
    pub(crate) slices: SliceCache,
    /// When somebody asked for a map last, in nanoseconds; 0 if nobody has.
    asked: AtomicI64,
}

impl TracesState {
    /// Notes that somebody asks for a map.
    pub(crate) fn note_asked(&self, now: Timestamp) {
        self.asked.fetch_max(now.0, Ordering::Relaxed);
    }

    /// Reports whether somebody has asked for a map since then.
    pub(crate) fn was_asked_since(&self, since: Timestamp) -> bool {
        let asked = self.asked.load(Ordering::Relaxed);
        asked > 0 && asked >= since.0
    }
}
