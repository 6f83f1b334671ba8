//! GELF, the Graylog Extended Log Format: over UDP (in chunks, compressed with zlib or gzip), over TCP, and over HTTP.
//!
//! A message is read as a JSON record: `short_message` is its text, `_field` its field `field`, `timestamp` its time, `level` a
//! severity of syslog, also the field `severity`. The group is `gelf/NAME` by `_service_name`, `_service`, `_app` or
//! `_container_name`, else `gelf`; the stream is the host.
//!
//! The protocol has no acknowledgements but HTTP's.

mod chunks;

use std::borrow::Cow;

use axum::http::StatusCode;
use ingest::{Encoding, EventMetadata, IngestError, RawEvent, decode, lossy};
use parse::{Framer, Frames, JsonCursor, JsonError, ResolvedTime};
use types::{Level, Timestamp};

pub(crate) use self::chunks::GelfChunks;
use crate::sockets::sink::{Chunk, EventSink, Stored};
use door::headers::{batch_id, content_encoding, encoding};
use door::{Call, Outcome, Problem, Reply, Role, Routes};

const GROUP: &str = "gelf";

/// Fields that name a program, best first.
const PROGRAMS: [&str; 4] = ["_service_name", "_service", "_app", "_container_name"];

/// Names that a field keeps its underscore for: of the members of a record that stand for something else.
const TAKEN: [&str; 9] =
    ["_message", "_host", "_severity", "_full_message", "_level", "_time", "_timestamp", "_@timestamp", "_@message"];

/// The names of syslog's severities.
const SEVERITIES: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/// Limit on the bytes of a datagram's message after decompression, as a multiple of the longest event.
const MESSAGE_EVENTS_MAX: usize = 4;

/// Returns the route of the HTTP input.
pub(crate) fn add_routes(table: Routes<()>) -> Routes<()> {
    table.post("/gelf", Role::Ingest, post)
}

fn post(Call { server, parts, .. }: Call<()>) -> Outcome {
    // graypy says `gzip,deflate` of what zlib has compressed.
    let is_zlib = content_encoding(&parts.headers).contains("deflate");
    let encoding = if is_zlib { Encoding::Gzip } else { encoding(&parts.headers)? };
    let batch_id = batch_id(&parts.headers)?;
    let bytes_max = server.app.limits.body_bytes_max;
    let store = move |body: &[u8]| {
        let intake = &server.app.intake;
        let body = if is_zlib { unpacked(body, bytes_max)? } else { decode(body, encoding, bytes_max)? };
        let (mut framer, mut frames) = (Framer::of_objects(bytes_max), Frames::default());
        framer.feed(&body, &mut frames);
        framer.finish(&mut frames);
        let mut sink = EventSink::new(intake, server.sender(batch_id.as_deref()));
        let chunk = Chunk::new("".into(), Frames::default());
        for (frame, n_cut) in frames.iter() {
            add(frame, n_cut, &chunk, &mut sink)?;
        }
        reply(&sink.deliver(body.len() as u64, &body)?)
    };
    Ok(Reply::body(bytes_max, move |received| Ok(Reply::intake(encoding.into(), received, store))))
}

/// Answers as Graylog does, with 202; a request with an invalid message names the first, and the others are stored.
fn reply(stored: &Stored) -> Outcome {
    let Stored { answer, n_malformed, problem, n_too_old, .. } = stored;
    if n_malformed + n_too_old == 0 && answer.accepted > 0 {
        return Ok(StatusCode::ACCEPTED.into());
    }
    let n_stored = answer.accepted;
    let problem = match problem {
        Some(problem) => problem.as_str(),
        None if *n_too_old > 0 => "older than the retention of the group",
        None => "the body has no message",
    };
    let message = format!("{} invalid GELF messages, {n_stored} stored; first: {problem}", n_malformed + n_too_old);
    Err(Problem::bad_request("invalid-gelf", message))
}

