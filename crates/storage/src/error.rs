//! Why the store cannot be opened, and why work on it did not succeed.

use std::io;
use std::path::{Path, PathBuf};

use segment::SegmentError;
use types::{GroupName, ScanError};

use database::{DatabaseError, DatabaseProblem};

/// Why the store cannot be opened. Nothing in the data directory was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("data directory {dir} is in use by another catat (process {pid}); stop it or choose another --data-dir")]
    Locked {
        /// The data directory.
        dir: PathBuf,
        /// Process id of its user, `?` where it is not known.
        pid: String,
    },
    /// A later version wrote it.
    #[error("{file}: format {found} is newer than {known}, which this catat knows; start the newer catat")]
    NewerFormat {
        /// The file with that format.
        file: PathBuf,
        /// The format found.
        found: u64,
        /// The newest format known.
        known: u64,
    },
    /// The directory holds something else, or lost its `STORE` file.
    #[error("data directory {dir}: {problem}")]
    NotAStore {
        /// The data directory.
        dir: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A file or directory cannot be used.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The catalog or the control store cannot be used.
    #[error(transparent)]
    Database(DatabaseError),
    /// The object store is not described in a way that can be used.
    #[error("object store: {0}")]
    ObjectStore(String),
}

/// Why a flush or a deletion did not succeed. What was accepted is as safe as before.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or directory cannot be used.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The catalog or the control store cannot be written.
    #[error("{0}")]
    Catalog(#[from] DatabaseError),
    /// A segment cannot be made.
    #[error("{0}")]
    Segment(#[from] SegmentError),
    /// A segment cannot be read back after it was written.
    #[error("{0}")]
    Unreadable(#[from] ScanError),
    /// There is no such group.
    #[error("there is no log group \"{0}\"")]
    NoGroup(GroupName),
    /// A deletion names more scattered events than one deletion may.
    #[error("too many events at once: their list takes more than {bytes_max} bytes; delete a shorter range at a time")]
    TooManyEvents {
        /// The most it may take.
        bytes_max: usize,
    },
    /// Earlier deletions are still being carried out.
    #[error("{pending_max} deletions are still in progress; try again when one has finished")]
    TooManyDeletions {
        /// How many there may be.
        pending_max: usize,
    },
    /// A segment cannot be moved to the object store or back.
    #[error("segment {file} was not moved: {source}")]
    Move {
        /// The file of the segment, as it is and stays.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// Writing the WAL failed earlier.
    #[error("store accepts no changes since writing the wal failed: {0}")]
    Poisoned(String),
    /// The control store is lost.
    #[error("{0}")]
    Locked(String),
    /// The store is being closed.
    #[error("store is shutting down")]
    ShuttingDown,
}

impl OpenError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

impl From<DatabaseError> for OpenError {
    fn from(error: DatabaseError) -> Self {
        match error.problem {
            DatabaseProblem::Newer { found, known } => Self::NewerFormat { file: error.database.into(), found, known },
            _ => Self::Database(error),
        }
    }
}

impl StoreError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}
