//! Why a decision about an issue is refused.

use storage::StoreError;

/// Why a decision is refused.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// A member of it is wrong.
    #[error("{0}")]
    Bad(String),
    /// There is no such issue within reach.
    #[error("there is no issue {0:?}")]
    NotFound(String),
    /// It does not fit what was decided before.
    #[error("{0}")]
    Conflict(String),
    /// The control store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IssueError {
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::Bad(message.into())
    }
}
