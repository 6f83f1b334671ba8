//! `_bulk`, `_doc`, `_create`: stores documents.

use std::cell::RefCell;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ingest::{IngestError, Sender, decode};
use language::mapping::Mapping;
use serde::Deserialize;
use types::GroupName;

use super::bulk_answer::{self, ItemStatus, NO_INDEX};
use super::errors::error_answer;
use super::filter::Filter;
use super::format::version_wanted;
use super::index_names::IndexNames;
use super::mappings;
use super::names::{auto_create, check_pipeline, refusal_to_create};
use super::state::Shared;
use crate::bulk::{Action, BulkTerms, DocumentIntake, Item, Outcome, Refusal};
use door::headers::{batch_id, encoding};
use door::parameters::Parameters;
use door::problem::Problem;

/// The intake's error for a body without a line.
const EMPTY: &str = "it is empty";

/// Limit on the actions that are named in the error if none has an index.
const INVALID_MAX: usize = 100;

const JSON: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

/// Answers `_bulk`: actions of the index in the address, unless they name another.
pub(super) async fn bulk(
    server: Shared,
    IndexNames(index): IndexNames,
    parameters: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let index = Some(index).filter(|index| !index.is_empty());
    let (encoding, batch_id) = (encoding(&headers)?, batch_id(&headers)?);
    let filter = Filter::new(parameters.get("filter_path").unwrap_or_default());
    let pipeline = parameters.get("pipeline").map(str::to_owned);
    // Elasticsearch 9 is strict about actions unless a client asks for the forms of an earlier version.
    let is_lenient = version_wanted(&headers).is_some_and(|version| version < 9);
    let bytes_max = server.app.limits.body_bytes_max;
    let received = server.bodies.read(body, bytes_max).await?;
    let of_thread = server.clone();
    let n_bytes = received.bytes().len();
    let work = move || {
        let body = decode(received.bytes(), encoding, bytes_max)?;
        let sender = of_thread.sender(batch_id.as_deref());
        let check = fits(&of_thread)?;
        let has_pipeline = |name: &str| check_pipeline(&of_thread, Some(name)).is_ok();
        let (index, pipeline) = (index.as_deref(), pipeline.as_deref());
        let terms = BulkTerms { index, pipeline, is_lenient, has_pipeline: &has_pipeline };
        let items = documents(&of_thread, &sender, &*check).bulk(&body, &terms).map_err(malformed)?;
        let has_no_index = |item: &Item<'_>| item.outcome == Outcome::Refused(Refusal::NoIndex);
        if !items.items.is_empty() && items.items.iter().all(has_no_index) {
            let each: String =
                (1..=items.items.len().min(INVALID_MAX)).map(|n| format!(" {n}: index is missing;")).collect();
            return Err(Problem::bad_request(
                "action_request_validation_exception",
                format!("Validation Failed:{each}"),
            ));
        }
        let took_ms = (of_thread.now().0 - sender.now.0) / 1_000_000;
        Ok::<_, Problem>(bulk_answer::bulk(&items, &filter, sender.now, took_ms.max(0)))
    };
    let answer = server.intake.run(encoding, n_bytes, work).await??;
    Ok((JSON, answer).into_response())
}

/// Checks a document of a group, with its id; returns the reason for a refusal.
type Fit = dyn Fn(&GroupName, &[u8], Option<&str>) -> Option<Refusal>;

/// Returns the intake of a sender's documents.
fn documents<'a>(server: &'a Shared, sender: &'a Sender<'a>, check: &'a Fit) -> DocumentIntake<'a> {
    DocumentIntake { intake: &server.app.intake, counter: &server.state.documents, sender, check }
}

/// Returns the check against the mapping of an index.
fn fits(server: &Shared) -> Result<Box<Fit>, Problem> {
    let (all, rule, of_rule) = (mappings::all(server)?, auto_create(server)?, server.clone());
    let last: RefCell<Option<(GroupName, Option<Arc<Mapping>>)>> = RefCell::default();
    Ok(Box::new(move |group: &GroupName, document: &[u8], id: Option<&str>| {
        let mut last = last.borrow_mut();
        if last.as_ref().is_none_or(|(known, _)| known != group) {
            if let Some(reason) = refusal_to_create(&of_rule, &rule, group) {
                return Some(Refusal::Misfit { kind: NO_INDEX, reason });
            }
            *last = Some((group.clone(), mappings::checked(&all, group)));
        }
        let (_, Some(mapping)) = last.as_ref()? else { return None };
        let misfit = mapping.misfit(document, id)?;
        Some(Refusal::Misfit { kind: misfit.kind, reason: misfit.reason })
    }))
}

/// Returns the error for a body whose first line is not an action, in Elasticsearch's words.
fn malformed(error: IngestError) -> Problem {
    match error {
        IngestError::BadBody { ref problem, .. } if problem != EMPTY => {
            let message = format!("Malformed action/metadata line [1], {error}");
            Problem::bad_request("illegal_argument_exception", message)
        }
        error => error.into(),
    }
}

/// The address of a document.
#[derive(Deserialize)]
pub(super) struct DocumentAddress {
    index: String,
    id: Option<String>,
}

/// Answers `_doc`: stores a document, with an id or without.
pub(super) async fn document(
    server: Shared,
    Path(address): Path<DocumentAddress>,
    parameters: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let action = if parameters.get("op_type") == Some("create") { Action::Create } else { Action::Index };
    one(server, action, address, parameters, headers, body).await
}

/// Answers `_create`: stores a document whose id must be new.
pub(super) async fn create(
    server: Shared,
    Path(address): Path<DocumentAddress>,
    parameters: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    one(server, Action::Create, address, parameters, headers, body).await
}

async fn one(
    server: Shared,
    action: Action,
    address: DocumentAddress,
    parameters: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (encoding, batch_id) = (encoding(&headers)?, batch_id(&headers)?);
    let filter = Filter::new(&of_item(parameters.get("filter_path").unwrap_or_default(), action));
    let pipeline = parameters.get("pipeline").map(str::to_owned);
    let bytes_max = server.app.limits.body_bytes_max;
    let received = server.bodies.read(body, bytes_max).await?;
    let of_thread = server.clone();
    let n_bytes = received.bytes().len();
    let work = move || {
        let body = decode(received.bytes(), encoding, bytes_max)?;
        let sender = of_thread.sender(batch_id.as_deref());
        check_pipeline(&of_thread, pipeline.as_deref())?;
        let check = fits(&of_thread)?;
        let items =
            documents(&of_thread, &sender, &*check).document(&body, action, &address.index, address.id.as_deref())?;
        let Some(item) = items.items.first() else { return Err(Problem::internal("the document was lost")) };
        let fate = ItemStatus::new(item);
        Ok(match &fate.error {
            None => (fate.status, JSON, bulk_answer::document(item, &filter, sender.now, items.first_number))
                .into_response(),
            Some((kind, reason)) => {
                let mut response = error_answer(fate.status, kind, reason);
                if fate.status == StatusCode::TOO_MANY_REQUESTS {
                    response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(1));
                }
                response
            }
        })
    };
    server.intake.run(encoding, n_bytes, work).await?
}

/// Converts patterns for the answer to a single document into patterns for an item.
fn of_item(patterns: &str, action: Action) -> String {
    let patterns = patterns.split(',').map(str::trim).filter(|pattern| !pattern.is_empty());
    let moved = patterns.map(|pattern| match pattern.strip_prefix('-') {
        Some(pattern) => format!("-items.{}.{pattern}", action.name()),
        None => format!("items.{}.{pattern}", action.name()),
    });
    moved.collect::<Vec<_>>().join(",")
}
