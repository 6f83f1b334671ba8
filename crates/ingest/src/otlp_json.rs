//! OTLP in protobuf's JSON form, rewritten as the protobuf message that it stands for, so that each signal has one reader.
//!
//! The table of messages (`messages`) says which members there are. Integers are texts or numbers, numbers that JSON does not
//! have are texts, ids are in hex, and names are in camelCase or as in the message. `null` is absent, unknown members are
//! skipped, and of a repeated member each value is written: its reader decides which counts.
//!
//! The text is read once, and nothing besides the message is built. A message is at most five times as large as its text: `1,` in a
//! list of numbers becomes nine bytes.

mod messages;

use std::borrow::Cow;

use data_encoding::BASE64;
use parse::{JsonCursor, JsonError};

use self::messages::{ATTRIBUTE, Content, Field, VALUE};
pub use self::messages::{LOGS, METRICS, OtlpMessage, TRACES};
use crate::protobuf::{put_bytes, put_fixed64, put_varint};

/// Deepest nesting of objects and lists: a nested value takes four of them.
const NESTING_MAX: usize = 280;

/// Bytes of a value that an error shows.
const SHOWN_BYTES_MAX: usize = 100;

/// Longest id in bytes, that of a trace.
pub const ID_BYTES_MAX: usize = 16;

/// Returns the message that `text` stands for.
///
/// An invalid id of a span or link is written as its text and spaces, and is longer than [`ID_BYTES_MAX`].
///
/// # Errors
/// Which value is wrong, where it is, and what was expected.
pub fn to_protobuf(text: &str, request: &'static OtlpMessage) -> Result<Vec<u8>, String> {
    let out = Vec::with_capacity(text.len() / 2);
    let mut transcoder = Transcoder { json: JsonCursor::new(text), out, depth: 0 };
    transcoder.object(request)?;
    match transcoder.json.peek() {
        None => Ok(transcoder.out),
        Some(_) => Err(told(transcoder.json.error("expected the end of the request"))),
    }
}

struct Transcoder<'t> {
    json: JsonCursor<'t>,
    out: Vec<u8>,
    /// The number of objects and lists around the position.
    depth: usize,
}

/// Why a scalar could not be written: the JSON is malformed, or else the value is none of the field.
type Refusal = Option<JsonError>;

#[cold]
fn told(error: JsonError) -> String {
    error.to_string()
}

