//! Columns of answers.

use serde::Deserialize;

/// Members of things in lists that are times.
const TIMES: [&str; 13] = [
    "created", "ends_at", "expires", "first", "from", "last", "last_seen", "last_used", "next", "reclaimed",
    "starts_at", "to", "undo_until",
];

/// What the cells of a column are, where that decides how people see them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Other,
    Time,
    Bytes,
    /// A part of a whole, from 0 to 1.
    Share,
}

/// A column of an answer.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    #[serde(default, rename = "type", deserialize_with = "kind_of_type")]
    pub(crate) kind: Kind,
}

impl Column {
    /// Returns a column of any values.
    pub(crate) fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: Kind::Other }
    }

    /// Returns the column of a member in a list from the server, which has the member at a place in each thing.
    pub(super) fn of_thing(name: &str, place: &str) -> Self {
        let kind = match place.rsplit('/').next().unwrap_or(place) {
            _ if TIMES.contains(&name) => Kind::Time,
            member if member.split('_').any(|word| word == "bytes") => Kind::Bytes,
            member if member.ends_with("share") => Kind::Share,
            _ => Kind::Other,
        };
        Self { name: name.to_owned(), kind }
    }
}

fn kind_of_type<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Kind, D::Error> {
    Ok(if String::deserialize(deserializer)? == "timestamp" { Kind::Time } else { Kind::Other })
}
