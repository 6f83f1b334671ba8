//! One segment or subsegment as a span (AWS X-Ray developer guide, *X-Ray segment documents*).
//!
//! ```text
//! name         name; that of a segment is its service, too   id   parent_id   trace_id: 1-8 digits-24 digits
//! start_time   end_time: seconds since the epoch, with decimals   in_progress: there is no end yet
//! error fault throttle: status   cause: exceptions as events, or the id of an exception of another segment
//! http aws sql user namespace annotations metadata service origin …: attributes
//! ```
//!
//! A segment is what its service did for a request: its kind is `server`. A subsegment with a namespace is a call of another
//! service: its kind is `client`. Attributes that OpenTelemetry has names for have those, annotations their own names, and
//! everything else its path under `aws.xray`.

use ingest::span::{Members as EventMembers, Span, SpanKind, SpanStatus, id_of_hex, json_value, link, span_event};
use serde_json::{Map, Value, json};
use types::{Limits, ensure};

pub(super) type Members = Map<String, Value>;

/// The ids that subsegments take from the segment above them.
#[derive(Clone, Copy)]
pub(super) struct Ids {
    pub(super) trace_id: [u8; 16],
    /// The segment above; `None` for a document.
    pub(super) parent: Option<[u8; 8]>,
}

/// Members that are parts of the span, or attributes under names of their own.
const OWN_MEMBERS: [&str; 18] = [
    "name", "id", "parent_id", "trace_id", "start_time", "end_time", "subsegments", "type", "cause", "http", "aws",
    "sql", "annotations", "metadata", "user", "service", "namespace", "links",
];

/// Paths with OpenTelemetry's names for them.
const NAMES: [(&str, &str); 25] = [
    ("http.request.method", "http.request.method"),
    ("http.request.url", "url.full"),
    ("http.request.user_agent", "user_agent.original"),
    ("http.request.client_ip", "client.address"),
    ("http.response.status", "http.response.status_code"),
    ("http.response.content_length", "http.response.body.size"),
    ("aws.account_id", "cloud.account.id"),
    ("aws.region", "cloud.region"),
    ("aws.operation", "rpc.method"),
    ("aws.request_id", "aws.request_id"),
    ("aws.queue_url", "aws.sqs.queue.url"),
    ("aws.table_name", "aws.dynamodb.table_names"),
    ("aws.ec2.instance_id", "host.id"),
    ("aws.ec2.availability_zone", "cloud.availability_zone"),
    ("aws.ec2.instance_size", "host.type"),
    ("aws.ec2.ami_id", "host.image.id"),
    ("aws.ecs.container", "container.name"),
    ("aws.ecs.container_id", "container.id"),
    ("aws.xray.sdk", "telemetry.sdk.name"),
    ("aws.xray.sdk_version", "telemetry.sdk.version"),
    ("sql.database_type", "db.system"),
    ("sql.sanitized_query", "db.query.text"),
    ("sql.user", "db.user"),
    ("sql.url", "db.connection_string"),
    ("sql.connection_string", "db.connection_string"),
];

/// Returns a text member; an empty text without one.
pub(super) fn text<'m>(members: &'m Members, name: &str) -> &'m str {
    members.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn is_true(members: &Members, name: &str) -> bool {
    members.get(name) == Some(&Value::Bool(true))
}

/// Returns the stream of a document: the machine or container that it names.
pub(super) fn stream_of(members: &Members) -> &str {
    let part = |path: &str| members.get("aws")?.pointer(path)?.as_str().filter(|name| !name.is_empty());
    part("/ec2/instance_id").or_else(|| part("/ecs/container")).unwrap_or_default()
}

/// Reads `1-8 digits-24 digits`, or the 32 digits alone.
pub(super) fn trace_id(text: &str) -> Result<[u8; 16], String> {
    let digits = match text.strip_prefix("1-").and_then(|rest| rest.split_once('-')) {
        Some((time, rest)) if (time.len(), rest.len()) == (8, 24) => format!("{time}{rest}"),
        Some(_) => String::new(),
        None => text.to_owned(),
    };
    let id = id_of_hex(&digits).filter(|id: &[u8; 16]| digits.len() == 32 && *id != [0; 16]);
    let shown: String = text.chars().take(50).collect();
    id.ok_or_else(|| format!("trace_id {shown:?} is not 1-, 8 hexadecimal digits, -, 24 hexadecimal digits"))
}

