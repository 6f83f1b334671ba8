//! The sender of a request.

use std::collections::BTreeSet;
use std::sync::Mutex;

use storage::BatchKey;
use types::{GroupName, GroupScope, Hold, Timestamp};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// The sender of a request, and the time of its arrival.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// The sender's name: ids of batches of different senders are different.
    pub name: &'a str,
    /// The groups that the sender may write to.
    pub within: &'a GroupScope,
    /// The sender's id of the batch, so that it is stored once.
    pub batch_id: Option<&'a str>,
    /// When it arrived.
    pub now: Timestamp,
    /// Where the groups of the request are noted, if they are.
    pub groups: Option<&'a GroupNotes>,
}

/// Most groups noted of one request.
const NOTED_MAX: usize = 32;

/// The groups that a request has sent to: the first of them.
#[derive(Debug, Default)]
pub struct GroupNotes(Mutex<BTreeSet<GroupName>>);

impl GroupNotes {
    pub(crate) fn note(&self, group: &GroupName) {
        let mut noted = self.0.hold();
        if noted.len() < NOTED_MAX {
            noted.insert(group.clone());
        }
    }

    /// Takes the groups noted so far.
    pub fn take(&self) -> BTreeSet<GroupName> {
        std::mem::take(&mut *self.0.hold())
    }
}

impl Sender<'_> {
    /// Returns the key of the batch if the sender named the batch.
    pub fn batch_key(&self, body: &[u8]) -> Option<BatchKey> {
        let id = self.batch_id?;
        let mut hasher = Xxh3::new();
        hasher.update(&(self.name.len() as u64).to_le_bytes());
        hasher.update(self.name.as_bytes());
        hasher.update(id.as_bytes());
        Some(BatchKey { id: hasher.digest128().to_le_bytes(), digest: xxh3_128(body).to_le_bytes() })
    }
}
