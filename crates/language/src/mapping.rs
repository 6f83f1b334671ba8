//! Mappings: what the fields of an index are declared to be.
//!
//! A declared field is read as its type says: a `keyword` is its whole text, a `text` its words, a `date` an instant,
//! an `ip` an address, whatever its values look like. Fields that nothing declares are read by their values. A type
//! that is not supported is kept and shown, and a search that names such a field is refused; what would change the
//! structure of documents (`nested`, `join`, runtime fields, analyzers) is refused when it is declared.

mod declare;
mod document;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use types::GroupPattern;

use crate::search_error::{Result, SearchError};
pub use document::Misfit;
pub(crate) use schema::no_longer;
pub(super) use schema::of_groups;
pub use schema::{Class, Schema};

/// Most levels of objects and aliases, as in Elasticsearch (`index.mapping.depth.limit`).
const DEPTH_MAX: usize = 20;

/// Most fields of a mapping. Templates of agents declare thousands.
const FIELDS_MAX: usize = 20_000;

/// What a declared field is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Words in lower case.
    Text {
        /// Whether buckets and orders may take its words.
        has_fielddata: bool,
        /// Whether the places of words are known, which phrases need.
        has_positions: bool,
    },
    /// A whole text.
    Keyword {
        /// Whether it is compared and shown in lower case.
        is_lower: bool,
        /// Longest text in characters that is found.
        most: Option<usize>,
        /// Whether values that are no texts are read as what they are.
        is_of_texts: bool,
    },
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An instant: a text of ISO 8601 or a number of milliseconds.
    Date {
        /// Whether parts of milliseconds count.
        has_nanos: bool,
    },
    /// An address of version 4 or 6.
    Ip,
    /// A field that has no values, whatever documents hold.
    Missing,
    /// A field that searches must not name, and why.
    Refused(String),
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Declaration {
    /// A field with the name of its type.
    Field(Kind, String),
    /// Another way to read the field of this path.
    Part(String, Kind, String),
    /// Another name of a field.
    Alias(String),
    /// An object whose members are keywords.
    Flattened,
    /// An object.
    Object,
}

/// What becomes of fields that nothing declares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Dynamic {
    /// They are read by their values.
    #[default]
    Yes,
    /// They are kept and not found.
    No,
    /// Documents that have one are refused.
    Strict,
}

/// A rule for fields that nothing declares.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Template {
    /// Patterns of the last part of a name that must match, and that must not.
    names: (Vec<Pattern>, Vec<Pattern>),
    /// … of the whole path.
    paths: (Vec<Pattern>, Vec<Pattern>),
    /// What such a field is, and its parts by their names.
    declared: BTreeMap<String, Declaration>,
}

/// A pattern of names.
#[derive(Clone, Debug)]
enum Pattern {
    Simple(GroupPattern),
    Regex(regex::Regex),
}

impl Pattern {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Simple(pattern) => pattern.matches(name),
            Self::Regex(regex) => regex.is_match(name),
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Simple(a), Self::Simple(b)) => a == b,
            (Self::Regex(a), Self::Regex(b)) => a.as_str() == b.as_str(),
            _ => false,
        }
    }
}

impl Eq for Pattern {}

/// What the fields of an index are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapping {
    declared: BTreeMap<String, Declaration>,
    dynamic: BTreeMap<String, Dynamic>,
    templates: Vec<Template>,
    /// Whether texts that look like numbers are numbers where nothing declares their field.
    has_plain_texts: bool,
    /// The mapping as it was declared.
    pub json: Json,
}

/// A field as searches read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldResolution {
    /// The name of the field that has the values.
    pub(crate) name: String,
    /// What it is declared to be.
    pub(crate) kind: Option<Kind>,
    /// Whether texts that look like dates are texts, where it is not declared.
    pub(crate) is_plain: bool,
}

impl Mapping {
    /// Reports whether nothing is declared.
    pub fn is_empty(&self) -> bool {
        self.json.as_object().is_none_or(Map::is_empty)
    }

    /// Returns the declared fields with the names of their types, parts of fields included.
    pub fn types(&self) -> impl Iterator<Item = (&str, &str)> {
        self.declared.iter().filter_map(|(path, declared)| {
            let kind = match declared {
                Declaration::Field(_, name) | Declaration::Part(_, _, name) => name.as_str(),
                Declaration::Flattened => "flattened",
                Declaration::Alias(target) => return self.type_of(target).map(|kind| (path.as_str(), kind)),
                Declaration::Object => return None,
            };
            Some((path.as_str(), kind))
        })
    }

