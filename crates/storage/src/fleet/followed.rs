//! How far the state of a node has come.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use types::Hold;

use crate::state::StoredSegment;

/// How far a node that follows others has come.
#[derive(Default)]
pub(crate) struct Followed {
    /// The sequence below which the state has all events.
    pub(super) end: AtomicU64,
    /// The sequence below which all events are in segments.
    pub(super) flushed: AtomicU64,
    /// The number of the latest known change of the catalog.
    pub(super) change: AtomicU64,
    /// Segments that are in no later snapshot, with the change that was known before.
    pub(super) removed: Mutex<Vec<(u64, Arc<StoredSegment>)>>,
}

impl Followed {
    /// Notes segments that are in no later snapshot.
    pub(crate) fn note_removed(&self, segments: impl IntoIterator<Item = Arc<StoredSegment>>) {
        let change = self.change.load(Ordering::Relaxed);
        let mut removed = self.removed.hold();
        removed.extend(segments.into_iter().map(|stored| (change, stored)));
    }

    /// Returns the sequence below which all events are in segments.
    pub(crate) fn flushed(&self) -> u64 {
        self.flushed.load(Ordering::Relaxed)
    }
}
