//! Values in protobuf's JSON form.
//!
//! Lists and objects are converted into their protobuf messages: these are smaller than the text, and their parts can be
//! read repeatedly without a search.

use std::borrow::Cow;

use data_encoding::BASE64;

use super::super::body::bad;
use super::super::fields::Kind;
use super::super::id::Id;
use super::reader::{Reader, Scalar, wrong};
use ingest::IngestError;
use ingest::protobuf::{put_bytes, put_fixed64, put_varint};

impl<'t> Reader<'t> {
    /// Reads a value.
    pub(super) fn value(&mut self) -> Result<Kind<'t>, IngestError> {
        let mut value = Kind::Nothing;
        self.object(|reader, name| {
            let found = match name {
                "stringValue" | "string_value" => reader.text(name)?.map(Kind::Text),
                "boolValue" | "bool_value" => reader.boolean(name)?.map(Kind::Boolean),
                // Numbers beyond 63 bits wrap to the same 64 bits.
                "intValue" | "int_value" => reader.integer(name)?.map(|bits| Kind::Integer(bits as i64)),
                "doubleValue" | "double_value" => reader.double(name)?.map(Kind::Float),
                "arrayValue" | "array_value" => {
                    return reader.each(name, &mut |reader| {
                        value = Kind::List(reader.list()?.into());
                        Ok(())
                    });
                }
                "kvlistValue" | "kvlist_value" => {
                    return reader.each(name, &mut |reader| {
                        value = Kind::Object(reader.pairs()?.into());
                        Ok(())
                    });
                }
                "bytesValue" | "bytes_value" => reader.bytes(name)?.map(|bytes| Kind::Bytes(bytes.into())),
                _ => return reader.skip(),
            };
            if let Some(found) = found {
                value = found;
            }
            Ok(())
        })?;
        Ok(value)
    }

    /// Reads a key and its value.
    // Inlined: to return a pair copies it, which takes longer than reading it.
    #[inline(always)]
    pub(super) fn pair(&mut self) -> Result<(Cow<'t, str>, Kind<'t>), IngestError> {
        self.json.peek();
        let start = self.json.clone();
        match self.plain_pair() {
            Some(pair) => Ok(pair),
            None => {
                self.json = start;
                self.any_pair()
            }
        }
    }

    #[inline(never)]
    fn any_pair(&mut self) -> Result<(Cow<'t, str>, Kind<'t>), IngestError> {
        let (mut key, mut value) = (Cow::Borrowed(""), Kind::Nothing);
        self.object(|reader, name| {
            match name {
                "key" => key = reader.text(name)?.unwrap_or_default(),
                "value" => reader.each(name, &mut |reader| {
                    value = reader.value()?;
                    Ok(())
                })?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok((key, value))
    }

    /// Reads a key and a text or number in their most common form; stops at any position if the form differs.
    #[inline(always)]
    fn plain_pair(&mut self) -> Option<(Cow<'t, str>, Kind<'t>)> {
        if !self.json.take_text(r#"{"key":"#) {
            return None;
        }
        let key = self.quoted()?;
        if !self.json.take_text(r#","value":{"#) {
            return None;
        }
        let value = if self.json.take_text(r#""stringValue":"#) {
            Kind::Text(self.quoted()?)
        } else if self.json.take_text(r#""intValue":"#) {
            Kind::Integer(self.integer("intValue").ok()?? as i64)
        } else if self.json.take_text(r#""doubleValue":"#) {
            Kind::Float(self.double("doubleValue").ok()??)
        } else {
            return None;
        };
        self.json.take_text("}}").then_some((key, value))
    }

    /// Reads a text if there is one, without the cost of an error.
    #[inline(always)]
    fn quoted(&mut self) -> Option<Cow<'t, str>> {
        if self.json.peek() == Some(b'"') { self.json.string().ok() } else { None }
    }

    /// Reads a list as a message of values.
    fn list(&mut self) -> Result<Vec<u8>, IngestError> {
        let mut message = Vec::new();
        self.object(|reader, name| match name {
            "values" => reader.each(name, &mut |reader| {
                put_value(1, &reader.value()?, &mut message);
                Ok(())
            }),
            _ => reader.skip(),
        })?;
        Ok(message)
    }

    /// Reads an object as a message of pairs.
    fn pairs(&mut self) -> Result<Vec<u8>, IngestError> {
        let mut message = Vec::new();
        self.object(|reader, name| match name {
            "values" => reader.each(name, &mut |reader| {
                let (key, value) = reader.pair()?;
                put_pair(1, &key, &value, &mut message);
                Ok(())
            }),
            _ => reader.skip(),
        })?;
        Ok(message)
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<Cow<'t, str>>, IngestError> {
        match self.scalar(name)? {
            Some(Scalar::Text(text)) => Ok(Some(text)),
            Some(Scalar::Word(word)) => Err(wrong(name, word)),
            None => Ok(None),
        }
    }

    fn boolean(&mut self, name: &str) -> Result<Option<bool>, IngestError> {
        match self.scalar(name)? {
            Some(Scalar::Word(word @ ("true" | "false"))) => Ok(Some(word == "true")),
            Some(Scalar::Word(found)) => Err(wrong(name, found)),
            Some(Scalar::Text(found)) => Err(wrong(name, found)),
            None => Ok(None),
        }
    }

    fn double(&mut self, name: &str) -> Result<Option<f64>, IngestError> {
        let (number, is_text) = match self.scalar(name)? {
            Some(Scalar::Text(text)) => (text, true),
            Some(Scalar::Word(word)) => (Cow::Borrowed(word), false),
            None => return Ok(None),
        };
        // Only a text can be a number that is not finite.
        match number.parse::<f64>() {
            Ok(double) if is_text || double.is_finite() => Ok(Some(double)),
            _ => Err(wrong(name, number)),
        }
    }

    /// Reads a whole number or a text of one; an empty text is absent.
    fn whole(&mut self, name: &str) -> Result<Option<i128>, IngestError> {
        match self.scalar(name)? {
            Some(Scalar::Text(text)) if text.is_empty() => Ok(None),
            Some(Scalar::Text(text)) => whole(&text).map(Some).ok_or_else(|| wrong(name, text)),
            // Some write whole numbers as 1.0 or 1e9.
            Some(Scalar::Word(word)) => match whole(word).or_else(|| whole_of_double(word)) {
                Some(number) => Ok(Some(number)),
                None => Err(wrong(name, word)),
            },
            None => Ok(None),
        }
    }

    /// Reads a whole number in quotes, the most common form of 64 bits. Reads nothing if there is none.
    #[inline]
    fn quoted_number(&mut self) -> Option<u64> {
        let digits = self.json.rest().strip_prefix('"')?;
        // Nineteen digits always fit.
        let mut number = 0;
        let mut n_digits = 0;
        for byte in digits.bytes().take(19).take_while(u8::is_ascii_digit) {
            number = number * 10 + u64::from(byte - b'0');
            n_digits += 1;
        }
        let is_ended = n_digits > 0 && digits.as_bytes().get(n_digits) == Some(&b'"');
        is_ended.then(|| {
            self.json.advance(n_digits + 2);
            number
        })
    }

    /// Reads a number of 64 bits, signed or unsigned.
    pub(super) fn integer(&mut self, name: &str) -> Result<Option<u64>, IngestError> {
        if let Some(number) = self.quoted_number() {
            return Ok(Some(number));
        }
        self.whole(name)?.map(|number| bits(name, number)).transpose()
    }

    /// Reads nanoseconds; a negative time is before all times.
    pub(super) fn time(&mut self, name: &str) -> Result<Option<u64>, IngestError> {
        if let Some(number) = self.quoted_number() {
            return Ok(Some(number));
        }
        let number = self.whole(name)?;
        number.map(|number| u64::try_from(number.max(0)).map_err(|_| wrong(name, number))).transpose()
    }

    pub(super) fn flags(&mut self, name: &str) -> Result<Option<u32>, IngestError> {
        let number = self.whole(name)?;
        number.map(|number| u32::try_from(number).map_err(|_| wrong(name, number))).transpose()
    }

    /// Reads the number of a severity, or its name.
    pub(super) fn severity(&mut self, name: &str) -> Result<Option<u64>, IngestError> {
        self.json.peek();
        if !self.json.rest().starts_with("\"SEVERITY_NUMBER_") {
            return self.integer(name);
        }
        let text = self.json.string().map_err(bad)?;
        severity(&text).map(|number| Some(number.into())).ok_or_else(|| wrong(name, text))
    }

    fn bytes(&mut self, name: &str) -> Result<Option<Vec<u8>>, IngestError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        BASE64.decode(text.as_bytes()).map(Some).map_err(|_| wrong(name, text))
    }

    /// Reads an id. Protobuf's own JSON form has ids in base64, which some exporters send.
    pub(super) fn id(&mut self, name: &str) -> Result<Id<'t>, IngestError> {
        match self.any_id(name)? {
            Id::Hex(text) if !is_hex(&text) => Err(wrong(name, text)),
            id => Ok(id),
        }
    }

    /// Reads an id. An invalid one is returned as [`Id::Hex`] with the text as sent.
    pub(super) fn any_id(&mut self, name: &str) -> Result<Id<'t>, IngestError> {
        let Some(text) = self.text(name)? else { return Ok(Id::default()) };
        if is_hex(&text) {
            return Ok(Id::Hex(text));
        }
        Ok(match BASE64.decode(text.as_bytes()) {
            Ok(id) => Id::Bytes(id.into()),
            Err(_) => Id::Hex(text),
        })
    }

    /// Reads a value of an enumeration: a number, or a prefix and one of `names`, whose index is the number.
    pub(super) fn enumeration(&mut self, name: &str, prefix: &str, names: &[&str]) -> Result<Option<u64>, IngestError> {
        if self.json.peek() != Some(b'"') || self.json.rest()[1..].starts_with(|first: char| first.is_ascii_digit()) {
            return self.integer(name);
        }
        let text = self.json.string().map_err(bad)?;
        let place = text.strip_prefix(prefix).and_then(|value| names.iter().position(|known| *known == value));
        place.map(|place| Some(place as u64)).ok_or_else(|| wrong(name, text))
    }
}

