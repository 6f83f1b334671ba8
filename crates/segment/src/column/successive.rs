//! Numbers of a block as differences from the number before in the same series.
//!
//! Samples of many series lie in order of time, so that neighbours have nothing in common; those of one series hardly change. A section
//! names the column whose codes tell the series apart, its source, which depends on no other column:
//!
//! ```text
//! byte 9, varint number of the source, byte tag of the section restored (2, 4 or 6), byte 1 if some values are no decimals, else 0,
//! those: varint count, integers differences of their places, values
//! scales of the series, in the order of their codes: integers (0 to 9: values × 10^scale; 10: bits of f64)
//! first values of the series: integers
//! further values, series by series: integers (differences, zigzag) of those with a scale,
//!                                   integers (XOR with the one before) of the others
//! flags of those sent as whole numbers (tag 4)
//! ```
//!
//! The scale of a series is the smallest at which each of its values comes back bit by bit. The idea of differences for scaled decimals
//! and XOR for the rest is that of ALP (Afroozeh, Kuffó, Boncz 2023) and Gorilla (Pelkonen et al. 2015).

pub(crate) mod by_series;
mod mixed;
mod numbers;

use types::{Column, RowSet, Value, ensure};

use self::mixed::{put_mixed, restore_values};
use self::numbers::{Number, Restored, decimal_bits, put_numbers, take_decimals, take_numbers};
use super::dependent::{BlockColumn, SUCCESSIVE, codes_of, is_part, picked, source_of};
use super::dictionary::{SERIES_DICTIONARY_MAX, put_flags, take_flags};
use super::encode::encode_plainly;
use crate::bytes::{Cursor, Damage, Decoded, put_integers, put_varint};

/// Tags of sections that are restored.
const INTEGERS: u8 = 2;
const DECIMALS: u8 = 4;
const VALUES: u8 = 6;

/// Reports whether a section is one of these.
pub(crate) fn is_successive(section: &[u8]) -> bool {
    section.first() == Some(&SUCCESSIVE)
}

/// Values per series from which on differences pay.
const VALUES_PER_SERIES_MIN: usize = 2;

/// Puts sections of differences in the place of numbers, where they are shorter. `values` are the columns as they are; the series
/// are told apart by column number `series`, or the one that says it.
pub(crate) fn shorten(columns: &mut [Option<BlockColumn>], values: &[&Column], series: usize) {
    let Some(Some(of_series)) = columns.get(series) else { return };
    let Ok(source) = source_of(&of_series.section).map(|source| source.unwrap_or(series)) else { return };
    let Some(Some(of_source)) = columns.get(source) else { return };
    let Ok(Some(codes)) = codes_of(&of_source.section, &of_source.present) else { return };
    let source_present = of_source.present.clone();
    for (column, values) in columns.iter_mut().zip(values) {
        let Some(column) = column.as_mut().filter(|column| is_part(&column.present, &source_present)) else { continue };
        let codes: Vec<u32> = picked(&codes, &column.present, &source_present).collect();
        if let Some(section) = encode(values, column, &codes, source) {
            column.section = section;
        }
    }
}

/// Returns the section of a column, if it is one of numbers and that makes it shorter.
fn encode(values: &Column, column: &BlockColumn, codes: &[u32], source: usize) -> Option<Vec<u8>> {
    let tag = *column.section.first()?;
    let n_series = codes.iter().max().map_or(0, |largest| *largest as usize + 1);
    if n_series * VALUES_PER_SERIES_MIN > codes.len() {
        return None;
    }
    let mut out = vec![SUCCESSIVE];
    put_varint(&mut out, source as u64);
    match (tag, values) {
        (INTEGERS, Column::Integers { values, .. }) => {
            out.extend([INTEGERS, 0]);
            let numbers: Vec<Number> = column.present.iter().map(|row| Number::Integer(values[row])).collect();
            put_numbers(&mut out, &numbers, codes, n_series);
        }
        (3 | DECIMALS, Column::Floats { values, integers, .. }) => {
            out.extend([DECIMALS, 0]);
            let numbers: Vec<Number> = column.present.iter().map(|row| Number::Decimal(values[row])).collect();
            put_numbers(&mut out, &numbers, codes, n_series);
            let flags = column.present.iter().map(|row| integers.as_ref().is_some_and(|set| set.contains(row)));
            put_flags(&mut out, &flags.collect::<Vec<_>>());
        }
        (VALUES, Column::Mixed(values)) => {
            out.push(VALUES);
            put_mixed(&mut out, &column.present.iter().map(|row| values[row].as_ref()).collect::<Vec<_>>(), codes)?;
        }
        _ => return None,
    }
    let restored = restore_from(&out, codes).ok()?;
    // What is restored may be spelled otherwise than what it stands for, decimals above all.
    let is_same = match values {
        Column::Floats { .. } => restored == plain_decimals(values, &column.present),
        Column::Mixed(_) => restored == encode_plainly(values, &column.present),
        _ => restored == column.section,
    };
    (is_same && out.len() < column.section.len()).then_some(out)
}

