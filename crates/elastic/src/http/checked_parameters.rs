//! The parameters of each route. Others are refused, as in Elasticsearch: an unknown or misspelled parameter would change
//! the answer without a sign.

use std::sync::LazyLock;

use axum::extract::MatchedPath;
use language::{WordTable, word_table};

use super::address::PREFIX;
use super::errors::NOT_SUPPORTED;
use super::state::Call;
use door::{Parameters, Problem, Result};

/// The parameters of each route by the end of its path, and the lists that several routes share.
static TABLE: LazyLock<WordTable> = LazyLock::new(|| word_table(include_str!("parameters.txt")));

/// Parameters that are supported with these values only, since others would change the answer.
const REFUSED: [(&str, &[&str]); 4] = [
    ("explain", &["false"]),
    ("analyzer", &["standard"]),
    ("source", &[]),
    ("search_type", &["query_then_fetch", "dfs_query_then_fetch"]),
];

/// Returns a request whose parameters are valid.
pub(super) fn checked(call: Call) -> Result<Call> {
    let route = call.parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    check(route, call.parts.uri.path(), &call.parameters)?;
    Ok(call)
}

/// Returns the parameters without those with these names.
pub(super) fn without(parameters: &Parameters, names: &[&str]) -> Parameters {
    Parameters(parameters.0.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect())
}

/// Returns the shared list that a word names, or the word itself if it is a parameter.
fn expanded<'w>(word: &'w &'static str) -> &'w [&'static str] {
    TABLE.get(word).map_or(std::slice::from_ref(word), Vec::as_slice)
}

/// Refuses parameters that a route does not take.
fn check(route: &str, path: &str, parameters: &Parameters) -> Result<()> {
    let known =
        |end: &str| route.strip_prefix(PREFIX).is_some_and(|rest| rest == end || rest == format!("/{{index}}{end}"));
    let Some((_, words)) = TABLE.iter().find(|(end, _)| known(end)) else { return Ok(()) };
    let all: Vec<&str> = words.iter().chain(&["COMMON"]).flat_map(expanded).copied().collect();
    let unknown: Vec<&str> =
        parameters.0.iter().map(|(name, _)| name.as_str()).filter(|name| !all.contains(name)).collect();
    if let Some(first) = unknown.first() {
        let names = unknown.iter().map(|name| format!("[{name}]")).collect::<Vec<_>>().join(", ");
        let several = if unknown.len() > 1 { "s" } else { "" };
        let nearest = all.iter().find(|known| is_near(known, first));
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
    match name {
        name if TABLE["FLAGS"].contains(&name) => matches!(value, "" | "true" | "false"),
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
