//! What a search asks for: the body and the parameters of its address together.

use crate::{Aggregations, Cursor, Order, parse_aggregations, parse_sort};
use language::SearchError;
use language::dsl::parse_query;
use language::dsl::{Selection, field_of};
use language::mapping::Schema;
use plan::function::Function;
use plan::{ArithmeticOperator, Comparison, Expr, Name, Operator};
use serde_json::{Value as Json, json};
use types::{GroupPattern, Timestamp, Value};

use door::parameters::Parameters;

/// Hits where no number is asked for, and inside aggregations.
const SIZE_DEFAULT: usize = 10;
const SIZE_OF_TOP_HITS: usize = 3;

/// How far hits reach, as in Elasticsearch (`index.max_result_window`).
const WINDOW_MAX: usize = 10_000;

/// Hits of a bucket, as in Elasticsearch (`index.max_inner_result_window`).
const TOP_HITS_MAX: usize = 100;

/// Most slices of one search, as in Elasticsearch (`index.max_slices_per_scroll`).
const SLICES_MAX: i64 = 1_024;

/// What may stand in a body and changes nothing that is shown.
const HARMLESS: [&str; 16] = [
    "track_scores",
    "version",
    "seq_no_primary_term",
    "timeout",
    "stats",
    "terminate_after",
    "indices_boost",
    "preference",
    "ext",
    "stored_fields",
    "from",
    "size",
    "sort",
    "track_total_hits",
    "search_after",
    "slice",
];

/// What changes the answer and is not supported, unless it is empty.
const REFUSED: [&str; 9] =
    ["script_fields", "runtime_mappings", "suggest", "rescore", "knn", "rank", "retriever", "explain", "profile"];

/// Whether and how it is said how many events there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Total {
    None,
    All,
    /// So many at most.
    UpTo(u64),
}

impl Total {
    /// The value of `total`.
    pub(super) fn shown(self, total: u64, as_number: bool) -> Json {
        match self {
            _ if as_number => json!(total),
            Self::UpTo(most) if total > most => json!({"value": most, "relation": "gte"}),
            _ => json!({"value": total, "relation": "eq"}),
        }
    }
}

/// Names of fields, and in which form their values are shown.
#[derive(Clone, Debug)]
pub(super) struct WantedField {
    pub(super) pattern: GroupPattern,
    pub(super) format: Option<String>,
}

/// Which fields stand in `_source`.
#[derive(Clone, Debug)]
pub(super) struct SourceFilter {
    pub(super) is_shown: bool,
    includes: Vec<GroupPattern>,
    excludes: Vec<GroupPattern>,
}

/// What is put around words that were looked for.
#[derive(Clone, Debug)]
pub(super) struct Highlight {
    pub(super) fields: Vec<GroupPattern>,
    pub(super) pre: String,
    pub(super) post: String,
}

/// A search.
#[derive(Clone, Debug)]
pub(super) struct Search {
    pub(super) selection: Selection,
    pub(super) post_filter: Option<Selection>,
    pub(super) from: usize,
    pub(super) size: usize,
    pub(super) order: Order,
    pub(super) cursor: Option<Cursor>,
    pub(super) source: SourceFilter,
    pub(super) fields: Vec<WantedField>,
    pub(super) highlight: Option<Highlight>,
    pub(super) aggregations: Aggregations,
    pub(super) total: Total,
    pub(super) total_as_number: bool,
    /// Whether names of aggregations say of what kind they are.
    pub(super) typed_keys: bool,
    /// The total where it was counted before.
    pub(super) known_total: Option<u64>,
    /// Of hits with the same value only the first is shown.
    pub(super) collapse: Option<Collapse>,
    /// Which numbers of its version each hit has.
    pub(super) versions: Versions,
}

/// The field whose values hits are brought together by, as it was written and as it is ours.
#[derive(Clone, Debug)]
pub(super) struct Collapse {
    pub(super) written: String,
    pub(super) field: Name,
}

/// Which numbers of versions are shown. A stored event is never changed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Versions {
    pub(super) version: bool,
    pub(super) sequence: bool,
}

