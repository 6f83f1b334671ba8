//! Declarations as clients write them, read into a [`Mapping`].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};
use types::GroupPattern;

use super::{DEPTH_MAX, Declaration, Dynamic, FIELDS_MAX, Kind, Mapping, Pattern, Template};
use crate::search_error::{Result, SearchError};
use plan::compile_regex;

/// Types that are kept and shown; a search that names such a field is refused.
const STORED_ONLY: [&str; 15] = [
    "geo_point",
    "geo_shape",
    "point",
    "shape",
    "binary",
    "histogram",
    "version",
    "aggregate_metric_double",
    "exponential_histogram",
    "integer_range",
    "long_range",
    "float_range",
    "double_range",
    "date_range",
    "ip_range",
];

/// Types of numbers.
const NUMBERS: [&str; 9] =
    ["long", "integer", "short", "byte", "double", "float", "half_float", "scaled_float", "unsigned_long"];

/// Parameters of fields that change nothing here: how values are stored, and how hits are weighed.
const HARMLESS: [&str; 25] = [
    "boost",
    "coerce",
    "depth_limit",
    "doc_values",
    "eager_global_ordinals",
    "fielddata_frequency_filter",
    "ignore_malformed",
    "index_phrases",
    "index_prefixes",
    "locale",
    "meta",
    "norms",
    "position_increment_gap",
    "print_format",
    "scaling_factor",
    "similarity",
    "split_queries_on_whitespace",
    "store",
    "synthetic_source_keep",
    "term_vector",
    "time_series_dimension",
    "time_series_metric",
    "subobjects",
    "default_metric",
    "metrics",
];

/// Formats of dates, beside letters for years, months and days in this order.
const FORMATS: [&str; 15] = [
    "date",
    "date_optional_time",
    "date_time",
    "date_time_no_millis",
    "epoch_millis",
    "iso8601",
    "strict_date",
    "strict_date_hour_minute_second",
    "strict_date_hour_minute_second_fraction",
    "strict_date_hour_minute_second_millis",
    "strict_date_optional_time",
    "strict_date_optional_time_nanos",
    "strict_date_time",
    "strict_date_time_no_millis",
    "date_hour_minute_second",
];

fn problem(message: impl Into<String>) -> SearchError {
    SearchError { kind: "mapper_parsing_exception", reason: message.into() }
}

/// Reads declarations one after the other.
struct Reader<'j> {
    settings: &'j Json,
    mapping: Mapping,
}

impl Mapping {
    /// Reads the `mappings` of an index; `settings` may name normalizers.
    ///
    /// # Errors
    /// Where a declaration cannot be read, or names what is not supported.
    pub fn read(json: &Json, settings: &Json) -> Result<Self> {
        let nothing = Map::new();
        let members = match json {
            Json::Null => &nothing,
            Json::Object(members) => members,
            _ => return Err(problem("the mapping is no object")),
        };
        check_analysis(settings)?;
        let mut reader = Reader { settings, mapping: Self { json: Json::Object(members.clone()), ..Self::default() } };
        reader.top(members)?;
        let mapping = reader.mapping;
        for (path, declared) in &mapping.declared {
            if let Declaration::Alias(target) = declared
                && !matches!(mapping.declared.get(target), Some(Declaration::Field(..) | Declaration::Part(..)))
                && !target.starts_with('@')
            {
                return Err(problem(format!(
                    "Invalid [path] value [{target}] for field alias [{path}]: an alias must refer to an existing field in \
                     the mappings."
                )));
            }
        }
        Ok(mapping)
    }
}

/// Refuses an analyzer that all texts would be read by.
fn check_analysis(settings: &Json) -> Result<()> {
    let analyzers = analysis(settings, "analyzer");
    match analyzers.and_then(|analyzers| analyzers.get("default")).and_then(|one| one["type"].as_str()) {
        Some("standard") => Ok(()),
        None if analyzers.is_none_or(|analyzers| !analyzers.contains_key("default")) => Ok(()),
        _ => Err(problem("a [default] analyzer other than [standard] is not supported")),
    }
}

