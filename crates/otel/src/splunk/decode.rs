//! Requests to Splunk's HTTP event collector: a sequence of objects, with or without space between them, or raw lines.
//!
//! `event` is the message, or the record if it is an object; `time` (seconds, a number or a text, with exact fractions) is
//! the time of the event; `host`, `source`, `sourcetype` and all of `fields` are fields. The group is `index`, else
//! `splunk`; the stream is the source on its host.
//!
//! An invalid object does not affect others; after malformed JSON only objects at the start of a line are found. A sender
//! repeats an invalid request or drops it whole: equal invalid bodies are one batch, so that nothing is stored twice.

use std::borrow::Cow;

use parse::{FieldWriter, JsonCursor, JsonError, ObjectReader, ResolvedTime};
use types::{Limits, Timestamp, group_name_of_outside};
use xxhash_rust::xxh3::xxh3_128;

use crate::bodies::{LogTarget, elements, lines, write_texts};
use ingest::{Collector, Encoding, EventFields, EventMetadata, IngestError, Intake, RawEvent, Sender, decode, lossy};

/// The group of events without an index.
const GROUP: &str = "splunk";

/// Fields of an event in addition to those in `fields`.
const OWN_FIELDS_MAX: usize = 5;

/// The form of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HecForm {
    /// Objects with an `event` each.
    Events,
    /// Raw lines.
    Raw,
}

/// Defaults of a request for all its events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HecDefaults {
    /// The group of events that name none.
    pub index: Option<String>,
    /// The host of events that name none.
    pub host: Option<String>,
    /// The file or input on the host.
    pub source: Option<String>,
    /// The type of the lines.
    pub sourcetype: Option<String>,
    /// Where all events go. Then the index is a field, and the body may be a list.
    pub target: Option<LogTarget>,
}

/// The error of an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HecFault {
    /// The request has no event.
    #[error("the request has no event")]
    NoData,
    /// It is malformed.
    #[error("{0}")]
    BadFormat(String),
    /// The sender may not write to its index, or its time is outside the retention of the group.
    #[error("{0}")]
    BadIndex(String),
    /// It has no `event`.
    #[error("the object has no event")]
    NoEvent,
    /// Its `event` is empty.
    #[error("event is empty")]
    BlankEvent,
    /// Its `fields` are not an object.
    #[error("fields is not an object of names and values")]
    BadFields,
}

/// The result of a request. Accepted events are durable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HecAnswer {
    /// Events accepted.
    pub accepted: u64,
    /// The first invalid event, counted from 0, and its error.
    pub fault: Option<(usize, HecFault)>,
}

/// An object of a request, borrowed from the body, without its fields.
#[derive(Default)]
struct Event<'a> {
    /// The JSON of the value, with quotes.
    time: Option<&'a str>,
    host: Option<Cow<'a, str>>,
    source: Option<Cow<'a, str>>,
    sourcetype: Option<Cow<'a, str>>,
    index: Option<Cow<'a, str>>,
    event: Option<Payload<'a>>,
    fields: &'a str,
    /// The error of a member.
    fault: Option<HecFault>,
}

/// The value of `event`.
enum Payload<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// The JSON of another value.
    Json(&'a str),
}

impl<'a> Event<'a> {
    /// Reads the next object, and its fields into `members`.
    fn read(json: &mut JsonCursor<'a>, members: &mut ObjectReader, limits: &Limits) -> Result<Self, JsonError> {
        let mut event = Self { fields: "{}", ..Self::default() };
        members.read_first(event.fields, limits)?;
        json.expect(b'{', "expected an object")?;
        let mut is_first = true;
        while json.has_next(is_first, b'}')? {
            is_first = false;
            match &*json.name()? {
                "time" => event.time = Some(json.skip()?),
                "event" if json.peek() == Some(b'"') => event.event = Some(Payload::Text(json.string()?)),
                "event" => event.event = Some(json.skip()?).filter(|value| *value != "null").map(Payload::Json),
                "host" => event.host = event.text("host", json)?,
                "source" => event.source = event.text("source", json)?,
                "sourcetype" => event.sourcetype = event.text("sourcetype", json)?,
                "index" => event.index = event.text("index", json)?,
                "fields" if json.peek() == Some(b'{') => {
                    let n_bytes = members.read_first(json.rest(), limits)?;
                    event.fields = &json.rest()[..n_bytes];
                    json.advance(n_bytes);
                }
                "fields" => {
                    if json.skip()? != "null" {
                        event.fault = Some(HecFault::BadFields);
                    }
                }
                _ => drop(json.skip()?),
            }
        }
        Ok(event)
    }