impl Search {
    /// Reads a search; parameters of the address go before what the body says.
    pub(super) fn read(
        body: &Json,
        parameters: &Parameters,
        now: Timestamp,
        schema: &Schema,
    ) -> Result<Self, SearchError> {
        let selection = match parameters.get("q") {
            Some(text) => {
                let operator = parameters.get("default_operator").unwrap_or("OR");
                if !["or", "and"].iter().any(|known| operator.eq_ignore_ascii_case(known)) {
                    return Err(SearchError::argument(format!("No enum constant Operator.{operator}; or, and are")));
                }
                let mut query = json!({"query": text, "default_operator": operator});
                if let Some(field) = parameters.get("df") {
                    query["default_field"] = field.into();
                }
                parse_query(Some(&json!({"query_string": query})), now, schema)?
            }
            None => parse_query(body.get("query"), now, schema)?,
        };
        check_least_score(body, parameters)?;
        let mut selection = selection;
        selection.operators.extend(slice(body.get("slice"))?);
        let mut search = Self::of_selection(body, selection, parameters, schema)?;
        let aggregations = body.get("aggs").or_else(|| body.get("aggregations"));
        search.aggregations = parse_aggregations(aggregations, now, schema)?;
        search.post_filter =
            body.get("post_filter").map(|filter| parse_query(Some(filter), now, schema)).transpose()?;
        if let Some(post) = &search.post_filter {
            // The time that it leaves is a condition like any other.
            let (range, of_post) = (&mut search.selection.range, post.range);
            let is_narrower = of_post.from > range.from || of_post.to < range.to;
            if is_narrower && !search.aggregations.is_empty() {
                let message = "a range of @timestamp beside aggregations belongs into [query]";
                return Err(SearchError::parsing("post_filter", message));
            }
            range.from = range.from.max(of_post.from);
            range.to = range.to.min(of_post.to).max(range.from);
        }
        Ok(search)
    }

    /// The hits of a bucket.
    pub(super) fn of_top_hits(
        body: &Json,
        selection: Selection,
        at: &str,
        schema: &Schema,
    ) -> Result<Self, SearchError> {
        let mut search = Self::of_selection(body, selection, &Parameters::default(), schema)?;
        if body.get("size").is_none() {
            search.size = SIZE_OF_TOP_HITS;
        }
        if search.from + search.size > TOP_HITS_MAX {
            let reason =
                format!("[{at}] Top hits result window is too large: from + size must be at most [{TOP_HITS_MAX}]");
            return Err(SearchError::argument(reason));
        }
        Ok(search)
    }

    fn of_selection(
        body: &Json,
        selection: Selection,
        parameters: &Parameters,
        schema: &Schema,
    ) -> Result<Self, SearchError> {
        check_members(body)?;
        let from = number(body, parameters, "from")?.unwrap_or(0);
        let size = number(body, parameters, "size")?.unwrap_or(SIZE_DEFAULT);
        if from.saturating_add(size) > WINDOW_MAX {
            let reason = format!(
                "Result window is too large, from + size must be less than or equal to: [{WINDOW_MAX}] but was [{}]. See \
                 the scroll api and search_after for a more efficient way to request large data sets.",
                from.saturating_add(size)
            );
            return Err(SearchError::argument(reason));
        }
        let sort = parameters.get("sort").map(|text| text.split(',').map(Json::from).collect::<Json>());
        let mut order = parse_sort(sort.as_ref().or_else(|| body.get("sort")), schema)?;
        if body.get("pit").is_some_and(|pit| !pit.is_null()) {
            // Whoever pages through a point in time hands back the place of the last hit.
            order.add_place();
        }
        let cursor =
            body.get("search_after").filter(|after| !after.is_null()).map(|after| order.cursor(after)).transpose()?;
        let of_address =
            parameters.get("docvalue_fields").map(|text| text.split(',').map(Json::from).collect::<Json>());
        let of_columns = fields(of_address.as_ref().or_else(|| body.get("docvalue_fields")))?;
        let fields = fields(body.get("fields"))?.into_iter().chain(of_columns).collect();
        let collapse = collapse(body, &order, cursor.is_some())?;
        let flag = |name: &str| parameters.flag_or_bare(name) || body.get(name) == Some(&Json::Bool(true));
        let (total, total_as_number) = (total(body, parameters)?, parameters.flag_or_bare("rest_total_hits_as_int"));
        if let (Total::UpTo(most), true) = (total, total_as_number) {
            let reason = format!(
                "[rest_total_hits_as_int] cannot be used if the tracking of total hits is not accurate, got {most}"
            );
            return Err(SearchError::argument(reason));
        }
        Ok(Self {
            selection,
            post_filter: None,
            from,
            size,
            order,
            cursor,
            source: SourceFilter::read(body, parameters),
            fields,
            highlight: Highlight::of_body(body)?,
            aggregations: Aggregations::default(),
            total,
            total_as_number,
            typed_keys: parameters.flag_or_bare("typed_keys"),
            known_total: None,
            collapse,
            versions: Versions { version: flag("version"), sequence: flag("seq_no_primary_term") },
        })
    }
}

