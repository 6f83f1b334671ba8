//! The parameters of each route. Others are refused, as in Elasticsearch: an unknown or misspelled parameter would change
//! the answer without a sign.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::ops::Deref;

use super::address::PREFIX;
use super::errors::NOT_SUPPORTED;
use door::parameters::Parameters;
use door::problem::Problem;

/// Valid everywhere.
const COMMON: [&str; 6] = ["error_trace", "filter_path", "human", "pretty", "source", "source_content_type"];

/// Selection of indices.
const INDICES: [&str; 4] = ["allow_no_indices", "expand_wildcards", "ignore_throttled", "ignore_unavailable"];

/// Time limits of Elasticsearch, which have no effect here.
const PATIENCE: [&str; 4] = ["local", "master_timeout", "timeout", "wait_for_active_shards"];

/// The shape of lists of `_cat`.
const CAT: [&str; 9] = ["bytes", "format", "h", "help", "local", "master_timeout", "s", "time", "v"];

/// A query in the address.
const QUERY: [&str; 7] = ["analyze_wildcard", "analyzer", "default_operator", "df", "lenient", "q", "terminate_after"];

/// Selection of the parts of documents.
const SOURCE: [&str; 5] = ["_source", "_source_excludes", "_source_includes", "routing", "preference"];

/// Further parameters of a search.
const SEARCH: [&str; 24] = [
    "allow_partial_search_results",
    "batched_reduce_size",
    "ccs_minimize_roundtrips",
    "docvalue_fields",
    "explain",
    "from",
    "include_named_queries_score",
    "max_concurrent_shard_requests",
    "min_compatible_shard_node",
    "pre_filter_shard_size",
    "request_cache",
    "rest_total_hits_as_int",
    "scroll",
    "search_type",
    "seq_no_primary_term",
    "size",
    "sort",
    "stats",
    "stored_fields",
    "timeout",
    "track_scores",
    "track_total_hits",
    "typed_keys",
    "version",
];

/// The parameters of each route, by the end of its path.
const BY_ROUTE: [(&str, &[&[&str]]); 33] = [
    ("/_search", &[&INDICES, &QUERY, &SOURCE, &SEARCH]),
    (
        "/_async_search",
        &[&INDICES, &QUERY, &SOURCE, &SEARCH, &["keep_alive", "keep_on_completion", "wait_for_completion_timeout"]],
    ),
    ("/_query", &[&["allow_partial_results", "delimiter", "drop_null_columns", "format"]]),
    ("/_query/async", &[&["allow_partial_results", "delimiter", "drop_null_columns", "format"]]),
    ("/_search/scroll", &[&["rest_total_hits_as_int", "scroll", "scroll_id"]]),
    ("/_search/scroll/{id}", &[&["rest_total_hits_as_int", "scroll"]]),
    ("/_msearch", &[&INDICES, &SEARCH, &["max_concurrent_searches"]]),
    ("/_count", &[&INDICES, &QUERY, &["min_score", "preference", "routing"]]),
    ("/_mapping", &[&INDICES, &PATIENCE, &["include_type_name", "write_index_only"]]),
    ("/_mappings", &[&INDICES, &PATIENCE]),
    ("/_field_caps", &[&INDICES, &["fields", "filters", "include_empty_fields", "include_unmapped", "types"]]),
    ("/_cat/indices", &[&CAT, &INDICES, &["health", "include_unloaded_segments", "pri"]]),
    ("/_cat/indices/{index}", &[&CAT, &INDICES, &["health", "include_unloaded_segments", "pri"]]),
    ("/_cat/aliases", &[&CAT, &INDICES]),
    ("/_cat/aliases/{name}", &[&CAT, &INDICES]),
    ("/_cat/count", &[&CAT]),
    ("/_cat/count/{index}", &[&CAT]),
    ("/_cat/health", &[&CAT, &["ts"]]),
    ("/_cat/nodes", &[&CAT, &["full_id", "include_unloaded_segments"]]),
    ("/_cat/shards", &[&CAT]),
    ("/_cat/shards/{index}", &[&CAT]),
    ("/_resolve/index/{name}", &[&INDICES, &["mode"]]),
    (
        "/_stats",
        &[
            &INDICES,
            &[
                "completion_fields",
                "fielddata_fields",
                "fields",
                "forbid_closed_indices",
                "groups",
                "include_segment_file_sizes",
                "include_unloaded_segments",
                "level",
            ],
        ],
    ),
    ("/_search_shards", &[&INDICES, &["local", "master_timeout", "preference", "routing"]]),
    (
        "/_pit",
        &[
            &INDICES,
            &["allow_partial_search_results", "keep_alive", "max_concurrent_shard_requests", "preference", "routing"],
        ],
    ),
    ("/_validate/query", &[&INDICES, &QUERY, &["all_shards", "explain", "rewrite"]]),
    (
        "/_delete_by_query",
        &[
            &INDICES,
            &QUERY,
            &[
                "conflicts",
                "from",
                "max_docs",
                "preference",
                "refresh",
                "request_cache",
                "requests_per_second",
                "routing",
                "scroll",
                "scroll_size",
                "search_timeout",
                "search_type",
                "slices",
                "sort",
                "stats",
                "timeout",
                "version",
                "wait_for_active_shards",
                "wait_for_completion",
            ],
        ],
    ),
    ("/_terms_enum", &[]),
    ("/_mget", &[&SOURCE, &["force_synthetic_source", "realtime", "refresh", "stored_fields"]]),
    (
        "/_doc/{id}",
        &[&SOURCE, &["force_synthetic_source", "realtime", "refresh", "stored_fields", "version", "version_type"]],
    ),
    ("/_source/{id}", &[&SOURCE, &["realtime", "refresh", "stored_fields", "version", "version_type"]]),
    ("/_settings", &[&INDICES, &PATIENCE, &["flat_settings", "include_defaults", "preserve_existing", "reopen"]]),
    ("/{index}", &[&INDICES, &PATIENCE, &["features", "flat_settings", "include_defaults", "include_type_name"]]),
];

