//! Buckets of aggregations while they grow: candidates from the rows of a plan, and parents whose contents are wanted.

use serde_json::{Map, Value as Json};
use types::Value;

/// A bucket whose contents are wanted.
pub(super) struct Parent {
    pub(super) key: Vec<Option<Value>>,
    pub(super) object: Map<String, Json>,
}

/// A key as something that can be looked up.
pub(super) fn place_of(key: &[Option<Value>]) -> String {
    format!("{key:?}")
}

/// A bucket as it grows: its own part of the key, and what is shown.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) key: Vec<Option<Value>>,
    pub(super) count: u64,
    pub(super) object: Map<String, Json>,
}
