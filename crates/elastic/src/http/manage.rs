//! Questions about the cluster and its indices that scripts ask first: settings, `_terms_enum`, `_validate/query`; and what
//! Elasticsearch does that this door does not, by its name.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, Method};
use serde_json::{Map, Value as Json_, json};

use super::checked_parameters::CheckedParameters;
use super::filter::Paths;
use super::indices::{self, Leniency};
use super::request::Search;
use super::search::{body_of, json_of, run};
use super::{NOT_SUPPORTED, PREFIX, catalog, info, made, mappings};
use crate::http::Shared;
use crate::http::reading::read;
use door::parameters::Parameters;
use door::problem::Problem;

/// Settings of indices that change nothing here: there are no shards, and events are found at once.
const HARMLESS_OF_INDEX: [&str; 21] = [
    "number_of_replicas",
    "number_of_shards",
    "auto_expand_replicas",
    "refresh_interval",
    "codec",
    "translog.",
    "merge.",
    "routing.",
    "unassigned.",
    "search.idle.",
    "mapping.",
    "max_",
    "lifecycle.",
    "hidden",
    "mode",
    "query.default_field",
    "priority",
    "indexing.",
    "sort.",
    "soft_deletes.",
    "version.",
];

/// Settings of the cluster that change nothing here.
const HARMLESS_OF_CLUSTER: [&str; 5] = [
    "cluster.routing.",
    "cluster.max_shards_per_node",
    "indices.recovery.",
    "logger.",
    "search.max_open_scroll_context",
];

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

/// Why there is nothing at an address of this door.
pub(super) fn nothing_at(method: &Method, path: &str) -> Problem {
    let rest = path.strip_prefix(PREFIX).unwrap_or(path);
    refused(method, path).unwrap_or_else(|| {
        let message = format!("no handler found for uri [{rest}] and method [{method}]");
        Problem::bad_request("illegal_argument_exception", message)
    })
}

