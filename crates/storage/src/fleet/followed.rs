//! How far the state of a node has come.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::state::StoredSegment;

/// How far a node that follows others has come.
#[derive(Default)]
pub(crate) struct Followed {
    /// The sequence below which the state has all events.
    pub(super) end: AtomicU64,
    /// The sequence below which all events are in segments.
    pub(super) flushed: AtomicU64,
    /// Segments that are in no later snapshot, with the change that was known before.
    pub(super) removed: Mutex<Vec<(u64, Arc<StoredSegment>)>>,
}

impl Followed {
    /// Returns the sequence below which all events are in segments.
    pub(crate) fn flushed(&self) -> u64 {
        self.flushed.load(Ordering::Relaxed)
    }
}