fn id(members: &Members, name: &str) -> Result<[u8; 8], String> {
    let digits = text(members, name);
    let id = id_of_hex(digits).filter(|id: &[u8; 8]| digits.len() == 16 && *id != [0; 8]);
    let shown: String = digits.chars().take(40).collect();
    id.ok_or_else(|| format!("{name} {shown:?} is not 16 hexadecimal digits"))
}

/// Returns trace and id of the segment that a document names as its parent; `None` if it names none or is invalid.
pub(super) fn parent_key(members: &Members) -> Option<([u8; 16], [u8; 8])> {
    Some((trace_id(text(members, "trace_id")).ok()?, id(members, "parent_id").ok()?))
}

/// Returns the span of a segment without its service and attributes, or why it is refused.
pub(super) fn span_of<'m>(
    members: &'m Members,
    is_subsegment: bool,
    above: &Ids,
    limits: &Limits,
) -> Result<Span<'m>, String> {
    let mut span = Span {
        trace_id: above.trace_id,
        span_id: id(members, "id")?,
        parent_span_id: above.parent,
        name: text(members, "name").into(),
        ..Span::default()
    };
    ensure!(!span.name.is_empty(), "name is missing".into());
    if above.parent.is_none() && !text(members, "parent_id").is_empty() {
        match id(members, "parent_id") {
            Ok(parent) => span.parent_span_id = Some(parent),
            Err(reason) => span.note(format_args!("{reason}; left out")),
        }
    }
    span.kind = match text(members, "namespace") {
        _ if !is_subsegment => SpanKind::Server,
        "" => SpanKind::Internal,
        _ => SpanKind::Client,
    };
    for (name, is_start) in [("start_time", true), ("end_time", false)] {
        match nanoseconds(members.get(name)) {
            Ok(time) if is_start => span.start = time,
            Ok(time) => span.end = time,
            Err(value) => span.note(format_args!("{name} {value} is not a number of seconds since the epoch")),
        }
    }
    if is_true(members, "in_progress") && span.end == 0 {
        span.end = span.start;
        span.note("was in progress; kept with a duration of 0");
    }
    if ["error", "fault", "throttle"].iter().any(|name| is_true(members, name)) {
        span.status = SpanStatus::Error;
    }
    add_exceptions(members, &mut span, limits);
    add_links(members, &mut span, limits);
    Ok(span)
}

/// Reads seconds since the epoch, to the microsecond, the precision of a 64-bit float; 0 without a value.
fn nanoseconds(value: Option<&Value>) -> Result<u64, String> {
    let value = match value {
        None | Some(Value::Null) => return Ok(0),
        Some(value) => value,
    };
    match value.as_f64() {
        // A conversion from a decimal saturates.
        Some(seconds) if seconds >= 0.0 => Ok(((seconds * 1e6).round() as u64).saturating_mul(1_000)),
        _ => Err(value.to_string().chars().take(50).collect()),
    }
}

/// Adds the exceptions of `cause` as events, at the end of the span, under OpenTelemetry's names.
fn add_exceptions<'m>(members: &'m Members, span: &mut Span<'m>, limits: &Limits) {
    let exceptions = members.get("cause").and_then(|cause| cause.get("exceptions")).and_then(Value::as_array);
    for exception in exceptions.into_iter().flatten().filter_map(Value::as_object) {
        if span.events.is_full() {
            span.events.skip();
            continue;
        }
        let message = text(exception, "message");
        if span.status_message.is_empty() {
            span.status_message = message.into();
        }
        let frames = exception.get("stack").and_then(Value::as_array);
        let frames: Vec<String> = frames.into_iter().flatten().filter_map(Value::as_object).map(frame_line).collect();
        let mut attributes: EventMembers = Vec::new();
        let texts = [
            ("exception.type", text(exception, "type")),
            ("exception.message", message),
            ("exception.stacktrace", &frames.join("\n")),
        ];
        for (name, value) in texts.into_iter().filter(|(_, value)| !value.is_empty()) {
            attributes.push((name.into(), Some(types::Value::text(value))));
        }
        for (name, value) in exception {
            if !matches!(&**name, "type" | "message" | "stack") {
                attributes.push((format!("aws.xray.exception.{name}").into(), json_value(value)));
            }
        }
        let time = if span.end == 0 { span.start } else { span.end };
        span.events.push(span_event(time, "exception", attributes), limits);
    }
}

