//! Passes the records of a logs request to the collector, in either encoding.

use std::borrow::Cow;
use std::sync::Arc;

use data_encoding::{BASE64, HEXLOWER};
use parse::{FieldWriter, text_of};
use types::{GroupName, Level, Limits, Timestamp, Value, group_name_of_outside};

use super::body::bad;
use super::fields::{Kind, count, elements, pair, write, write_json, write_json_pair};
use ingest::{Collector, EventFields, EventMetadata, IngestAnswer, IngestError, OutOfScope, RawEvent};

/// The group of events whose resource has no name.
const GROUP: &str = "otlp";

/// Limit on the bytes of a resource's or a scope's attributes as sent: every record has them.
const SHARED_BYTES_MAX: usize = 1 << 20;

/// Fields of a record in addition to its attributes.
const OWN_FIELDS_MAX: usize = 8;

/// Limit on the parsed attributes of a record that are stored until they are written; further ones are parsed again. Two
/// bytes of a body can be an attribute, and a parsed one needs fifty times that.
const ATTRIBUTES_KEPT_MAX: usize = 256;

/// The number of attributes in the message of a record.
pub(super) const ATTRIBUTE: u8 = 6;

/// Builds events from the parts of a request, in the order of resources, scopes and records.
pub(super) struct Records<'c, 's> {
    collector: &'c mut Collector<'s>,
    limits: &'c Limits,
    answer: &'c mut IngestAnswer,
    /// Names and values that records share: the fields of the resource, then those of the scope.
    shared: Vec<(Arc<str>, Value)>,
    /// The number of those from the resource.
    n_of_resource: usize,
    /// The place of the group in the collector; `None` outside the sender's scope, where records are rejected.
    place: Result<usize, OutOfScope>,
    n_records: usize,
    /// The reason why the first record was outside the sender's scope.
    out_of_scope: Option<OutOfScope>,
    /// Buffer for texts.
    text: String,
}

impl<'c, 's> Records<'c, 's> {
    /// Passes records to `collector`, and the numbers of rejected ones to `answer`.
    pub(super) fn new(collector: &'c mut Collector<'s>, limits: &'c Limits, answer: &'c mut IngestAnswer) -> Self {
        Self {
            collector,
            limits,
            answer,
            shared: Vec::new(),
            n_of_resource: 0,
            place: Ok(0),
            n_records: 0,
            out_of_scope: None,
            text: String::new(),
        }
    }

    /// Begins a resource without attributes.
    pub(super) fn begin_resource(&mut self) {
        self.shared.clear();
    }

    /// Checks the bytes of a resource or scope against their limit.
    pub(super) fn check_shared(&self, n_bytes: usize) -> Result<(), IngestError> {
        if n_bytes > SHARED_BYTES_MAX {
            return Err(bad(format_args!("a resource or scope has more than {SHARED_BYTES_MAX} bytes")));
        }
        Ok(())
    }

    /// Stores an attribute of the resource or scope.
    pub(super) fn share(&mut self, key: &str, kind: &Kind<'_>) -> Result<(), IngestError> {
        count(kind, 1)?;
        write(key, kind, self.limits.field_bytes_max, &mut self.shared)
    }

    /// Ends a resource, whose attributes name the group and stream of its records.
    pub(super) fn end_resource(&mut self) {
        self.n_of_resource = self.shared.len();
        let said = |name: &str| {
            let found = self.shared.iter().rev().find(|(known, _)| &**known == name);
            found.and_then(|(_, value)| match value {
                Value::String(text) if !text.is_empty() => Some(text.clone()),
                _ => None,
            })
        };
        let group = group_of(said("service.name").as_deref());
        let stream = said("service.instance.id").or_else(|| said("host.name"));
        self.place = self.collector.group(&group);
        if let Ok(place) = self.place {
            self.collector.set_stream(place, stream.as_deref().unwrap_or_default());
        }
    }

