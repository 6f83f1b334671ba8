//! What other receivers than Amazon's get: the scheme of a destination names the protocol.
//!
//! ```text
//! loki+https://HOST                     Loki's push, JSON        the id is structured metadata
//! elasticsearch+https://HOST/INDEX      the bulk API, `create`   the id is that of the document
//! otlp+https://HOST                     OTLP by HTTP, JSON       the id is `log.record.uid`
//! ndjson+https://HOST/PATH              an object for each line  the id is `@id`
//! ```
//!
//! An event may arrive twice: Elasticsearch keeps the first one by its id, and Loki drops what is equal. Sources:
//! <https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs>,
//! <https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk>, OpenTelemetry Protocol 1.x,
//! *Logs data model*.

use std::collections::BTreeMap;

use alert::PostError;
use serde_json::{Map, Value as Json, json};
use types::{Level, Value};

use super::filter::Filter;
use super::message::{Line, compressed, data_message};

/// Refusals of single documents that are quoted.
const REASON_CHARS: usize = 300;

/// The protocol of a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    CloudWatch,
    Loki,
    Elasticsearch,
    Otlp,
    Ndjson,
}

/// A body to post.
pub(super) struct Body {
    pub(super) url: String,
    pub(super) content_type: &'static str,
    /// Compressed with gzip.
    pub(super) bytes: Vec<u8>,
}