fn is_hex(text: &str) -> bool {
    text.len().is_multiple_of(2) && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// Parses a whole number, which mostly has 64 bits.
fn whole(text: &str) -> Option<i128> {
    text.parse::<i64>().map(i128::from).or_else(|_| text.parse::<i128>()).ok()
}

fn whole_of_double(text: &str) -> Option<i128> {
    let number = text.parse::<f64>().ok()?;
    (number.fract() == 0.0 && number.abs() < 1e20).then_some(number as i128)
}

fn bits(name: &str, number: i128) -> Result<u64, IngestError> {
    let bits = i64::try_from(number).map(|number| number as u64).or_else(|_| u64::try_from(number));
    bits.map_err(|_| wrong(name, number))
}

/// Returns the number of `SEVERITY_NUMBER_WARN2`.
fn severity(name: &str) -> Option<u8> {
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

/// Writes what `write` writes as field `number` of a message.
fn put_message(number: u64, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    put_varint(number << 3 | 2, out);
    // Space for the length, which mostly is a byte; a message with a longer one is moved.
    out.push(0);
    let start = out.len();
    write(out);
    let n_bytes = out.len() - start;
    if n_bytes < 0x80 {
        out[start - 1] = n_bytes as u8;
        return;
    }
    let mut length = Vec::with_capacity(10);
    put_varint(n_bytes as u64, &mut length);
    out.splice(start - 1..start, length);
}

/// Writes a value as field `number` of a message.
fn put_value(number: u64, value: &Kind<'_>, out: &mut Vec<u8>) {
    put_message(number, out, |out| match value {
        Kind::Nothing => {}
        Kind::Text(text) => put_bytes(1, text.as_bytes(), out),
        Kind::Boolean(truth) => out.extend([2 << 3, u8::from(*truth)]),
        Kind::Integer(integer) => {
            out.push(3 << 3);
            put_varint(*integer as u64, out);
        }
        Kind::Float(float) => put_fixed64(4, float.to_bits(), out),
        Kind::List(list) => put_bytes(5, list, out),
        Kind::Object(object) => put_bytes(6, object, out),
        Kind::Bytes(bytes) => put_bytes(7, bytes, out),
    });
}

/// Writes a pair as field `number` of a message.
pub(super) fn put_pair(number: u64, key: &str, value: &Kind<'_>, out: &mut Vec<u8>) {
    put_message(number, out, |out| {
        put_bytes(1, key.as_bytes(), out);
        put_value(2, value, out);
    });
}

#[cfg(test)]
mod tests;
