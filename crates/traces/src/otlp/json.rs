//! The JSON of protobuf, as Tempo writes it: ids in base64, numbers of 64 bits as texts.

use std::sync::Arc;

use data_encoding::BASE64;
use serde_json::{Value as Json, json};
use types::Value;

use super::{batches as batches_of, id_bytes, nanos, own_attributes};
use crate::span::{Span, member};

/// Returns spans as a list of `ResourceSpans`.
pub(crate) fn batches(spans: &[Span]) -> Json {
    let batch = |batch: super::Batch<'_>| {
        let resource: Vec<Json> = batch.resource.iter().map(|(name, value)| attribute(name, value)).collect();
        json!({
            "resource": {"attributes": resource},
            "scopeSpans": [{
                "scope": {"name": batch.scope[0], "version": batch.scope[1]},
                "spans": batch.spans.iter().map(|span| span_json(span)).collect::<Vec<_>>(),
            }],
        })
    };
    batches_of(spans).into_iter().map(batch).collect()
}

fn span_json(span: &Span) -> Json {
    let event = |event: &[(Arc<str>, Option<Value>)]| {
        json!({
            "timeUnixNano": nanos(member(event, "timestamp")).to_string(),
            "name": member(event, "name").map(Value::to_string).unwrap_or_default(),
            "attributes": members(event),
        })
    };
    let link = |link: &[(Arc<str>, Option<Value>)]| {
        let id = |name: &str| BASE64.encode(&id_bytes(&member(link, name).map(Value::to_string).unwrap_or_default()));
        json!({"traceId": id("trace_id"), "spanId": id("span_id"), "attributes": members(link)})
    };
    let mut json = json!({
        "traceId": BASE64.encode(&id_bytes(&span.trace_id)), "spanId": BASE64.encode(&id_bytes(&span.span_id)),
        "name": &*span.name,
        "kind": format!("SPAN_KIND_{}", span.kind.name().to_ascii_uppercase()),
        "startTimeUnixNano": span.start.0.to_string(), "endTimeUnixNano": span.end().0.to_string(),
        "attributes": own_attributes(span).map(|(name, value)| attribute(name, value)).collect::<Vec<_>>(),
        "events": span.objects("events").into_iter().map(event).collect::<Vec<_>>(),
        "links": span.objects("links").into_iter().map(link).collect::<Vec<_>>(),
        "status": status(span),
    });
    if let Some(parent) = &span.parent_id {
        json["parentSpanId"] = BASE64.encode(&id_bytes(parent)).into();
    }
    let state = span.text("trace_state");
    if !state.is_empty() {
        json["traceState"] = state.into();
    }
    json
}

fn status(span: &Span) -> Json {
    let mut status = json!({});
    match super::status_number(span) {
        2 => status["code"] = "STATUS_CODE_ERROR".into(),
        1 => status["code"] = "STATUS_CODE_OK".into(),
        _ => {}
    }
    let message = span.text("status_message");
    if !message.is_empty() {
        status["message"] = message.into();
    }
    status
}

fn members(object: &[(Arc<str>, Option<Value>)]) -> Vec<Json> {
    let Some(Value::Object(members)) = member(object, "attributes") else { return Vec::new() };
    members.iter().filter_map(|(name, value)| Some(attribute(name, value.as_ref()?))).collect()
}

/// Returns an attribute as a `KeyValue`.
pub(crate) fn attribute(name: &str, value: &Value) -> Json {
    json!({"key": name, "value": any_value(value)})
}

fn any_value(value: &Value) -> Json {
    match value {
        Value::Boolean(truth) => json!({"boolValue": truth}),
        Value::Integer(number) => json!({"intValue": number.to_string()}),
        Value::Float(number) => json!({"doubleValue": number}),
        Value::List(items) => {
            json!({"arrayValue": {"values": items.iter().flatten().map(any_value).collect::<Vec<_>>()}})
        }
        text => json!({"stringValue": text.to_string()}),
    }
}
