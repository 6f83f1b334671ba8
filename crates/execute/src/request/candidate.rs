//! A row that may be shown.

use types::Value;

use crate::request::item::Item;
use evaluate::{Place, value_bytes};

/// A row that may be shown.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) keys: Box<[Option<Value>]>,
    pub(crate) place: Place,
    pub(crate) item: u32,
    pub(crate) row: u32,
}

impl Candidate {
    /// Returns the block that it was found in.
    pub(crate) fn item<'i>(&self, items: &'i [Item]) -> &'i Item {
        &items[self.item as usize]
    }
}

pub(crate) fn candidate_bytes(candidate: &Candidate) -> usize {
    CANDIDATE_BYTES + candidate.keys.iter().flatten().map(|value| 24 + value_bytes(value)).sum::<usize>()
}

/// Bytes of a candidate next to its keys.
pub(crate) const CANDIDATE_BYTES: usize = 64;