/// Refuses a score that hits must have, unless all hits have the same: logs have no relevance.
fn check_least_score(body: &Json, parameters: &Parameters) -> Result<(), SearchError> {
    let of_address = parameters.get("min_score").map(Json::from);
    let Some(written) = of_address.as_ref().or_else(|| body.get("min_score")).filter(|written| !written.is_null())
    else {
        return Ok(());
    };
    let least = written.as_f64().or_else(|| written.as_str()?.trim().parse().ok());
    let least = least.ok_or_else(|| SearchError::parsing("min_score", format!("{written} is no number")))?;
    let message = "is not supported above 0: hits have no relevance here";
    if least > 0.0 { Err(SearchError::parsing("min_score", message)) } else { Ok(()) }
}

/// One of several searches that together find everything: `{"id": 0, "max": 4}`.
fn slice(json: Option<&Json>) -> Result<Option<Operator>, SearchError> {
    let Some(json) = json.filter(|json| !json.is_null()) else { return Ok(None) };
    let members = json.as_object().ok_or_else(|| SearchError::parsing("slice", "is no object"))?;
    if let Some(other) = members.keys().find(|name| !matches!(name.as_str(), "id" | "max" | "field")) {
        return Err(SearchError::parsing("slice", format!("unknown field [{other}]")));
    }
    if members.get("field").is_some_and(|field| field != "_id" && field != "_doc" && field != "@timestamp") {
        return Err(SearchError::parsing("slice", "[field] other than _id and @timestamp is not supported"));
    }
    let number = |name: &str| members.get(name).and_then(Json::as_i64);
    let (Some(id), Some(max)) = (number("id"), number("max")) else {
        return Err(SearchError::parsing("slice", "needs [id] and [max], which are numbers"));
    };
    if max <= 1 || !(0..max).contains(&id) {
        let reason = format!("[slice] max must be greater than 1, and id from 0 to max - 1; got id {id} of {max}");
        return Err(SearchError::argument(reason));
    }
    if max > SLICES_MAX {
        let reason = format!("The number of slices [{max}] is too large. It must be less than [{SLICES_MAX}].");
        return Err(SearchError::argument(reason));
    }
    let literal = |number: i64| Box::new(Expr::Literal(Some(Value::Integer(number))));
    let operate = |operator, left, right| Box::new(Expr::Arithmetic(operator, left, right));
    let millis = || Box::new(Expr::Call(Function::ToMillis, vec![Expr::Field("@timestamp".into())]));
    // Seconds are added, so that whole seconds do not all fall into the same slice.
    let seconds = Expr::Call(Function::Floor, vec![*operate(ArithmeticOperator::Divide, millis(), literal(1_000))]);
    let sum = operate(ArithmeticOperator::Add, millis(), Box::new(seconds));
    let rest = operate(ArithmeticOperator::Remainder, sum, literal(max));
    let rest =
        operate(ArithmeticOperator::Remainder, operate(ArithmeticOperator::Add, rest, literal(max)), literal(max));
    Ok(Some(Operator::Filter(Expr::Compare(Comparison::Equal, rest, literal(id)))))
}

