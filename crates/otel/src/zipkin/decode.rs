//! Zipkin's spans of version 2, a JSON list of objects.
//!
//! ```text
//! traceId         1 to 32 hexadecimal digits    id, parentId    1 to 16
//! name   kind     CLIENT SERVER PRODUCER CONSUMER; without one a span is internal
//! timestamp       start, µs since the epoch     duration        µs
//! localEndpoint   serviceName   ipv4   ipv6   port: service, network.local.address and .port
//! remoteEndpoint  the same: peer.service, server.address and .port, or client.address and .port
//! annotations     timestamp   value: events     tags            names and texts: attributes
//! shared          the span has the id of its client's span    debug
//! ```
//!
//! Shorter ids are padded with zeros on the left. A tag `error` means that the span failed. The tags in which
//! OpenTelemetry's exporters write status and scope set those. An invalid span is rejected by its number in the
//! request, and the others are stored; malformed JSON is refused whole.

use std::borrow::Cow;

use ingest::span::{
    STATUS_CODES, Span, SpanAttributes, SpanKind, SpanStatus, id_of_hex, n_json_fields, span_event, span_group,
};
use ingest::{Collector, Encoding, IngestAnswer, IngestError, Intake, Sender, decode, lossy};
use parse::JsonError;
use serde_json::{Map, Value};

use crate::bodies::{Rejections, elements};

/// Tags that set other parts of a span and are not stored as attributes.
const TAG_STATUS: &str = "otel.status_code";
const TAG_STATUS_MESSAGE: &str = "otel.status_description";
const TAG_SCOPES: [(&str, &str); 4] = [
    ("otel.scope.name", "scope.name"),
    ("otel.scope.version", "scope.version"),
    ("otel.library.name", "scope.name"),
    ("otel.library.version", "scope.version"),
];

/// Most fields that endpoints and flags become.
const ENDPOINT_FIELDS_MAX: usize = 10;

/// Stores the spans of a request and returns when they are durable. Blocks.
///
/// The line of a rejected span is its number in the request, from 1.
pub fn ingest_zipkin(
    intake: &Intake,
    body: &[u8],
    encoding: Encoding,
    sender: &Sender<'_>,
) -> Result<IngestAnswer, IngestError> {
    let limits = &intake.limits;
    let body = decode(body, encoding, limits.body_bytes_max)?;
    let text = lossy(&body, limits.body_bytes_max)?;
    let mut collector = intake.collect(sender);
    let mut rejections = Rejections::default();
    for (index, one) in elements(&text).enumerate() {
        let one = one.map_err(bad)?;
        // A parsed span needs dozens of times the memory of its text.
        let read = if one.len() > limits.event_bytes_max {
            let (n_bytes, n_max) = (one.len(), limits.event_bytes_max);
            Err(format!("has {n_bytes} bytes; a span has at most {n_max} (limits.max_event_bytes)"))
        } else {
            serde_json::from_str::<Map<String, Value>>(one).map_err(|error| error.to_string())
        };
        match read {
            Err(reason) => rejections.reject(index + 1, &reason),
            Ok(members) => add(index + 1, &members, &mut collector, &mut rejections)?,
        }
    }
    rejections.accept(intake, collector, ("zipkin", &body), sender)
}

fn bad(error: JsonError) -> IngestError {
    IngestError::BadBody { what: "list of Zipkin spans", problem: error.to_string() }
}

type Members = Map<String, Value>;

/// Adds a span to the events of its group, or rejects it.
fn add(
    number: usize,
    members: &Members,
    collector: &mut Collector<'_>,
    rejections: &mut Rejections,
) -> Result<(), IngestError> {
    let mut span = match span_of(members) {
        Ok(span) => span,
        Err(reason) => {
            rejections.reject(number, &reason);
            return Ok(());
        }
    };
    let Some(place) = rejections.place(number, collector.group(&span_group(&span.service))) else { return Ok(()) };
    let local = object(members, "localEndpoint");
    collector.set_stream(place, address(local).unwrap_or_default());
    let limits = collector.received().limits;
    for annotation in members.get("annotations").and_then(Value::as_array).into_iter().flatten() {
        if span.events.is_full() {
            span.events.skip();
            continue;
        }
        if !annotation.is_object() {
            if !span.events.refuse() {
                span.note("an annotation is left out: it is not an object");
            }
            continue;
        }
        let time = micros(annotation.get("timestamp")).ok().flatten().unwrap_or_default();
        let name = annotation.get("value").and_then(Value::as_str).unwrap_or_default();
        span.events.push(span_event(time, name, Vec::new()), limits);
    }
    let tags = object(members, "tags");
    let kind = span.kind;
    let write = |fields: &mut SpanAttributes<'_, '_>| write_attributes(members, kind, fields);
    let n_max = tags.map_or(0, |tags| tags.values().map(n_json_fields).sum()) + ENDPOINT_FIELDS_MAX;
    let status_code = STATUS_CODES.iter().find_map(|name| match tags?.get(*name)? {
        Value::String(code) => Some(Cow::Borrowed(&**code)),
        Value::Number(code) => Some(Cow::Owned(code.to_string())),
        _ => None,
    });
    let added = span.add_to(collector, place, (n_max, &write), status_code.as_deref())?;
    rejections.note(number, added);
    Ok(())
}

