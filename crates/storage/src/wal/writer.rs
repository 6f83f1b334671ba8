//! Appends records to the last WAL file. Used by one thread.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{FILE_HEADER_BYTES, FileHeader, path_of};
use crate::{Faults, disk};

/// Why a write did not become durable.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// There was no room; what was written of it is gone again and the file is as it was.
    Full,
    /// Whether anything is durable is unknown; the file must not be written to again.
    Failed(io::Error),
}

/// The WAL file being written.
#[derive(Debug)]
pub(crate) struct Writer {
    dir: PathBuf,
    store: [u8; 16],
    faults: Arc<Faults>,
    /// `None` as long as there is no room even for its header: a store on a full disk opens and answers queries.
    file: Option<File>,
    header: FileHeader,
    /// Bytes that are durable; the next write goes there.
    end: u64,
}

/// Makes a file with its header, both durable under its name.
fn create(dir: &Path, header: &FileHeader, faults: &Faults) -> io::Result<File> {
    let path = path_of(dir, header.number);
    faults.check("wal.rotate")?;
    let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
    let made = file.write_all_at(&header.encode(), 0).and_then(|()| file.sync_all());
    if let Err(error) = made.and_then(|()| disk::sync_directory(dir)) {
        // Nothing relies on it yet, and a later try needs the name.
        let _ = std::fs::remove_file(&path);
        return Err(error);
    }
    Ok(file)
}

fn salt() -> io::Result<u64> {
    getrandom::u64().map_err(io::Error::other)
}

impl Writer {
    /// Starts the file `number` in `dir`.
    pub(crate) fn create(
        dir: &Path,
        store: [u8; 16],
        number: u64,
        first_sequence: u64,
        faults: Arc<Faults>,
    ) -> io::Result<Self> {
        let header = FileHeader { store, number, salt: salt()?, first_sequence };
        let file = match create(dir, &header, &faults) {
            Ok(file) => Some(file),
            Err(error) if is_full(&error) => {
                tracing::error!(dir = %dir.display(), "disk is full: nothing is accepted until there is room");
                None
            }
            Err(error) => return Err(error),
        };
        Ok(Self { dir: dir.to_owned(), store, faults, file, header, end: FILE_HEADER_BYTES as u64 })
    }

    /// Number of the file being written.
    pub(crate) fn number(&self) -> u64 {
        self.header.number
    }

    /// Salt of the file being written.
    pub(crate) fn salt(&self) -> u64 {
        self.header.salt
    }

    /// Where the next write goes.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Writes `bytes` behind what there is and makes them durable.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(
                create(&self.dir, &self.header, &self.faults)
                    .map_err(|error| if is_full(&error) { WriteError::Full } else { WriteError::Failed(error) })?,
            ),
        };
        let written = self.faults.check("wal.write").and_then(|()| file.write_all_at(bytes, self.end));
        match written {
            Ok(()) => {}
            Err(error) if is_full(&error) && file.set_len(self.end).is_ok() => return Err(WriteError::Full),
            Err(error) => return Err(WriteError::Failed(error)),
        }
        self.faults.check("wal.sync").and_then(|()| file.sync_data()).map_err(WriteError::Failed)?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// Goes on in the next file, whose first event has `first_sequence` or a later one. Where that fails the
    /// file stays the one that it was.
    pub(crate) fn rotate(&mut self, first_sequence: u64) -> io::Result<()> {
        // A file that could not be made holds nothing: its number is still to be had.
        let number = self.header.number + u64::from(self.file.is_some());
        let header = FileHeader { store: self.store, number, salt: salt()?, first_sequence };
        self.file = Some(create(&self.dir, &header, &self.faults)?);
        self.header = header;
        self.end = FILE_HEADER_BYTES as u64;
        Ok(())
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