    /// Reads a text or `null`.
    fn text(&mut self, name: &str, json: &mut JsonCursor<'a>) -> Result<Option<Cow<'a, str>>, JsonError> {
        if json.peek() == Some(b'"') {
            return json.string().map(Some);
        }
        if json.skip()? != "null" {
            self.fault.get_or_insert(HecFault::BadFormat(format!("{name} is not a text")));
        }
        Ok(None)
    }
}

/// Stores the events of a request to the collector and returns when they are durable. Blocks.
pub fn ingest_hec(
    intake: &Intake,
    body: &[u8],
    encoding: Encoding,
    form: HecForm,
    defaults: &HecDefaults,
    sender: &Sender<'_>,
) -> Result<HecAnswer, IngestError> {
    let body = decode(body, encoding, intake.limits.body_bytes_max)?;
    let mut collector = intake.collect(sender);
    let mut events = Events::new(&mut collector, intake, defaults, sender.now);
    let n_events = match form {
        HecForm::Events => events.objects(&body)?,
        HecForm::Raw => events.lines(&body)?,
    };
    let fault = events.fault.or_else(|| (n_events == 0).then_some((0, HecFault::NoData)));
    let own_id = fault.as_ref().map(|_| format!("hec {defaults:?} {:032x}", xxh3_128(&body)));
    let sender = Sender { batch_id: sender.batch_id.or(own_id.as_deref()), ..*sender };
    let accepted = intake.accept(collector, &body, &sender)?.accepted;
    Ok(HecAnswer { accepted, fault })
}

/// The origin of an event; parts that neither event nor request names are empty.
#[derive(Clone, Copy)]
struct Origin<'o> {
    index: &'o str,
    host: &'o str,
    source: &'o str,
    sourcetype: &'o str,
}

impl<'o> Origin<'o> {
    /// Returns the defaults of the request.
    fn of_all(defaults: &'o HecDefaults) -> Self {
        let [index, host, source, sourcetype] =
            [&defaults.index, &defaults.host, &defaults.source, &defaults.sourcetype]
                .map(|text| text.as_deref().unwrap_or_default());
        Self { index, host, source, sourcetype }
    }

    /// Returns the origin that an event names, else that of the request.
    fn of(event: &'o Event<'_>, of_all: Self) -> Self {
        let said = |own: &'o Option<Cow<'_, str>>, of_all: &'o str| own.as_deref().unwrap_or(of_all);
        Self {
            index: said(&event.index, of_all.index),
            host: said(&event.host, of_all.host),
            source: said(&event.source, of_all.source),
            sourcetype: said(&event.sourcetype, of_all.sourcetype),
        }
    }

    fn write(self, fields: &mut FieldWriter<'_>) {
        for (name, text) in [("host", self.host), ("source", self.source), ("sourcetype", self.sourcetype)] {
            if !text.is_empty() {
                fields.text(name, text);
            }
        }
    }
}

/// Passes the events of a request to the collector.
struct Events<'c, 's> {
    collector: &'c mut Collector<'s>,
    intake: &'c Intake,
    of_all: Origin<'c>,
    target: Option<&'c LogTarget>,
    now: Timestamp,
    fault: Option<(usize, HecFault)>,
    /// The index of the previous event, and the place of its group.
    last: Option<(String, usize)>,
    /// Buffer for names of streams.
    stream: String,
    /// Reads `fields`.
    members: ObjectReader,
}

