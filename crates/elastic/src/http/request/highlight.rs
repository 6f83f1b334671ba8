//! `highlight`: the fields whose matching words are marked, and the marks.

use language::search_error::{Result, SearchError};
use serde_json::{Map, Value as Json};
use types::{GroupPattern, ensure};

use super::fields::without_keyword;

/// The tags around words that match the query.
#[derive(Clone, Debug)]
pub(in crate::http) struct Highlight {
    pub(in crate::http) fields: Vec<GroupPattern>,
    pub(in crate::http) pre: String,
    pub(in crate::http) post: String,
}

/// Where options of a highlight are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Request,
    Field,
}

impl Highlight {
    /// Reads `highlight` of a body.
    pub(in crate::http) fn of_body(body: &Json) -> Result<Option<Self>> {
        let Some(json) = body.get("highlight").filter(|json| !json.is_null()) else { return Ok(None) };
        let Some(members) = json.as_object() else { return Err(SearchError::parsing("highlight", "is not an object")) };
        Self::check(members, "highlight", Level::Request)?;
        let fields = match members.get("fields") {
            Some(Json::Object(fields)) => fields.iter().collect(),
            Some(Json::Array(list)) => list.iter().filter_map(Json::as_object).flatten().collect(),
            _ => Vec::new(),
        };
        for (name, options) in fields {
            if let Some(options) = options.as_object() {
                Self::check(options, &format!("highlight.fields.{name}"), Level::Field)?;
            }
        }
        Ok(Self::read(json))
    }

    /// Refuses options that would change which words are marked. A text is one fragment.
    fn check(members: &Map<String, Json>, at: &str, level: Level) -> Result<()> {
        const USUAL: [(&str, &[&str]); 8] = [
            ("encoder", &["default"]),
            ("highlight_query", &[]),
            ("matched_fields", &[]),
            ("no_match_size", &["0"]),
            ("require_field_match", &["true"]),
            ("tags_schema", &[]),
            ("type", &["unified", "plain", "fvh"]),
            ("order", &["none", "score"]),
        ];
        const NUMBERS: [&str; 6] = [
            "boundary_max_scan", "fragment_offset", "fragment_size", "max_analyzed_offset", "number_of_fragments",
            "phrase_limit",
        ];
        const ANY: [&str; 6] =
            ["boundary_chars", "boundary_scanner", "boundary_scanner_locale", "force_source", "fragmenter", "fields"];
        for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let is_taken = match name.as_str() {
                "pre_tags" | "post_tags" => level == Level::Request,
                name if NUMBERS.contains(&name) => text.parse::<f64>().is_ok(),
                name if ANY.contains(&name) => true,
                name => match USUAL.iter().find(|(known, _)| *known == name) {
                    Some((_, usual)) => usual.contains(&text.as_str()),
                    None => return Err(SearchError::parsing(at, format!("unknown field [{name}]"))),
                },
            };
            ensure!(is_taken, SearchError::parsing(at, format!("[{name}] with [{text:.100}] is not supported")));
        }
        Ok(())
    }

    fn read(json: &Json) -> Option<Self> {
        let fields = match json.get("fields")? {
            Json::Object(fields) => fields.keys().cloned().collect(),
            Json::Array(list) => list.iter().filter_map(Json::as_object).flat_map(|one| one.keys().cloned()).collect(),
            _ => Vec::new(),
        };
        let tag = |name: &str, usual: &str| match json.get(name) {
            Some(Json::Array(tags)) => tags.first().and_then(Json::as_str).unwrap_or(usual).to_owned(),
            Some(Json::String(tag)) => tag.clone(),
            _ => usual.to_owned(),
        };
        Some(Self {
            fields: fields.iter().map(|name: &String| GroupPattern::new(without_keyword(name))).collect(),
            pre: tag("pre_tags", "<em>"),
            post: tag("post_tags", "</em>"),
        })
    }
}
