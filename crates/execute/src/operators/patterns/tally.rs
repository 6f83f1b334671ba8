//! What is counted of one masked text.

use std::sync::Arc;

use crate::operators::patterns::ends::Ends;
use crate::operators::patterns::origins::FrameOrigins;

/// How much is counted: each has what the one before has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Depth {
    /// Numbers, and the newest event.
    Newest,
    /// The oldest event too.
    Ends,
    /// And where events come from, and what began anew.
    Origins,
}

/// Codes of levels, and 0 for none.
pub(crate) const LEVEL_CODES: usize = 7;

/// Of the rows of a frame: level code, place among the spans of time, number of their origin.
pub(crate) struct Rows {
    pub(crate) levels: Vec<u8>,
    pub(crate) bins: Option<Vec<u16>>,
    pub(crate) seen: Option<FrameOrigins>,
    pub(crate) depth: Depth,
}

/// What is counted of one text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) by_level: [u64; LEVEL_CODES],
    pub(crate) bins: Vec<u32>,
    pub(crate) ends: Ends,
    /// The first and the last row seen of the block that is being counted: their places in the frame and in the column
    /// of texts.
    pub(crate) edges: Option<[(usize, usize); 2]>,
    /// The text itself, where it says that something starts and that is asked for.
    pub(crate) start: Option<Arc<str>>,
}

impl Tally {
    pub(crate) fn merge(&mut self, other: &Self) {
        self.by_level.iter_mut().zip(other.by_level).for_each(|(sum, count)| *sum += count);
        if self.bins.len() < other.bins.len() {
            self.bins.resize(other.bins.len(), 0);
        }
        self.bins.iter_mut().zip(&other.bins).for_each(|(sum, count)| *sum += count);
        self.ends.merge(&other.ends);
    }

    pub(crate) fn n_bytes(&self) -> usize {
        self.ends.n_bytes()
    }
}
