//! The logs request as JSON: protobuf's JSON form, in which ids are hex, 64-bit numbers texts or numbers, and names
//! camelCase (the names of the message are understood too).
//!
//! It is written again as the protobuf message that it stands for, field by field as it is read, so that there is one
//! reader of records. No tree is built: memory is that of the message, which is bounded as a body is.

use std::borrow::Cow;
use std::fmt;

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::bad;
use crate::{IngestError, lossy};

/// Most bytes of an id in hex that is read without asking for memory; those of traces have 16.
const ID_BYTES_MAX: usize = 32;

/// What a field of a message is.
#[derive(Clone, Copy)]
enum Shape {
    Message(&'static [Field]),
    Text,
    /// Bytes in hex.
    Id,
    /// Bytes in base64.
    Bytes,
    Boolean,
    /// A varint, of 32 or 64 bits.
    Number,
    /// A varint, or the name of a severity.
    Severity,
    Fixed32,
    Fixed64,
    Double,
}

/// A field: its names and its number.
struct Field {
    name: &'static str,
    /// As the message calls it.
    snake: &'static str,
    number: u8,
    shape: Shape,
}

const fn field(name: &'static str, snake: &'static str, number: u8, shape: Shape) -> Field {
    Field { name, snake, number, shape }
}

static REQUEST: [Field; 1] = [field("resourceLogs", "resource_logs", 1, Shape::Message(&RESOURCE_LOGS))];
static RESOURCE_LOGS: [Field; 2] = [
    field("resource", "resource", 1, Shape::Message(&RESOURCE)),
    field("scopeLogs", "scope_logs", 2, Shape::Message(&SCOPE_LOGS)),
];
static RESOURCE: [Field; 1] = [field("attributes", "attributes", 1, Shape::Message(&PAIR))];
static SCOPE_LOGS: [Field; 2] = [
    field("scope", "scope", 1, Shape::Message(&SCOPE)),
    field("logRecords", "log_records", 2, Shape::Message(&RECORD)),
];
static SCOPE: [Field; 3] = [
    field("name", "name", 1, Shape::Text),
    field("version", "version", 2, Shape::Text),
    field("attributes", "attributes", 3, Shape::Message(&PAIR)),
];
static RECORD: [Field; 11] = [
    field("timeUnixNano", "time_unix_nano", 1, Shape::Fixed64),
    field("severityNumber", "severity_number", 2, Shape::Severity),
    field("severityText", "severity_text", 3, Shape::Text),
    field("body", "body", 5, Shape::Message(&VALUE)),
    field("attributes", "attributes", 6, Shape::Message(&PAIR)),
    field("droppedAttributesCount", "dropped_attributes_count", 7, Shape::Number),
    field("flags", "flags", 8, Shape::Fixed32),
    field("traceId", "trace_id", 9, Shape::Id),
    field("spanId", "span_id", 10, Shape::Id),
    field("observedTimeUnixNano", "observed_time_unix_nano", 11, Shape::Fixed64),
    field("eventName", "event_name", 12, Shape::Text),
];
static VALUE: [Field; 7] = [
    field("stringValue", "string_value", 1, Shape::Text),
    field("boolValue", "bool_value", 2, Shape::Boolean),
    field("intValue", "int_value", 3, Shape::Number),
    field("doubleValue", "double_value", 4, Shape::Double),
    field("arrayValue", "array_value", 5, Shape::Message(&LIST)),
    field("kvlistValue", "kvlist_value", 6, Shape::Message(&OBJECT)),
    field("bytesValue", "bytes_value", 7, Shape::Bytes),
];
static LIST: [Field; 1] = [field("values", "values", 1, Shape::Message(&VALUE))];
static OBJECT: [Field; 1] = [field("values", "values", 1, Shape::Message(&PAIR))];
static PAIR: [Field; 2] = [field("key", "key", 1, Shape::Text), field("value", "value", 2, Shape::Message(&VALUE))];

/// The message that a body stands for, of at most `bytes_max` bytes.
pub(super) fn to_protobuf(body: &[u8], bytes_max: usize) -> Result<Vec<u8>, IngestError> {
    let text = lossy(body, bytes_max)?;
    let mut message = Message { bytes: Vec::with_capacity(body.len()), bytes_max, is_too_large: false };
    let mut json = serde_json::Deserializer::from_str(&text);
    let read = Fields { fields: &REQUEST, message: &mut message }.deserialize(&mut json).and_then(|()| json.end());
    match read {
        Ok(()) => Ok(message.bytes),
        Err(_) if message.is_too_large => Err(IngestError::TooLarge { bytes_max }),
        Err(error) => Err(bad(error)),
    }
}

/// The message so far.
struct Message {
    bytes: Vec<u8>,
    bytes_max: usize,
    is_too_large: bool,
}

impl Message {
    fn key<E: Error>(&mut self, number: u8, wire_type: u8) -> Result<(), E> {
        if self.bytes.len() > self.bytes_max {
            self.is_too_large = true;
            return Err(E::custom("the request is too large"));
        }
        self.bytes.push(number << 3 | wire_type);
        Ok(())
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn text<E: Error>(&mut self, number: u8, bytes: &[u8]) -> Result<(), E> {
        self.key(number, 2)?;
        self.varint(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Leaves room for the length of what follows, which mostly is a byte; returns where that begins.
    fn begin<E: Error>(&mut self, number: u8) -> Result<usize, E> {
        self.key(number, 2)?;
        self.bytes.push(0);
        Ok(self.bytes.len())
    }

    /// Fills in the length of what began at `start`; what takes a longer one moves.
    fn end(&mut self, start: usize) {
        let length = self.bytes.len() - start;
        if length < 0x80 {
            self.bytes[start - 1] = length as u8;
            return;
        }
        let n_more = (length.ilog2() / 7) as usize;
        self.bytes.resize(start + length + n_more, 0);
        self.bytes.copy_within(start..start + length, start + n_more);
        for place in 0..=n_more {
            let more = if place < n_more { 0x80 } else { 0 };
            self.bytes[start - 1 + place] = (length >> (7 * place) & 0x7f) as u8 | more;
        }
    }

    /// Writes an id that is in hex; `false` where it is not.
    fn id<E: Error>(&mut self, number: u8, hex: &str) -> Result<bool, E> {
        let mut short = [0; ID_BYTES_MAX];
        let id = match short.get_mut(..hex.len() / 2).filter(|_| hex.len().is_multiple_of(2)) {
            Some(id) => HEXLOWER_PERMISSIVE.decode_mut(hex.as_bytes(), id).is_ok().then_some(Cow::Borrowed(&*id)),
            None => HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok().map(Cow::Owned),
        };
        id.map_or(Ok(false), |id| self.text(number, &id).map(|()| true))
    }
}

/// Writes the fields of one message.
struct Fields<'m> {
    fields: &'static [Field],
    message: &'m mut Message,
}

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.fields.iter().map(|field| field.name).collect();
        write!(f, "an object of {}", names.join(", "))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(field) = map.next_key_seed(Name(self.fields))? {
            match field {
                Some(field) => map.next_value_seed(One { field, message: self.message })?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Finds a field by its name.
struct Name(&'static [Field]);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<&'static Field>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<&'static Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().find(|field| field.name == name || field.snake == name))
    }
}

/// Writes one field, or each element of a list as one.
struct One<'m> {
    field: &'static Field,
    message: &'m mut Message,
}

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl One<'_> {
    fn wrong<E: Error>(&self, found: impl fmt::Display) -> E {
        let mut found = found.to_string();
        found.truncate(found.floor_char_boundary(100));
        E::custom(format_args!("{found:?} is no value of {}", self.field.name))
    }

    fn number<E: Error>(self, number: i128) -> Result<(), E> {
        let Field { number: key, shape, .. } = *self.field;
        match shape {
            Shape::Number | Shape::Severity => {
                let bits = i64::try_from(number).map(|number| number as u64).or_else(|_| u64::try_from(number));
                let bits = bits.map_err(|_| self.wrong::<E>(number))?;
                self.message.key(key, 0)?;
                self.message.varint(bits);
            }
            Shape::Fixed64 => {
                // A negative time is before all times.
                let bits = u64::try_from(number.max(0)).map_err(|_| self.wrong::<E>(number))?;
                self.message.key(key, 1)?;
                self.message.bytes.extend_from_slice(&bits.to_le_bytes());
            }
            Shape::Fixed32 => {
                let bits = u32::try_from(number).map_err(|_| self.wrong::<E>(number))?;
                self.message.key(key, 5)?;
                self.message.bytes.extend_from_slice(&bits.to_le_bytes());
            }
            Shape::Double => return self.double(number as f64),
            _ => return Err(self.wrong(number)),
        }
        Ok(())
    }

    fn double<E: Error>(self, number: f64) -> Result<(), E> {
        match self.field.shape {
            Shape::Double => {
                self.message.key(self.field.number, 1)?;
                self.message.bytes.extend_from_slice(&number.to_le_bytes());
                Ok(())
            }
            // Some write whole numbers as 1.0 or 1e9.
            _ if number.fract() == 0.0 && number.abs() < 1e20 => self.number(number as i128),
            _ => Err(self.wrong(number)),
        }
    }
}

impl<'de> Visitor<'de> for One<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of {}", self.field.name)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let Field { number, shape, .. } = *self.field;
        match shape {
            Shape::Text => self.message.text(number, text.as_bytes()),
            // Protobuf's own JSON form has ids in base64, and some exporters know no other.
            Shape::Id if self.message.id(number, text)? => Ok(()),
            Shape::Id | Shape::Bytes => match BASE64.decode(text.as_bytes()) {
                Ok(bytes) => self.message.text(number, &bytes),
                Err(_) => Err(self.wrong(text)),
            },
            Shape::Severity if text.starts_with("SEVERITY_NUMBER_") => {
                let severity = severity(text).ok_or_else(|| self.wrong::<E>(text))?;
                self.number(severity.into())
            }
            Shape::Boolean | Shape::Message(_) => Err(self.wrong(text)),
            Shape::Double => match text.parse::<f64>() {
                Ok(number) => self.double(number),
                Err(_) => Err(self.wrong(text)),
            },
            _ if text.is_empty() => Ok(()),
            _ => match text.parse::<i64>().map(i128::from).or_else(|_| text.parse::<i128>()) {
                Ok(number) => self.number(number),
                Err(_) => Err(self.wrong(text)),
            },
        }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.number(number.into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.number(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.double(number)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<(), E> {
        if !matches!(self.field.shape, Shape::Boolean) {
            return Err(self.wrong(truth));
        }
        self.message.key(self.field.number, 0)?;
        self.message.varint(truth.into());
        Ok(())
    }

    /// What is `null` is not there.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let Shape::Message(fields) = self.field.shape else { return Err(self.wrong("an object")) };
        let start = self.message.begin(self.field.number)?;
        Fields { fields, message: self.message }.visit_map(map)?;
        self.message.end(start);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        if !matches!(self.field.shape, Shape::Message(_)) {
            return Err(self.wrong("a list"));
        }
        let Self { field, message } = self;
        while elements.next_element_seed(One { field, message })?.is_some() {}
        Ok(())
    }
}

/// The number of `SEVERITY_NUMBER_WARN2`.
pub(super) fn severity(name: &str) -> Option<u8> {
    let name = name.strip_prefix("SEVERITY_NUMBER_")?;
    if name == "UNSPECIFIED" {
        return Some(0);
    }
    let (word, more) = match name.as_bytes().last()? {
        digit @ b'2'..=b'4' => (&name[..name.len() - 1], digit - b'1'),
        _ => (name, 0),
    };
    let words = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
    let place = words.iter().position(|known| *known == word)?;
    Some(place as u8 * 4 + 1 + more)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protobuf::Content;

    /// What the only field of a message holds, and its number.
    fn only(bytes: &[u8]) -> (u64, Vec<u8>) {
        let fields: Vec<_> = super::super::message(bytes).collect::<Result<_, _>>().expect("a message");
        match fields[..] {
            [(number, Content::Bytes(bytes))] => (number, bytes.to_vec()),
            _ => panic!("{fields:?}"),
        }
    }

    #[test]
    fn lengths_of_every_size_are_those_of_what_follows() {
        for n_bytes in [0, 1, 124, 125, 126, 127, 128, 129, 16_378, 16_379, 16_384, 2_097_140, 2_097_152] {
            let text = "x".repeat(n_bytes);
            let body = format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"scope":{{"name":"{text}"}}}}]}}]}}"#);
            let message = to_protobuf(body.as_bytes(), 64 << 20).expect("a request");
            let mut inner = message;
            for expected in [1, 2, 1, 1] {
                let (number, bytes) = only(&inner);
                assert_eq!(number, expected, "{n_bytes}");
                inner = bytes;
            }
            assert_eq!(inner, text.as_bytes(), "{n_bytes}");
        }
    }

    #[test]
    fn ids_are_hex_of_any_length_or_base64() {
        let id = |text: &str| {
            let body = format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"traceId":"{text}"}}]}}]}}]}}"#);
            let message = to_protobuf(body.as_bytes(), 1 << 20).ok()?;
            Some((0..4).fold(message, |inner, _| only(&inner).1))
        };
        assert_eq!(id("0A0b"), Some(vec![10, 11]));
        assert_eq!(id(&"ab".repeat(40)), Some(vec![0xab; 40]));
        assert_eq!(id("/w=="), Some(vec![0xff]));
        assert_eq!(id("abc"), None);
    }
}