/// What is said of a feature that is not there; `None` where an address names none.
pub(super) fn refused(method: &Method, path: &str) -> Option<Problem> {
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

/// `_settings` of everything.
pub(super) async fn settings_of_all(server: Shared, parameters: CheckedParameters) -> Result<Json<Json_>, Problem> {
    settings(&server, "", &parameters)
}

/// `{index}/_settings`
pub(super) async fn settings_of(
    server: Shared,
    Path(index): Path<String>,
    parameters: CheckedParameters,
) -> Result<Json<Json_>, Problem> {
    settings(&server, &index, &parameters)
}

fn settings(server: &Shared, names: &str, parameters: &Parameters) -> Result<Json<Json_>, Problem> {
    let groups = catalog::groups_of(server, names, parameters)?;
    let mut found: Vec<(String, i64)> = groups
        .iter()
        .map(|group| (group.name.to_string(), group.first.map_or(0, |first| first.0 / 1_000_000)))
        .collect();
    let wanted: Vec<types::GroupPattern> =
        names.split(',').filter(|name| !name.is_empty()).map(types::GroupPattern::new).collect();
    let is_wanted = |name: &str| wanted.is_empty() || types::GroupPattern::any_matches(&wanted, name);
    let empty = made::empty(server)?.into_iter().filter(|name| is_wanted(name.as_str()));
    found.extend(empty.map(|name| (name.to_string(), 0)));
    let is_flat = parameters.flag_or_bare("flat_settings");
    let kept = mappings::all(server)?;
    let about = |(name, created): (String, i64)| {
        let values = [
            ("number_of_shards", json!("1")),
            ("number_of_replicas", json!("0")),
            ("provided_name", json!(name)),
            ("uuid", json!(name)),
            ("creation_date", json!(created.to_string())),
        ];
        let kept = kept.declared(&name).map(|declared| shown_settings(&declared.settings)).unwrap_or_default();
        let of_caller =
            flat(&kept).into_iter().map(|(name, value)| (name.trim_start_matches("index.").to_owned(), value));
        let mut values: BTreeMap<String, Json_> =
            values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        values.extend(of_caller);
        let settings: Json_ = match is_flat {
            true => values.into_iter().map(|(name, value)| (format!("index.{name}"), value)).collect(),
            false => shown_settings(&values.into_iter().collect::<Map<_, _>>().into()),
        };
        (name, json!({"settings": settings}))
    };
    Ok(Json(Paths::of(parameters).shown(found.into_iter().map(about).collect())))
}

/// `PUT {index}/_settings`: what changes nothing is acknowledged, the rest is refused.
pub(super) async fn put_settings(
    server: Shared,
    Path(index): Path<String>,
    parameters: CheckedParameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Json_>, Problem> {
    let body = json_of(&body_of(&server, &headers, body).await?)?;
    indices::resolve(&server, &index, Leniency::of_parameters(&parameters)?)?;
    check_settings(body.get("settings").unwrap_or(&body))?;
    Ok(Json(json!({"acknowledged": true})))
}

/// Refuses settings of an index that would have an effect.
pub(super) fn check_settings(settings: &Json_) -> Result<(), Problem> {
    for (name, value) in flat(settings) {
        let short = name.strip_prefix("index.").unwrap_or(&name);
        let is_no_pipeline = short.ends_with("_pipeline") && value == "_none";
        let is_analysis = short.starts_with("analysis.");
        let is_harmless = HARMLESS_OF_INDEX.iter().any(|known| short.starts_with(known));
        if !value.is_null() && !is_harmless && !is_no_pipeline && !is_analysis {
            return Err(not_a_setting("index", short));
        }
    }
    Ok(())
}

/// Puts a value at its path, objects around it.
fn put(object: &mut Map<String, Json_>, path: &str, value: Json_) {
    match path.split_once('.') {
        Some((first, rest)) => {
            let inner = object.entry(first).or_insert_with(|| json!({}));
            if let Json_::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
        None => _ = object.insert(path.to_owned(), value),
    }
}

/// Settings as they are shown: below `index`, values as texts.
pub(super) fn shown_settings(settings: &Json_) -> Json_ {
    let mut shown = Map::new();
    for (name, value) in flat(settings) {
        let value = match value {
            Json_::Number(_) | Json_::Bool(_) => Json_::from(value.to_string()),
            value => value,
        };
        put(&mut shown, name.strip_prefix("index.").unwrap_or(&name), value);
    }
    if shown.is_empty() { json!({}) } else { json!({"index": shown}) }
}

fn not_a_setting(of: &str, name: &str) -> Problem {
    let message = format!("the setting [{of}.{name}] {NOT_SUPPORTED}");
    Problem::bad_request("illegal_argument_exception", message.replace("cluster.action.", "action."))
}

/// Members of members by their paths.
fn flat(json: &Json_) -> Vec<(String, Json_)> {
    let Some(members) = json.as_object() else { return Vec::new() };
    let mut found = Vec::new();
    for (name, value) in members {
        match value {
            Json_::Object(_) => {
                found.extend(flat(value).into_iter().map(|(rest, value)| (format!("{name}.{rest}"), value)))
            }
            value => found.push((name.clone(), value.clone())),
        }
    }
    found
}

/// `_cluster/settings`: there are none.
pub(super) async fn cluster_settings() -> Json<Json_> {
    Json(json!({"persistent": {}, "transient": {}}))
}

/// `PUT _cluster/settings`: what changes nothing is acknowledged, the rest is refused.
pub(super) async fn put_cluster_settings(
    server: Shared,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Json_>, Problem> {
    let body = json_of(&body_of(&server, &headers, body).await?)?;
    for of in ["persistent", "transient"] {
        for (name, value) in body.get(of).map(flat).unwrap_or_default() {
            if !value.is_null() && !HARMLESS_OF_CLUSTER.iter().any(|known| name.starts_with(known)) {
                let message = format!("{of} setting [{name}] {NOT_SUPPORTED}");
                return Err(Problem::bad_request("illegal_argument_exception", message));
            }
        }
    }
    Ok(Json(json!({"acknowledged": true, "persistent": {}, "transient": {}})))
}

/// `_cluster/stats`
pub(super) async fn cluster_stats(server: Shared) -> Json<Json_> {
    let groups = server.groups();
    let sum = |number: fn(&storage::GroupStatus) -> u64| groups.iter().map(number).sum::<u64>();
    Json(json!({
        "_nodes": {"total": 1, "successful": 1, "failed": 0},
        "cluster_name": info::NAME, "cluster_uuid": info::ID, "status": info::state(&server),
        "timestamp": server.now().0.div_euclid(1_000_000),
        "indices": {
            "count": groups.len(), "shards": {"total": groups.len(), "primaries": groups.len()},
            "docs": {"count": sum(|group| group.n_events), "deleted": 0},
            "store": {"size_in_bytes": sum(catalog::bytes_of)},
        },
        "nodes": {"count": {"total": 1, "data": 1, "ingest": 1, "master": 1}, "versions": [info::VERSION]},
    }))
}

/// `{index}/_terms_enum`: values of a field that begin so, in order.
pub(super) async fn terms_enum(
    server: Shared,
    Path(index): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Json_>, Problem> {
    let body = json_of(&body_of(&server, &headers, body).await?)?;
    let members = body.as_object().cloned().unwrap_or_default();
    let known = ["field", "string", "size", "timeout", "case_insensitive", "index_filter"];
    if let Some(other) = members.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(Problem::bad_request("parsing_exception", format!("[_terms_enum] [{other}] {NOT_SUPPORTED}")));
    }
    let Some(field) = body["field"].as_str() else {
        let message = "Validation Failed: 1: field cannot be null;";
        return Err(Problem::bad_request("action_request_validation_exception", message));
    };
    let start = regex_of(body["string"].as_str().unwrap_or_default(), body["case_insensitive"] == true);
    let size = body["size"].as_u64().unwrap_or(10).clamp(1, 10_000);
    let terms = json!({"field": field, "size": size, "order": {"_key": "asc"}, "include": format!("{start}.*")});
    let everything = json!({"match_all": {}});
    let query = body.get("index_filter").unwrap_or(&everything);
    let asked = json!({"size": 0, "query": query, "track_total_hits": false, "aggs": {"t": {"terms": terms}}});
    let now = server.now();
    let groups = indices::resolve(&server, &index, Leniency { ignores_missing: false, allows_nothing: true })?;
    let search = Search::read(&asked, &Parameters::default(), now, &mappings::schema(&server, groups.as_deref())?)?;
    let answer =
        read(&server, "values of a field", move |reading| Ok(run(reading, groups, &search, now)?.answer)).await?;
    let buckets = answer["aggregations"]["t"]["buckets"].as_array().cloned().unwrap_or_default();
    let text = |bucket: &Json_| match (&bucket["key_as_string"], &bucket["key"]) {
        (Json_::String(text), _) | (_, Json_::String(text)) => text.clone(),
        (_, key) => key.to_string(),
    };
    let terms: Vec<String> = buckets.iter().map(text).collect();
    Ok(Json(json!({"_shards": answer["_shards"], "terms": terms, "complete": true})))
}

/// A text as a regular expression of Lucene that matches it alone, or it in small and capital letters.
fn regex_of(text: &str, is_any_case: bool) -> String {
    let mut regex = String::with_capacity(text.len());
    for c in text.chars() {
        if is_any_case && c.is_alphabetic() {
            regex.push('[');
            regex.extend(c.to_lowercase().chain(c.to_uppercase()));
            regex.push(']');
            continue;
        }
        if !c.is_alphanumeric() && c.is_ascii() {
            regex.push('\\');
        }
        regex.push(c);
    }
    regex
}

/// `_validate/query` of everything.
pub(super) async fn validate_all(
    server: Shared,
    parameters: CheckedParameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Json_>, Problem> {
    validate(server, String::new(), parameters, headers, body).await
}

/// `{index}/_validate/query`
pub(super) async fn validate_of(
    server: Shared,
    Path(index): Path<String>,
    parameters: CheckedParameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Json_>, Problem> {
    validate(server, index, parameters, headers, body).await
}

async fn validate(
    server: Shared,
    index: String,
    parameters: CheckedParameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Json_>, Problem> {
    let body = json_of(&body_of(&server, &headers, body).await?)?;
    let groups = indices::resolve(&server, &index, Leniency::of_parameters(&parameters)?)?;
    let schema = mappings::schema(&server, groups.as_deref())?;
    let others: Vec<(String, String)> = parameters.without(&["explain", "all_shards", "rewrite"]);
    let mut answer = json!({"_shards": {"total": 1, "successful": 1, "failed": 0}, "valid": true});
    if let Err(error) = Search::read(&body, &Parameters(others), server.now(), &schema) {
        answer["valid"] = json!(false);
        if parameters.flag_or_bare("explain") {
            answer["error"] = json!(format!("{}: {}", error.kind, error.reason));
        }
    }
    Ok(Json(Paths::of(&parameters).shown(answer)))
}
