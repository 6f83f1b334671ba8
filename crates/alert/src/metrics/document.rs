//! A metric as the control store keeps it.

use crate::metrics::definition::MetricSettings;
use serde::{Deserialize, Serialize};
use types::GroupScope;

/// The kind of documents, and whose meters these are; those of files have no document.
pub(crate) const KIND: &str = "metric";

pub(crate) const OF_FILES: &str = "file";

/// A metric as the control store has it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct Document {
    pub(crate) settings: MetricSettings,
    /// Patterns of the maker's scope; nothing for everything.
    pub(crate) within: Option<Vec<String>>,
    pub(crate) maker: String,
    pub(crate) created: i64,
    /// The last event that was there before.
    pub(crate) sequence: u64,
}

impl Document {
    pub(crate) fn scope(&self) -> GroupScope {
        GroupScope::of_texts(self.within.as_deref())
    }
}
