//! Declarations of indices.

use language::mapping::Mapping;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json_;

/// The mappings and settings that were declared for an index.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub(super) struct Declaration {
    pub(super) mappings: Json_,
    pub(super) settings: Json_,
}

impl Declaration {
    /// Merges a declaration over this one.
    pub(super) fn with(&self, above: &Self) -> Self {
        let merged = |below: &Json_, above: &Json_| match (below.is_null(), above.is_null()) {
            (_, true) => below.clone(),
            (true, _) => above.clone(),
            _ => Mapping::merged(below, above),
        };
        Self { mappings: merged(&self.mappings, &above.mappings), settings: merged(&self.settings, &above.settings) }
    }
}
