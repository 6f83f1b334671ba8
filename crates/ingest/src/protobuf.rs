//! Protobuf on the wire. Messages are read in place, field by field; what a caller does not ask for is skipped.
//!
//! A decoder that makes values of a whole message first would let two bytes of a body, an empty entry or pair, cost a
//! hundred in memory. A field that stands several times is handed over each time; the reader decides which counts.

pub use types::codec::put_count as put_varint;

use crate::{IngestError, Result};

/// What a field of a message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// A varint.
    Number(u64),
    /// A text, bytes, or a message.
    Bytes(&'a [u8]),
    /// Eight bytes, as a number.
    Fixed64(u64),
    /// Four bytes, as a number.
    Fixed32(u32),
}

/// Writes bytes, a text or a message as field `number` of a message.
pub fn put_bytes(number: u64, bytes: &[u8], out: &mut Vec<u8>) {
    put_varint(number << 3 | 2, out);
    put_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Writes eight bytes as field `number` of a message.
pub fn put_fixed64(number: u64, value: u64, out: &mut Vec<u8>) {
    put_varint(number << 3 | 1, out);
    out.extend_from_slice(&value.to_le_bytes());
}

/// A message as its fields, in the order in which they stand. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    rest: &'a [u8],
    /// What the whole body should be, for the error.
    what: &'static str,
}

impl<'a> Message<'a> {
    /// Returns a reader of the message in `bytes`; errors call the body a `what`.
    pub fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    /// Returns the fields that were not read yet, as a message.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Returns the numbers of a packed list, which the bytes are instead of a message. Ends after the first error.
    pub fn varints(mut self) -> impl Iterator<Item = Result<u64>> + use<'a> {
        std::iter::from_fn(move || {
            let is_at_end = self.rest.is_empty();
            (!is_at_end).then(|| self.varint().ok_or_else(|| self.broken()))
        })
    }

    #[inline]
    fn field(&mut self) -> Option<(u64, Content<'a>)> {
        let key = self.varint()?;
        let content = match key & 7 {
            0 => Content::Number(self.varint()?),
            1 => Content::Fixed64(u64::from_le_bytes(*self.take(8)?.first_chunk()?)),
            2 => {
                let n_bytes = usize::try_from(self.varint()?).ok()?;
                Content::Bytes(self.take(n_bytes)?)
            }
            5 => Content::Fixed32(u32::from_le_bytes(*self.take(4)?.first_chunk()?)),
            _ => return None,
        };
        Some((key >> 3, content))
    }

    /// Why there is no next field.
    #[cold]
    fn broken(&mut self) -> IngestError {
        self.rest = &[];
        let problem = "a field of the protobuf message is cut off or of an unknown type".to_owned();
        IngestError::BadBody { what: self.what, problem }
    }

    fn take(&mut self, n_bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(n_bytes)?;
        self.rest = rest;
        Some(taken)
    }

    /// Returns a varint; most keys and lengths are a byte.
    #[inline]
    fn varint(&mut self) -> Option<u64> {
        match self.rest {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                Some(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    /// Seven bits a byte, lowest first; bits beyond the 64th are lost.
    fn long_varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for place in 0..10 {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            number |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

impl<'a> Iterator for Message<'a> {
    type Item = Result<(u64, Content<'a>)>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        Some(self.field().ok_or_else(|| self.broken()))
    }
}
