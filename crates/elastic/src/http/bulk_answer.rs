//! The answers to documents: `{"took","errors","items":[{"create":{…}}]}`, in the order of the actions.

use std::io::Write;

use axum::http::StatusCode;
use types::Timestamp;

use super::filter::{Filter, KEYS};
use crate::bulk::{Item, Items, Outcome, Refusal};

/// What Elasticsearch calls an index that a document may not create.
pub(super) const NO_INDEX: &str = "index_not_found_exception";

/// The part between id and number of a stored event.
const CREATED: &[u8] =
    br#","_version":1,"result":"created","_shards":{"total":1,"successful":1,"failed":0},"_seq_no":"#;

/// The status of an item.
pub(super) struct ItemStatus<'i> {
    pub(super) status: StatusCode,
    /// Type and reason of the error.
    pub(super) error: Option<(&'static str, std::borrow::Cow<'i, str>)>,
}

impl ItemStatus<'_> {
    pub(super) fn new(item: &Item<'_>) -> Self {
        let id = item.id.as_deref().unwrap_or_default();
        let (status, kind, reason) = match &item.outcome {
            Outcome::Created => return ItemStatus { status: StatusCode::CREATED, error: None },
            Outcome::Exists => {
                let reason = format!("[{id}]: version conflict, document already exists (current version [1])");
                (StatusCode::CONFLICT, "version_conflict_engine_exception", reason)
            }
            Outcome::Busy => {
                let reason = format!("[{id}]: another request is about to store it; try again");
                (StatusCode::TOO_MANY_REQUESTS, "es_rejected_execution_exception", reason)
            }
            Outcome::Refused(refusal) => {
                let (status, kind) = match refusal {
                    Refusal::OutOfScope(_) => (StatusCode::FORBIDDEN, "security_exception"),
                    Refusal::NoRecord(_) | Refusal::OwnId => (StatusCode::BAD_REQUEST, "document_parsing_exception"),
                    Refusal::Misfit { kind: NO_INDEX, .. } => (StatusCode::NOT_FOUND, NO_INDEX),
                    Refusal::Misfit { kind, .. } => (StatusCode::BAD_REQUEST, *kind),
                    Refusal::NoDocument => (StatusCode::BAD_REQUEST, "parse_exception"),
                    _ => (StatusCode::BAD_REQUEST, "illegal_argument_exception"),
                };
                (status, kind, refusal.to_string())
            }
        };
        ItemStatus { status, error: Some((kind, reason.into())) }
    }
}

/// Returns the answer to a bulk request.
pub(super) fn bulk(items: &Items<'_>, filter: &Filter, received: Timestamp, took_ms: i64) -> Vec<u8> {
    let failed = items.items.iter().any(|item| item.outcome != Outcome::Created);
    let mut out = Vec::with_capacity(64 + items.items.len() * 192);
    out.push(b'{');
    if filter.errors {
        write_to(&mut out, format_args!("\"errors\":{failed},"));
    }
    if filter.took {
        write_to(&mut out, format_args!("\"took\":{took_ms},"));
    }
    let before = out.len();
    out.extend_from_slice(b"\"items\":[");
    let mut has_items = items.items.is_empty() && filter.errors && filter.took;
    let mut number = items.first_number;
    for item in &items.items {
        let start = out.len();
        write_to(&mut out, format_args!("{{\"{}\":", item.action.name()));
        if write_item(&mut out, item, filter.keys(item.action), received, number) {
            out.extend_from_slice(b"},");
            has_items = true;
        } else {
            // As in Elasticsearch, items that a filter leaves empty are left out.
            out.truncate(start);
        }
        number += u64::from(item.outcome == Outcome::Created);
    }
    if has_items {
        out.pop_if(|byte| *byte == b',');
        out.push(b']');
    } else {
        out.truncate(before);
        out.pop_if(|byte| *byte == b',');
    }
    out.push(b'}');
    out
}

/// Returns the answer to a document that was stored.
pub(super) fn document(item: &Item<'_>, filter: &Filter, received: Timestamp, number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    write_item(&mut out, item, filter.keys(item.action), received, number);
    out
}

/// Writes the requested keys of an item; reports whether there are any.
fn write_item(out: &mut Vec<u8>, item: &Item<'_>, keys: &[bool; KEYS.len()], received: Timestamp, number: u64) -> bool {
    if item.outcome == Outcome::Created && keys.iter().all(|wanted| *wanted) {
        write_created(out, item, received, number);
        return true;
    }
    let fate = ItemStatus::new(item);
    out.push(b'{');
    let start = out.len();
    for (key, _) in KEYS.iter().zip(keys).filter(|(_, wanted)| **wanted) {
        let key_start = out.len();
        write_to(out, format_args!("\"{key}\":"));
        match (*key, &fate.error) {
            ("_index", _) => write_text(out, &item.index),
            ("_id", _) => write_id(out, item, received, number),
            ("_version" | "_primary_term", None) => out.push(b'1'),
            ("result", None) => out.extend_from_slice(b"\"created\""),
            ("_shards", None) => out.extend_from_slice(b"{\"total\":1,\"successful\":1,\"failed\":0}"),
            ("_seq_no", None) => write_to(out, format_args!("{number}")),
            ("status", _) => write_to(out, format_args!("{}", fate.status.as_u16())),
            ("error", Some((kind, reason))) => {
                write_to(out, format_args!("{{\"type\":\"{kind}\",\"reason\":"));
                write_text(out, reason);
                out.push(b'}');
            }
            _ => {
                out.truncate(key_start);
                continue;
            }
        }
        out.push(b',');
    }
    let has_any = out.len() > start;
    out.pop_if(|byte| *byte == b',');
    out.push(b'}');
    has_any
}

/// Writes all keys of a stored item. This is the answer to most items, at the cost of a few copies.
fn write_created(out: &mut Vec<u8>, item: &Item<'_>, received: Timestamp, number: u64) {
    out.extend_from_slice(b"{\"_index\":");
    write_text(out, &item.index);
    out.extend_from_slice(b",\"_id\":");
    write_id(out, item, received, number);
    out.extend_from_slice(CREATED);
    write_to(out, format_args!("{number}"));
    out.extend_from_slice(b",\"_primary_term\":1,\"status\":201}");
}

/// Writes the sender's id, else a unique one: the time of the request and the number of the event.
fn write_id(out: &mut Vec<u8>, item: &Item<'_>, received: Timestamp, number: u64) {
    match (&item.id, &item.outcome) {
        (Some(id), _) => write_text(out, id),
        (None, Outcome::Created) => write_to(out, format_args!("\"{:016x}{number:08x}\"", received.0)),
        (None, _) => out.extend_from_slice(b"null"),
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    // Neither writing to memory nor serialising a text can fail.
    let _ = serde_json::to_writer(out, text);
}

fn write_to(out: &mut Vec<u8>, arguments: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(arguments);
}

#[cfg(test)]
mod tests;
