//! The shipper's form: one header line of JSON, then bytes of a file as read.
//!
//! The position in the header says which bytes of which file they are. Only bytes that the store does not have
//! yet become events, so that the same bytes may come again, and cut differently.

mod samples;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use parse::{Utf16, Zone};
use serde::Deserialize;
use storage::{AppendError, Delivery, Receipt, SourcePosition};
use types::{GroupName, Timestamp, Value, group_name_of_outside};

use self::samples::SampleNotes;
use crate::line_context::LineContext;
use crate::sources::{ContentHash, Heard, RefusedCount};
use crate::{
    Collector, EventFields, EventMetadata, IngestAnswer, IngestError, Intake, RawEvent, RecordRefusal, Result, Sender,
};

/// Tries when others deliver bytes of the same file at the same time; each failure means that some were stored.
const ATTEMPTS_MAX: usize = 16;

/// Longest name of a source or file in bytes.
const NAME_BYTES_MAX: usize = 4096;

/// The header line. Keys unknown to this version are ignored: a newer shipper may say more.
#[derive(Debug, Deserialize)]
struct Header {
    source: String,
    file: String,
    generation: u64,
    start: u64,
    /// Where the shipper began with the generation.
    #[serde(default)]
    begin: u64,
    /// Bytes of each event, line end included; without it each line is an event.
    lengths: Option<Vec<u64>>,
    /// Messages of a queue instead of lines of a file; `start` is an offset of the queue then.
    messages: Option<Vec<Message>>,
    #[serde(default)]
    host: String,
    #[serde(default)]
    path: String,
    zone: Option<String>,
    /// The format of a program that all lines have; one that is not known here counts for nothing.
    format: Option<String>,
    /// How the bytes are to be read; without it they are UTF-8.
    encoding: Option<String>,
    /// When the file was last written, in nanoseconds since the epoch, while catching up.
    modified: Option<i64>,
    /// Which content the file has up to the end of the bytes.
    content: Option<ContentHash>,
    /// Whether the lines are samples.
    #[serde(default)]
    samples: bool,
    /// Whether the lines are records of JSON.
    #[serde(default)]
    records: bool,
    /// Whether they are of an archive, which no shipper follows: the ledger does not know it.
    #[serde(default)]
    archive: bool,
    #[serde(default)]
    fields: BTreeMap<String, serde_json::Value>,
    group: Option<String>,
    stream: Option<String>,
}

/// A message of a queue, whose bytes follow those of the message before. Each is one event and counts as one line.
#[derive(Debug, Deserialize)]
struct Message {
    /// Its place in the queue; those in front of it that are not here are none.
    offset: u64,
    bytes: u64,
    /// When it was written, in nanoseconds since the epoch: the time of an event that says none itself.
    time: Option<i64>,
    #[serde(default)]
    fields: BTreeMap<String, serde_json::Value>,
}

/// A body taken apart.
struct Piece<'a> {
    header: Header,
    bytes: &'a [u8],
    encoding: Option<Utf16>,
    position: SourcePosition,
    group: GroupName,
    stream: String,
    fields: Vec<(Arc<str>, Value)>,
}

pub(crate) fn ingest(
    intake: &Intake,
    body: &[u8],
    group: &GroupName,
    stream: &str,
    sender: &Sender<'_>,
) -> Result<IngestAnswer> {
    let piece = take_apart(body, group, stream)?;
    let mut answer = IngestAnswer::default();
    let mut high_water = None;
    let (mut n_new, mut refused) = (0, RefusedCount::default());
    for _ in 0..ATTEMPTS_MAX {
        let gaps = intake.store.missing(&piece.position);
        let Some(gap) = gaps.into_iter().find(|gap| !gap.is_empty()) else {
            let duplicate = high_water.is_none() && !piece.bytes.is_empty();
            let high_water = Some(high_water.unwrap_or(piece.position.range.end));
            note(intake, &piece, (n_new, refused), sender);
            return Ok(IngestAnswer { duplicate, high_water, ..answer });
        };
        let n_bytes = gap.end - gap.start;
        match append(intake, &piece, gap, sender) {
            Ok((of_gap, of_refused, receipt)) => {
                n_new += n_bytes;
                refused.events += of_refused.events;
                refused.bytes += of_refused.bytes;
                answer.add(of_gap);
                high_water = receipt.high_water.or(high_water).or(Some(piece.position.range.end));
            }
            Err(IngestError::Store(AppendError::PositionChanged)) => {}
            Err(error) => return Err(error),
        }
    }
    Err(AppendError::Overloaded { retry_after_s: 1 }.into())
}

