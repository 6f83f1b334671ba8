//! The status of a store: counters and gauges for metrics, readiness and the status page.

use std::time::Duration;

use segment::SectionCacheStatus;
use types::ScanError;

use crate::counters::Latency;
use crate::{ClockDoubt, ScrubStatus, StoreForecast, TierStatus};

/// State of the store at one instant. Counters count from the start of the process.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// Events accepted.
    pub events_accepted: u64,
    /// Deliveries accepted.
    pub batches_accepted: u64,
    /// Deliveries that had been accepted before.
    pub batches_duplicate: u64,
    /// Bytes as they were sent, of what was accepted.
    pub bytes_accepted: u64,
    /// Deliveries refused, for whatever reason.
    pub batches_refused: u64,
    /// Syncs of the WAL; `batches_accepted / wal_syncs` is how well group commit works.
    pub wal_syncs: u64,
    /// How long writing and syncing the WAL took.
    pub wal_sync: Latency,
    /// Bytes of the WAL files on disk.
    pub wal_bytes: u64,
    /// WAL files on disk.
    pub wal_files: u64,
    /// How long the oldest event waits in the WAL to come into a segment, in nanoseconds.
    pub wal_oldest_ns: i64,
    /// Bytes written to the disk.
    pub written: BytesWritten,
    /// Events that are hot.
    pub hot_events: u64,
    /// Bytes that hot events hold in memory.
    pub hot_bytes: u64,
    /// Events in segments.
    pub stored_events: u64,
    /// Segments.
    pub segments: u64,
    /// Bytes of all segments.
    pub segment_bytes: u64,
    /// Reads of segment files in the data directory.
    pub segment_reads: u64,
    /// Bytes that they read.
    pub segment_bytes_read: u64,
    /// Segment files that are open; a bounded number, however many there are.
    pub segment_files_open: u64,
    /// Sections of segments that are kept decompressed.
    pub section_cache: SectionCacheStatus,
    /// The object store, if there is one.
    pub object_store: Option<ObjectStoreStatus>,
    /// Flushes done.
    pub flushes: u64,
    /// Flushes that failed and were or will be tried again.
    pub flushes_failed: u64,
    /// How long the last flush took, in milliseconds.
    pub flush_ms_last: u64,
    /// How often segments were put together.
    pub compactions: u64,
    /// How often that failed; nothing is lost by it.
    pub compactions_failed: u64,
    /// Events that were written again.
    pub compacted_events: u64,
    /// Segments that are still to be put together.
    pub compaction_due: u64,
    /// Their bytes.
    pub compaction_due_bytes: u64,
    /// Runs of events that went for their age or size.
    pub runs_retired: u64,
    /// Runs of those that can still be brought back.
    pub runs_undoable: u64,
    /// When the store will be full.
    pub forecast: StoreForecast,
    /// What is wrong with the clock, where nothing goes for its age because of it.
    pub clock_doubt: Option<ClockDoubt>,
    /// Bytes that the store may hold, where there is a limit.
    pub store_bytes_max: Option<u64>,
    /// Log groups.
    pub groups: u64,
    /// Batch ids remembered.
    pub batch_ids: u64,
    /// Shipped files whose positions are known.
    pub files: u64,
    /// Readers of the feed.
    pub subscriptions: u64,
    /// Bytes free on the disk, `None` if it cannot be asked.
    pub disk_free_bytes: Option<u64>,
    /// Bytes that are kept free.
    pub disk_reserve_bytes: u64,
    /// Why nothing is accepted any more, where it is so.
    pub poisoned: Option<String>,
    /// Whether little is free on the disk beyond the reserve.
    pub is_disk_short: bool,
    /// Why the control store cannot be used now; what was set holds, and nothing can be changed meanwhile.
    pub control_problem: Option<String>,
    /// Segments that are not at hand while the object store does not answer.
    pub awaited: Vec<ScanError>,
    /// Why the catalog cannot be used now; events are kept in the WAL meanwhile.
    pub catalog_problem: Option<String>,
    /// Files that are damaged, with what is wrong.
    pub damaged: Vec<ScanError>,
    /// Deletions of events whose bytes are still on the disk.
    pub deletions_pending: u64,
    /// Segments by tier and place.
    pub tiers: Vec<TierStatus>,
    /// How far the scrub is.
    pub scrub: ScrubStatus,
    /// Names of the first hundred files in `quarantine/`.
    pub quarantined: Vec<String>,
}

/// Bytes written to the disk since the start of the process, by why. What SQLite and small files take is not in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BytesWritten {
    /// To the WAL.
    pub wal: u64,
    /// Segments, by flushes.
    pub flush: u64,
    /// Segments, by putting others together.
    pub compaction: u64,
    /// Segments, by writing others again to be cold.
    pub cold: u64,
    /// Segments that compaction replaced.
    pub replaced: u64,
}

impl BytesWritten {
    /// Returns bytes written to the disk for each byte that stays in segments; `None` as long as none stays.
    pub fn amplification(&self) -> Option<f64> {
        let segments = self.flush + self.compaction + self.cold;
        let stays = segments.checked_sub(self.replaced).filter(|stays| *stays > 0)?;
        Some((self.wal + segments) as f64 / stays as f64)
    }
}

/// State of the object store, as this process has met it.
#[derive(Clone, Debug, Default)]
pub struct ObjectStoreStatus {
    /// Where it is.
    pub url: String,
    /// Why the last request failed, if it did.
    pub unreachable: Option<String>,
    /// Segments that lie in it.
    pub segments: u64,
    /// Their bytes.
    pub segment_bytes: u64,
    /// Objects that belong to no segment any more and are still to be removed.
    pub objects_to_remove: u64,
    /// Requests; one that was tried again counts once.
    pub requests: u64,
    /// Requests that failed for good.
    pub requests_failed: u64,
    /// Bytes read from it.
    pub bytes_read: u64,
    /// Bytes written to it.
    pub bytes_written: u64,
    /// Bytes of the copies kept in the data directory.
    pub cache_bytes: u64,
    /// Reads of pages that were at hand there.
    pub cache_hits: u64,
    /// Reads of pages that were not.
    pub cache_misses: u64,
}

/// What was found and done when the store was opened.
#[derive(Clone, Debug, Default)]
pub struct Recovery {
    /// The store was made.
    pub created: bool,
    /// Deliveries read back from the WAL.
    pub records_replayed: u64,
    /// Events read back from the WAL.
    pub events_replayed: u64,
    /// Bytes of the WAL files read.
    pub wal_bytes: u64,
    /// Torn tails that were cut off: file, where, and how many bytes. They had never been acknowledged.
    pub torn: Vec<TornTail>,
    /// Damaged files and parts of files; copies of what cannot be read are in `quarantine/`.
    pub damaged: Vec<ScanError>,
    /// Segments that the catalog did not know and that were taken back into it.
    pub segments_adopted: u64,
    /// Files of unfinished flushes that were removed; their events came from the WAL.
    pub unfinished_removed: u64,
    /// Segments opened.
    pub segments: u64,
    /// Why the store is locked, where its control store is lost.
    pub locked: Option<String>,
    /// How long it took.
    pub elapsed: Duration,
}

/// An unacknowledged end of a WAL file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// The file, relative to the data directory.
    pub file: String,
    /// Where it was cut.
    pub offset: u64,
    /// How many bytes were cut off.
    pub n_bytes: u64,
}
