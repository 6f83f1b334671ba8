//! Elasticsearch and OpenSearch: searches by time, bulk requests (Elasticsearch's reference, *Search API* and *Bulk API*).
//!
//! Documents keep their `_id`, under which a group has one event at most, so that nothing is stored twice whatever was read in
//! between. Searches are by ranges of time and nothing else: they need neither a scroll nor a point in time to be kept.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::LazyLock;

use bytes::Bytes;
use memchr::memchr2;
use memchr::memmem::Finder;
use reqwest::Method;
use reqwest::blocking::Body;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use types::{Timestamp, counted, percent_encoded, verb_for};

use super::side::{Side, quoted};
use super::source::{PIECE_BYTES, Piece, Source, Stored};
use crate::arguments::FromElasticsearch;
use crate::commands::spans::{Range, Width, halves};
use crate::failure::Failure;

/// Documents that a search has at most (`index.max_result_window`).
const WINDOW: u64 = 10_000;

/// Fewer, since documents come while it is read.
const SPAN_DOCUMENTS: u64 = 5_000;

/// Indices that are told with their groups.
const INDICES_MAX: usize = 1_000;

pub(super) struct Elasticsearch {
    index: String,
    query: Option<String>,
    time_field: String,
    from: Option<String>,
}

#[derive(Deserialize)]
struct SearchAnswer<'a> {
    #[serde(rename = "_shards")]
    shards: Shards,
    #[serde(default)]
    timed_out: bool,
    #[serde(borrow)]
    hits: Hits<'a>,
}

#[derive(Deserialize)]
struct Shards {
    failed: u64,
}

#[derive(Deserialize)]
struct Hits<'a> {
    total: Total,
    #[serde(borrow)]
    hits: Vec<Hit<'a>>,
}

#[derive(Deserialize)]
struct Total {
    value: u64,
}

#[derive(Deserialize)]
struct Hit<'a> {
    #[serde(borrow, rename = "_index")]
    index: Cow<'a, str>,
    #[serde(borrow, rename = "_id")]
    id: Cow<'a, str>,
    #[serde(borrow, rename = "_source")]
    source: Option<&'a RawValue>,
    /// The value of the time field, the only one asked for; none where it has none.
    #[serde(borrow, default)]
    fields: Members<'a>,
}

/// What becomes of a document.
#[derive(Deserialize, Serialize)]
struct Action<'a> {
    #[serde(borrow)]
    create: Target<'a>,
}

#[derive(Deserialize, Serialize)]
struct Target<'a> {
    #[serde(borrow, rename = "_index")]
    index: Cow<'a, str>,
    #[serde(borrow, rename = "_id")]
    id: Cow<'a, str>,
}

/// What became of documents.
#[derive(Deserialize)]
struct BulkAnswer {
    items: Vec<BulkItem>,
}

#[derive(Deserialize)]
struct BulkItem {
    create: Outcome,
}

/// The parts of it that are asked for.
const OUTCOME: &str = "items.*.status,items.*.error";

#[derive(Deserialize)]
struct Outcome {
    status: u16,
    #[serde(default)]
    error: Value,
}

/// The time that a document itself says.
#[derive(Deserialize)]
struct OwnTime<'a> {
    #[serde(rename = "@timestamp", borrow)]
    time: Option<Cow<'a, str>>,
}

impl Elasticsearch {
    pub(super) fn new(from: &FromElasticsearch) -> Self {
        Self {
            index: from.index.clone(),
            query: from.query.clone(),
            time_field: from.time_field.clone(),
            from: from.from.clone(),
        }
    }

    /// The condition on documents of a range. Instants have nanoseconds, which fields of type `date_nanos` have as well.
    fn within(&self, (from, to): Range, at: &Side<'_>) -> Value {
        // On the server the time of an event is its time, whatever the field was.
        let field = if at.is_server { "@timestamp" } else { &self.time_field };
        let format = "strict_date_optional_time_nanos";
        let mut filter =
            vec![json!({"range": {field: {"gte": from.to_string(), "lte": to.to_string(), "format": format}}})];
        filter.extend(self.query.as_ref().map(|query| json!({"query_string": {"query": query}})));
        json!({"bool": {"filter": filter}})
    }

    fn search(&self, at: &Side<'_>, body: &Value) -> reqwest::blocking::RequestBuilder {
        let index = if at.is_server { group_pattern(&self.index) } else { self.index.clone() };
        let index = index.split(',').map(percent_encoded).collect::<Vec<_>>().join(",");
        let path = format!("/{index}/_search?ignore_unavailable=true&allow_no_indices=true");
        at.request(Method::POST, &path).json(body)
    }

    /// How many documents have no time.
    fn n_without_time(&self, from: &Side<'_>) -> Result<u64, Failure> {
        let missing = json!({"bool": {"must_not": [{"exists": {"field": self.time_field}}]}});
        let body = json!({"size": 0, "track_total_hits": true, "query": missing});
        let answer: Value = from.ask(self.search(from, &body))?;
        Ok(answer["hits"]["total"]["value"].as_u64().unwrap_or(0))
    }
}

