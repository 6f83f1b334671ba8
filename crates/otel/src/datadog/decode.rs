//! Requests to Datadog's intake of logs: a list of JSON objects or one, or lines.
//!
//! `message` is the text of an event, and the record if it is an object; without one the whole object is the record.
//! `timestamp`, `@timestamp` or `date` is the time, in milliseconds or as a text. `status` is the level. `hostname`,
//! `ddsource` and `service` are the fields `host`, `source` and `service`. Each tag `NAME:VALUE` of `ddtags` is a field; a tag
//! without a value is one of `tags`. All other members are fields. The group is the service, else `datadog`; the stream is the host.
//!
//! An invalid event is rejected by its number in the request, and the others are stored; malformed JSON is refused whole.

use std::borrow::Cow;

use ingest::{
    Collector, DecodeBudget, Encoding, EventFields, EventMetadata, FieldWriter, IngestAnswer, IngestError, Intake,
    RawEvent, Sender, decode, lossy,
};
use parse::{ArrivalContext, JsonError};
use types::{Level, Timestamp, group_name_of_outside};

use crate::bodies::{Members, Rejections, elements, lines, members, text_of_json, write_texts};

/// The group of events without a service.
const GROUP: &str = "datadog";

/// Fields of an event in addition to tags and other members.
const OWN_FIELDS_MAX: usize = 3;

/// The form of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatadogForm {
    /// A list of objects, or one.
    Json,
    /// Lines.
    Lines,
}

/// What a request's parameters state about all its events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatadogDefaults {
    /// The service of events that name none.
    pub service: String,
    /// The host of events that name none.
    pub host: String,
    /// The source of events that name none.
    pub source: String,
    /// Tags of all events, separated by commas.
    pub tags: String,
}

/// An object of a request without its other members.
#[derive(Default)]
struct Event<'a> {
    /// The JSON of `message`.
    message: Option<&'a str>,
    time: Option<Timestamp>,
    level: Option<Level>,
    host: Cow<'a, str>,
    source: Cow<'a, str>,
    service: Cow<'a, str>,
    tags: Cow<'a, str>,
}

impl<'a> Event<'a> {
    /// Reads an object, and its other members into `others`. What it states twice is kept twice.
    fn read(json: &'a str, others: &mut Members, received: &ArrivalContext<'_>) -> Result<Self, JsonError> {
        let mut event = Self::default();
        others.begin();
        for member in members(json) {
            let (name, value) = member?;
            let is_scalar = !value.starts_with(['{', '[']);
            match &*name {
                _ if value == "null" => {}
                "message" if event.message.is_none() => event.message = Some(value),
                "hostname" if is_scalar && event.host.is_empty() => event.host = text_of_json(value)?,
                "ddsource" if is_scalar && event.source.is_empty() => event.source = text_of_json(value)?,
                "service" if is_scalar && event.service.is_empty() => event.service = text_of_json(value)?,
                "ddtags" if is_scalar && event.tags.is_empty() => event.tags = text_of_json(value)?,
                "timestamp" | "@timestamp" | "date" if event.time.is_none() => {
                    event.time = others.time(&name, value, received)?;
                }
                _ => {
                    if name == "status" {
                        event.level = Level::parse(&text_of_json(value)?);
                    }
                    others.push(&name, value);
                }
            }
        }
        others.end(received.limits)?;
        Ok(event)
    }

    /// Takes what the event does not name from the request.
    fn or(mut self, of_all: &'a DatadogDefaults) -> Self {
        for (own, of_all) in
            [(&mut self.host, &of_all.host), (&mut self.source, &of_all.source), (&mut self.service, &of_all.service)]
        {
            if own.is_empty() {
                *own = Cow::Borrowed(of_all);
            }
        }
        self
    }
}

/// Returns the names and values of tags; those without a value are called `tags`.
fn tags(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let each = text.split(',').map(str::trim).filter(|tag| !tag.is_empty());
    each.map(|tag| match tag.split_once(':') {
        Some((name, value)) if !name.is_empty() => (name, value),
        _ => ("tags", tag),
    })
}