impl<'t> Transcoder<'t> {
    /// Writes the members of an object as the fields of a message.
    fn object(&mut self, message: &'static OtlpMessage) -> Result<(), String> {
        self.enter()?;
        self.json.expect(b'{', "expected an object").map_err(told)?;
        let (mut is_first, mut next) = (true, 0);
        while self.json.has_next(is_first, b'}').map_err(told)? {
            is_first = false;
            match self.member(message.0, next)? {
                Some(place) => {
                    next = place + 1;
                    let field = &message.0[place];
                    self.value(field, field.content)?;
                }
                None => drop(self.json.skip().map_err(told)?),
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads the name of a member and returns the place of its field. Members mostly have the order of the fields, so the
    /// search begins at the `next` one.
    #[inline]
    fn member(&mut self, fields: &[Field], next: usize) -> Result<Option<usize>, String> {
        self.json.peek();
        if let Some(place) = (next..fields.len()).find(|place| self.json.take_text(fields[*place].opening)) {
            return Ok(Some(place));
        }
        let name = self.json.name().map_err(told)?;
        Ok(fields.iter().position(|field| field.is_called(&name)))
    }

    /// Writes the value of a member, or each value of a list.
    fn value(&mut self, field: &Field, content: Content) -> Result<(), String> {
        let next = self.json.peek();
        match (content, next) {
            (Content::Message(message), Some(b'{')) => {
                let (start, n_bytes) = (self.json.clone(), self.out.len());
                if std::ptr::eq(message, &ATTRIBUTE) && self.plain_attribute(field.number).is_some() {
                    return Ok(());
                }
                self.json = start;
                self.out.truncate(n_bytes);
                self.message(field.number, message)
            }
            (Content::Message(_) | Content::List(_), Some(b'[')) => {
                self.enter()?;
                self.json.take(b'[');
                let mut is_first = true;
                while self.json.has_next(is_first, b']').map_err(told)? {
                    is_first = false;
                    self.value(field, content)?;
                }
                self.depth -= 1;
                Ok(())
            }
            (Content::List(element), _) => self.value(field, *element),
            (_, Some(b'n')) if self.json.take_text("null") => Ok(()),
            _ => {
                let start = self.json.clone();
                self.scalar(field.number, content, next == Some(b'"')).map_err(|refusal| match refusal {
                    Some(error) => told(error),
                    None => {
                        self.json = start;
                        self.wrong(field, content)
                    }
                })
            }
        }
    }

    /// Writes a short attribute whose value is a scalar, in the form that most have; stops at any position if it has another.
    /// Attributes are most of a request: member by member, logs take a twentieth longer.
    fn plain_attribute(&mut self, number: u64) -> Option<()> {
        let start = self.out.len();
        self.out.extend_from_slice(&[(number << 3) as u8 | 2, 0]);
        self.plain(r#"{"key":"#)?;
        self.plain_scalar(1, Content::Text)?;
        self.plain(r#","value":{"#)?;
        let start_of_value = self.out.len();
        self.out.extend_from_slice(&[2 << 3 | 2, 0]);
        let field = VALUE.0.iter().find(|field| self.json.take_text(field.opening))?;
        self.plain_scalar(field.number, field.content)?;
        self.plain("}}")?;
        for start in [start_of_value, start] {
            let n_bytes = self.out.len() - start - 2;
            self.out[start + 1] = u8::try_from(n_bytes).ok().filter(|n_bytes| *n_bytes < 0x80)?;
        }
        Some(())
    }

    #[inline]
    fn plain(&mut self, text: &str) -> Option<()> {
        self.json.take_text(text).then_some(())
    }

    #[inline]
    fn plain_scalar(&mut self, number: u64, content: Content) -> Option<()> {
        let is_quoted = self.json.peek() == Some(b'"');
        self.scalar(number, content, is_quoted).ok()
    }

    /// Writes an object as field `number`.
    fn message(&mut self, number: u64, message: &'static OtlpMessage) -> Result<(), String> {
        put_varint(number << 3 | 2, &mut self.out);
        // Room for the length, which mostly is a byte; a message with a longer one is moved.
        self.out.push(0);
        let start = self.out.len();
        self.object(message)?;
        let (end, n_bytes) = (self.out.len(), self.out.len() - start);
        if n_bytes < 0x80 {
            self.out[start - 1] = n_bytes as u8;
            return Ok(());
        }
        self.out[start - 1] = n_bytes as u8 | 0x80;
        put_varint(n_bytes as u64 >> 7, &mut self.out);
        let n_more = self.out.len() - end;
        self.out[start..].rotate_right(n_more);
        Ok(())
    }

    fn enter(&mut self) -> Result<(), String> {
        self.depth += 1;
        types::ensure!(self.depth <= NESTING_MAX, format!("the request is nested more than {NESTING_MAX} levels deep"));
        Ok(())
    }

    /// Writes a scalar as field `number`.
    fn scalar(&mut self, number: u64, content: Content, is_quoted: bool) -> Result<(), Refusal> {
        match content {
            Content::Text => put_bytes(number, self.text(is_quoted)?.as_bytes(), &mut self.out),
            Content::Bytes => {
                let bytes = BASE64.decode(self.text(is_quoted)?.as_bytes()).map_err(|_| None)?;
                put_bytes(number, &bytes, &mut self.out);
            }
            Content::Id | Content::IdOf(_) => {
                let text = self.text(is_quoted)?;
                self.id(number, content, &text)?;
            }
            Content::Bool => match self.json.scalar() {
                Ok("true") => self.varint(number, 1),
                Ok("false") => self.varint(number, 0),
                _ => return Err(None),
            },
            Content::Double => put_fixed64(number, self.double(is_quoted)?.to_bits(), &mut self.out),
            Content::Message(_) | Content::List(_) => return Err(None),
            _ => {
                if let Some(integer) = self.integer(content, is_quoted)? {
                    self.put_integer(number, integer, content)?;
                }
            }
        }
        Ok(())
    }

    fn varint(&mut self, number: u64, value: u64) {
        put_varint(number << 3, &mut self.out);
        put_varint(value, &mut self.out);
    }

    fn put_integer(&mut self, number: u64, integer: i128, content: Content) -> Result<(), Refusal> {
        let bits =
            || i64::try_from(integer).map(i64::cast_unsigned).or_else(|_| u64::try_from(integer)).map_err(|_| None);
        match content {
            Content::Time => put_fixed64(number, u64::try_from(integer.max(0)).map_err(|_| None)?, &mut self.out),
            Content::Fixed64 => put_fixed64(number, bits()?, &mut self.out),
            Content::Fixed32 => {
                let integer = u32::try_from(integer).map_err(|_| None)?;
                put_varint(number << 3 | 5, &mut self.out);
                self.out.extend_from_slice(&integer.to_le_bytes());
            }
            Content::Zigzag => {
                let integer = i64::try_from(integer).map_err(|_| None)?;
                self.varint(number, (integer << 1 ^ integer >> 63).cast_unsigned());
            }
            _ => self.varint(number, bits()?),
        }
        Ok(())
    }

    #[inline]
    fn text(&mut self, is_quoted: bool) -> Result<Cow<'t, str>, Refusal> {
        if is_quoted { Ok(self.json.string()?) } else { Err(None) }
    }

    /// Reads an integer of any sign, a text of one, or a name of one; an empty text is absent.
    fn integer(&mut self, content: Content, is_quoted: bool) -> Result<Option<i128>, Refusal> {
        if let Some(number) = self.quoted_number() {
            return Ok(Some(number.into()));
        }
        if !is_quoted {
            let word = self.json.scalar().map_err(|_| None)?;
            // Some write integers as 1.0 or 1e9.
            return whole(word).or_else(|| whole_of_double(word)).map(Some).ok_or(None);
        }
        let text = self.json.string()?;
        if text.is_empty() {
            return Ok(None);
        }
        let named = match content {
            Content::Enum(prefix, names) => {
                text.strip_prefix(prefix).and_then(|name| names.split(' ').position(|known| known == name))
            }
            _ => None,
        };
        named.map(|place| place as i128).or_else(|| whole(&text)).map(Some).ok_or(None)
    }

    /// Reads a whole number in quotes, the most common form of 64 bits. Reads nothing if there is none.
    #[inline]
    fn quoted_number(&mut self) -> Option<u64> {
        let digits = self.json.rest().strip_prefix('"')?;
        // Nineteen digits always fit.
        let mut number = 0u64;
        let mut n_digits = 0;
        for byte in digits.bytes().take(19).take_while(u8::is_ascii_digit) {
            number = number.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
            n_digits += 1;
        }
        let is_ended = n_digits > 0 && digits.as_bytes().get(n_digits) == Some(&b'"');
        is_ended.then(|| {
            self.json.advance(n_digits + 2);
            number
        })
    }

    fn double(&mut self, is_quoted: bool) -> Result<f64, Refusal> {
        if is_quoted {
            return self.json.string()?.parse().map_err(|_| None);
        }
        let double: f64 = self.json.scalar().map_err(|_| None)?.parse().map_err(|_| None)?;
        // Only a text can be a number that is not finite.
        if double.is_finite() { Ok(double) } else { Err(None) }
    }

    /// Writes an id. Protobuf's own JSON form has ids in base64, which some exporters send.
    fn id(&mut self, number: u64, content: Content, text: &str) -> Result<(), Refusal> {
        let is_id = |n_bytes| match content {
            Content::IdOf(n_expected) => n_bytes == n_expected || n_bytes == 0,
            _ => true,
        };
        let start = self.out.len();
        put_varint(number << 3 | 2, &mut self.out);
        put_varint(text.len() as u64 / 2, &mut self.out);
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let mut seen = 0;
        self.out.extend(pairs.iter().map(|[high, low]| {
            let (high, low) = (hex_digit(*high), hex_digit(*low));
            seen |= high | low;
            high << 4 | low
        }));
        if seen < 16 && rest.is_empty() && is_id(pairs.len()) {
            return Ok(());
        }
        self.out.truncate(start);
        match BASE64.decode(text.as_bytes()) {
            Ok(id) if is_id(id.len()) => put_bytes(number, &id, &mut self.out),
            _ if matches!(content, Content::Id) => return Err(None),
            _ => put_bytes(number, format!("{text:ID_BYTES_MAX$} ").as_bytes(), &mut self.out),
        }
        Ok(())
    }

    /// Returns the error for the value that comes next.
    #[cold]
    fn wrong(&mut self, field: &Field, content: Content) -> String {
        let expected = self.json.error(match content {
            Content::Text => "expected a text",
            Content::Bytes => "expected base64",
            Content::Id | Content::IdOf(_) => "expected an id in hex",
            Content::Bool => "expected true or false",
            Content::Double => "expected a number",
            Content::Enum(..) => "expected a number or name",
            Content::Fixed32 => "expected an integer of 32 bits",
            Content::Message(_) | Content::List(_) => "expected an object",
            _ => "expected an integer of 64 bits",
        });
        match self.json.skip() {
            Err(error) => told(error),
            Ok(found) => {
                let found = found.trim_matches('"');
                let found = &found[..found.floor_char_boundary(SHOWN_BYTES_MAX)];
                format!("{found:?} is not a valid value of {}; {expected}", field.name())
            }
        }
    }
}

/// Returns the value of a hexadecimal digit, or more than any has. Without branches, since digits of ids are random.
fn hex_digit(byte: u8) -> u8 {
    let (digit, letter) = (byte.wrapping_sub(b'0'), (byte | 0x20).wrapping_sub(b'a'));
    if digit < 10 {
        digit
    } else if letter < 6 {
        letter + 10
    } else {
        u8::MAX
    }
}

/// Parses a whole number, which mostly has 64 bits.
fn whole(text: &str) -> Option<i128> {
    text.parse::<i64>().map(i128::from).or_else(|_| text.parse::<i128>()).ok()
}

fn whole_of_double(text: &str) -> Option<i128> {
    let number = text.parse::<f64>().ok()?;
    (number.fract() == 0.0 && number.abs() < 1e20).then_some(number as i128)
}

#[cfg(test)]
mod tests;
