//! Features of Elasticsearch that this API does not have, by the part of the path with their name.

use axum::http::Method;

use super::address::{PREFIX, is_address};
use super::errors::NOT_SUPPORTED;
use door::Problem;

/// Unsupported features by their part of the path, with the reason or an alternative.
const REFUSED: [(&str, &str); 40] = [
    ("_analyze", "the splitting of texts into words is fixed"),
    ("_update", "stored events cannot be changed"),
    ("_update_by_query", "stored events cannot be changed"),
    ("_reindex", "send events to the other group instead"),
    ("_sql", "use the query language at /api/v1/query"),
    ("_query", "send ES|QL with POST to /_query"),
    ("_eql", "use the query language at /api/v1/query"),
    ("_explain", "hits have no relevance here"),
    ("_rank_eval", "hits have no relevance here"),
    ("_knn_search", "there are no vectors here"),
    ("_termvectors", "there are no vectors here"),
    ("_mtermvectors", "there are no vectors here"),
    ("_scripts", "there are no scripts here"),
    ("_render", "there are no scripts here"),
    ("_graph", "it is not offered"),
    ("_rollup", "it is not offered"),
    ("_transform", "it is not offered"),
    ("_ml", "rules with anomaly() detect anomalies"),
    ("_watcher", "use alert rules, at /api/v1/rules"),
    ("_snapshot", "use catat backup"),
    ("_slm", "use catat backup"),
    ("_security", "create keys and users at /api/v1/keys and /api/v1/users"),
    ("_enrich", "use lookup in the query language"),
    ("_ccr", "it is not offered"),
    ("_logstash", "it is not offered"),
    ("_close", "a group is always open"),
    ("_open", "a group is always open"),
    ("_rollover", "a group needs no rollover; set its retention instead"),
    ("_shrink", "there are no shards here"),
    ("_split", "there are no shards here"),
    ("_clone", "groups are not copied"),
    ("_block", "restrict keys to groups instead"),
    ("_synonyms", "the splitting of texts into words is fixed"),
    ("_inference", "it is not offered"),
    ("_connector", "it is not offered"),
    ("_application", "it is not offered"),
    ("_data_stream", "every group is one already"),
    ("_dangling", "there are no shards here"),
    ("_features", "it is not offered"),
    ("_fleet", "it is not offered"),
];

/// Returns the error for an address of this API that has no route.
pub fn nothing_at(method: &Method, path: &str) -> Problem {
    let rest = path.strip_prefix(PREFIX).unwrap_or(path);
    unsupported(method, path).unwrap_or_else(|| {
        let message = format!("no handler found for uri [{rest}] and method [{method}]");
        Problem::bad_request("illegal_argument_exception", message)
    })
}

/// Returns the error for a method that a route of this API does not take, if Elasticsearch has a feature there.
pub fn refused(method: &Method, path: &str) -> Option<Problem> {
    is_address(path).then(|| unsupported(method, path))?
}

/// Returns the error for a feature that is not supported; `None` if the address names none.
fn unsupported(method: &Method, path: &str) -> Option<Problem> {
    let rest = path.strip_prefix(PREFIX).unwrap_or(path);
    let argument = |message: String| Some(Problem::bad_request("illegal_argument_exception", message));
    if *method == Method::DELETE && rest.contains("/_doc/") {
        return argument(format!("deleting a single document {NOT_SUPPORTED}; use _delete_by_query with an ids query"));
    }
    if rest.ends_with("search/template") {
        return argument(format!("[_search/template] {NOT_SUPPORTED}: there are no scripts here"));
    }
    let part = rest.split('/').find(|part| part.starts_with('_'))?;
    let (name, why) = REFUSED.iter().find(|(name, _)| *name == part)?;
    argument(format!("[{name}] {NOT_SUPPORTED}: {why}"))
}
