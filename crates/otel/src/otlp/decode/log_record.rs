//! Log records as events.

use data_encoding::BASE64;
use parse::{FieldWriter, text_of};
use types::{Level, Timestamp};

use super::attributes::Attributes;
use super::fields::{Kind, write, write_json, write_json_pair};
use super::id::Id;
use super::records::Records;
use ingest::{EventFields, EventMetadata, IngestError, RawEvent};

/// Most fields of a record in addition to its attributes.
const OWN_FIELDS_MAX: usize = 8;

/// The body of a record.
pub(super) enum Body<'a> {
    /// A text as it was sent; the collector marks invalid UTF-8.
    Text(&'a [u8]),
    Other(Kind<'a>),
}

impl Default for Body<'_> {
    fn default() -> Self {
        Self::Other(Kind::Nothing)
    }
}

/// A record without its attributes.
#[derive(Default)]
pub(super) struct Record<'a> {
    pub(super) time: u64,
    pub(super) observed: u64,
    pub(super) severity_number: u64,
    pub(super) severity_text: &'a [u8],
    pub(super) body: Body<'a>,
    pub(super) dropped_attributes: u64,
    pub(super) flags: u32,
    pub(super) trace_id: Id<'a>,
    pub(super) span_id: Id<'a>,
    pub(super) event_name: &'a [u8],
}

impl Record<'_> {
    /// Adds the validated record to the events of its group.
    pub(super) fn add_to(&self, records: &mut Records<'_, '_>, attributes: &Attributes<'_>) -> Result<(), IngestError> {
        let Some(place) = records.place_of_next()? else { return Ok(()) };
        let (shared, list_bytes_max) = (&records.shared, records.limits.field_bytes_max);
        let write_fields = |fields: &mut FieldWriter<'_>| {
            for (name, value) in shared {
                fields.value(name, value);
            }
            fields.begin_layer();
            self.write_fields(fields);
            // They were all validated before.
            let _ = attributes.each(|key, kind| write(key, kind, list_bytes_max, fields));
            fields.join_own();
        };
        let n_max = shared.len() + attributes.n_fields + OWN_FIELDS_MAX;
        let fields = EventFields::Writer { n_max, write: &write_fields };
        let metadata = EventMetadata { time: self.time(), level: self.level(), fields, ..EventMetadata::default() };
        records.text.clear();
        let text = self.text(attributes, &mut records.text)?;
        let added = records.collector.add(place, RawEvent::Text(text), &metadata)?;
        records.note(added);
        Ok(())
    }

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
        of_number.or_else(|| std::str::from_utf8(self.severity_text).ok().and_then(|text| Level::parse(text.trim())))
    }

    /// Returns the message: the body as text or JSON, else the name of the event, else its attributes.
    fn text<'t>(&'t self, attributes: &Attributes<'_>, made: &'t mut String) -> Result<&'t [u8], IngestError> {
        match &self.body {
            Body::Text(text) => return Ok(text),
            Body::Other(Kind::Nothing) if !self.event_name.is_empty() => return Ok(self.event_name),
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
        text("severity_text", self.severity_text);
        text("event_name", self.event_name);
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
