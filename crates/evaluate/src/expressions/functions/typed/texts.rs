//! Functions of texts and addresses.

use std::cmp::Ordering;
use std::net::IpAddr;

use plan::{TypedFunction, address_of};
use serde::de::IgnoredAny;
use types::Value;

use super::super::cell::Cell;
use super::super::network;
use crate::expressions::functions::output::TEXT_BYTES_MAX;

/// Stands before a text that is sorted byte by byte.
const KEY: char = '\u{1}';

/// Returns the value of a function of texts.
pub(super) fn scalar(function: TypedFunction, cells: &[Cell<'_>]) -> Option<Value> {
    use TypedFunction as T;
    let text = cells[0].text()?;
    let whole = |at: usize| match cells.get(at) {
        Some(Cell::Integer(number)) => Some(*number),
        _ => None,
    };
    let second = || cells.get(1).and_then(|cell| cell.text());
    Some(match function {
        T::IsRecord => {
            let is_like_one = text.starts_with('{') && text.ends_with('}');
            Value::Boolean(is_like_one && serde_json::from_str::<IgnoredAny>(&text).is_ok())
        }
        T::CompareTexts => sign(text.as_bytes().cmp(second()?.as_bytes())),
        T::CompareAddresses => sign(octets(address_of(&text)?).cmp(&octets(address_of(&second()?)?))),
        T::TextKey => Value::text(format!("{KEY}{text}")),
        T::TextOfKey => Value::text(text.strip_prefix(KEY)?),
        T::AddressKey => Value::text(format!("{KEY}{}", types::hexadecimal(&octets(address_of(&text)?)))),
        T::AddressOfKey => address_of_key(&text)?,
        T::Left => Value::text(text.chars().take(whole(1)?.max(0) as usize).collect::<String>()),
        T::Right => {
            let n_before = text.chars().count().saturating_sub(whole(1)?.max(0) as usize);
            Value::text(text.chars().skip(n_before).collect::<String>())
        }
        T::Substring => substring(&text, whole(1)?, if cells.len() > 2 { Some(whole(2)?) } else { None })?,
        T::Locate => locate(&text, &second()?, if cells.len() > 2 { whole(2)? } else { 0 }),
        T::Reverse => Value::text(text.chars().rev().collect::<String>()),
        T::Repeat => {
            let n = usize::try_from(whole(1)?).ok()?;
            (text.len().checked_mul(n)? <= TEXT_BYTES_MAX).then(|| Value::text(text.repeat(n)))?
        }
        T::Split => split(&text, &second()?),
        T::IsInBlocks => {
            let address = address_of(&text)?;
            let blocks = cells[1..].iter().filter_map(|cell| cell.text());
            Value::Boolean(blocks.into_iter().any(|block| network::is_in_subnet(address, &block)))
        }
        T::AddressPrefix => prefix(address_of(&text)?, whole(1)?, whole(2)?)?,
        _ => return None,
    })
}

fn sign(order: Ordering) -> Value {
    Value::Integer(order as i64)
}

/// Returns the sixteen bytes that addresses are compared by.
pub(super) fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

fn address_of_key(key: &str) -> Option<Value> {
    let bits = u128::from_str_radix(key.strip_prefix(KEY)?, 16).ok()?;
    let address = address_of(&IpAddr::V6(bits.into()).to_string())?;
    Some(Value::text(address.to_string()))
}

/// Characters from `start` on, which counts from 1, or from the end where it is negative; 0 is the beginning.
fn substring(text: &str, start: i64, length: Option<i64>) -> Option<Value> {
    let n = text.chars().count() as i64;
    let from = if start > 0 {
        start - 1
    } else if start < 0 {
        (n + start).max(0)
    } else {
        0
    };
    let length = match length {
        Some(length) if length < 0 => return None,
        Some(length) => length,
        None => n,
    };
    let part: String = text.chars().skip(from.min(n) as usize).take(length as usize).collect();
    Some(Value::text(part))
}

fn locate(text: &str, part: &str, start: i64) -> Value {
    let n_before = (start - 1).max(0) as usize;
    let Some((at, _)) =
        text.char_indices().map(Some).chain([None]).nth(n_before).map(|found| found.unwrap_or((text.len(), ' ')))
    else {
        return Value::Integer(0);
    };
    let found = text[at..].find(part).map(|found| text[..at + found].chars().count() as i64 + 1);
    Value::Integer(found.unwrap_or(0))
}

fn split(text: &str, delimiter: &str) -> Value {
    let parts: Vec<Option<Value>> = match delimiter.is_empty() {
        true => text.chars().map(|c| Some(Value::text(c.to_string()))).collect(),
        false => text.split(delimiter).map(|part| Some(Value::text(part))).collect(),
    };
    match <[Option<Value>; 1]>::try_from(parts) {
        Ok([Some(only)]) => only,
        Ok(_) => Value::text(text),
        Err(parts) => Value::List(parts.into()),
    }
}

fn prefix(address: IpAddr, n_v4: i64, n_v6: i64) -> Option<Value> {
    let masked: IpAddr = match address {
        IpAddr::V4(address) => {
            let n = u32::try_from(n_v4).ok().filter(|n| *n <= 32)?;
            IpAddr::V4((address.to_bits() & u32::MAX.checked_shl(32 - n).unwrap_or(0)).into())
        }
        IpAddr::V6(address) => {
            let n = u32::try_from(n_v6).ok().filter(|n| *n <= 128)?;
            IpAddr::V6((address.to_bits() & u128::MAX.checked_shl(128 - n).unwrap_or(0)).into())
        }
    };
    Some(Value::text(masked.to_string()))
}

#[cfg(test)]
mod tests;
