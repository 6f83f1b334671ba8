//! Who defines rules, channels and silences through the API, and why a definition is refused.

use types::GroupScope;

/// The author of a definition.
#[derive(Clone, Debug)]
pub struct Author {
    /// The name of the user or key.
    pub name: String,
    /// The groups that exist for them.
    pub scope: GroupScope,
    /// Whether the author is an administrator.
    pub is_admin: bool,
}

/// Why a definition is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// It does not exist.
    #[error("there is no {0}")]
    NotFound(String),
    /// It exists already.
    #[error("there is {0} already")]
    Exists(String),
    /// It is defined in a file.
    #[error("{what} is defined in {file}; change it there")]
    InFile {
        /// The rule or channel.
        what: String,
        /// The file.
        file: String,
    },
    /// It is not a valid rule, channel or silence.
    #[error("{0}")]
    Bad(String),
    /// The author has no permission.
    #[error("{0}")]
    NotAllowed(String),
    /// It cannot be saved.
    #[error("not saved: {0}")]
    Kept(String),
}