/// Tells the ledger of what is stored. Who may not write to the group says nothing of its files either.
fn note(intake: &Intake, piece: &Piece<'_>, (n_new, refused): (u64, RefusedCount), sender: &Sender<'_>) {
    let Header { source, file, generation, begin, host, path, .. } = &piece.header;
    if piece.header.archive || piece.header.messages.is_some() || !sender.within.admits(piece.group.as_str()) {
        return;
    }
    let (group, stream) = (&piece.group, &*piece.stream);
    let (generation, begin, end) = (*generation, *begin, piece.position.range.end);
    let content = piece.header.content.as_ref();
    let heard = Heard { source, host, file, generation, begin, path, group, stream, n_new, end, content, refused };
    intake.sources.note(&heard, sender.now);
    // What cannot be written down now is written down the next time; the events are stored.
    let _ = intake.sources.look_after(&intake.store, sender.now);
}

fn take_apart<'a>(body: &'a [u8], group: &GroupName, stream: &str) -> Result<Piece<'a>> {
    let bad = |problem: String| IngestError::BadHeader(problem);
    let end = memchr::memchr(b'\n', body).ok_or_else(|| bad("no line end after it".into()))?;
    let header: Header = serde_json::from_slice(&body[..end]).map_err(|error| bad(error.to_string()))?;
    let bytes = &body[end + 1..];
    for (name, text) in [("source", &header.source), ("file", &header.file)] {
        if text.is_empty() || text.len() > NAME_BYTES_MAX {
            return Err(bad(format!("{name} has 1 to {NAME_BYTES_MAX} bytes")));
        }
    }
    let end = match &header.messages {
        Some(messages) => end_of_messages(header.start, messages).ok_or_else(|| bad("offsets have to rise".into()))?,
        None => header.start.checked_add(bytes.len() as u64).ok_or_else(|| bad("start is too large".into()))?,
    };
    let add = |sum: u64, length: u64| sum.checked_add(length);
    let total = match (&header.messages, &header.lengths) {
        (Some(messages), _) => messages.iter().map(|message| message.bytes).try_fold(0, add),
        (None, Some(lengths)) => lengths.iter().copied().try_fold(0, add),
        (None, None) => Some(bytes.len() as u64),
    };
    if total != Some(bytes.len() as u64) {
        return Err(bad(format!("lengths do not add up to the {} bytes that follow", bytes.len())));
    }
    let unknown = || bad("encoding is utf-16le, utf-16be or not there".into());
    let encoding = header.encoding.as_deref().map(|name| Utf16::named(name).ok_or_else(unknown)).transpose()?;
    let position = SourcePosition {
        source: header.source.clone(),
        file: header.file.clone(),
        generation: header.generation,
        range: header.start..end,
    };
    let group = header.group.as_deref().map_or_else(|| group.clone(), group_name_of_outside);
    let stream = header.stream.clone().unwrap_or_else(|| stream.to_string());
    let mut fields = values(&header.fields);
    for (name, text) in [("host", &header.host), ("file", &header.path)] {
        if !text.is_empty() {
            fields.push((name.into(), Value::text(text.as_str())));
        }
    }
    Ok(Piece { header, bytes, encoding, position, group, stream, fields })
}

/// Returns the offset behind the last message; `None` if an offset is not above the one before.
fn end_of_messages(start: u64, messages: &[Message]) -> Option<u64> {
    let next = |from: u64, message: &Message| message.offset.checked_add(1).filter(|_| message.offset >= from);
    messages.iter().try_fold(start, next)
}