fn frame_line(frame: &Members) -> String {
    let line = frame.get("line").filter(|line| line.is_number()).map(|line| format!(":{line}")).unwrap_or_default();
    format!("at {} ({}{line})", text(frame, "label"), text(frame, "path"))
}

fn add_links(members: &Members, span: &mut Span<'_>, limits: &Limits) {
    for element in members.get("links").and_then(Value::as_array).into_iter().flatten() {
        let ids = element
            .as_object()
            .ok_or_else(|| "a link is not an object".to_owned())
            .and_then(|element| Ok((trace_id(text(element, "trace_id"))?, id(element, "id")?)));
        match ids {
            Ok((trace_id, span_id)) => {
                let attributes = element.get("attributes").and_then(Value::as_object).into_iter().flatten();
                let attributes = attributes.map(|(name, value)| (name.as_str().into(), json_value(value))).collect();
                span.links.push(link(&trace_id, &span_id, "", attributes), limits);
            }
            Err(reason) => {
                if !span.links.refuse() {
                    span.note(format_args!("a link is left out: {reason}"));
                }
            }
        }
    }
}

/// Returns the attributes of a segment of `service`: names and values.
pub(super) fn attributes_of(members: &Members, service: &str) -> Vec<(String, Value)> {
    let mut attributes = Vec::new();
    if !service.is_empty() {
        attributes.push(("service.name".to_owned(), json!(service)));
    }
    for section in ["http", "aws", "sql"] {
        if let Some(value) = members.get(section) {
            add_named(section, value, &mut attributes);
        }
    }
    let namespace = text(members, "namespace");
    if !namespace.is_empty() {
        attributes.push(("aws.xray.namespace".into(), json!(namespace)));
        attributes.push(("peer.service".into(), json!(text(members, "name"))));
    }
    if namespace == "aws" {
        attributes.push(("rpc.system".into(), json!("aws-api")));
        attributes.push(("rpc.service".into(), json!(text(members, "name"))));
    }
    let copied = [
        ("user", "enduser.id"),
        ("cause", "aws.xray.cause"),
        ("metadata", "metadata"),
        ("service", "aws.xray.service"),
    ];
    for (member, name) in copied {
        match (member, members.get(member)) {
            (_, None) => {}
            // Its exceptions are events.
            ("cause", Some(Value::Object(cause))) => {
                let rest = cause.iter().filter(|(name, _)| *name != "exceptions");
                attributes.extend(rest.map(|(part, value)| (format!("{name}.{part}"), value.clone())));
            }
            ("service", Some(Value::Object(service))) => {
                let names =
                    |part: &str| if part == "version" { "service.version".into() } else { format!("{name}.{part}") };
                attributes.extend(service.iter().map(|(part, value)| (names(part), value.clone())));
            }
            (_, Some(value)) => attributes.push((name.into(), value.clone())),
        }
    }
    if let Some(annotations) = members.get("annotations").and_then(Value::as_object) {
        attributes.push(("aws.xray.annotations".into(), annotations.keys().map(String::as_str).collect()));
        attributes.extend(annotations.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    let others = members.iter().filter(|(name, _)| !OWN_MEMBERS.contains(&name.as_str()));
    attributes.extend(others.map(|(name, value)| (format!("aws.xray.{name}"), value.clone())));
    attributes
}

/// Adds the values below a path under OpenTelemetry's names, else under the path.
fn add_named(path: &str, value: &Value, attributes: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                add_named(&format!("{path}.{name}"), member, attributes);
            }
        }
        value => {
            let known = NAMES.iter().find(|(known, _)| *known == path);
            attributes.push((known.map_or(path, |(_, name)| name).to_owned(), value.clone()));
        }
    }
}
