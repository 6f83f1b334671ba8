//! A part of a run that is looked at in one go.

use types::{TimeRange, Timestamp};

/// One block of a run, or the part of it that lies in `range`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    pub(crate) source: usize,
    pub(crate) block: usize,
    pub(crate) range: TimeRange,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}
