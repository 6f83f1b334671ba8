//! Documents of the control store that every search needs: read once, and again after a change.

use std::sync::{Arc, Mutex, MutexGuard};

use door::Result;
use types::Hold;

/// The documents of a kind as one value.
#[derive(Debug)]
pub(super) struct Registry<T> {
    known: Mutex<Option<Arc<T>>>,
    /// Locked while the documents are looked at and then changed.
    changes: Mutex<()>,
}

impl<T> Default for Registry<T> {
    fn default() -> Self {
        Self { known: Mutex::new(None), changes: Mutex::new(()) }
    }
}

impl<T> Registry<T> {
    /// Returns the documents, which `read` reads unless that was done since the last change.
    pub(super) fn get(&self, read: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        let mut known = self.known.hold();
        if let Some(known) = &*known {
            return Ok(known.clone());
        }
        let read = Arc::new(read()?);
        *known = Some(read.clone());
        Ok(read)
    }

    /// Waits until no other caller changes the documents, and keeps others from it.
    pub(super) fn lock(&self) -> MutexGuard<'_, ()> {
        self.changes.hold()
    }

    /// Forgets what was read: a document has changed.
    pub(super) fn invalidate(&self) {
        *self.known.hold() = None;
    }
}
