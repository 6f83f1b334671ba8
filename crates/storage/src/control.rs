//! The control store: what people have set, as opposed to what was accepted. Kept apart from the catalog, since it
//! cannot be rebuilt from anything.
//!
//! Settings are documents: JSON texts, each with a kind and a name. The owner of a kind decides what its documents look
//! like; a new kind needs no new table, and every kind is kept, copied and moved to another database in the same
//! way. Nothing here is read often: users of settings keep them in memory.
//!
//! Tables of version 3 (in a file there is a digest of them as well, see `sqlite`):
//!
//! ```text
//! settings(kind, name, json, version)   version: from 1 on, rises with every change of the document
//! identity(store)                       UUID of the store that this is the control store of
//! ```
//!
//! PostgreSQL also has the tables of `states`, which the nodes of a fleet share. They are not settings: they are not
//! copied, and another database begins without them.
//!
//! Version 1 had `retention(group_name, age_ns, bytes)` instead, version 2 no digest.
//!
//! | kind | name | document |
//! |---|---|---|
//! | `retention` | the log group | `{"age_ns": integer or null, "bytes": integer or null}`: its own limits |
//! | `trim` | the log group | `{"group": number, "trims": [[before, since, sequences_end], …]}`: what its limits hide (`retention::trims`) |
//! | `key`, `key-secret`, `key-use` | the id | keys of senders and readers: hashes, no secrets; their uses (owned by `door`, `access/keys.rs`) |
//! | `sessions` | the user's name | who is signed in: hashes, no tokens (owned by `door`, `users/stored_sessions.rs`) |
//! | `user` | the name | people: hashes of passwords, roles (owned by `door`, `users.rs`) |
//! | `cloudwatch` | the log group | what Amazon's clients have said of it: streams, tags (owned by `cloudwatch`) |
//! | `protection` | the log group | `{}`: it may not be deleted by hand (owned by `door`, `protection.rs`) |
//! | `lookup` | the table | `{"csv": text}`: a table that queries look up, with a header (owned by `door`, `tables.rs`) |
//! | `view` | the id | saved queries and views of people (owned by `api`, `views.rs`) |
//! | `metric` | the metric | metrics made of events, with the last event before them (owned by `alert`, `metrics.rs`) |
//! | `acknowledgement` | the alert and when it began | acknowledgements in a fleet, while their alerts fire (owned by `alert`, `engine/following.rs`) |
//! | `source` | a hash of the source | what a shipper and its files are called (owned by `ingest`, `sources/stored_names.rs`) |

pub(crate) mod postgres;
pub(crate) mod sqlite;
pub(crate) mod states;

use std::collections::BTreeMap;

use types::GroupName;

use crate::GroupRetention;
use crate::retention::{Trim, Trims};
use database::{Result, signed, unsigned};

/// The kind of documents with the limits of groups.
const RETENTION: &str = "retention";

/// The kind of documents with what those hide inside segments of several days.
const TRIM: &str = "trim";

/// The control store of one store. Every change is durable when it returns.
pub(crate) trait ControlStore: Send {
    /// Returns all documents of a kind: name and text.
    fn documents(&mut self, kind: &str) -> Result<Vec<(String, String)>>;

    /// Puts a document in the place of the one with its kind and name.
    fn put(&mut self, kind: &str, name: &str, json: &str) -> Result<()>;

    /// Takes a document away; one that is not there is no error.
    fn remove(&mut self, kind: &str, name: &str) -> Result<()>;

    /// Returns everything that is set.
    fn load(&mut self) -> Result<Vec<Document>>;

    /// Finds out whether it can be used now. One in the data directory can.
    fn check(&mut self) -> Result<()> {
        Ok(())
    }

    /// Puts what another control store of the store held in the place of everything here.
    fn fill(&mut self, documents: &[Document]) -> Result<()>;
}

/// A document with everything that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) json: String,
    pub(crate) version: i64,
}

/// Returns the limits of all groups that have some. A document that cannot be read is reported in the log; the group's
/// events are then kept as if it had no limits.
pub(crate) fn retentions(store: &mut dyn ControlStore) -> Result<BTreeMap<GroupName, GroupRetention>> {
    let mut retentions = BTreeMap::new();
    for (name, json) in store.documents(RETENTION)? {
        match (GroupName::new(&name), read_retention(&json)) {
            (Some(group), Some(retention)) => drop(retentions.insert(group, retention)),
            _ => tracing::error!(name, json, "limits of a group cannot be read from the control store"),
        }
    }
    Ok(retentions)
}

/// Sets a group's limits; none takes them away.
pub(crate) fn set_retention(store: &mut dyn ControlStore, group: &GroupName, retention: &GroupRetention) -> Result<()> {
    if *retention == GroupRetention::default() {
        return store.remove(RETENTION, group.as_str());
    }
    let GroupRetention { age_ns, bytes } = retention;
    let json = serde_json::json!({ "age_ns": age_ns, "bytes": bytes });
    store.put(RETENTION, group.as_str(), &json.to_string())
}

/// Returns what retention hides inside segments of several days. A document that cannot be read is reported in the log;
/// the next turn of retention hides the events again.
pub(crate) fn trims(store: &mut dyn ControlStore) -> Result<Trims> {
    let mut trims = Trims::new();
    for (name, json) in store.documents(TRIM)? {
        match read_trims(&json) {
            Some((group_id, of_group)) => drop(trims.insert(group_id, of_group)),
            None => tracing::error!(name, json, "expired events of a group cannot be read from the control store"),
        }
    }
    Ok(trims)
}

/// Sets what retention hides of a group; nothing takes the document away.
pub(crate) fn set_trims(store: &mut dyn ControlStore, group: &GroupName, group_id: u32, trims: &[Trim]) -> Result<()> {
    if trims.is_empty() {
        return store.remove(TRIM, group.as_str());
    }
    let trims: Vec<[i64; 3]> = trims.iter().map(|trim| [trim.before, trim.since, signed(trim.sequences_end)]).collect();
    let json = serde_json::json!({ "group": group_id, "trims": trims });
    store.put(TRIM, group.as_str(), &json.to_string())
}

fn read_trims(json: &str) -> Option<(u32, Vec<Trim>)> {
    let document: serde_json::Value = serde_json::from_str(json).ok()?;
    let group_id = u32::try_from(document.get("group")?.as_u64()?).ok()?;
    let mut trims = Vec::new();
    for trim in document.get("trims")?.as_array()? {
        let number = |at: usize| trim.get(at)?.as_i64();
        let (before, since, sequences_end) = (number(0)?, number(1)?, unsigned(number(2)?));
        trims.push(Trim { before, since, sequences_end });
    }
    Some((group_id, trims))
}

fn read_retention(json: &str) -> Option<GroupRetention> {
    let document: serde_json::Value = serde_json::from_str(json).ok()?;
    let limit = |name: &str| document.get(name).filter(|value| !value.is_null());
    let age_ns = limit("age_ns").map(|value| value.as_i64().ok_or(())).transpose().ok()?;
    let bytes = limit("bytes").map(|value| value.as_u64().ok_or(())).transpose().ok()?;
    document.is_object().then_some(GroupRetention { age_ns, bytes })
}

#[cfg(test)]
mod tests;
