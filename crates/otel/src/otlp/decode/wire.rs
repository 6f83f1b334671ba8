//! The logs request as a protobuf message. Layout (field numbers):
//!
//! ```text
//! request    resource logs = 1*
//! resource   resource = 1 (attribute = 1*)   scope logs = 2*
//! logs
//! scope      scope = 1 (name = 1   version = 2   attribute = 3*)   record = 2*
//! logs
//! record     time = 1 (fixed, ns)   severity number = 2   severity text = 3   body = 5 (a value)   attribute = 6*
//!            dropped attributes = 7   flags = 8 (fixed)   trace id = 9   span id = 10   observed = 11 (fixed, ns)
//!            event name = 12
//! ```
//!
//! Unknown fields are skipped, and the last one of a singular field counts, as protobuf specifies.

use std::borrow::Cow;

use parse::text_of;

use super::body::message;
use super::fields::{count, elements, kind, pair};
use super::records::{Attributes, Body, Id, Record, Records};
use ingest::IngestError;
use ingest::protobuf::Content;

/// Passes all records of `body` to `records`.
pub(super) fn read(body: &[u8], records: &mut Records<'_, '_>) -> Result<(), IngestError> {
    let mut attributes = Attributes::default();
    for resource_logs in elements(body, 1) {
        let resource_logs = resource_logs?;
        records.begin_resource();
        for resource in elements(resource_logs, 1) {
            share(resource?, 1, records)?;
        }
        records.end_resource();
        for scope_logs in elements(resource_logs, 2) {
            read_scope_logs(scope_logs?, records, &mut attributes)?;
        }
    }
    Ok(())
}

fn read_scope_logs<'b>(
    scope_logs: &'b [u8],
    records: &mut Records<'_, '_>,
    attributes: &mut Attributes<'b>,
) -> Result<(), IngestError> {
    records.begin_scope();
    for scope in elements(scope_logs, 1) {
        let scope = scope?;
        for field in message(scope) {
            match field? {
                (1, Content::Bytes(name)) => records.share_text("scope.name", &text_of(name)),
                (2, Content::Bytes(version)) => records.share_text("scope.version", &text_of(version)),
                _ => {}
            }
        }
        share(scope, 3, records)?;
    }
    for record in elements(scope_logs, 2) {
        let record = read_record(record?, attributes)?;
        records.add(&record, attributes)?;
    }
    Ok(())
}

/// Shares the attributes in field `number` of a resource or scope.
fn share(holder: &[u8], number: u64, records: &mut Records<'_, '_>) -> Result<(), IngestError> {
    records.check_shared(holder.len())?;
    for attribute in elements(holder, number) {
        let (key, kind) = pair(attribute?)?;
        records.share(&key, &kind)?;
    }
    Ok(())
}

fn read_record<'b>(bytes: &'b [u8], attributes: &mut Attributes<'b>) -> Result<Record<'b>, IngestError> {
    let mut record = Record::default();
    attributes.clear();
    let mut fields = message(bytes);
    loop {
        let rest = fields.rest();
        let Some(field) = fields.next() else { return Ok(record) };
        match field? {
            (1, Content::Fixed64(time)) => record.time = time,
            (2, Content::Number(number)) => record.severity_number = number,
            (3, Content::Bytes(text)) => record.severity_text = text.into(),
            (5, Content::Bytes(value)) => record.body = read_body(value)?,
            (6, Content::Bytes(attribute)) => attributes.push(pair(attribute)?, |_, _, more| {
                if more.is_empty() {
                    *more = Cow::Borrowed(rest);
                }
            })?,
            (7, Content::Number(number)) => record.dropped_attributes = number,
            (8, Content::Fixed32(flags)) => record.flags = flags,
            (9, Content::Bytes(id)) => record.trace_id = Id::Bytes(id.into()),
            (10, Content::Bytes(id)) => record.span_id = Id::Bytes(id.into()),
            (11, Content::Fixed64(time)) => record.observed = time,
            (12, Content::Bytes(text)) => record.event_name = text.into(),
            _ => {}
        }
    }
}

/// Reads and validates a body.
fn read_body(value: &[u8]) -> Result<Body<'_>, IngestError> {
    let mut text = None;
    for field in message(value) {
        if let (1, Content::Bytes(bytes)) = field? {
            text = Some(bytes);
        }
    }
    if let Some(text) = text {
        return Ok(Body::Text(text.into()));
    }
    let kind = kind(value)?;
    count(&kind, 1)?;
    Ok(Body::Other(kind))
}
