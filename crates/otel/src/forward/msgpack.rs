//! MessagePack: where values end, and values as JSON. The markers are those of `rmp`.
//!
//! Nothing is allocated for a length that is only claimed, and values are not read deeper than [`DEPTH_MAX`].

use std::io::Write;

use data_encoding::HEXLOWER;
use rmp::Marker;

/// How deep values of a record may be nested.
const DEPTH_MAX: usize = 64;

/// Why bytes are no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MsgpackError {
    /// More bytes are needed.
    #[error("the value ends too early")]
    Cut,
    /// A byte that begins no value.
    #[error("a byte that begins no MessagePack value")]
    Reserved,
    /// It is nested too deeply.
    #[error("values nested deeper than {DEPTH_MAX}")]
    Deep,
    /// It is too long.
    #[error("message longer than the limit")]
    TooLarge,
    /// Another value than the protocol has there.
    #[error("expected {0}")]
    Expected(&'static str),
}

/// What a value begins with: a scalar, or the number of bytes or values that follow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Head {
    Nil,
    Boolean(bool),
    Unsigned(u64),
    Signed(i64),
    Float32(f32),
    Float64(f64),
    Text(usize),
    Bytes(usize),
    Extension(i8, usize),
    Array(usize),
    Map(usize),
}

impl Head {
    /// Reads the beginning of a value, and returns what follows it.
    pub(crate) fn read(bytes: &[u8]) -> Result<(Self, &[u8]), MsgpackError> {
        let (first, rest) = bytes.split_first().ok_or(MsgpackError::Cut)?;
        let mut input = Input(rest);
        let head = match Marker::from_u8(*first) {
            Marker::Null => Self::Nil,
            Marker::True => Self::Boolean(true),
            Marker::False => Self::Boolean(false),
            Marker::FixPos(number) => Self::Unsigned(number.into()),
            Marker::FixNeg(number) => Self::Signed(number.into()),
            Marker::U8 => Self::Unsigned(input.number::<1>()?),
            Marker::U16 => Self::Unsigned(input.number::<2>()?),
            Marker::U32 => Self::Unsigned(input.number::<4>()?),
            Marker::U64 => Self::Unsigned(input.number::<8>()?),
            Marker::I8 => Self::Signed(i8::from_be_bytes(input.array()?).into()),
            Marker::I16 => Self::Signed(i16::from_be_bytes(input.array()?).into()),
            Marker::I32 => Self::Signed(i32::from_be_bytes(input.array()?).into()),
            Marker::I64 => Self::Signed(i64::from_be_bytes(input.array()?)),
            Marker::F32 => Self::Float32(f32::from_be_bytes(input.array()?)),
            Marker::F64 => Self::Float64(f64::from_be_bytes(input.array()?)),
            Marker::FixStr(length) => Self::Text(length.into()),
            Marker::Str8 => Self::Text(input.length::<1>()?),
            Marker::Str16 => Self::Text(input.length::<2>()?),
            Marker::Str32 => Self::Text(input.length::<4>()?),
            Marker::Bin8 => Self::Bytes(input.length::<1>()?),
            Marker::Bin16 => Self::Bytes(input.length::<2>()?),
            Marker::Bin32 => Self::Bytes(input.length::<4>()?),
            Marker::FixArray(length) => Self::Array(length.into()),
            Marker::Array16 => Self::Array(input.length::<2>()?),
            Marker::Array32 => Self::Array(input.length::<4>()?),
            Marker::FixMap(length) => Self::Map(length.into()),
            Marker::Map16 => Self::Map(input.length::<2>()?),
            Marker::Map32 => Self::Map(input.length::<4>()?),
            Marker::FixExt1 => input.extension(1)?,
            Marker::FixExt2 => input.extension(2)?,
            Marker::FixExt4 => input.extension(4)?,
            Marker::FixExt8 => input.extension(8)?,
            Marker::FixExt16 => input.extension(16)?,
            Marker::Ext8 => input.length::<1>().and_then(|length| input.extension(length))?,
            Marker::Ext16 => input.length::<2>().and_then(|length| input.extension(length))?,
            Marker::Ext32 => input.length::<4>().and_then(|length| input.extension(length))?,
            Marker::Reserved => return Err(MsgpackError::Reserved),
        };
        Ok((head, input.0))
    }

