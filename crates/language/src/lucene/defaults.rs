//! What a query string means where it does not say itself.

use std::sync::Arc;

use types::Timestamp;

use super::target::{Analysis, Target};
use crate::mapping::Mapping;

/// What a query string means where it says nothing itself.
pub(crate) struct Defaults {
    /// What words without a field are looked for in; one of these is enough.
    pub(crate) targets: Vec<Target>,
    /// Whether `and` is between two clauses without an operator.
    pub(crate) joins_all: bool,
    /// What relative times count from.
    pub(crate) now: Option<Timestamp>,
    /// How texts of fields are looked at.
    pub(crate) analysis: Analysis,
    /// What fields are declared to be.
    pub(crate) mapping: Arc<Mapping>,
    /// Whether a value that its field cannot have finds nothing, instead of being an error.
    pub(crate) is_lenient: bool,
}

impl Defaults {
    /// Returns what people mean.
    pub(crate) fn loose() -> Self {
        Self {
            targets: Vec::new(),
            joins_all: false,
            now: None,
            analysis: Analysis::Loose,
            mapping: Arc::default(),
            is_lenient: true,
        }
    }
}
