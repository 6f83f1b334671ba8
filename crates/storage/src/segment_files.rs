//! Segment files in the data directory: how they get there whole, and how they go.
//!
//! A segment is written under another name, synced, renamed, and its directory synced, before anything relies on
//! it. It leaves the catalog before its file is removed; whoever has it open can go on reading it.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, PoisonError};

use types::civil_from_days;

use crate::catalog::{RunRow, SegmentRow};
use crate::segment::{MIXED_PARTITION, Segment, SegmentMeta, Written};
use crate::state::StoredSegment;
use crate::store::Shared;
use crate::{StoreError, disk};

/// A segment file that is on disk and not yet in the catalog.
pub(crate) struct NewSegment {
    pub(crate) stored: Arc<StoredSegment>,
    pub(crate) row: SegmentRow,
}

impl Shared {
    /// Identity of a segment that is about to be written.
    pub(crate) fn new_segment(&self, partition: i64) -> Result<SegmentMeta, StoreError> {
        let segment = self.new_segment_id().map_err(StoreError::io(&self.options.dir))?;
        Ok(SegmentMeta { store: self.store, segment, partition })
    }

    /// Writes a finished segment to its place and opens it.
    pub(crate) fn keep_segment(&self, meta: &SegmentMeta, written: Written) -> Result<NewSegment, StoreError> {
        let Written { bytes, runs } = written;
        let id = meta.segment;
        let file = format!("segments/{}/{id:032x}.seg", partition_name(meta.partition));
        let path = self.options.dir.join(&file);
        self.write_segment_file(&path, &bytes).map_err(StoreError::io(&path))?;
        let segment = Segment::open(&path, file.clone(), self.store)?;
        let n_bytes = bytes.len() as u64;
        let row = SegmentRow { id, file: file.clone(), n_bytes, runs: runs.iter().map(RunRow::from).collect() };
        Ok(NewSegment { stored: Arc::new(StoredSegment { segment, file, n_bytes }), row })
    }

    /// Numbers that rise with time and that nobody has used.
    fn new_segment_id(&self) -> io::Result<u128> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let ms = u128::try_from(self.options.clock.now().0 / 1_000_000).unwrap_or(0);
        Ok(ms << 80 | u128::from_be_bytes(random) >> 48)
    }

    fn write_segment_file(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let faults = &self.options.faults;
        let Some(dir) = path.parent() else { return Err(io::ErrorKind::InvalidInput.into()) };
        disk::create_directory_synced(dir)?;
        let unpublished = path.with_extension("tmp");
        let mut file = File::create(&unpublished)?;
        let written = faults.check("segment.write").and_then(|()| file.write_all(bytes));
        let synced = written.and_then(|()| faults.check("segment.sync")).and_then(|()| file.sync_all());
        let renamed = synced.and_then(|()| faults.check("segment.rename"));
        if let Err(error) = renamed.and_then(|()| std::fs::rename(&unpublished, path)) {
            if !faults.has_crashed() {
                let _ = std::fs::remove_file(&unpublished);
            }
            return Err(error);
        }
        faults.check("segment.sync_directory")?;
        disk::sync_directory(dir)
    }

    /// Removes what a failed flush has written. What stays is removed at the next start.
    pub(crate) fn remove_segments(&self, written: &[NewSegment]) {
        for new in written {
            let _ = std::fs::remove_file(self.options.dir.join(&new.stored.file));
        }
    }

    /// Removes segments of which nothing is left. Whoever reads them still can: an open file outlives its name.
    pub(crate) fn reap(&self) {
        let _upkeep = self.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
        let dead = self.state_mut().take_dead_segments();
        if dead.is_empty() {
            return;
        }
        let doomed = self.catalog().doom(dead.iter().map(|stored| &*stored.file));
        match doomed {
            Ok(()) => self.remove_doomed(dead.iter().map(|stored| &*stored.file)),
            Err(error) => tracing::warn!(%error, "deleted groups stay in the catalog; the next start tries again"),
        }
    }

    /// Removes files that the catalog no longer lists. What stays is removed at the next start.
    pub(crate) fn remove_doomed<'a>(&self, files: impl Iterator<Item = &'a str>) {
        let mut catalog = self.catalog();
        for file in files {
            let removed = std::fs::remove_file(self.options.dir.join(file));
            let forgotten = removed.is_ok().then(|| catalog.forget_doomed(file));
            if let Some(Err(error)) = forgotten {
                tracing::warn!(file, %error, "catalog cannot forget a removed file; the next start tries again");
            } else if let Err(error) = removed {
                tracing::warn!(file, %error, "file of a segment cannot be removed; the next start tries again");
            }
        }
    }
}

/// Name of a partition's directory.
fn partition_name(partition: i64) -> String {
    if partition == MIXED_PARTITION {
        return "mixed".into();
    }
    let (year, month, day) = civil_from_days(partition);
    format!("{year:04}-{month:02}-{day:02}")
}
