//! Mappings and templates that are kept.
//!
//! | kind | name | document |
//! |---|---|---|
//! | `elastic-mapping` | the index | `{"mappings": {…}, "settings": {…}}` as they were declared |
//! | `elastic-template` | `index/NAME`, `component/NAME`, `legacy/NAME` | the template as it was put |
//!
//! An index has the mapping that it was given, else the one that templates give to its name. A template does not change
//! indices that exist: before one is put or removed, the existing indices that it would touch are given the mapping that
//! they have. Searches read their fields by these mappings ([`schema`]), and documents that do not fit are refused.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use language::mapping::Mapping;
use language::mapping::{Class, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json_, json};
use types::{GroupName, GroupPattern};

use super::{made, templates};
use crate::elastic::Shared;
use door::problem::Problem;

/// The kinds of documents that mappings and templates are.
const MAPPING: &str = "elastic-mapping";
const TEMPLATE: &str = "elastic-template";

/// Most indices with a mapping of their own, most templates, and the longest of either in bytes.
const MAPPINGS_MAX: usize = 5_000;
const TEMPLATES_MAX: usize = 1_000;
const DOCUMENT_BYTES_MAX: usize = 2 << 20;

/// Most names whose mapping by templates is remembered.
const NAMES_MAX: usize = 20_000;

/// What an index was declared to be, as the control store has it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(super) struct Declared {
    #[serde(default)]
    pub(super) mappings: Json_,
    #[serde(default)]
    pub(super) settings: Json_,
}

impl Declared {
    /// What is declared here and above it.
    pub(super) fn with(&self, above: &Self) -> Self {
        let merged = |below: &Json_, above: &Json_| match (below.is_null(), above.is_null()) {
            (_, true) => below.clone(),
            (true, _) => above.clone(),
            _ => Mapping::merged(below, above),
        };
        Self { mappings: merged(&self.mappings, &above.mappings), settings: merged(&self.settings, &above.settings) }
    }
}

/// An index with its mapping.
#[derive(Clone, Debug)]
struct Kept {
    declared: Declared,
    mapping: Arc<Mapping>,
}

/// All of a store.
#[derive(Debug, Default)]
pub(super) struct All {
    indices: BTreeMap<String, Kept>,
    /// Templates by their kinds and names.
    pub(super) templates: BTreeMap<String, Json_>,
    /// Mappings by templates, of names that were asked for.
    by_name: Mutex<HashMap<String, Option<Arc<Mapping>>>>,
}

/// Mappings and templates of a store, read once: every search asks for them.
#[derive(Debug, Default)]
pub(crate) struct Book {
    known: Mutex<Option<Arc<All>>>,
    /// Held while they are looked at and then changed.
    changes: Mutex<()>,
}

impl Book {
    fn known(&self) -> MutexGuard<'_, Option<Arc<All>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn changing(&self) -> MutexGuard<'_, ()> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn all(server: &Shared) -> Result<Arc<All>, Problem> {
    let mut known = server.state.mappings.known();
    if let Some(all) = &*known {
        return Ok(all.clone());
    }
    let mut all = All::default();
    for (name, json) in server.app.store.settings(MAPPING)? {
        // What was accepted once is read again.
        let declared: Declared = serde_json::from_str(&json).unwrap_or_default();
        let mapping = Arc::new(Mapping::read(&declared.mappings, &declared.settings)?);
        all.indices.insert(name, Kept { declared, mapping });
    }
    for (name, json) in server.app.store.settings(TEMPLATE)? {
        all.templates.insert(name, serde_json::from_str(&json).unwrap_or_default());
    }
    let all = Arc::new(all);
    *known = Some(all.clone());
    Ok(all)
}

impl All {
    /// Returns the mapping of an index; `None` where nothing declares one.
    pub(super) fn mapping(&self, group: &str) -> Option<Arc<Mapping>> {
        if let Some(kept) = self.indices.get(group) {
            return (!kept.mapping.is_empty()).then(|| kept.mapping.clone());
        }
        if self.templates.is_empty() {
            return None;
        }
        let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = by_name.get(group) {
            return known.clone();
        }
        let declared = templates::declared(&self.templates, group);
        // Templates were read when they were put.
        let mapping = declared.and_then(|of| Mapping::read(&of.mappings, &of.settings).ok());
        let mapping = mapping.filter(|mapping| !mapping.is_empty()).map(Arc::new);
        if by_name.len() >= NAMES_MAX {
            by_name.clear();
        }
        by_name.insert(group.to_owned(), mapping.clone());
        mapping
    }

    /// Returns what an index was declared to be, by itself or by templates.
    pub(super) fn declared(&self, group: &str) -> Option<Declared> {
        match self.indices.get(group) {
            Some(kept) => Some(kept.declared.clone()),
            None => templates::declared(&self.templates, group),
        }
    }

    /// Reports whether an index has a mapping of its own.
    fn has_own(&self, group: &str) -> bool {
        self.indices.contains_key(group)
    }

