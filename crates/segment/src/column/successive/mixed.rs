//! Numbers among which are a few other values, such as the texts of stale markers.

use types::{Column, RowSet, Value, ensure};

use super::super::dictionary::{put_values, take_values};
use super::super::encode::encode_plainly;
use super::numbers::{Number, decimal_bits, put_numbers, take_numbers};
use crate::bytes::{Cursor, Damage, Decoded, put_integers, put_varint};

/// Writes the values that are no numbers, and the numbers.
pub(super) fn put_mixed(out: &mut Vec<u8>, values: &[Option<&Value>], codes: &[u32]) -> Option<()> {
    let (mut numbers, mut of_numbers) = (Vec::with_capacity(values.len()), Vec::with_capacity(values.len()));
    let (mut places, mut others): (Vec<i64>, Vec<Option<&Value>>) = (Vec::new(), Vec::new());
    let mut last = -1;
    for (place, (value, code)) in values.iter().zip(codes).enumerate() {
        if let Some(Value::Float(value)) = value {
            numbers.push(Number::Decimal(*value));
            of_numbers.push(*code);
        } else {
            places.push(place as i64 - last);
            last = place as i64;
            others.push(*value);
        }
    }
    if numbers.len() < others.len() {
        return None;
    }
    out.push(1);
    put_varint(out, others.len() as u64);
    put_integers(out, &places);
    put_values(out, &others);
    let n_series = of_numbers.iter().max().map_or(0, |largest| *largest as usize + 1);
    put_numbers(out, &numbers, &of_numbers, n_series);
    Some(())
}

/// Restores the section of such values.
pub(super) fn restore_values(cursor: &mut Cursor<'_>, codes: &[u32], out: &mut Vec<u8>) -> Decoded<()> {
    let n_others = cursor.varint()? as usize;
    ensure!(n_others <= codes.len(), Damage("a count is out of range"));
    let gaps = cursor.integers(n_others)?;
    let others = take_values(cursor, n_others)?;
    let mut values: Vec<Option<Value>> = vec![None; codes.len()];
    let mut is_other = vec![false; codes.len()];
    let mut last = -1i64;
    for (gap, value) in gaps.into_iter().zip(others) {
        last = last.wrapping_add(gap);
        let place = usize::try_from(last).ok().filter(|place| gap > 0 && *place < codes.len());
        let place = place.ok_or(Damage("a place is out of range"))?;
        (values[place], is_other[place]) = (value, true);
    }
    let of_numbers: Vec<u32> =
        codes.iter().zip(&is_other).filter(|(_, is_other)| !**is_other).map(|(code, _)| *code).collect();
    let mut numbers = take_numbers(cursor, &of_numbers)?.into_iter().map(decimal_bits);
    for value in values.iter_mut().zip(&is_other).filter(|(_, is_other)| !**is_other).map(|(value, _)| value) {
        *value = numbers.next().map(|bits| Value::Float(f64::from_bits(bits as u64)));
    }
    let column = Column::Mixed(values);
    let n_rows = column.n_rows();
    *out = encode_plainly(&column, &RowSet::all(n_rows));
    Ok(())
}
