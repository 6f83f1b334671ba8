//! A search request: the body and the parameters of its address together.

mod collapse;
mod fields;
mod highlight;
mod slice;
mod total;

use crate::{Aggregations, Cursor, Order, parse_aggregations, parse_sort};
use language::dsl::{Selection, parse_query};
use language::mapping::Schema;
use language::search_error::{Result, SearchError};
use serde_json::{Value as Json, json};
use types::{Timestamp, ensure};

use self::collapse::{Collapse, collapse};
use self::fields::{FieldPattern, SourceFilter, fields};
use self::highlight::Highlight;
use self::slice::slice;
pub(super) use self::total::Total;
use self::total::total;
use door::Parameters;

/// Numbers of hits of a request that names none, and of `top_hits`.
const SIZE_DEFAULT: usize = 10;
const SIZE_OF_TOP_HITS: usize = 3;

/// Limit on `from + size`, as in Elasticsearch (`index.max_result_window`).
const WINDOW_MAX: usize = 10_000;

/// Limit on the hits of a bucket, as in Elasticsearch (`index.max_inner_result_window`).
const TOP_HITS_MAX: usize = 100;

/// Members of a body that have no effect, or are read elsewhere.
const HARMLESS: [&str; 16] = [
    "track_scores", "version", "seq_no_primary_term", "timeout", "stats", "terminate_after", "indices_boost",
    "preference", "ext", "stored_fields", "from", "size", "sort", "track_total_hits", "search_after", "slice",
];

/// Members that would change the answer and are not supported, unless they are empty.
const REFUSED: [&str; 9] =
    ["script_fields", "runtime_mappings", "suggest", "rescore", "knn", "rank", "retriever", "explain", "profile"];

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
    pub(super) fields: Vec<FieldPattern>,
    pub(super) highlight: Option<Highlight>,
    pub(super) aggregations: Aggregations,
    pub(super) total: Total,
    pub(super) total_as_number: bool,
    /// Whether names of aggregations contain their kind.
    pub(super) typed_keys: bool,
    /// The total, if it was counted before.
    pub(super) known_total: Option<u64>,
    /// The field by which hits are collapsed.
    pub(super) collapse: Option<Collapse>,
    /// The version numbers that each hit contains.
    pub(super) versions: Versions,
}

/// The version numbers that hits contain. They are fixed: a stored event never changes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Versions {
    pub(super) version: bool,
    pub(super) sequence: bool,
}

impl Search {
    /// Reads a search. Parameters of the address take precedence over the body.
    pub(super) fn read(body: &Json, parameters: &Parameters, now: Timestamp, schema: &Schema) -> Result<Self> {
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
            // Its range restricts the search like any other condition.
            let (range, of_post) = (&mut search.selection.range, post.range);
            let is_narrower = of_post.from > range.from || of_post.to < range.to;
            if is_narrower && !search.aggregations.is_empty() {
                let message = "with aggregations a range of @timestamp must be in [query]";
                return Err(SearchError::parsing("post_filter", message));
            }
            range.from = range.from.max(of_post.from);
            range.to = range.to.min(of_post.to).max(range.from);
        }
        Ok(search)
    }

    /// Reads a `top_hits` aggregation.
    pub(super) fn of_top_hits(body: &Json, selection: Selection, at: &str, schema: &Schema) -> Result<Self> {
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

    fn of_selection(body: &Json, selection: Selection, parameters: &Parameters, schema: &Schema) -> Result<Self> {
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
            // A client that pages through a point in time returns the position of the last hit.
            order.add_place();
        }
        let cursor =
            body.get("search_after").filter(|after| !after.is_null()).map(|after| order.cursor(after)).transpose()?;
        let of_address =
            parameters.get("docvalue_fields").map(|text| text.split(',').map(Json::from).collect::<Json>());
        let of_columns = fields(of_address.as_ref().or_else(|| body.get("docvalue_fields")))?;
        let fields = fields(body.get("fields"))?.into_iter().chain(of_columns).collect();
        let collapse = collapse(body, &order, cursor.as_ref())?;
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

/// Refuses a least score above 0: logs have no relevance.
fn check_least_score(body: &Json, parameters: &Parameters) -> Result<()> {
    let of_address = parameters.get("min_score").map(Json::from);
    let Some(written) = of_address.as_ref().or_else(|| body.get("min_score")).filter(|written| !written.is_null())
    else {
        return Ok(());
    };
    let least = written.as_f64().or_else(|| written.as_str()?.trim().parse().ok());
    let least = least.ok_or_else(|| SearchError::parsing("min_score", format!("{written} is not a number")))?;
    let message = "is not supported above 0: hits have no relevance here";
    if least > 0.0 { Err(SearchError::parsing("min_score", message)) } else { Ok(()) }
}

/// Refuses unknown members, and unsupported ones that would change the answer.
fn check_members(body: &Json) -> Result<()> {
    let Some(members) = body.as_object() else { return Err(SearchError::parsing("body", "is not an object")) };
    const READ: [&str; 11] = [
        "query", "aggs", "aggregations", "post_filter", "_source", "fields", "docvalue_fields", "highlight", "pit",
        "collapse", "min_score",
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
            ensure!(is_empty, SearchError::parsing(name, "is not supported"));
        } else if !HARMLESS.contains(&name.as_str()) && !READ.contains(&name.as_str()) {
            return Err(SearchError::parsing("body", format!("unknown key [{name}]")));
        }
    }
    Ok(())
}

fn number(body: &Json, parameters: &Parameters, name: &str) -> Result<Option<usize>> {
    let of_address = parameters.get(name).map(Json::from);
    let Some(json) = of_address.as_ref().or_else(|| body.get(name)).filter(|json| !json.is_null()) else {
        return Ok(None);
    };
    let number = json.as_u64().or_else(|| json.as_str()?.parse().ok()).and_then(|number| usize::try_from(number).ok());
    number.map(Some).ok_or_else(|| SearchError::argument(format!("[{name}] parameter cannot be [{json}]")))
}
