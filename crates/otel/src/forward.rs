//! The forward protocol of Fluentd and Fluent Bit: messages in MessagePack over TCP.
//!
//! ```text
//! [tag, time, record, options]                  one event; fluent-logger
//! [tag, [[time, record], …], options]           Forward
//! [tag, bytes of [time, record] …, options]     PackedForward; compressed as the option `compressed` says
//! ```
//!
//! A time is a number of seconds or an EventTime, or `[time, metadata]` as Fluent Bit writes it. The group is `forward/TAG`, the
//! stream the address of the sender. A message with the option `chunk` is acknowledged when it is durable, and stored once if it
//! is repeated.

pub(crate) mod msgpack;

use std::borrow::Cow;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use ingest::{Encoding, EventFields, EventMetadata, FieldWriter, IngestError, RawEvent, decode};
use parse::{ObjectReader, ResolvedTime};
use types::{Timestamp, Value};
use xxhash_rust::xxh3::xxh3_128;

use self::msgpack::{
    Head, MsgpackError, event_time, take_bytes, take_head, take_value, write_json, write_name, write_text,
};
use crate::sockets::sink::{Chunk, EventSink};

const GROUP: &str = "forward";

/// Seconds since the epoch from which on a number counts a smaller unit.
const SECONDS_END: u64 = 100_000_000_000;

/// Members of a record that are its text. Only without one of them it is `log`, the line of a container or a file.
const TEXTS: [&[u8]; 4] = [b"message", b"msg", b"@message", b"MESSAGE"];

/// A message.
struct Message<'m> {
    tag: Cow<'m, str>,
    entries: Entries<'m>,
    /// The value of the option `chunk` as it was sent.
    chunk: Option<&'m [u8]>,
    /// How packed entries are compressed; none if the method is unknown.
    encoding: Option<Encoding>,
}