impl<'c, 's> Events<'c, 's> {
    fn new(collector: &'c mut Collector<'s>, intake: &'c Intake, defaults: &'c HecDefaults, now: Timestamp) -> Self {
        let (of_all, members) = (Origin::of_all(defaults), ObjectReader::default());
        let target = defaults.target.as_ref();
        Self { collector, intake, of_all, target, now, fault: None, last: None, stream: String::new(), members }
    }

    /// Adds the objects of a body; returns their number. After malformed JSON the start of the next object is unknown unless
    /// it begins a line: the rest is read line by line.
    fn objects(&mut self, body: &[u8]) -> Result<usize, IngestError> {
        let text = lossy(body, self.intake.limits.body_bytes_max)?;
        if self.target.is_some() && text.trim_start().starts_with('[') {
            return self.list(&text);
        }
        let (mut n_events, broken) = self.objects_of(&text, 0)?;
        let behind = broken.and_then(|broken| broken.split_once('\n')).map_or("", |(_, behind)| behind);
        for line in behind.split('\n').filter(|line| line.starts_with('{')) {
            n_events = self.objects_of(line, n_events)?.0;
        }
        Ok(n_events)
    }

    /// Adds the objects of a list; returns their number.
    fn list(&mut self, text: &str) -> Result<usize, IngestError> {
        let mut n_events = 0;
        for one in elements(text) {
            n_events = match one {
                Ok(one) => self.objects_of(one, n_events)?.0,
                Err(error) => {
                    self.note(n_events, HecFault::BadFormat(error.to_string()));
                    n_events + 1
                }
            };
        }
        Ok(n_events)
    }

