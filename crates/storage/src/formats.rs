//! The formats of all files of a data directory, looked at before anything is written.
//!
//! Each kind of file has a version of its own. A later catat may have written any of them, and what it wrote must stay as
//! it is: a store with such a file is refused as a whole by every command, before the first byte changes. Damage is
//! no version: a file that fails its checksum is left to its reader.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::control::postgres::PostgresControl;
use crate::tombstone::events::TombstoneFile;
use crate::wal::{FILE_HEADER_BYTES, FileHeader, HeaderError};
use crate::{OpenError, batch_ids, catalog, control, copy_mark, deletion, lock, maintenance_file, tombstone, wal};
use database::DatabaseProblem;
use database::sqlite::version_in_file;
use database::url::Databases;

/// Segments whose headers are read: those that were written last, since a later catat that ran here wrote some. Opening
/// checks all others.
const SEGMENTS_MAX: usize = 1000;

/// Longest text file whose version is looked for.
const TEXT_BYTES_MAX: u64 = 64 << 10;

/// Returns the main formats of a data directory with the versions that this catat writes.
pub fn formats() -> [(&'static str, u64); 5] {
    [
        ("store", lock::FORMAT),
        ("write-ahead log", wal::VERSION.into()),
        ("segment", segment::FORMAT_VERSION.into()),
        ("catalog", catalog::sqlite::VERSION),
        ("control store", control::sqlite::VERSION),
    ]
}

/// Refuses a data directory in which a later version wrote a file.
pub(crate) fn check(dir: &Path, store: &[u8; 16]) -> Result<(), OpenError> {
    let known = [("catalog.sqlite", catalog::sqlite::VERSION), ("control.sqlite", control::sqlite::VERSION)];
    for (name, known) in known {
        let path = dir.join(name);
        refuse_newer(version_in_file(&path), known, || path)?;
    }
    check_text(&dir.join("UPKEEP"), "catat upkeep", maintenance_file::FORMAT.into())?;
    check_text(&dir.join(copy_mark::FILE), copy_mark::KIND, copy_mark::FORMAT)?;
    check_wal(&dir.join("wal"))?;
    check_tombstones(&dir.join("tombstones"), store)?;
    check_segments(&dir.join("segments"))
}

/// Refuses a control store in PostgreSQL that a later version wrote, before the catalog is opened for writing.
pub(crate) fn check_databases(databases: &Databases, store: [u8; 16]) -> Result<(), OpenError> {
    let Some(url) = &databases.control else { return Ok(()) };
    match PostgresControl::open_for_reading(url, store) {
        Err(error) if matches!(error.problem, DatabaseProblem::Newer { .. } | DatabaseProblem::Unavailable(_)) => {
            Err(error.into())
        }
        // One that is missing or older is for the start to judge.
        _ => Ok(()),
    }
}

fn refuse_newer(found: Option<u64>, known: u64, file: impl FnOnce() -> PathBuf) -> Result<(), OpenError> {
    match found.filter(|found| *found > known) {
        Some(found) => Err(OpenError::NewerFormat { file: file(), found, known }),
        None => Ok(()),
    }
}

/// Checks a text file of which the first line is its kind and the second its format.
fn check_text(path: &Path, kind: &str, known: u64) -> Result<(), OpenError> {
    let mut text = String::new();
    if File::open(path).and_then(|file| file.take(TEXT_BYTES_MAX).read_to_string(&mut text)).is_err() {
        return Ok(());
    }
    let mut lines = text.lines();
    let is_kind = lines.next() == Some(kind);
    let found = lines.next().and_then(|line| line.strip_prefix("format ")?.parse().ok());
    refuse_newer(found.filter(|_| is_kind), known, || path.to_owned())
}

fn check_wal(dir: &Path) -> Result<(), OpenError> {
    for path in files_of(dir)? {
        let Some(header) = beginning(&path, FILE_HEADER_BYTES) else { continue };
        let (found, known) = match path.extension().and_then(|ending| ending.to_str()) {
            Some("wal") => match FileHeader::decode(&header) {
                Err(HeaderError::Version(found)) => (Some(found.into()), wal::VERSION.into()),
                _ => continue,
            },
            Some("ids") => (batch_ids::version_of(&header), batch_ids::VERSION.into()),
            _ => continue,
        };
        refuse_newer(found, known, || path)?;
    }
    Ok(())
}

fn check_tombstones(dir: &Path, store: &[u8; 16]) -> Result<(), OpenError> {
    for path in files_of(dir)? {
        if path.extension().is_some_and(|ending| ending == "group") {
            check_text(&path, "catat tombstone", tombstone::FORMAT)?;
        }
    }
    let events = none_if_missing(tombstone::events::read(dir, store)).map_err(OpenError::io(dir))?;
    for found in events {
        if let TombstoneFile::Newer(file, found) = found {
            refuse_newer(Some(found.into()), tombstone::events::VERSION.into(), || file)?;
        }
    }
    let receipts = none_if_missing(deletion::read_receipts(dir)).map_err(OpenError::io(dir))?;
    for (name, receipt) in receipts {
        if let Err(deletion::ReceiptError::Newer(found)) = receipt {
            refuse_newer(Some(found), deletion::RECEIPT_FORMAT, || dir.join(name))?;
        }
    }
    Ok(())
}

fn check_segments(dir: &Path) -> Result<(), OpenError> {
    let mut files: Vec<(SystemTime, PathBuf)> = Vec::new();
    for partition in files_of(dir)? {
        for path in files_of(&partition)? {
            let written = std::fs::metadata(&path).and_then(|metadata| metadata.modified());
            files.extend(written.ok().map(|written| (written, path)));
        }
    }
    files.sort_unstable_by(|a, b| b.cmp(a));
    for (_, path) in files.into_iter().take(SEGMENTS_MAX) {
        let found = beginning(&path, segment::HEADER_BYTES).as_deref().and_then(segment::version_of);
        refuse_newer(found, segment::FORMAT_VERSION.into(), || path)?;
    }
    Ok(())
}

/// Returns what a directory holds; nothing if there is none.
fn files_of(dir: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let entries = std::fs::read_dir(dir).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    none_if_missing(entries).map_err(OpenError::io(dir))
}

fn none_if_missing<T: Default>(result: io::Result<T>) -> io::Result<T> {
    match result {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(T::default())
        }
        result => result,
    }
}

/// Returns the first bytes of a file; nothing if it was removed meanwhile, or cannot be read.
fn beginning(path: &Path, n_bytes: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(n_bytes);
    let read = File::open(path).and_then(|file| file.take(n_bytes as u64).read_to_end(&mut bytes));
    read.ok().map(|_| bytes)
}
