//! The logs request as JSON: protobuf's JSON form, in which ids are hex, 64-bit numbers texts or numbers, and names
//! camelCase (the names of the message are understood too).
//!
//! It is written again as the protobuf message that it stands for, field by field as it is read, so that there is one
//! reader of records. No tree is built: memory is that of the message, which is bounded as a body is.

use std::borrow::Cow;
use std::fmt::Display;

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use parse::JsonCursor;

use super::bad;
use crate::{IngestError, lossy};

/// Most bytes of an id in hex that is read without asking for memory; those of traces have 16.
const ID_BYTES_MAX: usize = 32;

/// Deepest nesting of objects and lists: four of them make a level of a value.
const NESTING_MAX: usize = 280;

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
    /// The name in quotes and the colon behind it.
    quoted: &'static str,
    /// As the message calls it.
    snake: &'static str,
    number: u8,
    shape: Shape,
}

impl Field {
    #[cold]
    fn wrong(&self, found: impl Display) -> IngestError {
        let mut found = found.to_string();
        found.truncate(found.floor_char_boundary(100));
        bad(format_args!("{found:?} is no value of {}", self.name))
    }
}

macro_rules! field {
    ($name:literal, $snake:literal, $number:literal, $shape:expr) => {
        Field { name: $name, quoted: concat!('"', $name, "\":"), snake: $snake, number: $number, shape: $shape }
    };
}

static REQUEST: [Field; 1] = [field!("resourceLogs", "resource_logs", 1, Shape::Message(&RESOURCE_LOGS))];
static RESOURCE_LOGS: [Field; 2] = [
    field!("resource", "resource", 1, Shape::Message(&RESOURCE)),
    field!("scopeLogs", "scope_logs", 2, Shape::Message(&SCOPE_LOGS)),
];
static RESOURCE: [Field; 1] = [field!("attributes", "attributes", 1, Shape::Message(&PAIR))];
static SCOPE_LOGS: [Field; 2] = [
    field!("scope", "scope", 1, Shape::Message(&SCOPE)),
    field!("logRecords", "log_records", 2, Shape::Message(&RECORD)),
];
static SCOPE: [Field; 3] = [
    field!("name", "name", 1, Shape::Text),
    field!("version", "version", 2, Shape::Text),
    field!("attributes", "attributes", 3, Shape::Message(&PAIR)),
];
static RECORD: [Field; 11] = [
    field!("timeUnixNano", "time_unix_nano", 1, Shape::Fixed64),
    field!("severityNumber", "severity_number", 2, Shape::Severity),
    field!("severityText", "severity_text", 3, Shape::Text),
    field!("body", "body", 5, Shape::Message(&VALUE)),
    field!("attributes", "attributes", 6, Shape::Message(&PAIR)),
    field!("droppedAttributesCount", "dropped_attributes_count", 7, Shape::Number),
    field!("flags", "flags", 8, Shape::Fixed32),
    field!("traceId", "trace_id", 9, Shape::Id),
    field!("spanId", "span_id", 10, Shape::Id),
    field!("observedTimeUnixNano", "observed_time_unix_nano", 11, Shape::Fixed64),
    field!("eventName", "event_name", 12, Shape::Text),
];
static VALUE: [Field; 7] = [
    field!("stringValue", "string_value", 1, Shape::Text),
    field!("boolValue", "bool_value", 2, Shape::Boolean),
    field!("intValue", "int_value", 3, Shape::Number),
    field!("doubleValue", "double_value", 4, Shape::Double),
    field!("arrayValue", "array_value", 5, Shape::Message(&LIST)),
    field!("kvlistValue", "kvlist_value", 6, Shape::Message(&OBJECT)),
    field!("bytesValue", "bytes_value", 7, Shape::Bytes),
];
static LIST: [Field; 1] = [field!("values", "values", 1, Shape::Message(&VALUE))];
static OBJECT: [Field; 1] = [field!("values", "values", 1, Shape::Message(&PAIR))];
static PAIR: [Field; 2] = [field!("key", "key", 1, Shape::Text), field!("value", "value", 2, Shape::Message(&VALUE))];

/// The message that a body stands for, of at most `bytes_max` bytes.
pub(super) fn to_protobuf(body: &[u8], bytes_max: usize) -> Result<Vec<u8>, IngestError> {
    let text = lossy(body, bytes_max)?;
    let message = Message { bytes: Vec::with_capacity(body.len() / 2), bytes_max };
    let mut transcriber = Transcriber { json: JsonCursor::new(&text), message, depth: 0 };
    transcriber.object(&REQUEST)?;
    match transcriber.json.peek() {
        None => Ok(transcriber.message.bytes),
        Some(_) => Err(bad(transcriber.json.error("expected the end of the request"))),
    }
}

