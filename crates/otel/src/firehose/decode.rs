//! Requests of Amazon Data Firehose: a JSON object with an id and records, whose data are base64.
//!
//! Data may be compressed with gzip. They are a batch of CloudWatch Logs' subscriptions (`messageType`, `logGroup`, `logStream`,
//! `logEvents`), or JSON objects one after another, or lines. The group is the common attribute `group`, else that of the batch,
//! else `firehose/` and the delivery stream. An event that cannot be stored is rejected by the number of its record.

use std::borrow::Cow;

use data_encoding::BASE64;
use ingest::{
    Collector, DecodeBudget, Encoding, EventFields, EventMetadata, FieldWriter, IngestAnswer, IngestError, Intake,
    RawEvent, RecordRefusal, Sender, decode, lossy,
};
use parse::{JsonCursor, JsonError, ResolvedTime};
use types::{Timestamp, group_name_of_outside};

use crate::bodies::{Rejections, elements, lines, members, text_of_json, write_texts};

/// The group of events that nothing names one for.
const GROUP: &str = "firehose";

/// The first bytes of gzip.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What a request's headers state about all its events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirehoseDefaults {
    /// The name of the delivery stream.
    pub delivery_stream: String,
    /// The group of all events.
    pub group: String,
    /// The stream of all events.
    pub stream: String,
    /// Fields of all events.
    pub fields: Vec<(String, String)>,
}

/// Stores the events of a request and returns its id, when they are durable. Blocks.
///
/// The line of a rejected event is the number of its record, from 1.
pub fn ingest_firehose(
    intake: &Intake,
    (body, encoding): (&[u8], Encoding),
    defaults: &FirehoseDefaults,
    sender: &Sender<'_>,
) -> Result<(String, IngestAnswer), IngestError> {
    let bytes_max = intake.limits.body_bytes_max;
    let body = decode(body, encoding, bytes_max)?;
    let text = lossy(&body, bytes_max)?;
    let [id, list] = named(&text, ["requestId", "records"]).map_err(bad)?;
    let (Some(id), Some(list)) = (id, list) else { return Err(bad("requestId and records are required")) };
    let id = text_of_json(id).map_err(bad)?.into_owned();
    let mut collector = intake.collect(sender);
    let budget = DecodeBudget::of_body(text.len());
    let rejections = Rejections::default();
    let mut records = Records { collector: &mut collector, defaults, rejections, budget, left: bytes_max, number: 0 };
    for record in elements(list) {
        records.number += 1;
        records.record(record.map_err(bad)?)?;
    }
    // A repeated request may have another time, and has the same records.
    let batch_id = format!("firehose {id}");
    let sender = Sender { batch_id: Some(&batch_id), ..*sender };
    let answer = records.rejections.accept(intake, collector, ("firehose", list.as_bytes()), &sender)?;
    Ok((id, answer))
}

fn bad(problem: impl std::fmt::Display) -> IngestError {
    IngestError::BadBody { what: "request of Firehose", problem: problem.to_string() }
}

/// Returns the members of an object with these names.
fn named<'t, const N: usize>(json: &'t str, names: [&str; N]) -> Result<[Option<&'t str>; N], JsonError> {
    let mut found = [None; N];
    for member in members(json) {
        let (name, value) = member?;
        if let Some(at) = names.iter().position(|known| *known == name) {
            found[at] = Some(value);
        }
    }
    Ok(found)
}

/// Passes the events of a request to the collector.
struct Records<'c, 's> {
    collector: &'c mut Collector<'s>,
    defaults: &'c FirehoseDefaults,
    rejections: Rejections,
    /// What is left for writing common attributes once per event.
    budget: DecodeBudget,
    /// Bytes that the data of further records may have.
    left: usize,
    /// The number of the current record.
    number: usize,
}

