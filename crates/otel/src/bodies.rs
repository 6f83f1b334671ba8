//! What the decoders of several protocols share: members of JSON objects as fields, lines, and the end of a request.

use std::borrow::Cow;

use ingest::{
    Collector, EventMetadata, FieldWriter, IngestAnswer, IngestError, Intake, RawEvent, RecordRefusal, Sender,
};
use parse::{ArrivalContext, JsonCursor, JsonError, ObjectReader, ResolvedTime};
use types::{Limits, Timestamp, write_json_string};
use xxhash_rust::xxh3::xxh3_128;

/// Members of JSON objects that are put together as one object, which becomes fields.
#[derive(Default)]
pub(crate) struct Members {
    json: String,
    reader: ObjectReader,
}

impl Members {
    /// Begins an object without members.
    pub(crate) fn begin(&mut self) {
        self.json.clear();
        self.json.push('{');
    }

    /// Adds a member; `value` is JSON.
    pub(crate) fn push(&mut self, name: &str, value: &str) {
        if self.json.len() > 1 {
            self.json.push(',');
        }
        write_json_string(name, &mut self.json);
        self.json.push(':');
        self.json.push_str(value);
    }

    /// Ends the object.
    ///
    /// # Errors
    /// If a value is malformed.
    pub(crate) fn end(&mut self, limits: &Limits) -> Result<(), JsonError> {
        self.json.push('}');
        self.reader.read(&self.json, limits)
    }

    /// Returns the object.
    pub(crate) fn json(&self) -> &str {
        &self.json
    }

    /// Returns the most fields that the object becomes.
    pub(crate) fn n_fields(&self) -> usize {
        self.reader.n_fields()
    }

    /// Writes the fields.
    pub(crate) fn write(&self, fields: &mut FieldWriter<'_>) {
        self.reader.write(&self.json, fields);
    }
}

/// Returns the text that JSON stands for, and other JSON as it is.
pub(crate) fn text_of_json(json: &str) -> Result<Cow<'_, str>, JsonError> {
    if json.starts_with('"') { JsonCursor::new(json).string() } else { Ok(json.into()) }
}

/// Returns the time that a text states, and whether it can be stored: of any other the event keeps the text.
pub(crate) fn time_of(text: &str, received: &ArrivalContext<'_>) -> (Option<Timestamp>, bool) {
    match parse::parse_time(text, received) {
        Some(ResolvedTime::At(time)) => (Some(time), true),
        // The parser marks it as one beyond all limits.
        Some(ResolvedTime::OutOfRange) => (Some(Timestamp(i64::MAX)), false),
        None => (None, false),
    }
}

/// Adds the lines of a body; continuation lines belong to the previous line. Calls `before` each line, and `rejected` with the
/// position of a rejected one, from 0. Returns their number.
pub(crate) fn add_lines(
    collector: &mut Collector<'_>,
    place: usize,
    body: &[u8],
    metadata: &EventMetadata<'_>,
    mut before: impl FnMut() -> Result<(), IngestError>,
    mut rejected: impl FnMut(usize, RecordRefusal),
) -> Result<usize, IngestError> {
    let mut n_events = 0;
    for range in parse::events(body, collector.received().limits.event_bytes_max) {
        let line = &body[range];
        if line.trim_ascii().is_empty() {
            continue;
        }
        for text in parse::texts(line) {
            before()?;
            if let Err(refused) = collector.add(place, RawEvent::Text(&text), metadata)? {
                rejected(n_events, refused);
            }
            n_events += 1;
        }
    }
    Ok(n_events)
}

/// Stores what was collected of a request and completes its answer. `request` names everything in it besides its body: the
/// sender of a request of which a part was rejected may send it again, and stores nothing twice.
pub(crate) fn accept(
    intake: &Intake,
    collector: Collector<'_>,
    (request, body): (&str, &[u8]),
    sender: &Sender<'_>,
    mut answer: IngestAnswer,
) -> Result<IngestAnswer, IngestError> {
    let own_id = (!answer.rejected.is_empty()).then(|| format!("{request} {:032x}", xxh3_128(body)));
    let sender = Sender { batch_id: sender.batch_id.or(own_id.as_deref()), ..*sender };
    let accepted = intake.accept(collector, body, &sender)?;
    answer.duplicate = accepted.duplicate;
    answer.add(accepted);
    Ok(answer)
}
