//! Copies the store of a fleet into the directory of a machine of its own.
//!
//! Segments become files, each compared with the catalog and its own checksums; what is in no segment yet becomes a log,
//! with the sequences that it was accepted with, so that the ids of events stay what they are. Until the last step the
//! text of `STORE` has another name: what was cut off is no store, and is continued with the segments that are there.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use database::url::DatabaseUrl;
use types::ScanError;

use super::super::listing::SegmentListing;
use super::super::verify::{Files, VerifyReport};
use super::Visit;
use crate::catalog::sqlite::SqliteCatalog;
use crate::catalog::{Catalog, Contents, HighWaterMarks, SegmentRow};
use crate::control::ControlStore;
use crate::control::sqlite::SqliteControl;
use crate::deletion::DeletionReceipt;
use crate::tier::Place;
use crate::wal::writer::{WriteError, Writer};
use crate::{Clock, ObjectStoreOptions, OpenError, Options, batch_ids, copy_mark, lock};
use files::disk;

/// What `STORE` is called until all is there.
const UNFINISHED: &str = "STORE.export";

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportReport {
    /// Segments.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Events, in segments or not.
    pub events: u64,
    /// Segments that an earlier try had copied.
    pub known: u64,
    /// Nodes of the fleet that were alive. If there are any, the directory is marked as a copy: it notifies no one.
    pub nodes: u64,
}

/// Why a fleet was not copied.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The fleet cannot be read.
    #[error(transparent)]
    Fleet(#[from] OpenError),
    /// A file cannot be written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The directory holds something else.
    #[error("{0} is not empty; name a directory that is new or empty")]
    NotEmpty(PathBuf),
    /// Something that the catalog lists is damaged or missing.
    #[error("{0}")]
    Unreadable(ScanError),
}