impl Records<'_, '_> {
    fn record(&mut self, json: &str) -> Result<(), IngestError> {
        let encoded = named(json, ["data"]).ok().and_then(|[data]| text_of_json(data?).ok());
        let Some(decoded) = encoded.and_then(|text| BASE64.decode(text.as_bytes()).ok()) else {
            self.rejections.reject(self.number, &"it has no data in base64");
            return Ok(());
        };
        let encoding = if decoded.starts_with(&GZIP) { Encoding::Gzip } else { Encoding::Identity };
        let data = match decode(&decoded, encoding, self.left) {
            Err(problem @ IngestError::BadEncoding { .. }) => {
                self.rejections.reject(self.number, &problem);
                return Ok(());
            }
            data => data?,
        };
        self.left -= data.len();
        let text = lossy(&data, self.collector.received().limits.body_bytes_max)?;
        let batch = named(&text, ["messageType", "owner", "logGroup", "logStream", "logEvents"]);
        match batch {
            // One that asks whether there is a receiver has no events to store.
            Ok([Some("\"CONTROL_MESSAGE\""), _, Some(_), Some(_), Some(_)]) => Ok(()),
            Ok([Some("\"DATA_MESSAGE\""), owner, Some(group), Some(stream), Some(events)])
                if events.starts_with('[') =>
            {
                let [owner, group, stream] = [owner.unwrap_or_default(), group, stream].map(text_or_none);
                match self.place(&group, &stream) {
                    Some(place) => self.subscription(place, events, &owner),
                    None => Ok(()),
                }
            }
            _ => self.data(&text),
        }
    }

    /// Returns the place of a group; `None` if the sender may not write to it.
    fn place(&mut self, group: &str, stream: &str) -> Option<usize> {
        let group = [&self.defaults.group, group].into_iter().find(|name| !name.is_empty());
        let own = format!("{GROUP}/{}", self.defaults.delivery_stream);
        let group = group_name_of_outside(group.unwrap_or_else(|| own.trim_end_matches('/')));
        let place = self.rejections.place(self.number, self.collector.group(&group))?;
        let named = &self.defaults.stream;
        self.collector.set_stream(place, if named.is_empty() { stream } else { named });
        Some(place)
    }

    /// Adds the events of a subscription's batch.
    fn subscription(&mut self, place: usize, events: &str, owner: &str) -> Result<(), IngestError> {
        let received = *self.collector.received();
        for event in elements(events) {
            let event = named(event.map_err(bad)?, ["timestamp", "message"]);
            let Some(message) = event.as_ref().ok().and_then(|[_, message]| text_of_json((*message)?).ok()) else {
                self.rejections.reject(self.number, &"an event has no message");
                continue;
            };
            let time = event.ok().and_then(|[time, _]| parse::parse_time(&text_or_none(time?), &received));
            let time = time.map(|time| match time {
                ResolvedTime::At(time) => time,
                ResolvedTime::OutOfRange => Timestamp(i64::MAX),
            });
            let added = self.add(place, RawEvent::Text(message.as_bytes()), time, owner)?;
            self.rejections.note(self.number, added);
        }
        Ok(())
    }

    /// Adds JSON objects one after another, and from the first thing that is none on, lines.
    fn data(&mut self, text: &str) -> Result<(), IngestError> {
        let Some(place) = self.place("", "") else { return Ok(()) };
        let mut json = JsonCursor::new(text);
        while json.peek() == Some(b'{') {
            let here = json.clone();
            let Ok(record) = json.skip() else {
                json = here;
                break;
            };
            match self.add(place, RawEvent::Record(record.as_bytes()), None, "")? {
                Err(RecordRefusal::Json(_)) => {
                    json = here;
                    break;
                }
                added => self.rejections.note(self.number, added),
            }
        }
        let bytes_max = self.collector.received().limits.event_bytes_max;
        for text in lines(json.rest().as_bytes(), bytes_max) {
            let added = self.add(place, RawEvent::Text(&text), None, "")?;
            self.rejections.note(self.number, added);
        }
        Ok(())
    }

    fn add(
        &mut self,
        place: usize,
        raw: RawEvent<'_>,
        time: Option<Timestamp>,
        owner: &str,
    ) -> Result<Result<(), RecordRefusal>, IngestError> {
        let common = &self.defaults.fields;
        self.budget.spend(common.iter().map(|(name, value)| name.len() + value.len()).sum())?;
        let write = |fields: &mut FieldWriter<'_>| {
            common.iter().for_each(|(name, value)| fields.text(name, value));
            write_texts([("owner", owner)], fields);
        };
        let fields = EventFields::Writer { n_max: common.len() + 1, write: &write };
        self.collector.add(place, raw, &EventMetadata { time, fields, ..EventMetadata::default() })
    }
}

/// Returns the text that JSON stands for; empty if it is malformed.
fn text_or_none(json: &str) -> Cow<'_, str> {
    text_of_json(json).unwrap_or_default()
}

#[cfg(test)]
mod tests;