    /// Returns the numbers of bytes and of values that belong to the value after its beginning.
    fn n_following(self) -> (u64, u64) {
        match self {
            Self::Text(n) | Self::Bytes(n) | Self::Extension(_, n) => (n as u64, 0),
            Self::Array(n) => (0, n as u64),
            Self::Map(n) => (0, 2 * n as u64),
            _ => (0, 0),
        }
    }
}

struct Input<'b>(&'b [u8]);

impl Input<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], MsgpackError> {
        let (array, rest) = self.0.split_first_chunk().ok_or(MsgpackError::Cut)?;
        self.0 = rest;
        Ok(*array)
    }

    fn number<const N: usize>(&mut self) -> Result<u64, MsgpackError> {
        Ok(self.array::<N>()?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn length<const N: usize>(&mut self) -> Result<usize, MsgpackError> {
        usize::try_from(self.number::<N>()?).map_err(|_| MsgpackError::TooLarge)
    }

    fn extension(&mut self, length: usize) -> Result<Head, MsgpackError> {
        Ok(Head::Extension(i8::from_be_bytes(self.array()?), length))
    }
}

/// A search for the end of a value whose bytes arrive one after the other.
#[derive(Debug)]
pub(crate) struct ValueEnd {
    /// Where the next value within it begins, from its own first byte.
    at: usize,
    n_values_left: u64,
}

impl Default for ValueEnd {
    fn default() -> Self {
        Self { at: 0, n_values_left: 1 }
    }
}

impl ValueEnd {
    /// Continues in `bytes`, which begin with the value's first byte. Returns its length; [`MsgpackError::Cut`] if it does not
    /// end there.
    pub(crate) fn find(&mut self, bytes: &[u8], bytes_max: usize) -> Result<usize, MsgpackError> {
        while self.n_values_left > 0 {
            let (head, rest) = Head::read(bytes.get(self.at..).ok_or(MsgpackError::Cut)?)?;
            let (n_bytes, n_values) = head.n_following();
            // Each value takes a byte at least.
            let n_least = (bytes.len() - rest.len()) as u64 + n_bytes + n_values + self.n_values_left - 1;
            if n_least > bytes_max as u64 {
                return Err(MsgpackError::TooLarge);
            }
            self.at = bytes.len() - rest.len() + n_bytes as usize;
            self.n_values_left += n_values;
            self.n_values_left -= 1;
        }
        if self.at <= bytes.len() { Ok(self.at) } else { Err(MsgpackError::Cut) }
    }
}

/// Takes the next value off `bytes`.
pub(crate) fn take_value<'b>(bytes: &mut &'b [u8]) -> Result<&'b [u8], MsgpackError> {
    let n_bytes = ValueEnd::default().find(bytes, bytes.len()).map_err(|error| match error {
        MsgpackError::TooLarge => MsgpackError::Cut,
        other => other,
    })?;
    let (value, rest) = bytes.split_at(n_bytes);
    *bytes = rest;
    Ok(value)
}

/// Takes the beginning of the next value off `bytes`.
pub(crate) fn take_head(bytes: &mut &[u8]) -> Result<Head, MsgpackError> {
    let (head, rest) = Head::read(bytes)?;
    *bytes = rest;
    Ok(head)
}

/// Takes the bytes of a text, or of a binary value, off `bytes`.
pub(crate) fn take_bytes<'b>(bytes: &mut &'b [u8], expected: &'static str) -> Result<&'b [u8], MsgpackError> {
    let (Head::Text(n_bytes) | Head::Bytes(n_bytes)) = take_head(bytes)? else {
        return Err(MsgpackError::Expected(expected));
    };
    take(bytes, n_bytes)
}

/// Takes `n_bytes` off `bytes`.
pub(crate) fn take<'b>(bytes: &mut &'b [u8], n_bytes: usize) -> Result<&'b [u8], MsgpackError> {
    let (taken, rest) = bytes.split_at_checked(n_bytes).ok_or(MsgpackError::Cut)?;
    *bytes = rest;
    Ok(taken)
}

