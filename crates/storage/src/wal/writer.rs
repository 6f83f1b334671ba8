//! Appends records to the last WAL file. Used by one thread.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{FILE_HEADER_BYTES, FileHeader, MARK_OFFSET, Mark, PreviousFile, VERSION, path_of};
use crate::Faults;
use files::disk;

/// Why a write did not become durable, or a next file was not begun.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// There was no room; what was written of it is gone again and the file is as it was.
    Full,
    /// The next file cannot be made; nothing of it is left and the file continues being used.
    Postponed(io::Error),
    /// What is durable is unknown; the file must not be written to again.
    Failed(io::Error),
}

/// The WAL file being written.
#[derive(Debug)]
pub(crate) struct Writer {
    dir: PathBuf,
    faults: Arc<Faults>,
    /// `None` as long as there is no room even for its header: a store on a full disk opens and answers queries.
    file: Option<File>,
    header: FileHeader,
    /// Bytes that are durable; the next write goes there.
    end: u64,
}

/// Makes a file with its header, both durable under its name.
fn create(dir: &Path, header: &FileHeader, faults: &Faults) -> Result<File, WriteError> {
    let path = path_of(dir, header.number);
    let unpublished = path.with_extension("tmp");
    faults.check("wal.rotate").map_err(postponed)?;
    let write = || {
        let file = disk::create_file(&unpublished)?;
        faults.check("wal.header")?;
        file.write_all_at(&header.encode(), 0)?;
        file.sync_all()?;
        faults.check("wal.rename")?;
        std::fs::rename(&unpublished, &path)?;
        Ok(file)
    };
    let file = write().map_err(|error| {
        if !faults.has_crashed() {
            // No one has seen it, and a later try makes it again.
            let _ = std::fs::remove_file(&unpublished);
        }
        postponed(error)
    })?;
    faults.check("wal.sync_directory").and_then(|()| disk::sync_directory(dir)).map_err(WriteError::Failed)?;
    Ok(file)
}

fn postponed(error: io::Error) -> WriteError {
    if is_full(&error) { WriteError::Full } else { WriteError::Postponed(error) }
}

fn salt() -> io::Result<u64> {
    getrandom::u64().map_err(io::Error::other)
}

/// Says in a file which one follows it, durably. A file of format 1 has no place for it.
fn seal(dir: &Path, next: &FileHeader, faults: &Faults) -> io::Result<()> {
    let Some(PreviousFile { number, n_bytes: Some(n_bytes) }) = next.previous else { return Ok(()) };
    faults.check("wal.seal")?;
    let path = path_of(dir, number);
    let file = disk::writing().read(true).open(path)?;
    let mut bytes = [0; FILE_HEADER_BYTES];
    let Ok(header) = file.read_exact_at(&mut bytes, 0).map(|()| FileHeader::decode(&bytes)) else { return Ok(()) };
    if let Some(header) = header.ok().filter(|header| header.version > 1) {
        let mark = Mark { synced: n_bytes, next: next.number };
        file.write_all_at(&mark.encode(header.salt), MARK_OFFSET as u64)?;
        file.sync_data()?;
    }
    Ok(())
}

impl Writer {
    /// Starts the file `number` in `dir`, after `previous`.
    pub(crate) fn create(
        dir: &Path,
        store: [u8; 16],
        number: u64,
        first_sequence: u64,
        previous: Option<PreviousFile>,
        faults: Arc<Faults>,
    ) -> io::Result<Self> {
        let header = FileHeader { version: VERSION, store, number, salt: salt()?, first_sequence, previous };
        let end = FILE_HEADER_BYTES as u64;
        let mut writer = Self { dir: dir.to_owned(), faults, file: None, header, end };
        match writer.begin() {
            Ok(()) => {}
            Err(WriteError::Full) => {
                tracing::error!(dir = %dir.display(), "disk is full: nothing is accepted until there is room");
            }
            Err(WriteError::Postponed(error) | WriteError::Failed(error)) => return Err(error),
        }
        Ok(writer)
    }

    /// Goes on in a file of this format that holds no record.
    pub(crate) fn go_on(dir: &Path, header: FileHeader, faults: Arc<Faults>) -> io::Result<Self> {
        let file = disk::writing().open(path_of(dir, header.number))?;
        let end = FILE_HEADER_BYTES as u64;
        Ok(Self { dir: dir.to_owned(), faults, file: Some(file), header, end })
    }

    /// Makes the file that the header describes.
    fn begin(&mut self) -> Result<(), WriteError> {
        let file = create(&self.dir, &self.header, &self.faults)?;
        seal(&self.dir, &self.header, &self.faults).map_err(WriteError::Failed)?;
        self.file = Some(file);
        Ok(())
    }

    /// Returns the number of the file being written.
    pub(crate) fn number(&self) -> u64 {
        self.header.number
    }

    /// Reports whether the file is there; it is not as long as there was no room for it.
    pub(crate) fn is_made(&self) -> bool {
        self.file.is_some()
    }

    /// Returns the salt of the file being written.
    pub(crate) fn salt(&self) -> u64 {
        self.header.salt
    }

    /// Returns where the next write goes.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Appends `bytes`, makes them durable and moves the mark of the file past them.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        if self.file.is_none() {
            self.begin().map_err(|error| match error {
                // There is no other file to continue in.
                WriteError::Postponed(error) => WriteError::Failed(error),
                other => other,
            })?;
        }
        let Some(file) = &self.file else { return Err(WriteError::Full) };
        let written = self.faults.check("wal.write").and_then(|()| file.write_all_at(bytes, self.end));
        match written {
            Ok(()) => {}
            Err(error) if is_full(&error) => {
                let truncated = self.faults.check("wal.truncate").and_then(|()| file.set_len(self.end));
                return Err(truncated.map_or_else(WriteError::Failed, |()| WriteError::Full));
            }
            Err(error) => return Err(WriteError::Failed(error)),
        }
        self.faults.check("wal.sync").and_then(|()| file.sync_data()).map_err(WriteError::Failed)?;
        self.end += bytes.len() as u64;
        let mark = Mark { synced: self.end, next: 0 }.encode(self.header.salt);
        // Not synced: it reaches the disk with the next sync, or when the system writes it. Without it, a start cannot
        // tell damage to the last commit from a torn tail; nothing else depends on it.
        let _ = self.faults.check("wal.mark").and_then(|()| file.write_all_at(&mark, MARK_OFFSET as u64));
        Ok(())
    }

    /// Goes on in the next file, whose first event has `first_sequence` or a later one.
    pub(crate) fn rotate(&mut self, first_sequence: u64) -> Result<(), WriteError> {
        if self.file.is_none() {
            self.header.first_sequence = first_sequence;
            return self.begin();
        }
        let previous = Some(PreviousFile { number: self.header.number, n_bytes: Some(self.end) });
        let salt = salt().map_err(WriteError::Postponed)?;
        let header = FileHeader { number: self.header.number + 1, salt, first_sequence, previous, ..self.header };
        let file = create(&self.dir, &header, &self.faults)?;
        seal(&self.dir, &header, &self.faults).map_err(WriteError::Failed)?;
        self.file = Some(file);
        self.header = header;
        self.end = FILE_HEADER_BYTES as u64;
        Ok(())
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
