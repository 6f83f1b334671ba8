//! Finds the rows of a stored column that may hold a literal, without making the values.

use std::sync::Arc;

use types::{RowSet, Value, ensure};

use crate::bytes::{Cursor, Damage, Decoded};
use crate::digits::Digits;
use crate::needle::Needle;
use crate::strings;

/// Returns rows of a column section that may hold a needle, and whether all of them certainly do. The layout is that of
/// [`column`](crate::column); `present` are the rows that have a value.
pub(crate) fn find(
    bytes: &[u8],
    present: &RowSet,
    dictionary: Option<&Arc<Vec<Value>>>,
    needle: &Needle,
) -> Decoded<(RowSet, bool)> {
    let n = present.count();
    let none = RowSet::none(present.n_rows());
    if bytes.is_empty() {
        return Ok((none, true));
    }
    let mut cursor = Cursor::new(bytes);
    let texts = match cursor.byte()? {
        0 => {
            let values = dictionary.ok_or(Damage("a dictionary is missing"))?;
            let holds = |value: &Value| if let Value::String(text) = value { needle.is_in(text) } else { true };
            let holds = RowSet::of(values.len(), |code| holds(&values[code]));
            let is_exact = values.iter().all(|value| matches!(value, Value::String(_)));
            return Ok((rows_with_code(&mut cursor, present, &holds)?, is_exact));
        }
        1 => {
            let n_values = cursor.varint()? as usize;
            ensure!(n_values <= n, Damage("a dictionary is too large"));
            if cursor.byte()? != 0 {
                return Ok((present.clone(), false));
            }
            let Some(holds) = find_texts(&mut cursor, n_values, needle)? else { return Ok((none, true)) };
            return Ok((rows_with_code(&mut cursor, present, &holds)?, true));
        }
        2..=4 if !needle.may_be_in_number() => None,
        tag @ (2 | 3) => {
            // A single digit may be the exponent of a decimal.
            let digits = needle.digits().filter(|_| tag == 2 || needle.literal.len() > 1);
            let Some(digits) = digits else { return Ok((present.clone(), false)) };
            return find_digits(&mut cursor, present, tag, digits);
        }
        4 => return Ok((present.clone(), false)),
        5 => find_texts(&mut cursor, n, needle)?,
        6 if cursor.byte()? == 0 => find_texts(&mut cursor, n, needle)?,
        6 => return Ok((present.clone(), false)),
        _ => return Err(Damage("unknown kind of column")),
    };
    Ok((texts.map_or(none, |places| present.select(&places)), true))
}

/// Reports whether a column section may hold a needle, as far as its bytes tell before it is known how many values it has.
pub(crate) fn may_hold(bytes: &[u8], needle: &Needle) -> bool {
    match bytes {
        [] => false,
        // Packed hex: the bytes per text, then those of all texts.
        [5, 1, n_bytes @ 0..0x80, packed @ ..] => needle.may_be_in_hex_of(packed, usize::from(*n_bytes)),
        [5, 1, packed @ ..] => needle.may_be_in_hex(packed),
        [5, 2, ..] => needle.may_be_in_address(),
        // The same in a dictionary of the block, whose codes follow.
        [1, dictionary @ ..] => {
            let mut cursor = Cursor::new(dictionary);
            let Ok(n_values) = cursor.varint() else { return true };
            match cursor.rest() {
                [0, 1, n_bytes @ 0..0x80, packed @ ..] => {
                    let length = (n_values as usize).saturating_mul(usize::from(*n_bytes)).min(packed.len());
                    needle.may_be_in_hex_of(&packed[..length], usize::from(*n_bytes))
                }
                [0, 2, ..] => needle.may_be_in_address(),
                _ => true,
            }
        }
        _ => true,
    }
}

/// Returns the rows whose code is in `wanted`.
fn rows_with_code(cursor: &mut Cursor<'_>, present: &RowSet, wanted: &RowSet) -> Decoded<RowSet> {
    if wanted.is_empty() {
        return Ok(RowSet::none(present.n_rows()));
    }
    let mut ahead = cursor.clone();
    match (ahead.zigzag()?, ahead.byte()?) {
        // All rows have the same value.
        (code, 0) => {
            let is_wanted = usize::try_from(code).is_ok_and(|code| wanted.contains(code));
            return Ok(if is_wanted { present.clone() } else { RowSet::none(present.n_rows()) });
        }
        (0, 1) => {
            let is_wanted: [bool; 256] = std::array::from_fn(|code| wanted.contains(code));
            let rows = RowSet::of_slice(ahead.take(present.count())?, |code| is_wanted[usize::from(*code)]);
            return Ok(present.select(&rows));
        }
        _ => {}
    }
    let codes = cursor.codes(present.count())?;
    Ok(present.select(&RowSet::of(codes.len(), |place| wanted.contains(codes[place] as usize))))
}

/// Returns the rows whose number holds digits, and whether all of them certainly do. Decimals are told by what they are scaled to:
/// their spelling has the same digits, less zeros at the end, and at the beginning of small ones zeros that are missing there.
fn find_digits(cursor: &mut Cursor<'_>, present: &RowSet, tag: u8, digits: Digits) -> Decoded<(RowSet, bool)> {
    let is_whole = tag == 2;
    if !is_whole {
        cursor.byte()?;
    }
    let digits = if is_whole { digits } else { digits.without_zeros() };
    let numbers = cursor.integers(present.count())?;
    let holds = RowSet::of_slice(&numbers, |number| digits.are_in(number.unsigned_abs()));
    Ok((present.select(&holds), is_whole))
}

/// Returns which of `n` *texts* hold the needle; `None` if none does.
fn find_texts(cursor: &mut Cursor<'_>, n: usize, needle: &Needle) -> Decoded<Option<RowSet>> {
    let mut places = Vec::new();
    strings::find_texts(cursor, n, needle, &mut |place| places.push(place as usize))?;
    Ok((!places.is_empty()).then(|| RowSet::of_places(n, places.into_iter())))
}

#[cfg(test)]
mod tests;