    /// Begins a scope of the resource.
    pub(super) fn begin_scope(&mut self) {
        self.shared.truncate(self.n_of_resource);
    }

    /// Stores the scope's name or version.
    pub(super) fn share_text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.shared.push((name.into(), Value::text(text)));
        }
    }

    /// Adds a validated record.
    pub(super) fn add(&mut self, record: &Record<'_>, attributes: &Attributes<'_>) -> Result<(), IngestError> {
        self.n_records += 1;
        let place = match &self.place {
            Ok(place) => *place,
            Err(refused) => {
                self.answer.reject(self.n_records, refused);
                self.out_of_scope.get_or_insert_with(|| refused.clone());
                return Ok(());
            }
        };
        let (shared, list_bytes_max) = (&self.shared, self.limits.field_bytes_max);
        let write_fields = |fields: &mut FieldWriter<'_>| {
            for (name, value) in shared {
                fields.value(name, value);
            }
            record.write_fields(fields);
            // They were all validated before.
            let _ = attributes.each(|key, kind| write(key, kind, list_bytes_max, fields));
        };
        let n_max = shared.len() + attributes.n_fields + OWN_FIELDS_MAX;
        let fields = EventFields::Writer { n_max, write: &write_fields };
        let metadata = EventMetadata { time: record.time(), level: record.level(), fields, offset: None };
        self.text.clear();
        let text = record.text(attributes, &mut self.text)?;
        if let Err(refused) = self.collector.add(place, RawEvent::Text(text), &metadata)? {
            self.answer.reject(self.n_records, &refused);
        }
        Ok(())
    }

    /// Ends the request. If all records are outside the sender's scope, the request fails instead of a partial success.
    pub(super) fn finish(self) -> Result<(), IngestError> {
        match self.out_of_scope {
            Some(refused) if self.collector.n_records() == 0 => Err(refused.into()),
            _ => Ok(()),
        }
    }
}

fn group_of(service: Option<&str>) -> GroupName {
    group_name_of_outside(service.unwrap_or(GROUP))
}

/// The attributes of the current record.
#[derive(Default)]
pub(super) struct Attributes<'a> {
    kept: Vec<(Cow<'a, str>, Kind<'a>)>,
    /// A message of a record with the attributes that are not stored.
    more: Cow<'a, [u8]>,
    /// The number of fields that all of them become.
    n_fields: usize,
}

impl<'a> Attributes<'a> {
    /// Begins a record.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
        self.more = Cow::default();
        self.n_fields = 0;
    }

    /// Adds an attribute. Beyond the limit, `put` adds it to a message of the record.
    #[inline]
    pub(super) fn push(
        &mut self,
        (key, kind): (Cow<'a, str>, Kind<'a>),
        put: impl FnOnce(&str, &Kind<'_>, &mut Cow<'a, [u8]>),
    ) -> Result<(), IngestError> {
        self.n_fields += count(&kind, 1)?;
        if self.kept.len() < ATTRIBUTES_KEPT_MAX {
            self.kept.push((key, kind));
        } else {
            put(&key, &kind, &mut self.more);
        }
        Ok(())
    }

    fn each(&self, mut take: impl FnMut(&str, &Kind<'_>) -> Result<(), IngestError>) -> Result<(), IngestError> {
        self.kept.iter().try_for_each(|(key, kind)| take(key, kind))?;
        for attribute in elements(&self.more, ATTRIBUTE.into()) {
            let (key, kind) = pair(attribute?)?;
            take(&key, &kind)?;
        }
        Ok(())
    }
}

/// The body of a record.
pub(super) enum Body<'a> {
    /// A text as it was sent; the collector marks invalid UTF-8.
    Text(Cow<'a, [u8]>),
    Other(Kind<'a>),
}

impl Default for Body<'_> {
    fn default() -> Self {
        Self::Other(Kind::Nothing)
    }
}

