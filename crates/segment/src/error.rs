//! Errors of writing a segment, and what reading one returns.

/// What reading a segment returns.
pub(crate) type Result<T, E = types::ScanError> = std::result::Result<T, E>;

/// Why a segment could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// Compression failed.
    #[error("segment cannot be compressed: {0}")]
    Compress(#[from] std::io::Error),
    /// The word index failed.
    #[error("word index cannot be built: {0}")]
    Words(#[from] tantivy::TantivyError),
    /// A segment whose events are to be written again cannot be read.
    #[error("{0}")]
    Unreadable(#[from] types::ScanError),
    /// Other events came than were announced.
    #[error("run has {found} events and not {expected}")]
    Rows {
        /// How many were announced.
        expected: u64,
        /// How many came.
        found: u64,
    },
    /// What was written is not what is read back.
    #[error("segment does not hold what was written into it: {0}")]
    Unfaithful(String),
    /// The store is being closed.
    #[error("writing was stopped")]
    Stopped,
}