fn collapse(body: &Json, order: &Order, has_cursor: bool) -> Result<Option<Collapse>, SearchError> {
    let Some(json) = body.get("collapse").filter(|json| !json.is_null()) else { return Ok(None) };
    let members = json.as_object().ok_or_else(|| SearchError::parsing("collapse", "is no object"))?;
    if let Some(other) = members.keys().find(|name| !matches!(name.as_str(), "field" | "max_concurrent_group_searches"))
    {
        return Err(SearchError::parsing("collapse", format!("[{other}] is not supported")));
    }
    let Some(written) = members.get("field").and_then(Json::as_str) else {
        return Err(SearchError::parsing("collapse", "needs a [field]"));
    };
    let field = field_of(written);
    if has_cursor && !order.is_of_field(&field) {
        let reason =
            "Cannot use [collapse] in conjunction with [search_after] unless the search is sorted on the same field.";
        return Err(SearchError::argument(reason));
    }
    Ok(Some(Collapse { written: written.to_owned(), field }))
}

/// Refuses what is unknown, and what would change the answer.
fn check_members(body: &Json) -> Result<(), SearchError> {
    let Some(members) = body.as_object() else { return Err(SearchError::parsing("body", "is no object")) };
    const READ: [&str; 11] = [
        "query",
        "aggs",
        "aggregations",
        "post_filter",
        "_source",
        "fields",
        "docvalue_fields",
        "highlight",
        "pit",
        "collapse",
        "min_score",
    ];
    for (name, value) in members {
        let is_empty = value.is_null()
            || value == false
            || value.as_object().is_some_and(serde_json::Map::is_empty)
            || value.as_array().is_some_and(Vec::is_empty);
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let is_flag = matches!(name.as_str(), "version" | "seq_no_primary_term" | "track_scores");
        if is_flag && !matches!(text.as_str(), "true" | "false" | "null") {
            let message = format!("Failed to parse value [{text:.100}] as only [true] or [false] are allowed.");
            return Err(SearchError::argument(message));
        }
        if name == "terminate_after" && !value.is_null() && text.parse::<u64>() != Ok(0) {
            return Err(SearchError::parsing(name, "above 0 is not supported: all events are looked at"));
        }
        if REFUSED.contains(&name.as_str()) {
            if !is_empty {
                return Err(SearchError::parsing(name, "is not supported"));
            }
        } else if !HARMLESS.contains(&name.as_str()) && !READ.contains(&name.as_str()) {
            return Err(SearchError::parsing("body", format!("unknown key [{name}]")));
        }
    }
    Ok(())
}

fn number(body: &Json, parameters: &Parameters, name: &str) -> Result<Option<usize>, SearchError> {
    let of_address = parameters.get(name).map(Json::from);
    let Some(json) = of_address.as_ref().or_else(|| body.get(name)).filter(|json| !json.is_null()) else {
        return Ok(None);
    };
    let number = json.as_u64().or_else(|| json.as_str()?.parse().ok()).and_then(|number| usize::try_from(number).ok());
    number.map(Some).ok_or_else(|| SearchError::argument(format!("[{name}] parameter cannot be [{json}]")))
}

fn total(body: &Json, parameters: &Parameters) -> Result<Total, SearchError> {
    let of_address = parameters.get("track_total_hits").map(Json::from);
    let Some(written) = of_address.as_ref().or_else(|| body.get("track_total_hits")) else { return Ok(Total::All) };
    match written.as_str().map_or_else(|| written.to_string(), str::to_owned).as_str() {
        "true" | "null" | "-1" => Ok(Total::All),
        "false" => Ok(Total::None),
        other => other.parse().map(Total::UpTo).map_err(|_| {
            let reason = format!("[track_total_hits] parameter must be positive or equals to -1, got {other}");
            SearchError::argument(reason)
        }),
    }
}

