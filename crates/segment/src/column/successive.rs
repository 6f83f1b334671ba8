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
pub(crate) mod mixed;

use types::{Column, RowSet};

use self::mixed::{put_mixed, restore_values};
use super::dependent::{BlockColumn, SUCCESSIVE, codes_of, is_part, picked, source_of};
use super::dictionary::{SERIES_DICTIONARY_MAX, put_flags, take_flags};
use super::encode::encode_plainly;
use super::scale::{POWERS, scaled};
use crate::bytes::{Cursor, Damage, Decoded, put_integers, put_varint};

/// Tags of sections that are restored.
const INTEGERS: u8 = 2;
const DECIMALS: u8 = 4;
const VALUES: u8 = 6;

/// The scale of series whose values are kept as bits.
const BITS: u8 = POWERS.len() as u8;

/// Of how many values one has to be wanted, so that reading the series of those wanted costs less than reading all.
const VALUES_PER_CHOSEN: usize = 4;

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

/// A number to be stored.
#[derive(Clone, Copy)]
enum Number {
    Integer(i64),
    Decimal(f64),
}

impl Number {
    /// Returns the number at a scale, if it comes back bit by bit.
    fn at(self, scale: u8) -> Option<i64> {
        match self {
            Self::Integer(value) => (scale == 0).then_some(value),
            Self::Decimal(value) => scaled(value, scale),
        }
    }

    fn bits(self) -> i64 {
        match self {
            Self::Integer(value) => value,
            Self::Decimal(value) => value.to_bits() as i64,
        }
    }
}

/// Writes scales, first values and further values.
fn put_numbers(out: &mut Vec<u8>, numbers: &[Number], codes: &[u32], n_series: usize) {
    let series = BySeries::new(codes, n_series);
    let (mut scales, mut firsts) = (Vec::with_capacity(n_series), Vec::new());
    let (mut differences, mut others) = (Vec::with_capacity(numbers.len()), Vec::new());
    let mut values = Vec::new();
    for places in series.iter() {
        let mut all_at = |scale: u8| {
            values.clear();
            places.iter().all(|place| {
                let value = numbers[*place as usize].at(scale);
                values.extend(value);
                value.is_some()
            })
        };
        let scale = (0..BITS).find(|scale| all_at(*scale)).unwrap_or(BITS);
        if scale == BITS {
            values.clear();
            values.extend(places.iter().map(|place| numbers[*place as usize].bits()));
        }
        scales.push(i64::from(if places.is_empty() { 0 } else { scale }));
        firsts.extend(values.first());
        for pair in values.windows(2) {
            if scale == BITS {
                others.push(pair[1] ^ pair[0]);
            } else {
                differences.push(zigzag(pair[1].wrapping_sub(pair[0])));
            }
        }
    }
    put_integers(out, &scales);
    put_integers(out, &firsts);
    put_integers(out, &differences);
    put_integers(out, &others);
}

/// Places of values by the code of their series.
struct BySeries {
    /// Where the places of each series begin, and the end.
    starts: Vec<usize>,
    places: Vec<u32>,
}

impl BySeries {
    fn new(codes: &[u32], n_series: usize) -> Self {
        let mut starts = vec![0usize; n_series + 1];
        codes.iter().for_each(|code| starts[*code as usize + 1] += 1);
        for code in 0..n_series {
            starts[code + 1] += starts[code];
        }
        let mut next = starts.clone();
        let mut places = vec![0; codes.len()];
        for (place, code) in codes.iter().enumerate() {
            let at = &mut next[*code as usize];
            places[*at] = place as u32;
            *at += 1;
        }
        Self { starts, places }
    }

    fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.starts.windows(2).map(|ends| &self.places[ends[0]..ends[1]])
    }
}

fn zigzag(value: i64) -> i64 {
    value << 1 ^ value >> 63
}

fn unzigzag(value: i64) -> i64 {
    ((value as u64 >> 1) as i64) ^ -(value & 1)
}

