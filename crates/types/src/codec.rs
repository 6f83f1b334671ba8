//! Numbers, texts and values as bytes: what segments, the WAL and partial results are made of, on disk and between nodes.
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

mod integers;

use std::sync::Arc;

pub use self::integers::{Packed, put_codes, put_integers};
use crate::{Timestamp, Value};

/// The deepest nesting of a value. Events nest less, and so does what queries make of them.
const NESTING_MAX: usize = 256;

/// What is wrong with bytes that are not those that were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Damage(pub &'static str);

/// The outcome of decoding.
pub type Decoded<T> = Result<T, Damage>;

/// Appends a count.
#[inline]
pub fn put_count(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a signed number.
#[inline]
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
#[inline]
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

/// Reads what the functions above wrote, without ever reading past the end.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// Creates a cursor at the beginning of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Reports whether every byte was taken.
    #[inline]
    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Returns what is left.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Returns the number of bytes left.
    pub fn n_left(&self) -> usize {
        self.rest.len()
    }

    /// Takes `n_bytes` bytes.
    #[inline]
    pub fn take(&mut self, n_bytes: usize) -> Decoded<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(n_bytes).ok_or(Damage("bytes end too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// Takes a byte.
    #[inline]
    pub fn byte(&mut self) -> Decoded<u8> {
        Ok(self.take(1)?[0])
    }

    /// Takes `N` bytes as an array.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Decoded<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| Damage("bytes end too early"))
    }

    /// Takes a number that [`put_count`] wrote.
    #[inline]
    pub fn varint(&mut self) -> Decoded<u64> {
        let mut number = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            if shift == 63 && byte & 0x7e > 0 {
                return Err(Damage("a number is out of range"));
            }
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Damage("a number has no end"))
    }

    /// Takes a number that [`put_whole`] wrote.
    #[inline]
    pub fn zigzag(&mut self) -> Decoded<i64> {
        let number = self.varint()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// Returns a count of things that each take at least `bytes_each` of the bytes that are left, so that a damaged
    /// count cannot make the reader reserve more than it has.
    #[inline]
    pub fn count(&mut self, bytes_each: usize) -> Decoded<usize> {
        let count = usize::try_from(self.varint()?).map_err(|_| Damage("a count is out of range"))?;
        if count.checked_mul(bytes_each).is_none_or(|bytes| bytes > self.rest.len()) {
            return Err(Damage("a count is out of range"));
        }
        Ok(count)
    }

    /// Takes a text that [`put_text`] wrote.
    #[inline]
    pub fn text(&mut self) -> Decoded<&'a str> {
        let length = self.count(1)?;
        std::str::from_utf8(self.take(length)?).map_err(|_| Damage("a text is not UTF-8"))
    }

    /// Returns a number below `limit`.
    pub fn below(&mut self, limit: usize) -> Decoded<usize> {
        let number = usize::try_from(self.varint()?).ok().filter(|number| *number < limit);
        number.ok_or(Damage("a number is out of range"))
    }

    /// Takes a number that [`put_wide`] wrote.
    pub fn wide(&mut self) -> Decoded<i128> {
        let mut zigzag = 0u128;
        for shift in (0..133).step_by(7) {
            let byte = self.byte()?;
            if shift == 126 && byte & 0x7c > 0 {
                return Err(Damage("a number is out of range"));
            }
            zigzag |= u128::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok((zigzag >> 1) as i128 ^ -((zigzag & 1) as i128));
            }
        }
        Err(Damage("a number has no end"))
    }

    /// Takes a number that [`put_decimal`] wrote, which is finite: no state ever holds another.
    pub fn decimal(&mut self) -> Decoded<f64> {
        let number = f64::from_bits(self.eight()?);
        if number.is_finite() { Ok(number) } else { Err(Damage("a number is not finite")) }
    }

    /// Takes eight bytes as they are.
    pub fn eight(&mut self) -> Decoded<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Takes what [`put_value`] wrote.
    pub fn value(&mut self) -> Decoded<Option<Value>> {
        self.nested(NESTING_MAX)
    }

    /// Takes a value that is there.
    pub fn present(&mut self) -> Decoded<Value> {
        self.value()?.ok_or(Damage("a present value is null"))
    }

    fn nested(&mut self, depth_left: usize) -> Decoded<Option<Value>> {
        let below = depth_left.checked_sub(1).ok_or(Damage("a value is nested too deeply"))?;
        Ok(Some(match self.byte()? {
            0 => return Ok(None),
            1 => Value::text(self.text()?),
            2 => Value::Integer(self.zigzag()?),
            3 => Value::Float(f64::from_bits(self.eight()?)),
            4 => Value::Boolean(false),
            5 => Value::Boolean(true),
            6 => Value::Timestamp(Timestamp(self.zigzag()?)),
            7 => {
                let n_items = self.count(1)?;
                Value::List(Arc::new((0..n_items).map(|_| self.nested(below)).collect::<Decoded<_>>()?))
            }
            8 => {
                let n_members = self.count(2)?;
                let member = |_| Ok((Arc::from(self.text()?), self.nested(below)?));
                Value::Object(Arc::new((0..n_members).map(member).collect::<Decoded<_>>()?))
            }
            _ => return Err(Damage("unknown type of value")),
        }))
    }
}

#[cfg(test)]
mod tests;