/// The message so far.
struct Message {
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl Message {
    fn key(&mut self, number: u8, wire_type: u8) -> Result<(), IngestError> {
        if self.bytes.len() > self.bytes_max {
            return Err(IngestError::TooLarge { bytes_max: self.bytes_max });
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

    fn text(&mut self, number: u8, bytes: &[u8]) -> Result<(), IngestError> {
        self.key(number, 2)?;
        self.varint(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Leaves room for the length of what follows, which mostly is a byte; returns where that begins.
    fn begin(&mut self, number: u8) -> Result<usize, IngestError> {
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
    fn id(&mut self, number: u8, hex: &str) -> Result<bool, IngestError> {
        let mut short = [0; ID_BYTES_MAX];
        let id = match short.get_mut(..hex.len() / 2).filter(|_| hex.len().is_multiple_of(2)) {
            Some(id) => HEXLOWER_PERMISSIVE.decode_mut(hex.as_bytes(), id).is_ok().then_some(Cow::Borrowed(&*id)),
            None => HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok().map(Cow::Owned),
        };
        id.map_or(Ok(false), |id| self.text(number, &id).map(|()| true))
    }
}

/// Reads a request and writes it as it goes.
struct Transcriber<'t> {
    json: JsonCursor<'t>,
    message: Message,
    /// Objects and lists around what comes next.
    depth: usize,
}

impl Transcriber<'_> {
    /// Writes the members of an object as fields of a message.
    fn object(&mut self, fields: &'static [Field]) -> Result<(), IngestError> {
        self.enter()?;
        self.json.expect(b'{', "expected an object").map_err(bad)?;
        let (mut is_first, mut likely) = (true, 0);
        while self.json.has_next(is_first, b'}').map_err(bad)? {
            is_first = false;
            match self.field(fields, likely)? {
                Some(idx) => {
                    likely = idx + 1;
                    self.value(&fields[idx])?;
                }
                None => drop(self.json.skip().map_err(bad)?),
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Goes past a name; returns the field's place, which mostly is the likely one.
    fn field(&mut self, fields: &[Field], likely: usize) -> Result<Option<usize>, IngestError> {
        self.json.peek();
        if let Some(field) = fields.get(likely)
            && self.json.take_text(field.quoted)
        {
            return Ok(Some(likely));
        }
        let name = self.json.name().map_err(bad)?;
        Ok(fields.iter().position(|field| field.name == name || field.snake == name))
    }

    /// Writes what one field holds, or each element of its list as one.
    fn value(&mut self, field: &'static Field) -> Result<(), IngestError> {
        match self.json.peek() {
            Some(b'"') => {
                let text = self.json.string().map_err(bad)?;
                self.text(field, &text)
            }
            Some(b'{') => {
                let Shape::Message(fields) = field.shape else { return Err(field.wrong("an object")) };
                let start = self.message.begin(field.number)?;
                self.object(fields)?;
                self.message.end(start);
                Ok(())
            }
            Some(b'[') => self.list(field),
            _ => {
                let scalar = self.json.scalar().map_err(bad)?;
                self.scalar(field, scalar)
            }
        }
    }

    fn list(&mut self, field: &'static Field) -> Result<(), IngestError> {
        let Shape::Message(fields) = field.shape else { return Err(field.wrong("a list")) };
        self.enter()?;
        self.json.expect(b'[', "expected a list").map_err(bad)?;
        let mut is_first = true;
        while self.json.has_next(is_first, b']').map_err(bad)? {
            is_first = false;
            if !(std::ptr::eq(fields, &PAIR) && self.plain_pair(field.number)?) {
                self.value(field)?;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Writes a pair that is written as most are, a text by its name without space or escapes; `false` where it is another.
    fn plain_pair(&mut self, number: u8) -> Result<bool, IngestError> {
        self.json.peek();
        let rest = self.json.rest();
        let Some((key, value, behind)) = plain_pair(rest) else { return Ok(false) };
        self.json.advance(rest.len() - behind.len());
        let pair = self.message.begin(number)?;
        self.message.text(1, key.as_bytes())?;
        let inner = self.message.begin(2)?;
        self.message.text(1, value.as_bytes())?;
        self.message.end(inner);
        self.message.end(pair);
        Ok(true)
    }

    fn enter(&mut self) -> Result<(), IngestError> {
        self.depth += 1;
        if self.depth > NESTING_MAX {
            return Err(bad(format_args!("the request is nested more than {NESTING_MAX} levels deep")));
        }
        Ok(())
    }

    fn text(&mut self, field: &Field, text: &str) -> Result<(), IngestError> {
        let number = field.number;
        match field.shape {
            Shape::Text => self.message.text(number, text.as_bytes()),
            // Protobuf's own JSON form has ids in base64, and some exporters know no other.
            Shape::Id if self.message.id(number, text)? => Ok(()),
            Shape::Id | Shape::Bytes => match BASE64.decode(text.as_bytes()) {
                Ok(bytes) => self.message.text(number, &bytes),
                Err(_) => Err(field.wrong(text)),
            },
            Shape::Severity if text.starts_with("SEVERITY_NUMBER_") => {
                let severity = severity(text).ok_or_else(|| field.wrong(text))?;
                self.number(field, severity.into())
            }
            Shape::Boolean | Shape::Message(_) => Err(field.wrong(text)),
            Shape::Double => match text.parse::<f64>() {
                Ok(number) => self.double(field, number),
                Err(_) => Err(field.wrong(text)),
            },
            _ if text.is_empty() => Ok(()),
            _ => match whole(text) {
                Some(number) => self.number(field, number),
                None => Err(field.wrong(text)),
            },
        }
    }

    /// Writes a number or a word. What is `null` is not there.
    fn scalar(&mut self, field: &Field, scalar: &str) -> Result<(), IngestError> {
        match scalar {
            "null" => Ok(()),
            "true" | "false" if matches!(field.shape, Shape::Boolean) => {
                self.message.key(field.number, 0)?;
                self.message.varint((scalar == "true").into());
                Ok(())
            }
            _ if !scalar.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => Err(field.wrong(scalar)),
            _ => match (whole(scalar), scalar.parse::<f64>()) {
                (Some(number), _) => self.number(field, number),
                (None, Ok(number)) if number.is_finite() => self.double(field, number),
                _ => Err(field.wrong(scalar)),
            },
        }
    }

    fn number(&mut self, field: &Field, number: i128) -> Result<(), IngestError> {
        match field.shape {
            Shape::Number | Shape::Severity => {
                let bits = i64::try_from(number).map(|number| number as u64).or_else(|_| u64::try_from(number));
                let bits = bits.map_err(|_| field.wrong(number))?;
                self.message.key(field.number, 0)?;
                self.message.varint(bits);
            }
            Shape::Fixed64 => {
                // A negative time is before all times.
                let bits = u64::try_from(number.max(0)).map_err(|_| field.wrong(number))?;
                self.message.key(field.number, 1)?;
                self.message.bytes.extend_from_slice(&bits.to_le_bytes());
            }
            Shape::Fixed32 => {
                let bits = u32::try_from(number).map_err(|_| field.wrong(number))?;
                self.message.key(field.number, 5)?;
                self.message.bytes.extend_from_slice(&bits.to_le_bytes());
            }
            Shape::Double => return self.double(field, number as f64),
            _ => return Err(field.wrong(number)),
        }
        Ok(())
    }

    fn double(&mut self, field: &Field, number: f64) -> Result<(), IngestError> {
        match field.shape {
            Shape::Double => {
                self.message.key(field.number, 1)?;
                self.message.bytes.extend_from_slice(&number.to_le_bytes());
                Ok(())
            }
            // Some write whole numbers as 1.0 or 1e9.
            _ if number.fract() == 0.0 && number.abs() < 1e20 => self.number(field, number as i128),
            _ => Err(field.wrong(number)),
        }
    }
}

/// The key and the text of a pair that begins `json`, and what stands behind it.
fn plain_pair(json: &str) -> Option<(&str, &str, &str)> {
    fn split(text: &str) -> Option<(&str, &str)> {
        let end = memchr::memchr2(b'"', b'\\', text.as_bytes())?;
        text.split_at_checked(end)
    }
    let (key, behind) = split(json.strip_prefix(r#"{"key":""#)?)?;
    let (value, behind) = split(behind.strip_prefix(r#"","value":{"stringValue":""#)?)?;
    Some((key, value, behind.strip_prefix(r#""}}"#)?))
}

/// A whole number, which mostly has 64 bits.
fn whole(text: &str) -> Option<i128> {
    text.parse::<i64>().map(i128::from).or_else(|_| text.parse::<i128>()).ok()
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
    fn space_order_and_members_that_nobody_knows_change_nothing() {
        let compact = r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeLogs":[{"logRecords":[{"timeUnixNano":"1795175700000000001","severityNumber":9,"body":{"stringValue":"a \"b\" \u00e9"},"attributes":[{"key":"n","value":{"intValue":"-7"}},{"key":"l","value":{"arrayValue":{"values":[{"doubleValue":0.5},{"boolValue":true}]}}}]}]}]}]}"#;
        let tree: serde_json::Value = serde_json::from_str(compact).expect("JSON");
        // The members of an object in the order of their names.
        let pretty = serde_json::to_string_pretty(&tree)
            .expect("JSON")
            .replace("\"attributes\":", "\"unknown\": [{\"attributes\": \"}\\\"\"}, null],\n\"attributes\":");
        let fields = |text: &str| {
            let message = to_protobuf(text.as_bytes(), 1 << 20).expect("a request");
            let mut bytes = message;
            bytes.sort_unstable();
            bytes
        };
        assert_eq!(fields(&pretty), fields(compact));
        assert_eq!(fields(&pretty.replace("severityNumber", "severity_number")), fields(compact));
        assert_ne!(fields(&compact.replace("-7", "-8")), fields(compact));
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
