//! `_bulk`, `_doc`, `_create`: stores documents.

use std::cell::RefCell;
use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use ingest::{IngestError, Sender, decode};
use language::mapping::Mapping;
use types::GroupName;

use super::bulk_answer::{self, ItemStatus, NO_INDEX};
use super::errors::error_answer;
use super::filter::Filter;
use super::format::version_wanted;
use super::mappings;
use super::names::{auto_create, check_pipeline, refusal_to_create};
use super::state::{Call, Shared};
use crate::bulk::{Action, BulkTerms, DocumentIntake, Item, Outcome as ItemOutcome, Refusal};
use door::headers::{batch_id, encoding};
use door::{Outcome, Problem, Reply, Result};

/// The intake's error for a body without a line.
const EMPTY: &str = "it is empty";

/// Limit on the actions that are named in the error if none has an index.
const INVALID_MAX: usize = 100;

const JSON: &str = "application/json";

/// Answers `_bulk`: actions of the index in the address, unless they name another.
pub(super) fn bulk(mut call: Call) -> Outcome {
    let index = Some(call.variable()).filter(|index| !index.is_empty());
    let filter = Filter::new(call.parameters.get("filter_path").unwrap_or_default());
    // Elasticsearch 9 is strict about actions unless a client asks for the forms of an earlier version.
    let is_lenient = version_wanted(&call.parts.headers).is_some_and(|version| version < 9);
    store(call, move |server, pipeline, body, sender| {
        let check = fits(server)?;
        let has_pipeline = |name: &str| check_pipeline(server, Some(name)).is_ok();
        let terms = BulkTerms { index: index.as_deref(), pipeline, is_lenient, has_pipeline: &has_pipeline };
        let items = documents(server, sender, &*check).bulk(body, &terms).map_err(malformed)?;
        let has_no_index = |item: &Item<'_>| item.outcome == ItemOutcome::Refused(Refusal::NoIndex);
        if !items.items.is_empty() && items.items.iter().all(has_no_index) {
            let each: String =
                (1..=items.items.len().min(INVALID_MAX)).map(|n| format!(" {n}: index is missing;")).collect();
            return Err(Problem::bad_request(
                "action_request_validation_exception",
                format!("Validation Failed:{each}"),
            ));
        }
        let took_ms = (server.now().0 - sender.now.0) / 1_000_000;
        Ok(Reply::content(JSON, bulk_answer::bulk(&items, &filter, sender.now, took_ms.max(0))))
    })
}

/// Stores a body: `work` gets the name of a pipeline, the decompressed bytes and their sender, on a thread where it may block.
fn store(
    Call { server, parameters, parts, .. }: Call,
    work: impl FnOnce(&Shared, Option<&str>, &[u8], &Sender<'_>) -> Outcome + Send + 'static,
) -> Outcome {
    let (encoding, batch_id) = (encoding(&parts.headers)?, batch_id(&parts.headers)?);
    let bytes_max = server.app.limits.body_bytes_max;
    let store = move |body: &[u8]| {
        let body = decode(body, encoding, bytes_max)?;
        work(&server, parameters.get("pipeline"), &body, &server.sender(batch_id.as_deref()))
    };
    Ok(Reply::body(bytes_max, move |received| Ok(Reply::intake(encoding.into(), received, store))))
}

/// Returns the intake of a sender's documents.
fn documents<'a>(server: &'a Shared, sender: &'a Sender<'a>, check: &'a Fit) -> DocumentIntake<'a> {
    DocumentIntake { intake: &server.app.intake, counter: &server.state.documents, sender, check }
}

/// Checks a document of a group, with its id; returns the reason for a refusal.
type Fit = dyn Fn(&GroupName, &[u8], Option<&str>) -> Option<Refusal>;

/// Returns the check against the mapping of an index.
fn fits(server: &Shared) -> Result<Box<Fit>> {
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
            Problem::bad_request("illegal_argument_exception", format!("Malformed action/metadata line [1], {error}"))
        }
        error => error.into(),
    }
}

/// Answers `_doc`: stores a document, with an id or without.
pub(super) fn document(call: Call) -> Outcome {
    let is_new = call.parameters.get("op_type") == Some("create");
    one(call, if is_new { Action::Create } else { Action::Index })
}

/// Answers `_create`: stores a document whose id must be new.
pub(super) fn create(call: Call) -> Outcome {
    one(call, Action::Create)
}

fn one(mut call: Call, action: Action) -> Outcome {
    let [index, id] = std::mem::take(&mut call.path);
    let id = Some(id).filter(|id| !id.is_empty());
    let filter = Filter::new(&of_item(call.parameters.get("filter_path").unwrap_or_default(), action));
    store(call, move |server, pipeline, body, sender| {
        check_pipeline(server, pipeline)?;
        let check = fits(server)?;
        let items = documents(server, sender, &*check).document(body, action, &index, id.as_deref())?;
        let Some(item) = items.items.first() else { return Err(Problem::internal("the document was lost")) };
        let fate = ItemStatus::new(item);
        Ok(match &fate.error {
            None => Reply::content(JSON, bulk_answer::document(item, &filter, sender.now, items.first_number))
                .with_status(fate.status),
            Some((kind, reason)) if fate.status == StatusCode::TOO_MANY_REQUESTS => {
                error_answer(fate.status, kind, reason).with_header(header::RETRY_AFTER, HeaderValue::from(1))
            }
            Some((kind, reason)) => error_answer(fate.status, kind, reason),
        })
    })
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
