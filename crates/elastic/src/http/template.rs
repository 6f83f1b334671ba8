//! Templates as documents: their kinds, and the declaration of an index that results from them.

use std::collections::BTreeMap;

use serde_json::Value as Json_;
use types::GroupPattern;

use super::declaration::Declaration;

/// A kind of template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TemplateKind {
    Index,
    Component,
    Legacy,
}

impl TemplateKind {
    pub(super) fn of(path: &str) -> Self {
        if path.contains("/_component_template") {
            Self::Component
        } else if path.contains("/_index_template") {
            Self::Index
        } else {
            Self::Legacy
        }
    }

    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Index => "index/",
            Self::Component => "component/",
            Self::Legacy => "legacy/",
        }
    }

    /// Returns the valid members of a template.
    pub(super) fn keys(self) -> &'static [&'static str] {
        const OF_INDEX: [&str; 10] = [
            "_meta",
            "allow_auto_create",
            "composed_of",
            "data_stream",
            "deprecated",
            "ignore_missing_component_templates",
            "index_patterns",
            "priority",
            "template",
            "version",
        ];
        match self {
            Self::Index => &OF_INDEX,
            Self::Component => &["_meta", "deprecated", "template", "version"],
            Self::Legacy => &["aliases", "index_patterns", "mappings", "order", "settings", "template", "version"],
        }
    }

    /// Returns the part of a template with settings and mappings.
    pub(super) fn body(self, template: &Json_) -> &Json_ {
        if self == Self::Legacy { template } else { template.get("template").unwrap_or(&Json_::Null) }
    }
}

pub(super) fn texts(json: Option<&Json_>) -> Vec<&str> {
    match json {
        Some(Json_::String(one)) => vec![one],
        Some(Json_::Array(list)) => list.iter().filter_map(Json_::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Returns the declaration of an index by templates; `None` if none of them matches its name.
pub(super) fn declared(templates: &BTreeMap<String, Json_>, group: &str) -> Option<Declaration> {
    let is_for = |template: &Json_| {
        texts(template.get("index_patterns")).into_iter().any(|pattern| GroupPattern::new(pattern).matches(group))
    };
    let of = |kind: TemplateKind| {
        let of_kind =
            templates.range(kind.prefix().to_owned()..).take_while(move |(key, _)| key.starts_with(kind.prefix()));
        of_kind.filter(move |(_, template)| is_for(template)).map(|(_, template)| template)
    };
    let number = |template: &Json_, name: &str| template.get(name).and_then(Json_::as_i64).unwrap_or(0);
    if let Some(chosen) = of(TemplateKind::Index).max_by_key(|template| number(template, "priority")) {
        return Some(composed(templates, chosen));
    }
    let mut older: Vec<&Json_> = of(TemplateKind::Legacy).collect();
    older.sort_by_key(|template| number(template, "order"));
    (!older.is_empty()).then(|| older.into_iter().fold(Declaration::default(), added))
}

/// Returns the declaration of an index template and its components.
pub(super) fn composed(templates: &BTreeMap<String, Json_>, template: &Json_) -> Declaration {
    let components = texts(template.get("composed_of")).into_iter();
    let found = components.filter_map(|name| templates.get(&format!("{}{name}", TemplateKind::Component.prefix())));
    let below = found.map(|component| TemplateKind::Component.body(component)).fold(Declaration::default(), added);
    added(below, TemplateKind::Index.body(template))
}

pub(super) fn added(below: Declaration, body: &Json_) -> Declaration {
    let of = |name: &str| body.get(name).cloned().unwrap_or_default();
    below.with(&Declaration { mappings: of("mappings"), settings: of("settings") })
}
