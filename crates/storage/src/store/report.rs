//! Gathers the status from where its parts are known.

use std::path::Path;

use super::Store;
use crate::retention::disk_margin;
use crate::status::{BytesWritten, Status};
use crate::upkeep::tiers;
use crate::writer::queue::CloseReason;
use files::disk;
use files::objects::is_awaited;

/// Most names of quarantined files in a report.
const NAMES_MAX: usize = 100;

impl Store {
    /// Returns the state of the store at this instant.
    pub(super) fn report(&self) -> Status {
        let mut status = self.counted();
        self.add_disk(&mut status);
        self.add_upkeep(&mut status);
        let state = self.segments.state();
        let live_runs = state.segments.iter().flat_map(|stored| state.live_sizes(stored));
        let (awaited, damaged): (Vec<_>, Vec<_>) =
            state.damaged.iter().partition(|one| one.awaited.is_some() && is_awaited(&one.error));
        let damaged_segments = damaged.into_iter().map(|damaged| &damaged.error).chain(state.flawed.values());
        let oldest = state.flushing.as_ref().and_then(|flushing| flushing.since).or(state.active.since);
        Status {
            wal_oldest_ns: oldest.map_or(0, |since| self.segments.options.clock.now().0.saturating_sub(since.0).max(0)),
            hot_events: state.hot_events(),
            hot_bytes: state.hot_bytes(),
            stored_events: live_runs.map(|run| run.n_events).sum(),
            runs_undoable: state.retired.values().filter(|since| **since > crate::retention::LONG_AGO).count() as u64,
            segments: state.segments.len() as u64,
            object_store: self.upkeep.mover.object_store_status(&state),
            segment_reads: self.segments.files.pool.reads().0,
            segment_bytes_read: self.segments.files.pool.reads().1,
            section_cache: self.segments.files.sections_status(),
            segment_files_open: self.segments.files.pool.n_open() as u64,
            segment_bytes: state.segments.iter().map(|stored| stored.n_bytes).sum(),
            deletions_pending: state.deletions.len() as u64,
            groups: state.groups.len() as u64,
            batch_ids: state.ids.len() as u64,
            files: state.positions.len() as u64,
            subscriptions: self.writer.feed.n_subscriptions() as u64,
            awaited: awaited.into_iter().map(|awaited| awaited.error.clone()).collect(),
            damaged: self.damaged.iter().cloned().chain(damaged_segments.cloned()).collect(),
            ..status
        }
    }

    /// Returns what was counted since the start.
    fn counted(&self) -> Status {
        let counters = &self.segments.counters;
        Status {
            events_accepted: counters.events_accepted.get(),
            batches_accepted: counters.batches_accepted.get(),
            batches_duplicate: counters.batches_duplicate.get(),
            bytes_accepted: counters.bytes_accepted.get(),
            batches_refused: counters.batches_refused.get(),
            wal_syncs: counters.wal_syncs.get(),
            wal_sync: counters.wal_sync.read(),
            written: BytesWritten {
                wal: counters.wal_bytes_written.get(),
                flush: counters.flush_bytes_written.get(),
                compaction: counters.compaction_bytes_written.get(),
                cold: counters.cold_bytes_written.get(),
                replaced: counters.compaction_bytes_replaced.get(),
            },
            flushes: counters.flushes.get(),
            flushes_failed: counters.flushes_failed.get(),
            flush_ms_last: counters.flush_ms_last.get(),
            compactions: counters.compactions.get(),
            compactions_failed: counters.compactions_failed.get(),
            compacted_events: counters.compacted_events.get(),
            runs_retired: counters.runs_retired.get(),
            ..Status::default()
        }
    }

    /// Adds sizes from the file system.
    fn add_disk(&self, status: &mut Status) {
        let wal = file_sizes(&self.segments.wal_dir(), "wal");
        (status.wal_files, status.wal_bytes) = (wal.len() as u64, wal.iter().map(|(_, n_bytes)| n_bytes).sum());
        let quarantined = file_sizes(&self.segments.options.dir.join("quarantine"), "");
        status.quarantined = quarantined.into_iter().map(|(name, _)| name).collect();
        status.quarantined.sort();
        status.quarantined.truncate(NAMES_MAX);
        status.disk_free_bytes = disk::free_bytes(&self.segments.options.dir).ok();
        status.disk_reserve_bytes = self.segments.options.disk_reserve_bytes;
        let least = status.disk_reserve_bytes.saturating_add(2 * disk_margin(status.disk_reserve_bytes));
        status.is_disk_short = status.disk_free_bytes.is_some_and(|free| free < least);
    }

    /// Adds the backlog of upkeep and its forecast.
    fn add_upkeep(&self, status: &mut Status) {
        status.catalog_problem = self.segments.claim.problem();
        status.control_problem = self.segments.claim.control_problem();
        status.poisoned = match self.writer.queue.closed() {
            Some(CloseReason::Poisoned(reason)) => Some(reason),
            _ => None,
        };
        (status.compaction_due, status.compaction_due_bytes) = self.upkeep.compactor.debt();
        status.store_bytes_max = self.upkeep.retention.store_bytes_max();
        status.forecast = self.upkeep.retention.store_forecast();
        status.tiers = tiers::statuses(&self.segments);
        status.scrub = self.upkeep.scrubber.status();
        status.clock_doubt = self.segments.maintenance.clock_doubt(&self.segments.options.clock);
    }
}

/// Returns names and sizes of the files in a directory whose names end so.
fn file_sizes(dir: &Path, extension: &str) -> Vec<(String, u64)> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let named = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
        name.ends_with(extension).then_some((name, metadata.len()))
    });
    named.collect()
}