/// Returns the code of the series of each value of a column with values in the rows `present`.
pub(crate) fn series_of(source: &[u8], present: &RowSet, source_present: &RowSet) -> Decoded<Vec<u32>> {
    let codes = codes_of(source, source_present)?.ok_or(Damage("a column depends on one that has no codes"))?;
    if !is_part(present, source_present) {
        return Err(Damage("a column does not fit the one that it depends on"));
    }
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
    let values: Vec<f64> = take_decimals(&mut cursor, codes, &chosen)?;
    let flags = take_flags(&mut cursor, codes.len())?;
    if !cursor.is_at_end() {
        return Err(Damage("bytes are left over"));
    }
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

/// Reads the decimals at the places `chosen`, in their order.
fn take_decimals(cursor: &mut Cursor<'_>, codes: &[u32], chosen: &RowSet) -> Decoded<Vec<f64>> {
    let decimal = |number: Restored| f64::from_bits(decimal_bits(number) as u64);
    if chosen.count() * VALUES_PER_CHOSEN < codes.len() {
        let mut found = take_chosen(cursor, codes, chosen)?;
        found.sort_unstable_by_key(|(place, _)| *place);
        return Ok(found.into_iter().map(|(_, number)| decimal(number)).collect());
    }
    let numbers = take_numbers(cursor, codes)?;
    Ok(if chosen.is_all() {
        numbers.into_iter().map(decimal).collect()
    } else {
        chosen.iter().map(|place| decimal(numbers[place])).collect()
    })
}

/// Reads the numbers at the places `chosen` with these places; of other series nothing is decoded.
fn take_chosen(cursor: &mut Cursor<'_>, codes: &[u32], chosen: &RowSet) -> Decoded<Vec<(u32, Restored)>> {
    let n_series = codes.iter().max().map_or(0, |largest| *largest as usize + 1);
    let scales = take_scales(cursor, n_series)?;
    let mut lengths = vec![0u32; n_series];
    codes.iter().for_each(|code| lengths[*code as usize] += 1);
    let mut places: Vec<Option<Vec<u32>>> = vec![None; n_series];
    chosen.iter().for_each(|place| {
        places[codes[place] as usize].get_or_insert_with(Vec::new);
    });
    for (place, code) in codes.iter().enumerate() {
        if let Some(places) = &mut places[*code as usize] {
            places.push(place as u32);
        }
    }
    let is_scaled = |code: usize| scales[code] != i64::from(BITS);
    let rest_of = |code: usize| lengths[code].saturating_sub(1) as usize;
    let n_differences: usize = (0..n_series).filter(|code| is_scaled(*code)).map(rest_of).sum();
    let n_firsts = lengths.iter().filter(|length| **length > 0).count();
    let (mut of_differences, mut of_others) =
        (RowSet::none(n_differences), RowSet::none(codes.len() - n_firsts - n_differences));
    let (mut n_scaled, mut n_bits) = (0, 0);
    for (code, places) in places.iter().enumerate() {
        let (set, at) =
            if is_scaled(code) { (&mut of_differences, &mut n_scaled) } else { (&mut of_others, &mut n_bits) };
        if places.is_some() {
            (*at..*at + rest_of(code)).for_each(|place| set.insert(place));
        }
        *at += rest_of(code);
    }
    let mut firsts = cursor.integers(n_firsts)?.into_iter();
    let mut differences = cursor.integers_at(n_differences, &of_differences)?.into_iter();
    let mut others = cursor.integers_at(of_others.n_rows(), &of_others)?.into_iter();
    let mut numbers = Vec::with_capacity(chosen.count());
    for code in (0..n_series).filter(|code| lengths[*code] > 0) {
        let Some(first) = firsts.next() else { return Err(Damage("numbers end too early")) };
        let Some(places) = &places[code] else { continue };
        let rest = if is_scaled(code) { &mut differences } else { &mut others };
        let mut series = SeriesValues { last: first, scale: scales[code] as u8 };
        for (at, place) in places.iter().enumerate() {
            if at > 0 {
                series.step(rest.next().ok_or(Damage("numbers end too early"))?);
            }
            if chosen.contains(*place as usize) {
                numbers.push((*place, series.number()));
            }
        }
    }
    Ok(numbers)
}

/// A series while it is read.
struct SeriesValues {
    last: i64,
    scale: u8,
}

impl SeriesValues {
    /// Takes the next value, as it is stored.
    fn step(&mut self, stored: i64) {
        self.last = if self.scale == BITS { self.last ^ stored } else { self.last.wrapping_add(unzigzag(stored)) };
    }

    fn number(&self) -> Restored {
        if self.scale == BITS { Restored::Bits(self.last) } else { Restored::Scaled(self.last, self.scale) }
    }
}

fn take_scales(cursor: &mut Cursor<'_>, n_series: usize) -> Decoded<Vec<i64>> {
    let scales = cursor.integers(n_series)?;
    let is_known = scales.iter().all(|scale| (0..=i64::from(BITS)).contains(scale));
    if is_known { Ok(scales) } else { Err(Damage("a scale is out of range")) }
}

/// Restores a section whose values belong to series of these codes.
fn restore_from(section: &[u8], codes: &[u32]) -> Decoded<Vec<u8>> {
    let mut cursor = Cursor::new(section);
    if cursor.byte()? != SUCCESSIVE {
        return Err(Damage("unknown kind of column"));
    }
    cursor.varint()?;
    let (tag, has_others) = (cursor.byte()?, cursor.byte()? == 1);
    if codes.iter().any(|code| *code as usize >= SERIES_DICTIONARY_MAX) {
        return Err(Damage("a code is out of range"));
    }
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

/// Returns the bits of a number as a decimal.
fn decimal_bits(number: Restored) -> i64 {
    match number {
        Restored::Scaled(value, 0) => (value as f64).to_bits() as i64,
        Restored::Scaled(value, scale) => (value as f64 / POWERS[usize::from(scale)]).to_bits() as i64,
        Restored::Bits(bits) => bits,
    }
}

/// A number that was stored.
#[derive(Clone, Copy)]
enum Restored {
    Scaled(i64, u8),
    Bits(i64),
}

impl Restored {
    fn bits(self) -> i64 {
        match self {
            Self::Scaled(value, _) | Self::Bits(value) => value,
        }
    }
}

/// Reads the numbers that [`put_numbers`] wrote, in the order of their rows.
fn take_numbers(cursor: &mut Cursor<'_>, codes: &[u32]) -> Decoded<Vec<Restored>> {
    let n_series = codes.iter().max().map_or(0, |largest| *largest as usize + 1);
    let series = BySeries::new(codes, n_series);
    let scales = take_scales(cursor, n_series)?;
    let n_firsts = series.iter().filter(|places| !places.is_empty()).count();
    let with_scale = series.iter().zip(&scales).filter(|(_, scale)| **scale != i64::from(BITS));
    let n_differences: usize = with_scale.map(|(places, _)| places.len().saturating_sub(1)).sum();
    let mut firsts = cursor.integers(n_firsts)?.into_iter();
    let mut differences = cursor.integers(n_differences)?.into_iter();
    let mut others = cursor.integers(codes.len() - n_firsts - n_differences)?.into_iter();
    let mut numbers = vec![Restored::Bits(0); codes.len()];
    let early = || Damage("numbers end too early");
    for (places, scale) in series.iter().zip(&scales) {
        let Some((first, rest)) = places.split_first() else { continue };
        let mut values = SeriesValues { last: firsts.next().ok_or_else(early)?, scale: *scale as u8 };
        numbers[*first as usize] = values.number();
        let stored = if *scale == i64::from(BITS) { &mut others } else { &mut differences };
        for place in rest {
            values.step(stored.next().ok_or_else(early)?);
            numbers[*place as usize] = values.number();
        }
    }
    Ok(numbers)
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
