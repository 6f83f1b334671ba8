//! What other receivers than Amazon's get: the scheme of a destination names the protocol.
//!
//! ```text
//! loki+https://HOST                     Loki's push, JSON        the id is structured metadata
//! elasticsearch+https://HOST/INDEX      the bulk API, `create`   the id is that of the document
//! otlp+https://HOST                     OTLP by HTTP, protobuf   the id is `log.record.uid`
//! ndjson+https://HOST/PATH              an object for each line  the id is `@id`
//! relp://HOST:PORT, syslog+tcp://…      syslog                   see `syslog`
//! ```
//!
//! An event may arrive twice: Elasticsearch keeps the first one by its id, and Loki drops what is equal. Sources:
//! <https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs>,
//! <https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk>, OpenTelemetry Protocol 1.x,
//! *Logs data model*.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alert::PostError;
use ingest::otlp_json::{LOGS, to_protobuf};
use ingest::protobuf::{Content, Message};
use serde_json::{Map, Value as Json, json};
use types::{Level, Value, hexadecimal};

use super::filter::Filter;
use super::message::{Line, Refusal, compressed, data_message, json_of};
use super::syslog::Transport;

/// Refusals of single documents that are quoted.
const REASON_CHARS: usize = 300;

/// Why an answer to a bulk request cannot be understood.
pub(super) const NO_BULK_ANSWER: &str = "the answer is not that of a bulk request";

/// The protocol of a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    CloudWatch,
    Loki,
    Elasticsearch,
    Otlp,
    Ndjson,
    Syslog(Transport),
}

/// A body to post.
pub(super) struct Body {
    pub(super) url: String,
    pub(super) content_type: &'static str,
    /// Compressed with gzip.
    pub(super) bytes: Vec<u8>,
}

impl Form {
    /// Returns the protocol of a destination, and its address: of the web, or `HOST:PORT`.
    pub(super) fn of(destination: &str) -> (Self, &str) {
        let syslog = |is_relp, is_tls| Self::Syslog(Transport { is_relp, is_tls });
        let schemes = [
            ("loki+", Self::Loki),
            ("elasticsearch+", Self::Elasticsearch),
            ("otlp+", Self::Otlp),
            ("ndjson+", Self::Ndjson),
            ("relp://", syslog(true, false)),
            ("relp+tls://", syslog(true, true)),
            ("syslog+tcp://", syslog(false, false)),
            ("syslog+tls://", syslog(false, true)),
        ];
        let found = schemes.iter().find_map(|(scheme, form)| Some((*form, destination.strip_prefix(scheme)?)));
        found.unwrap_or((Self::CloudWatch, destination))
    }

    /// Reports whether an answer that says yes may say no to single events.
    pub(super) fn has_verdict(self) -> bool {
        matches!(self, Self::Elasticsearch | Self::Otlp)
    }

    /// Reports whether all fields of an event are sent, and not its text alone.
    pub(super) fn has_fields(self) -> bool {
        self != Self::CloudWatch
    }

    /// Makes the body with events of one stream, for a protocol over HTTP.
    pub(super) fn body(self, filter: &Filter, lines: &[&Line]) -> Body {
        let (_, url) = Self::of(&filter.destination);
        let as_given = url.to_owned();
        let (path, query) = url.split_at(url.find('?').unwrap_or(url.len()));
        let path = path.trim_end_matches('/');
        let of_host = |standard: &str| match path.splitn(4, '/').nth(3) {
            Some(_) => format!("{path}{query}"),
            None => format!("{path}{standard}{query}"),
        };
        match self {
            Self::CloudWatch | Self::Syslog(_) => {
                Body { url: as_given, content_type: JSON, bytes: data_message(filter, lines) }
            }
            Self::Loki => body(of_host("/loki/api/v1/push"), JSON, loki(filter, lines).to_string().as_bytes()),
            Self::Otlp => {
                // Of the two forms this is the one that all receivers take.
                let (url, text) = (of_host("/v1/logs"), otlp(filter, lines).to_string());
                match to_protobuf(&text, &LOGS) {
                    Ok(message) => body(url, PROTOBUF, &message),
                    Err(_) => body(url, JSON, text.as_bytes()),
                }
            }
            Self::Elasticsearch => {
                let (host, index) = path.rsplit_once('/').unwrap_or((path, ""));
                body(format!("{host}/_bulk{query}"), NDJSON, bulk(filter, lines, index).as_bytes())
            }
            Self::Ndjson => {
                let line = |line: &&Line| format!("{}\n", Json::Object(document(filter, line, OWN)));
                body(as_given, NDJSON, lines.iter().map(line).collect::<String>().as_bytes())
            }
        }
    }