/// Parameters that are supported with these values only, since others would change the answer.
const REFUSED: [(&str, &[&str]); 4] = [
    ("explain", &["false"]),
    ("analyzer", &["standard"]),
    ("source", &[]),
    ("search_type", &["query_then_fetch", "dfs_query_then_fetch"]),
];

/// The parameters of a request, all of them valid.
#[derive(Clone, Debug, Default)]
pub(super) struct CheckedParameters(Parameters);

impl Deref for CheckedParameters {
    type Target = Parameters;

    fn deref(&self) -> &Parameters {
        &self.0
    }
}

impl CheckedParameters {
    /// Returns the parameters without those with these names.
    pub(super) fn without(&self, names: &[&str]) -> Vec<(String, String)> {
        self.0.0.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for CheckedParameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let route = parts.extensions.get::<axum::extract::MatchedPath>().map(|route| route.as_str().to_owned());
        let parameters = Parameters::from_request_parts(parts, state).await?;
        check(route.as_deref().unwrap_or_default(), parts.uri.path(), &parameters)?;
        Ok(Self(parameters))
    }
}

/// Refuses parameters that a route does not take.
fn check(route: &str, path: &str, parameters: &Parameters) -> Result<(), Problem> {
    let known =
        |end: &str| route.strip_prefix(PREFIX).is_some_and(|rest| rest == end || rest == format!("/{{index}}{end}"));
    let Some((_, lists)) = BY_ROUTE.iter().find(|(end, _)| known(end)) else { return Ok(()) };
    let is_known = |name: &str| COMMON.contains(&name) || lists.iter().any(|list| list.contains(&name));
    let unknown: Vec<&str> =
        parameters.0.iter().map(|(name, _)| name.as_str()).filter(|name| !is_known(name)).collect();
    if let Some(first) = unknown.first() {
        let names = unknown.iter().map(|name| format!("[{name}]")).collect::<Vec<_>>().join(", ");
        let several = if unknown.len() > 1 { "s" } else { "" };
        let nearest = lists.iter().flat_map(|list| list.iter()).chain(&COMMON).find(|known| is_near(known, first));
        let hint = nearest.map(|known| format!(" -> did you mean [{known}]?")).unwrap_or_default();
        let path = path.strip_prefix(PREFIX).unwrap_or(path);
        let message = format!("request [{path}] contains unrecognized parameter{several}: {names}{hint}");
        return Err(Problem::bad_request("illegal_argument_exception", message));
    }
    if let Some((name, value)) = parameters.0.iter().find(|(name, value)| !fits(name, value)) {
        let message = format!("Failed to parse the parameter [{name}] with value [{value:.100}]");
        return Err(Problem::bad_request("illegal_argument_exception", message));
    }
    for (name, usual) in REFUSED {
        let written = parameters.get(name).filter(|value| !usual.contains(value));
        if let Some(value) = written.filter(|_| !(name == "explain" && route.ends_with("/_validate/query"))) {
            let message = format!("the parameter [{name}] with [{value:.100}] {NOT_SUPPORTED}");
            return Err(Problem::bad_request("illegal_argument_exception", message));
        }
    }
    Ok(())
}

/// Reports whether a value is valid for a parameter.
fn fits(name: &str, value: &str) -> bool {
    const FLAGS: [&str; 17] = [
        "allow_no_indices",
        "allow_partial_search_results",
        "analyze_wildcard",
        "ccs_minimize_roundtrips",
        "explain",
        "human",
        "ignore_throttled",
        "ignore_unavailable",
        "include_named_queries_score",
        "lenient",
        "request_cache",
        "rest_total_hits_as_int",
        "seq_no_primary_term",
        "track_scores",
        "typed_keys",
        "v",
        "version",
    ];
    match name {
        name if FLAGS.contains(&name) => matches!(value, "" | "true" | "false"),
        "batched_reduce_size" | "max_concurrent_shard_requests" | "pre_filter_shard_size" => {
            value.parse::<u64>().is_ok()
        }
        // Searches read all events.
        "terminate_after" => value == "0",
        "default_operator" => value.eq_ignore_ascii_case("and") || value.eq_ignore_ascii_case("or"),
        "expand_wildcards" => {
            value.split(',').all(|one| matches!(one.trim(), "all" | "open" | "closed" | "hidden"))
                && value.split(',').any(|one| matches!(one.trim(), "all" | "open"))
        }
        _ => true,
    }
}

/// Reports whether two names differ in one letter, or in two swapped ones.
fn is_near(known: &str, written: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (known.chars().collect(), written.chars().collect());
    let start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[start..], &b[start..]);
    match (a, b) {
        ([], [_]) | ([_], []) => true,
        ([_, a @ ..], [_, b @ ..]) if a == b => true,
        ([_, a @ ..], b) | (b, [_, a @ ..]) if a == b => true,
        ([a, b, rest_a @ ..], [c, d, rest_b @ ..]) => a == d && b == c && rest_a == rest_b,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
