//! Why a shipper cannot start.

use crate::checkpoint::CheckpointError;
use std::path::PathBuf;

/// Why a shipper cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ShipError {
    /// The state directory cannot be used.
    #[error(transparent)]
    State(#[from] CheckpointError),
    /// Lines of an input cannot be kept.
    #[error("disk buffer {path}: {error}")]
    Spool {
        /// The directory.
        path: PathBuf,
        /// The error of the operating system.
        error: std::io::Error,
    },
    /// A thread cannot be started.
    #[error("thread for shipping: {0}")]
    Thread(std::io::Error),
}
