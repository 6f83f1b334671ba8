//! The push request as agents send it: a protobuf message in one block of Snappy.
//!
//! The message is read in place. Layout (field numbers):
//!
//! ```text
//! request  streams = 1*
//! stream   labels = 1 (text, `{app="pay"}`)   entries = 2*
//! entry    timestamp = 1   line = 2   structured metadata = 3*
//! timestamp seconds = 1 (varint)   nanoseconds = 2 (varint)
//! pair     name = 1   value = 2
//! ```
//!
//! Unknown fields are skipped, and the last one of a singular field counts, as protobuf specifies.

use std::borrow::Cow;

use parse::text_of;
use plan::escape::escaped;
use types::Timestamp;

use super::labels::{LABEL_SET_BYTES_MAX, Labels, METADATA_BYTES_MAX, Metadata, Text, WHAT, bad, check_bytes};
use super::streams::Streams;
use ingest::protobuf::{Content, Message};
use ingest::{IngestError, Result};

/// Returns the fields of a message of the request.
fn fields(message: &[u8]) -> Message<'_> {
    Message::new(message, WHAT)
}

/// Passes all entries of `body` to `streams`.
pub(super) fn read(body: &[u8], streams: &mut Streams<'_, '_>) -> Result<()> {
    // One list is reused for the metadata of all entries.
    let (mut metadata, mut has_stream) = (Metadata::new(), false);
    for field in fields(body) {
        if let (1, Content::Bytes(stream)) = field? {
            has_stream = true;
            read_stream(stream, streams, &mut metadata)?;
        }
    }
    if has_stream { Ok(()) } else { Err(IngestError::NoStreams) }
}

fn read_stream<'b>(stream: &'b [u8], streams: &mut Streams<'_, '_>, metadata: &mut Metadata<'b>) -> Result<()> {
    let mut text = Cow::Borrowed("{}");
    for field in fields(stream) {
        if let (1, Content::Bytes(labels)) = field? {
            text = text_of(labels);
        }
    }
    check_bytes("a label set", text.len(), LABEL_SET_BYTES_MAX)?;
    let labels = label_set(&text).ok_or_else(|| {
        let shown: String = text.chars().take(200).collect();
        bad(format_args!("{shown:?} is not a label set"))
    })?;
    streams.begin(&labels)?;
    for field in fields(stream) {
        if let (2, Content::Bytes(entry)) = field? {
            read_entry(entry, streams, metadata)?;
        }
    }
    Ok(())
}

fn read_entry<'b>(entry: &'b [u8], streams: &mut Streams<'_, '_>, metadata: &mut Metadata<'b>) -> Result<()> {
    let (mut time, mut line, mut metadata_bytes) = (None, &b""[..], 0);
    metadata.clear();
    for field in fields(entry) {
        match field? {
            (1, Content::Bytes(timestamp)) => time = Some(instant(timestamp)?),
            (2, Content::Bytes(text)) => line = text,
            (3, Content::Bytes(pair)) => {
                // Its tag and length count too: pairs may be empty.
                metadata_bytes += pair.len() + 2;
                check_bytes("the metadata of an entry", metadata_bytes, METADATA_BYTES_MAX)?;
                let (name, value) = read_pair(pair)?;
                metadata.push((Text(name), Text(value)));
            }
            _ => {}
        }
    }
    streams.add(time, line, metadata)
}

fn read_pair(pair: &[u8]) -> Result<(Cow<'_, str>, Cow<'_, str>)> {
    let (mut name, mut value) = (Cow::Borrowed(""), Cow::Borrowed(""));
    for field in fields(pair) {
        match field? {
            (1, Content::Bytes(text)) => name = text_of(text),
            (2, Content::Bytes(text)) => value = text_of(text),
            _ => {}
        }
    }
    Ok((name, value))
}

/// Returns an instant, saturated to the range of nanoseconds.
fn instant(timestamp: &[u8]) -> Result<Timestamp> {
    let (mut seconds, mut nanoseconds) = (0, 0);
    for field in fields(timestamp) {
        match field? {
            // Protobuf writes negative numbers as 64 bits in two's complement.
            (1, Content::Number(number)) => seconds = number as i64,
            (2, Content::Number(number)) => nanoseconds = number as i64,
            _ => {}
        }
    }
    Ok(Timestamp(seconds.saturating_mul(Timestamp::SECOND).saturating_add(nanoseconds)))
}

/// Reads `{app="pay", env="prod"}` with values quoted as in Go.
pub(super) fn label_set(text: &str) -> Option<Labels<'_>> {
    let mut rest = text.trim().strip_prefix('{')?.trim_start();
    let mut labels = Labels::new();
    while !rest.starts_with('}') {
        let (name, after) = rest.split_once('=').filter(|(name, _)| !name.trim().is_empty())?;
        let (value, after) = quoted(after.trim_start())?;
        labels.insert(Text(Cow::Borrowed(name.trim())), Text(value));
        rest = after.trim_start();
        rest = match rest.strip_prefix(',') {
            Some(next) => next.trim_start(),
            None if rest.starts_with('}') => rest,
            None => return None,
        };
    }
    (rest == "}").then_some(labels)
}

/// Reads the quoted text at the start of `text`; returns it and the rest.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    if let Some(raw) = text.strip_prefix('`') {
        return raw.split_once('`').map(|(value, rest)| (Cow::Borrowed(value), rest));
    }
    let text = text.strip_prefix('"')?;
    let end = text.find(['"', '\\'])?;
    if text[end..].starts_with('"') {
        return Some((Cow::Borrowed(&text[..end]), &text[end + 1..]));
    }
    // Escapes may be single bytes of a character.
    let mut value = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.find(['"', '\\'])?;
        value.extend_from_slice(&rest.as_bytes()[..end]);
        if let Some(after) = rest[end..].strip_prefix('"') {
            return Some((Cow::Owned(String::from_utf8_lossy(&value).into_owned()), after));
        }
        rest = escape(&rest[end + 1..], &mut value)?;
    }
}

/// Reads an escape after its backslash; returns the rest.
fn escape<'t>(text: &'t str, value: &mut Vec<u8>) -> Option<&'t str> {
    let (meant, n_bytes) = escaped(text)?;
    match (text.as_bytes()[0], u8::try_from(meant)) {
        (b'x' | b'0'..=b'7', Ok(byte)) => value.push(byte),
        _ => value.extend_from_slice(meant.encode_utf8(&mut [0; 4]).as_bytes()),
    }
    text.get(n_bytes..)
}

#[cfg(test)]
mod tests;
