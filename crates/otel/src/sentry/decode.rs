//! Sentry's envelopes: a header, then items of a header and a payload each.
//!
//! ```text
//! envelope  header NEWLINE item*      header: a JSON object; event_id
//! item      header NEWLINE payload    header: a JSON object; type, length: without one the payload ends with its line
//! log       items: timestamp (seconds)   level   body   trace_id   span_id   attributes: NAME: value, type
//! event     an error or a message, see `event`
//! ```
//!
//! Items of other types are counted by type and not stored. The group is that of the project; the stream is the host. An
//! invalid event is rejected by its number in the envelope, and the others are stored; an envelope that cannot be taken
//! apart is refused whole.

mod entry;
mod event;
mod trace;

use std::collections::BTreeMap;

use ingest::{
    Collector, Encoding, EventFields, EventMetadata, FieldWriter, IngestAnswer, IngestError, Intake, RawEvent, Sender,
    decode, lossy,
};
use serde_json::{Map, Value};
use types::GroupName;

use self::entry::Entry;
use crate::bodies::{Members, Rejections, elements, members, write_texts};

/// Fields of an event in addition to its members.
const OWN_FIELDS_MAX: usize = 5;

/// Longest header in bytes: a parsed one needs dozens of times the memory of its text.
const HEADER_BYTES_MAX: usize = 64 << 10;

/// Types of items that one answer names; items of further types are counted together.
const TYPES_MAX: usize = 20;

/// The result of an envelope. Accepted events are durable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvelopeAnswer {
    /// The id of the event in the envelope.
    pub id: Option<String>,
    /// What was stored; the line of a rejected event is its number in the envelope, from 1.
    pub stored: IngestAnswer,
    /// The number of items that are not stored, by type, and of large members of events that are left out.
    pub ignored: BTreeMap<String, u64>,
}

/// Stores the events of an envelope and returns when they are durable. Blocks.
pub fn ingest_envelope(
    intake: &Intake,
    (body, encoding): (&[u8], Encoding),
    group: &GroupName,
    sender: &Sender<'_>,
) -> Result<EnvelopeAnswer, IngestError> {
    let bytes_max = intake.limits.body_bytes_max;
    let body = decode(body, encoding, bytes_max)?;
    let mut collector = intake.collect(sender);
    let place = collector.group(group)?;
    let (header, mut rest) = header(&body)?;
    let id = header.get("event_id").and_then(Value::as_str).map(str::to_owned);
    let mut envelope = Envelope {
        collector: &mut collector,
        place,
        ignored: BTreeMap::new(),
        rejections: Rejections::default(),
        members: Members::default(),
        n_events: 0,
    };
    while !rest.trim_ascii_start().is_empty() {
        let (kind, payload, after) = item(rest.trim_ascii_start())?;
        rest = after;
        match kind.as_str() {
            "log" => envelope.logs(&lossy(payload, bytes_max)?)?,
            "event" => envelope.event(&lossy(payload, bytes_max)?)?,
            _ => envelope.ignore(kind),
        }
    }
    let Envelope { ignored, rejections, .. } = envelope;
    let stored = rejections.accept(intake, collector, (&format!("sentry {group}"), &body), sender)?;
    Ok(EnvelopeAnswer { id, stored, ignored })
}

fn bad(problem: impl std::fmt::Display) -> IngestError {
    IngestError::BadBody { what: "envelope of Sentry", problem: problem.to_string() }
}

/// Returns the header that bytes begin with, and what follows its line.
fn header(bytes: &[u8]) -> Result<(Map<String, Value>, &[u8]), IngestError> {
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    if end > HEADER_BYTES_MAX {
        return Err(bad(format!("a header has more than {HEADER_BYTES_MAX} bytes")));
    }
    let header = serde_json::from_slice(&bytes[..end]).map_err(|error| bad(format!("header: {error}")))?;
    Ok((header, bytes.get(end + 1..).unwrap_or_default()))
}

