//! Which ids of documents are known already: to the store, to another request, within a request.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use storage::Store;
use types::{Column, GroupName, GroupPattern, ProbeField, RowSet, Run, ScanError, TextProbe, TimeRange, Value};
use xxhash_rust::xxh3::Xxh3;

use super::{Action, Item, Outcome};

/// The field that holds the id which a document was sent with.
const FIELD: &str = "_id";

/// Up to so many ids are asked of a block's filters one by one; for more of them its ids are read at once.
const PROBES_MAX: usize = 32;

/// An id of a document within a group, hashed.
type Key = u128;

fn key(group: &GroupName, id: &str) -> Key {
    let mut hasher = Xxh3::new();
    hasher.update(group.as_str().as_bytes());
    // No group name holds this byte.
    hasher.update(&[0]);
    hasher.update(id.as_bytes());
    hasher.digest128()
}

/// Ids that requests are about to store. Bounded by the requests under way, each of which is bounded.
#[derive(Debug, Default)]
pub(crate) struct Claims(Mutex<HashSet<Key>>);

/// Ids that one request has claimed; given back when dropped.
pub(super) struct Claimed<'c> {
    claims: &'c Claims,
    keys: Vec<Key>,
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        let mut claimed = self.claims.0.lock().unwrap_or_else(PoisonError::into_inner);
        self.keys.iter().for_each(|key| {
            claimed.remove(key);
        });
    }
}

/// Ids that a request itself has stored so far.
#[derive(Debug, Default)]
pub(super) struct Within(HashSet<Key>);

impl Within {
    pub(super) fn has(&self, group: &GroupName, id: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&key(group, id))
    }

    pub(super) fn add(&mut self, group: &GroupName, id: &str) {
        self.0.insert(key(group, id));
    }
}

/// Items of one group by the ids that they were sent with.
type ById<'i> = HashMap<&'i str, Vec<usize>>;

impl Claims {
    /// Claims the ids that are to be created, and says of those which cannot be why: others are about to store them,
    /// or the store has them.
    ///
    /// What another request stored before it gave its claim back is in the snapshot, which is taken after the claim.
    pub(super) fn settle(
        &self,
        store: &Store,
        items: &mut [Item<'_>],
        places: &[Option<(usize, GroupName)>],
    ) -> Claimed<'_> {
        let mut claimed = Claimed { claims: self, keys: Vec::new() };
        let mut wanted: HashMap<&GroupName, Vec<usize>> = HashMap::new();
        for (at, (item, place)) in items.iter().zip(places).enumerate() {
            if let Some((_, group)) = place
                && item.action == Action::Create
                && item.id.is_some()
            {
                wanted.entry(group).or_default().push(at);
            }
        }
        for (group, places) in wanted {
            let free = self.claim(group, &places, items, &mut claimed.keys);
            let mut by_id: ById<'_> = HashMap::new();
            for at in free {
                by_id.entry(items[at].id.as_deref().unwrap_or_default()).or_default().push(at);
            }
            for at in known(store, group, &by_id) {
                items[at].outcome = Outcome::Exists;
            }
        }
        claimed
    }

    /// Claims ids of a group; returns the items whose ids nobody else has claimed.
    fn claim(&self, group: &GroupName, places: &[usize], items: &mut [Item<'_>], own: &mut Vec<Key>) -> Vec<usize> {
        let mut mine = HashSet::new();
        let mut free = Vec::with_capacity(places.len());
        let mut claimed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for at in places {
            let key = key(group, items[*at].id.as_deref().unwrap_or_default());
            if mine.contains(&key) {
                free.push(*at);
            } else if claimed.insert(key) {
                mine.insert(key);
                own.push(key);
                free.push(*at);
            } else {
                items[*at].outcome = Outcome::Busy;
            }
        }
        free
    }
}

/// The items whose ids events of the group have.
fn known(store: &Store, group: &GroupName, wanted: &ById<'_>) -> Vec<usize> {
    if wanted.is_empty() || !store.has_group(group) {
        return Vec::new();
    }
    let snapshot = store.snapshot(&[GroupPattern::new(group.as_str())], TimeRange::ALL);
    let mut found = HashSet::new();
    for run in &snapshot.runs {
        // Damage is told by whoever asks for events; here it hides ids.
        let _ = find_in(&**run, wanted, &mut found);
    }
    found.into_iter().flat_map(|id| wanted.get(id).into_iter().flatten().copied()).collect()
}

fn find_in<'i>(run: &dyn Run, wanted: &ById<'i>, found: &mut HashSet<&'i str>) -> Result<(), ScanError> {
    if !run.field_names()?.iter().any(|name| &**name == FIELD) {
        return Ok(());
    }
    for block in 0..run.n_blocks() {
        let rows = rows_to_read(run, block, wanted)?;
        if rows.is_empty() {
            continue;
        }
        for column in run.read(block, &[FIELD], &rows)? {
            each_text(&column, |text| {
                if let Some((id, _)) = wanted.get_key_value(text) {
                    found.insert(id);
                }
            });
        }
    }
    Ok(())
}

/// The rows of a block that may have one of the ids.
fn rows_to_read(run: &dyn Run, block: usize, wanted: &ById<'_>) -> Result<RowSet, ScanError> {
    let n_rows = run.block_rows(block);
    if wanted.len() > PROBES_MAX {
        return Ok(RowSet::all(n_rows));
    }
    let mut rows = RowSet::none(n_rows);
    for id in wanted.keys() {
        let probe = TextProbe { field: ProbeField::Named(FIELD), literal: id, ignores_case: false };
        rows.or(&run.narrow(block, &probe)?.rows);
        if rows.is_all() {
            break;
        }
    }
    Ok(rows)
}

/// Hands over the texts of a column; numbers as they are written.
fn each_text(column: &Column, mut take: impl FnMut(&str)) {
    match column {
        Column::Missing { .. } => {}
        Column::Strings { values, .. } => values.iter().for_each(take),
        column => {
            for row in 0..column.n_rows() {
                match column.value(row) {
                    Some(Value::String(text)) => take(&text),
                    Some(other) => take(&other.to_string()),
                    None => {}
                }
            }
        }
    }
}
