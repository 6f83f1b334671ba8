//! Which groups someone may reach. Outside of it nothing exists for them.

use crate::GroupPattern;

/// The groups that someone may reach: all of them, or those that match one of some patterns.
///
/// Unlike a list of patterns that was asked for, an empty one admits nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupScope {
    /// Every group, also those that do not exist yet.
    All,
    /// The groups that match one of these.
    Matching(Vec<GroupPattern>),
}

impl GroupScope {
    /// Returns the scope that is stored as the texts of patterns; none for everything.
    pub fn of_texts(patterns: Option<&[String]>) -> Self {
        patterns.map_or(Self::All, |texts| Self::Matching(texts.iter().map(GroupPattern::new).collect()))
    }

    /// Returns the texts of the patterns to store; none for everything.
    pub fn texts(&self) -> Option<Vec<String>> {
        match self {
            Self::All => None,
            Self::Matching(patterns) => Some(patterns.iter().map(|pattern| pattern.as_str().to_owned()).collect()),
        }
    }

    /// Whether the group is within reach.
    pub fn admits(&self, group: &str) -> bool {
        match self {
            Self::All => true,
            Self::Matching(patterns) => patterns.iter().any(|pattern| pattern.matches(group)),
        }
    }

    /// Whether every group is.
    pub fn is_everything(&self) -> bool {
        match self {
            Self::All => true,
            Self::Matching(patterns) => patterns
                .iter()
                .any(|pattern| pattern.as_str().bytes().all(|b| b == b'*') && !pattern.as_str().is_empty()),
        }
    }

    /// Whether every group that another scope may admit is. A `*` of a pattern is only taken up by one here, which takes
    /// up all that it may stand for.
    pub fn covers(&self, other: &Self) -> bool {
        match other {
            _ if self.is_everything() => true,
            Self::All => false,
            Self::Matching(patterns) => patterns.iter().all(|pattern| self.admits(pattern.as_str())),
        }
    }
}

#[cfg(test)]
mod tests;