impl Form {
    /// Returns the protocol of a destination, and its address of the web.
    pub(super) fn of(destination: &str) -> (Self, &str) {
        let schemes = [
            ("loki+", Self::Loki),
            ("elasticsearch+", Self::Elasticsearch),
            ("otlp+", Self::Otlp),
            ("ndjson+", Self::Ndjson),
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

    /// Makes the body with events of one stream.
    pub(super) fn body(self, filter: &Filter, lines: &[&Line]) -> Body {
        let (_, url) = Self::of(&filter.destination);
        let as_given = url.to_owned();
        let url = url.trim_end_matches('/');
        let of_host = |path: &str| match url.splitn(4, '/').nth(3) {
            Some(_) => url.to_owned(),
            None => format!("{url}{path}"),
        };
        match self {
            Self::CloudWatch => Body { url: as_given, content_type: JSON, bytes: data_message(filter, lines) },
            Self::Loki => body(of_host("/loki/api/v1/push"), JSON, &loki(filter, lines).to_string()),
            Self::Otlp => body(of_host("/v1/logs"), JSON, &otlp(filter, lines).to_string()),
            Self::Elasticsearch => {
                let (host, index) = url.rsplit_once('/').unwrap_or((url, ""));
                body(format!("{host}/_bulk"), NDJSON, &bulk(filter, lines, index))
            }
            Self::Ndjson => {
                let line = |line: &&Line| format!("{}\n", Json::Object(document(filter, line, OWN)));
                body(as_given, NDJSON, &lines.iter().map(line).collect::<String>())
            }
        }
    }

    /// Reads the answer to a post that succeeded as a whole; returns which documents in it are refused for good.
    ///
    /// # Errors
    /// If it has to be posted again.
    pub(super) fn verdict(self, answer: &[u8]) -> Result<Option<Refusal>, PostError> {
        let answer: Json = serde_json::from_slice(answer).unwrap_or_default();
        if self == Self::Elasticsearch && !answer["errors"].is_boolean() {
            return Err(PostError::Retry { after: None, reason: "the answer is not that of a bulk request".into() });
        }
        let refused = match self {
            Self::Elasticsearch if answer["errors"] == true => answer["items"].as_array(),
            Self::Otlp => {
                let n = whole(&answer["partialSuccess"]["rejectedLogRecords"]);
                let message = answer["partialSuccess"]["errorMessage"].as_str().unwrap_or("log records are rejected");
                return Ok((n > 0).then(|| Refusal { n, reason: message.chars().take(REASON_CHARS).collect() }));
            }
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

/// Documents that a receiver will not take.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) n: u64,
    /// What it says of one of them.
    pub(super) reason: String,
}

pub(super) const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";

fn body(url: String, content_type: &'static str, text: &str) -> Body {
    Body { url, content_type, bytes: compressed(text.as_bytes()) }
}

fn nanos(line: &Line) -> String {
    line.id.timestamp.0.to_string()
}

/// A number that is not below 0, which JSON of protobuf may write as a text.
fn whole(number: &Json) -> u64 {
    number.as_u64().or_else(|| number.as_str()?.parse().ok()).unwrap_or(0)
}

/// One stream, with all else beside the lines.
fn loki(filter: &Filter, lines: &[&Line]) -> Json {
    let value = |line: &&Line| {
        let mut metadata: BTreeMap<&str, String> =
            line.fields.iter().map(|(name, value)| (&**name, value.to_string())).collect();
        metadata.insert("catat_id", line.id.encode());
        metadata.extend(line.level.map(|level| ("level", level.name().to_owned())));
        json!([nanos(line), &*line.message, metadata])
    };
    let stream = lines.first().map_or("", |line| &*line.stream);
    let values: Vec<Json> = lines.iter().map(value).collect();
    json!({"streams": [{"stream": {"group": filter.group, "stream": stream}, "values": values}]})
}

fn otlp(filter: &Filter, lines: &[&Line]) -> Json {
    let record = |line: &&Line| {
        let mut attributes = vec![attribute("log.record.uid", &Value::text(line.id.encode()))];
        attributes.extend(line.fields.iter().map(|(name, value)| attribute(name, value)));
        let mut record = json!({
            "timeUnixNano": nanos(line), "body": {"stringValue": &*line.message}, "attributes": attributes,
        });
        if let Some(level) = line.level {
            record["severityText"] = level.name().into();
            record["severityNumber"] = severity(level).into();
        }
        record
    };
    let stream = lines.first().map_or("", |line| &*line.stream);
    let resource = [("service.name", &*filter.group), ("log.stream", stream)];
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
    let value = match value {
        Value::Integer(number) => json!({"intValue": number.to_string()}),
        Value::Float(number) => json!({"doubleValue": number}),
        Value::Boolean(truth) => json!({"boolValue": truth}),
        other => json!({"stringValue": other.to_string()}),
    };
    json!({"key": name, "value": value})
}

fn bulk(filter: &Filter, lines: &[&Line], index: &str) -> String {
    let action = |line: &&Line| {
        let about = json!({"create": {"_index": index, "_id": line.id.encode()}});
        format!("{about}\n{}\n", Json::Object(document(filter, line, OF_ELASTIC)))
    };
    lines.iter().map(action).collect()
}

/// What the parts of an event are called: id, text, group, stream and level.
type Names = [&'static str; 5];

const OWN: Names = ["@id", "@message", "@log", "@logStream", "@level"];
const OF_ELASTIC: Names = ["catat.id", "message", "catat.group", "catat.stream", "log.level"];

/// An event as an object. Its parts win over fields of the same name.
fn document(filter: &Filter, line: &Line, names: Names) -> Map<String, Json> {
    let mut document = Map::new();
    for (name, value) in &line.fields {
        let mut text = String::new();
        value.write_json(&mut text);
        document.insert(name.to_string(), serde_json::from_str(&text).unwrap_or_default());
    }
    for (object, _) in names.iter().filter_map(|name| name.split_once('.')) {
        // Elasticsearch takes dots for objects, which a text of the same name cannot be.
        document.remove(object);
    }
    let [id, message, group, stream, level] = names;
    document.insert("@timestamp".to_owned(), line.id.timestamp.to_string().into());
    let encoded = line.id.encode();
    let texts = [(id, &*encoded), (message, &line.message), (group, &filter.group), (stream, &line.stream)];
    let texts = texts.into_iter().chain(line.level.map(|of_line| (level, of_line.name())));
    document.extend(texts.map(|(name, text)| (name.to_owned(), text.into())));
    document
}

#[cfg(test)]
mod tests;