/// Returns the parts of `settings.index.analysis`, which is written in several ways.
fn analysis<'j>(settings: &'j Json, part: &str) -> Option<&'j Map<String, Json>> {
    let index = settings.get("index").unwrap_or(settings);
    let analysis = index.get("analysis").or_else(|| settings.get("analysis"));
    analysis?.get(part)?.as_object()
}

impl Reader<'_> {
    fn top(&mut self, members: &Map<String, Json>) -> Result<()> {
        for (name, value) in members {
            match name.as_str() {
                "properties" | "dynamic" | "_meta" | "date_detection" | "numeric_detection" | "subobjects" => {}
                "dynamic_date_formats" => formats(value.as_array().into_iter().flatten().filter_map(Json::as_str))?,
                "dynamic_templates" => self.templates(value)?,
                "runtime" if value.as_object().is_some_and(|fields| !fields.is_empty()) => {
                    return Err(problem("[runtime] fields are not supported"));
                }
                "runtime" | "_data_stream_timestamp" | "_size" | "_field_names" | "_all" => {}
                "_source" if !is_usual_source(value) => {
                    return Err(problem("[_source] with [enabled], [includes], [excludes] or [mode] is not supported"));
                }
                "_routing" if value["required"] == true => {
                    return Err(problem("[_routing] with [required] is not supported"));
                }
                "_source" | "_routing" => {}
                other => {
                    let message = "Root mapping definition has unsupported parameters: ";
                    return Err(problem(format!("{message} [{other} : {value}]")));
                }
            }
        }
        // `numeric_detection` is kept without effect: what a field's values are like is seen when it is asked for.
        self.mapping.has_plain_texts = members.get("date_detection").is_some_and(|flag| flag == false);
        self.dynamic("", members)?;
        match members.get("properties") {
            None | Some(Json::Null) => Ok(()),
            Some(properties) => self.properties("", properties, 0),
        }
    }

    fn dynamic(&mut self, path: &str, members: &Map<String, Json>) -> Result<()> {
        let Some(written) = members.get("dynamic").filter(|written| !written.is_null()) else { return Ok(()) };
        let text = written.as_str().map_or_else(|| written.to_string(), str::to_owned);
        let dynamic = match text.as_str() {
            "true" => Dynamic::Yes,
            "false" => Dynamic::No,
            "strict" => Dynamic::Strict,
            "runtime" => return Err(problem("[dynamic] with [runtime] is not supported")),
            other => {
                return Err(problem(format!(
                    "Could not convert [dynamic] with value [{other}] to true, false, strict"
                )));
            }
        };
        self.mapping.dynamic.insert(path.to_owned(), dynamic);
        Ok(())
    }

    fn properties(&mut self, path: &str, json: &Json, depth: usize) -> Result<()> {
        let Some(members) = json.as_object() else {
            return Err(problem(format!(
                "Expected map for property [properties] on field [{path}] but got {json:.100}"
            )));
        };
        if depth > DEPTH_MAX {
            return Err(problem(format!("Limit of mapping depth [{DEPTH_MAX}] has been exceeded due to [{path}]")));
        }
        for (name, body) in members {
            if name.trim().is_empty() || name.split('.').any(str::is_empty) {
                return Err(problem(format!("field name [{name}] cannot have an empty part")));
            }
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            self.field(&path, body, depth)?;
            if self.mapping.declared.len() > FIELDS_MAX {
                return Err(SearchError::argument(format!("Limit of total fields [{FIELDS_MAX}] has been exceeded")));
            }
        }
        Ok(())
    }

    fn field(&mut self, path: &str, body: &Json, depth: usize) -> Result<()> {
        let Some(members) = body.as_object() else {
            return Err(problem(format!("Expected map for property [fields] on field [{path}] but got {body:.100}")));
        };
        let kind = members.get("type").and_then(Json::as_str);
        let declared = match kind {
            None | Some("object") | Some("passthrough") => {
                if members.get("enabled").is_some_and(|flag| flag == false || flag == "false") {
                    self.mapping.dynamic.insert(path.to_owned(), Dynamic::No);
                    Declaration::Object
                } else {
                    if kind.is_none() && !members.contains_key("properties") && !members.contains_key("dynamic") {
                        return Err(problem(format!("No type specified for field [{path}]")));
                    }
                    self.dynamic(path, members)?;
                    if let Some(properties) = members.get("properties") {
                        self.properties(path, properties, depth + 1)?;
                    }
                    Declaration::Object
                }
            }
            Some("alias") => match members.get("path").and_then(Json::as_str) {
                Some(target) if target != path => Declaration::Alias(target.to_owned()),
                _ => return Err(problem(format!("The [path] property must be specified for field [{path}]."))),
            },
            Some("flattened") => Declaration::Flattened,
            Some(kind) => Declaration::Field(kind_of(path, kind, members, self.settings)?, kind.to_owned()),
        };
        if path == "@timestamp" && !matches!(kind, Some("date" | "date_nanos" | "alias")) {
            return Err(problem("[@timestamp] is the time of events and can only be a date"));
        }
        self.mapping.declared.insert(path.to_owned(), declared);
        for (part, kind, name) in parts(path, members, self.settings)? {
            self.mapping.declared.insert(format!("{path}.{part}"), Declaration::Part(path.to_owned(), kind, name));
        }
        Ok(())
    }

    /// `dynamic_templates`: what undeclared fields are, by their names. Those for numbers and the like say no more than
    /// their values do.
    fn templates(&mut self, json: &Json) -> Result<()> {
        for one in json.as_array().into_iter().flatten() {
            let Some((name, body)) = one.as_object().and_then(|members| members.iter().next()) else {
                return Err(problem("A dynamic template must be defined with a name"));
            };
            if let Some(template) = template(name, body, self.settings)? {
                self.mapping.templates.push(template);
            }
        }
        Ok(())
    }
}

