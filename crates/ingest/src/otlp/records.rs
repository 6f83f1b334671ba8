//! The logs request as a protobuf message. Layout (field numbers):
//!
//! ```text
//! request    resource logs = 1*
//! resource   resource = 1 (attribute = 1*)   scope logs = 2*
//! logs
//! scope      scope = 1 (name = 1   version = 2   attribute = 3*)   record = 2*
//! logs
//! record     time = 1 (fixed, ns)   severity number = 2   severity text = 3   body = 5 (a value)   attribute = 6*
//!            dropped attributes = 7   flags = 8 (fixed)   trace id = 9   span id = 10   observed = 11 (fixed, ns)
//!            event name = 12
//! ```
//!
//! Unknown fields are skipped, and of a field that may come once the last one counts, as protobuf wants it.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use parse::{FieldWriter, text_of};
use types::{GroupName, Level, Limits, Timestamp, Value, group_name_of_outside};

use super::fields::{Attribute, Kind, count, kind, write_json, write_pairs};
use super::{bad, message};
use crate::protobuf::Content;
use crate::{Beside, Collector, IngestAnswer, IngestError, OutOfScope};

/// Where events go whose resource has no name.
const GROUP: &str = "otlp";

/// Most bytes of a resource's or a scope's attributes, as sent: every record that follows has them.
const SHARED_BYTES_MAX: usize = 1 << 20;

/// Fields of a record beside its attributes.
const OWN_FIELDS_MAX: usize = 8;

/// Attributes of a record that are read once and kept until they are written; further ones are read again then. Two bytes
/// of a body can be an attribute, and one that was read takes fifty times that.
const ATTRIBUTES_KEPT_MAX: usize = 256;

/// Names and values that all records of a resource or scope have.
type Shared = Vec<(Arc<str>, Value)>;

/// The records of a request on their way into the collector.
struct Records<'c, 's, 'a, 'b> {
    collector: &'c mut Collector<'s>,
    limits: &'c Limits,
    answer: &'a mut IngestAnswer,
    /// The fields of the resource, then those of the scope.
    shared: Shared,
    /// The group's place; records of one that the sender may not write to are rejected.
    place: Result<usize, OutOfScope>,
    n_records: usize,
    /// Why the first record was out of the sender's scope.
    out_of_scope: Option<OutOfScope>,
    /// Room for texts that are made.
    text: String,
    /// The first attributes of the record at hand.
    attributes: Vec<Attribute<'b>>,
}

/// Hands over all records of `body`; those that are rejected are told by their number.
pub(super) fn read(
    body: &[u8],
    collector: &mut Collector<'_>,
    limits: &Limits,
    answer: &mut IngestAnswer,
) -> Result<(), IngestError> {
    let mut records = Records {
        collector,
        limits,
        answer,
        shared: Vec::new(),
        place: Ok(0),
        n_records: 0,
        out_of_scope: None,
        text: String::new(),
        attributes: Vec::new(),
    };
    for field in message(body) {
        if let (1, Content::Bytes(resource_logs)) = field? {
            records.resource_logs(resource_logs)?;
        }
    }
    // A sender whose every record is out of its scope is told so in the protocol's way, not by a partial success.
    match records.out_of_scope.take() {
        Some(refused) if records.collector.n_records() == 0 => Err(refused.into()),
        _ => Ok(()),
    }
}