impl Source for Elasticsearch {
    fn about(&self, from: &Side<'_>, range: Range) -> Result<Vec<String>, Failure> {
        let root: Value = from.ask(from.request(Method::GET, "/"))?;
        let version = root["version"]["number"].as_str().unwrap_or("of an unknown version");
        let product = root["version"]["distribution"].as_str().unwrap_or("elasticsearch");
        let mut lines = vec![format!("{product} {version} at {}", from.name)];
        let terms = json!({"terms": {"field": "_index", "size": INDICES_MAX}});
        let body = json!({"size": 0, "query": self.within(range, from), "aggs": {"indices": terms}});
        let answer: Value = from.ask(self.search(from, &body))?;
        for bucket in answer["aggregations"]["indices"]["buckets"].as_array().into_iter().flatten() {
            let (index, n) = (bucket["key"].as_str().unwrap_or_default(), bucket["doc_count"].as_u64().unwrap_or(0));
            lines.push(format!("{index} → group {}: {}", group(index), counted(n, "document")));
        }
        let n_without = self.n_without_time(from)?;
        if n_without > 0 {
            let (documents, verb) = (counted(n_without, "document"), verb_for(n_without, "has", "have"));
            lines.push(format!("warning: {documents} {verb} no {} and cannot be imported by time", self.time_field));
        }
        Ok(lines)
    }

    fn asked(&self) -> Value {
        json!({"index": self.index, "query": self.query, "time_field": self.time_field, "from": self.from})
    }

    fn most(&self) -> u64 {
        SPAN_DOCUMENTS
    }

    fn counts(&self, at: &Side<'_>, range: Range, (width, _): Width) -> Result<Vec<(Timestamp, u64)>, Failure> {
        let field = if at.is_server { "@timestamp" } else { &self.time_field };
        let histogram = json!({"date_histogram": {"field": field, "fixed_interval": width, "min_doc_count": 1}});
        let body =
            json!({"size": 0, "track_total_hits": true, "query": self.within(range, at), "aggs": {"times": histogram}});
        let answer: Value = at.ask(self.search(at, &body))?;
        if answer["_shards"]["failed"].as_u64().unwrap_or(0) > 0 || answer["timed_out"] == true {
            return Err(Failure::other(format!("{}: it counted only in part: {}", at.name, answer["_shards"])));
        }
        let count = |bucket: &Value| {
            let begin = Timestamp(bucket["key"].as_i64()?.checked_mul(Timestamp::MILLISECOND)?);
            Some((begin, bucket["doc_count"].as_u64()?))
        };
        match answer["aggregations"]["times"]["buckets"].as_array() {
            Some(buckets) => Ok(buckets.iter().filter_map(count).collect()),
            // No index was asked.
            None if answer["hits"]["total"]["value"] == 0 => Ok(Vec::new()),
            None => Err(Failure::other(format!("{}: no counts of {width} in {}", at.name, quoted(&answer)))),
        }
    }

    fn read(&self, from: &Side<'_>, range: Range) -> Result<Vec<Piece>, Failure> {
        let format = "strict_date_optional_time_nanos";
        let body = json!({
            "size": WINDOW, "query": self.within(range, from), "sort": [{&*self.time_field: {"order": "asc", "unmapped_type": "date"}}], "track_total_hits": true,
            "docvalue_fields": [{"field": self.time_field, "format": format}], "_source": true,
        });
        let text = from.send(self.search(from, &body))?;
        let found: SearchAnswer<'_> =
            serde_json::from_str(&text).map_err(|error| Failure::other(format!("{}: {error}", from.name)))?;
        if found.shards.failed > 0 || found.timed_out {
            return Err(Failure::other(format!("{}: it answered only in part", from.name)));
        }
        let n_all = found.hits.total.value;
        if n_all > found.hits.hits.len() as u64 {
            let Some([first, second]) = halves(range) else {
                let message = format!("{} at {} are more than one answer has", counted(n_all, "document"), range.0);
                return Err(Failure::other(message).with("Import them with --query in several parts."));
            };
            let mut pieces = self.read(from, first)?;
            pieces.extend(self.read(from, second)?);
            return Ok(pieces);
        }
        let mut hits = found.hits.hits;
        // Documents of one instant come in any order.
        hits.sort_by(|a, b| (time(a), &a.index, &a.id).cmp(&(time(b), &b.index, &b.id)));
        let mut pieces: Vec<Piece> = Vec::new();
        for hit in &hits {
            let document = document(hit)?;
            let full = |piece: &Piece| piece.body.len() + document.len() > PIECE_BYTES;
            if pieces.last().is_none_or(full) {
                pieces.push(Piece::default());
            }
            let Some(piece) = pieces.last_mut() else { continue };
            let action = Action { create: Target { index: group(&hit.index).into(), id: (&*hit.id).into() } };
            serde_json::to_writer(&mut piece.body, &action).map_err(|error| Failure::other(error.to_string()))?;
            for part in ["\n", &*document, "\n"] {
                piece.body.extend_from_slice(part.as_bytes());
            }
            piece.events += 1;
        }
        Ok(pieces)
    }

