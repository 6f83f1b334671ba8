//! Numbers, texts and values as bytes: what partial results are made of, on disk and between nodes.
//!
//! ```text
//! count     LEB128, 1 to 10 bytes               (of 128 bits: 1 to 19)
//! whole     zigzag of a signed number, as a count
//! decimal   8 bytes, little endian
//! text      count of bytes · UTF-8
//! value     tag u8 · 0 missing | 1 text | 2 whole | 3 decimal | 4 false | 5 true | 6 instant as whole
//!                    | 7 count · values | 8 count · (text · value)…
//! ```
//!
//! Reading believes nothing: a count is compared with the bytes that are left before room is made for it, nesting
//! is bounded, and whatever does not fit is an error.

use std::sync::Arc;

use crate::{Timestamp, Value};

/// The deepest nesting of a value. Events nest less, and so does what queries make of them.
const NESTING_MAX: usize = 256;

/// Bytes that are no partial of the plan they are read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("partial result is no {expected} at byte {offset}")]
pub struct CodecError {
    expected: &'static str,
    offset: usize,
}

/// Appends a count.
pub fn put_count(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a signed number.
pub fn put_whole(number: i64, out: &mut Vec<u8>) {
    put_count(((number << 1) ^ (number >> 63)) as u64, out);
}

/// Appends a signed number of 128 bits.
pub fn put_wide(number: i128, out: &mut Vec<u8>) {
    let mut zigzag = ((number << 1) ^ (number >> 127)) as u128;
    while zigzag >= 0x80 {
        out.push(zigzag as u8 | 0x80);
        zigzag >>= 7;
    }
    out.push(zigzag as u8);
}

/// Appends a decimal number.
pub fn put_decimal(number: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(&number.to_bits().to_le_bytes());
}

/// Appends a text.
pub fn put_text(text: &str, out: &mut Vec<u8>) {
    put_count(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

/// Appends a value or that it is missing.
pub fn put_value(value: Option<&Value>, out: &mut Vec<u8>) {
    match value {
        None => out.push(0),
        Some(Value::String(text)) => {
            out.push(1);
            put_text(text, out);
        }
        Some(Value::Integer(number)) => {
            out.push(2);
            put_whole(*number, out);
        }
        Some(Value::Float(number)) => {
            out.push(3);
            put_decimal(*number, out);
        }
        Some(Value::Boolean(truth)) => out.push(4 + u8::from(*truth)),
        Some(Value::Timestamp(instant)) => {
            out.push(6);
            put_whole(instant.0, out);
        }
        Some(Value::List(items)) => {
            out.push(7);
            put_count(items.len() as u64, out);
            items.iter().for_each(|item| put_value(item.as_ref(), out));
        }
        Some(Value::Object(members)) => {
            out.push(8);
            put_count(members.len() as u64, out);
            for (name, value) in members.iter() {
                put_text(name, out);
                put_value(value.as_ref(), out);
            }
        }
    }
}

/// Bytes that are read from the front.
pub struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// Begins at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// Returns the error that something else was expected here.
    pub fn error(&self, expected: &'static str) -> CodecError {
        CodecError { expected, offset: self.offset }
    }

    /// Reports whether all was read.
    pub fn is_at_end(&self) -> bool {
        self.offset == self.bytes.len()
    }

    /// Returns the next `n` bytes.
    pub fn take(&mut self, n: usize, expected: &'static str) -> Result<&'a [u8], CodecError> {
        let end = self.offset.checked_add(n).filter(|end| *end <= self.bytes.len()).ok_or(self.error(expected))?;
        let taken = &self.bytes[self.offset..end];
        self.offset = end;
        Ok(taken)
    }

    /// Returns one byte.
    pub fn byte(&mut self, expected: &'static str) -> Result<u8, CodecError> {
        Ok(self.take(1, expected)?[0])
    }

    /// Returns a number in groups of seven bits, of at most `n_bits`.
    fn groups_of_seven(&mut self, n_bits: u32, expected: &'static str) -> Result<u128, CodecError> {
        let mut number = 0u128;
        for shift in (0..n_bits).step_by(7) {
            let byte = self.byte(expected)?;
            let part = u128::from(byte & 0x7f);
            if n_bits - shift < 7 && part >> (n_bits - shift) > 0 {
                return Err(self.error(expected));
            }
            number |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(self.error(expected))
    }

    /// Returns a count.
    pub fn count(&mut self) -> Result<u64, CodecError> {
        Ok(self.groups_of_seven(64, "count")? as u64)
    }

    /// Returns a count of things of which each takes at least a byte of what is left.
    pub fn length(&mut self) -> Result<usize, CodecError> {
        let n_left = self.bytes.len() - self.offset;
        let length = self.count()?;
        usize::try_from(length).ok().filter(|length| *length <= n_left).ok_or(self.error("length"))
    }

    /// Returns a count below `limit`.
    pub fn below(&mut self, limit: usize) -> Result<usize, CodecError> {
        let number = self.count()?;
        usize::try_from(number).ok().filter(|number| *number < limit).ok_or(self.error("number in range"))
    }

    /// Returns a signed number.
    pub fn whole(&mut self) -> Result<i64, CodecError> {
        let zigzag = self.count()?;
        Ok((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }

    /// Returns a signed number of 128 bits.
    pub fn wide(&mut self) -> Result<i128, CodecError> {
        let zigzag = self.groups_of_seven(128, "wide number")?;
        Ok((zigzag >> 1) as i128 ^ -((zigzag & 1) as i128))
    }

    /// Returns a finite decimal number: no state ever holds another.
    pub fn decimal(&mut self) -> Result<f64, CodecError> {
        let bits = self.eight()?;
        let number = f64::from_bits(bits);
        if number.is_finite() { Ok(number) } else { Err(self.error("finite number")) }
    }

    /// Eight bytes as they are.
    pub fn eight(&mut self) -> Result<u64, CodecError> {
        let bytes = self.take(8, "eight bytes")?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// Returns a text.
    pub fn text(&mut self) -> Result<&'a str, CodecError> {
        let length = self.length()?;
        let bytes = self.take(length, "text")?;
        std::str::from_utf8(bytes).map_err(|_| self.error("UTF-8 text"))
    }

    /// Returns a value or that it is missing.
    pub fn value(&mut self) -> Result<Option<Value>, CodecError> {
        self.nested(NESTING_MAX)
    }

    /// Returns a value that is there.
    pub fn present(&mut self) -> Result<Value, CodecError> {
        self.value()?.ok_or(self.error("value"))
    }

    fn nested(&mut self, depth_left: usize) -> Result<Option<Value>, CodecError> {
        let below = depth_left.checked_sub(1).ok_or(self.error("value that nests less deeply"))?;
        Ok(Some(match self.byte("value")? {
            0 => return Ok(None),
            1 => Value::text(self.text()?),
            2 => Value::Integer(self.whole()?),
            3 => Value::Float(self.decimal()?),
            4 => Value::Boolean(false),
            5 => Value::Boolean(true),
            6 => Value::Timestamp(Timestamp(self.whole()?)),
            7 => {
                let n_items = self.length()?;
                let items = (0..n_items).map(|_| self.nested(below)).collect::<Result<Vec<_>, _>>()?;
                Value::List(items.into())
            }
            8 => {
                let n_members = self.length()?;
                let member = |_| Ok((Arc::from(self.text()?), self.nested(below)?));
                let members = (0..n_members).map(member).collect::<Result<Vec<_>, CodecError>>()?;
                Value::Object(members.into())
            }
            _ => return Err(self.error("value")),
        }))
    }
}

#[cfg(test)]
mod tests;
