//! A store that is ready but for its threads.

use std::sync::Arc;

use crate::Recovery;
use crate::batch_ids::ValidEntries;
use crate::lock::Lock;
use crate::segments::Segments;
use crate::writer::Writer;

/// What a thread does.
pub(in crate::store) type Work = Box<dyn FnOnce() + Send>;

/// A store that is ready but for its threads.
pub(in crate::store) struct OpenedStore {
    pub(in crate::store) segments: Arc<Segments>,
    pub(in crate::store) writer: Arc<Writer>,
    /// What its threads do, apart from upkeep: their names, and work that ends when the store does.
    pub(in crate::store) threads: Vec<(&'static str, Work)>,
    /// How far the batch-id files are valid.
    pub(in crate::store) batch_files: ValidEntries,
    pub(in crate::store) recovery: Recovery,
    pub(in crate::store) lock: Lock,
}
