//! Who asks for incidents or changes them, and why a change is refused.

use storage::StoreError;
use types::GroupScope;

/// Who asks or changes.
#[derive(Clone, Debug)]
pub struct IncidentAuthor {
    /// The name of the user or key.
    pub name: String,
    /// The groups that exist for them.
    pub scope: GroupScope,
}

/// Why a change is refused.
#[derive(Debug, thiserror::Error)]
pub enum IncidentError {
    /// A member of it is wrong.
    #[error("{0}")]
    Bad(String),
    /// There is no such incident within reach.
    #[error("there is no incident {0:?}")]
    NotFound(String),
    /// It does not fit what is there.
    #[error("{0}")]
    Conflict(String),
    /// The control store.
    #[error(transparent)]
    Store(#[from] StoreError),
}