/// Returns fields that a shipper says. Names of system fields are changed: it cannot set those.
fn values(said: &BTreeMap<String, serde_json::Value>) -> Vec<(Arc<str>, Value)> {
    let mut fields: Vec<(Arc<str>, Value)> = Vec::new();
    for (name, value) in said {
        let name = if let Some(rest) = name.strip_prefix('@') { format!("_{rest}") } else { name.clone() };
        let value = match value {
            serde_json::Value::Null => continue,
            serde_json::Value::String(text) => Value::text(text.as_str()),
            serde_json::Value::Bool(truth) => Value::Boolean(*truth),
            other => other.as_i64().map_or_else(|| Value::text(other.to_string()), Value::Integer),
        };
        fields.push((name.into(), value));
    }
    fields
}

/// Stores the events of one gap.
fn append(
    intake: &Intake,
    piece: &Piece<'_>,
    gap: Range<u64>,
    sender: &Sender<'_>,
) -> Result<(IngestAnswer, RefusedCount, Receipt)> {
    let header = &piece.header;
    let zone: Option<Zone> = header.zone.as_deref().and_then(|zone| zone.parse().ok());
    let mut received = intake.received(sender.now);
    received.modified = header.modified.map(Timestamp);
    received.zone = zone.unwrap_or(received.zone);
    let mut collector = intake.collect_as(received, sender.within).noting(sender.groups);
    collector.set_format(header.format.as_deref().and_then(|name| parse::Formats::current().named(name)));
    let is_of_file = header.messages.is_none();
    let mut context = intake.line_contexts.get(&header.source, &header.file);
    let is_known = !context.is_empty();
    if header.archive && header.begin == gap.start {
        // Another file, which is sent as bytes behind those of the one before.
        context = LineContext::default();
    }
    let mut overflow = context.overflow;
    collector.set_line_context(context);
    let place = collector.group(&piece.group)?;
    collector.set_stream(place, &piece.stream);
    let (mut answer, mut refused) = (IngestAnswer::default(), RefusedCount::default());
    let mut notes = SampleNotes::default();
    // The header is the first line.
    let (mut raw_bytes, mut line_number, mut counted) = (0, 2, 0);
    for event in events(piece) {
        let Some(event) = event.within(&gap) else { continue };
        let raw = &piece.bytes[event.bytes.clone()];
        raw_bytes += raw.len() as u64;
        let start = event.at.start;
        let text = piece.encoding.map_or(Cow::Borrowed(raw), |encoding| Cow::Owned(encoding.to_utf8(raw, start)));
        let bytes = without_line_ends(&text);
        if bytes.is_empty() || header.records && bytes.trim_ascii().is_empty() {
            continue;
        }
        let is_continued = is_of_file && overflow.continues(bytes);
        let of_message = event.message.map(|message| message.begin(&mut collector, &piece.fields));
        let fields = EventFields::Values(of_message.as_deref().unwrap_or(&piece.fields));
        let offset = Some(event.message.map_or(start, |message| message.offset));
        let metadata = EventMetadata { fields, offset, is_continued, ..EventMetadata::default() };
        if let Err(problem) = add(&mut collector, (piece, place), (bytes, &metadata), &mut notes)? {
            let to = event.bytes.start;
            line_number += memchr::memchr_iter(b'\n', &piece.bytes[counted..to]).count();
            counted = to;
            answer.reject(event.message.map_or(line_number, |_| 2 + event.index), &problem);
            answer.refuse(start, event.at.end);
            refused.events += 1;
            refused.bytes += raw.len() as u64;
        }
    }
    let context = LineContext { overflow, ..collector.line_context() };
    answer.accepted = collector.n_records();
    answer.exemplars_left_out = notes.exemplars_left_out;
    let n_overflowed = collector.n_overflowed();
    let position = SourcePosition { range: gap, ..piece.position.clone() };
    let mut parts = collector.into_parts();
    let _claim = intake.drop_repeated_spans(&mut parts)?;
    let receipt = intake.store.append(Delivery { key: None, position: Some(position), raw_bytes, parts })?;
    intake.note_overflow(n_overflowed);
    intake.descriptions.note(notes.descriptions);
    if is_of_file && (is_known || !context.is_empty()) {
        intake.line_contexts.set(&header.source, &header.file, context);
    }
    Ok((answer, refused, receipt))
}

