//! What the routes of this crate share.

use crate::map::cache::SliceCache;

/// What the routes share.
#[derive(Debug, Default)]
pub struct TracesState {
    /// Slices of service maps that were read.
    pub(crate) slices: SliceCache,
}
