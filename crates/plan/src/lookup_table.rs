//! Uploaded tables as they are stored.
//!
//! A table of a caller who is limited to groups exists only for those who may read all of these groups. One of a caller without such a
//! limit is for everybody to read.

use serde_json::{Value, json};
use types::{GroupPattern, GroupScope};

/// A table, and the groups that its author was limited to.
#[derive(Debug)]
pub struct LookupTable {
    /// The rows, with a header.
    pub csv: String,
    /// The groups.
    pub scope: GroupScope,
}

impl LookupTable {
    /// The kind of documents that tables are among the settings.
    pub const KIND: &'static str = "lookup";

    /// Reads a document; `None` if it is no table.
    pub fn of_json(json: &str) -> Option<Self> {
        let Value::Object(mut document) = serde_json::from_str(json).ok()? else { return None };
        let scope = match document.get("groups") {
            None => GroupScope::All,
            Some(groups) => {
                let patterns = groups.as_array()?.iter().map(|pattern| pattern.as_str().map(GroupPattern::new));
                GroupScope::Matching(patterns.collect::<Option<_>>()?)
            }
        };
        let Value::String(csv) = document.remove("csv")? else { return None };
        Some(Self { csv, scope })
    }

    /// Returns the document of a table of a caller.
    pub fn json(csv: &str, caller: &GroupScope) -> String {
        let mut document = json!({ "csv": csv });
        if let GroupScope::Matching(patterns) = caller
            && !caller.is_everything()
        {
            document["groups"] = patterns.iter().map(GroupPattern::as_str).collect();
        }
        document.to_string()
    }

    /// Reports whether a caller may read a table of this scope.
    pub fn is_seen(table: &GroupScope, caller: &GroupScope) -> bool {
        *table == GroupScope::All || Self::is_own(table, caller)
    }

    /// Reports whether a caller may change a table of this scope.
    pub fn is_own(table: &GroupScope, caller: &GroupScope) -> bool {
        match table {
            _ if caller.is_everything() => true,
            GroupScope::All => false,
            GroupScope::Matching(patterns) => patterns.iter().all(|pattern| caller.admits(pattern.as_str())),
        }
    }
}
