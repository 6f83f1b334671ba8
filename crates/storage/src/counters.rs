//! What threads count. Nothing is decided by it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counters that several threads write.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) events_accepted: Counter,
    pub(crate) batches_accepted: Counter,
    pub(crate) batches_duplicate: Counter,
    pub(crate) bytes_accepted: Counter,
    pub(crate) batches_refused: Counter,
    pub(crate) wal_syncs: Counter,
    pub(crate) wal_sync: Durations,
    pub(crate) wal_bytes_written: Counter,
    pub(crate) flushes: Counter,
    pub(crate) flushes_failed: Counter,
    pub(crate) flush_ms_last: Counter,
    pub(crate) flush_bytes_written: Counter,
    pub(crate) compactions: Counter,
    pub(crate) compactions_failed: Counter,
    pub(crate) compacted_events: Counter,
    pub(crate) compaction_bytes_written: Counter,
    pub(crate) cold_bytes_written: Counter,
    pub(crate) compaction_bytes_replaced: Counter,
    pub(crate) runs_retired: Counter,
    pub(crate) scrub_segments_read: Counter,
    pub(crate) scrub_bytes_read: Counter,
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

/// Upper ends of the buckets in seconds: from an NVMe disk with its own battery to one that is about to fail.
const BOUNDS_S: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Durations as they are noted.
#[derive(Debug, Default)]
pub(crate) struct Durations {
    buckets: [Counter; BOUNDS_S.len() + 1],
    total_ns: Counter,
}

impl Durations {
    pub(crate) fn note(&self, duration: Duration) {
        let bucket = BOUNDS_S.partition_point(|bound| *bound < duration.as_secs_f64());
        self.buckets[bucket].add(1);
        self.total_ns.add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn read(&self) -> Latency {
        let mut counts = self.buckets.iter().map(Counter::get);
        let buckets: Vec<(f64, u64)> = BOUNDS_S.iter().copied().zip(&mut counts).collect();
        Latency { buckets, beyond: counts.sum(), total: Duration::from_nanos(self.total_ns.get()) }
    }
}

/// How long something took, over all times that it was done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latency {
    /// Upper end of a bucket in seconds, and how many fell into it and into none before.
    pub buckets: Vec<(f64, u64)>,
    /// How many took longer than all of them.
    pub beyond: u64,
    /// All together.
    pub total: Duration,
}

impl Latency {
    /// Returns how many there were.
    pub fn n(&self) -> u64 {
        self.buckets.iter().map(|(_, n)| n).sum::<u64>() + self.beyond
    }

    /// Returns the upper end of the bucket that holds the quantile `share`, in seconds; infinite beyond the last, `None` if
    /// there were none.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let n = self.n();
        let wanted = ((n as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        let found = self.buckets.iter().find(|(_, n)| {
            seen += n;
            seen >= wanted
        });
        (n > 0).then(|| found.map_or(f64::INFINITY, |(bound, _)| *bound))
    }
}

#[cfg(test)]
mod tests;
