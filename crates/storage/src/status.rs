//! What the store says about itself: counters and gauges for metrics, readiness and the status page.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use types::ScanError;

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
    /// Bytes written to the WAL.
    pub wal_bytes_written: u64,
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
    /// Segments that are to be put together next.
    pub compaction_due: u64,
    /// Runs of events that went for their age or size.
    pub runs_retired: u64,
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
    /// Bytes free on the disk, `None` where it cannot be asked.
    pub disk_free_bytes: Option<u64>,
    /// Bytes that are kept free.
    pub disk_reserve_bytes: u64,
    /// Why nothing is accepted any more, where it is so.
    pub poisoned: Option<String>,
    /// Files that are damaged, with what is wrong.
    pub damaged: Vec<ScanError>,
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

/// Counters that several threads write. Nothing is decided by them.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) events_accepted: Counter,
    pub(crate) batches_accepted: Counter,
    pub(crate) batches_duplicate: Counter,
    pub(crate) bytes_accepted: Counter,
    pub(crate) batches_refused: Counter,
    pub(crate) wal_syncs: Counter,
    pub(crate) wal_bytes_written: Counter,
    pub(crate) flushes: Counter,
    pub(crate) flushes_failed: Counter,
    pub(crate) flush_ms_last: Counter,
    pub(crate) compactions: Counter,
    pub(crate) compactions_failed: Counter,
    pub(crate) compacted_events: Counter,
    pub(crate) runs_retired: Counter,
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, n: u64) {
        self.0.store(n, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