/// Returns the section of decimals in all rows of a block, whose series have these codes of column number `source`; `None` where
/// they would not come back.
pub(crate) fn encode_decimals(
    values: &[f64],
    integers: Option<&RowSet>,
    codes: &[u32],
    source: usize,
) -> Option<Vec<u8>> {
    let n_series = codes.iter().max().map_or(0, |largest| *largest as usize + 1);
    let mut out = vec![SUCCESSIVE];
    put_varint(&mut out, source as u64);
    out.extend([DECIMALS, 0]);
    let numbers_from = out.len();
    let numbers: Vec<Number> = values.iter().map(|value| Number::Decimal(*value)).collect();
    put_numbers(&mut out, &numbers, codes, n_series);
    let back = take_numbers(&mut Cursor::new(&out[numbers_from..]), codes).ok()?;
    let is_same = |(value, back): (&f64, Restored)| value.to_bits() as i64 == decimal_bits(back);
    if !values.iter().zip(back).all(is_same) {
        return None;
    }
    match integers {
        None => out.push(0),
        Some(integers) => put_flags(&mut out, &(0..values.len()).map(|row| integers.contains(row)).collect::<Vec<_>>()),
    }
    Some(out)
}

/// Returns the code of the series of each value of a column with values in the rows `present`.
pub(crate) fn series_of(source: &[u8], present: &RowSet, source_present: &RowSet) -> Decoded<Vec<u32>> {
    let codes = codes_of(source, source_present)?.ok_or(Damage("a column depends on one that has no codes"))?;
    ensure!(is_part(present, source_present), Damage("a column does not fit the one that it depends on"));
    Ok(if present == source_present { codes } else { picked(&codes, present, source_present).collect() })
}

/// Restores a section of the rows `present` from the section of its source, which has values in `source_present`.
pub(crate) fn restore(section: &[u8], present: &RowSet, source: &[u8], source_present: &RowSet) -> Decoded<Vec<u8>> {
    restore_from(section, &series_of(source, present, source_present)?)
}

/// Decodes rows of a column of decimals whose values belong to series of these codes; `None` if it holds something else.
pub(crate) fn decode(section: &[u8], codes: &[u32], present: &RowSet, rows: &RowSet) -> Decoded<Option<Column>> {
    let mut cursor = Cursor::new(section);
    cursor.take(1)?;
    cursor.varint()?;
    if cursor.byte()? != DECIMALS {
        return Ok(None);
    }
    cursor.take(1)?;
    let chosen = present.places_of(rows);
    if chosen.is_empty() {
        return Ok(Some(Column::Missing { n_rows: rows.count() }));
    }
    let values: Vec<f64> = take_decimals(&mut cursor, codes, &chosen)?;
    let flags = take_flags(&mut cursor, codes.len())?;
    ensure!(cursor.is_at_end(), Damage("bytes are left over"));
    let of_rows = rows.places_of(present);
    let integers = flags.map(|flags| of_rows.select(&chosen.places_of(&flags)));
    let present = (!of_rows.is_all()).then(|| of_rows.clone());
    let mut spread = values;
    if let Some(present) = &present {
        let mut all = vec![0.0; present.n_rows()];
        present.iter().zip(spread).for_each(|(row, value)| all[row] = value);
        spread = all;
    }
    Ok(Some(Column::Floats { values: spread, present, integers }))
}

/// Returns the section of values in all rows of a block, whose series have these codes of column number `source`; `None` where they
/// would not come back.
pub(crate) fn encode_mixed(values: &[Option<Value>], codes: &[u32], source: usize) -> Option<Vec<u8>> {
    let mut out = vec![SUCCESSIVE];
    put_varint(&mut out, source as u64);
    out.push(VALUES);
    put_mixed(&mut out, &values.iter().map(Option::as_ref).collect::<Vec<_>>(), codes)?;
    let plain = encode_plainly(&Column::Mixed(values.to_vec()), &RowSet::all(values.len()));
    (restore_from(&out, codes).ok()? == plain).then_some(out)
}

/// Restores a section whose values belong to series of these codes.
fn restore_from(section: &[u8], codes: &[u32]) -> Decoded<Vec<u8>> {
    let mut cursor = Cursor::new(section);
    ensure!(cursor.byte()? == SUCCESSIVE, Damage("unknown kind of column"));
    cursor.varint()?;
    let (tag, has_others) = (cursor.byte()?, cursor.byte()? == 1);
    ensure!(!codes.iter().any(|code| *code as usize >= SERIES_DICTIONARY_MAX), Damage("a code is out of range"));
    let mut out = vec![tag];
    match tag {
        INTEGERS => {
            put_integers(&mut out, &take_numbers(&mut cursor, codes)?.iter().map(|n| n.bits()).collect::<Vec<_>>())
        }
        DECIMALS => {
            let bits: Vec<i64> = take_numbers(&mut cursor, codes)?.into_iter().map(decimal_bits).collect();
            put_integers(&mut out, &bits);
            let n_flags = cursor.n_left();
            take_flags(&mut cursor.clone(), codes.len())?;
            out.extend_from_slice(cursor.take(n_flags)?);
        }
        VALUES if has_others => restore_values(&mut cursor, codes, &mut out)?,
        _ => return Err(Damage("unknown kind of column")),
    }
    if cursor.is_at_end() { Ok(out) } else { Err(Damage("bytes are left over")) }
}

/// Returns the section of decimals as bits.
fn plain_decimals(column: &Column, present: &RowSet) -> Vec<u8> {
    let Column::Floats { values, integers, .. } = column else { return Vec::new() };
    let mut out = vec![DECIMALS];
    put_integers(&mut out, &present.iter().map(|row| values[row].to_bits() as i64).collect::<Vec<_>>());
    let flags = present.iter().map(|row| integers.as_ref().is_some_and(|set| set.contains(row)));
    put_flags(&mut out, &flags.collect::<Vec<_>>());
    out
}

#[cfg(test)]
mod tests;