/// Adds a message.
pub(crate) fn add(frame: &[u8], n_cut: u64, chunk: &Chunk, sink: &mut EventSink<'_>) -> Result<(), IngestError> {
    let bytes_max = sink.intake.limits.event_bytes_max.saturating_mul(MESSAGE_EVENTS_MAX);
    let text = unpacked(frame, bytes_max).and_then(|bytes| Ok(lossy(&bytes, bytes_max)?.into_owned()));
    let message = text.as_ref().map_err(ToString::to_string).and_then(|text| {
        if n_cut > 0 {
            return Err(format!("message longer than {bytes_max} bytes"));
        }
        Message::read(text).map_err(|error| error.to_string())
    });
    let message = match message {
        Ok(message) => message,
        Err(problem) => {
            sink.malformed(problem);
            return Ok(());
        }
    };
    let place = sink.place(GROUP, &message.program)?;
    sink.collector.set_stream(place, if message.host.is_empty() { &chunk.from } else { &message.host });
    let time = match message.time.map(|raw| time_of(raw, sink)) {
        Some(None) => {
            sink.malformed("timestamp is not a number of seconds");
            return Ok(());
        }
        time => time.flatten(),
    };
    let metadata =
        EventMetadata { time, level: message.severity.and_then(Level::of_syslog), ..EventMetadata::default() };
    sink.add(place, RawEvent::Record(message.record.as_bytes()), &metadata)
}

/// Returns the JSON of a datagram, which may be compressed.
fn unpacked(frame: &[u8], bytes_max: usize) -> Result<Cow<'_, [u8]>, IngestError> {
    match frame {
        [0x1f, 0x8b, ..] => decode(frame, Encoding::Gzip, bytes_max),
        [method, flags, ..] if method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0 => {
            decode(frame, Encoding::Deflate, bytes_max)
        }
        _ => Ok(Cow::Borrowed(frame)),
    }
}

fn time_of(raw: &str, sink: &EventSink<'_>) -> Option<Timestamp> {
    let (text, received) = (raw.trim_matches('"'), sink.intake.received(sink.sender.now));
    // Some programs write decimals as 1.7E9.
    let plain = text.contains(['e', 'E']).then(|| text.parse::<f64>().ok()).flatten();
    match plain
        .map_or_else(|| parse::parse_time(text, &received), |n| parse::parse_time(&format!("{n:.6}"), &received))?
    {
        ResolvedTime::At(time) => Some(time),
        ResolvedTime::OutOfRange => None,
    }
}

/// A message as a JSON record.
#[derive(Default)]
struct Message<'t> {
    host: Cow<'t, str>,
    program: Cow<'t, str>,
    /// The JSON of the value.
    time: Option<&'t str>,
    severity: Option<u8>,
    record: String,
}

impl<'t> Message<'t> {
    fn read(text: &'t str) -> Result<Self, JsonError> {
        let mut json = JsonCursor::new(text);
        let mut message = Self { record: String::with_capacity(text.len() + 32), ..Self::default() };
        let (mut short, mut full, mut program_rank) = (None, None, PROGRAMS.len());
        json.expect(b'{', "expected an object")?;
        let mut is_first = true;
        while json.has_next(is_first, b'}')? {
            is_first = false;
            let name = json.name()?;
            let mut value = json.clone();
            let raw = json.skip()?;
            let mut string = || if raw.starts_with('"') { value.string() } else { Ok(Cow::Borrowed("")) };
            match &*name {
                "version" => {}
                "short_message" => short = Some(raw),
                "full_message" => full = Some(raw),
                "timestamp" => message.time = Some(raw).filter(|raw| !matches!(*raw, "null" | "\"\"")),
                "level" => {
                    message.severity = raw.trim_matches('"').parse().ok().filter(|n| *n < 8);
                    match message.severity {
                        Some(severity) => {
                            message.member("severity", &format!("\"{}\"", SEVERITIES[usize::from(severity)]));
                        }
                        None => message.member("level", raw),
                    }
                }
                "host" => {
                    message.host = string()?;
                    message.member("host", raw);
                }
                name => {
                    if let Some(rank) = PROGRAMS.iter().position(|known| *known == name).filter(|n| *n < program_rank) {
                        (message.program, program_rank) = (string()?, rank);
                    }
                    let is_own = !TAKEN.contains(&name);
                    message
                        .member(name.strip_prefix('_').filter(|rest| is_own && !rest.is_empty()).unwrap_or(name), raw);
                }
            }
        }
        if json.peek().is_some() {
            return Err(json.error("expected the end of the message"));
        }
        let (text, rest) = match short {
            Some(short) => (short, full.filter(|full| *full != short)),
            None => (full.ok_or_else(|| json.error("a message without short_message"))?, None),
        };
        message.member("message", text);
        rest.into_iter().for_each(|full| message.member("full_message", full));
        message.record.push('}');
        Ok(message)
    }

    /// Adds a member to the record.
    fn member(&mut self, name: &str, raw: &str) {
        self.record.push(if self.record.is_empty() { '{' } else { ',' });
        self.record.push_str(&serde_json::Value::from(name).to_string());
        self.record.push(':');
        self.record.push_str(raw);
    }
}

#[cfg(test)]
mod tests;
