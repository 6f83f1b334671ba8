//! Lumberjack, the protocol of Beats and Logstash, versions 1 and 2.
//!
//! ```text
//! 2 W  number of events                                  a window; it is acknowledged when it is durable
//! 2 J  sequence number  length  JSON                     an event
//! 2 D  sequence number  number of pairs  (length name length value) …
//! 2 C  length  frames, compressed with zlib
//! 2 A  sequence number                                   the acknowledgement
//! ```
//!
//! Numbers are of four bytes, highest first. The group is `lumberjack/BEAT` by `@metadata.beat`, else `lumberjack`; the stream is
//! the host. `@metadata` is left out, as Logstash does. The protocol has no ids of windows: a repeated window is stored again.

use std::borrow::Cow;

use ingest::{Encoding, EventMetadata, IngestError, RawEvent, decode, lossy};
use parse::{JsonCursor, JsonError};

use crate::forward::msgpack::write_text;
use crate::sockets::sink::{Chunk, EventSink};

const GROUP: &str = "lumberjack";

/// Bytes before the sequence number or the length.
const HEAD_BYTES: usize = 2;

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    /// More bytes are needed.
    #[error("the frame ends too early")]
    Cut,
    /// It begins with other bytes.
    #[error("bytes {0:#04x} {1:#04x} begin no Lumberjack frame")]
    Unknown(u8, u8),
    /// It is too long.
    #[error("frame longer than the limit")]
    TooLarge,
}

/// A frame of a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame<'f> {
    /// The number of events until the acknowledgement.
    Window(u32),
    /// An event with its sequence number: JSON.
    Json(u32, &'f [u8]),
    /// An event with its sequence number: the number of pairs, and pairs of names and values.
    Pairs(u32, u32, &'f [u8]),
    /// Frames compressed with zlib.
    Compressed(&'f [u8]),
}

/// Takes a number off `bytes`.
fn number(bytes: &mut &[u8]) -> Result<u32, FrameError> {
    let (number, rest) = bytes.split_first_chunk().ok_or(FrameError::Cut)?;
    *bytes = rest;
    Ok(u32::from_be_bytes(*number))
}

/// Takes a length and so many bytes off `bytes`.
fn counted<'b>(bytes: &mut &'b [u8], bytes_max: usize) -> Result<&'b [u8], FrameError> {
    let n_bytes = number(bytes)? as usize;
    if n_bytes > bytes_max {
        return Err(FrameError::TooLarge);
    }
    let (counted, rest) = bytes.split_at_checked(n_bytes).ok_or(FrameError::Cut)?;
    *bytes = rest;
    Ok(counted)
}

impl<'f> Frame<'f> {
    /// Takes a frame off `bytes`. `bytes_max` limits compressed frames, `event_bytes_max` others.
    ///
    /// # Errors
    /// [`FrameError::Cut`] if more bytes are needed.
    pub(crate) fn take(bytes: &mut &'f [u8], bytes_max: usize, event_bytes_max: usize) -> Result<Self, FrameError> {
        let (head, mut rest) = bytes.split_at_checked(HEAD_BYTES).ok_or(FrameError::Cut)?;
        let frame = match head {
            [b'1' | b'2', b'W'] => Self::Window(number(&mut rest)?),
            [b'1' | b'2', b'C'] => Self::Compressed(counted(&mut rest, bytes_max)?),
            [b'1' | b'2', b'J'] => Self::Json(number(&mut rest)?, counted(&mut rest, event_bytes_max)?),
            [b'1' | b'2', b'D'] => {
                let (sequence, n_pairs, pairs) = (number(&mut rest)?, number(&mut rest)?, rest);
                for _ in 0..2 * u64::from(n_pairs) {
                    counted(&mut rest, event_bytes_max)?;
                    if pairs.len() - rest.len() > event_bytes_max {
                        return Err(FrameError::TooLarge);
                    }
                }
                Self::Pairs(sequence, n_pairs, &pairs[..pairs.len() - rest.len()])
            }
            _ => return Err(FrameError::Unknown(head[0], head[1])),
        };
        *bytes = rest;
        Ok(frame)
    }
}

/// Returns the acknowledgement of the events up to a sequence number.
pub(crate) fn acknowledgement(version: u8, sequence: u32) -> Vec<u8> {
    [&[version, b'A'][..], &sequence.to_be_bytes()].concat()
}