/// Stores the events of a request and returns when they are durable. Blocks.
///
/// The line of a rejected event is its number in the request, from 1.
pub fn ingest_datadog(
    intake: &Intake,
    (body, encoding): (&[u8], Encoding),
    form: DatadogForm,
    defaults: &DatadogDefaults,
    sender: &Sender<'_>,
) -> Result<IngestAnswer, IngestError> {
    let bytes_max = intake.limits.body_bytes_max;
    let body = decode(body, encoding, bytes_max)?;
    let mut collector = intake.collect(sender);
    let budget = DecodeBudget::of_body(body.len());
    let mut events =
        Events { collector: &mut collector, defaults, rejections: Rejections::default(), budget, last: None };
    match form {
        DatadogForm::Json => events.objects(&lossy(&body, bytes_max)?)?,
        DatadogForm::Lines => {
            let event = Event::default().or(defaults);
            for (index, text) in lines(&body, intake.limits.event_bytes_max).enumerate() {
                events.add(index + 1, &event, RawEvent::Text(&text), &Members::default())?;
            }
        }
    }
    events.rejections.accept(intake, collector, (&format!("datadog {defaults:?}"), &body), sender)
}

/// Passes the events of a request to the collector.
struct Events<'c, 's> {
    collector: &'c mut Collector<'s>,
    defaults: &'c DatadogDefaults,
    rejections: Rejections,
    /// What is left for writing the request's parameters once per event.
    budget: DecodeBudget,
    /// The service of the previous event, and the place of its group.
    last: Option<(String, usize)>,
}

impl Events<'_, '_> {
    fn objects(&mut self, body: &str) -> Result<(), IngestError> {
        let mut others = Members::default();
        if !body.trim_ascii_start().starts_with('[') {
            return self.object(1, body, &mut others);
        }
        for (index, one) in elements(body).enumerate() {
            self.object(index + 1, one.map_err(bad)?, &mut others)?;
        }
        Ok(())
    }

    fn object(&mut self, number: usize, json: &str, others: &mut Members) -> Result<(), IngestError> {
        let received = *self.collector.received();
        let read = Event::read(json, others, &received);
        let read = read.and_then(|event| Ok((event.message.map(text_of_json).transpose()?, event.or(self.defaults))));
        let (message, event) = match read {
            Ok(read) => read,
            Err(error) => {
                self.rejections.reject(number, &error);
                return Ok(());
            }
        };
        let is_record = event.message.is_some_and(|message| message.starts_with('{'));
        match &message {
            None => self.add(number, &event, RawEvent::Record(others.json.as_bytes()), &Members::default()),
            Some(record) if is_record => self.add(number, &event, RawEvent::Record(record.as_bytes()), others),
            Some(text) => self.add(number, &event, RawEvent::Text(text.as_bytes()), others),
        }
    }

    fn add(
        &mut self,
        number: usize,
        event: &Event<'_>,
        raw: RawEvent<'_>,
        others: &Members,
    ) -> Result<(), IngestError> {
        let Some(place) = self.place(number, event) else { return Ok(()) };
        let DatadogDefaults { service, host, source, tags: of_all } = self.defaults;
        self.budget.spend(service.len() + host.len() + source.len() + of_all.len())?;
        let tags = || tags(of_all).chain(tags(&event.tags));
        let write = |fields: &mut FieldWriter<'_>| {
            write_texts([("host", &event.host), ("source", &event.source), ("service", &event.service)], fields);
            fields.begin_layer();
            tags().for_each(|(name, value)| fields.text(name, value));
            others.write(fields);
            fields.join_own();
        };
        let fields = EventFields::Writer { n_max: others.n_fields() + tags().count() + OWN_FIELDS_MAX, write: &write };
        let metadata = EventMetadata { time: event.time, level: event.level, fields, ..EventMetadata::default() };
        let added = self.collector.add(place, raw, &metadata)?;
        self.rejections.note(number, added);
        Ok(())
    }

    /// Returns the place of an event's group; `None` if it is rejected.
    fn place(&mut self, number: usize, event: &Event<'_>) -> Option<usize> {
        let place = match &self.last {
            Some((service, place)) if *service == event.service => *place,
            _ => {
                let name = if event.service.is_empty() { GROUP } else { &event.service };
                let place = self.rejections.place(number, self.collector.group(&group_name_of_outside(name)))?;
                self.last = Some((event.service.to_string(), place));
                place
            }
        };
        self.collector.set_stream(place, &event.host);
        Some(place)
    }
}

fn bad(error: JsonError) -> IngestError {
    IngestError::BadBody { what: "list of Datadog's logs", problem: error.to_string() }
}

#[cfg(test)]
mod tests;