impl From<database::DatabaseError> for ExportError {
    fn from(error: database::DatabaseError) -> Self {
        Self::Fleet(error.into())
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> ExportError {
    move |source| ExportError::Io { path: path.to_owned(), source }
}

/// Copies the store of a fleet into `dir`, which must be new or empty, or have what an earlier try has left; `copied` is
/// told each segment's name. Everything that was acknowledged before the call is in it. Nodes may run meanwhile;
/// then, or where a copy is wanted, the directory is marked as one.
pub fn export(
    dir: &Path,
    url: &DatabaseUrl,
    bucket: &ObjectStoreOptions,
    is_copy: bool,
    mut copied: impl FnMut(&str),
) -> Result<ExportReport, ExportError> {
    let visit = Visit::begin(url, bucket, if is_copy { "backup" } else { "export" })?;
    prepare(dir, visit.store)?;
    let mut report = ExportReport { nodes: visit.contents.n_nodes, ..ExportReport::default() };
    let files = Files { dir, store: visit.store, objects: None };
    for row in &visit.contents.contents.segments {
        copy_segment(&visit, &files, row, &mut report)?;
        copied(&row.file);
    }
    remove_others(dir, &visit.contents.contents.segments)?;
    let wal_made = write_log(dir, &visit, &mut report)?;
    let now = Clock::system().now();
    let batch_files =
        batch_ids::write(&dir.join("wal"), &visit.store, &Default::default(), &visit.contents.batches, now);
    write_catalog(dir, &visit, wal_made, batch_files.map_err(at(&dir.join("wal")))?)?;
    SqliteControl::open(&dir.join("control.sqlite"), visit.store)?.fill(&visit.contents.documents)?;
    sync(dir, &["catalog.sqlite", "control.sqlite"])?;
    write_receipts(dir, &visit)?;
    if is_copy || report.nodes > 0 {
        copy_mark::mark(dir, now).map_err(at(dir))?;
    }
    let renamed = fs::rename(dir.join(UNFINISHED), dir.join("STORE")).and_then(|()| disk::sync_directory(dir));
    renamed.map_err(at(dir))?;
    Ok(report)
}

/// Makes a new directory, or takes one that an earlier try has left; nothing but segments is kept of it.
fn prepare(dir: &Path, store: [u8; 16]) -> Result<(), ExportError> {
    disk::create_directory(dir).map_err(at(dir))?;
    let is_empty = fs::read_dir(dir).map_err(at(dir))?.next().is_none();
    let text = lock::store_text(store);
    let begun = dir.join(UNFINISHED);
    if is_empty {
        disk::write_whole(&begun, text.as_bytes()).map_err(at(&begun))?;
    } else if fs::read_to_string(&begun).ok() != Some(text) {
        return Err(ExportError::NotEmpty(dir.to_owned()));
    }
    for name in ["catalog.sqlite", "control.sqlite"] {
        for file in [name.to_owned(), format!("{name}-wal"), format!("{name}-shm")].map(|name| dir.join(name)) {
            types::ok_if_missing(fs::remove_file(&file)).map_err(at(&file))?;
        }
    }
    for path in ["wal", "tombstones"].map(|name| dir.join(name)) {
        types::ok_if_missing(fs::remove_dir_all(&path)).map_err(at(&path))?;
    }
    ["wal", "segments", "tombstones", "quarantine"]
        .map(|name| dir.join(name))
        .iter()
        .try_for_each(|path| disk::create_directory_synced(path).map_err(at(path)))
}

/// Copies a segment that is not there yet, and checks it.
fn copy_segment(
    visit: &Visit,
    files: &Files<'_>,
    row: &SegmentRow,
    report: &mut ExportReport,
) -> Result<(), ExportError> {
    let listed = SegmentListing { place: Place::Local, ..row.clone().into() };
    let to = files.dir.join(&row.file);
    let mut checked = VerifyReport::default();
    if to.is_file() && files.check(&listed, &mut checked).is_ok() {
        report.known += 1;
    } else {
        checked = VerifyReport::default();
        let parent = to.parent().unwrap_or(files.dir);
        disk::create_directory_synced(parent).map_err(at(parent))?;
        let unfinished = to.with_added_extension("tmp");
        let file = disk::create_file(&unfinished).map_err(at(&unfinished))?;
        let unreadable = |error: io::Error| {
            let (file, problem) = (visit.objects.url_of(&row.file), error.to_string());
            ExportError::Unreadable(ScanError { file, offset: 0, problem })
        };
        visit.objects.copy_into(&row.file, row.n_bytes, &file).map_err(unreadable)?;
        let renamed = file.sync_all().and_then(|()| fs::rename(&unfinished, &to));
        renamed.and_then(|()| disk::sync_directory(parent)).map_err(at(&to))?;
        files.check(&listed, &mut checked).map_err(ExportError::Unreadable)?;
    }
    report.segments += 1;
    report.bytes += row.n_bytes;
    report.events += checked.events;
    Ok(())
}

/// Removes segments that an earlier try has copied and that are not listed any more, and what it was writing.
fn remove_others(dir: &Path, listed: &[SegmentRow]) -> Result<(), ExportError> {
    let segments = dir.join("segments");
    for file in crate::segments::files::list(&segments).map_err(at(&segments))? {
        if !listed.iter().any(|row| row.file == file) {
            fs::remove_file(dir.join(&file)).map_err(at(&dir.join(&file)))?;
        }
    }
    Ok(())
}

/// Writes what is in no segment yet into a log; returns the number of its last file.
fn write_log(dir: &Path, visit: &Visit, report: &mut ExportReport) -> Result<u64, ExportError> {
    let wal = dir.join("wal");
    let failed = |error: WriteError| match error {
        WriteError::Full => at(&wal)(io::ErrorKind::StorageFull.into()),
        WriteError::Postponed(error) | WriteError::Failed(error) => at(&wal)(error),
    };
    let mut log = Writer::create(&wal, visit.store, 1, first_waiting(visit), None, Arc::default()).map_err(at(&wal))?;
    let bytes_max = Options::new(dir).wal_segment_bytes;
    for row in &visit.contents.objects {
        let records = visit.read_object(row).map_err(ExportError::Unreadable)?;
        if let Some(first) = records.first().filter(|_| log.end() >= bytes_max) {
            log.rotate(first.header.first_sequence).map_err(failed)?;
        }
        let (mut bytes, commit_offset) = (Vec::new(), log.end());
        for mut record in records {
            record.header.commit_offset = commit_offset;
            record.header.put(log.salt(), &mut bytes);
            bytes.extend_from_slice(&record.body);
            report.events += record.n_events;
        }
        log.append(&bytes).map_err(failed)?;
    }
    Ok(log.number())
}

/// Returns the sequence below which all events are in segments.
fn first_waiting(visit: &Visit) -> u64 {
    let first = visit.contents.objects.first().and_then(|row| row.records.first());
    first.map_or(visit.contents.contents.marks.next_sequence, |record| record.first_sequence)
}

fn write_catalog(
    dir: &Path,
    visit: &Visit,
    wal_made: u64,
    batch_files: batch_ids::ValidEntries,
) -> Result<(), ExportError> {
    let of_fleet = &visit.contents.contents;
    let next_sequence = first_waiting(visit);
    let marks = HighWaterMarks { wal_released: 1, wal_made, next_sequence, next_group: of_fleet.marks.next_group };
    let local = |row: &SegmentRow| SegmentRow { place: Place::Local, ..row.clone() };
    let contents = Contents {
        marks,
        segments: of_fleet.segments.iter().map(local).collect(),
        batch_files,
        doomed: Vec::new(),
        groups: of_fleet.groups.clone(),
        deleted: of_fleet.deleted.clone(),
        positions: of_fleet.positions.clone(),
        retired: of_fleet.retired.clone(),
        deletions: of_fleet.deletions.clone(),
    };
    Ok(SqliteCatalog::open(&dir.join("catalog.sqlite"), visit.store, next_sequence)?.fill(&contents)?)
}

/// Writes the receipts of all deletions. A deletion that has not finished keeps its sequences in the catalog.
fn write_receipts(dir: &Path, visit: &Visit) -> Result<(), ExportError> {
    let tombstones = dir.join("tombstones");
    for text in &visit.contents.receipts {
        let receipt = DeletionReceipt::parse(text).map_err(|_| {
            let problem = "a receipt of a deletion is damaged".into();
            ExportError::Unreadable(ScanError { file: "catalog".into(), offset: 0, problem })
        })?;
        receipt.write(&tombstones).map_err(at(&tombstones))?;
    }
    Ok(())
}

fn sync(dir: &Path, names: &[&str]) -> Result<(), ExportError> {
    for path in names.iter().map(|name| dir.join(name)) {
        File::open(&path).and_then(|file| file.sync_all()).map_err(at(&path))?;
    }
    let wal = dir.join("wal");
    disk::sync_directory(&wal).map_err(at(&wal))
}