/// Adds the events of a frame.
pub(crate) fn add(frame: &[u8], _: u64, chunk: &Chunk, sink: &mut EventSink<'_>) -> Result<(), IngestError> {
    let bytes_max = sink.intake.limits.body_bytes_max;
    match Frame::take(&mut &*frame, usize::MAX, usize::MAX) {
        Ok(Frame::Compressed(bytes)) => match decode(bytes, Encoding::Deflate, bytes_max) {
            Ok(bytes) => add_all(&bytes, chunk, sink),
            Err(error) => {
                sink.malformed(error);
                Ok(())
            }
        },
        Ok(frame) => add_event(frame, chunk, sink),
        Err(error) => {
            sink.malformed(error);
            Ok(())
        }
    }
}

/// Adds the events of frames that were compressed.
fn add_all(mut bytes: &[u8], chunk: &Chunk, sink: &mut EventSink<'_>) -> Result<(), IngestError> {
    while !bytes.is_empty() {
        match Frame::take(&mut bytes, usize::MAX, usize::MAX) {
            Ok(frame) => add_event(frame, chunk, sink)?,
            Err(error) => {
                sink.malformed(error);
                break;
            }
        }
    }
    Ok(())
}

fn add_event(frame: Frame<'_>, chunk: &Chunk, sink: &mut EventSink<'_>) -> Result<(), IngestError> {
    let (sequence, json) = match frame {
        Frame::Json(sequence, json) => (sequence, Cow::Borrowed(json)),
        Frame::Pairs(sequence, n_pairs, pairs) => (sequence, Cow::Owned(json_of(n_pairs, pairs))),
        Frame::Window(n_events) => {
            sink.stored.window = Some(n_events);
            return Ok(());
        }
        Frame::Compressed(_) => {
            sink.malformed("a compressed frame within a compressed frame");
            return Ok(());
        }
    };
    sink.stored.n_counted += 1;
    sink.stored.sequence = sequence;
    let text = lossy(&json, sink.intake.limits.body_bytes_max)?;
    match Event::read(&text) {
        Ok(event) => {
            let place = sink.place(GROUP, &event.beat)?;
            sink.collector.set_stream(place, if event.host.is_empty() { &chunk.from } else { &event.host });
            sink.add(place, RawEvent::Record(event.record.as_bytes()), &EventMetadata::default())
        }
        Err(error) => {
            sink.malformed(error);
            Ok(())
        }
    }
}

/// Returns the JSON of pairs. The text has the name `line` in version 1.
fn json_of(n_pairs: u32, mut pairs: &[u8]) -> Vec<u8> {
    let mut json = vec![b'{'];
    for n in 0..n_pairs {
        let pair = counted(&mut pairs, usize::MAX).and_then(|name| Ok((name, counted(&mut pairs, usize::MAX)?)));
        // The frame was read to its end before.
        let Ok((name, value)) = pair else { break };
        if n > 0 {
            json.push(b',');
        }
        write_text(if name == b"line" { b"message" } else { name }, &mut json);
        json.push(b':');
        write_text(value, &mut json);
    }
    json.push(b'}');
    json
}

/// An event without its metadata.
#[derive(Default)]
struct Event<'t> {
    beat: Cow<'t, str>,
    host: Cow<'t, str>,
    record: Cow<'t, str>,
}

impl<'t> Event<'t> {
    fn read(text: &'t str) -> Result<Self, JsonError> {
        let mut json = JsonCursor::new(text);
        let mut event = Self { record: Cow::Borrowed(text), ..Self::default() };
        json.expect(b'{', "expected an object")?;
        let mut is_first = true;
        loop {
            let begin = text.len() - json.rest().len();
            if !json.has_next(is_first, b'}')? {
                return Ok(event);
            }
            let name = json.name()?;
            let value = json.clone();
            json.skip()?;
            match &*name {
                "@metadata" => {
                    event.beat = text_in(value, "beat")?;
                    // A comma before it goes with it, or the one behind it where it is the first.
                    let end = text.len() - json.rest().len();
                    let rest = &text[end..];
                    let rest = if is_first { rest.trim_start().strip_prefix(',').unwrap_or(rest) } else { rest };
                    event.record = [&text[..begin], rest].concat().into();
                }
                "host" => event.host = text_in(value, "name")?,
                "host.name" => event.host = text_in(value, "")?,
                _ => {}
            }
            is_first = false;
        }
    }
}

/// Returns a text, or the text `name` of an object; an empty one if there is none.
fn text_in<'t>(mut json: JsonCursor<'t>, name: &str) -> Result<Cow<'t, str>, JsonError> {
    match json.peek() {
        Some(b'"') => return json.string(),
        Some(b'{') => json.expect(b'{', "expected an object")?,
        _ => return Ok(Cow::Borrowed("")),
    }
    let mut is_first = true;
    while json.has_next(is_first, b'}')? {
        is_first = false;
        if json.name()? == name && json.peek() == Some(b'"') {
            return json.string();
        }
        json.skip()?;
    }
    Ok(Cow::Borrowed(""))
}

#[cfg(test)]
mod tests;