/// The id of a trace or span.
pub(super) enum Id<'a> {
    Bytes(Cow<'a, [u8]>),
    /// Digits in hex, two for each byte.
    Hex(Cow<'a, str>),
}

impl Default for Id<'_> {
    fn default() -> Self {
        Self::Bytes(Cow::default())
    }
}

/// A record without its attributes.
#[derive(Default)]
pub(super) struct Record<'a> {
    pub(super) time: u64,
    pub(super) observed: u64,
    pub(super) severity_number: u64,
    pub(super) severity_text: Cow<'a, [u8]>,
    pub(super) body: Body<'a>,
    pub(super) dropped_attributes: u64,
    pub(super) flags: u32,
    pub(super) trace_id: Id<'a>,
    pub(super) span_id: Id<'a>,
    pub(super) event_name: Cow<'a, [u8]>,
}

impl Record<'_> {
    /// Returns the time of the event, else that of its observation, saturated to the range of nanoseconds.
    fn time(&self) -> Option<Timestamp> {
        let time = if self.time == 0 { self.observed } else { self.time };
        (time != 0).then(|| Timestamp(i64::try_from(time).unwrap_or(i64::MAX)))
    }

    fn level(&self) -> Option<Level> {
        let of_number = match self.severity_number {
            number @ 1..=24 => Level::of_code(((number - 1) / 4 + 1) as u8),
            _ => None,
        };
        of_number.or_else(|| std::str::from_utf8(&self.severity_text).ok().and_then(|text| Level::parse(text.trim())))
    }

    /// Returns the message: the body as text or JSON, else the name of the event, else its attributes.
    fn text<'t>(&'t self, attributes: &Attributes<'_>, made: &'t mut String) -> Result<&'t [u8], IngestError> {
        match &self.body {
            Body::Text(text) => return Ok(text),
            Body::Other(Kind::Nothing) if !self.event_name.is_empty() => return Ok(&self.event_name),
            Body::Other(Kind::Nothing) => {
                made.push('{');
                attributes.each(|key, kind| write_json_pair(key, kind, made))?;
                made.push('}');
                if made == "{}" {
                    made.clear();
                }
            }
            Body::Other(Kind::Bytes(bytes)) => made.push_str(&BASE64.encode(bytes)),
            Body::Other(kind) => write_json(kind, made)?,
        }
        Ok(made.as_bytes())
    }

    fn write_fields(&self, fields: &mut FieldWriter<'_>) {
        let mut text = |name: &str, bytes: &[u8]| {
            if !bytes.is_empty() {
                fields.text(name, &text_of(bytes));
            }
        };
        text("severity_text", &self.severity_text);
        text("event_name", &self.event_name);
        self.trace_id.write("trace_id", fields);
        self.span_id.write("span_id", fields);
        let mut number = |name: &str, number: u64| {
            if number != 0 {
                fields.integer(name, i64::try_from(number).unwrap_or(i64::MAX));
            }
        };
        number("severity_number", self.severity_number);
        number("flags", self.flags.into());
        number("dropped_attributes_count", self.dropped_attributes);
        number("observed_timestamp", if self.observed == self.time { 0 } else { self.observed });
    }
}

impl Id<'_> {
    /// Writes the id in lower-case hex; an id of zeros is absent.
    fn write(&self, name: &str, fields: &mut FieldWriter<'_>) {
        match self {
            Self::Hex(hex) if hex.bytes().all(|digit| digit == b'0') => {}
            Self::Hex(hex) if hex.bytes().any(|digit| digit.is_ascii_uppercase()) => {
                fields.text(name, &hex.to_ascii_lowercase());
            }
            Self::Hex(hex) => fields.text(name, hex),
            Self::Bytes(id) if id.iter().all(|byte| *byte == 0) => {}
            Self::Bytes(id) => {
                let mut room = [0; 64];
                match room.get_mut(..id.len() * 2) {
                    Some(hex) => fields.text(name, HEXLOWER.encode_mut_str(id, hex)),
                    None => fields.text(name, &HEXLOWER.encode(id)),
                }
            }
        }
    }
}
