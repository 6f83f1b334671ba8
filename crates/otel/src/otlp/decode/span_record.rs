//! Spans as events.

use std::borrow::Cow;
use std::fmt::Display;

use ingest::IngestError;
use ingest::otlp_json::ID_BYTES_MAX;
use ingest::protobuf::Content;
use ingest::span::{
    Members, STATUS_CODES, Span, SpanAttributes, SpanKind, SpanList, SpanStatus, attribute_name, link, span_event,
};
use parse::text_of;
use types::{Limits, Value};

use super::attributes::Attributes;
use super::body::message;
use super::fields::{Fields, Kind, count, elements, pair, value_of, write};
use super::id::Id;
use super::records::Records;

/// Field numbers of events and links in a span's message, and of attributes in the messages of those.
const EVENT: u64 = 11;
const LINK: u64 = 13;
const EVENT_ATTRIBUTE: u64 = 3;
const LINK_ATTRIBUTE: u64 = 4;

/// A span without its attributes, as sent.
#[derive(Default)]
pub(super) struct SpanRecord<'a> {
    pub(super) trace_id: Id<'a>,
    pub(super) span_id: Id<'a>,
    pub(super) parent_span_id: Id<'a>,
    pub(super) trace_state: &'a [u8],
    pub(super) name: &'a [u8],
    pub(super) kind: u64,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) dropped_attributes: u64,
    /// A message of a span with its events.
    pub(super) events: &'a [u8],
    pub(super) dropped_events: u64,
    /// A message of a span with its links.
    pub(super) links: &'a [u8],
    pub(super) dropped_links: u64,
    pub(super) status_message: &'a [u8],
    pub(super) status_code: u64,
    pub(super) flags: u32,
}

impl Fields for SpanAttributes<'_, '_> {
    fn text(&mut self, name: &str, text: &str) {
        SpanAttributes::text(self, name, text);
    }

    fn value(&mut self, name: &str, value: Value) {
        SpanAttributes::value(self, name, &value);
    }
}

