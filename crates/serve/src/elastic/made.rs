//! Indices that were made before they have an event.
//!
//! | kind | name | document |
//! |---|---|---|
//! | `elastic-index` | the index | `{"created": …}`: when it was made, in milliseconds |
//!
//! A group exists once it has an event; until then an index that was made is found, and is empty.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use types::GroupName;

use crate::elastic::Shared;
use door::problem::Problem;

/// The kind of documents that made indices are.
const KIND: &str = "elastic-index";

/// Most indices that are made and have no event yet.
const INDICES_MAX: usize = 1_000;

/// An index as the control store has it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Document {
    created: i64,
}

/// All made indices of a store, read once: every search asks for them.
#[derive(Debug, Default)]
pub(crate) struct Book {
    known: Mutex<Option<Arc<BTreeMap<String, Document>>>>,
    /// Held while they are looked at and then changed.
    changes: Mutex<()>,
}

impl Book {
    fn known(&self) -> MutexGuard<'_, Option<Arc<BTreeMap<String, Document>>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn all(server: &Shared) -> Result<Arc<BTreeMap<String, Document>>, Problem> {
    let mut known = server.state.made.known();
    if let Some(made) = &*known {
        return Ok(made.clone());
    }
    let documents = server.app.store.settings(KIND)?;
    let made = documents.into_iter().map(|(name, json)| (name, serde_json::from_str(&json).unwrap_or_default()));
    let made: Arc<BTreeMap<String, Document>> = Arc::new(made.collect());
    *known = Some(made.clone());
    Ok(made)
}

/// Whether an index was made.
pub(super) fn has(server: &Shared, group: &GroupName) -> Result<bool, Problem> {
    Ok(all(server)?.contains_key(group.as_str()))
}

/// The made indices that exist for the caller and have no event yet.
pub(super) fn empty(server: &Shared) -> Result<Vec<GroupName>, Problem> {
    let names = all(server)?;
    let names = names.keys().filter_map(|name| GroupName::new(name));
    Ok(names.filter(|name| server.reaches(name.as_str()) && !server.app.store.has_group(name)).collect())
}

/// Keeps that an index was made.
pub(super) fn make(server: &Shared, group: &GroupName) -> Result<(), Problem> {
    let _changing = server.state.made.changing();
    if all(server)?.len() >= INDICES_MAX {
        forget_those_with_events(server)?;
    }
    if all(server)?.len() >= INDICES_MAX {
        let message = format!("there are {INDICES_MAX} indices without an event already; delete some");
        return Err(Problem::bad_request("illegal_argument_exception", message));
    }
    let document = Document { created: server.now().0.div_euclid(1_000_000) };
    let json = serde_json::to_string(&document).map_err(|error| Problem::internal(error.to_string()))?;
    server.app.store.put_setting(KIND, group.as_str(), &json)?;
    *server.state.made.known() = None;
    Ok(())
}

/// Forgets that an index was made; tells whether it was.
pub(super) fn forget(server: &Shared, group: &GroupName) -> Result<bool, Problem> {
    let _changing = server.state.made.changing();
    let was_made = all(server)?.contains_key(group.as_str());
    if was_made {
        server.app.store.remove_setting(KIND, group.as_str())?;
        *server.state.made.known() = None;
    }
    Ok(was_made)
}

fn forget_those_with_events(server: &Shared) -> Result<(), Problem> {
    for name in all(server)?.keys() {
        if GroupName::new(name).is_none_or(|group| server.app.store.has_group(&group)) {
            server.app.store.remove_setting(KIND, name)?;
        }
    }
    *server.state.made.known() = None;
    Ok(())
}
