//! What the routes of this crate share.

use std::sync::Arc;

use door::Server;
use types::Run;

use crate::map::cache::{self, SliceCache, SliceKey};
use crate::map::file::SliceFile;
use crate::map::slices::Slice;

/// The routes of this crate, and a request for one of them.
pub(crate) type Routes = door::table::Routes<TracesState>;
pub(crate) type Call = door::call::Call<TracesState>;

/// What the routes share.
#[derive(Debug)]
pub struct TracesState {
    /// Slices of service maps that were read.
    slices: SliceCache,
    /// Those of events in segments, for after a restart.
    pub(crate) file: SliceFile,
}

impl TracesState {
    /// Makes the state of a server. Reads nothing yet.
    pub fn new(server: &Server) -> Self {
        let (app, store) = (&server.app, server.whole_store().uuid());
        Self { slices: SliceCache::default(), file: SliceFile::new(app.map_file.clone(), store, &app.version) }
    }

    /// Returns a slice that was read before.
    pub(crate) fn slice(&self, key: &SliceKey) -> Option<Arc<Slice>> {
        if let Some(slice) = self.slices.get(key) {
            self.file.note_use(key);
            return Some(slice);
        }
        let slice = Arc::new(self.file.get(key)?);
        self.slices.put(*key, slice.clone());
        Some(slice)
    }

    /// Keeps a slice that was read from some runs.
    pub(crate) fn keep(&self, key: SliceKey, runs: &[Arc<dyn Run>], slice: &Arc<Slice>) {
        if let Some(segments) = cache::segments(key.range(), runs) {
            self.file.put(key, segments, slice);
        }
        self.slices.put(key, slice.clone());
    }
}
