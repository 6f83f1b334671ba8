//! Values of OTLP's attributes and bodies, parsed in place.
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

use super::body::{bad, message};
use ingest::IngestError;
use ingest::protobuf::Content;

/// Deepest nesting of a value. OpenTelemetry's own decoders stop at 100 messages, three of which are a level.
const NESTING_MAX: usize = 64;

/// A value, parsed one level deep.
#[derive(Default)]
pub(super) enum Kind<'a> {
    /// No value.
    #[default]
    Nothing,
    Text(Cow<'a, str>),
    Boolean(bool),
    Integer(i64),
    Float(f64),
    /// A message of elements.
    List(&'a [u8]),
    /// A message of pairs.
    Object(&'a [u8]),
    Bytes(&'a [u8]),
}

/// Parses a value one level deep.
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

/// Returns the key and the value of a pair.
pub(super) fn pair(pair: &[u8]) -> Result<(Cow<'_, str>, Kind<'_>), IngestError> {
    let (mut key, mut value) = (Cow::Borrowed(""), &b""[..]);
    for field in message(pair) {
        match field? {
            (1, Content::Bytes(text)) => key = text_of(text),
            (2, Content::Bytes(bytes)) => value = bytes,
            _ => {}
        }
    }
    Ok((key, kind(value)?))
}

/// Returns the messages in field `number` of a message.
pub(super) fn elements(bytes: &[u8], number: u64) -> impl Iterator<Item = Result<&[u8], IngestError>> {
    message(bytes).filter_map(move |field| match field {
        Ok((found, Content::Bytes(element))) if found == number => Some(Ok(element)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}

/// Returns the elements of a list.
fn items(list: &[u8]) -> impl Iterator<Item = Result<Kind<'_>, IngestError>> {
    elements(list, 1).map(|element| kind(element?))
}

/// Returns the pairs of an object.
fn pairs(object: &[u8]) -> impl Iterator<Item = Result<(Cow<'_, str>, Kind<'_>), IngestError>> {
    elements(object, 1).map(|element| pair(element?))
}

/// Validates a value and counts the fields that it becomes.
#[inline]
pub(super) fn count(kind: &Kind<'_>, depth: usize) -> Result<usize, IngestError> {
    match kind {
        _ if depth > NESTING_MAX => Err(bad(format_args!("a value is nested more than {NESTING_MAX} levels deep"))),
        Kind::Nothing => Ok(0),
        Kind::List(list) => items(list).try_fold(1, |n_fields, item| count(&item?, depth + 1).map(|_| n_fields)),
        Kind::Object(object) => {
            let n_fields = pairs(object).try_fold(0, |sum, pair| Ok(sum + count(&pair?.1, depth + 1)?));
            n_fields.map(|n_fields| n_fields.max(1))
        }
        _ => Ok(1),
    }
}

/// The destination of fields: an event, or the fields that all events of a resource share.
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

/// Writes a value that [`count`] has validated as fields. Lists of up to `list_bytes_max` are values, longer ones texts.
pub(super) fn write(
    name: &str,
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
            write_json(kind, &mut json)?;
            fields.text(name, &json);
        }
        Kind::List(_) => fields.value(name, value_of(kind)?.unwrap_or(Value::List(Arc::default()))),
        Kind::Object(object) => {
            let mut is_empty = true;
            for pair in pairs(object) {
                let (key, inner) = pair?;
                write(&format!("{name}.{key}"), &inner, list_bytes_max, fields)?;
                is_empty = false;
            }
            if is_empty {
                fields.value(name, Value::Object(Arc::default()));
            }
        }
    }
    Ok(())
}

/// Returns a value that [`count`] has validated, as an element of a list.
pub(super) fn value_of(kind: &Kind<'_>) -> Result<Option<Value>, IngestError> {
    Ok(Some(match kind {
        Kind::Nothing => return Ok(None),
        Kind::Text(text) => Value::text(&**text),
        Kind::Boolean(truth) => Value::Boolean(*truth),
        Kind::Integer(number) => Value::Integer(*number),
        Kind::Float(number) if number.is_finite() => Value::Float(*number),
        Kind::Float(number) => Value::text(number.to_string()),
        Kind::Bytes(bytes) => Value::text(BASE64.encode(bytes)),
        Kind::List(list) => {
            let values = items(list).map(|item| value_of(&item?)).collect::<Result<Vec<_>, _>>()?;
            Value::List(Arc::new(values))
        }
        Kind::Object(object) => {
            let members = pairs(object).map(|pair| {
                let (key, inner) = pair?;
                Ok((Arc::from(&*key), value_of(&inner)?))
            });
            Value::Object(Arc::new(members.collect::<Result<Vec<_>, IngestError>>()?))
        }
    }))
}

/// Writes a value that [`count`] has validated as JSON.
pub(super) fn write_json(kind: &Kind<'_>, out: &mut String) -> Result<(), IngestError> {
    match kind {
        Kind::List(list) => {
            out.push('[');
            for (i, item) in items(list).enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_json(&item?, out)?;
            }
            out.push(']');
        }
        Kind::Object(object) => {
            out.push('{');
            for pair in pairs(object) {
                let (key, inner) = pair?;
                write_json_pair(&key, &inner, out)?;
            }
            out.push('}');
        }
        _ => match value_of(kind)? {
            Some(scalar) => scalar.write_json(out),
            None => out.push_str("null"),
        },
    }
    Ok(())
}

/// Writes a pair into an open JSON object.
pub(super) fn write_json_pair(key: &str, kind: &Kind<'_>, out: &mut String) -> Result<(), IngestError> {
    // No value in an object ends like this.
    if !out.ends_with('{') {
        out.push(',');
    }
    Value::text(key).write_json(out);
    out.push(':');
    write_json(kind, out)
}
