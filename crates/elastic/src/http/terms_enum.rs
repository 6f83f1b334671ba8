//! `_terms_enum`: the values of a field that begin with a text, in order.

use serde_json::{Value as Json_, json};

use super::errors::NOT_SUPPORTED;
use super::execution::run;
use super::indices::{self, Leniency};
use super::mappings;
use super::request::Search;
use super::search_run::query;
use super::state::Call;
use door::{Outcome, Parameters, Problem, Reply};

/// Answers `{index}/_terms_enum`.
pub(super) fn terms_enum(mut call: Call, body: Json_) -> Outcome {
    let (index, server) = (call.variable(), call.server);
    let members = body.as_object().cloned().unwrap_or_default();
    let known = ["field", "string", "size", "timeout", "case_insensitive", "index_filter"];
    if let Some(other) = members.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(Problem::bad_request("parsing_exception", format!("[_terms_enum] [{other}] {NOT_SUPPORTED}")));
    }
    let Some(field) = body["field"].as_str() else {
        let message = "Validation Failed: 1: field cannot be null;";
        return Err(Problem::bad_request("action_request_validation_exception", message));
    };
    let start = regex_of(
        body["string"].as_str().unwrap_or_default(),
        if body["case_insensitive"] == true { Case::Insensitive } else { Case::Sensitive },
    );
    let size = body["size"].as_u64().unwrap_or(10).clamp(1, 10_000);
    let terms = json!({"field": field, "size": size, "order": {"_key": "asc"}, "include": format!("{start}.*")});
    let everything = json!({"match_all": {}});
    let filter = body.get("index_filter").unwrap_or(&everything);
    let asked = json!({"size": 0, "query": filter, "track_total_hits": false, "aggs": {"t": {"terms": terms}}});
    let now = server.now();
    let groups = indices::resolve(&server, &index, Leniency { ignores_missing: false, allows_nothing: true })?;
    let search = Search::read(&asked, &Parameters::default(), now, &mappings::schema(&server, groups.as_deref())?)?;
    query(&server, "values of a field", move |reading| {
        let answer = run(reading, groups, &search, now)?.answer;
        let buckets = answer["aggregations"]["t"]["buckets"].as_array().cloned().unwrap_or_default();
        let text = |bucket: &Json_| match (&bucket["key_as_string"], &bucket["key"]) {
            (Json_::String(text), _) | (_, Json_::String(text)) => text.clone(),
            (_, key) => key.to_string(),
        };
        let terms: Vec<String> = buckets.iter().map(text).collect();
        Ok(Reply::json(&json!({"_shards": answer["_shards"], "terms": terms, "complete": true})))
    })
}

/// Whether letters match in either case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Sensitive,
    Insensitive,
}

/// Returns a regular expression of Lucene that matches a text, in the given case or in both.
fn regex_of(text: &str, case: Case) -> String {
    let mut regex = String::with_capacity(text.len());
    for c in text.chars() {
        if case == Case::Insensitive && c.is_alphabetic() {
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
