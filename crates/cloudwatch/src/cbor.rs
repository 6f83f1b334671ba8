//! The subset of CBOR (RFC 8949) that the metrics API needs, as JSON values: maps, lists, texts, numbers, times
//! and booleans.

use serde_json::{Map, Value};

/// Deepest nesting of a request.
const NESTING_MAX: usize = 16;

/// The major type of an item: its first three bits.
const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const TEXT: u8 = 3;
const LIST: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const SIMPLE: u8 = 7;

/// The lengths of fractions, of 4 and 8 bytes; those of 2 bytes are not read.
const SINGLE: u8 = 26;
const DOUBLE: u8 = 27;

/// The length of an item that a `BREAK` ends.
const UNKNOWN: u8 = 31;
const BREAK: u8 = 0xff;

/// Reads a single item; `None` if it is malformed, too deep, of another kind, or followed by bytes.
pub(super) fn read(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader { rest: bytes };
    let value = reader.item(NESTING_MAX)?;
    reader.rest.is_empty().then_some(value)
}

/// Writes an item. Members named in `times`, and the items of lists with such a name, are times: s since the epoch.
pub(super) fn write(value: &Value, times: &[&str], out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(SIMPLE << 5 | 22),
        Value::Bool(is_true) => out.push(SIMPLE << 5 | if *is_true { 21 } else { 20 }),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(number), ..) => write_head(UNSIGNED, number, out),
            (None, Some(number), _) => write_head(NEGATIVE, number.unsigned_abs() - 1, out),
            (.., number) => {
                out.push(SIMPLE << 5 | DOUBLE);
                out.extend(number.unwrap_or(f64::NAN).to_be_bytes());
            }
        },
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            write_head(LIST, items.len() as u64, out);
            items.iter().for_each(|item| write(item, times, out));
        }
        Value::Object(members) => {
            write_head(MAP, members.len() as u64, out);
            for (name, value) in members {
                write_text(name, out);
                match value {
                    Value::Array(items) if times.contains(&name.as_str()) => {
                        write_head(LIST, items.len() as u64, out);
                        items.iter().for_each(|item| write_time(item, out));
                    }
                    value if times.contains(&name.as_str()) => write_time(value, out),
                    value => write(value, times, out),
                }
            }
        }
    }
}

/// Writes a time with the tag of those in s since the epoch.
fn write_time(value: &Value, out: &mut Vec<u8>) {
    write_head(TAG, 1, out);
    write(value, &[], out);
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    write_head(TEXT, text.len() as u64, out);
    out.extend(text.as_bytes());
}

fn write_head(kind: u8, length: u64, out: &mut Vec<u8>) {
    match length {
        0..24 => out.push(kind << 5 | length as u8),
        24..0x100 => out.extend([kind << 5 | 24, length as u8]),
        _ => {
            out.push(kind << 5 | 27);
            out.extend(length.to_be_bytes());
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, n_bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(n_bytes)?;
        self.rest = rest;
        Some(taken)
    }

    /// Returns the kind of an item, and the length or number that follows; `None` for one that is not known.
    fn head(&mut self) -> Option<(u8, Option<u64>)> {
        let first = *self.take(1)?.first()?;
        let (kind, short) = (first >> 5, first & 31);
        let n_bytes = match short {
            0..24 => return Some((kind, Some(u64::from(short)))),
            24..=27 => 1usize << (short - 24),
            UNKNOWN => return Some((kind, None)),
            _ => return None,
        };
        let number = self.take(n_bytes)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        Some((kind, Some(number)))
    }

    fn item(&mut self, nesting: usize) -> Option<Value> {
        let nesting = nesting.checked_sub(1)?;
        if let Some(first) = self.rest.first().filter(|first| *first >> 5 == SIMPLE)
            && let width @ (SINGLE | DOUBLE) = first & 31
        {
            return self.fraction(width).map(Value::from);
        }
        let (kind, length) = self.head()?;
        match kind {
            UNSIGNED => length.map(Value::from),
            NEGATIVE => i64::try_from(length?).ok().map(|number| Value::from(-1 - number)),
            TEXT => self.text(length).map(Value::from),
            LIST => {
                let mut items = Vec::new();
                while self.has_next(length, items.len())? {
                    items.push(self.item(nesting)?);
                }
                Some(Value::Array(items))
            }
            MAP => {
                let (mut members, mut n_read) = (Map::new(), 0);
                while self.has_next(length, n_read)? {
                    let Value::String(name) = self.item(nesting)? else { return None };
                    members.insert(name, self.item(nesting)?);
                    n_read += 1;
                }
                Some(Value::Object(members))
            }
            TAG => self.item(nesting),
            SIMPLE => match length? {
                20 => Some(Value::Bool(false)),
                21 => Some(Value::Bool(true)),
                22 | 23 => Some(Value::Null),
                _ => None,
            },
            _ => None,
        }
    }

    /// Reads a fraction; one that is not finite becomes null.
    fn fraction(&mut self, width: u8) -> Option<f64> {
        let bytes = self.take(if width == SINGLE { 5 } else { 9 })?;
        match width {
            SINGLE => Some(f64::from(f32::from_be_bytes(*bytes[1..].first_chunk()?))),
            _ => Some(f64::from_be_bytes(*bytes[1..].first_chunk()?)),
        }
    }

    /// Reports whether another item of a list or map follows.
    fn has_next(&mut self, length: Option<u64>, n_read: usize) -> Option<bool> {
        match length {
            Some(length) => Some((n_read as u64) < length),
            None if self.rest.first()? == &BREAK => self.take(1).map(|_| false),
            None => Some(true),
        }
    }

    fn text(&mut self, length: Option<u64>) -> Option<String> {
        let Some(length) = length else {
            let mut text = String::new();
            while self.has_next(None, 0)? {
                let (TEXT, Some(length)) = self.head()? else { return None };
                text.push_str(&self.text(Some(length))?);
            }
            return Some(text);
        };
        let bytes = self.take(usize::try_from(length).ok()?)?;
        String::from_utf8(bytes.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests;
