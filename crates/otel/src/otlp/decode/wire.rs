//! A request as a protobuf message. Layout (field numbers):
//!
//! ```text
//! request    resource records = 1*
//! resource   resource = 1 (attribute = 1*)   scope records = 2*
//! records
//! scope      scope = 1 (name = 1   version = 2   attribute = 3*)   log record or span = 2*
//! records
//! log record     time = 1 (fixed, ns)   severity number = 2   severity text = 3   body = 5 (a value)   attribute = 6*
//! record     dropped attributes = 7   flags = 8 (fixed)   trace id = 9   span id = 10   observed = 11 (fixed, ns)
//!            event name = 12
//! span       trace id = 1   span id = 2   trace state = 3   parent span id = 4   name = 5   kind = 6
//!            start = 7 (fixed, ns)   end = 8 (fixed, ns)   attribute = 9*   dropped attributes = 10   event = 11*
//!            dropped events = 12   link = 13*   dropped links = 14   status = 15 (message = 2   code = 3)
//!            flags = 16 (fixed)
//! event      time = 1 (fixed, ns)   name = 2   attribute = 3*
//! link       trace id = 1   span id = 2   trace state = 3   attribute = 4*
//! ```
//!
//! Unknown fields are skipped, and the last one of a singular field counts, as protobuf specifies.

use parse::text_of;

use super::attributes::Attributes;
use super::body::message;
use super::fields::{count, elements, kind, pair};
use super::id::Id;
use super::log_record::{Body, Record};
use super::records::Records;
use super::signal::Signal;
use super::span_record::SpanRecord;
use ingest::IngestError;
use ingest::protobuf::Content;

/// Passes all records of `body` to `records`.
pub(super) fn read(body: &[u8], records: &mut Records<'_, '_>) -> Result<(), IngestError> {
    let mut attributes = Attributes::new(records.signal.attribute());
    for resource_records in elements(body, 1) {
        let resource_records = resource_records?;
        records.begin_resource();
        for resource in elements(resource_records, 1) {
            share(resource?, 1, records)?;
        }
        records.end_resource();
        for scope_records in elements(resource_records, 2) {
            read_scope_records(scope_records?, records, &mut attributes)?;
        }
    }
    Ok(())
}

fn read_scope_records<'b>(
    scope_records: &'b [u8],
    records: &mut Records<'_, '_>,
    attributes: &mut Attributes<'b>,
) -> Result<(), IngestError> {
    records.begin_scope();
    for scope in elements(scope_records, 1) {
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
    for record in elements(scope_records, 2) {
        match records.signal {
            Signal::Logs => read_record(record?, attributes)?.add_to(records, attributes)?,
            Signal::Traces => read_span(record?, attributes)?.add_to(records, attributes)?,
        }
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
            (3, Content::Bytes(text)) => record.severity_text = text,
            (5, Content::Bytes(value)) => record.body = read_body(value)?,
            (6, Content::Bytes(attribute)) => attributes.push(attribute, rest)?,
            (7, Content::Number(number)) => record.dropped_attributes = number,
            (8, Content::Fixed32(flags)) => record.flags = flags,
            (9, Content::Bytes(id)) => record.trace_id = Id(id),
            (10, Content::Bytes(id)) => record.span_id = Id(id),
            (11, Content::Fixed64(time)) => record.observed = time,
            (12, Content::Bytes(text)) => record.event_name = text,
            _ => {}
        }
    }
}

fn read_span<'b>(bytes: &'b [u8], attributes: &mut Attributes<'b>) -> Result<SpanRecord<'b>, IngestError> {
    let mut span = SpanRecord::default();
    attributes.clear();
    let mut fields = message(bytes);
    loop {
        let rest = fields.rest();
        let Some(field) = fields.next() else { return Ok(span) };
        match field? {
            (1, Content::Bytes(id)) => span.trace_id = Id(id),
            (2, Content::Bytes(id)) => span.span_id = Id(id),
            (3, Content::Bytes(text)) => span.trace_state = text,
            (4, Content::Bytes(id)) => span.parent_span_id = Id(id),
            (5, Content::Bytes(text)) => span.name = text,
            (6, Content::Number(kind)) => span.kind = kind,
            (7, Content::Fixed64(time)) => span.start = time,
            (8, Content::Fixed64(time)) => span.end = time,
            (9, Content::Bytes(attribute)) => attributes.push(attribute, rest)?,
            (10, Content::Number(number)) => span.dropped_attributes = number,
            // Events and links are read later, from the first one.
            (11, Content::Bytes(_)) if span.events.is_empty() => span.events = rest,
            (12, Content::Number(number)) => span.dropped_events = number,
            (13, Content::Bytes(_)) if span.links.is_empty() => span.links = rest,
            (14, Content::Number(number)) => span.dropped_links = number,
            (15, Content::Bytes(status)) => {
                for field in message(status) {
                    match field? {
                        (2, Content::Bytes(text)) => span.status_message = text,
                        (3, Content::Number(code)) => span.status_code = code,
                        _ => {}
                    }
                }
            }
            (16, Content::Fixed32(flags)) => span.flags = flags,
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
        return Ok(Body::Text(text));
    }
    let kind = kind(value)?;
    count(&kind, 1)?;
    Ok(Body::Other(kind))
}