/// Writes the next value of `bytes` as JSON, at most about `bytes_max` bytes of it.
pub(crate) fn write_json(bytes: &mut &[u8], out: &mut Vec<u8>, bytes_max: usize) -> Result<(), MsgpackError> {
    write_value(bytes, out, (DEPTH_MAX, bytes_max))
}

/// Writes the next value of `bytes` as the name of a member; one that is no text is the text of its JSON.
pub(crate) fn write_name(bytes: &mut &[u8], out: &mut Vec<u8>, bytes_max: usize) -> Result<(), MsgpackError> {
    write_name_within(bytes, out, (DEPTH_MAX, bytes_max))
}

fn write_value(
    bytes: &mut &[u8],
    out: &mut Vec<u8>,
    (depth_left, bytes_max): (usize, usize),
) -> Result<(), MsgpackError> {
    let deeper = |n_values: usize| {
        let depth_left = depth_left.checked_sub(1).ok_or(MsgpackError::Deep)?;
        if out.len() > bytes_max { Err(MsgpackError::TooLarge) } else { Ok((n_values, (depth_left, bytes_max))) }
    };
    match take_head(bytes)? {
        Head::Array(n_values) => {
            let (n_values, limits) = deeper(n_values)?;
            out.push(b'[');
            for n in 0..n_values {
                if n > 0 {
                    out.push(b',');
                }
                write_value(bytes, out, limits)?;
            }
            out.push(b']');
        }
        Head::Map(n_members) => {
            let (n_members, limits) = deeper(n_members)?;
            out.push(b'{');
            for n in 0..n_members {
                if n > 0 {
                    out.push(b',');
                }
                write_name_within(bytes, out, limits)?;
                out.push(b':');
                write_value(bytes, out, limits)?;
            }
            out.push(b'}');
        }
        scalar => write_scalar(scalar, bytes, out)?,
    }
    Ok(())
}

fn write_name_within(bytes: &mut &[u8], out: &mut Vec<u8>, limits: (usize, usize)) -> Result<(), MsgpackError> {
    if let Head::Text(_) | Head::Bytes(_) = Head::read(bytes)?.0 {
        return write_value(bytes, out, limits);
    }
    let mut name = Vec::new();
    write_value(bytes, &mut name, limits)?;
    write_text(&name, out);
    Ok(())
}

fn write_scalar(head: Head, bytes: &mut &[u8], out: &mut Vec<u8>) -> Result<(), MsgpackError> {
    // Writing to a vector does not fail.
    let _ = match head {
        Head::Boolean(truth) => write!(out, "{truth}"),
        Head::Unsigned(number) => write!(out, "{number}"),
        Head::Signed(number) => write!(out, "{number}"),
        Head::Float32(number) if number.is_finite() => write!(out, "{number:?}"),
        Head::Float64(number) if number.is_finite() => write!(out, "{number:?}"),
        Head::Float32(number) => write!(out, "\"{number}\""),
        Head::Float64(number) => write!(out, "\"{number}\""),
        Head::Text(n_bytes) | Head::Bytes(n_bytes) => {
            write_text(take(bytes, n_bytes)?, out);
            Ok(())
        }
        Head::Extension(kind, n_bytes) => {
            let data = take(bytes, n_bytes)?;
            match event_time(kind, data) {
                Some((seconds, nanos)) => write!(out, "{seconds}.{nanos:09}"),
                None => write!(out, "\"{}\"", HEXLOWER.encode(data)),
            }
        }
        Head::Nil | Head::Array(_) | Head::Map(_) => write!(out, "null"),
    };
    Ok(())
}

/// Writes a text as JSON, with a replacement for what is no UTF-8.
pub(crate) fn write_text(text: &[u8], out: &mut Vec<u8>) {
    // Writing to a vector does not fail.
    let _ = serde_json::to_writer(out, &String::from_utf8_lossy(text));
}

/// Returns the seconds and nanoseconds of Fluentd's EventTime.
pub(crate) fn event_time(kind: i8, data: &[u8]) -> Option<(u32, u32)> {
    let (seconds, nanos) = data.split_first_chunk().filter(|_| kind == 0)?;
    Some((u32::from_be_bytes(*seconds), u32::from_be_bytes(nanos.try_into().ok()?))).filter(|(_, n)| *n < 1_000_000_000)
}

#[cfg(test)]
mod tests;
