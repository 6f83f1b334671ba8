//! The push request as JSON: `{"streams":[{"stream":{"label":"value"},"values":[["<ns>","line",{"name":"value"}?]]}]}`.
//!
//! The older form of a stream is read as well: `{"labels":"{label=\"value\"}","entries":[{"ts":"<RFC 3339>","line":"…"}]}`.
//! As in Loki, an entry may lack its line or have more than three parts, a stream may lack its labels or its values, and a
//! request without a stream is refused.
//!
//! Entries are read one at a time from the body, without memory besides the body and the events.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::value::RawValue;
use types::Timestamp;

use super::labels::{LABEL_SET_BYTES_MAX, Labels, METADATA_BYTES_MAX, Metadata, Text, bad, check_bytes};
use super::protobuf::label_set;
use super::streams::Streams;
use ingest::{IngestError, Result};

/// Passes all entries of `body` to `streams`.
pub(super) fn read(body: &str, streams: &mut Streams<'_, '_>) -> Result<()> {
    let mut json = serde_json::Deserializer::from_str(body);
    let mut entries = Entries { streams, metadata: Metadata::new(), n_streams: 0, refused: None };
    let read = Read { part: Part::Push, entries: &mut entries }.deserialize(&mut json).and_then(|()| json.end());
    match read {
        Err(error) => Err(entries.refused.take().unwrap_or_else(|| bad(error))),
        Ok(()) if entries.n_streams == 0 => Err(IngestError::NoStreams),
        Ok(()) => Ok(()),
    }
}

/// Reads the labels of a stream, unless they are too many.
fn labels_of(text: &RawValue) -> Result<Labels<'_>> {
    check_bytes("a label set", text.get().len(), LABEL_SET_BYTES_MAX)?;
    let pairs: BTreeMap<Text<'_>, &RawValue> = serde_json::from_str(text.get()).map_err(bad)?;
    let mut labels = Labels::new();
    for (name, value) in pairs {
        if let Some(value) = text_of_value(value).map_err(bad)? {
            labels.insert(name, value);
        }
    }
    Ok(labels)
}

/// Returns a value of a label or of metadata.
///
/// Labels should be texts, but some clients send other values, and Loki accepts them: they become their JSON, and `null`
/// is no label. Metadata that is not a text was refused before.
fn text_of_value(value: &RawValue) -> Result<Option<Text<'_>>, serde_json::Error> {
    let raw = value.get();
    let inside = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inside {
        None if raw == "null" => Ok(None),
        None => Ok(Some(Text(Cow::Borrowed(raw)))),
        // Most texts have no escapes, and were validated before.
        Some(inside) if !inside.contains('\\') => Ok(Some(Text(Cow::Borrowed(inside)))),
        Some(_) => serde_json::from_str(raw).map(Some),
    }
}

/// The reader of a request.
struct Entries<'e, 'c, 's, 'de> {
    streams: &'e mut Streams<'c, 's>,
    /// The metadata of the entry that is being read.
    metadata: Metadata<'de>,
    n_streams: usize,
    /// The reason why an entry is refused, unless the JSON is invalid.
    refused: Option<IngestError>,
}

impl Entries<'_, '_, '_, '_> {
    /// Stores the reason for a refusal, and returns an error that ends the reading.
    fn checked<E: Error>(&mut self, result: Result<()>) -> Result<(), E> {
        result.map_err(|error| {
            let message = error.to_string();
            self.refused = Some(error);
            E::custom(message)
        })
    }
}

/// The parts of a request, from the outside in.
#[derive(Clone, Copy)]
enum Part {
    Push,
    Streams,
    Stream,
    Values,
    Entry,
    Metadata,
}

/// Reads a part and passes its entries on.
struct Read<'r, 'e, 'c, 's, 'de> {
    part: Part,
    entries: &'r mut Entries<'e, 'c, 's, 'de>,
}