impl<'b> Records<'_, '_, '_, 'b> {
    fn resource_logs(&mut self, resource_logs: &'b [u8]) -> Result<(), IngestError> {
        self.shared.clear();
        for field in message(resource_logs) {
            if let (1, Content::Bytes(resource)) = field? {
                self.share(resource, 1)?;
            }
        }
        let of_resource = self.shared.len();
        let said = |names: [&str; 2]| {
            names.iter().find_map(|name| {
                let found = self.shared.iter().rev().find(|(known, _)| &**known == *name);
                found.and_then(|(_, value)| match value {
                    Value::String(text) if !text.is_empty() => Some(text.clone()),
                    _ => None,
                })
            })
        };
        let group = group_of(said(["service.name"; 2]).as_deref());
        let stream = said(["service.instance.id", "host.name"]);
        self.place = self.collector.group(&group);
        if let Ok(place) = self.place {
            self.collector.set_stream(place, stream.as_deref().unwrap_or_default());
        }
        for field in message(resource_logs) {
            if let (2, Content::Bytes(scope_logs)) = field? {
                self.shared.truncate(of_resource);
                self.scope_logs(scope_logs)?;
            }
        }
        Ok(())
    }

    fn scope_logs(&mut self, scope_logs: &'b [u8]) -> Result<(), IngestError> {
        for field in message(scope_logs) {
            if let (1, Content::Bytes(scope)) = field? {
                for field in message(scope) {
                    let (name, text) = match field? {
                        (1, Content::Bytes(text)) => ("scope.name", text),
                        (2, Content::Bytes(text)) => ("scope.version", text),
                        _ => continue,
                    };
                    if !text.is_empty() {
                        self.shared.push((name.into(), Value::text(text_of(text))));
                    }
                }
                self.share(scope, 3)?;
            }
        }
        for field in message(scope_logs) {
            if let (2, Content::Bytes(record)) = field? {
                self.record(record)?;
            }
        }
        Ok(())
    }

    /// Keeps the attributes that field `number` of a resource or scope holds.
    fn share(&mut self, holder: &[u8], number: u64) -> Result<(), IngestError> {
        if holder.len() > SHARED_BYTES_MAX {
            return Err(bad(format_args!("a resource or scope has more than {SHARED_BYTES_MAX} bytes")));
        }
        for field in message(holder) {
            if let (found, Content::Bytes(attribute)) = field?
                && found == number
            {
                Attribute::read(attribute)?.write(self.limits.field_bytes_max, &mut self.shared)?;
            }
        }
        Ok(())
    }

    fn record(&mut self, bytes: &'b [u8]) -> Result<(), IngestError> {
        self.n_records += 1;
        let record = Record::read(bytes, &mut self.attributes)?;
        let place = match &self.place {
            Ok(place) => *place,
            Err(refused) => {
                self.answer.reject(self.n_records, refused);
                self.out_of_scope.get_or_insert_with(|| refused.clone());
                return Ok(());
            }
        };
        let (shared, attributes, list_bytes_max) = (&self.shared, &self.attributes, self.limits.field_bytes_max);
        let write = |fields: &mut FieldWriter<'_>| {
            for (name, value) in shared {
                fields.value(name, value);
            }
            record.write_fields(attributes, list_bytes_max, fields);
        };
        let beside = Beside {
            time: record.time(),
            level: record.level(),
            n_fields: shared.len() + record.n_attribute_fields + OWN_FIELDS_MAX,
            fields: Some(&write),
        };
        self.text.clear();
        let text = record.text(&mut self.text)?;
        if let Err(refused) = self.collector.text_with(place, text, &beside)? {
            self.answer.reject(self.n_records, &refused);
        }
        Ok(())
    }
}

fn group_of(service: Option<&str>) -> GroupName {
    group_name_of_outside(service.unwrap_or(GROUP))
}

/// A record, in place.
#[derive(Default)]
struct Record<'a> {
    bytes: &'a [u8],
    time: u64,
    observed: u64,
    severity_number: u64,
    severity_text: &'a [u8],
    body: &'a [u8],
    n_attribute_fields: usize,
    dropped_attributes: u64,
    flags: u32,
    trace_id: &'a [u8],
    span_id: &'a [u8],
    event_name: &'a [u8],
}

impl<'a> Record<'a> {
    /// Finds what a record has, and its first attributes. All of it can be read afterwards.
    fn read(bytes: &'a [u8], attributes: &mut Vec<Attribute<'a>>) -> Result<Self, IngestError> {
        let mut record = Self { bytes, ..Self::default() };
        attributes.clear();
        for field in message(bytes) {
            match field? {
                (1, Content::Fixed64(time)) => record.time = time,
                (2, Content::Number(number)) => record.severity_number = number,
                (3, Content::Bytes(text)) => record.severity_text = text,
                (5, Content::Bytes(value)) => record.body = value,
                (6, Content::Bytes(attribute)) => {
                    let attribute = Attribute::read(attribute)?;
                    record.n_attribute_fields += attribute.n_fields;
                    if attributes.len() < ATTRIBUTES_KEPT_MAX {
                        attributes.push(attribute);
                    }
                }
                (7, Content::Number(number)) => record.dropped_attributes = number,
                (8, Content::Fixed32(flags)) => record.flags = flags,
                (9, Content::Bytes(id)) => record.trace_id = id,
                (10, Content::Bytes(id)) => record.span_id = id,
                (11, Content::Fixed64(time)) => record.observed = time,
                (12, Content::Bytes(text)) => record.event_name = text,
                _ => {}
            }
        }
        count(record.body, 1)?;
        Ok(record)
    }