    fn is_empty(&self) -> bool {
        self.indices.is_empty() && self.templates.is_empty()
    }
}

/// Returns what the fields of these groups are declared to be; an empty list is all groups.
pub(super) fn schema(server: &Shared, groups: Option<&[GroupPattern]>) -> Result<Schema, Problem> {
    let all = all(server)?;
    if all.is_empty() {
        return Ok(Schema::default());
    }
    let is_meant = |name: &str| groups.is_some_and(|of| of.is_empty() || GroupPattern::any_matches(of, name));
    let mut names: Vec<String> = server.groups().into_iter().map(|group| group.name.to_string()).collect();
    names.extend(made::empty(server)?.into_iter().map(|name| name.to_string()));
    let (mut classes, mut has_others): (Vec<Class>, bool) = (Vec::new(), false);
    for name in names.into_iter().filter(|name| is_meant(name)) {
        let Some(mapping) = all.mapping(&name) else {
            has_others = true;
            continue;
        };
        match classes.iter_mut().find(|class| Arc::ptr_eq(&class.mapping, &mapping) || class.mapping == mapping) {
            Some(class) => class.groups.push(name),
            None => classes.push(Class { groups: vec![name], mapping }),
        }
    }
    Ok(Schema::new(classes, has_others))
}

/// Returns the mapping that documents of an index must fit; `None` where any document does.
pub(super) fn checked(all: &All, group: &GroupName) -> Option<Arc<Mapping>> {
    all.mapping(group.as_str()).filter(|mapping| mapping.checks_documents())
}

fn json_of_document(document: &impl Serialize) -> Result<String, Problem> {
    let json = serde_json::to_string(document).map_err(|error| Problem::internal(error.to_string()))?;
    if json.len() > DOCUMENT_BYTES_MAX {
        let message =
            format!("a mapping or template has {} bytes, at most {DOCUMENT_BYTES_MAX} are allowed", json.len());
        return Err(Problem::bad_request("illegal_argument_exception", message));
    }
    Ok(json)
}

/// Keeps what an index is declared to be. The caller holds [`Book::changing`].
pub(super) fn keep(server: &Shared, group: &GroupName, declared: &Declared) -> Result<(), Problem> {
    // What cannot be read again is refused.
    Mapping::read(&declared.mappings, &declared.settings)?;
    if all(server)?.indices.len() >= MAPPINGS_MAX && !all(server)?.has_own(group.as_str()) {
        let message = format!("{MAPPINGS_MAX} indices have a mapping already; delete some, or use templates");
        return Err(Problem::bad_request("illegal_argument_exception", message));
    }
    server.app.store.put_setting(MAPPING, group.as_str(), &json_of_document(declared)?)?;
    *server.state.mappings.known() = None;
    Ok(())
}

/// Adds declarations to an index.
pub(super) fn extend(server: &Shared, group: &GroupName, mappings: &Json_) -> Result<(), Problem> {
    let _changing = server.state.mappings.changing();
    let all = all(server)?;
    let declared = all.declared(group.as_str()).unwrap_or_default();
    let known = Mapping::read(&declared.mappings, &declared.settings)?;
    let extended = known.extended(mappings, &declared.settings)?;
    let declared = Declared { mappings: extended.json().clone(), settings: declared.settings };
    keep(server, group, &declared)?;
    server.audit_own("mapping changed", &json!({"index": group.as_str()}));
    Ok(())
}

/// Forgets what an index was declared to be.
pub(super) fn forget(server: &Shared, group: &GroupName) -> Result<(), Problem> {
    let _changing = server.state.mappings.changing();
    if all(server)?.has_own(group.as_str()) {
        server.app.store.remove_setting(MAPPING, group.as_str())?;
        *server.state.mappings.known() = None;
    }
    Ok(())
}

/// Puts or removes a template by its kind and name. Indices that exist keep what they are.
pub(super) fn change_template(server: &Shared, key: &str, template: Option<&Json_>) -> Result<(), Problem> {
    let all = all(server)?;
    let mut changed = all.templates.clone();
    match template {
        Some(template) => _ = changed.insert(key.to_owned(), template.clone()),
        None => _ = changed.remove(key),
    }
    if changed.len() > TEMPLATES_MAX {
        let message = format!("there are {TEMPLATES_MAX} templates already");
        return Err(Problem::bad_request("illegal_argument_exception", message));
    }
    for group in server.app.store.groups().into_iter().map(|group| group.name) {
        if all.has_own(group.as_str()) {
            continue;
        }
        let before = templates::declared(&all.templates, group.as_str());
        if before != templates::declared(&changed, group.as_str()) {
            keep(server, &group, &before.unwrap_or_default())?;
        }
    }
    match template {
        Some(template) => server.app.store.put_setting(TEMPLATE, key, &json_of_document(template)?)?,
        None => server.app.store.remove_setting(TEMPLATE, key).map(|_| ())?,
    }
    *server.state.mappings.known() = None;
    let what = if template.is_some() { "template changed" } else { "template removed" };
    server.audit_own(what, &json!({"template": key}));
    Ok(())
}
