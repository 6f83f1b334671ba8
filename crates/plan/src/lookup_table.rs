//! Uploaded tables as they are stored.
//!
//! A table that a caller limited to groups uploads is visible only to callers who may read all of these groups. Every
//! caller may read a table of a caller without such a limit.

use serde_json::{Value, json};
use types::{GroupPattern, GroupScope};

/// An uploaded table.
#[derive(Debug)]
pub struct LookupTable {
    /// The header and the rows.
    pub csv: String,
    /// The groups that the author was limited to.
    pub scope: GroupScope,
}

impl LookupTable {
    /// The kind of the settings documents that contain tables.
    pub const KIND: &'static str = "lookup";

    /// Reads the document of a table; `None` if it is not valid.
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

    /// Returns the document of a table that `caller` uploads.
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
        *table == GroupScope::All || caller.covers(table)
    }
}
