//! Filters that clients of another protocol saved.

/// A filter that counts or delivers events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedFilter {
    /// `metric filter` or `subscription filter`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// The group.
    pub group: String,
    /// Its filter pattern; an empty one finds all events.
    pub pattern: String,
}