fn patterns(json: &Json) -> Vec<GroupPattern> {
    let texts = match json {
        Json::String(text) => text.split(',').map(str::to_owned).collect(),
        Json::Array(texts) => texts.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    texts.into_iter().map(|text: String| GroupPattern::new(without_keyword(text.trim()))).collect()
}

fn without_keyword(name: &str) -> &str {
    name.strip_suffix(".keyword").unwrap_or(name)
}

fn fields(json: Option<&Json>) -> Result<Vec<WantedField>, SearchError> {
    let Some(json) = json.filter(|json| !json.is_null()) else { return Ok(Vec::new()) };
    let Json::Array(list) = json else { return Err(SearchError::parsing("fields", "is no list")) };
    let mut wanted = Vec::new();
    for (index, field) in list.iter().enumerate() {
        let name = field.as_str().or_else(|| field.get("field").and_then(Json::as_str));
        let name = name.ok_or_else(|| SearchError::parsing(&format!("fields[{index}]"), "names no field"))?;
        let format = field.get("format").and_then(Json::as_str).map(str::to_owned);
        wanted.push(WantedField { pattern: GroupPattern::new(without_keyword(name)), format });
    }
    Ok(wanted)
}

impl SourceFilter {
    fn read(body: &Json, parameters: &Parameters) -> Self {
        let of_address = parameters.get("_source").map(Json::from);
        // Stored fields are wanted in the place of the source, which is one of them.
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

    /// Whether a field is shown: it, or an object that it is part of, is named.
    pub(super) fn wants(&self, name: &str) -> bool {
        let is_named = |patterns: &[GroupPattern]| {
            patterns.iter().any(|pattern| {
                let ends = name.match_indices('.').map(|(end, _)| end).chain([name.len()]);
                ends.into_iter().any(|end| pattern.matches(&name[..end]))
            })
        };
        self.is_shown && (self.includes.is_empty() || is_named(&self.includes)) && !is_named(&self.excludes)
    }
}

impl Highlight {
    /// Reads what a body says of highlights.
    fn of_body(body: &Json) -> Result<Option<Self>, SearchError> {
        let Some(json) = body.get("highlight").filter(|json| !json.is_null()) else { return Ok(None) };
        let Some(members) = json.as_object() else { return Err(SearchError::parsing("highlight", "is no object")) };
        Self::check(members, "highlight", true)?;
        let fields = match members.get("fields") {
            Some(Json::Object(fields)) => fields.iter().collect(),
            Some(Json::Array(list)) => list.iter().filter_map(Json::as_object).flatten().collect(),
            _ => Vec::new(),
        };
        for (name, options) in fields {
            if let Some(options) = options.as_object() {
                Self::check(options, &format!("highlight.fields.{name}"), false)?;
            }
        }
        Ok(Self::read(json))
    }

    /// Refuses options that would change what is marked. The whole of a text is one fragment.
    fn check(members: &serde_json::Map<String, Json>, at: &str, is_top: bool) -> Result<(), SearchError> {
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
            "boundary_max_scan",
            "fragment_offset",
            "fragment_size",
            "max_analyzed_offset",
            "number_of_fragments",
            "phrase_limit",
        ];
        const ANY: [&str; 6] =
            ["boundary_chars", "boundary_scanner", "boundary_scanner_locale", "force_source", "fragmenter", "fields"];
        for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let is_taken = match name.as_str() {
                "pre_tags" | "post_tags" => is_top,
                name if NUMBERS.contains(&name) => text.parse::<f64>().is_ok(),
                name if ANY.contains(&name) => true,
                name => match USUAL.iter().find(|(known, _)| *known == name) {
                    Some((_, usual)) => usual.contains(&text.as_str()),
                    None => return Err(SearchError::parsing(at, format!("unknown field [{name}]"))),
                },
            };
            if !is_taken {
                return Err(SearchError::parsing(at, format!("[{name}] with [{text:.100}] is not supported")));
            }
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