    /// When it happened, else when it was seen. One that nanoseconds cannot count is as far away as they can.
    fn time(&self) -> Option<Timestamp> {
        let time = if self.time == 0 { self.observed } else { self.time };
        (time != 0).then(|| Timestamp(i64::try_from(time).unwrap_or(i64::MAX)))
    }

    fn level(&self) -> Option<Level> {
        let of_number = match self.severity_number {
            number @ 1..=24 => Level::of_code(((number - 1) / 4 + 1) as u8),
            _ => None,
        };
        of_number.or_else(|| std::str::from_utf8(self.severity_text).ok().and_then(|text| Level::parse(text.trim())))
    }

    /// The message: the body as text, as JSON where it is none, else the name of the event, else its attributes.
    fn text<'t>(&self, made: &'t mut String) -> Result<&'t [u8], IngestError>
    where
        'a: 't,
    {
        for field in message(self.body) {
            // As it was sent: the collector marks what is no UTF-8.
            if let (1, Content::Bytes(text)) = field? {
                return Ok(text);
            }
        }
        match kind(self.body)? {
            Kind::Nothing if !self.event_name.is_empty() => return Ok(self.event_name),
            Kind::Nothing => write_pairs(self.attributes(), made)?,
            Kind::Bytes(bytes) => made.push_str(&data_encoding::BASE64.encode(bytes)),
            _ => write_json(self.body, made)?,
        }
        Ok(if made == "{}" && self.body.is_empty() { b"" } else { made.as_bytes() })
    }

    fn attributes(&self) -> impl Iterator<Item = Result<&'a [u8], IngestError>> {
        message(self.bytes).filter_map(|field| match field {
            Ok((6, Content::Bytes(attribute))) => Some(Ok(attribute)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
    }

    fn write_fields(&self, kept: &[Attribute<'_>], list_bytes_max: usize, fields: &mut FieldWriter<'_>) {
        let mut text = |name: &str, bytes: &[u8]| {
            if !bytes.is_empty() {
                fields.text(name, &text_of(bytes));
            }
        };
        text("severity_text", self.severity_text);
        text("event_name", self.event_name);
        write_id("trace_id", self.trace_id, fields);
        write_id("span_id", self.span_id, fields);
        let mut number = |name: &str, number: u64| {
            if number != 0 {
                fields.integer(name, i64::try_from(number).unwrap_or(i64::MAX));
            }
        };
        number("severity_number", self.severity_number);
        number("flags", self.flags.into());
        number("dropped_attributes_count", self.dropped_attributes);
        number("observed_timestamp", if self.observed == self.time { 0 } else { self.observed });
        // They were all read before.
        for attribute in kept {
            let _ = attribute.write(list_bytes_max, fields);
        }
        if kept.len() == ATTRIBUTES_KEPT_MAX {
            for attribute in self.attributes().skip(ATTRIBUTES_KEPT_MAX) {
                let _ = attribute.and_then(|bytes| Attribute::read(bytes)?.write(list_bytes_max, fields));
            }
        }
    }
}

/// Writes an id in hex; one of zeros is none.
fn write_id(name: &str, id: &[u8], fields: &mut FieldWriter<'_>) {
    let mut hex = [0; 64];
    if id.iter().all(|byte| *byte == 0) {
        return;
    }
    match hex.get_mut(..id.len() * 2) {
        Some(hex) => {
            HEXLOWER.encode_mut(id, hex);
            fields.text(name, std::str::from_utf8(hex).unwrap_or_default());
        }
        None => fields.text(name, &HEXLOWER.encode(id)),
    }
}
