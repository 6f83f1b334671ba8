//! What several protocols share: the way of a body into the store, JSON piece by piece, lines, and rejected events.

use std::borrow::Cow;

use axum::http::HeaderMap;
use door::headers::{batch_id, encoding};
use door::{Outcome, Reply, Shared};
use ingest::{Collector, Encoding, FieldWriter, IngestAnswer, IngestError, Intake, OutOfScope, RecordRefusal, Sender};
use parse::{ArrivalContext, JsonCursor, JsonError, ObjectReader, ResolvedTime};
use types::{GroupName, Limits, Timestamp, write_json_string};
use xxhash_rust::xxh3::xxh3_128;

/// Reads the body of a request, and answers with what `ingest` makes of it.
///
/// # Errors
/// If the headers are invalid.
pub(crate) fn store<F>(server: &Shared, headers: &HeaderMap, ingest: F) -> Outcome
where
    F: FnOnce(&Intake, (&[u8], Encoding), &Sender<'_>) -> Outcome + Send + 'static,
{
    let (encoding, batch_id) = (encoding(headers)?, batch_id(headers)?);
    let (bytes_max, server) = (server.app.limits.body_bytes_max, server.clone());
    let store = move |body: &[u8]| ingest(&server.app.intake, (body, encoding), &server.sender(batch_id.as_deref()));
    Ok(Reply::body(bytes_max, move |received| Ok(Reply::intake(encoding.into(), received, store))))
}

/// The parts of a JSON object or list, as they are written.
struct Parts<'t> {
    json: JsonCursor<'t>,
    end: u8,
    /// Whether the next part is the first one; `None` after the last.
    is_first: Option<bool>,
}

impl<'t> Parts<'t> {
    fn read(&mut self, is_first: bool) -> Result<Option<(Cow<'t, str>, &'t str)>, JsonError> {
        if is_first && self.end == b'}' {
            self.json.expect(b'{', "expected an object")?;
        } else if is_first {
            self.json.expect(b'[', "expected a list")?;
        }
        if self.json.has_next(is_first, self.end)? {
            let name = if self.end == b'}' { self.json.name()? } else { Cow::default() };
            return Ok(Some((name, self.json.skip()?)));
        }
        if self.json.peek().is_some() { Err(self.json.error("expected the end")) } else { Ok(None) }
    }
}

impl<'t> Iterator for Parts<'t> {
    type Item = Result<(Cow<'t, str>, &'t str), JsonError>;

    fn next(&mut self) -> Option<Self::Item> {
        let is_first = self.is_first.take()?;
        let part = self.read(is_first).transpose();
        self.is_first = matches!(part, Some(Ok(_))).then_some(false);
        part
    }
}

/// Returns the names and values of an object, which must be all of `text`.
pub(crate) fn members(text: &str) -> impl Iterator<Item = Result<(Cow<'_, str>, &str), JsonError>> {
    Parts { json: JsonCursor::new(text), end: b'}', is_first: Some(true) }
}

/// Returns the elements of a list, which must be all of `text`.
pub(crate) fn elements(text: &str) -> impl Iterator<Item = Result<&str, JsonError>> {
    let parts = Parts { json: JsonCursor::new(text), end: b']', is_first: Some(true) };
    parts.map(|part| part.map(|(_, value)| value))
}

/// Returns the text that JSON stands for, and other JSON as it is.
pub(crate) fn text_of_json(json: &str) -> Result<Cow<'_, str>, JsonError> {
    if json.starts_with('"') { JsonCursor::new(json).string() } else { Ok(json.into()) }
}

/// Members that are put together as one object, which becomes fields.
#[derive(Default)]
pub(crate) struct Members {
    /// The object.
    pub(crate) json: String,
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

    /// Reads a time that is sent as JSON. One that cannot be stored is kept as a member.
    pub(crate) fn time(
        &mut self,
        name: &str,
        json: &str,
        received: &ArrivalContext<'_>,
    ) -> Result<Option<Timestamp>, JsonError> {
        let read = parse::parse_time(&text_of_json(json)?, received);
        if let Some(ResolvedTime::At(time)) = read {
            return Ok(Some(time));
        }
        self.push(name, json);
        // The parser marks a time beyond all limits.
        Ok(read.map(|_| Timestamp(i64::MAX)))
    }

    /// Ends the object.
    ///
    /// # Errors
    /// If a value is malformed.
    pub(crate) fn end(&mut self, limits: &Limits) -> Result<(), JsonError> {
        self.json.push('}');
        self.reader.read(&self.json, limits)
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

/// Writes fields that are not empty.
pub(crate) fn write_texts<const N: usize>(texts: [(&str, &str); N], fields: &mut FieldWriter<'_>) {
    texts.iter().filter(|(_, text)| !text.is_empty()).for_each(|(name, text)| fields.text(name, text));
}

/// Returns the events that are lines of a body; continuation lines belong to the previous line.
pub(crate) fn lines(body: &[u8], bytes_max: usize) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let events = parse::events(body, bytes_max).map(|range| &body[range]);
    events.filter(|line| !line.trim_ascii().is_empty()).flat_map(parse::texts)
}

/// Where all events of a request go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogTarget {
    /// The group.
    pub group: GroupName,
    /// The stream.
    pub stream: String,
}

/// The rejected events of a request.
#[derive(Default)]
pub(crate) struct Rejections {
    answer: IngestAnswer,
    out_of_scope: Option<OutOfScope>,
}

impl Rejections {
    /// Rejects an event by its number.
    pub(crate) fn reject(&mut self, number: usize, reason: &dyn std::fmt::Display) {
        self.answer.reject(number, reason);
    }

    /// Rejects an event that the collector has refused.
    pub(crate) fn note(&mut self, number: usize, added: Result<(), RecordRefusal>) {
        if let Err(refused) = added {
            self.reject(number, &refused);
        }
    }

    /// Returns the place of a group; rejects an event whose group the sender may not write to.
    pub(crate) fn place(&mut self, number: usize, place: Result<usize, OutOfScope>) -> Option<usize> {
        place
            .map_err(|refused| {
                self.reject(number, &refused);
                self.out_of_scope.get_or_insert(refused);
            })
            .ok()
    }

    /// Stores what was collected of a request. `request` names everything in it besides its body: a sender that repeats a
    /// request of which a part was rejected stores nothing twice.
    ///
    /// # Errors
    /// If nothing was stored.
    pub(crate) fn accept(
        mut self,
        intake: &Intake,
        collector: Collector<'_>,
        (request, body): (&str, &[u8]),
        sender: &Sender<'_>,
    ) -> Result<IngestAnswer, IngestError> {
        if let Some(refused) = self.out_of_scope.filter(|_| collector.n_records() == 0) {
            return Err(refused.into());
        }
        let own_id = (!self.answer.rejected.is_empty()).then(|| format!("{request} {:032x}", xxh3_128(body)));
        let sender = Sender { batch_id: sender.batch_id.or(own_id.as_deref()), ..*sender };
        let accepted = intake.accept(collector, body, &sender)?;
        self.answer.duplicate = accepted.duplicate;
        self.answer.add(accepted);
        Ok(self.answer)
    }
}
