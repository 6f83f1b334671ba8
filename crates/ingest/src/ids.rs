//! Which ids of events are known already: to the store, to another request, within a request.

mod known;

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use foldhash::fast::RandomState;
use types::{GroupName, Hold};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

use crate::{IngestError, Result};

pub use known::KnownIds;
pub(crate) use known::rows_to_read;

/// How long a request waits for others that store the same ids: longer than storing takes on a server that is not
/// overloaded.
const CLAIM_PATIENCE: Duration = Duration::from_secs(10);

/// An id of an event within a group, hashed.
pub(crate) type Key = u128;

type Keys = HashSet<Key, RandomState>;

/// Returns what keys of ids of a group begin with.
fn seed(group: &GroupName) -> u64 {
    xxh3_64(group.as_str().as_bytes())
}

fn key(seed: u64, id: &str) -> Key {
    xxh3_128_with_seed(id.as_bytes(), seed)
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
    pub fn n_ids(&self) -> usize {
        self.keys.len()
    }
}

/// Ids that a request itself has stored so far.
#[derive(Debug, Default)]
pub struct Within(HashSet<Key>);

impl Within {
    /// Reports whether the request has stored an id of a group.
    pub fn has(&self, group: &GroupName, id: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&key(seed(group), id))
    }

    /// Notes that the request stores an id of a group.
    pub fn add(&mut self, group: &GroupName, id: &str) {
        self.0.insert(key(seed(group), id));
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
        let seed = seed(group);
        let mut claim = |id| {
            let key = key(seed, id);
            if claimed.insert(key) { own.keys.insert(key) } else { own.keys.contains(&key) }
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
