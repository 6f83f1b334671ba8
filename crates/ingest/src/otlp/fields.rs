//! Values of OTLP's attributes and bodies, taken from where they stand.
//!
//! ```text
//! value   text = 1   boolean = 2   integer = 3   double = 4   list = 5   object = 6   bytes = 7   (one of them)
//! list    value = 1*
//! object  pair = 1*
//! pair    key = 1   value = 2
//! ```

use std::borrow::Cow;
use std::sync::Arc;

use data_encoding::BASE64;
use parse::{FieldWriter, text_of};
use types::Value;

use super::{bad, message};
use crate::IngestError;
use crate::protobuf::Content;

/// Deepest nesting of a value. The decoders of OpenTelemetry itself stop at 100 messages, three of which make a level.
const NESTING_MAX: usize = 64;

/// A value, taken apart one level deep.
pub(super) enum Kind<'a> {
    /// No value at all.
    Nothing,
    Text(Cow<'a, str>),
    Boolean(bool),
    Integer(i64),
    Float(f64),
    /// Elements follow.
    List(&'a [u8]),
    /// Pairs follow.
    Object(&'a [u8]),
    Bytes(&'a [u8]),
}

/// Takes a value apart.
pub(super) fn kind(value: &[u8]) -> Result<Kind<'_>, IngestError> {
    let mut kind = Kind::Nothing;
    for field in message(value) {
        kind = match field? {
            (1, Content::Bytes(text)) => Kind::Text(text_of(text)),
            (2, Content::Number(truth)) => Kind::Boolean(truth != 0),
            // Negative numbers are 64 bits in two's complement.
            (3, Content::Number(number)) => Kind::Integer(number as i64),
            (4, Content::Fixed64(bits)) => Kind::Float(f64::from_bits(bits)),
            (5, Content::Bytes(list)) => Kind::List(list),
            (6, Content::Bytes(object)) => Kind::Object(object),
            (7, Content::Bytes(bytes)) => Kind::Bytes(bytes),
            _ => kind,
        };
    }
    Ok(kind)
}

/// The key and the value of a pair.
fn pair(pair: &[u8]) -> Result<(Cow<'_, str>, &[u8]), IngestError> {
    let (mut key, mut value) = (Cow::Borrowed(""), &b""[..]);
    for field in message(pair) {
        match field? {
            (1, Content::Bytes(text)) => key = text_of(text),
            (2, Content::Bytes(bytes)) => value = bytes,
            _ => {}
        }
    }
    Ok((key, value))
}

/// The messages that field 1 of a list or object holds.
fn elements(bytes: &[u8]) -> impl Iterator<Item = Result<&[u8], IngestError>> {
    message(bytes).filter_map(|field| match field {
        Ok((1, Content::Bytes(element))) => Some(Ok(element)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}

/// An attribute that was read, and can be to its end.
pub(super) struct Attribute<'a> {
    key: Cow<'a, str>,
    value: &'a [u8],
    kind: Kind<'a>,
    /// How many fields it becomes.
    pub(super) n_fields: usize,
}

impl<'a> Attribute<'a> {
    /// Reads the pair that an attribute is.
    pub(super) fn read(attribute: &'a [u8]) -> Result<Self, IngestError> {
        let (key, value) = pair(attribute)?;
        let kind = kind(value)?;
        let n_fields = count_kind(&kind, 1)?;
        Ok(Self { key, value, kind, n_fields })
    }

    /// Writes it as fields; lists of up to `list_bytes_max` are values, longer ones texts.
    pub(super) fn write(&self, list_bytes_max: usize, fields: &mut impl Fields) -> Result<(), IngestError> {
        write(&self.key, self.value, &self.kind, list_bytes_max, fields)
    }
}

/// Checks that a value can be read to its end, and counts the fields that it becomes.
pub(super) fn count(value: &[u8], depth: usize) -> Result<usize, IngestError> {
    count_kind(&kind(value)?, depth)
}

fn count_kind(kind: &Kind<'_>, depth: usize) -> Result<usize, IngestError> {
    if depth > NESTING_MAX {
        return Err(bad(format_args!("a value is nested more than {NESTING_MAX} levels deep")));
    }
    let mut n_fields = 0;
    match kind {
        Kind::Nothing => return Ok(0),
        Kind::List(list) => {
            for element in elements(list) {
                count(element?, depth + 1)?;
            }
        }
        Kind::Object(object) => {
            for element in elements(object) {
                n_fields += count(pair(element?)?.1, depth + 1)?;
            }
        }
        _ => {}
    }
    Ok(n_fields.max(1))
}

/// Where fields go: into an event, or into what all events of a resource have.
pub(super) trait Fields {
    fn text(&mut self, name: &str, text: &str);
    fn value(&mut self, name: &str, value: Value);
}

impl Fields for FieldWriter<'_> {
    fn text(&mut self, name: &str, text: &str) {
        FieldWriter::text(self, name, text);
    }

    fn value(&mut self, name: &str, value: Value) {
        FieldWriter::value(self, name, &value);
    }
}

impl Fields for Vec<(Arc<str>, Value)> {
    fn text(&mut self, name: &str, text: &str) {
        self.push((name.into(), Value::text(text)));
    }

    fn value(&mut self, name: &str, value: Value) {
        self.push((name.into(), value));
    }
}

fn write(
    name: &str,
    value: &[u8],
    kind: &Kind<'_>,
    list_bytes_max: usize,
    fields: &mut impl Fields,
) -> Result<(), IngestError> {
    match kind {
        Kind::Nothing => {}
        Kind::Text(text) => fields.text(name, text),
        Kind::Boolean(truth) => fields.value(name, Value::Boolean(*truth)),
        Kind::Integer(number) => fields.value(name, Value::Integer(*number)),
        Kind::Float(number) if number.is_finite() => fields.value(name, Value::Float(*number)),
        Kind::Float(number) => fields.text(name, &number.to_string()),
        Kind::Bytes(bytes) => fields.text(name, &BASE64.encode(bytes)),
        Kind::List(list) if list.len() > list_bytes_max => {
            let mut json = String::new();
            write_json(value, &mut json)?;
            fields.text(name, &json);
        }
        Kind::List(_) => fields.value(name, value_of(value)?.unwrap_or(Value::List(Arc::default()))),
        Kind::Object(object) => {
            let mut is_empty = true;
            for element in elements(object) {
                let (key, inner) = pair(element?)?;
                write(&format!("{name}.{key}"), inner, &self::kind(inner)?, list_bytes_max, fields)?;
                is_empty = false;
            }
            if is_empty {
                fields.value(name, Value::Object(Arc::default()));
            }
        }
    }
    Ok(())
}

/// An element of a list as a value.
fn value_of(value: &[u8]) -> Result<Option<Value>, IngestError> {
    Ok(Some(match kind(value)? {
        Kind::Nothing => return Ok(None),
        Kind::Text(text) => Value::text(&*text),
        Kind::Boolean(truth) => Value::Boolean(truth),
        Kind::Integer(number) => Value::Integer(number),
        Kind::Float(number) if number.is_finite() => Value::Float(number),
        Kind::Float(number) => Value::text(number.to_string()),
        Kind::Bytes(bytes) => Value::text(BASE64.encode(bytes)),
        Kind::List(list) => {
            let items = elements(list).map(|element| value_of(element?)).collect::<Result<Vec<_>, _>>()?;
            Value::List(Arc::new(items))
        }
        Kind::Object(object) => {
            let members = elements(object).map(|element| {
                let (key, inner) = pair(element?)?;
                Ok((Arc::from(&*key), value_of(inner)?))
            });
            Value::Object(Arc::new(members.collect::<Result<Vec<_>, IngestError>>()?))
        }
    }))
}

/// Writes a value that [`count`] has read as JSON.
pub(super) fn write_json(value: &[u8], out: &mut String) -> Result<(), IngestError> {
    match kind(value)? {
        Kind::List(list) => {
            out.push('[');
            for (i, element) in elements(list).enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_json(element?, out)?;
            }
            out.push(']');
        }
        Kind::Object(object) => write_pairs(elements(object), out)?,
        _ => match value_of(value)? {
            Some(scalar) => scalar.write_json(out),
            None => out.push_str("null"),
        },
    }
    Ok(())
}

/// Writes pairs as a JSON object.
pub(super) fn write_pairs<'a>(
    pairs: impl Iterator<Item = Result<&'a [u8], IngestError>>,
    out: &mut String,
) -> Result<(), IngestError> {
    out.push('{');
    for (i, element) in pairs.enumerate() {
        if i > 0 {
            out.push(',');
        }
        let (key, inner) = pair(element?)?;
        Value::text(&*key).write_json(out);
        out.push(':');
        write_json(inner, out)?;
    }
    out.push('}');
    Ok(())
}
