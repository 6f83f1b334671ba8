//! Which ids of events are known already: to the store, to another request, within a request.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use foldhash::fast::RandomState;
use storage::Store;
use types::{Column, GroupName, GroupPattern, Hold, ProbeField, RowSet, Run, ScanError, TextProbe, TimeRange, Value};
use xxhash_rust::xxh3::Xxh3;

use crate::{IngestError, Result};

/// Up to so many ids are asked of a block's filters one by one; for more of them its ids are read at once.
const PROBES_MAX: usize = 32;

/// How long a request waits for others that store the same ids: longer than storing takes on a server that is not
/// overloaded.
const CLAIM_PATIENCE: Duration = Duration::from_secs(10);

/// An id of an event within a group, hashed.
pub(crate) type Key = u128;

type Keys = HashSet<Key, RandomState>;

/// Ids that are looked for.
type Wanted<'i> = HashSet<&'i str, RandomState>;

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
pub struct Claims {
    claimed: Mutex<Keys>,
    /// Notified when ids are given back.
    released: Condvar,
}

/// Ids that one request has claimed; given back when dropped.
pub struct IdClaim<'c> {
    claims: &'c Claims,
    keys: Keys,
}

impl Drop for IdClaim<'_> {
    fn drop(&mut self) {
        if self.keys.is_empty() {
            return;
        }
        let mut claimed = self.claims.claimed.hold();
        self.keys.iter().for_each(|key| {
            claimed.remove(key);
        });
        self.claims.released.notify_all();
    }
}

impl IdClaim<'_> {
    /// Returns the number of distinct ids.
    pub(crate) fn n_ids(&self) -> usize {
        self.keys.len()
    }
}

/// Ids that a request itself has stored so far.
#[derive(Debug, Default)]
pub struct Within(HashSet<Key>);

impl Within {
    /// Reports whether the request has stored an id of a group.
    pub fn has(&self, group: &GroupName, id: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&key(group, id))
    }

    /// Notes that the request stores an id of a group.
    pub fn add(&mut self, group: &GroupName, id: &str) {
        self.0.insert(key(group, id));
    }
}

impl Claims {
    /// Returns an empty claim.
    pub fn none(&self) -> IdClaim<'_> {
        IdClaim { claims: self, keys: Keys::default() }
    }

    /// Claims ids as soon as no other request has one of them.
    ///
    /// # Errors
    /// If another request keeps one of them for too long.
    pub(crate) fn claim_all(&self, keys: &[Key]) -> Result<IdClaim<'_>> {
        let is_taken = |claimed: &mut Keys| !claimed.is_empty() && keys.iter().any(|key| claimed.contains(key));
        let claimed = self.claimed.hold();
        let waited = self.released.wait_timeout_while(claimed, CLAIM_PATIENCE, is_taken);
        let (mut claimed, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        types::ensure!(!timeout.timed_out(), IngestError::OnItsWay);
        claimed.extend(keys);
        drop(claimed);
        Ok(IdClaim { claims: self, keys: keys.iter().copied().collect() })
    }

    /// Claims ids of a group; says of each whether the request has it now, and nobody else.
    ///
    /// What another request stored before it gave its claim back is in a snapshot that is taken after the claim.
    pub fn claim<'i>(&self, group: &GroupName, ids: impl Iterator<Item = &'i str>, own: &mut IdClaim<'_>) -> Vec<bool> {
        let mut claimed = self.claimed.hold();
        let mut claim = |id| {
            let key = key(group, id);
            own.keys.contains(&key) || claimed.insert(key) && own.keys.insert(key)
        };
        ids.map(&mut claim).collect()
    }
}

/// A field with ids.
#[derive(Clone, Copy, Debug)]
pub enum IdField<'f> {
    /// Each value is one.
    One(&'f str),
    /// Each value is several with blanks between.
    List(&'f str),
}

/// Returns an id in sixteen letters and digits. Different ids practically never have the same ones.
pub fn hashed(id: &str) -> String {
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(id.as_bytes()))
}

/// Returns those of some ids that events of the group have in a field, within a range of time.
///
/// Deleted events are not there, and neither are those that damage keeps from being read.
pub fn known<'i>(
    store: &Store,
    group: &GroupName,
    (field, range): (IdField<'_>, TimeRange),
    wanted: &HashSet<&'i str>,
) -> HashSet<&'i str> {
    if wanted.is_empty() || !store.has_group(group) {
        return HashSet::new();
    }
    let snapshot = store.snapshot(&[GroupPattern::new(group.as_str())], range);
    // Asked for each id of the group: a slow hash would be much of the work.
    let wanted: Wanted<'i> = wanted.iter().copied().collect();
    let mut found = HashSet::new();
    for run in &snapshot.runs {
        // Damage is told by whoever asks for events; here it hides ids.
        let _ = find_in(&**run, (field, range), &wanted, &mut found);
    }
    found
}

fn find_in<'i>(
    run: &dyn Run,
    (field, range): (IdField<'_>, TimeRange),
    wanted: &Wanted<'i>,
    found: &mut HashSet<&'i str>,
) -> Result<(), ScanError> {
    let (IdField::One(name) | IdField::List(name)) = field;
    if !run.field_names()?.iter().any(|known| &**known == name) {
        return Ok(());
    }
    for block in 0..run.n_blocks() {
        let (first, last) = run.block_times(block);
        if !range.overlaps(first, last) {
            continue;
        }
        let rows = rows_to_read(run, block, field, wanted)?;
        if rows.is_empty() {
            continue;
        }
        for column in run.read(block, &[name], &rows)? {
            each_text(&column, |text| match field {
                IdField::One(_) => found.extend(wanted.get(text)),
                IdField::List(_) => found.extend(text.split(' ').filter_map(|id| wanted.get(id))),
            });
        }
    }
    Ok(())
}

/// Returns the rows of a block that may hold one of the ids.
pub(crate) fn rows_to_read<S>(
    run: &dyn Run,
    block: usize,
    field: IdField<'_>,
    wanted: &HashSet<&str, S>,
) -> Result<RowSet, ScanError> {
    let n_rows = run.block_rows(block);
    if wanted.len() > PROBES_MAX {
        return Ok(RowSet::all(n_rows));
    }
    let mut rows = RowSet::none(n_rows);
    for id in wanted {
        let (IdField::One(name) | IdField::List(name)) = field;
        let is_whole = matches!(field, IdField::One(_));
        let probe = TextProbe { field: ProbeField::Named(name), literal: id, ignores_case: false, is_whole };
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
