//! Upkeep: jobs that turn hot events into segments, and segments into better ones, fewer ones or none.
//!
//! Each job owns its progress and changes events through [`Segments`] alone; those that need the writer thread, to begin a
//! flush or to change hot events, hold the writer too. Jobs wake each other by [`Signals`](crate::segments::Signals).

pub(crate) mod claim;
pub(crate) mod compaction;
pub(super) mod eraser;
pub(crate) mod flush;
pub(crate) mod mover;
pub(crate) mod retention;
pub(crate) mod scrub;
mod shares;
pub(crate) mod tiers;

use std::sync::Arc;

use self::compaction::Compactor;
use self::eraser::Eraser;
use self::flush::Flusher;
use self::mover::Mover;
use self::retention::Retention;
use self::scrub::Scrubber;
use crate::batch_ids::ValidEntries;
use crate::segments::Segments;
use crate::writer::Writer;

/// The jobs of one store.
#[derive(Clone)]
pub(crate) struct Upkeep {
    pub(crate) flusher: Arc<Flusher>,
    pub(crate) compactor: Arc<Compactor>,
    pub(crate) mover: Arc<Mover>,
    pub(crate) retention: Arc<Retention>,
    pub(crate) eraser: Arc<Eraser>,
    pub(crate) scrubber: Arc<Scrubber>,
}

impl Upkeep {
    /// Creates the jobs on `segments`; `batch_files` holds how far the batch-id files are valid.
    pub(crate) fn new(segments: &Arc<Segments>, writer: &Arc<Writer>, batch_files: ValidEntries) -> Self {
        let flusher = Arc::new(Flusher::new(segments.clone(), writer.clone(), batch_files));
        let mover = Arc::new(Mover::new(segments.clone()));
        Self {
            compactor: Arc::new(Compactor::new(segments.clone(), mover.clone())),
            retention: Arc::new(Retention::new(segments.clone(), flusher.clone())),
            eraser: Arc::new(Eraser::new(segments.clone(), writer.clone(), flusher.clone())),
            scrubber: Arc::new(Scrubber::new(segments.clone(), segments.maintenance.scrub_progress())),
            flusher,
            mover,
        }
    }
}
