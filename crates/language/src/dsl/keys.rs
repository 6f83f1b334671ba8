//! The keys that queries and aggregations take. Another is refused, as Elasticsearch refuses it; one that Elasticsearch
//! knows and that would change the answer is refused by its name.

use serde_json::{Map, Value as Json};

use super::forms;
use crate::search_error::SearchError;

/// Taken by every query.
const COMMON: [&str; 2] = ["_name", "boost"];

/// What a query of one field takes next to it. Weights and the ways to find the same words change nothing.
const OF_FIELD: [(&str, &[&str]); 10] = [
    (
        "match",
        &[
            "analyzer",
            "auto_generate_synonyms_phrase_query",
            "fuzziness",
            "fuzzy_rewrite",
            "fuzzy_transpositions",
            "lenient",
            "max_expansions",
            "minimum_should_match",
            "operator",
            "prefix_length",
            "query",
            "zero_terms_query",
        ],
    ),
    ("match_phrase", &["analyzer", "query", "slop", "zero_terms_query"]),
    ("match_phrase_prefix", &["analyzer", "max_expansions", "query", "slop", "zero_terms_query"]),
    (
        "match_bool_prefix",
        &[
            "analyzer",
            "fuzziness",
            "fuzzy_rewrite",
            "fuzzy_transpositions",
            "max_expansions",
            "minimum_should_match",
            "operator",
            "prefix_length",
            "query",
        ],
    ),
    ("term", &["case_insensitive", "term", "value"]),
    ("fuzzy", &["fuzziness", "max_expansions", "prefix_length", "rewrite", "transpositions", "value"]),
    ("prefix", &["case_insensitive", "prefix", "rewrite", "value"]),
    ("wildcard", &["case_insensitive", "rewrite", "value", "wildcard"]),
    ("regexp", &["case_insensitive", "flags", "max_determinized_states", "regexp", "rewrite", "value"]),
    ("range", RANGE),
];

const RANGE: &[&str] =
    &["format", "from", "gt", "gte", "include_lower", "include_upper", "lt", "lte", "relation", "time_zone", "to"];

/// What other queries take.
const OF_QUERY: [(&str, &[&str]); 9] = [
    ("match_all", &[]),
    ("match_none", &[]),
    ("constant_score", &["filter"]),
    ("dis_max", &["queries", "tie_breaker"]),
    ("exists", &["field"]),
    ("ids", &["type", "values"]),
    (
        "multi_match",
        &[
            "analyzer",
            "auto_generate_synonyms_phrase_query",
            "fields",
            "fuzziness",
            "fuzzy_rewrite",
            "fuzzy_transpositions",
            "lenient",
            "max_expansions",
            "minimum_should_match",
            "operator",
            "prefix_length",
            "query",
            "slop",
            "tie_breaker",
            "type",
            "zero_terms_query",
        ],
    ),
    (
        "query_string",
        &[
            "allow_leading_wildcard",
            "analyze_wildcard",
            "analyzer",
            "auto_generate_synonyms_phrase_query",
            "default_field",
            "default_operator",
            "enable_position_increments",
            "escape",
            "fields",
            "fuzziness",
            "fuzzy_max_expansions",
            "fuzzy_prefix_length",
            "fuzzy_rewrite",
            "fuzzy_transpositions",
            "lenient",
            "max_determinized_states",
            "minimum_should_match",
            "phrase_slop",
            "query",
            "quote_analyzer",
            "quote_field_suffix",
            "rewrite",
            "tie_breaker",
            "time_zone",
            "type",
        ],
    ),
    (
        "simple_query_string",
        &[
            "analyze_wildcard",
            "analyzer",
            "auto_generate_synonyms_phrase_query",
            "default_operator",
            "fields",
            "flags",
            "fuzzy_max_expansions",
            "fuzzy_prefix_length",
            "fuzzy_transpositions",
            "lenient",
            "minimum_should_match",
            "query",
            "quote_field_suffix",
        ],
    ),
];