    fn store(&self, to: &Side<'_>, piece: Piece, id: &str) -> Result<Stored, Failure> {
        let request = to.request(Method::POST, "/_bulk").query(&[("filter_path", OUTCOME)]);
        let request = request.header("Content-Type", "application/x-ndjson").header("X-Catat-Batch", id);
        let body = Bytes::from(piece.body);
        let answer: BulkAnswer = to.ask(request.body(Body::from(body.clone())))?;
        let mut stored = Stored::default();
        // Asked for refused documents alone, in order.
        let mut actions = body.split(|byte| *byte == b'\n').step_by(2).enumerate();
        for (n, BulkItem { create }) in answer.items.into_iter().enumerate() {
            match create.status {
                // 409: the group has an event of this id.
                200..=299 | 409 => stored.events += 1,
                _ => {
                    let reason = &create.error["reason"];
                    stored.n_refused += 1;
                    let action = actions.find(|(at, _)| *at == n).map(|(_, action)| action).unwrap_or_default();
                    stored.refused.push(format!("{}: {reason}", name_of(action, n)));
                }
            }
        }
        if stored.events + stored.n_refused != piece.events {
            let n = stored.events + stored.n_refused;
            return Err(Failure::other(format!(
                "the server says of {n} of {} documents what became of them",
                piece.events
            )));
        }
        Ok(stored)
    }
}

/// Returns the group of an index. A backing index, `.ds-STREAM-DATE-NUMBER`, belongs to the group of its data stream.
fn group(index: &str) -> &str {
    let Some(stream) = index.strip_prefix(".ds-") else { return index };
    let mut parts = stream.rsplitn(3, '-');
    let is_number =
        |part: Option<&str>| part.is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
    if is_number(parts.next()) && is_number(parts.next()) { parts.next().unwrap_or(stream) } else { stream }
}

/// The same for a list of patterns.
fn group_pattern(patterns: &str) -> String {
    patterns.split(',').map(group).collect::<Vec<_>>().join(",")
}

/// Returns what messages call a document, by its action, the `n`th of a request.
fn name_of(action: &[u8], n: usize) -> String {
    match serde_json::from_slice::<Action<'_>>(action) {
        Ok(Action { create }) => format!("{} of {}", create.id, create.index),
        Err(_) => format!("document {}", n + 1),
    }
}

/// When a document is, as the source says it.
fn time<'h>(hit: &Hit<'h>) -> Option<&'h str> {
    let (_, values) = hit.fields.0.first()?;
    // A time has no characters that JSON escapes.
    values.get().strip_prefix('[')?.trim_start().strip_prefix('"')?.split('"').next()
}

/// The document as a line. Where it does not say its time in `@timestamp`, as an index may have its own forms of times, the source's
/// reading of it stands there, and what stood there is `_timestamp`.
fn document<'h>(hit: &Hit<'h>) -> Result<Cow<'h, str>, Failure> {
    let Some(source) = hit.source else {
        let message = format!("{} of {} has no _source: the index keeps none", hit.id, hit.index);
        return Err(Failure::other(message).with("Leave the index out with --index."));
    };
    let mut line = Cow::Borrowed(source.get());
    if memchr2(b'\n', b'\r', line.as_bytes()).is_some() {
        line = line.replace(['\n', '\r'], " ").into();
    }
    let Some(told) = time(hit) else { return Ok(line) };
    let is_told = own_time(&line).is_some_and(|own| {
        let instant = || Timestamp::parse_rfc3339(&own);
        *own == *told || instant().is_some_and(|own| Some(own) == Timestamp::parse_rfc3339(told))
    });
    if is_told {
        return Ok(line);
    }
    let members: Members<'_> =
        serde_json::from_str(&line).map_err(|error| Failure::other(format!("{} of {}: {error}", hit.id, hit.index)))?;
    let mut out = format!("{{\"@timestamp\":{}", json!(told));
    for (name, value) in &members.0 {
        let name = if name == "@timestamp" { "_timestamp" } else { name };
        // Writing into a String cannot fail.
        let _ = write!(out, ",{}:{}", json!(name), value.get());
    }
    Ok((out + "}").into())
}

/// Returns the time that a document itself says.
fn own_time(line: &str) -> Option<Cow<'_, str>> {
    static NAME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"@timestamp\""));
    // Most documents begin with it, or have none.
    let mut named = NAME.find_iter(line.as_bytes());
    match (named.next(), named.next()) {
        (None, _) => None,
        (Some(1), None) if let Some(time) = line.strip_prefix("{\"@timestamp\":\"") => {
            time.split('"').next().filter(|time| !time.contains('\\')).map(Cow::Borrowed)
        }
        _ => serde_json::from_str::<OwnTime<'_>>(line).ok().and_then(|own| own.time),
    }
}

/// Members of an object, in order and as they are written.
#[derive(Default)]
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<Cow<'de, str>, &'de RawValue>()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests;