fn is_usual_source(json: &Json) -> bool {
    json.as_object().is_none_or(|members| {
        members.iter().all(|(name, value)| match name.as_str() {
            "enabled" => value == true,
            "mode" => value == "stored",
            _ => value.as_array().is_some_and(Vec::is_empty),
        })
    })
}

/// Other ways to read a field: its `fields`.
fn parts(path: &str, members: &Map<String, Json>, settings: &Json) -> Result<Vec<(String, Kind, String)>> {
    let Some(fields) = members.get("fields").and_then(Json::as_object) else { return Ok(Vec::new()) };
    let part = |(name, body): (&String, &Json)| {
        let path = format!("{path}.{name}");
        let members = body.as_object().ok_or_else(|| problem(format!("[{path}] is no object")))?;
        let kind = members.get("type").and_then(Json::as_str);
        let kind = kind.ok_or_else(|| problem(format!("No type specified for field [{path}]")))?;
        Ok((name.clone(), kind_of(&path, kind, members, settings)?, kind.to_owned()))
    };
    fields.iter().map(part).collect()
}

/// Returns what a field of a type is.
fn kind_of(path: &str, kind: &str, members: &Map<String, Json>, settings: &Json) -> Result<Kind> {
    check_parameters(path, kind, members)?;
    let is_off = |name: &str| members.get(name).is_some_and(|flag| flag == false || flag == "false");
    if is_off("index") && (is_off("doc_values") || matches!(kind, "text" | "match_only_text")) {
        return Ok(Kind::Refused(format!("Cannot search on field [{path}] since it is not indexed.")));
    }
    if NUMBERS.contains(&kind) {
        return Ok(Kind::Number);
    }
    if STORED_ONLY.contains(&kind) {
        return Ok(Kind::Refused(format!("Field [{path}] of type [{kind}] is not supported in searches")));
    }
    Ok(match kind {
        "text" | "match_only_text" => {
            for name in ["analyzer", "search_analyzer", "search_quote_analyzer"] {
                if let Some(analyzer) =
                    members.get(name).filter(|analyzer| !matches!(analyzer.as_str(), Some("standard" | "default")))
                {
                    return Err(problem(format!(
                        "[{name}] {analyzer} of field [{path}] is not supported; texts are analysed by [standard]"
                    )));
                }
            }
            let options = members.get("index_options").and_then(Json::as_str).unwrap_or("positions");
            Kind::Text {
                has_fielddata: members.get("fielddata").is_some_and(|flag| flag == true || flag == "true"),
                has_positions: !matches!(options, "docs" | "freqs"),
            }
        }
        "keyword" | "wildcard" => Kind::Keyword {
            is_lower: is_lower(path, members.get("normalizer"), settings)?,
            most: most(members),
            is_of_texts: false,
        },
        "constant_keyword" if members.get("value").is_some_and(|value| !value.is_null()) => Kind::Refused(format!(
            "Field [{path}] of type [constant_keyword] with a [value] is not supported in searches"
        )),
        "constant_keyword" => Kind::Keyword { is_lower: false, most: None, is_of_texts: false },
        "boolean" => Kind::Boolean,
        "ip" => Kind::Ip,
        "date" | "date_nanos" => {
            let format = members.get("format").and_then(Json::as_str).unwrap_or("strict_date_optional_time");
            formats(format.split("||"))?;
            Kind::Date { has_nanos: kind == "date_nanos" }
        }
        other => {
            return Err(problem(format!("The mapper type [{other}] declared on field [{path}] is not supported")));
        }
    })
}

