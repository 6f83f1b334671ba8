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
    OutOfScope, RawEvent, Sender, decode, lossy,
};
use parse::{ArrivalContext, JsonCursor, JsonError};
use types::{Level, Timestamp, group_name_of_outside};

use crate::bodies::{Members, accept, add_lines, text_of_json, time_of};

/// The group of events without a service.
const GROUP: &str = "datadog";

/// Fields of an event in addition to tags and other members.
const OWN_FIELDS_MAX: usize = 4;

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

impl DatadogDefaults {
    fn n_bytes(&self) -> usize {
        self.service.len() + self.host.len() + self.source.len() + self.tags.len()
    }
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
        let (mut event, mut json) = (Self::default(), JsonCursor::new(json));
        others.begin();
        json.expect(b'{', "expected an object")?;
        let mut is_first = true;
        while json.has_next(is_first, b'}')? {
            is_first = false;
            let name = json.name()?;
            let value = json.skip()?;
            let is_scalar = !value.starts_with(['{', '[']);
            match &*name {
                _ if value == "null" => continue,
                "message" if event.message.is_none() => event.message = Some(value),
                "hostname" if is_scalar && event.host.is_empty() => event.host = text_of_json(value)?,
                "ddsource" if is_scalar && event.source.is_empty() => event.source = text_of_json(value)?,
                "service" if is_scalar && event.service.is_empty() => event.service = text_of_json(value)?,
                "ddtags" if is_scalar && event.tags.is_empty() => event.tags = text_of_json(value)?,
                "timestamp" | "@timestamp" | "date" if event.time.is_none() => {
                    let (time, is_read) = time_of(&text_of_json(value)?, received);
                    event.time = time;
                    if !is_read {
                        others.push(&name, value);
                    }
                }
                "status" => {
                    event.level = Level::parse(&text_of_json(value)?);
                    others.push(&name, value);
                }
                _ => others.push(&name, value),
            }
        }
        others.end(received.limits)?;
        Ok(event)
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
    let body = decode(body, encoding, intake.limits.body_bytes_max)?;
    let mut collector = intake.collect(sender);
    let budget = DecodeBudget::of_body(body.len());
    let mut events =
        Events { collector: &mut collector, defaults, answer: IngestAnswer::default(), budget, last: None };
    match form {
        DatadogForm::Json => events.objects(&lossy(&body, intake.limits.body_bytes_max)?)?,
        DatadogForm::Lines => events.lines(&body)?,
    }
    let answer = events.answer;
    accept(intake, collector, (&format!("datadog {defaults:?}"), &body), sender, answer)
}

/// Passes the events of a request to the collector.
struct Events<'c, 's> {
    collector: &'c mut Collector<'s>,
    defaults: &'c DatadogDefaults,
    answer: IngestAnswer,
    /// What is left for writing the request's tags once per event.
    budget: DecodeBudget,
    /// The service of the previous event, and the place of its group.
    last: Option<(String, usize)>,
}

impl Events<'_, '_> {
    fn objects(&mut self, body: &str) -> Result<(), IngestError> {
        let (mut json, mut others, mut n_events) = (JsonCursor::new(body), Members::default(), 0);
        let is_list = json.take(b'[');
        let mut out_of_scope = None;
        while if is_list { json.has_next(n_events == 0, b']').map_err(bad)? } else { n_events == 0 } {
            n_events += 1;
            let one = json.skip().map_err(bad)?;
            match self.object(one, &mut others)? {
                Ok(()) => {}
                Err(Refusal::Invalid(reason)) => self.answer.reject(n_events, &reason),
                Err(Refusal::OutOfScope(refused)) => {
                    self.answer.reject(n_events, &refused);
                    out_of_scope.get_or_insert(refused);
                }
            }
        }
        match out_of_scope {
            _ if json.peek().is_some() => Err(bad(json.error("expected the end of the request"))),
            Some(refused) if self.collector.n_records() == 0 => Err(refused.into()),
            _ => Ok(()),
        }
    }

