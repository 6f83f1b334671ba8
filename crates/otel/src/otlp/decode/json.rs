//! A request as JSON: protobuf's JSON form, with ids in hex, 64-bit numbers as texts or numbers, and names in
//! camelCase (the names of the message are accepted, too).
//!
//! Records are parsed in place. The members of an object may have any order; records before their resource or scope are
//! skipped and read afterwards.

mod reader;
mod spans;
mod values;

use self::reader::{Reader, bytes_of};
use self::values::put_pair;
use super::attributes::Attributes;
use super::body::bad;
use super::fields::{Kind, count};
use super::log_record::{Body, Record};
use super::records::Records;
use super::signal::Signal;
use ingest::IngestError;

/// Passes all records of a request to `records`.
pub(super) fn read(text: &str, records: &mut Records<'_, '_>) -> Result<(), IngestError> {
    let mut reader = Reader::new(text);
    let mut attributes = Attributes::new(records.signal.attribute());
    let [of_resources, ..] = records.signal.json_names();
    reader.object(|reader, name| {
        if !of_resources.contains(&name) {
            return reader.skip();
        }
        reader.each(name, &mut |reader| reader.resource_records(records, &mut attributes))
    })?;
    match reader.json.peek() {
        None => Ok(()),
        Some(_) => Err(bad(reader.json.error("expected the end of the request"))),
    }
}

impl<'t> Reader<'t> {
    fn resource_records(
        &mut self,
        records: &mut Records<'_, '_>,
        attributes: &mut Attributes<'t>,
    ) -> Result<(), IngestError> {
        records.begin_resource();
        let [_, of_scopes, _] = records.signal.json_names();
        let (mut is_known, mut is_ended, mut postponed) = (false, false, Vec::new());
        self.object(|reader, name| match name {
            "resource" => {
                is_known = true;
                reader.each(name, &mut |reader| reader.resource(records))
            }
            name if is_known && of_scopes.contains(&name) => {
                if !std::mem::replace(&mut is_ended, true) {
                    records.end_resource();
                }
                reader.each(name, &mut |reader| reader.scope_records(records, attributes))
            }
            name if of_scopes.contains(&name) => {
                postponed.push(reader.json.clone());
                reader.skip()
            }
            _ => reader.skip(),
        })?;
        if !is_ended {
            records.end_resource();
        }
        self.again(postponed, |reader| {
            reader.each(of_scopes[0], &mut |reader| reader.scope_records(records, attributes))
        })
    }

    fn resource(&mut self, records: &mut Records<'_, '_>) -> Result<(), IngestError> {
        self.check_shared(records)?;
        self.object(|reader, name| match name {
            "attributes" => reader.each(name, &mut |reader| reader.share(records)),
            _ => reader.skip(),
        })
    }

    fn scope_records(
        &mut self,
        records: &mut Records<'_, '_>,
        attributes: &mut Attributes<'t>,
    ) -> Result<(), IngestError> {
        records.begin_scope();
        let [.., of_records] = records.signal.json_names();
        let (mut is_known, mut postponed) = (false, Vec::new());
        self.object(|reader, name| match name {
            "scope" => {
                is_known = true;
                reader.each(name, &mut |reader| reader.scope(records))
            }
            name if is_known && of_records.contains(&name) => {
                reader.each(name, &mut |reader| reader.add_record(records, attributes))
            }
            name if of_records.contains(&name) => {
                postponed.push(reader.json.clone());
                reader.skip()
            }
            _ => reader.skip(),
        })?;
        self.again(postponed, |reader| reader.each(of_records[0], &mut |reader| reader.add_record(records, attributes)))
    }

    fn scope(&mut self, records: &mut Records<'_, '_>) -> Result<(), IngestError> {
        self.check_shared(records)?;
        self.object(|reader, name| {
            match name {
                "name" => records.share_text("scope.name", &reader.text(name)?.unwrap_or_default()),
                "version" => records.share_text("scope.version", &reader.text(name)?.unwrap_or_default()),
                "attributes" => reader.each(name, &mut |reader| reader.share(records))?,
                _ => reader.skip()?,
            }
            Ok(())
        })
    }

    /// Shares the next attribute.
    fn share(&mut self, records: &mut Records<'_, '_>) -> Result<(), IngestError> {
        let (key, kind) = self.pair()?;
        records.share(&key, &kind)
    }

    /// Checks the size of the next resource or scope.
    fn check_shared(&self, records: &mut Records<'_, '_>) -> Result<(), IngestError> {
        records.check_shared(self.json.clone().skip().map_err(bad)?.len())
    }

    fn add_record(
        &mut self,
        records: &mut Records<'_, '_>,
        attributes: &mut Attributes<'t>,
    ) -> Result<(), IngestError> {
        match records.signal {
            Signal::Logs => self.record(attributes)?.add_to(records, attributes),
            Signal::Traces => self.span(attributes)?.add_to(records, attributes),
        }
    }

    fn record(&mut self, attributes: &mut Attributes<'t>) -> Result<Record<'t>, IngestError> {
        let mut record = Record::default();
        attributes.clear();
        self.object(|reader, name| {
            match name {
                "timeUnixNano" | "time_unix_nano" => record.time = reader.time(name)?.unwrap_or(record.time),
                "observedTimeUnixNano" | "observed_time_unix_nano" => {
                    record.observed = reader.time(name)?.unwrap_or(record.observed);
                }
                "severityNumber" | "severity_number" => {
                    record.severity_number = reader.severity(name)?.unwrap_or(record.severity_number);
                }
                "severityText" | "severity_text" => record.severity_text = bytes_of(reader.text(name)?),
                "body" => reader.each(name, &mut |reader| {
                    record.body = match reader.value()? {
                        Kind::Text(text) => Body::Text(bytes_of(Some(text))),
                        kind => {
                            count(&kind, 1)?;
                            Body::Other(kind)
                        }
                    };
                    Ok(())
                })?,
                "attributes" => reader.each(name, &mut |reader| {
                    attributes
                        .push(reader.pair()?, |number, key, kind, more| put_pair(number, key, kind, more.to_mut()))
                })?,
                "droppedAttributesCount" | "dropped_attributes_count" => {
                    record.dropped_attributes = reader.integer(name)?.unwrap_or(record.dropped_attributes);
                }
                "flags" => record.flags = reader.flags(name)?.unwrap_or(record.flags),
                "traceId" | "trace_id" => record.trace_id = reader.id(name)?,
                "spanId" | "span_id" => record.span_id = reader.id(name)?,
                "eventName" | "event_name" => record.event_name = bytes_of(reader.text(name)?),
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(record)
    }
}
