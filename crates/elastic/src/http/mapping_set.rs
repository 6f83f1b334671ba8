//! The mappings of all indices, by their own declarations and by templates.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use language::mapping::Mapping;
use serde_json::Value as Json_;
use types::Hold;

use super::declaration::Declaration;
use super::template::declared;

/// Limit on the names whose mapping by templates is cached.
const NAMES_MAX: usize = 20_000;

/// An index with its mapping.
#[derive(Clone, Debug)]
pub(super) struct IndexMapping {
    pub(super) declared: Declaration,
    pub(super) mapping: Arc<Mapping>,
}

/// The mappings and templates of a store.
#[derive(Debug, Default)]
pub(super) struct MappingSet {
    pub(super) indices: BTreeMap<String, IndexMapping>,
    /// Templates by their kinds and names.
    pub(super) templates: BTreeMap<String, Json_>,
    /// Cached mappings of names by templates.
    pub(super) by_name: Mutex<HashMap<String, Option<Arc<Mapping>>>>,
}

impl MappingSet {
    /// Returns the mapping of an index; `None` if nothing declares one.
    pub(super) fn mapping(&self, group: &str) -> Option<Arc<Mapping>> {
        if let Some(index) = self.indices.get(group) {
            return (!index.mapping.is_empty()).then(|| index.mapping.clone());
        }
        if self.templates.is_empty() {
            return None;
        }
        let mut by_name = self.by_name.hold();
        if let Some(known) = by_name.get(group) {
            return known.clone();
        }
        let declared = declared(&self.templates, group);
        // Templates were checked when they were put.
        let mapping = declared.and_then(|of| Mapping::read(&of.mappings, &of.settings).ok());
        let mapping = mapping.filter(|mapping| !mapping.is_empty()).map(Arc::new);
        if by_name.len() >= NAMES_MAX {
            by_name.clear();
        }
        by_name.insert(group.to_owned(), mapping.clone());
        mapping
    }

    /// Returns the declaration of an index, by itself or by templates.
    pub(super) fn declared(&self, group: &str) -> Option<Declaration> {
        match self.indices.get(group) {
            Some(index) => Some(index.declared.clone()),
            None => declared(&self.templates, group),
        }
    }

    /// Reports whether an index has a mapping of its own.
    pub(super) fn has_own(&self, group: &str) -> bool {
        self.indices.contains_key(group)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.indices.is_empty() && self.templates.is_empty()
    }
}