fn most(members: &Map<String, Json>) -> Option<usize> {
    let most = members.get("ignore_above")?;
    let most = most.as_u64().or_else(|| most.as_str()?.parse().ok())?;
    usize::try_from(most).ok().filter(|most| *most < 1 << 20)
}

fn check_parameters(path: &str, kind: &str, members: &Map<String, Json>) -> Result<()> {
    let refused: BTreeSet<&str> = ["copy_to", "null_value", "script", "on_script_error"].into();
    const READ: [&str; 14] = [
        "type", "fields", "index", "index_options", "fielddata", "analyzer", "search_analyzer",
        "search_quote_analyzer", "normalizer", "ignore_above", "format", "value", "dynamic", "properties",
    ];
    for (name, value) in members {
        if refused.contains(name.as_str()) && !value.is_null() {
            return Err(problem(format!("[{name}] of field [{path}] is not supported")));
        }
        let is_known = READ.contains(&name.as_str()) || HARMLESS.contains(&name.as_str()) || value.is_null();
        if !is_known && !STORED_ONLY.contains(&kind) {
            return Err(problem(format!("unknown parameter [{name}] on mapper [{path}] of type [{kind}]")));
        }
    }
    Ok(())
}

/// Reports whether a normalizer writes small letters. One that does more is refused.
fn is_lower(path: &str, normalizer: Option<&Json>, settings: &Json) -> Result<bool> {
    let Some(name) = normalizer.and_then(Json::as_str) else { return Ok(false) };
    let Some(body) = analysis(settings, "normalizer").and_then(|normalizers| normalizers.get(name)) else {
        return match name {
            "lowercase" => Ok(true),
            _ => Err(problem(format!("normalizer [{name}] not found for field [{path}]"))),
        };
    };
    let names = |part: &str| -> Vec<String> {
        match body.get(part) {
            Some(Json::String(one)) => vec![one.clone()],
            Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    };
    let filters = names("filter");
    let is_supported = matches!(body["type"].as_str(), None | Some("custom"))
        && names("char_filter").is_empty()
        && filters.iter().all(|filter| filter == "lowercase");
    if is_supported || body["type"] == "lowercase" {
        return Ok(!filters.is_empty() || body["type"] == "lowercase");
    }
    Err(problem(format!("normalizer [{name}] of field [{path}] is not supported; it can have the filter [lowercase]")))
}

/// Refuses formats in which values are no dates here.
fn formats<'t>(formats: impl Iterator<Item = &'t str>) -> Result<()> {
    for format in formats.map(str::trim) {
        let bare = format.replace('\'', "");
        let begins = |start: &str| {
            bare.strip_prefix(start).is_some_and(|rest| !rest.starts_with(char::is_alphabetic) || rest.starts_with('T'))
        };
        let is_of_letters =
            ["yyyy-MM-dd", "uuuu-MM-dd", "yyyy/MM/dd", "uuuu/MM/dd", "yyyy-MM", "uuuu-MM"].into_iter().any(begins);
        if !FORMATS.contains(&format) && !is_of_letters {
            return Err(problem(format!("the date format [{format}] is not supported for values of documents")));
        }
    }
    Ok(())
}

