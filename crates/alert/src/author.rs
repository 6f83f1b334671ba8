//! Who defines rules, channels and silences through the API, and why a definition is refused.

use types::{GroupPattern, GroupScope};

/// Who makes something.
#[derive(Clone, Debug)]
pub struct Author {
    /// What they are called.
    pub name: String,
    /// The groups that exist for them.
    pub scope: GroupScope,
    /// Whether they administrate.
    pub is_admin: bool,
}

/// Why something is not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// There is none with the name.
    #[error("there is no {0}")]
    NotFound(String),
    /// It is there already.
    #[error("there is {0} already")]
    Exists(String),
    /// It stands in a file.
    #[error("{what} stands in {file}; change it there")]
    InFile {
        /// The rule or channel.
        what: String,
        /// The file.
        file: String,
    },
    /// It is no rule, channel or silence.
    #[error("{0}")]
    Bad(String),
    /// Who makes it may not.
    #[error("{0}")]
    NotAllowed(String),
    /// It cannot be kept.
    #[error("not kept: {0}")]
    Kept(String),
}

/// A scope as it is kept; nothing for all groups.
pub(crate) fn scope_texts(scope: &GroupScope) -> Option<Vec<String>> {
    match scope {
        GroupScope::All => None,
        GroupScope::Matching(patterns) => Some(patterns.iter().map(|pattern| pattern.as_str().to_string()).collect()),
    }
}

/// A scope that was kept.
pub(crate) fn scope_of(texts: Option<&[String]>) -> GroupScope {
    match texts {
        None => GroupScope::All,
        Some(texts) => GroupScope::Matching(texts.iter().map(|text| GroupPattern::new(text.as_str())).collect()),
    }
}
