//! Spans in protobuf's JSON form. Their events and links are converted into protobuf messages, as values are.

use super::super::attributes::Attributes;
use super::super::id::Id;
use super::super::span_record::{EVENT, EVENT_ATTRIBUTE, LINK, LINK_ATTRIBUTE, SpanRecord};
use super::reader::{Reader, bytes_of};
use super::values::put_pair;
use ingest::IngestError;
use ingest::protobuf::{put_bytes, put_fixed64};

const KINDS: [&str; 6] = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
const STATUSES: [&str; 3] = ["UNSET", "OK", "ERROR"];

impl<'t> Reader<'t> {
    /// Reads a span and its attributes.
    pub(super) fn span(&mut self, attributes: &mut Attributes<'t>) -> Result<SpanRecord<'t>, IngestError> {
        let mut span = SpanRecord::default();
        attributes.clear();
        self.object(|reader, name| {
            match name {
                "traceId" | "trace_id" => span.trace_id = reader.any_id(name)?,
                "spanId" | "span_id" => span.span_id = reader.any_id(name)?,
                "parentSpanId" | "parent_span_id" => span.parent_span_id = reader.any_id(name)?,
                "traceState" | "trace_state" => span.trace_state = bytes_of(reader.text(name)?),
                "name" => span.name = bytes_of(reader.text(name)?),
                "kind" => span.kind = reader.enumeration(name, "SPAN_KIND_", &KINDS)?.unwrap_or_default(),
                "startTimeUnixNano" | "start_time_unix_nano" => span.start = reader.time(name)?.unwrap_or_default(),
                "endTimeUnixNano" | "end_time_unix_nano" => span.end = reader.time(name)?.unwrap_or_default(),
                "attributes" => reader.each(name, &mut |reader| {
                    attributes
                        .push(reader.pair()?, |number, key, kind, more| put_pair(number, key, kind, more.to_mut()))
                })?,
                "droppedAttributesCount" | "dropped_attributes_count" => {
                    span.dropped_attributes = reader.integer(name)?.unwrap_or_default();
                }
                "events" => reader.each(name, &mut |reader| reader.event(span.events.to_mut()))?,
                "droppedEventsCount" | "dropped_events_count" => {
                    span.dropped_events = reader.integer(name)?.unwrap_or_default();
                }
                "links" => reader.each(name, &mut |reader| reader.link(span.links.to_mut()))?,
                "droppedLinksCount" | "dropped_links_count" => {
                    span.dropped_links = reader.integer(name)?.unwrap_or_default();
                }
                "status" => reader.each(name, &mut |reader| reader.status(&mut span))?,
                "flags" => span.flags = reader.flags(name)?.unwrap_or_default(),
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(span)
    }

    fn status(&mut self, span: &mut SpanRecord<'t>) -> Result<(), IngestError> {
        self.object(|reader, name| {
            match name {
                "code" => span.status_code = reader.enumeration(name, "STATUS_CODE_", &STATUSES)?.unwrap_or_default(),
                "message" => span.status_message = bytes_of(reader.text(name)?),
                _ => reader.skip()?,
            }
            Ok(())
        })
    }

    /// Reads an event as a field of a span's message.
    fn event(&mut self, events: &mut Vec<u8>) -> Result<(), IngestError> {
        let mut message = Vec::new();
        self.object(|reader, name| {
            match name {
                "timeUnixNano" | "time_unix_nano" => {
                    put_fixed64(1, reader.time(name)?.unwrap_or_default(), &mut message);
                }
                "name" => put_bytes(2, &bytes_of(reader.text(name)?), &mut message),
                "attributes" => reader.each(name, &mut |reader| reader.attribute(EVENT_ATTRIBUTE, &mut message))?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        put_bytes(EVENT, &message, events);
        Ok(())
    }

    /// Reads a link as a field of a span's message.
    fn link(&mut self, links: &mut Vec<u8>) -> Result<(), IngestError> {
        let mut message = Vec::new();
        self.object(|reader, name| {
            match name {
                "traceId" | "trace_id" => put_id::<16>(1, &reader.any_id(name)?, &mut message),
                "spanId" | "span_id" => put_id::<8>(2, &reader.any_id(name)?, &mut message),
                "traceState" | "trace_state" => put_bytes(3, &bytes_of(reader.text(name)?), &mut message),
                "attributes" => reader.each(name, &mut |reader| reader.attribute(LINK_ATTRIBUTE, &mut message))?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        put_bytes(LINK, &message, links);
        Ok(())
    }

    /// Reads an attribute as field `number` of a message.
    fn attribute(&mut self, number: u64, message: &mut Vec<u8>) -> Result<(), IngestError> {
        let (key, kind) = self.pair()?;
        put_pair(number, &key, &kind, message);
        Ok(())
    }
}

/// Writes an id as field `number` of a message; an invalid one is empty.
fn put_id<const N: usize>(number: u64, id: &Id<'_>, message: &mut Vec<u8>) {
    let id = id.bytes::<N>().ok().flatten();
    put_bytes(number, id.as_ref().map_or(&[][..], |id| id), message);
}