    fn object(&mut self, json: &str, others: &mut Members) -> Result<Result<(), Refusal>, IngestError> {
        let received = *self.collector.received();
        let event = match Event::read(json, others, &received) {
            Ok(event) => event,
            Err(error) => return Ok(Err(Refusal::Invalid(error.to_string()))),
        };
        let origin = Origin::of(&event, self.defaults);
        let place = match self.place(origin) {
            Ok(place) => place,
            Err(refused) => return Ok(Err(Refusal::OutOfScope(refused))),
        };
        self.budget.spend(self.defaults.n_bytes())?;
        let is_record = event.message.is_none();
        let of_all = &self.defaults.tags;
        let write = |fields: &mut FieldWriter<'_>| {
            origin.write(fields);
            fields.begin_layer();
            tags(of_all).chain(tags(&event.tags)).for_each(|(name, value)| fields.text(name, value));
            if !is_record {
                others.write(fields);
            }
            fields.join_own();
        };
        let n_tags = tags(of_all).chain(tags(&event.tags)).count();
        let fields = EventFields::Writer { n_max: others.n_fields() + n_tags + OWN_FIELDS_MAX, write: &write };
        let metadata = EventMetadata { time: event.time, level: event.level, fields, ..EventMetadata::default() };
        let message = match event.message.map(text_of_json).transpose() {
            Ok(message) => message,
            Err(error) => return Ok(Err(Refusal::Invalid(error.to_string()))),
        };
        let raw = match &message {
            None => RawEvent::Record(others.json().as_bytes()),
            Some(record) if event.message.is_some_and(|message| message.starts_with('{')) => {
                RawEvent::Record(record.as_bytes())
            }
            Some(text) => RawEvent::Text(text.as_bytes()),
        };
        let added = self.collector.add(place, raw, &metadata)?;
        Ok(added.map_err(|refused| Refusal::Invalid(refused.to_string())))
    }

    fn lines(&mut self, body: &[u8]) -> Result<(), IngestError> {
        let nothing = Event::default();
        let origin = Origin::of(&nothing, self.defaults);
        let place = self.place(origin)?;
        let of_all = &self.defaults.tags;
        let write = |fields: &mut FieldWriter<'_>| {
            origin.write(fields);
            fields.begin_layer();
            tags(of_all).for_each(|(name, value)| fields.text(name, value));
            fields.join_own();
        };
        let fields = EventFields::Writer { n_max: tags(of_all).count() + OWN_FIELDS_MAX, write: &write };
        let metadata = EventMetadata { fields, ..EventMetadata::default() };
        let answer = &mut self.answer;
        let spend = || self.budget.spend(self.defaults.n_bytes());
        add_lines(self.collector, place, body, &metadata, spend, |at, refused| answer.reject(at + 1, &refused))?;
        Ok(())
    }

    /// Returns the place of an origin's group.
    fn place(&mut self, origin: Origin<'_>) -> Result<usize, OutOfScope> {
        let place = match &self.last {
            Some((service, place)) if service == origin.service => *place,
            _ => {
                let name = if origin.service.is_empty() { GROUP } else { origin.service };
                let place = self.collector.group(&group_name_of_outside(name))?;
                self.last = Some((origin.service.to_owned(), place));
                place
            }
        };
        self.collector.set_stream(place, origin.host);
        Ok(place)
    }
}

/// The origin of an event; parts that neither event nor request names are empty.
#[derive(Clone, Copy)]
struct Origin<'o> {
    host: &'o str,
    source: &'o str,
    service: &'o str,
}

impl<'o> Origin<'o> {
    fn of(event: &'o Event<'_>, of_all: &'o DatadogDefaults) -> Self {
        let said = |own: &'o str, of_all: &'o str| if own.is_empty() { of_all } else { own };
        Self {
            host: said(&event.host, &of_all.host),
            source: said(&event.source, &of_all.source),
            service: said(&event.service, &of_all.service),
        }
    }

    fn write(self, fields: &mut FieldWriter<'_>) {
        for (name, text) in [("host", self.host), ("source", self.source), ("service", self.service)] {
            if !text.is_empty() {
                fields.text(name, text);
            }
        }
    }
}

/// Why an event was rejected.
enum Refusal {
    Invalid(String),
    OutOfScope(OutOfScope),
}

fn bad(error: JsonError) -> IngestError {
    IngestError::BadBody { what: "list of Datadog's logs", problem: error.to_string() }
}

#[cfg(test)]
mod tests;
