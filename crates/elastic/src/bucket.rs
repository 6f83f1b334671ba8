//! Buckets of aggregations under construction: candidates from the rows of a plan, and parents to be filled.

use serde_json::{Map, Value as Json};
use types::Value;

/// A bucket whose aggregations are to be filled in.
pub(super) struct Parent {
    pub(super) key: Vec<Option<Value>>,
    pub(super) object: Map<String, Json>,
}

/// Returns a key as a text for maps.
pub(super) fn place_of(key: &[Option<Value>]) -> String {
    format!("{key:?}")
}

/// A bucket from a row of a plan: its own part of the key, its count, and its members in the answer.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) key: Vec<Option<Value>>,
    pub(super) count: u64,
    pub(super) object: Map<String, Json>,
}
