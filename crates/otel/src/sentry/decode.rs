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

mod event;
mod trace;

use std::borrow::Cow;
use std::collections::BTreeMap;

use ingest::{
    Collector, Encoding, EventFields, EventMetadata, FieldWriter, IngestAnswer, IngestError, Intake, RawEvent, Sender,
    decode, lossy,
};
use parse::{ArrivalContext, JsonCursor, JsonError};
use serde_json::{Map, Value};
use types::{GroupName, Level, Timestamp};

use crate::bodies::{Members, accept, text_of_json, time_of};

/// Fields of an event in addition to its members.
const OWN_FIELDS_MAX: usize = 8;

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

/// A log or an event, apart from its members.
#[derive(Default)]
struct Entry<'a> {
    text: Cow<'a, str>,
    time: Option<Timestamp>,
    level: Option<Level>,
    host: Cow<'a, str>,
    trace_id: Cow<'a, str>,
    span_id: Cow<'a, str>,
    /// Type and message of the exception.
    exception: Option<(&'a str, &'a str)>,
}

/// Stores the events of an envelope and returns when they are durable. Blocks.
pub fn ingest_envelope(
    intake: &Intake,
    (body, encoding): (&[u8], Encoding),
    group: &GroupName,
    sender: &Sender<'_>,
) -> Result<EnvelopeAnswer, IngestError> {
    let body = decode(body, encoding, intake.limits.body_bytes_max)?;
    let mut collector = intake.collect(sender);
    let place = collector.group(group)?;
    let (header, mut rest) = header(&body)?;
    let id = header.get("event_id").and_then(Value::as_str).map(str::to_owned);
    let answer = EnvelopeAnswer { id, ..EnvelopeAnswer::default() };
    let mut envelope = Envelope { collector: &mut collector, place, answer, members: Members::default(), n_events: 0 };
    while !rest.trim_ascii_start().is_empty() {
        let (kind, payload, after) = item(rest.trim_ascii_start())?;
        rest = after;
        match kind.as_str() {
            "log" => envelope.logs(&lossy(payload, intake.limits.body_bytes_max)?)?,
            "event" => envelope.event(&lossy(payload, intake.limits.body_bytes_max)?)?,
            _ => envelope.ignore(kind),
        }
    }
    let mut answer = envelope.answer;
    answer.stored = accept(intake, collector, (&format!("sentry {group}"), &body), sender, answer.stored)?;
    Ok(answer)
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
    answer: EnvelopeAnswer,
    members: Members,
    n_events: usize,
}

impl Envelope<'_, '_> {
    /// Counts something that is not stored.
    fn ignore(&mut self, kind: String) {
        let ignored = &mut self.answer.ignored;
        let is_known = ignored.len() < TYPES_MAX || ignored.contains_key(&kind);
        *ignored.entry(if is_known { kind } else { "others".to_owned() }).or_default() += 1;
    }

    /// Adds the logs of an item.
    fn logs(&mut self, payload: &str) -> Result<(), IngestError> {
        let mut json = JsonCursor::new(payload);
        json.expect(b'{', "expected an object").map_err(bad)?;
        let (mut is_first, mut has_items) = (true, false);
        while json.has_next(is_first, b'}').map_err(bad)? {
            is_first = false;
            if json.name().map_err(bad)? != "items" {
                json.skip().map_err(bad)?;
                continue;
            }
            has_items = true;
            json.expect(b'[', "expected a list of logs").map_err(bad)?;
            let n_before = self.n_events;
            while json.has_next(self.n_events == n_before, b']').map_err(bad)? {
                self.n_events += 1;
                let one = json.skip().map_err(bad)?;
                let received = *self.collector.received();
                match Entry::of_log(one, &mut self.members, &received) {
                    Ok(entry) => self.add(&entry)?,
                    Err(error) => self.answer.stored.reject(self.n_events, &error),
                }
            }
        }
        if has_items { Ok(()) } else { Err(bad("logs have no items")) }
    }

