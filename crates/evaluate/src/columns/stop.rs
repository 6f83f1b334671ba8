//! Why rows could not be computed.

use spill::SpillError;
use types::ScanError;

/// What the computation of rows returns.
pub type Result<T, E = Stop> = std::result::Result<T, E>;

/// Why rows could not be computed.
#[derive(Clone, Debug)]
pub enum Stop {
    /// A block could not be read.
    Damaged(ScanError),
    /// More memory would be needed than the query may hold.
    Memory,
    /// What does not fit into memory cannot be kept on disk.
    Spill(SpillError),
    /// The query was cancelled or has run out of time.
    Over,
}

impl From<SpillError> for Stop {
    fn from(error: SpillError) -> Self {
        match error {
            // Asked whether it should go on, the budget said no.
            SpillError::Stopped => Self::Over,
            error => Self::Spill(error),
        }
    }
}

impl From<ScanError> for Stop {
    fn from(error: ScanError) -> Self {
        Self::Damaged(error)
    }
}
