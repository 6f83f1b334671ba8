//! Why events could not be published.

use std::io;
use std::sync::Arc;

use parquet::errors::ParquetError;
use types::ScanError;

/// Why events could not be published. What is published already stays as it is, and the next round tries again.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Events of a segment cannot be read.
    #[error("{0}")]
    Unreadable(#[from] ScanError),
    /// A file of the table could not be made.
    #[error("Parquet: {0}")]
    Parquet(#[from] ParquetError),
    /// The place of the tables cannot be read or written.
    #[error("{0}")]
    Place(#[from] io::Error),
    /// A file of the table says something that nobody wrote.
    #[error("{file}: {problem}")]
    Damaged {
        /// The file, relative to the place.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// The folder of the table is somebody else's.
    #[error("{folder} has the table of {owner}; give each store a place of its own")]
    Taken {
        /// The folder.
        folder: String,
        /// Whose it is.
        owner: String,
    },
    /// Someone else has changed the table since it was read.
    #[error("{0} was changed by another server at the same time")]
    Overtaken(String),
    /// The server stops.
    #[error("the server stops")]
    Closing,
    /// A whole number of a field of decimal numbers is not exact among them, so it needs a column of whole numbers.
    #[error("{0} has whole numbers that a decimal one cannot be")]
    NeedsLongs(Arc<str>),
}