fn template(name: &str, body: &Json, settings: &Json) -> Result<Option<Template>> {
    let nothing = json!({});
    let mapping = body.get("mapping").unwrap_or(&nothing);
    if body.get("runtime").is_some() {
        return Err(problem(format!("[runtime] of the dynamic template [{name}] is not supported")));
    }
    let is_regex = body["match_pattern"] == "regex";
    let patterns = |key: &str| -> Result<Vec<Pattern>> {
        let written: Vec<&str> = match body.get(key) {
            Some(Json::String(one)) => vec![one],
            Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).collect(),
            _ => Vec::new(),
        };
        let pattern = |text: &str| match is_regex {
            true => match compile_regex(&format!("^(?:{text})$"), false) {
                Ok(regex) => Ok(Pattern::Regex(regex)),
                Err((message, _)) => Err(problem(format!("[{key}] of the dynamic template [{name}]: {message}"))),
            },
            false => Ok(Pattern::Simple(GroupPattern::new(text))),
        };
        written.into_iter().map(pattern).collect()
    };
    let Some(members) = mapping.as_object() else { return Err(problem(format!("[mapping] of [{name}] is no object"))) };
    let types: Vec<&str> = match body.get("match_mapping_type") {
        Some(Json::String(one)) => vec![one],
        Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).collect(),
        _ => vec!["*"],
    };
    let kind = members.get("type").and_then(Json::as_str).unwrap_or("{dynamic_type}");
    let is_of_texts = types.iter().any(|kind| matches!(*kind, "string" | "*"));
    // The values of such fields say as much, or the fields of objects do.
    let is_said = kind.contains("{dynamic_type}") || matches!(kind, "object" | "flattened" | "nested" if !is_of_texts);
    if is_said && kind != "nested" {
        return Ok(None);
    }
    let path = format!("dynamic template {name}");
    let kind_name = kind.to_owned();
    let kind = kind_of(&path, kind, members, settings)?;
    if !is_of_texts {
        let fits = |of: &&str| match &kind {
            Kind::Number => matches!(*of, "long" | "double"),
            Kind::Boolean => *of == "boolean",
            Kind::Date { .. } => *of == "date",
            Kind::Refused(_) => true,
            _ => false,
        };
        return match types.iter().all(fits) {
            true => Ok(None),
            false => Err(problem(format!(
                "the dynamic template [{name}] reads {} as [{kind_name}], which is not supported",
                types.join(" and ")
            ))),
        };
    }
    let is_of_texts = types.iter().all(|kind| *kind == "string");
    let of_texts = |kind| match kind {
        Kind::Keyword { is_lower, most, .. } => Kind::Keyword { is_lower, most, is_of_texts },
        kind => kind,
    };
    let mut declared = BTreeMap::from([(String::new(), Declaration::Field(of_texts(kind), kind_name))]);
    for (part, kind, name) in parts(&path, members, settings)? {
        declared.insert(part, Declaration::Part(String::new(), of_texts(kind), name));
    }
    let names = (patterns("match")?, patterns("unmatch")?);
    let paths = (patterns("path_match")?, patterns("path_unmatch")?);
    Ok(Some(Template { names, paths, declared }))
}