/// Returns a span without attributes and events, or why it is rejected.
fn span_of(members: &Members) -> Result<Span<'_>, String> {
    let mut span = Span {
        trace_id: id(members, "traceId")?.ok_or("traceId is missing")?,
        span_id: id(members, "id")?.ok_or("id is missing")?,
        name: text(members, "name").into(),
        service: object(members, "localEndpoint").map_or("", |local| text(local, "serviceName")).into(),
        ..Span::default()
    };
    match id(members, "parentId") {
        Ok(parent) => span.parent_span_id = parent,
        Err(reason) => span.note(format_args!("{reason}; left out")),
    }
    span.kind = match members.get("kind").unwrap_or(&Value::Null) {
        Value::Null => SpanKind::Internal,
        kind => match kind.as_str().unwrap_or_default() {
            "CLIENT" => SpanKind::Client,
            "SERVER" => SpanKind::Server,
            "PRODUCER" => SpanKind::Producer,
            "CONSUMER" => SpanKind::Consumer,
            _ => {
                span.note(format_args!("kind {} is unknown; kept as internal", shown(kind)));
                SpanKind::Internal
            }
        },
    };
    set_times(members, &mut span);
    set_status(members, &mut span);
    Ok(span)
}

fn set_times(members: &Members, span: &mut Span<'_>) {
    match micros(members.get("timestamp")) {
        Ok(start) => span.start = start.unwrap_or_default(),
        Err(value) => span.note(format_args!("timestamp {value} is not a number of microseconds")),
    }
    match (micros(members.get("duration")), span.start) {
        (Ok(Some(duration)), start @ 1..) => span.end = start.saturating_add(duration),
        (Err(value), _) => span.note(format_args!("duration {value} is not a number of microseconds")),
        _ => {}
    }
}

fn set_status<'m>(members: &'m Members, span: &mut Span<'m>) {
    let Some(tags) = object(members, "tags") else { return };
    match text(tags, TAG_STATUS) {
        "OK" => span.status = SpanStatus::Ok,
        "ERROR" => span.status = SpanStatus::Error,
        _ => {}
    }
    span.status_message = text(tags, TAG_STATUS_MESSAGE).into();
    let error = tags.get("error").filter(|error| !matches!(error, Value::Null | Value::Bool(false)));
    if let Some(error) = error.filter(|error| error.as_str() != Some("false")) {
        span.status = SpanStatus::Error;
        let message = error.as_str().filter(|text| *text != "true").unwrap_or_default();
        if span.status_message.is_empty() {
            span.status_message = message.into();
        }
    }
}

/// Writes tags, endpoints and flags as fields.
fn write_attributes(members: &Members, kind: SpanKind, fields: &mut SpanAttributes<'_, '_>) {
    if let Some(local) = object(members, "localEndpoint") {
        let name = text(local, "serviceName");
        if !name.is_empty() {
            fields.text("service.name", name);
        }
        write_address(local, ["network.local.address", "network.local.port"], fields);
    }
    if let Some(remote) = object(members, "remoteEndpoint") {
        let name = text(remote, "serviceName");
        if !name.is_empty() {
            fields.text("peer.service", name);
        }
        let names = match kind {
            SpanKind::Server => ["client.address", "client.port"],
            _ => ["server.address", "server.port"],
        };
        write_address(remote, names, fields);
    }
    for flag in ["shared", "debug"] {
        if members.get(flag) == Some(&Value::Bool(true)) {
            fields.json(flag, &Value::Bool(true));
        }
    }
    for (name, value) in object(members, "tags").into_iter().flatten() {
        match TAG_SCOPES.iter().find(|(tag, _)| tag == name) {
            Some((_, field)) => fields.own(field, &types::Value::text(value.as_str().unwrap_or_default())),
            None if matches!(&**name, TAG_STATUS | TAG_STATUS_MESSAGE) => {}
            None => fields.json(name, value),
        }
    }
}

fn write_address(endpoint: &Members, [of_address, of_port]: [&str; 2], fields: &mut SpanAttributes<'_, '_>) {
    if let Some(address) = address(Some(endpoint)) {
        fields.text(of_address, address);
    }
    if let Some(port) = endpoint.get("port").filter(|port| port.as_u64().is_some_and(|port| port > 0)) {
        fields.json(of_port, port);
    }
}

fn object<'m>(members: &'m Members, name: &str) -> Option<&'m Members> {
    members.get(name).and_then(Value::as_object)
}

fn text<'m>(members: &'m Members, name: &str) -> &'m str {
    members.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the address of an endpoint.
fn address(endpoint: Option<&Members>) -> Option<&str> {
    let endpoint = endpoint?;
    [text(endpoint, "ipv4"), text(endpoint, "ipv6")].into_iter().find(|address| !address.is_empty())
}

/// Returns an id; `None` without one.
fn id<const N: usize>(members: &Members, name: &str) -> Result<Option<[u8; N]>, String> {
    let digits = match members.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let id = digits.as_str().and_then(id_of_hex::<N>);
    let id = id.ok_or_else(|| format!("{name} {} is not 1 to {} hexadecimal digits", shown(digits), 2 * N))?;
    if id == [0; N] { Err(format!("{name} is zero")) } else { Ok(Some(id)) }
}

/// Reads microseconds as nanoseconds, saturated; `None` if there are none.
///
/// Errors: the value as text if it is no number or before the epoch.
fn micros(value: Option<&Value>) -> Result<Option<u64>, String> {
    let value = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    if let Some(micros) = value.as_u64() {
        return Ok(Some(micros.saturating_mul(1_000)));
    }
    match value.as_f64() {
        // A conversion from a decimal saturates.
        Some(micros) if micros >= 0.0 => Ok(Some((micros as u64).saturating_mul(1_000))),
        _ => Err(shown(value)),
    }
}

/// Returns the beginning of a value, for errors.
fn shown(value: &Value) -> String {
    value.to_string().chars().take(50).collect()
}

#[cfg(test)]
mod tests;
