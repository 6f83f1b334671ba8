//! Who asks for issues and incidents or changes them, and why a change is refused.

use storage::StoreError;
use types::GroupScope;

/// What a change returns.
pub(crate) type Result<T, E = ChangeError> = std::result::Result<T, E>;

/// Who asks or changes.
#[derive(Clone, Debug)]
pub struct Author {
    /// The name of the user or key.
    pub name: String,
    /// The groups that exist for them.
    pub scope: GroupScope,
}

/// Why a change is refused.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// A member of it is wrong.
    #[error("{0}")]
    Bad(String),
    /// There is none within reach: what it is, and its id.
    #[error("there is no {0} {1:?}")]
    NotFound(&'static str, String),
    /// It does not fit what is there.
    #[error("{0}")]
    Conflict(String),
    /// The control store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ChangeError {
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::Bad(message.into())
    }
}