/// Returns the type and the payload of the item that bytes begin with, and what follows it.
fn item(bytes: &[u8]) -> Result<(String, &[u8], &[u8]), IngestError> {
    let (header, rest) = header(bytes)?;
    let Some(Value::String(kind)) = header.get("type") else { return Err(bad("an item has no type")) };
    let n_bytes = match header.get("length") {
        None | Some(Value::Null) => memchr::memchr(b'\n', rest).unwrap_or(rest.len()),
        Some(length) => {
            let n_bytes = length.as_u64().and_then(|n_bytes| usize::try_from(n_bytes).ok());
            let whole = n_bytes.filter(|n_bytes| matches!(rest.get(*n_bytes..), Some([] | [b'\n', ..])));
            whole.ok_or_else(|| bad(format!("an item of type {kind:?} does not end after {length} bytes")))?
        }
    };
    let (payload, after) = rest.split_at(n_bytes);
    Ok((kind.clone(), payload, after))
}

/// Passes the events of an envelope to the collector.
struct Envelope<'c, 's> {
    collector: &'c mut Collector<'s>,
    place: usize,
    ignored: BTreeMap<String, u64>,
    rejections: Rejections,
    members: Members,
    n_events: usize,
}

impl Envelope<'_, '_> {
    /// Counts something that is not stored.
    fn ignore(&mut self, kind: String) {
        let is_known = self.ignored.len() < TYPES_MAX || self.ignored.contains_key(&kind);
        *self.ignored.entry(if is_known { kind } else { "others".to_owned() }).or_default() += 1;
    }

    /// Adds the logs of an item.
    fn logs(&mut self, payload: &str) -> Result<(), IngestError> {
        let mut items = None;
        for member in members(payload) {
            let (name, value) = member.map_err(bad)?;
            items = if name == "items" { Some(value) } else { items };
        }
        let items = items.ok_or_else(|| bad("logs have no items"))?;
        let received = *self.collector.received();
        for one in elements(items) {
            self.n_events += 1;
            let entry = Entry::of_log(one.map_err(bad)?, &mut self.members, &received);
            self.add(entry.map_err(|error| error.to_string()))?;
        }
        Ok(())
    }

    /// Adds an error or a message.
    fn event(&mut self, payload: &str) -> Result<(), IngestError> {
        self.n_events += 1;
        let received = *self.collector.received();
        let n_max = received.limits.event_bytes_max;
        // A parsed event needs dozens of times the memory of its text.
        if payload.len() > n_max {
            let n_bytes = payload.len();
            return self
                .add(Err(format!("has {n_bytes} bytes; an event has at most {n_max} (limits.max_event_bytes)")));
        }
        let event: Map<String, Value> = match serde_json::from_str(payload) {
            Ok(event) => event,
            Err(error) => return self.add(Err(error.to_string())),
        };
        for name in event::LEFT_OUT.iter().filter(|name| event.contains_key(**name)) {
            self.ignore(format!("event.{name}"));
        }
        let entry = event::entry(&event, &mut self.members, &received);
        self.add(entry.map_err(|error| error.to_string()))
    }

    /// Adds what was read, or rejects it.
    fn add(&mut self, read: Result<Entry<'_>, String>) -> Result<(), IngestError> {
        let entry = match read {
            Ok(entry) => entry,
            Err(reason) => {
                self.rejections.reject(self.n_events, &reason);
                return Ok(());
            }
        };
        let others = &self.members;
        let write = |fields: &mut FieldWriter<'_>| {
            let (kind, message) = entry.exception.unwrap_or_default();
            write_texts([("host", &*entry.host), ("exception.type", kind), ("exception.message", message)], fields);
            fields.begin_layer();
            for (name, id) in [("trace_id", &entry.trace_id), ("span_id", &entry.span_id)] {
                if id.bytes().any(|digit| digit != b'0') {
                    fields.text(name, &id.to_ascii_lowercase());
                }
            }
            others.write(fields);
            fields.join_own();
        };
        let fields = EventFields::Writer { n_max: others.n_fields() + OWN_FIELDS_MAX, write: &write };
        let metadata = EventMetadata { time: entry.time, level: entry.level, fields, ..EventMetadata::default() };
        self.collector.set_stream(self.place, &entry.host);
        let added = self.collector.add(self.place, RawEvent::Text(entry.text.as_bytes()), &metadata)?;
        self.rejections.note(self.n_events, added);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
