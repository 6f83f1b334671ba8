//! Features of Elasticsearch that this API does not have, by the part of the path that names them.

use axum::http::Method;

use super::address::{PREFIX, is_address};
use super::errors::NOT_SUPPORTED;
use door::problem::Problem;

/// What Elasticsearch does and this door does not, by a part of the path, and why.
const REFUSED: [(&str, &str); 40] = [
    ("_analyze", "how texts are split into words is fixed"),
    ("_update", "an event is not changed once it is stored"),
    ("_update_by_query", "an event is not changed once it is stored"),
    ("_reindex", "send events to the other group instead"),
    ("_sql", "ask in the query language at /api/v1/query"),
    ("_query", "ES|QL is not spoken; ask in the query language at /api/v1/query"),
    ("_eql", "ask in the query language at /api/v1/query"),
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
    ("_ml", "rules with anomaly() look for what is unusual"),
    ("_watcher", "rules of alerts do this, at /api/v1/rules"),
    ("_snapshot", "catat backup does this"),
    ("_slm", "catat backup does this"),
    ("_security", "keys and users are made at /api/v1/keys and /api/v1/users"),
    ("_enrich", "lookup in the query language does this"),
    ("_ccr", "it is not offered"),
    ("_logstash", "it is not offered"),
    ("_close", "a group is always open"),
    ("_open", "a group is always open"),
    ("_rollover", "a group grows without it; its retention says what goes"),
    ("_shrink", "there are no shards here"),
    ("_split", "there are no shards here"),
    ("_clone", "groups are not copied"),
    ("_block", "keys say who may send to a group"),
    ("_synonyms", "how texts are split into words is fixed"),
    ("_inference", "it is not offered"),
    ("_connector", "it is not offered"),
    ("_application", "it is not offered"),
    ("_data_stream", "every group is one already"),
    ("_dangling", "there are no shards here"),
    ("_features", "it is not offered"),
    ("_fleet", "it is not offered"),
];

/// The error for an address of this API that has no route.
pub fn nothing_at(method: &Method, path: &str) -> Problem {
    let rest = path.strip_prefix(PREFIX).unwrap_or(path);
    unsupported(method, path).unwrap_or_else(|| {
        let message = format!("no handler found for uri [{rest}] and method [{method}]");
        Problem::bad_request("illegal_argument_exception", message)
    })
}

/// The error for a method that a route of this API does not take, if Elasticsearch has a feature there.
pub fn refused(method: &Method, path: &str) -> Option<Problem> {
    is_address(path).then(|| unsupported(method, path))?
}

/// The error for a feature that is not supported; `None` if the address names none.
fn unsupported(method: &Method, path: &str) -> Option<Problem> {
    let rest = path.strip_prefix(PREFIX).unwrap_or(path);
    let argument = |message: String| Some(Problem::bad_request("illegal_argument_exception", message));
    if *method == Method::DELETE && rest.contains("/_doc/") {
        return argument(format!(
            "deleting a single document {NOT_SUPPORTED}; _delete_by_query with an ids query does this"
        ));
    }
    if rest.ends_with("search/template") {
        return argument(format!("[_search/template] {NOT_SUPPORTED}: there are no scripts here"));
    }
    let part = rest.split('/').find(|part| part.starts_with('_'))?;
    let (name, why) = REFUSED.iter().find(|(name, _)| *name == part)?;
    argument(format!("[{name}] {NOT_SUPPORTED}: {why}"))
}