    /// Reads the answer to a post that succeeded as a whole; returns which documents in it are refused for good.
    ///
    /// # Errors
    /// If it has to be posted again.
    pub(super) fn verdict(self, answer: &[u8]) -> Result<Option<Refusal>, PostError> {
        if self == Self::Otlp {
            return Ok(partial_success(answer));
        }
        let answer: Json = serde_json::from_slice(answer).unwrap_or_default();
        if self == Self::Elasticsearch && !answer["errors"].is_boolean() {
            return Err(PostError::Retry { after: None, reason: NO_BULK_ANSWER.into() });
        }
        let refused = match self {
            Self::Elasticsearch if answer["errors"] == true => answer["items"].as_array(),
            _ => None,
        };
        let mut found: Option<Refusal> = None;
        for item in refused.into_iter().flatten() {
            let item = &item["create"];
            let reason: String = item["error"].to_string().chars().take(REASON_CHARS).collect();
            let is_of_index = item["error"]["type"] == "invalid_index_name_exception";
            match item["status"].as_u64() {
                // It is there already, by its id.
                Some(409) => {}
                Some(400) if !is_of_index => found = Some(Refusal { n: found.map_or(1, |found| found.n + 1), reason }),
                // The rights, the index or the cluster is to blame, and not the document.
                Some(400..) => return Err(PostError::Retry { after: None, reason }),
                _ => {}
            }
        }
        Ok(found)
    }
}

pub(super) const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";

const PROTOBUF: &str = "application/x-protobuf";

fn body(url: String, content_type: &'static str, bytes: &[u8]) -> Body {
    Body { url, content_type, bytes: compressed(bytes) }
}

/// Reads what an answer of OTLP refuses: `partial_success = 1 { rejected_log_records = 1, error_message = 2 }`.
fn partial_success(answer: &[u8]) -> Option<Refusal> {
    let fields = |message| Message::new(message, "answer").filter_map(std::result::Result::ok);
    let bytes = |message, wanted| {
        fields(message).find_map(|(number, content)| match content {
            Content::Bytes(bytes) if number == wanted => Some(bytes),
            _ => None,
        })
    };
    let partial = bytes(answer, 1)?;
    let n = fields(partial).find_map(|field| if let (1, Content::Number(n)) = field { Some(n) } else { None })?;
    let reason = String::from_utf8_lossy(bytes(partial, 2).unwrap_or(b"log records are rejected"));
    (n > 0).then(|| Refusal { n, reason: reason.chars().take(REASON_CHARS).collect() })
}

fn nanos(line: &Line) -> String {
    line.id.timestamp.0.to_string()
}

/// One stream, with all else beside the lines.
fn loki(filter: &Filter, lines: &[&Line]) -> Json {
    let value = |line: &&Line| {
        let mut metadata: BTreeMap<Cow<'_, str>, String> =
            line.fields.iter().map(|(name, value)| (name_for_loki(name), value.to_string())).collect();
        metadata.insert("catat_id".into(), line.id.encode());
        metadata.extend(line.level.map(|level| ("level".into(), level.name().to_owned())));
        json!([nanos(line), &*line.message, metadata])
    };
    let stream = lines.first().map_or("", |line| &*line.stream);
    let values: Vec<Json> = lines.iter().map(value).collect();
    json!({"streams": [{"stream": {"group": filter.group, "stream": stream}, "values": values}]})
}

/// A name of a field that Loki takes: it makes `_` of all but letters, digits and `_`, and refuses a post with a name of `_` alone.
fn name_for_loki(name: &str) -> Cow<'_, str> {
    if name.contains(|char: char| char.is_ascii_alphanumeric()) {
        name.into()
    } else {
        format!("field_{}", hexadecimal(name.as_bytes())).into()
    }
}

fn otlp(filter: &Filter, lines: &[&Line]) -> Json {
    let record = |line: &&Line| {
        let mut attributes = vec![attribute("log.record.uid", &Value::text(line.id.encode()))];
        let mut record = json!({"timeUnixNano": nanos(line), "body": {"stringValue": &*line.message}});
        for (name, value) in line.fields.iter().filter(|(name, _)| **name != *"log.record.uid") {
            let id = OTLP_IDS.iter().find(|(known, ..)| **name == **known);
            match (id, value) {
                (Some((_, member, n_digits)), Value::String(text))
                    if text.len() == *n_digits && text.bytes().all(|digit| digit.is_ascii_hexdigit()) =>
                {
                    record[*member] = (&**text).into();
                }
                _ => attributes.push(attribute(name, value)),
            }
        }
        record["attributes"] = attributes.into();
        if let Some(level) = line.level {
            record["severityText"] = level.name().into();
            record["severityNumber"] = severity(level).into();
        }
        record
    };
    let stream = lines.first().map_or("", |line| &*line.stream);
    let resource = [("service.name", &*filter.group), ("service.instance.id", stream), ("log.stream", stream)];
    let resource: Vec<Json> = resource.iter().map(|(name, text)| attribute(name, &Value::text(*text))).collect();
    let records: Vec<Json> = lines.iter().map(record).collect();
    json!({"resourceLogs": [{"resource": {"attributes": resource}, "scopeLogs": [{"logRecords": records}]}]})
}

