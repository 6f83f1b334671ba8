//! Indices that were created before they have an event.
//!
//! | kind | name | document |
//! |---|---|---|
//! | `elastic-index` | the index | `{"created": …}`: when it was created, in milliseconds |
//!
//! A group exists once it has an event. Until then an index that was created is found, and is empty.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;
use types::GroupName;

use super::state::Shared;
use door::{Problem, Result};

/// The kind of the documents.
const KIND: &str = "elastic-index";

/// Limit on the indices that were created and have no event yet.
const INDICES_MAX: usize = 1_000;

/// Returns the names of all indices that were created.
fn all(server: &Shared) -> Result<Arc<BTreeSet<String>>> {
    let read = || Ok(server.settings().all(KIND)?.into_iter().map(|(name, _)| name).collect());
    server.state.created.get(read)
}

/// Reports whether an index was created.
pub(super) fn has(server: &Shared, group: &GroupName) -> Result<bool> {
    Ok(all(server)?.contains(group.as_str()))
}

/// Returns the created indices that exist for the caller and have no event yet.
pub(super) fn empty(server: &Shared) -> Result<Vec<GroupName>> {
    let names = all(server)?;
    let names = names.iter().filter_map(|name| GroupName::new(name));
    Ok(names.filter(|name| server.reaches(name.as_str()) && !server.store().has_group(name)).collect())
}

/// Creates an index.
pub(super) fn create(server: &Shared, group: &GroupName) -> Result<()> {
    let _changes = server.state.created.lock();
    if all(server)?.len() >= INDICES_MAX {
        forget_those_with_events(server)?;
    }
    if all(server)?.len() >= INDICES_MAX {
        let message = format!("there are {INDICES_MAX} indices without an event already; delete some");
        return Err(Problem::bad_request("illegal_argument_exception", message));
    }
    let json = json!({"created": server.now().0.div_euclid(1_000_000)}).to_string();
    server.settings().put(KIND, group.as_str(), &json)?;
    server.state.created.invalidate();
    Ok(())
}

/// Forgets that an index was created.
pub(super) fn forget(server: &Shared, group: &GroupName) -> Result<()> {
    let _changes = server.state.created.lock();
    if all(server)?.contains(group.as_str()) {
        server.settings().remove(KIND, group.as_str())?;
        server.state.created.invalidate();
    }
    Ok(())
}

fn forget_those_with_events(server: &Shared) -> Result<()> {
    for name in all(server)?.iter() {
        if GroupName::new(name).is_none_or(|group| server.whole_store().has_group(&group)) {
            server.settings().remove(KIND, name)?;
        }
    }
    server.state.created.invalidate();
    Ok(())
}
