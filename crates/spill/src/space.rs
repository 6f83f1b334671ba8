//! The disk that sorters may use: one directory, with a limit over all of them.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// Names of our files end like this; they exist for the instant between creating and unlinking one.
const SUFFIX: &str = ".spill";

/// Why records could not be kept on disk, or not be read back.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SpillError {
    /// All sorters together would use more than they may.
    #[error("temporary files would exceed {bytes_max} bytes")]
    Limit {
        /// What they may use.
        bytes_max: u64,
    },
    /// The file system has too little room.
    #[error("{dir}: the disk is full: {bytes_free} bytes are free and {bytes_reserved} are kept in reserve")]
    DiskFull {
        /// The directory of the files.
        dir: PathBuf,
        /// Bytes that are free.
        bytes_free: u64,
        /// Bytes that must stay free.
        bytes_reserved: u64,
    },
    /// The operating system refused.
    #[error("{dir}: {error}")]
    Io {
        /// The directory of the files.
        dir: PathBuf,
        /// What it said.
        error: Arc<io::Error>,
    },
    /// What was read is not what was written.
    #[error("{dir}: a temporary file is damaged at byte {offset}")]
    Damaged {
        /// The directory of the files.
        dir: PathBuf,
        /// Where in the file.
        offset: u64,
    },
    /// A record that was read is none of its owner's.
    #[error("a record in a temporary file cannot be read: {reason}")]
    Record {
        /// What is wrong with it.
        reason: String,
    },
    /// The caller wants no more.
    #[error("stopped")]
    Stopped,
}

/// A directory for temporary files, and how many bytes they may have together.
#[derive(Debug)]
pub struct SpillSpace {
    dir: PathBuf,
    bytes_max: u64,
    bytes_reserved: u64,
    bytes_used: AtomicU64,
    next: AtomicU64,
}

impl SpillSpace {
    /// Creates the directory, for its owner alone, and deletes what an earlier process left in it.
    ///
    /// Units: `bytes_max` is what all files together may have; `bytes_reserved` must stay free on the file system.
    /// Errors: the directory cannot be created or read, or a file in it cannot be deleted.
    pub fn open(dir: &Path, bytes_max: u64, bytes_reserved: u64) -> io::Result<Arc<Self>> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().ends_with(SUFFIX) {
                std::fs::remove_file(entry.path())?;
            }
        }
        let (bytes_used, next) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Arc::new(Self { dir: dir.to_owned(), bytes_max, bytes_reserved, bytes_used, next }))
    }

    /// Returns the bytes that all files have now.
    pub fn bytes_used(&self) -> u64 {
        self.bytes_used.load(Relaxed)
    }

    /// Creates a file without a name.
    pub(crate) fn create(self: &Arc<Self>) -> Result<SpillFile, SpillError> {
        let name = format!("{}-{}{SUFFIX}", std::process::id(), self.next.fetch_add(1, Relaxed));
        let path = self.dir.join(name);
        let made = File::options().read(true).write(true).create_new(true).mode(0o600).open(&path);
        let file = made.map_err(|error| self.failed(error))?;
        // From here on the bytes go with the process, even where it is killed.
        std::fs::remove_file(&path).map_err(|error| self.failed(error))?;
        Ok(SpillFile { file, space: self.clone(), n_bytes: 0 })
    }

    fn failed(&self, error: io::Error) -> SpillError {
        if error.kind() == io::ErrorKind::StorageFull {
            return self.full(0);
        }
        SpillError::Io { dir: self.dir.clone(), error: Arc::new(error) }
    }

    fn full(&self, bytes_free: u64) -> SpillError {
        SpillError::DiskFull { dir: self.dir.clone(), bytes_free, bytes_reserved: self.bytes_reserved }
    }

    /// Takes `n_bytes` of the space, if the file system has them as well.
    fn take(&self, n_bytes: u64) -> Result<(), SpillError> {
        let stat = rustix::fs::statvfs(&self.dir).map_err(|error| self.failed(error.into()))?;
        let bytes_free = stat.f_bavail.saturating_mul(stat.f_frsize);
        if bytes_free.saturating_sub(n_bytes) < self.bytes_reserved {
            return Err(self.full(bytes_free));
        }
        let more = |used: u64| used.checked_add(n_bytes).filter(|used| *used <= self.bytes_max);
        let taken = self.bytes_used.fetch_update(Relaxed, Relaxed, more);
        taken.map(drop).map_err(|_| SpillError::Limit { bytes_max: self.bytes_max })
    }
}

/// A file without a name; its bytes are the space's again once it is dropped.
#[derive(Debug)]
pub(crate) struct SpillFile {
    file: File,
    space: Arc<SpillSpace>,
    n_bytes: u64,
}

impl SpillFile {
    /// Returns how long it is.
    pub(crate) fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// Appends bytes.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), SpillError> {
        self.space.take(bytes.len() as u64)?;
        self.n_bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|error| self.space.failed(error))
    }

    /// Fills `bytes` with those from `offset` on.
    pub(crate) fn read_at(&self, bytes: &mut [u8], offset: u64) -> Result<(), SpillError> {
        self.file.read_exact_at(bytes, offset).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.damaged(offset),
            _ => self.space.failed(error),
        })
    }

    /// Returns the error that what stands at `offset` was not written by us.
    pub(crate) fn damaged(&self, offset: u64) -> SpillError {
        SpillError::Damaged { dir: self.space.dir.clone(), offset }
    }
}

impl Drop for SpillFile {
    fn drop(&mut self) {
        self.space.bytes_used.fetch_sub(self.n_bytes, Relaxed);
    }
}

#[cfg(test)]
impl SpillFile {
    /// Damages the file.
    pub(crate) fn overwrite(&self, bytes: &[u8], offset: u64) {
        self.file.write_all_at(bytes, offset).expect("the file is open");
    }
}
