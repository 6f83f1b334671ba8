//! Files of segments: where they are, how they get there whole, and how they go.
//!
//! A local segment is written under another name, synced, renamed, and its directory synced, before anything relies
//! on it; how one becomes an object is told in `offload`. A segment leaves the catalog before its file is removed, and
//! the file keeps its name until no one holds the segment: readers open and close it as they need it (`source`). A
//! file that is doomed and still held, or cannot be removed, is removed later, also after the next start: the
//! catalog remembers it until it is gone.

use std::collections::HashSet;
use std::io::{self};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use segment::{FilePool, MIXED_PARTITION, NamelessFile, SectionCache, SectionCacheStatus, Segment};
use types::{Hold, ScanError, Timestamp, civil_from_days};

use crate::Options;
use crate::catalog::{ObsoleteFile, SegmentRow};
use crate::state::StoredSegment;
use crate::tier::Place;
use files::objects::{NOT_READ_YET, Objects, unreadable};
use files::read_cache::ReadCache;
use files::remote_source::RemoteFiles;

/// Where segments are.
pub(crate) struct SegmentFiles {
    dir: PathBuf,
    store: [u8; 16],
    pub(crate) pool: Arc<FilePool>,
    pub(crate) remote: Option<Arc<RemoteFiles>>,
    sections: Arc<SectionCache>,
    /// Files that are in no snapshot to come and must go.
    doomed: Mutex<Vec<FileRemoval>>,
    /// How many of the objects among them are being removed, which is when they are not in the list.
    pub(super) objects_being_removed: AtomicUsize,
}

/// A file that must go.
pub(super) struct FileRemoval {
    pub(super) doomed: ObsoleteFile,
    /// What it is, until no one holds that any more.
    stored: Option<Arc<StoredSegment>>,
}

impl SegmentFiles {
    /// Returns segments of the store `store`.
    pub(crate) fn new(options: &Options, store: [u8; 16]) -> Result<Self, String> {
        let cache = || {
            let (capacity, reserve) = (options.read_cache_bytes, options.disk_reserve_bytes);
            ReadCache::open(&options.dir.join("cache"), store, capacity, reserve)
        };
        let objects = options.object_store.as_ref();
        let objects = objects.map(|object_store| Objects::new(object_store, &store, options.faults.clone()));
        let remote = objects.transpose()?.map(|objects| RemoteFiles::new(objects, cache()));
        let pool = FilePool::new(options.open_files_max);
        let sections = SectionCache::new(options.section_cache_bytes);
        let (doomed, objects_being_removed) = Default::default();
        Ok(Self { dir: options.dir.clone(), store, pool, remote, sections, doomed, objects_being_removed })
    }

    /// Returns what the sections kept hold and were good for.
    pub(crate) fn sections_status(&self) -> SectionCacheStatus {
        self.sections.status()
    }