    /// Returns the name of the type that a field is declared with, by a rule for names too.
    pub fn type_of(&self, path: &str) -> Option<&str> {
        let of = |declared: &'_ Declaration| match declared {
            Declaration::Field(..) | Declaration::Part(..) | Declaration::Flattened => true,
            Declaration::Alias(_) | Declaration::Object => false,
        };
        let by_rule = || self.template_of(path).filter(|_| !path.starts_with('@'))?.declared.get("");
        let found = self.declared.get(path).or_else(by_rule);
        match found.filter(|declared| of(declared))? {
            Declaration::Field(_, name) | Declaration::Part(_, _, name) => Some(name),
            _ => Some("flattened"),
        }
    }

    /// Reports whether a field has a part of this name, or is one that is declared.
    pub fn declares(&self, path: &str) -> bool {
        self.declared.contains_key(path)
    }

    /// Reports whether a field that documents hold is not found.
    pub fn hides(&self, path: &str) -> bool {
        self.resolve(path).kind == Some(Kind::Missing)
    }

    /// Returns how searches read the field that is written so.
    pub(crate) fn resolve(&self, written: &str) -> FieldResolution {
        self.resolved(written, 0)
    }

    fn resolved(&self, written: &str, depth: usize) -> FieldResolution {
        let found = |name: &str, kind: Option<Kind>| FieldResolution {
            name: name.to_owned(),
            kind,
            is_plain: self.has_plain_texts,
        };
        if self.is_empty() || written.starts_with('@') || matches!(written, "_id" | "_index" | "*") {
            return found(written, None);
        }
        match self.declared.get(written) {
            Some(Declaration::Field(kind, _)) => return found(written, Some(kind.clone())),
            Some(Declaration::Part(of, kind, _)) => return found(of, Some(kind.clone())),
            Some(Declaration::Alias(path)) if depth < DEPTH_MAX => return self.resolved(path, depth + 1),
            Some(Declaration::Flattened) => {
                let why = format!("Field [{written}] of type [flattened] is supported by its keys alone");
                return found(written, Some(Kind::Refused(why)));
            }
            Some(Declaration::Alias(_) | Declaration::Object) => return found(written, None),
            None => {}
        }
        for (dot, _) in written.rmatch_indices('.') {
            match self.declared.get(&written[..dot]) {
                Some(Declaration::Flattened) => {
                    return found(written, Some(Kind::Keyword { is_lower: false, most: None, is_of_texts: false }));
                }
                // What is declared as one value has no members, and only the parts that it is declared with.
                Some(Declaration::Field(..) | Declaration::Part(..)) => return found(written, Some(Kind::Missing)),
                Some(Declaration::Alias(_) | Declaration::Object) | None => {}
            }
        }
        if self.dynamic_at(written) != Dynamic::Yes {
            return found(written, Some(Kind::Missing));
        }
        self.by_template(written).unwrap_or_else(|| found(written, None))
    }

    /// Reads a field by the rules for names.
    fn by_template(&self, written: &str) -> Option<FieldResolution> {
        let is_plain = self.has_plain_texts;
        if let Some(Declaration::Field(kind, _)) = self.template_of(written).and_then(|rule| rule.declared.get("")) {
            // A part such as `.keyword` belongs to the field before the point where that has one.
            if let Some((of, part)) = written.rsplit_once('.')
                && let Some(Declaration::Part(_, kind, _)) =
                    self.template_of(of).and_then(|rule| rule.declared.get(part))
            {
                return Some(FieldResolution { name: of.to_owned(), kind: Some(kind.clone()), is_plain });
            }
            return Some(FieldResolution { name: written.to_owned(), kind: Some(kind.clone()), is_plain });
        }
        None
    }

    fn template_of(&self, path: &str) -> Option<&Template> {
        let last = path.rsplit('.').next().unwrap_or(path);
        let fits = |(wanted, unwanted): &(Vec<Pattern>, Vec<Pattern>), name: &str| {
            (wanted.is_empty() || wanted.iter().any(|pattern| pattern.matches(name)))
                && !unwanted.iter().any(|pattern| pattern.matches(name))
        };
        self.templates.iter().find(|template| fits(&template.names, last) && fits(&template.paths, path))
    }

    /// Returns what becomes of undeclared fields where this one stands: the nearest object says it.
    fn dynamic_at(&self, path: &str) -> Dynamic {
        let above = path.rmatch_indices('.').find_map(|(dot, _)| self.dynamic.get(&path[..dot]));
        above.or_else(|| self.dynamic.get("")).copied().unwrap_or_default()
    }

    /// Merges the mapping of a part into one, as component templates are put together: the later one counts.
    pub fn merged(below: &Json, above: &Json) -> Json {
        match (below, above) {
            (Json::Object(below), Json::Object(above)) => {
                let mut merged = below.clone();
                for (name, value) in above {
                    let value = match (name.as_str(), merged.get(name)) {
                        ("dynamic_templates", Some(Json::Array(known))) => {
                            // What is declared later goes first.
                            value.as_array().into_iter().flatten().chain(known).cloned().collect()
                        }
                        (_, Some(known)) => Self::merged(known, value),
                        _ => value.clone(),
                    };
                    merged.insert(name.clone(), value);
                }
                Json::Object(merged)
            }
            (_, above) => above.clone(),
        }
    }

    /// Adds declarations to a mapping of an index. A field keeps its type.
    ///
    /// # Errors
    /// Where a field has another type, or the declarations cannot be read.
    pub fn extended(&self, json: &Json, settings: &Json) -> Result<Self> {
        let added = Self::read(json, settings)?;
        for (path, declared) in &added.declared {
            let known = self.declared.get(path);
            let type_of = |declared: &Declaration| match declared {
                Declaration::Field(_, name) | Declaration::Part(_, _, name) => name.clone(),
                Declaration::Alias(_) => "alias".into(),
                Declaration::Flattened => "flattened".into(),
                Declaration::Object => "object".into(),
            };
            if let Some(known) = known.filter(|known| type_of(known) != type_of(declared)) {
                return Err(SearchError::argument(format!(
                    "mapper [{path}] cannot be changed from type [{}] to [{}]",
                    type_of(known),
                    type_of(declared)
                )));
            }
        }
        let base = if self.json.is_object() { self.json.clone() } else { json!({}) };
        Self::read(&Self::merged(&base, json), settings)
    }
}