    /// Adds an error or a message.
    fn event(&mut self, payload: &str) -> Result<(), IngestError> {
        self.n_events += 1;
        let received = *self.collector.received();
        let n_max = received.limits.event_bytes_max;
        // A parsed event needs dozens of times the memory of its text.
        let read = if payload.len() > n_max {
            Err(format!("has {} bytes; an event has at most {n_max} (limits.max_event_bytes)", payload.len()))
        } else {
            serde_json::from_str::<Map<String, Value>>(payload).map_err(|error| error.to_string())
        };
        let event = match read {
            Ok(event) => event,
            Err(reason) => {
                self.answer.stored.reject(self.n_events, &reason);
                return Ok(());
            }
        };
        for name in event::LEFT_OUT.iter().filter(|name| event.contains_key(**name)) {
            self.ignore(format!("event.{name}"));
        }
        match event::entry(&event, &mut self.members, &received) {
            Ok(entry) => self.add(&entry),
            Err(error) => {
                self.answer.stored.reject(self.n_events, &error);
                Ok(())
            }
        }
    }

    fn add(&mut self, entry: &Entry<'_>) -> Result<(), IngestError> {
        let members = &self.members;
        let write = |fields: &mut FieldWriter<'_>| {
            let (kind, message) = entry.exception.unwrap_or_default();
            for (name, text) in [("host", &*entry.host), ("exception.type", kind), ("exception.message", message)] {
                if !text.is_empty() {
                    fields.text(name, text);
                }
            }
            fields.begin_layer();
            for (name, id) in [("trace_id", &entry.trace_id), ("span_id", &entry.span_id)] {
                if id.bytes().any(|digit| digit != b'0') {
                    fields.text(name, &id.to_ascii_lowercase());
                }
            }
            members.write(fields);
            fields.join_own();
        };
        let fields = EventFields::Writer { n_max: members.n_fields() + OWN_FIELDS_MAX, write: &write };
        let metadata = EventMetadata { time: entry.time, level: entry.level, fields, ..EventMetadata::default() };
        self.collector.set_stream(self.place, &entry.host);
        let added = self.collector.add(self.place, RawEvent::Text(entry.text.as_bytes()), &metadata)?;
        if let Err(refused) = added {
            self.answer.stored.reject(self.n_events, &refused);
        }
        Ok(())
    }
}

impl<'a> Entry<'a> {
    /// Reads a log, and its attributes and other members into `members`.
    fn of_log(json: &'a str, members: &mut Members, received: &ArrivalContext<'_>) -> Result<Self, JsonError> {
        let (mut log, mut json) = (Self::default(), JsonCursor::new(json));
        members.begin();
        json.expect(b'{', "expected an object")?;
        let mut is_first = true;
        while json.has_next(is_first, b'}')? {
            is_first = false;
            let name = json.name()?;
            if name == "attributes" && json.peek() == Some(b'{') {
                log.read_attributes(&mut json, members)?;
                continue;
            }
            let value = json.skip()?;
            match &*name {
                _ if value == "null" => {}
                "body" => log.text = text_of_json(value)?,
                "trace_id" => log.trace_id = text_of_json(value)?,
                "span_id" => log.span_id = text_of_json(value)?,
                "level" => {
                    log.level = Level::parse(&text_of_json(value)?);
                    members.push(&name, value);
                }
                "timestamp" => {
                    let (time, is_read) = time_of(&text_of_json(value)?, received);
                    log.time = time;
                    if !is_read {
                        members.push(&name, value);
                    }
                }
                _ => members.push(&name, value),
            }
        }
        members.end(received.limits)?;
        Ok(log)
    }

    /// Reads attributes, objects with a `value` each.
    fn read_attributes(&mut self, json: &mut JsonCursor<'a>, members: &mut Members) -> Result<(), JsonError> {
        json.expect(b'{', "expected an object")?;
        let mut is_first = true;
        while json.has_next(is_first, b'}')? {
            is_first = false;
            let name = json.name()?;
            let mut value = json.skip()?;
            if value.starts_with('{') {
                let mut attribute = JsonCursor::new(&value[1..]);
                let mut is_first_member = true;
                while attribute.has_next(is_first_member, b'}')? {
                    is_first_member = false;
                    let (member, inner) = (attribute.name()?, attribute.skip()?);
                    if member == "value" {
                        value = inner;
                    }
                }
            }
            match &*name {
                // The machine, as SDKs call it.
                "server.address" if self.host.is_empty() => self.host = text_of_json(value)?,
                "sentry.trace.parent_span_id" if self.span_id.is_empty() => self.span_id = text_of_json(value)?,
                _ => members.push(&name, value),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