    /// Returns the path of a local file.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.dir.join(file)
    }

    /// Opens a segment file of the data directory.
    pub(crate) fn open_local(&self, file: &str) -> Result<Arc<Segment>, ScanError> {
        let opened = self.pool.open(&self.path(file));
        let opened = opened.map_err(|e| ScanError { file: file.to_owned(), offset: 0, problem: e.to_string() })?;
        let segment = Segment::open_source(Box::new(opened), file.to_owned(), self.store)?;
        segment.keep_sections(&self.sections);
        Ok(segment)
    }

    /// Opens a segment at its place in the catalog.
    pub(crate) fn open(&self, row: &SegmentRow) -> Result<Arc<Segment>, ScanError> {
        match row.place {
            Place::Local => self.open_local(&row.file),
            Place::Remote => self.open_remote(&row.file, row.id, row.n_bytes),
        }
    }

    /// Opens a segment and makes sure that it is what the catalog lists.
    pub(crate) fn open_listed(&self, row: &SegmentRow) -> Result<StoredSegment, ScanError> {
        let segment = self.open(row)?;
        let found: HashSet<(u32, u64)> = segment.summaries().iter().map(|run| (run.group_id, run.n_events)).collect();
        let expected: HashSet<(u32, u64)> = row.runs.iter().map(|run| (run.group_id, run.n_events)).collect();
        if found != expected || segment.meta.segment != row.id {
            let problem = "the segment is not the one that the catalog lists".to_owned();
            return Err(ScanError { file: row.file.clone(), offset: 0, problem });
        }
        let SegmentRow { ref file, n_bytes, tier, place, .. } = *row;
        Ok(StoredSegment { segment, file: file.clone(), n_bytes, tier, place })
    }

    /// Opens an object that is a segment. The object store is asked only where the end is not at hand.
    pub(crate) fn open_remote(&self, name: &str, id: u128, n_bytes: u64) -> Result<Arc<Segment>, ScanError> {
        let (remote, url) = self.object_store(name)?;
        let object = remote.open(name, id, n_bytes);
        let end = object.end().map_err(|e| unreadable(&url, 0, e.to_string()))?;
        let segment = Segment::open_end(end, Box::new(object), url, self.store)?;
        segment.keep_sections(&self.sections);
        Ok(segment)
    }

    /// Reports whether a segment can be opened without asking the object store.
    pub(crate) fn is_at_hand(&self, row: &SegmentRow) -> bool {
        let has_end = |remote: &Arc<RemoteFiles>| remote.cache.end(row.id).is_some();
        row.place == Place::Local || self.remote.as_ref().is_some_and(has_end)
    }

    /// Returns the error of a segment that is not at hand.
    pub(crate) fn not_at_hand(&self, row: &SegmentRow) -> ScanError {
        let problem = NOT_READ_YET.to_owned();
        match self.object_store(&row.file) {
            Ok((_, file)) => ScanError { file, offset: 0, problem },
            Err(error) => error,
        }
    }

    /// Opens a segment to read all of it: once, and not by way of copies.
    pub(crate) fn open_whole(&self, stored: &StoredSegment) -> Result<Arc<Segment>, ScanError> {
        let StoredSegment { file, n_bytes, place, .. } = stored;
        if *place == Place::Local {
            return self.open_local(file);
        }
        let (remote, url) = self.object_store(file)?;
        let copy = NamelessFile::new(&remote.cache.unfinished_path(), *n_bytes, |to| {
            remote.objects.copy_into(file, *n_bytes, to)
        });
        let copy = copy.map_err(|e| unreadable(&url, 0, e.to_string()))?;
        Segment::open_source(Box::new(copy), url, self.store)
    }

    fn object_store(&self, name: &str) -> Result<(&Arc<RemoteFiles>, String), ScanError> {
        let Some(remote) = &self.remote else {
            let problem = "it lies in an object store, and none is set".to_owned();
            return Err(ScanError { file: name.to_owned(), offset: 0, problem });
        };
        Ok((remote, remote.objects.url_of(name)))
    }

    pub(super) fn doomed(&self) -> MutexGuard<'_, Vec<FileRemoval>> {
        self.doomed.hold()
    }

    /// Notes segments whose files must go.
    pub(crate) fn doom(&self, segments: impl IntoIterator<Item = Arc<StoredSegment>>) {
        self.doomed().extend(segments.into_iter().map(|stored| {
            let doomed = ObsoleteFile { file: stored.file.clone(), place: stored.place };
            FileRemoval { doomed, stored: Some(stored) }
        }));
    }

    /// Notes a file that must go and that no one reads.
    pub(crate) fn doom_file(&self, doomed: ObsoleteFile) {
        self.doomed().push(FileRemoval { doomed, stored: None });
    }

    /// Reports whether files wait to be removed.
    pub(crate) fn has_doomed(&self) -> bool {
        let doomed = self.doomed();
        !doomed.is_empty() || self.objects_being_removed.load(Ordering::Relaxed) > 0
    }

    /// Returns how many objects must go.
    pub(crate) fn n_doomed_objects(&self) -> usize {
        let doomed = self.doomed();
        let n_waiting = doomed.iter().filter(|file| file.doomed.place == Place::Remote).count();
        n_waiting + self.objects_being_removed.load(Ordering::Relaxed)
    }

    /// Takes the segments out of the list of files to remove: in a fleet, their objects are removed by upkeep.
    pub(super) fn take_unshared(&self) -> Vec<Arc<StoredSegment>> {
        std::mem::take(&mut *self.doomed()).into_iter().filter_map(|file| file.stored).collect()
    }

    /// Takes out the doomed files of a place that no one holds any more.
    pub(super) fn take_released(&self, place: Place) -> Vec<FileRemoval> {
        // Whoever reads it holds the segment, whoever is about to open it again what it is stored as. No one can get
        // at either from anywhere else, so that one holder stays one.
        let is_held =
            |stored: &Arc<StoredSegment>| Arc::strong_count(stored) > 1 || Arc::strong_count(&stored.segment) > 1;
        let is_released =
            |file: &mut FileRemoval| file.doomed.place == place && !file.stored.as_ref().is_some_and(is_held);
        let mut doomed = self.doomed();
        let released: Vec<FileRemoval> = doomed.extract_if(.., is_released).collect();
        if place == Place::Remote {
            self.objects_being_removed.fetch_add(released.len(), Ordering::Relaxed);
        }
        released
    }

    pub(super) fn remove(&self, file: &FileRemoval) -> io::Result<()> {
        let removed = match (file.doomed.place, &self.remote) {
            (Place::Local, _) => std::fs::remove_file(self.path(&file.doomed.file)),
            (Place::Remote, Some(remote)) => {
                let id = file.stored.as_ref().map(|stored| stored.segment.meta.segment);
                id.into_iter().for_each(|id| remote.forget_segment(id));
                remote.objects.remove(&file.doomed.file)
            }
            (Place::Remote, None) => return Err(io::ErrorKind::NotConnected.into()),
        };
        types::ok_if_missing(removed)
    }
}

/// A segment file that is on disk and not yet in the catalog.
pub(crate) struct NewSegment {
    pub(crate) stored: Arc<StoredSegment>,
    pub(crate) row: SegmentRow,
}

/// Returns when a segment, or the newest of its sources, was written, from its id.
pub(crate) fn written_at(segment: u128) -> Timestamp {
    let ms = i64::try_from(segment >> 80).unwrap_or(i64::MAX);
    Timestamp(ms.saturating_mul(1_000_000))
}

/// Returns files below `segments/`, relative to the data directory.
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

/// Returns the name of a partition's directory.
pub(crate) fn partition_name(partition: i64) -> String {
    if partition == MIXED_PARTITION {
        return "mixed".into();
    }
    let (year, month, day) = civil_from_days(partition);
    format!("{year:04}-{month:02}-{day:02}")
}
