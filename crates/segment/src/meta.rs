//! What a segment is known by outside of its file: identity, partition, and a summary of each run.

use types::{GroupName, TimeRange, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

use crate::format::{HEADER_BYTES, MAGIC};

/// The partition number of a segment that holds several days.
pub const MIXED_PARTITION: i64 = i64::MIN;

/// Identity of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentMeta {
    /// UUID of the store that it belongs to.
    pub store: [u8; 16],
    /// Unique in the store; rises with time of writing.
    pub segment: u128,
    /// UTC day, or [`MIXED_PARTITION`].
    pub partition: i64,
}

/// One run of a segment, as the catalog lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSummary {
    /// The group.
    pub group: GroupName,
    /// Its number in this store.
    pub group_id: u32,
    /// Number of events.
    pub n_events: u64,
    /// Time of the first event.
    pub first: Timestamp,
    /// Time of the last event.
    pub last: Timestamp,
    /// Lowest sequence of its events.
    pub first_sequence: u64,
    /// Highest sequence of its events.
    pub last_sequence: u64,
    /// Size of the events as their senders sent them.
    pub bytes_raw: u64,
}

/// Returns the UTC day of a time, counted from the epoch.
pub fn day_of(timestamp: i64) -> i64 {
    timestamp.div_euclid(Timestamp::DAY)
}

/// Returns the times that lie in a UTC day.
pub fn range_of(day: i64) -> TimeRange {
    let from = day.saturating_mul(Timestamp::DAY);
    TimeRange { from: Timestamp(from), to: Timestamp(from.saturating_add(Timestamp::DAY)) }
}

impl SegmentMeta {
    /// Returns the first bytes of the file of a segment of this format.
    pub(crate) fn header(&self, format: u16) -> Vec<u8> {
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend_from_slice(&MAGIC);
        header.extend_from_slice(&format.to_le_bytes());
        header.extend_from_slice(&[0; 6]);
        header.extend_from_slice(&self.store);
        header.extend_from_slice(&self.segment.to_le_bytes());
        header.extend_from_slice(&self.partition.to_le_bytes());
        header.extend_from_slice(&xxh3_64(&header).to_le_bytes());
        header
    }
}
