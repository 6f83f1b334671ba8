//! Documents held against a mapping: values that a declared field cannot have.

use serde_json::{Map, Value as Json};
use types::Timestamp;

use super::{Declaration, Dynamic, Kind, Mapping};
use plan::date_math as times;

/// Most levels of a document that are looked at.
const LEVELS_MAX: usize = 64;

/// Why a document does not fit a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// What Elasticsearch calls errors of the kind.
    pub kind: &'static str,
    /// What is wrong.
    pub reason: String,
}

impl Mapping {
    /// Reports whether documents can misfit, so that they have to be looked at.
    pub fn checks_documents(&self) -> bool {
        self.dynamic.values().any(|dynamic| *dynamic == Dynamic::Strict)
            || self.declared.values().any(|declared| {
                matches!(declared, Declaration::Field(Kind::Number | Kind::Boolean | Kind::Date { .. } | Kind::Ip, _))
            })
    }

    /// Looks for a value that its field cannot have; `id` is the document's.
    pub fn misfit(&self, document: &[u8], id: Option<&str>) -> Option<Misfit> {
        let Ok(Json::Object(members)) = serde_json::from_slice(document) else { return None };
        let id = id.map(|id| format!(" in document with id '{id}'")).unwrap_or_default();
        self.members("", &members, &id, 0)
    }

    fn members(&self, path: &str, members: &Map<String, Json>, id: &str, level: usize) -> Option<Misfit> {
        if level > LEVELS_MAX {
            return None;
        }
        members.iter().find_map(|(name, value)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            self.value(&path, value, id, level)
        })
    }

    fn value(&self, path: &str, value: &Json, id: &str, level: usize) -> Option<Misfit> {
        match value {
            Json::Null => None,
            Json::Array(items) => items.iter().find_map(|item| self.value(path, item, id, level + 1)),
            value => match (self.declared.get(path), value) {
                (Some(Declaration::Field(kind, name)), value) if !self.ignores_malformed(path) => {
                    let why = unfit(kind, name, value)?;
                    let reason = format!("failed to parse field [{path}] of type [{name}]{id}. {why}");
                    Some(Misfit { kind: "document_parsing_exception", reason })
                }
                (Some(Declaration::Object), Json::Object(members)) => self.members(path, members, id, level + 1),
                (Some(_), _) => None,
                (None, value) => {
                    // Names with points are paths of objects.
                    let is_known = path == "@timestamp" || self.is_within_flattened(path) || self.has_below(path);
                    if self.dynamic_at(path) == Dynamic::Strict && !is_known {
                        let (above, last) = path.rsplit_once('.').unwrap_or(("_doc", path));
                        let reason = format!(
                            "mapping set to strict, dynamic introduction of [{last}] within [{above}] is not allowed"
                        );
                        return Some(Misfit { kind: "strict_dynamic_mapping_exception", reason });
                    }
                    match value {
                        Json::Object(members) => self.members(path, members, id, level + 1),
                        _ => None,
                    }
                }
            },
        }
    }

    fn has_below(&self, path: &str) -> bool {
        let below = format!("{path}.");
        self.declared.range(below.clone()..).next().is_some_and(|(known, _)| known.starts_with(&below))
    }

    fn is_within_flattened(&self, path: &str) -> bool {
        path.rmatch_indices('.').any(|(dot, _)| self.declared.get(&path[..dot]) == Some(&Declaration::Flattened))
    }

    /// Reports whether values that a field cannot have are left out of it, as it was declared.
    fn ignores_malformed(&self, path: &str) -> bool {
        let mut at = &self.json;
        for part in path.split('.') {
            match at.get("properties").and_then(|properties| properties.get(part)) {
                Some(inner) => at = inner,
                None => return false,
            }
        }
        at.get("ignore_malformed").is_some_and(|flag| flag == true || flag == "true")
    }
}

/// Why a field of a kind cannot have a value.
fn unfit(kind: &Kind, name: &str, value: &Json) -> Option<String> {
    let text = value.as_str().map(str::trim);
    let preview = || text.map_or_else(|| value.to_string(), str::to_owned);
    let fits = match kind {
        Kind::Number => is_number(name, value, text),
        Kind::Boolean => matches!((value, text), (Json::Bool(_), _) | (_, Some("" | "true" | "false"))),
        Kind::Date { .. } => match value {
            Json::Number(_) => true,
            value => text == Some("") || times::read(value, None, Timestamp(0), chrono_tz::Tz::UTC).is_some(),
        },
        Kind::Ip => text.is_some_and(|text| text.parse::<std::net::IpAddr>().is_ok()),
        Kind::Text { .. } | Kind::Keyword { .. } => !value.is_object(),
        Kind::Missing | Kind::Refused(_) => true,
    };
    (!fits).then(|| format!("Preview of field's value: '{:.100}'", preview()))
}

fn is_number(name: &str, value: &Json, text: Option<&str>) -> bool {
    let number = match (value, text) {
        (Json::Number(number), _) => number.as_f64(),
        (_, Some("")) => return true,
        (_, Some(text)) => text.parse::<f64>().ok(),
        _ => None,
    };
    let limits = match name {
        "byte" => (-128.0, 127.0),
        "short" => (-32_768.0, 32_767.0),
        "integer" => (-2_147_483_648.0, 2_147_483_647.0),
        "long" => (-9.3e18, 9.3e18),
        "unsigned_long" => (0.0, 1.9e19),
        _ => (f64::MIN, f64::MAX),
    };
    number.is_some_and(|number| number.is_finite() && number >= limits.0 && number <= limits.1)
}
