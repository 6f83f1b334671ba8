//! Options that queries of words share: fields, operator, leniency.

use serde_json::Value as Json;

use super::reader::Reader;
use crate::lucene::{Analysis, Defaults};
use crate::search_error::{Result, SearchError};

pub(super) fn is_and(json: Option<&Json>) -> bool {
    json.and_then(Json::as_str).is_some_and(|operator| operator.eq_ignore_ascii_case("and"))
}

/// Returns names of fields without their weights; all fields where none are named.
pub(super) fn field_names(json: Option<&Json>, at: &str) -> Result<Vec<String>> {
    let written: Vec<&str> = match json {
        None => Vec::new(),
        Some(Json::String(one)) => vec![one],
        Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
        Some(_) => return Err(SearchError::parsing(at, "[fields] is a list of names")),
    };
    let names: Vec<String> = written.iter().map(|name| name.split('^').next().unwrap_or_default().to_owned()).collect();
    if names.is_empty() || names.iter().any(|name| name == "*") {
        return Ok(vec!["*".into()]);
    }
    if let Some(name) = names.iter().find(|name| name.contains('*')) {
        return Err(SearchError::parsing(at, format!("the pattern [{name}] of fields is not supported; use [*]")));
    }
    Ok(names)
}

/// Returns what words without a field mean.
pub(super) fn defaults(reader: &Reader<'_>, members: &serde_json::Map<String, Json>, at: &str) -> Result<Defaults> {
    if members.contains_key("default_field") && members.contains_key("fields") {
        return Err(SearchError::parsing(at, "cannot use [fields] parameter in conjunction with [default_field]"));
    }
    if members.get("fields").is_some_and(Json::is_string) {
        return Err(SearchError::parsing(at, "unknown token [VALUE_STRING] after [fields]"));
    }
    let fields = match members.get("default_field") {
        Some(field) => field_names(Some(field), at)?,
        None => field_names(members.get("fields"), at)?,
    };
    let targets = fields.iter().map(|name| reader.target(name)).collect();
    let joins_all = is_and(members.get("default_operator"));
    let mapping = reader.schema.mapping(reader.mapping).clone();
    let is_lenient = match members.get("lenient") {
        Some(flag) => flag == true || flag == "true",
        // Where all fields are meant, some cannot have the value.
        None => fields.iter().any(|name| name == "*"),
    };
    Ok(Defaults { targets, joins_all, now: Some(reader.now), analysis: Analysis::Words, mapping, is_lenient })
}
