//! Columns of answers.

use serde::Deserialize;

/// Members of things in lists that are times.
pub(super) const TIMES: [&str; 13] = [
    "created",
    "ends_at",
    "expires",
    "first",
    "from",
    "last",
    "last_seen",
    "last_used",
    "next",
    "reclaimed",
    "starts_at",
    "to",
    "undo_until",
];

/// A column of an answer.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Whether its cells are times.
    #[serde(default, rename = "type", deserialize_with = "is_time")]
    pub(crate) is_time: bool,
}

impl Column {
    /// Returns a column of any values.
    pub(crate) fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), is_time: false }
    }

    /// Returns the column of a member in a list from the server.
    pub(super) fn of_thing(name: &str) -> Self {
        Self { name: name.to_owned(), is_time: TIMES.contains(&name) }
    }
}

fn is_time<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(String::deserialize(deserializer)? == "timestamp")
}
