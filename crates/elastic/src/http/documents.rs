//! Single documents by their ids: `_doc`, `_source`, `_mget`.

use std::collections::HashMap;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use language::mapping::Schema;
use serde_json::{Value as Json_, json};

use super::body::SentJson;
use super::checked_parameters::CheckedParameters;
use super::errors::error_answer;
use super::execution::run;
use super::filter::Paths;
use super::index_names::IndexNames;
use super::indices::{self, Leniency};
use super::request::Search;
use super::search_run::read;
use super::state::Shared;
use door::parameters::Parameters;
use door::problem::Problem;

/// Limit on the documents of one `_mget`.
const DOCUMENTS_MAX: usize = 1_000;

/// Answers `GET {index}/_doc/{id}`.
pub(super) async fn get(
    server: Shared,
    Path((index, id)): Path<(String, String)>,
    parameters: CheckedParameters,
) -> Result<Response, Problem> {
    let filter = Paths::of(&parameters);
    let wanted = DocumentRequest { index: index.clone(), id: id.clone(), source: None };
    let found = find(&server, &[wanted], &parameters).await?.pop().flatten();
    let status = if found.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let answer = found.map_or_else(|| json!({"_index": index, "_id": id, "found": false}), shown);
    Ok((status, Json(filter.shown(answer))).into_response())
}

/// Answers `GET {index}/_source/{id}`.
pub(super) async fn source(
    server: Shared,
    Path((index, id)): Path<(String, String)>,
    parameters: CheckedParameters,
) -> Result<Response, Problem> {
    let wanted = DocumentRequest { index: index.clone(), id: id.clone(), source: None };
    match find(&server, &[wanted], &parameters).await?.pop().flatten() {
        Some(mut hit) => Ok(Json(Paths::of(&parameters).shown(hit["_source"].take())).into_response()),
        None => {
            let reason = format!("Document not found [{index}]/[{id}]");
            Ok(error_answer(StatusCode::NOT_FOUND, "resource_not_found_exception", &reason))
        }
    }
}

/// A requested document.
struct DocumentRequest {
    index: String,
    id: String,
    /// Its own selection of fields, if it has one.
    source: Option<Json_>,
}

/// Answers `_mget`: documents of the index of the address, unless they name another.
pub(super) async fn many(
    server: Shared,
    IndexNames(index): IndexNames,
    parameters: CheckedParameters,
    SentJson(body): SentJson,
) -> Result<Json<Json_>, Problem> {
    let wanted = wanted(&body, Some(index.as_str()).filter(|index| !index.is_empty()))?;
    let mut docs = Vec::with_capacity(wanted.len());
    let found = find(&server, &wanted, &parameters).await?;
    for (wanted, hit) in wanted.iter().zip(found) {
        docs.push(hit.map_or_else(|| json!({"_index": wanted.index, "_id": wanted.id, "found": false}), shown));
    }
    Ok(Json(Paths::of(&parameters).shown(json!({"docs": docs}))))
}

fn wanted(body: &Json_, index: Option<&str>) -> Result<Vec<DocumentRequest>, Problem> {
    let invalid = |why: &str| {
        let message = format!("Validation Failed: 1: {why};");
        Problem::bad_request("action_request_validation_exception", message)
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

/// Returns the hits of documents in their order; the newest of several with one id.
async fn find(
    server: &Shared,
    wanted: &[DocumentRequest],
    parameters: &Parameters,
) -> Result<Vec<Option<Json_>>, Problem> {
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
    let mut found: Vec<Option<Json_>> = wanted.iter().map(|_| None).collect();
    let ids: Vec<String> = wanted.iter().map(|one| one.id.clone()).collect();
    read(server, "documents by their ids", move |reading| {
        for (groups, search, places) in searches {
            let mut answer = run(reading, groups, &search, now)?.answer;
            let hits = answer["hits"]["hits"].as_array_mut().map(std::mem::take).unwrap_or_default();
            // Hits without an order are newest first: of equal ids the first counts.
            let by_id: HashMap<&str, &Json_> =
                hits.iter().rev().filter_map(|hit| Some((hit["_id"].as_str()?, hit))).collect();
            for place in places {
                found[place] = by_id.get(ids[place].as_str()).map(|hit| (*hit).clone());
            }
        }
        Ok(found)
    })
    .await
}

/// Returns a hit in the form of a document.
fn shown(mut hit: Json_) -> Json_ {
    let mut answer = json!({
        "_index": hit["_index"].take(), "_id": hit["_id"].take(), "_version": 1, "_seq_no": 0, "_primary_term": 1,
        "found": true,
    });
    if let Some(source) = hit.get_mut("_source") {
        answer["_source"] = source.take();
    }
    answer
}
