//! Single documents by their ids: `_doc`, `_source`, `_mget`.

use std::collections::HashMap;

use axum::http::StatusCode;
use language::mapping::Schema;
use serde_json::{Value as Json_, json};

use super::errors::not_found;
use super::execution::run;
use super::filter::Paths;
use super::indices::{self, Leniency};
use super::request::Search;
use super::search_run::query;
use super::state::{Call, Shared};
use door::{Outcome, Parameters, Problem, Result};

/// Limit on the documents of one `_mget`.
const DOCUMENTS_MAX: usize = 1_000;

/// Answers `GET {index}/_doc/{id}`.
pub(super) fn get(call: Call) -> Outcome {
    let filter = Paths::of(&call.parameters);
    find_one(&call, move |wanted, hit| {
        let status = if hit.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
        Ok(filter.reply(shown(wanted, hit))?.with_status(status))
    })
}

/// Answers `GET {index}/_source/{id}`.
pub(super) fn source(call: Call) -> Outcome {
    let filter = Paths::of(&call.parameters);
    find_one(&call, move |DocumentRequest { index, id, .. }, hit| match hit {
        Some(mut hit) => filter.reply(hit["_source"].take()),
        None => Ok(not_found(&format!("Document not found [{index}]/[{id}]"))),
    })
}

/// Finds the document of an address.
fn find_one(call: &Call, answer: impl FnOnce(&DocumentRequest, Option<Json_>) -> Outcome + Send + 'static) -> Outcome {
    let [index, id] = call.path.clone();
    let wanted = vec![DocumentRequest { index, id, source: None }];
    find(&call.server, wanted, &call.parameters, |wanted, mut found| answer(&wanted[0], found.remove(0)))
}

/// A requested document.
struct DocumentRequest {
    index: String,
    id: String,
    /// Its own selection of fields, if it has one.
    source: Option<Json_>,
}

/// Answers `_mget`: documents of the index of the address, unless they name another.
pub(super) fn many(mut call: Call, body: Json_) -> Outcome {
    let index = call.variable();
    let filter = Paths::of(&call.parameters);
    let wanted = wanted(&body, Some(index.as_str()).filter(|index| !index.is_empty()))?;
    find(&call.server, wanted, &call.parameters, move |wanted, found| {
        let docs: Vec<Json_> = wanted.iter().zip(found).map(|(wanted, hit)| shown(wanted, hit)).collect();
        filter.reply(json!({"docs": docs}))
    })
}

fn wanted(body: &Json_, index: Option<&str>) -> Result<Vec<DocumentRequest>> {
    let invalid = |why: &str| {
        Problem::bad_request("action_request_validation_exception", format!("Validation Failed: 1: {why};"))
    };
    let mut wanted = Vec::new();
    for (name, value) in body.as_object().into_iter().flatten() {
        let list = value
            .as_array()
            .ok_or_else(|| Problem::bad_request("parsing_exception", format!("[{name}] is not a list")))?;
        for one in list {
            let text = |name: &str| one.get(name).and_then(Json_::as_str).map(str::to_owned);
            let id = match name.as_str() {
                "ids" => one.as_str().map(str::to_owned),
                "docs" => text("_id"),
                other => {
                    let message = format!("unknown key [{other}] for a START_ARRAY, expected [docs] or [ids]");
                    return Err(Problem::bad_request("parsing_exception", message));
                }
            };
            let id = id.ok_or_else(|| invalid("id is missing"))?;
            let index =
                text("_index").or_else(|| index.map(str::to_owned)).ok_or_else(|| invalid("index is missing"))?;
            wanted.push(DocumentRequest { index, id, source: one.get("_source").cloned() });
        }
    }
    match wanted.len() {
        0 => Err(invalid("no documents to get")),
        n if n > DOCUMENTS_MAX => Err(invalid(&format!("more than {DOCUMENTS_MAX} documents"))),
        _ => Ok(wanted),
    }
}

/// Answers with what is made of the hits of documents, in their order; the newest of several with one id.
fn find(
    server: &Shared,
    wanted: Vec<DocumentRequest>,
    parameters: &Parameters,
    answer: impl FnOnce(&[DocumentRequest], Vec<Option<Json_>>) -> Outcome + Send + 'static,
) -> Outcome {
    let now = server.now();
    let mut searches = Vec::new();
    let mut by_request: HashMap<(String, String), Vec<usize>> = HashMap::new();
    for (place, one) in wanted.iter().enumerate() {
        let source = one.source.as_ref().map(ToString::to_string).unwrap_or_default();
        by_request.entry((one.index.clone(), source)).or_default().push(place);
    }
    let of_source = |name: &str| matches!(name, "_source" | "_source_includes" | "_source_excludes" | "stored_fields");
    let kept: Vec<(String, String)> = parameters.0.iter().filter(|(name, _)| of_source(name)).cloned().collect();
    for ((index, _), places) in by_request {
        let leniency = Leniency { ignores_missing: wanted.len() > 1, allows_nothing: true };
        let groups = indices::resolve(server, &index, leniency)?;
        let ids: Vec<&str> = places.iter().filter_map(|place| Some(wanted.get(*place)?.id.as_str())).collect();
        let source = places.first().and_then(|place| wanted.get(*place)?.source.clone());
        let body = json!({"query": {"ids": {"values": ids}}, "size": 10_000, "_source": source});
        searches.push((groups, Search::read(&body, &Parameters(kept.clone()), now, &Schema::default())?, places));
    }
    query(server, "documents by their ids", move |reading| {
        let mut found: Vec<Option<Json_>> = wanted.iter().map(|_| None).collect();
        for (groups, search, places) in searches {
            let mut answer = run(reading, groups, &search, now)?.answer;
            let hits = answer["hits"]["hits"].as_array_mut().map(std::mem::take).unwrap_or_default();
            // Hits without an order are newest first: of equal ids the first counts.
            let by_id: HashMap<&str, &Json_> =
                hits.iter().rev().filter_map(|hit| Some((hit["_id"].as_str()?, hit))).collect();
            for place in places {
                found[place] = by_id.get(wanted[place].id.as_str()).map(|hit| (*hit).clone());
            }
        }
        answer(&wanted, found)
    })
}

/// Returns a hit in the form of a document.
fn shown(wanted: &DocumentRequest, hit: Option<Json_>) -> Json_ {
    let Some(mut hit) = hit else { return json!({"_index": wanted.index, "_id": wanted.id, "found": false}) };
    let mut answer = json!({
        "_index": hit["_index"].take(), "_id": hit["_id"].take(), "_version": 1, "_seq_no": 0, "_primary_term": 1,
        "found": true,
    });
    if let Some(source) = hit.get_mut("_source") {
        answer["_source"] = source.take();
    }
    answer
}
