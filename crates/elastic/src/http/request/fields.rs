//! The fields that a hit shows: `fields`, `docvalue_fields`, `_source`.

use language::search_error::{Result, SearchError};
use serde_json::Value as Json;
use types::GroupPattern;

use door::Parameters;

/// Fields by a pattern of their names, and the format of their values.
#[derive(Clone, Debug)]
pub(in crate::http) struct FieldPattern {
    pub(in crate::http) pattern: GroupPattern,
    pub(in crate::http) format: Option<String>,
}

/// The fields that `_source` contains.
#[derive(Clone, Debug)]
pub(in crate::http) struct SourceFilter {
    pub(in crate::http) is_shown: bool,
    includes: Vec<GroupPattern>,
    excludes: Vec<GroupPattern>,
}

/// Reads a list of fields.
pub(in crate::http) fn fields(json: Option<&Json>) -> Result<Vec<FieldPattern>> {
    let Some(json) = json.filter(|json| !json.is_null()) else { return Ok(Vec::new()) };
    let Json::Array(list) = json else { return Err(SearchError::parsing("fields", "is not a list")) };
    let mut patterns = Vec::new();
    for (index, field) in list.iter().enumerate() {
        let name = field.as_str().or_else(|| field.get("field").and_then(Json::as_str));
        let name = name.ok_or_else(|| SearchError::parsing(&format!("fields[{index}]"), "names no field"))?;
        let format = field.get("format").and_then(Json::as_str).map(str::to_owned);
        patterns.push(FieldPattern { pattern: GroupPattern::new(without_keyword(name)), format });
    }
    Ok(patterns)
}

fn patterns(json: &Json) -> Vec<GroupPattern> {
    let texts = match json {
        Json::String(text) => text.split(',').map(str::to_owned).collect(),
        Json::Array(texts) => texts.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    texts.into_iter().map(|text: String| GroupPattern::new(without_keyword(text.trim()))).collect()
}

pub(in crate::http) fn without_keyword(name: &str) -> &str {
    name.strip_suffix(".keyword").unwrap_or(name)
}

impl SourceFilter {
    /// Reads `_source` of the body, `stored_fields`, and the parameters of the address, which take precedence.
    pub(in crate::http) fn read(body: &Json, parameters: &Parameters) -> Self {
        let of_address = parameters.get("_source").map(Json::from);
        // Stored fields replace the source, which is one of them.
        let stored = parameters.get("stored_fields").map(|text| text.split(',').map(Json::from).collect::<Json>());
        let is_shown = stored.as_ref().or_else(|| body.get("stored_fields")).is_none_or(|wanted| match wanted {
            Json::Array(names) => names.iter().any(|name| name == "_source"),
            wanted => wanted.is_null() || *wanted == "_source",
        });
        let mut filter = Self { is_shown, includes: Vec::new(), excludes: Vec::new() };
        match of_address.as_ref().or_else(|| body.get("_source")) {
            Some(Json::Bool(is_shown)) => filter.is_shown = *is_shown,
            Some(Json::String(text)) if text == "false" => filter.is_shown = false,
            Some(Json::String(text)) if text == "true" => filter.is_shown = true,
            Some(Json::Object(members)) => {
                filter.is_shown = true;
                let list = |names: [&str; 2]| {
                    names.iter().find_map(|name| members.get(*name)).map(patterns).unwrap_or_default()
                };
                filter.includes = list(["includes", "include"]);
                filter.excludes = list(["excludes", "exclude"]);
            }
            Some(json) => (filter.is_shown, filter.includes) = (true, patterns(json)),
            None => {}
        }
        for (name, list) in [("_source_includes", &mut filter.includes), ("_source_excludes", &mut filter.excludes)] {
            list.extend(parameters.get(name).map(|text| patterns(&Json::from(text))).unwrap_or_default());
        }
        filter
    }

    /// Reports whether a field is shown: the request names it, or an object that contains it.
    pub(in crate::http) fn wants(&self, name: &str) -> bool {
        let is_named = |patterns: &[GroupPattern]| {
            patterns.iter().any(|pattern| {
                let ends = name.match_indices('.').map(|(end, _)| end).chain([name.len()]);
                ends.into_iter().any(|end| pattern.matches(&name[..end]))
            })
        };
        self.is_shown && (self.includes.is_empty() || is_named(&self.includes)) && !is_named(&self.excludes)
    }
}
