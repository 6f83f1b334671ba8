//! The content of a file up to some place, as its shipper stated it, and what of it was refused.

use serde::{Deserialize, Serialize};

/// Longest hash in bytes.
const HASH_BYTES_MAX: usize = 64;

/// The content of a generation up to some place, as its shipper said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) from: u64,
    pub(crate) end: u64,
    pub(crate) hash: String,
}

impl Content {
    /// Returns the content of a generation with deleted events: it stays unknown, whatever the shipper reports.
    pub(crate) fn deleted() -> Self {
        Self { from: 0, end: u64::MAX, hash: String::new() }
    }
}

/// Events that were refused, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RefusedCount {
    /// How many.
    pub(crate) events: u64,
    /// Bytes of them.
    pub(crate) bytes: u64,
}

/// The same in the header of a batch or in a report, without its end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct ContentHash {
    pub(crate) from: u64,
    pub(crate) hash: String,
}

impl ContentHash {
    /// Returns the content with its end; `None` if it is impossible.
    pub(crate) fn up_to(&self, end: u64) -> Option<Content> {
        let Self { from, hash } = self;
        (*from < end && hash.len() <= HASH_BYTES_MAX).then(|| Content { from: *from, end, hash: hash.clone() })
    }
}