impl<'e, 'c, 's, 'de> Read<'_, 'e, 'c, 's, 'de> {
    fn inner(&mut self, part: Part) -> Read<'_, 'e, 'c, 's, 'de> {
        Read { part, entries: self.entries }
    }

    fn push<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Text<'de>>()? {
            if key.0 == "streams" {
                map.next_value_seed(self.inner(Part::Streams))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn stream<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.entries.n_streams += 1;
        let (mut has_labels, mut early_values) = (false, None);
        while let Some(key) = map.next_key::<Text<'de>>()? {
            match &*key.0 {
                "stream" => {
                    let labels = labels_of(map.next_value::<&'de RawValue>()?);
                    let begun = labels.and_then(|labels| self.entries.streams.begin(&labels));
                    self.entries.checked(begun)?;
                    has_labels = true;
                }
                "labels" => {
                    let text = map.next_value::<Text<'de>>()?;
                    let labels = label_set(&text.0).ok_or_else(|| bad(format_args!("{:?} is not a label set", text.0)));
                    let begun = labels.and_then(|labels| self.entries.streams.begin(&labels));
                    self.entries.checked(begun)?;
                    has_labels = true;
                }
                "values" | "entries" if has_labels => map.next_value_seed(self.inner(Part::Values))?,
                "values" | "entries" => early_values = Some(map.next_value::<&'de RawValue>()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if !has_labels {
            let begun = self.entries.streams.begin(&Labels::new());
            self.entries.checked(begun)?;
        }
        let Some(values) = early_values else { return Ok(()) };
        let mut json = serde_json::Deserializer::from_str(values.get());
        self.inner(Part::Values).deserialize(&mut json).map_err(A::Error::custom)
    }

    fn entry<A: SeqAccess<'de>>(mut self, mut parts: A) -> Result<(), A::Error> {
        let missing = || A::Error::invalid_length(0, &"a time and a line");
        let time: Text<'de> = parts.next_element()?.ok_or_else(missing)?;
        let line: Option<Text<'de>> = parts.next_element()?;
        self.entries.metadata.clear();
        parts.next_element_seed(self.inner(Part::Metadata))?;
        while parts.next_element::<IgnoredAny>()?.is_some() {}
        let bad_time = |_| A::Error::custom(format_args!("{:?} is not a time in nanoseconds", time.0));
        let time = Timestamp(time.0.parse().map_err(bad_time)?);
        self.add(time, line)
    }

    /// Reads an entry of the older form.
    fn old_entry<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let (mut time, mut line) = (None, None);
        self.entries.metadata.clear();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            match &*key.0 {
                "ts" | "timestamp" => time = Some(map.next_value::<Text<'de>>()?),
                "line" => line = Some(map.next_value::<Text<'de>>()?),
                "structuredMetadata" => map.next_value_seed(self.inner(Part::Metadata))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let time = time.ok_or_else(|| A::Error::missing_field("ts"))?;
        let bad_time = || A::Error::custom(format_args!("{:?} is not a time in RFC 3339", time.0));
        let time = Timestamp::parse_rfc3339(&time.0).ok_or_else(bad_time)?;
        self.add(time, line)
    }

    /// Passes on an entry with its metadata. A missing line is empty.
    fn add<E: Error>(self, time: Timestamp, line: Option<Text<'de>>) -> Result<(), E> {
        let line = line.as_ref().map_or(&b""[..], |line| line.0.as_bytes());
        let added = self.entries.streams.add(Some(time), line, &self.entries.metadata);
        self.entries.checked(added)
    }

    fn metadata<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut n_bytes = 0;
        while let Some((name, value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
            // Quotes, a colon and a comma count too: pairs may be empty.
            n_bytes += name.0.len() + value.get().len() + 4;
            self.entries.checked(check_bytes("the metadata of an entry", n_bytes, METADATA_BYTES_MAX))?;
            if !value.get().starts_with('"') {
                return Err(A::Error::custom(format_args!("the metadata {:?} is not a text: {}", name.0, value.get())));
            }
            if let Some(value) = text_of_value(value).map_err(A::Error::custom)? {
                self.entries.metadata.push((name, value));
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Read<'_, '_, '_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Read<'_, '_, '_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.part {
            Part::Push => "an object with streams",
            Part::Streams => "a list of streams",
            Part::Stream => "an object with a stream and values",
            Part::Values => "a list of entries",
            Part::Entry => "[\"<nanoseconds>\", \"line\"] with an object of metadata perhaps",
            Part::Metadata => "an object of metadata",
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        match self.part {
            Part::Push => self.push(map),
            Part::Stream => self.stream(map),
            Part::Entry => self.old_entry(map),
            Part::Metadata => self.metadata(map),
            _ => Err(A::Error::invalid_type(Unexpected::Map, &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        let part = match self.part {
            Part::Entry => return self.entry(elements),
            Part::Streams => Part::Stream,
            Part::Values => Part::Entry,
            _ => return Err(A::Error::invalid_type(Unexpected::Seq, &self)),
        };
        while elements.next_element_seed(self.inner(part))?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests;
