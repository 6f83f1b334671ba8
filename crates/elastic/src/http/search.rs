//! `_search`, `_msearch`, `_count`: questions in, hits and aggregations out.

use std::time::Instant;

use language::SearchError;
use serde_json::{Value as Json_, json};
use types::{GroupPattern, Timestamp};

use super::body::json_of;
use super::checked_parameters::without;
use super::errors::problem_json;
use super::execution::run;
use super::filter::Paths;
use super::indices::{self, Leniency};
use super::pit::PointInTime;
use super::request::{Search, Total};
use super::search_run::query;
use super::state::{Call, Shared};
use super::{mappings, scroll};
use door::{Outcome, Parameters, Problem, Result};

/// Limit on the searches of one `_msearch`.
const SEARCHES_MAX: usize = 500;

/// Answers `_search`: the hits and aggregations of one search.
pub(super) fn search(call: Call, bytes: Vec<u8>) -> Outcome {
    answer(call, &bytes, |answer| answer)
}

/// Answers one search with what is made of its answer.
pub(super) fn answer(mut call: Call, bytes: &[u8], shown: impl FnOnce(Json_) -> Json_ + Send + 'static) -> Outcome {
    let index = call.variable();
    let Call { server, parameters, .. } = call;
    let body = json_of(bytes)?;
    let now = server.now();
    let begins_scroll = parameters.get("scroll").is_some();
    let (groups, search) = prepared(&server, &index, &body, &parameters, Leniency::of_parameters(&parameters)?, now)?;
    if begins_scroll {
        scroll::check(&search, &body)?;
    }
    query(&server, &String::from_utf8_lossy(bytes), move |reading| {
        let found = run(reading, groups, &search, now)?;
        let id = begins_scroll
            .then(|| scroll::first(reading.server, &index, &body, &parameters, now, &found))
            .transpose()?;
        let mut answer = found.answer;
        if let Some(id) = id {
            answer["_scroll_id"] = id.into();
        }
        if let Some(pit) = body.get("pit").filter(|pit| !pit.is_null()) {
            answer["pit_id"] = pit["id"].clone();
        }
        Paths::of(&parameters).reply(shown(answer))
    })
}

/// Reads a search and resolves its groups.
fn prepared(
    server: &Shared,
    index: &str,
    body: &Json_,
    parameters: &Parameters,
    leniency: Leniency,
    now: Timestamp,
) -> Result<(Option<Vec<GroupPattern>>, Search)> {
    let pit = PointInTime::of_search(body, index)?;
    let groups = match &pit {
        // Indices may have been deleted since the point in time was opened.
        Some(pit) => indices::resolve(server, &pit.index, Leniency { ignores_missing: true, ..leniency })?,
        None => indices::resolve(server, index, leniency)?,
    };
    let mut search = Search::read(body, parameters, now, &mappings::schema(server, groups.as_deref())?)?;
    search.selection.operators.extend(pit.map(|pit| pit.condition()));
    Ok((groups, search))
}

/// Answers `_count`: the number of events that a query matches.
pub(super) fn count(mut call: Call, bytes: Vec<u8>) -> Outcome {
    let index = call.variable();
    let Call { server, parameters, .. } = call;
    let body = json_of(&bytes)?;
    if let Some(other) = body.as_object().and_then(|members| members.keys().find(|name| *name != "query")) {
        return Err(SearchError::parsing("_count", format!("request does not support [{other}]")).into());
    }
    let now = server.now();
    let groups = indices::resolve(&server, &index, Leniency::of_parameters(&parameters)?)?;
    let mut search = Search::read(&body, &parameters, now, &mappings::schema(&server, groups.as_deref())?)?;
    (search.size, search.total) = (0, Total::All);
    (search.total_as_number, search.typed_keys) = (true, false);
    query(&server, &String::from_utf8_lossy(&bytes), move |reading| {
        let answer = run(reading, groups, &search, now)?.answer;
        let count = json!({"count": answer["hits"]["total"], "_shards": answer["_shards"]});
        Paths::of(&parameters).reply(count)
    })
}

/// Answers `_msearch`: several searches of the indices of the address, unless they name others.
pub(super) fn search_many(mut call: Call, bytes: Vec<u8>) -> Outcome {
    let index = call.variable();
    let Call { server, parameters, .. } = call;
    let searches = pairs(&bytes)?;
    let (now, started) = (server.now(), Instant::now());
    query(&server, &String::from_utf8_lossy(&bytes), move |reading| {
        let mut responses = Vec::with_capacity(searches.len());
        for (header, body) in searches {
            let answered = header.and_then(|header| {
                let body = body?;
                let index = indices::of_header(&header).unwrap_or_else(|| index.clone());
                let leniency = Leniency::of_parameters(&parameters)?.or_header(&header);
                let (groups, search) = prepared(reading.server, &index, &body, &parameters, leniency, now)?;
                Ok(run(reading, groups, &search, now)?.answer)
            });
            responses.push(match answered {
                Ok(mut answer) => {
                    answer["status"] = json!(200);
                    answer
                }
                // A timeout or a missing right ends all searches.
                Err(problem) if problem.status.is_server_error() || problem.status == 401 => return Err(problem),
                Err(problem) => problem_json(&problem).1,
            });
        }
        let took = started.elapsed().as_millis() as u64;
        Paths::of(&parameters).reply(json!({"took": took, "responses": responses}))
    })
}

/// A line of `_msearch` as JSON, or its error.
type Line = Result<Json_>;

/// Reads pairs of header and body, a line each. An empty line is an empty header.
fn pairs(bytes: &[u8]) -> Result<Vec<(Line, Line)>> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| Problem::bad_request("parse_exception", "the body is not UTF-8"))?;
    let mut lines: Vec<&str> = text.split('\n').map(str::trim).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    if lines.is_empty() {
        return Err(Problem::bad_request(
            "action_request_validation_exception",
            "Validation Failed: 1: no requests added;",
        ));
    }
    let mut searches = Vec::new();
    let mut lines = lines.into_iter();
    while let Some(header) = lines.next() {
        let Some(body) = lines.next() else {
            let message = format!("line {} is a header without a body after it", searches.len() * 2 + 1);
            return Err(Problem::bad_request("illegal_argument_exception", message));
        };
        if searches.len() >= SEARCHES_MAX {
            let message = format!("more than {SEARCHES_MAX} searches in one request");
            return Err(Problem::bad_request("illegal_argument_exception", message));
        }
        searches.push((json_of(header.as_bytes()), json_of(body.as_bytes())));
    }
    Ok(searches)
}

/// Answers `_validate/query`: whether a query can be read.
pub(super) fn validate(mut call: Call, body: Json_) -> Outcome {
    let index = call.variable();
    let Call { server, parameters, .. } = call;
    let groups = indices::resolve(&server, &index, Leniency::of_parameters(&parameters)?)?;
    let schema = mappings::schema(&server, groups.as_deref())?;
    let others = without(&parameters, &["explain", "all_shards", "rewrite"]);
    let mut answer = json!({"_shards": {"total": 1, "successful": 1, "failed": 0}, "valid": true});
    if let Err(error) = Search::read(&body, &others, server.now(), &schema) {
        answer["valid"] = json!(false);
        if parameters.flag_or_bare("explain") {
            answer["error"] = json!(format!("{}: {}", error.kind, error.reason));
        }
    }
    Paths::of(&parameters).reply(answer)
}
