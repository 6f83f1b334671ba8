//! Mappings and templates of indices in the control store.
//!
//! | kind | name | document |
//! |---|---|---|
//! | `elastic-mapping` | the index | `{"mappings": {…}, "settings": {…}}` as they were declared |
//! | `elastic-template` | `index/NAME`, `component/NAME`, `legacy/NAME` | the template as it was put |
//!
//! An index has the mapping that it was given, else the one that templates give to its name. A template does not change
//! indices that exist: before one is put or removed, the existing indices that it would touch are given the mapping that
//! they have. Searches read their fields by these mappings ([`schema`]), and documents that do not fit are refused.

use std::sync::Arc;

use language::mapping::{Class, Mapping, Schema};
use serde::Serialize;
use serde_json::{Value as Json_, json};
use types::{GroupName, GroupPattern};

use super::created_indices;
use super::declaration::Declaration;
use super::mapping_set::{IndexMapping, MappingSet};
use super::state::Shared;
use super::template::declared;
use door::{Problem, Result, to_json};

/// The kinds of the documents.
const MAPPING: &str = "elastic-mapping";
const TEMPLATE: &str = "elastic-template";

/// Limits on the indices with a mapping of their own, the templates, and the bytes of either.
const MAPPINGS_MAX: usize = 5_000;
const TEMPLATES_MAX: usize = 1_000;
const DOCUMENT_BYTES_MAX: usize = 2 << 20;

/// Returns the mappings and templates of a store.
pub(super) fn all(server: &Shared) -> Result<Arc<MappingSet>> {
    server.state.mappings.get(|| {
        let mut all = MappingSet::default();
        for (name, json) in server.settings().all(MAPPING)? {
            // Stored declarations were checked before.
            let declared: Declaration = serde_json::from_str(&json).unwrap_or_default();
            let mapping = Arc::new(Mapping::read(&declared.mappings, &declared.settings)?);
            all.indices.insert(name, IndexMapping { declared, mapping });
        }
        for (name, json) in server.settings().all(TEMPLATE)? {
            all.templates.insert(name, serde_json::from_str(&json).unwrap_or_default());
        }
        Ok(all)
    })
}

/// Returns the declared fields of groups; an empty list stands for all groups.
pub(super) fn schema(server: &Shared, groups: Option<&[GroupPattern]>) -> Result<Schema> {
    let all = all(server)?;
    if all.is_empty() {
        return Ok(Schema::default());
    }
    let is_meant = |name: &str| groups.is_some_and(|of| of.is_empty() || GroupPattern::any_matches(of, name));
    let mut names: Vec<String> = server.groups().into_iter().map(|group| group.name.to_string()).collect();
    names.extend(created_indices::empty(server)?.into_iter().map(|name| name.to_string()));
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

/// Returns the mapping that documents of an index must match; `None` if any document is accepted.
pub(super) fn checked(all: &MappingSet, group: &GroupName) -> Option<Arc<Mapping>> {
    all.mapping(group.as_str()).filter(|mapping| mapping.checks_documents())
}

fn json_of_document(document: &impl Serialize) -> Result<String> {
    let json = to_json(document)?;
    if json.len() > DOCUMENT_BYTES_MAX {
        let message =
            format!("a mapping or template has {} bytes, at most {DOCUMENT_BYTES_MAX} are allowed", json.len());
        return Err(Problem::bad_request("illegal_argument_exception", message));
    }
    Ok(json)
}

/// Saves the declaration of an index. The caller holds the lock of the registry.
pub(super) fn keep(server: &Shared, group: &GroupName, declared: &Declaration) -> Result<()> {
    // A declaration that could not be read again is refused.
    Mapping::read(&declared.mappings, &declared.settings)?;
    if all(server)?.indices.len() >= MAPPINGS_MAX && !all(server)?.has_own(group.as_str()) {
        let message = format!("{MAPPINGS_MAX} indices have a mapping already; delete some, or use templates");
        return Err(Problem::bad_request("illegal_argument_exception", message));
    }
    server.settings().put(MAPPING, group.as_str(), &json_of_document(declared)?)?;
    server.state.mappings.invalidate();
    Ok(())
}

/// Adds declarations to an index.
pub(super) fn extend(server: &Shared, group: &GroupName, mappings: &Json_) -> Result<()> {
    let _changing = server.state.mappings.lock();
    let all = all(server)?;
    let declared = all.declared(group.as_str()).unwrap_or_default();
    let known = Mapping::read(&declared.mappings, &declared.settings)?;
    let extended = known.extended(mappings, &declared.settings)?;
    let declared = Declaration { mappings: extended.json.clone(), settings: declared.settings };
    keep(server, group, &declared)?;
    server.audit_own("mapping changed", &json!({"index": group.as_str()}));
    Ok(())
}

/// Removes the declaration of an index.
pub(super) fn forget(server: &Shared, group: &GroupName) -> Result<()> {
    let _changing = server.state.mappings.lock();
    if all(server)?.has_own(group.as_str()) {
        server.settings().remove(MAPPING, group.as_str())?;
        server.state.mappings.invalidate();
    }
    Ok(())
}

/// Puts or removes a template by its kind and name. Existing indices keep their mappings.
pub(super) fn change_template(server: &Shared, key: &str, template: Option<&Json_>) -> Result<()> {
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
    for group in server.whole_store().groups().into_iter().map(|group| group.name) {
        if all.has_own(group.as_str()) {
            continue;
        }
        let before = declared(&all.templates, group.as_str());
        if before != declared(&changed, group.as_str()) {
            keep(server, &group, &before.unwrap_or_default())?;
        }
    }
    match template {
        Some(template) => server.settings().put(TEMPLATE, key, &json_of_document(template)?)?,
        None => server.settings().remove(TEMPLATE, key).map(|_| ())?,
    }
    server.state.mappings.invalidate();
    let what = if template.is_some() { "template changed" } else { "template removed" };
    server.audit_own(what, &json!({"template": key}));
    Ok(())
}