    /// Adds a sequence of objects up to malformed JSON. Returns their number plus `n_before`, and the rest from there.
    fn objects_of<'t>(&mut self, text: &'t str, n_before: usize) -> Result<(usize, Option<&'t str>), IngestError> {
        let mut json = JsonCursor::new(text);
        let mut n_events = n_before;
        while json.peek().is_some() {
            let here = json.rest();
            match self.next(&mut json)? {
                Ok(added) => added.unwrap_or_else(|fault| self.note(n_events, fault)),
                Err(error) => {
                    self.note(n_events, HecFault::BadFormat(error.to_string()));
                    return Ok((n_events + 1, Some(here)));
                }
            }
            n_events += 1;
        }
        Ok((n_events, None))
    }

    /// Adds the next object. Other JSON is skipped; malformed JSON cannot be skipped.
    fn next(&mut self, json: &mut JsonCursor<'_>) -> Result<Result<Result<(), HecFault>, JsonError>, IngestError> {
        if matches!(json.peek(), Some(b'[' | b'"' | b'-' | b'0'..=b'9')) {
            let fault = HecFault::BadFormat(json.error("expected an object").to_string());
            return Ok(json.skip().map(|_| Err(fault)));
        }
        match Event::read(json, &mut self.members, &self.intake.limits) {
            Ok(event) => self.object(&event).map(Ok),
            Err(error) => Ok(Err(error)),
        }
    }

    fn object(&mut self, event: &Event<'_>) -> Result<Result<(), HecFault>, IngestError> {
        if let Some(fault) = &event.fault {
            return Ok(Err(fault.clone()));
        }
        let Some(payload) = &event.event else { return Ok(Err(HecFault::NoEvent)) };
        if matches!(payload, Payload::Text(text) if text.is_empty()) {
            return Ok(Err(HecFault::BlankEvent));
        }
        let (time, odd_time) = match event.time.map(|time| self.time(time)) {
            Some(Err(fault)) => return Ok(Err(fault)),
            Some(Ok(time)) => time,
            None => (None, None),
        };
        let origin = Origin::of(event, self.of_all);
        let place = match self.place(origin) {
            Ok(place) => place,
            Err(fault) => return Ok(Err(fault)),
        };
        let (members, fields) = (&self.members, event.fields);
        let index = if self.target.is_some() { origin.index } else { "" };
        let write = |writer: &mut FieldWriter<'_>| {
            origin.write(writer);
            write_texts([("index", index)], writer);
            writer.begin_layer();
            if let Some(time) = odd_time {
                writer.text("time", time);
            }
            members.write(fields, writer);
            writer.join_own();
        };
        let fields = EventFields::Writer { n_max: members.n_fields() + OWN_FIELDS_MAX, write: &write };
        let metadata = EventMetadata { time, fields, ..EventMetadata::default() };
        let raw = match payload {
            Payload::Json(record) if record.starts_with('{') => RawEvent::Record(record.as_bytes()),
            Payload::Text(text) => RawEvent::Text(text.as_bytes()),
            Payload::Json(value) => RawEvent::Text(value.as_bytes()),
        };
        let added = self.collector.add(place, raw, &metadata)?;
        Ok(added.map_err(|refused| HecFault::BadFormat(refused.to_string())))
    }

    /// Adds the lines of a body; continuation lines belong to the previous line.
    fn lines(&mut self, body: &[u8]) -> Result<usize, IngestError> {
        let of_all = self.of_all;
        let place = match self.place(of_all) {
            Ok(place) => place,
            Err(fault) => {
                self.note(0, fault);
                return Ok(1);
            }
        };
        let write = |writer: &mut FieldWriter<'_>| of_all.write(writer);
        let fields = EventFields::Writer { n_max: OWN_FIELDS_MAX, write: &write };
        let metadata = EventMetadata { fields, ..EventMetadata::default() };
        let mut n_events = 0;
        for text in lines(body, self.intake.limits.event_bytes_max) {
            if let Err(refused) = self.collector.add(place, RawEvent::Text(&text), &metadata)? {
                self.note(n_events, HecFault::BadFormat(refused.to_string()));
            }
            n_events += 1;
        }
        Ok(n_events)
    }

    /// Returns the place of an origin's group.
    fn place(&mut self, origin: Origin<'_>) -> Result<usize, HecFault> {
        let place = match &self.last {
            Some((index, place)) if index == origin.index => *place,
            _ => {
                let named = if origin.index.is_empty() { GROUP } else { origin.index };
                let group = self.target.map_or_else(|| group_name_of_outside(named), |target| target.group.clone());
                self.collector.group(&group).map_err(|refused| HecFault::BadIndex(refused.to_string()))?
            }
        };
        if self.last.as_ref().is_none_or(|(index, _)| index != origin.index) {
            self.last = Some((origin.index.to_owned(), place));
        }
        let stream = match (origin.host, origin.source) {
            ("", source) => source,
            (host, "") => host,
            (host, source) => {
                self.stream.clear();
                self.stream.extend([host, ":", source]);
                &self.stream
            }
        };
        self.collector.set_stream(place, self.target.map_or(stream, |target| &target.stream));
        Ok(place)
    }

    /// Reads `time`; an invalid one is also returned as it was sent.
    fn time<'t>(&self, raw: &'t str) -> Result<(Option<Timestamp>, Option<&'t str>), HecFault> {
        let text = raw.trim_matches('"');
        if matches!(text, "null" | "") {
            return Ok((None, None));
        }
        let received = self.intake.received(self.now);
        let plain = text.contains(['e', 'E']).then(|| text.parse::<f64>().ok()).flatten();
        // Some programs write decimals as 1.7E9.
        let read = match plain {
            Some(number) => parse::parse_time(&format!("{number:.6}"), &received),
            None => parse::parse_time(text, &received),
        };
        match read {
            Some(ResolvedTime::At(time)) => Ok((Some(time), None)),
            Some(ResolvedTime::OutOfRange) => Ok((Some(Timestamp(i64::MAX)), Some(text))),
            None => Err(HecFault::BadFormat(format!("time {text:?} is not a time"))),
        }
    }

    /// Records the first error.
    fn note(&mut self, event_idx: usize, fault: HecFault) {
        self.fault.get_or_insert((event_idx, fault));
    }
}

#[cfg(test)]
mod tests;
