//! Protobuf (`opentelemetry/proto/trace/v1/trace.proto`, `common/v1/common.proto`).

use std::sync::Arc;

use ingest::protobuf::{put_bytes, put_fixed64, put_varint};
use types::Value;

use super::{batches as batches_of, id_bytes, kind_number, nanos, own_attributes, status_number};
use crate::span::{Span, member};

/// Nesting of values beyond which they are written as JSON texts.
const DEPTH_MAX: usize = 16;

/// A protobuf message that is being written.
#[derive(Debug, Default)]
pub(crate) struct Message(pub(crate) Vec<u8>);

impl Message {
    fn varint(&mut self, number: u64) {
        put_varint(number, &mut self.0);
    }

    fn tag(&mut self, field: u64, wire_type: u64) {
        self.varint(field << 3 | wire_type);
    }

    /// Writes a number; 0 is the default and is left out.
    pub(crate) fn number(&mut self, field: u64, number: u64) {
        if number != 0 {
            self.tag(field, 0);
            self.varint(number);
        }
    }

    /// Writes a number of eight bytes.
    fn fixed(&mut self, field: u64, number: u64) {
        put_fixed64(field, number, &mut self.0);
    }

    /// Writes bytes, a text or a message; empty ones too.
    pub(crate) fn bytes(&mut self, field: u64, bytes: &[u8]) {
        put_bytes(field, bytes, &mut self.0);
    }

    /// Writes a text that is not empty.
    fn text(&mut self, field: u64, text: &str) {
        if !text.is_empty() {
            self.bytes(field, text.as_bytes());
        }
    }

    /// Writes a message within this one.
    fn message(&mut self, field: u64, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.bytes(field, &inner.0);
    }

    fn attribute(&mut self, field: u64, name: &str, value: &Value) {
        self.message(field, |pair| {
            pair.text(1, name);
            pair.message(2, |any| any.value(value, 0));
        });
    }

    /// Writes an `AnyValue`.
    fn value(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Boolean(truth) => {
                self.tag(2, 0);
                self.varint(u64::from(*truth));
            }
            Value::Integer(number) => {
                self.tag(3, 0);
                self.varint(number.cast_unsigned());
            }
            Value::Float(number) => self.fixed(4, number.to_bits()),
            Value::List(items) if depth < DEPTH_MAX => self.message(5, |list| {
                for item in items.iter() {
                    list.message(1, |any| item.iter().for_each(|item| any.value(item, depth + 1)));
                }
            }),
            Value::Object(members) if depth < DEPTH_MAX => self.message(6, |list| {
                for (name, value) in members.iter() {
                    list.message(1, |pair| {
                        pair.text(1, name);
                        pair.message(2, |any| value.iter().for_each(|value| any.value(value, depth + 1)));
                    });
                }
            }),
            text => self.bytes(1, text.to_string().as_bytes()),
        }
    }
}

/// Writes spans as the `ResourceSpans` of a message, in its field 1.
pub(crate) fn batches(spans: &[Span]) -> Message {
    let mut message = Message::default();
    for batch in batches_of(spans) {
        message.message(1, |of_resource| {
            of_resource.message(1, |resource| {
                batch.resource.iter().for_each(|(name, value)| resource.attribute(1, name, value));
            });
            of_resource.message(2, |of_scope| {
                of_scope.message(1, |scope| {
                    scope.text(1, &batch.scope[0]);
                    scope.text(2, &batch.scope[1]);
                });
                batch.spans.iter().for_each(|span| of_scope.message(2, |message| write_span(message, span)));
            });
        });
    }
    message
}

fn write_span(message: &mut Message, span: &Span) {
    message.bytes(1, &id_bytes(&span.trace_id));
    message.bytes(2, &id_bytes(&span.span_id));
    message.text(3, &span.text("trace_state"));
    if let Some(parent) = &span.parent_id {
        message.bytes(4, &id_bytes(parent));
    }
    message.text(5, &span.name);
    message.number(6, kind_number(span.kind));
    message.fixed(7, u64::try_from(span.start.0).unwrap_or_default());
    message.fixed(8, u64::try_from(span.end().0).unwrap_or_default());
    own_attributes(span).for_each(|(name, value)| message.attribute(9, name, value));
    for event in span.objects("events") {
        message.message(11, |inner| {
            inner.fixed(1, nanos(member(event, "timestamp")));
            inner.text(2, &member(event, "name").map(Value::to_string).unwrap_or_default());
            write_members(inner, 3, event);
        });
    }
    for link in span.objects("links") {
        let id = |name: &str| id_bytes(&member(link, name).map(Value::to_string).unwrap_or_default());
        message.message(13, |inner| {
            inner.bytes(1, &id("trace_id"));
            inner.bytes(2, &id("span_id"));
            write_members(inner, 4, link);
        });
    }
    message.message(15, |status| {
        status.text(2, &span.text("status_message"));
        status.number(3, status_number(span));
    });
}

/// Writes the member `attributes` of an event or a link.
fn write_members(message: &mut Message, field: u64, object: &[(Arc<str>, Option<Value>)]) {
    if let Some(Value::Object(members)) = member(object, "attributes") {
        let present = members.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        present.for_each(|(name, value)| message.attribute(field, name, value));
    }
}

#[cfg(test)]
mod tests;
