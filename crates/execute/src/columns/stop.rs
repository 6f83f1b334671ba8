//! Why rows could not be computed.

use types::ScanError;

/// Why rows could not be computed.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    /// A block could not be read.
    Damaged(ScanError),
    /// More memory would be needed than the query may hold.
    Memory,
    /// The query was cancelled or has run out of time.
    Over,
}

impl From<ScanError> for Stop {
    fn from(error: ScanError) -> Self {
        Self::Damaged(error)
    }
}