impl SpanRecord<'_> {
    /// Adds the span to the events of its group, or rejects it.
    pub(super) fn add_to(&self, records: &mut Records<'_, '_>, attributes: &Attributes<'_>) -> Result<(), IngestError> {
        let Some(place) = records.place_of_next()? else { return Ok(()) };
        let service = records.service.clone();
        let mut span = match self.span(&service, records.limits)? {
            Ok(span) => span,
            Err(reason) => {
                records.reject(&reason);
                return Ok(());
            }
        };
        let (shared, list_bytes_max) = (&records.shared, records.limits.field_bytes_max);
        let write_attributes = |fields: &mut SpanAttributes<'_, '_>| {
            for (name, value) in shared {
                fields.own(name, value);
            }
            fields.begin_layer();
            // They were all validated before.
            let _ = attributes.each(|key, kind| match kind {
                // Its members have the new name of the object; other values are renamed as they are written.
                Kind::Object(_) => write(&attribute_name(key), kind, list_bytes_max, fields),
                _ => write(key, kind, list_bytes_max, fields),
            });
        };
        let n_max = shared.len() + attributes.n_fields;
        let status_code = status_code(attributes)?;
        let added = span.add_to(records.collector, place, (n_max, &write_attributes), status_code.as_deref())?;
        records.note(added);
        Ok(())
    }

    /// Returns the span without its attributes, or why it is rejected.
    fn span<'s>(&'s self, service: &'s str, limits: &Limits) -> Result<Result<Span<'s>, String>, IngestError> {
        let (trace_id, span_id) = match (needed(&self.trace_id, "trace id"), needed(&self.span_id, "span id")) {
            (Ok(trace_id), Ok(span_id)) => (trace_id, span_id),
            (Err(reason), _) | (_, Err(reason)) => return Ok(Err(reason)),
        };
        let mut span = Span {
            trace_id,
            span_id,
            name: text_of(self.name),
            status_message: text_of(self.status_message),
            service: service.into(),
            start: self.start,
            end: self.end,
            trace_state: text_of(self.trace_state),
            flags: self.flags,
            n_dropped_attributes: self.dropped_attributes,
            ..Span::default()
        };
        match self.parent_span_id.bytes() {
            Ok(parent) => span.parent_span_id = parent,
            Err(problem) => span.note(format_args!("parent span id {problem}; left out")),
        }
        span.kind = match self.kind {
            0 | 1 => SpanKind::Internal,
            2 => SpanKind::Server,
            3 => SpanKind::Client,
            4 => SpanKind::Producer,
            5 => SpanKind::Consumer,
            other => {
                span.note(format_args!("kind {other} is unknown; kept as internal"));
                SpanKind::Internal
            }
        };
        span.status = match self.status_code {
            0 => SpanStatus::Unset,
            1 => SpanStatus::Ok,
            2 => SpanStatus::Error,
            other => {
                span.note(format_args!("status {other} is unknown; kept as unset"));
                SpanStatus::Unset
            }
        };
        span.events = self.events(limits)?;
        span.links = self.links(limits, &mut span)?;
        Ok(Ok(span))
    }

    fn events(&self, limits: &Limits) -> Result<SpanList, IngestError> {
        let mut events = SpanList::default();
        events.set_dropped(self.dropped_events);
        for event in elements(self.events, EVENT) {
            let event = event?;
            let (mut time, mut name) = (0, Cow::Borrowed(""));
            for field in message(event) {
                match field? {
                    (1, Content::Fixed64(ns)) => time = ns,
                    (2, Content::Bytes(bytes)) => name = text_of(bytes),
                    _ => {}
                }
            }
            if events.is_full() {
                events.skip();
            } else {
                events.push(span_event(time, &name, members(event, EVENT_ATTRIBUTE)?), limits);
            }
        }
        Ok(events)
    }

    fn links(&self, limits: &Limits, span: &mut Span<'_>) -> Result<SpanList, IngestError> {
        let mut links = SpanList::default();
        links.set_dropped(self.dropped_links);
        for element in elements(self.links, LINK) {
            let element = element?;
            let (mut trace_id, mut span_id, mut trace_state) = (Id::default(), Id::default(), Cow::Borrowed(""));
            for field in message(element) {
                match field? {
                    // A longer one is invalid in JSON, and is left out as a missing one is.
                    (1, Content::Bytes(id)) if id.len() <= ID_BYTES_MAX => trace_id = Id(id),
                    (2, Content::Bytes(id)) if id.len() <= ID_BYTES_MAX => span_id = Id(id),
                    (3, Content::Bytes(text)) => trace_state = text_of(text),
                    _ => {}
                }
            }
            if links.is_full() {
                links.skip();
                continue;
            }
            match (needed(&trace_id, "trace id"), needed(&span_id, "span id")) {
                (Ok(trace_id), Ok(span_id)) => {
                    let attributes = members(element, LINK_ATTRIBUTE)?;
                    links.push(link(&trace_id, &span_id, &trace_state, attributes), limits);
                }
                (Err(reason), _) | (_, Err(reason)) => {
                    if !links.refuse() {
                        span.note(format_args!("a link is left out: {reason}"));
                    }
                }
            }
        }
        Ok(links)
    }
}

/// Returns a required id.
fn needed<const N: usize>(id: &Id<'_>, what: impl Display) -> Result<[u8; N], String> {
    match id.bytes() {
        Ok(Some(id)) => Ok(id),
        Ok(None) => Err(format!("{what} is missing or zero")),
        Err(problem) => Err(format!("{what} {problem}")),
    }
}

/// Returns the attributes in field `number` of an event or link, under their keys as sent.
fn members(holder: &[u8], number: u64) -> Result<Members, IngestError> {
    let attributes = elements(holder, number).map(|attribute| {
        let (key, kind) = pair(attribute?)?;
        count(&kind, 1)?;
        Ok((key.as_ref().into(), value_of(&kind)?))
    });
    attributes.collect()
}

/// Returns the status code of the response that the attributes of a span describe.
fn status_code(attributes: &Attributes<'_>) -> Result<Option<String>, IngestError> {
    let mut best: Option<(usize, String)> = None;
    attributes.each(|key, kind| {
        let Some(rank) = STATUS_CODES.iter().position(|known| *known == key) else { return Ok(()) };
        let code = match kind {
            Kind::Integer(code) => code.to_string(),
            Kind::Text(code) => code.to_string(),
            _ => return Ok(()),
        };
        if best.as_ref().is_none_or(|(known, _)| rank <= *known) {
            best = Some((rank, code));
        }
        Ok(())
    })?;
    Ok(best.map(|(_, code)| code))
}