/// The entries of a message.
enum Entries<'m> {
    /// The time and record of one.
    One(&'m [u8], &'m [u8]),
    /// So many, one after the other.
    List(usize, &'m [u8]),
    /// Any number, one after the other, perhaps compressed.
    Packed(&'m [u8]),
}

/// The acknowledgement that a message asks for.
pub(crate) struct Acknowledgement {
    /// Its bytes.
    pub(crate) answer: Vec<u8>,
    /// The id of the message, which repeated messages share.
    pub(crate) batch_id: Arc<str>,
    /// How the message is compressed.
    pub(crate) encoding: Encoding,
}

impl<'m> Message<'m> {
    /// Reads a message without its entries; `None` for the nil of a heartbeat.
    fn read(mut bytes: &'m [u8]) -> Result<Option<Self>, MsgpackError> {
        let n_values = match take_head(&mut bytes)? {
            Head::Nil => return Ok(None),
            Head::Array(n_values @ 2..) => n_values,
            _ => return Err(MsgpackError::Expected("an array of tag and entries")),
        };
        let tag = String::from_utf8_lossy(take_bytes(&mut bytes, "a tag")?);
        let second = take_value(&mut bytes)?;
        let (head, inner) = Head::read(second)?;
        let is_list = |inner| matches!(Head::read(inner), Err(MsgpackError::Cut) | Ok((Head::Array(_), _)));
        let (entries, n_read) = match head {
            Head::Text(_) | Head::Bytes(_) => (Entries::Packed(inner), 2),
            Head::Array(n_entries) if is_list(inner) => (Entries::List(n_entries, inner), 2),
            _ if n_values > 2 => (Entries::One(second, take_value(&mut bytes)?), 3),
            _ => return Err(MsgpackError::Expected("a record")),
        };
        let mut message = Self { tag, entries, chunk: None, encoding: Some(Encoding::Identity) };
        if n_values > n_read {
            message.read_options(bytes)?;
        }
        Ok(Some(message))
    }

    fn read_options(&mut self, mut bytes: &'m [u8]) -> Result<(), MsgpackError> {
        let n_options = match take_head(&mut bytes)? {
            Head::Nil => return Ok(()),
            Head::Map(n_options) => n_options,
            _ => return Err(MsgpackError::Expected("options")),
        };
        for _ in 0..n_options {
            let (name, value) = (take_value(&mut bytes)?, take_value(&mut bytes)?);
            let name = take_bytes(&mut &*name, "the name of an option").unwrap_or_default();
            match name {
                b"chunk" if value != [0xc0] => self.chunk = Some(value),
                b"compressed" if value != [0xc0] => {
                    let method = take_bytes(&mut &*value, "the name of a compression")?;
                    self.encoding = str::from_utf8(method).ok().and_then(Encoding::named);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Returns the acknowledgement that a message asks for, if it does.
pub(crate) fn acknowledgement(frame: &[u8]) -> Option<Acknowledgement> {
    let message = Message::read(frame).ok()??;
    let chunk = message.chunk?;
    let answer = [b"\x81\xa3ack", chunk].concat();
    // Some clients number their chunks from 1 in each process.
    let batch_id = format!("{} {:032x}", HEXLOWER.encode(chunk), xxh3_128(frame)).into();
    Some(Acknowledgement { answer, batch_id, encoding: message.encoding.unwrap_or_default() })
}

/// Adds the events of a message.
pub(crate) fn add(frame: &[u8], _: u64, chunk: &Chunk, sink: &mut EventSink<'_>) -> Result<(), IngestError> {
    let message = match Message::read(frame) {
        Ok(Some(message)) => message,
        Ok(None) => return Ok(()),
        Err(error) => {
            sink.malformed(error);
            return Ok(());
        }
    };
    let place = sink.place(GROUP, &message.tag)?;
    sink.collector.set_stream(place, &chunk.from);
    let mut target = Target { place, tag: &message.tag, record: Record::default(), members: ObjectReader::default() };
    let (mut bytes, n_entries) = match message.entries {
        Entries::One(time, record) => return target.add(time, record, sink),
        Entries::List(n_entries, bytes) => (Cow::Borrowed(bytes), n_entries),
        Entries::Packed(bytes) => {
            let bytes_max = sink.intake.limits.body_bytes_max;
            let unpacked = message.encoding.map(|encoding| decode(bytes, encoding, bytes_max));
            match unpacked {
                Some(Ok(bytes)) => (bytes, usize::MAX),
                Some(Err(error)) => {
                    sink.malformed(error);
                    return Ok(());
                }
                None => {
                    sink.malformed("compressed with a method other than gzip and zstd");
                    return Ok(());
                }
            }
        }
    };
    let mut rest = &bytes.to_mut()[..];
    for _ in 0..n_entries {
        if rest.is_empty() {
            break;
        }
        match take_value(&mut rest).and_then(|entry| Ok((entry, two_of(entry)?))) {
            Ok((_, (time, record))) => target.add(time, record, sink)?,
            Err(error) => {
                sink.malformed(error);
                // After a value without an end there is no next one.
                if error != MsgpackError::Expected(ENTRY) {
                    break;
                }
            }
        }
    }
    Ok(())
}

const ENTRY: &str = "an entry of time and record";

/// Returns the two values of an entry.
fn two_of(mut entry: &[u8]) -> Result<(&[u8], &[u8]), MsgpackError> {
    match take_head(&mut entry)? {
        Head::Array(2..) => Ok((take_value(&mut entry)?, take_value(&mut entry)?)),
        _ => Err(MsgpackError::Expected(ENTRY)),
    }
}

/// Where the events of a message go.
struct Target<'t> {
    place: usize,
    tag: &'t str,
    record: Record,
    members: ObjectReader,
}

/// A record as JSON.
#[derive(Default)]
struct Record {
    json: Vec<u8>,
    /// The line that a container or a file had, if that is the record's text.
    log: Option<Vec<u8>>,
}

impl Target<'_> {
    fn add(&mut self, time: &[u8], record: &[u8], sink: &mut EventSink<'_>) -> Result<(), IngestError> {
        let limits = &sink.intake.limits;
        let read = time_of(time, sink).and_then(|(time, metadata)| {
            self.record.read(metadata, record, limits.body_bytes_max)?;
            Ok(time)
        });
        let time = match read {
            Ok(time) => time,
            Err(error) => {
                sink.malformed(error);
                return Ok(());
            }
        };
        let Self { place, tag, record, members } = self;
        let json = str::from_utf8(&record.json).unwrap_or("{}");
        let Some(log) = &record.log else {
            let fields = [("tag".into(), Value::String((*tag).into()))];
            let metadata =
                EventMetadata { time: Some(time), fields: EventFields::Values(&fields), ..EventMetadata::default() };
            return sink.add(*place, RawEvent::Record(json.as_bytes()), &metadata);
        };
        if let Err(error) = members.read_first(json, limits) {
            sink.malformed(error);
            return Ok(());
        }
        let write = |writer: &mut FieldWriter<'_>| {
            writer.text("tag", tag);
            writer.begin_layer();
            members.write(json, writer);
            writer.join_own();
        };
        let fields = EventFields::Writer { n_max: members.n_fields() + 1, write: &write };
        let metadata = EventMetadata { time: Some(time), fields, ..EventMetadata::default() };
        sink.add(*place, RawEvent::Text(log), &metadata)
    }
}

impl Record {
    /// Reads a record, with the metadata of its event as the member `metadata`. A value that is no map is the member `message`.
    fn read(&mut self, metadata: Option<&[u8]>, mut record: &[u8], bytes_max: usize) -> Result<(), MsgpackError> {
        let mut json = std::mem::take(&mut self.json);
        json.clear();
        json.push(b'{');
        let begin_member = |json: &mut Vec<u8>| {
            if json.len() > 1 {
                json.push(b',');
            }
        };
        if let Some(mut metadata) = metadata.filter(|metadata| *metadata != [0x80]) {
            json.extend_from_slice(b"\"metadata\":");
            write_json(&mut metadata, &mut json, bytes_max)?;
        }
        let (mut log, mut has_text) = (None, false);
        match Head::read(record)? {
            (Head::Map(n_members), mut rest) => {
                for _ in 0..n_members {
                    let (name, value) = (take_value(&mut rest)?, take_value(&mut rest)?);
                    let text = take_bytes(&mut &*name, "a name").unwrap_or_default();
                    if text == b"log" && matches!(Head::read(value)?.0, Head::Text(_) | Head::Bytes(_)) {
                        log = Some(value);
                        continue;
                    }
                    has_text |= TEXTS.contains(&text);
                    begin_member(&mut json);
                    write_name(&mut &*name, &mut json, bytes_max)?;
                    json.push(b':');
                    write_json(&mut &*value, &mut json, bytes_max)?;
                }
            }
            (Head::Text(_) | Head::Bytes(_), _) => log = Some(record),
            _ => {
                let mut text = Vec::new();
                write_json(&mut record, &mut text, bytes_max)?;
                begin_member(&mut json);
                json.extend_from_slice(b"\"message\":");
                write_text(&text, &mut json);
            }
        }
        self.log = None;
        if let Some(mut value) = log {
            if has_text {
                begin_member(&mut json);
                json.extend_from_slice(b"\"log\":");
                write_json(&mut value, &mut json, bytes_max)?;
            } else {
                self.log = Some(take_bytes(&mut value, "a text")?.trim_ascii_end().to_vec());
            }
        }
        json.push(b'}');
        self.json = json;
        Ok(())
    }
}

/// Returns a time, and the metadata beside it.
fn time_of<'t>(mut bytes: &'t [u8], sink: &EventSink<'_>) -> Result<(Timestamp, Option<&'t [u8]>), MsgpackError> {
    let wrong = MsgpackError::Expected("a time");
    let time = match take_head(&mut bytes)? {
        Head::Unsigned(seconds) if seconds < SECONDS_END => Timestamp(seconds as i64 * Timestamp::SECOND),
        Head::Extension(kind, _) => {
            let (seconds, nanos) = event_time(kind, bytes).ok_or(wrong)?;
            Timestamp(i64::from(seconds) * Timestamp::SECOND + i64::from(nanos))
        }
        Head::Array(n_values @ 1..) => {
            let (time, _) = time_of(take_value(&mut bytes)?, sink).map_err(|_| wrong)?;
            return Ok((time, if n_values > 1 { Some(take_value(&mut bytes)?) } else { None }));
        }
        head => {
            let text = match head {
                Head::Unsigned(number) => number.to_string(),
                Head::Float32(number) => number.to_string(),
                Head::Float64(number) => number.to_string(),
                _ => return Err(wrong),
            };
            match parse::parse_time(&text, &sink.intake.received(sink.sender.now)) {
                Some(ResolvedTime::At(time)) => time,
                _ => return Err(wrong),
            }
        }
    };
    Ok((time, None))
}

#[cfg(test)]
mod tests;
