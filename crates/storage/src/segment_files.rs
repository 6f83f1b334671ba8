//! Segment files in the data directory: how they get there whole, and how they go.
//!
//! A segment is written under another name, synced, renamed, and its directory synced, before anything relies on
//! it. It leaves the catalog before its file is removed, and the file keeps its name until nobody holds the segment:
//! readers open and close it as they need it (`source`). A file that is doomed and still held is removed later, at
//! the latest by the next start.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use types::{ScanError, civil_from_days};

use crate::catalog::{Doomed, RunRow, SegmentRow};
use crate::segment::{MIXED_PARTITION, Segment, SegmentMeta, Written};
use crate::source::FilePool;
use crate::state::{Place, StoredSegment, Tier};
use crate::store::Shared;
use crate::{StoreError, disk};

/// Where segments are.
pub(crate) struct SegmentFiles {
    dir: PathBuf,
    store: [u8; 16],
    pub(crate) pool: Arc<FilePool>,
    /// Segments that are in no snapshot to come and whose files must go.
    doomed: Mutex<Vec<Arc<StoredSegment>>>,
}

impl SegmentFiles {
    /// Segments of the store `store` in the data directory `dir`, of which so many files may be open.
    pub(crate) fn new(dir: &Path, store: [u8; 16], open_files_max: usize) -> Self {
        Self { dir: dir.to_owned(), store, pool: FilePool::new(open_files_max), doomed: Mutex::default() }
    }

    /// Opens the segment that the catalog calls `file`.
    pub(crate) fn open(&self, file: &str) -> Result<Arc<Segment>, ScanError> {
        let opened = self.pool.open(&self.dir.join(file));
        let opened = opened.map_err(|e| ScanError { file: file.to_owned(), offset: 0, problem: e.to_string() })?;
        Segment::open_source(Box::new(opened), file.to_owned(), self.store)
    }

    /// Takes note of segments whose files must go.
    pub(crate) fn doom(&self, segments: impl IntoIterator<Item = Arc<StoredSegment>>) {
        self.doomed.lock().unwrap_or_else(PoisonError::into_inner).extend(segments);
    }

    /// Tells whether files wait to be removed.
    pub(crate) fn has_doomed(&self) -> bool {
        !self.doomed.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Takes out the doomed segments that nobody holds any more.
    fn take_released(&self) -> Vec<Arc<StoredSegment>> {
        let mut doomed = self.doomed.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever reads it holds the segment, whoever is about to open it anew what it is stored as. Nobody can get
        // at either from anywhere else, so that one holder stays one.
        let is_released =
            |stored: &mut Arc<StoredSegment>| Arc::strong_count(stored) == 1 && Arc::strong_count(&stored.segment) == 1;
        doomed.extract_if(.., is_released).collect()
    }
}

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
        let segment = self.files.open(&file)?;
        let n_bytes = bytes.len() as u64;
        let (tier, place) = (Tier::default(), Place::Local);
        let runs = runs.iter().map(RunRow::from).collect();
        let row = SegmentRow { id, file: file.clone(), n_bytes, tier, place, runs };
        Ok(NewSegment { stored: Arc::new(StoredSegment { segment, file, n_bytes, tier, place }), row })
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

    /// Removes segments of which nothing is left.
    pub(crate) fn reap(&self) {
        let upkeep = self.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
        let dead = self.state().dead_segments();
        if !dead.is_empty() {
            let ids: Vec<u128> = dead.iter().map(|stored| stored.segment.meta().segment).collect();
            let doomed = self.catalog().doom(&ids);
            match doomed {
                Ok(()) => {
                    let mut state = self.state_mut();
                    state.remove_segments(&dead);
                    let erased = state.take_masks(&dead);
                    drop(state);
                    self.note_rewritten(&dead, &erased);
                    self.files.doom(dead);
                }
                Err(error) => tracing::warn!(%error, "segments of which nothing is left stay until the next time"),
            }
        }
        drop(upkeep);
        self.remove_doomed();
    }

    /// Removes doomed files that nobody reads any more, and finishes deletions that waited for that. What stays is removed later, or at the next start.
    pub(crate) fn remove_doomed(&self) {
        for stored in self.files.take_released() {
            let doomed = Doomed { file: stored.file.clone(), place: stored.place };
            let file = &*doomed.file;
            match std::fs::remove_file(self.options.dir.join(file)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(file, %error, "file of a segment cannot be removed; it is tried again");
                    self.files.doom([stored]);
                }
                _ => {
                    if let Err(error) = self.catalog().forget_doomed(&doomed) {
                        tracing::warn!(file, %error, "catalog cannot forget a removed file; the next start tries again");
                    }
                }
            }
        }
        self.settle_deletions();
    }
}

/// Files below `segments/`, relative to the data directory.
pub(crate) fn list(dir: &Path) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    for partition in std::fs::read_dir(dir)? {
        let partition = partition?;
        if !partition.file_type()?.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(partition.path())? {
            let (partition, file) = (partition.file_name(), entry?.file_name());
            let (Some(partition), Some(file)) = (partition.to_str(), file.to_str()) else { continue };
            if file.ends_with(".seg") || file.ends_with(".tmp") {
                files.push(format!("segments/{partition}/{file}"));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Name of a partition's directory.
fn partition_name(partition: i64) -> String {
    if partition == MIXED_PARTITION {
        return "mixed".into();
    }
    let (year, month, day) = civil_from_days(partition);
    format!("{year:04}-{month:02}-{day:02}")
}
