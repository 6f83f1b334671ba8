//! Segments: immutable, checksummed single files that hold the events of one partition.
//!
//! ```text
//! header   64 bytes: magic "CATATSEG", u16 format version, 6 bytes 0, 16 bytes store UUID, 16 bytes segment id,
//!          i64 partition (UTC day since the epoch; i64::MIN for a segment of several days), u64 XXH3 of the 56
//!          bytes before
//! sections one behind the other, each compressed and checksummed on its own (`section`)
//! footer   one zstd frame: what runs there are, where their sections lie (`footer`)
//! trailer  32 bytes: u64 offset of the footer, u32 its stored and u32 its plain length, u64 XXH3 of its stored
//!          bytes, magic "CATATEND" (format 1) or "CATATEN2"
//! ```
//! All numbers are little-endian. A reader needs the end of the file and then only the sections that a query
//! touches, by `pread` or by requests for ranges of an object; nothing is mapped, so damage is an error and not a
//! signal. Because the end comes first and the header perhaps never, a version whose footer is read in another way
//! ends in another magic.
//!
//! A segment holds runs, one per group. A run's events stand in time order (equal times in order of acceptance)
//! in blocks of [`BLOCK_ROWS`]. Fields are columns (`column`, `strings`), which fields an event has is its shape
//! (`shape`), messages are split into templates and variables (`template`, `moment`), the variables are columns too
//! (`slots`, `texts`, `numbers`), and the words of many templates are indexed by tantivy (`words`). Block filters
//! (`filter`) say which pieces of words no variable holds. Times of events are in `times`.

pub(crate) mod bytes;
mod column;
mod field_filter;
mod filter;
mod footer;
mod moment;
mod numbers;
mod proof;
mod reader;
mod search;
mod section;
mod shape;
mod slots;
mod spelled;
mod strings;
pub(crate) mod tagged;
mod template;
#[cfg(test)]
pub(crate) mod tests;
mod texts;
mod times;
mod words;
mod writer;

use std::sync::Arc;

use types::{Batch, GroupName, TimeRange, Timestamp};

pub(crate) use reader::{RunReader, Segment, SegmentEnd};
pub(crate) use writer::{RunOutline, SegmentWriter, write};

const MAGIC: [u8; 8] = *b"CATATSEG";
/// Magics at the end of a file by format, from 1: the end alone is read to open a segment.
const END_MAGICS: [[u8; 8]; 2] = [*b"CATATEND", *b"CATATEN2"];
/// Format 2 stores the variables of messages by column, times in messages beside those of events, and quoted texts;
/// format 1 is read as ever.
pub(crate) const FORMAT_VERSION: u16 = 2;
pub(crate) const HEADER_BYTES: usize = 64;
const TRAILER_BYTES: usize = 32;

/// Rows of a block. Measured on the benchmark mix: 64 k rows are 1 % smaller, but a single event costs two to
/// three times as much to rebuild.
pub(crate) const BLOCK_ROWS: usize = 16 * 1024;

/// The partition number of a segment that holds several days.
pub(crate) const MIXED_PARTITION: i64 = i64::MIN;

/// Returns the version that an intact header tells.
pub(crate) fn version_of(header: &[u8]) -> Option<u64> {
    let header = header.first_chunk::<HEADER_BYTES>().filter(|header| header.starts_with(&MAGIC))?;
    let (content, checksum) = header.split_at(HEADER_BYTES - 8);
    let is_intact = xxhash_rust::xxh3::xxh3_64(content).to_le_bytes() == checksum;
    is_intact.then(|| u16::from_le_bytes([header[8], header[9]]).into())
}

/// Events of one group that are to go into a segment.
pub(crate) struct RunInput {
    /// The group.
    pub(crate) group: GroupName,
    /// Its number.
    pub(crate) group_id: u32,
    /// Its events, in any order.
    pub(crate) batches: Vec<Arc<Batch>>,
    /// Only events in this range are taken.
    pub(crate) range: TimeRange,
    /// What they measured as their senders sent them, in bytes.
    pub(crate) bytes_raw: u64,
}

/// Identity of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentMeta {
    /// UUID of the store that it belongs to.
    pub(crate) store: [u8; 16],
    /// Unique in the store; rises with time of writing.
    pub(crate) segment: u128,
    /// UTC day, or [`MIXED_PARTITION`].
    pub(crate) partition: i64,
}

/// What the catalog keeps of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunSummary {
    pub(crate) group: GroupName,
    pub(crate) group_id: u32,
    pub(crate) n_events: u64,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    pub(crate) first_sequence: u64,
    pub(crate) last_sequence: u64,
    pub(crate) bytes_raw: u64,
}

/// A finished segment.
pub(crate) struct Written {
    /// The whole file.
    pub(crate) bytes: Vec<u8>,
    /// Its runs, in the order of the input; inputs without an event in range have none.
    pub(crate) runs: Vec<RunSummary>,
}

/// Why a segment could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// Compression failed.
    #[error("segment cannot be compressed: {0}")]
    Compress(#[from] std::io::Error),
    /// The word index failed.
    #[error("word index cannot be built: {0}")]
    Words(#[from] tantivy::TantivyError),
    /// A segment whose events are to be written again cannot be read.
    #[error("{0}")]
    Unreadable(#[from] types::ScanError),
    /// Other events came than were announced.
    #[error("run has {found} events and not {expected}")]
    Rows {
        /// How many were announced.
        expected: u64,
        /// How many came.
        found: u64,
    },
    /// What was written is not what is read back.
    #[error("segment does not hold what was written into it: {0}")]
    Unfaithful(String),
    /// The store is being closed.
    #[error("writing was stopped")]
    Stopped,
}