/// Adds one event of a piece, or one sample; returns why it is refused.
fn add(
    collector: &mut Collector<'_>,
    (piece, place): (&Piece<'_>, usize),
    (bytes, metadata): (&[u8], &EventMetadata<'_>),
    notes: &mut SampleNotes,
) -> Result<Result<(), String>> {
    if piece.header.samples {
        return samples::add(collector, bytes, notes);
    }
    if piece.header.records {
        match collector.add(place, RawEvent::Record(bytes), metadata)? {
            // What is none is text, such as a trace that a program wrote between its records.
            Err(RecordRefusal::Json(_)) => {}
            added => return Ok(added.map_err(|problem| problem.to_string())),
        }
    }
    let mut refusal = Ok(());
    for text in parse::texts(bytes) {
        if let Err(problem) = collector.add(place, RawEvent::Text(&text), metadata)? {
            refusal = Err(problem.to_string());
        }
    }
    Ok(refusal)
}

/// An event of a piece.
struct RawPart<'p> {
    /// Its place in the source.
    at: Range<u64>,
    /// Its bytes in the piece, line end included.
    bytes: Range<usize>,
    /// How many events come before it.
    index: usize,
    message: Option<&'p Message>,
}

impl RawPart<'_> {
    /// Returns what of it lies within a gap: of a line those bytes, and a message wholly or not at all.
    fn within(mut self, gap: &Range<u64>) -> Option<Self> {
        if self.message.is_some() {
            return gap.contains(&(self.at.end - 1)).then_some(self);
        }
        let (start, end) = (self.at.start.max(gap.start), self.at.end.min(gap.end));
        self.bytes.start += (start - self.at.start) as usize;
        self.at = start..end;
        self.bytes.end = self.bytes.start + end.checked_sub(start)? as usize;
        (start < end).then_some(self)
    }
}

impl Message {
    /// Tells the collector of the message, which nothing connects with the one before; returns its fields.
    fn begin(&self, collector: &mut Collector<'_>, of_all: &[(Arc<str>, Value)]) -> Vec<(Arc<str>, Value)> {
        collector.forget_line_context();
        collector.set_modified(self.time.map(Timestamp));
        of_all.iter().cloned().chain(values(&self.fields)).collect()
    }
}

/// Returns the events of a piece, which lie behind each other.
fn events<'p>(piece: &'p Piece<'_>) -> Box<dyn Iterator<Item = RawPart<'p>> + 'p> {
    let (mut from, mut n_before, mut index) = (piece.header.start, 0, 0);
    let mut event = move |length: u64, message: Option<&'p Message>| {
        // The lengths were found to add up to the bytes that there are, and offsets to rise.
        let end = message.map_or_else(|| from.saturating_add(length), |message| message.offset + 1);
        let part = RawPart { at: from..end, bytes: n_before..n_before + length as usize, index, message };
        (from, n_before, index) = (end, part.bytes.end, index + 1);
        part
    };
    match (&piece.header.messages, &piece.header.lengths) {
        (Some(messages), _) => Box::new(messages.iter().map(move |message| event(message.bytes, Some(message)))),
        (None, Some(lengths)) => Box::new(lengths.iter().map(move |length| event(*length, None))),
        (None, None) => {
            let lines = piece.bytes.split_inclusive(|byte| *byte == b'\n');
            Box::new(lines.map(move |line| event(line.len() as u64, None)))
        }
    }
}

/// Returns an event's bytes without empty lines at its end.
fn without_line_ends(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
    let start = bytes[..end].iter().position(|byte| !matches!(byte, b'\n' | b'\r')).unwrap_or(end);
    &bytes[start..end]
}