/// What an aggregation takes, by its name. `format` of numbers only adds a text.
const OF_AGGREGATION: [(&str, &[&str]); 32] = [
    (
        "terms",
        &[
            "collect_mode",
            "exclude",
            "execution_hint",
            "field",
            "include",
            "min_doc_count",
            "missing",
            "order",
            "shard_min_doc_count",
            "shard_size",
            "show_term_doc_count_error",
            "size",
            "value_type",
        ],
    ),
    (
        "multi_terms",
        &[
            "collect_mode",
            "min_doc_count",
            "order",
            "shard_min_doc_count",
            "shard_size",
            "show_term_doc_count_error",
            "size",
            "terms",
        ],
    ),
    ("rare_terms", &["exclude", "field", "include", "max_doc_count", "missing", "precision"]),
    (
        "significant_terms",
        &[
            "background_filter",
            "chi_square",
            "exclude",
            "execution_hint",
            "field",
            "gnd",
            "include",
            "jlh",
            "min_doc_count",
            "mutual_information",
            "p_value",
            "percentage",
            "script_heuristic",
            "shard_min_doc_count",
            "shard_size",
            "size",
        ],
    ),
    ("composite", &["after", "size", "sources"]),
    (
        "histogram",
        &[
            "extended_bounds",
            "field",
            "format",
            "hard_bounds",
            "interval",
            "keyed",
            "min_doc_count",
            "missing",
            "offset",
            "order",
        ],
    ),
    (
        "date_histogram",
        &[
            "calendar_interval",
            "extended_bounds",
            "field",
            "fixed_interval",
            "format",
            "hard_bounds",
            "interval",
            "keyed",
            "min_doc_count",
            "missing",
            "offset",
            "order",
            "time_zone",
        ],
    ),
    ("auto_date_histogram", &["buckets", "field", "format", "minimum_interval", "missing", "time_zone"]),
    ("filters", &["filters", "keyed", "other_bucket", "other_bucket_key"]),
    ("missing", &["field"]),
    ("range", &["field", "format", "keyed", "ranges"]),
    ("date_range", &["field", "format", "keyed", "ranges", "time_zone"]),
    ("avg", METRIC),
    ("sum", METRIC),
    ("min", METRIC),
    ("max", METRIC),
    ("stats", METRIC),
    ("value_count", METRIC),
    ("cardinality", &["execution_hint", "field", "missing", "precision_threshold", "rehash"]),
    ("extended_stats", &["field", "format", "missing", "sigma"]),
    ("percentiles", &["field", "format", "hdr", "keyed", "missing", "percents", "tdigest"]),
    ("percentile_ranks", &["field", "format", "hdr", "keyed", "missing", "tdigest", "values"]),
    ("weighted_avg", &["format", "value", "value_type", "weight"]),
    ("rate", &["field", "format", "mode", "unit"]),
    ("top_metrics", &["metrics", "size", "sort"]),
    ("bucket_selector", &["buckets_path", "gap_policy", "script"]),
    ("bucket_sort", &["from", "gap_policy", "size", "sort"]),
    ("bucket_script", &["buckets_path", "format", "gap_policy", "script"]),
    ("derivative", &["buckets_path", "format", "gap_policy", "unit"]),
    ("cumulative_sum", &["buckets_path", "format"]),
    ("serial_diff", &["buckets_path", "format", "gap_policy", "lag"]),
    ("moving_fn", &["buckets_path", "format", "gap_policy", "script", "shift", "window"]),
];

const OF_SIBLING: &[&str] = &["buckets_path", "format", "gap_policy", "keyed", "percents"];

const METRIC: &[&str] = &["field", "format", "missing"];

/// Keys that Elasticsearch knows and that change the answer, unless their value is as usual.
const REFUSED: [(&str, &[&str]); 12] = [
    ("script", &[]),
    ("value_script", &[]),
    ("analyzer", &["standard"]),
    ("quote_analyzer", &["standard"]),
    ("quote_field_suffix", &[]),
    ("phrase_slop", &["0"]),
    ("escape", &["false"]),
    ("fuzzy_prefix_length", &["0"]),
    ("minimum_should_match", &["1", "0"]),
    ("time_zone", &["UTC", "Z", "+00:00"]),
    ("type", &["best_fields", "most_fields", "cross_fields"]),
    ("allow_leading_wildcard", &["true"]),
];

/// Queries of texts whose [`REFUSED`] keys no one else looks at.
const TEXT_QUERIES: [&str; 2] = ["query_string", "simple_query_string"];

/// Refuses the keys that a query does not take.
pub(super) fn check_query(kind: &str, body: &Json, at: &str) -> Result<(), SearchError> {
    let Some(members) = body.as_object() else { return Ok(()) };
    if let Some((_, known)) = OF_QUERY.iter().find(|(name, _)| *name == kind) {
        check(members, known, |key| format!("[{kind}] query does not support [{key}]"), at)?;
        forms::check_query(members, at)?;
        if TEXT_QUERIES.contains(&kind) {
            return check_values(members, &REFUSED, at);
        }
        return check_values(members, &REFUSED[..3], at);
    }
    let Some((_, known)) = OF_FIELD.iter().find(|(name, _)| *name == kind) else { return Ok(()) };
    for (field, options) in members.iter().filter(|(name, _)| !COMMON.contains(&name.as_str())) {
        let Some(options) = options.as_object() else { continue };
        let at = format!("{at}.{field}");
        check(options, known, |key| format!("[{kind}] query does not support [{key}]"), &at)?;
        check_values(options, &REFUSED[..3], &at)?;
        forms::check_query(options, &at)?;
    }
    Ok(())
}

/// Refuses the keys that an aggregation does not take.
pub fn check_aggregation(kind: &str, body: &Json, at: &str) -> Result<(), SearchError> {
    let Some(members) = body.as_object() else { return Ok(()) };
    let takes_script = kind.starts_with("bucket_") || kind == "moving_fn";
    let is_sibling = kind.ends_with("_bucket");
    if !takes_script {
        check_values(members, &REFUSED[..1], at)?;
    }
    forms::check_aggregation(kind, members, at)?;
    match OF_AGGREGATION.iter().find(|(name, _)| *name == kind) {
        Some((_, known)) => check(members, known, |key| format!("[{kind}] unknown field [{key}]"), at),
        None if is_sibling => check(members, OF_SIBLING, |key| format!("[{kind}] unknown field [{key}]"), at),
        None => Ok(()),
    }
}

fn check(
    members: &Map<String, Json>,
    known: &[&str],
    message: impl Fn(&str) -> String,
    at: &str,
) -> Result<(), SearchError> {
    let is_known =
        |key: &str| known.contains(&key) || COMMON.contains(&key) || REFUSED[..2].iter().any(|(name, _)| *name == key);
    match members.keys().find(|key| !is_known(key)) {
        Some(key) => Err(SearchError::parsing(at, message(key))),
        None => Ok(()),
    }
}

fn check_values(members: &Map<String, Json>, refused: &[(&str, &[&str])], at: &str) -> Result<(), SearchError> {
    for (name, usual) in refused {
        let Some(value) = members.get(*name).filter(|value| !value.is_null()) else { continue };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if !usual.contains(&text.as_str()) {
            return Err(SearchError::parsing(at, format!("[{name}] with [{text:.100}] is not supported")));
        }
    }
    Ok(())
}
