//! The keys that queries and aggregations take. Another is refused, as Elasticsearch refuses it; one that Elasticsearch
//! knows and that would change the answer is refused by its name.

use std::sync::LazyLock;

use serde_json::{Map, Value as Json};

use super::forms;
use crate::search_error::{Result, SearchError};
use crate::word_table::{WordTable, word_table};

/// Taken by every query.
const COMMON: [&str; 2] = ["_name", "boost"];

/// The rows of `keys.txt`: the keys that each query and each aggregation takes, by kind and name.
static ROWS: LazyLock<WordTable> = LazyLock::new(|| word_table(include_str!("keys.txt")));

const OF_SIBLING: &[&str] = &["buckets_path", "format", "gap_policy", "keyed", "percents"];

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
pub(super) fn check_query(kind: &str, body: &Json, at: &str) -> Result<()> {
    let Some(members) = body.as_object() else { return Ok(()) };
    if let Some(known) = ROWS.get(format!("query {kind}").as_str()) {
        check(members, known, |key| format!("[{kind}] query does not support [{key}]"), at)?;
        forms::check_query(members, at)?;
        if TEXT_QUERIES.contains(&kind) {
            return check_values(members, &REFUSED, at);
        }
        return check_values(members, &REFUSED[..3], at);
    }
    let Some(known) = ROWS.get(format!("field {kind}").as_str()) else { return Ok(()) };
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
pub fn check_aggregation(kind: &str, body: &Json, at: &str) -> Result<()> {
    let Some(members) = body.as_object() else { return Ok(()) };
    let takes_script = kind.starts_with("bucket_") || kind == "moving_fn";
    let is_sibling = kind.ends_with("_bucket");
    if !takes_script {
        check_values(members, &REFUSED[..1], at)?;
    }
    forms::check_aggregation(kind, members, at)?;
    match ROWS.get(format!("aggregation {kind}").as_str()) {
        Some(known) => check(members, known, |key| format!("[{kind}] unknown field [{key}]"), at),
        None if is_sibling => check(members, OF_SIBLING, |key| format!("[{kind}] unknown field [{key}]"), at),
        None => Ok(()),
    }
}

fn check(members: &Map<String, Json>, known: &[&str], message: impl Fn(&str) -> String, at: &str) -> Result<()> {
    let is_known =
        |key: &str| known.contains(&key) || COMMON.contains(&key) || REFUSED[..2].iter().any(|(name, _)| *name == key);
    members.keys().find(|key| !is_known(key)).map_or(Ok(()), |key| Err(SearchError::parsing(at, message(key))))
}

fn check_values(members: &Map<String, Json>, refused: &[(&str, &[&str])], at: &str) -> Result<()> {
    for (name, usual) in refused {
        let Some(value) = members.get(*name).filter(|value| !value.is_null()) else { continue };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if !usual.contains(&text.as_str()) {
            return Err(SearchError::parsing(at, format!("[{name}] with [{text:.100}] is not supported")));
        }
    }
    Ok(())
}