/// The first number of each range of OpenTelemetry's severities.
fn severity(level: Level) -> u64 {
    match level {
        Level::Trace => 1,
        Level::Debug => 5,
        Level::Info => 9,
        Level::Warn => 13,
        Level::Error => 17,
        Level::Fatal => 21,
    }
}

fn attribute(name: &str, value: &Value) -> Json {
    json!({"key": name, "value": any_value(Some(value))})
}

/// A value of OTLP; one without anything stands for `null`.
fn any_value(value: Option<&Value>) -> Json {
    match value {
        None => json!({}),
        Some(Value::Integer(number)) => json!({"intValue": number.to_string()}),
        Some(Value::Float(number)) => json!({"doubleValue": number}),
        Some(Value::Boolean(truth)) => json!({"boolValue": truth}),
        Some(Value::List(elements)) => {
            let values: Vec<Json> = elements.iter().map(|element| any_value(element.as_ref())).collect();
            json!({"arrayValue": {"values": values}})
        }
        Some(Value::Object(members)) => {
            let member =
                |(name, value): &(Arc<str>, Option<Value>)| json!({"key": name, "value": any_value(value.as_ref())});
            let values: Vec<Json> = members.iter().map(member).collect();
            json!({"kvlistValue": {"values": values}})
        }
        Some(other) => json!({"stringValue": other.to_string()}),
    }
}

fn bulk(filter: &Filter, lines: &[&Line], index: &str) -> String {
    let action = |line: &&Line| {
        let about = json!({"create": {"_index": index, "_id": line.id.encode()}});
        format!("{about}\n{}\n", Json::Object(document(filter, line, OF_ELASTIC)))
    };
    lines.iter().map(action).collect()
}

/// Fields that are ids of a record, with how many digits they have.
const OTLP_IDS: [(&str, &str, usize); 2] = [("trace_id", "traceId", 32), ("span_id", "spanId", 16)];

/// What the parts of an event are called: id, text, group, stream and level.
type Names = [&'static str; 5];

const OWN: Names = ["@id", "@message", "@log", "@logStream", "@level"];
const OF_ELASTIC: Names = ["catat.id", "message", "catat.group", "catat.stream", "log.level"];

/// An event as an object. Its parts win over fields of the same name.
fn document(filter: &Filter, line: &Line, names: Names) -> Map<String, Json> {
    let mut document = Map::new();
    let is_elastic = names == OF_ELASTIC;
    let all: BTreeSet<&str> = line.fields.iter().filter(|_| is_elastic).map(|(name, _)| &**name).collect();
    for (name, value) in &line.fields {
        let is_barred = is_elastic && !fits_elasticsearch(name, &all);
        let name = if is_barred { format!("fields.{}", name_parts(name)) } else { name.to_string() };
        document.insert(name, json_of(value));
    }
    let [id, message, group, stream, level] = names;
    document.insert("@timestamp".to_owned(), line.id.timestamp.to_string().into());
    let encoded = line.id.encode();
    let texts = [(id, &*encoded), (message, &line.message), (group, &filter.group), (stream, &line.stream)];
    let texts = texts.into_iter().chain(line.level.map(|of_line| (level, of_line.name())));
    document.extend(texts.map(|(name, text)| (name.to_owned(), text.into())));
    document
}

/// Whether a document of Elasticsearch with fields of the names `all` can have one of them as it is. It takes dots for objects,
/// which cannot be values, too, and keeps names with `_` for itself.
fn fits_elasticsearch(name: &str, all: &BTreeSet<&str>) -> bool {
    let is_within = |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'));
    let is_free =
        ["@timestamp"].into_iter().chain(OF_ELASTIC).all(|own| !is_within(name, own) && !is_within(own, name));
    let inner = format!("{name}.");
    let is_value = all.range(&*inner..).next().is_none_or(|next| !next.starts_with(&inner));
    is_free && is_value && !name.starts_with('_') && name != "fields" && name_parts(name) == name
}

/// A name without empty parts.
fn name_parts(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').map(|part| if part.trim().is_empty() { "_" } else { part }).collect();
    parts.join(".")
}

#[cfg(test)]
mod tests;
