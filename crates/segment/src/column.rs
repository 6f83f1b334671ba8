//! Encodes the values of one field in one block, and reads them back with their types.
//!
//! Only rows that have the field are stored; which ones they are is said elsewhere (the block's shapes). A
//! column section is one tag byte and what belongs to it, `n` being the number of values:
//!
//! | tag | content |
//! |---|---|
//! | 0 | codes into the run's dictionary of the field: *integers* |
//! | 1 | a dictionary of the block: varint count, *values*; codes: *integers* |
//! | 2 | *integers* |
//! | 3 | decimals: one byte scale `s` ≤ 9, *integers* (value × 10^s), *flags* of those sent as whole numbers |
//! | 4 | decimals as `f64` bits: *integers*, *flags* |
//! | 5 | *texts* |
//! | 6 | *values* |
//!
//! *flags*: one byte 0 (none is set) or 1 and then ⌈n/8⌉ bytes, least significant bit first.
//!
//! *texts* are those of `strings`.
//!
//! *values*: one byte 0 and *texts* where all are texts, else 1 and *tagged values* (see `tagged`).

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use types::{Addresses, Column, MISSING_CODE, RowSet, Strings, Value};

use crate::bytes::{Cursor, Damage, Decoded, put_integers, put_varint};
use crate::strings::{put_texts, take_addresses, take_texts};
use crate::tagged::{put_tagged, take_tagged};

/// Distinct values up to which the first block of a run starts a dictionary for the whole run.
const RUN_DICTIONARY_STARTS_MAX: usize = 1024;

/// Most values of a run's dictionary; readers hold it in memory as a whole.
const RUN_DICTIONARY_MAX: usize = 4096;

/// Rows per distinct value from which on a block's dictionary is read as one.
const ROWS_PER_VALUE_MIN: usize = 2;

/// The dictionary of one field over a whole run, in the order of first sight.
#[derive(Default)]
pub(crate) struct RunDictionary {
    values: Vec<Value>,
    by_text: HashMap<Arc<str>, u32, RandomState>,
    n_blocks: usize,
    is_closed: bool,
}

impl RunDictionary {
    /// Takes all of `texts` in and gives their codes, or nothing where the dictionary would become too large.
    fn codes_of(&mut self, texts: &[&Arc<str>]) -> Option<Vec<u32>> {
        self.n_blocks += 1;
        if self.n_blocks == 1 && texts.len() > RUN_DICTIONARY_STARTS_MAX {
            self.is_closed = true;
        }
        let n_new = texts.iter().filter(|text| !self.by_text.contains_key(**text)).count();
        if self.is_closed || self.values.len() + n_new > RUN_DICTIONARY_MAX {
            return None;
        }
        let mut codes = Vec::with_capacity(texts.len());
        for text in texts {
            let next = self.values.len() as u32;
            let code = *self.by_text.entry((*text).clone()).or_insert(next);
            if code == next {
                self.values.push(Value::String((*text).clone()));
            }
            codes.push(code);
        }
        Some(codes)
    }

    /// The text that a code stands for.
    pub(crate) fn text(&self, code: u32) -> Option<&str> {
        if let Value::String(text) = self.values.get(code as usize)? { Some(text) } else { None }
    }

    /// The dictionary's section, or nothing where no block uses it.
    pub(crate) fn encode(&self) -> Option<Vec<u8>> {
        if self.values.is_empty() {
            return None;
        }
        let mut out = Vec::new();
        put_varint(&mut out, self.values.len() as u64);
        put_values(&mut out, &self.values.iter().map(Some).collect::<Vec<_>>());
        Some(out)
    }
}

/// Reads a run's dictionary.
pub(crate) fn decode_run_dictionary(bytes: &[u8]) -> Decoded<Arc<Vec<Value>>> {
    let mut cursor = Cursor::new(bytes);
    let n = cursor.varint()? as usize;
    if n > RUN_DICTIONARY_MAX {
        return Err(Damage("a dictionary is too large"));
    }
    Ok(Arc::new(take_dictionary(&mut cursor, n)?))
}

fn take_dictionary(cursor: &mut Cursor<'_>, n: usize) -> Decoded<Vec<Value>> {
    let values = take_values(cursor, n)?;
    values.into_iter().map(|value| value.ok_or(Damage("a dictionary has a gap"))).collect()
}

/// Writes the values of the rows in `present` of `column`; nothing where there are none.
pub(crate) fn encode(column: &Column, present: &RowSet, dictionary: &mut RunDictionary) -> Vec<u8> {
    let mut out = Vec::new();
    if present.is_empty() {
        return out;
    }
    match column {
        Column::Missing { .. } => {}
        Column::Timestamps(values) | Column::Integers { values, .. } => {
            out.push(2);
            put_integers(&mut out, &present.iter().map(|row| values[row]).collect::<Vec<_>>());
        }
        Column::Floats { values, integers, .. } => {
            let picked: Vec<f64> = present.iter().map(|row| values[row]).collect();
            put_floats(&mut out, &picked);
            let flags = present.iter().map(|row| integers.as_ref().is_some_and(|set| set.contains(row)));
            put_flags(&mut out, &flags.collect::<Vec<_>>());
        }
        Column::Strings { values, .. } => {
            out.push(5);
            put_texts(&mut out, &present.iter().map(|row| values.get(row)).collect::<Vec<_>>());
        }
        Column::Dictionary { codes, values } => put_dictionary(&mut out, codes, values, present, dictionary),
        Column::Mixed(values) => {
            out.push(6);
            put_values(&mut out, &present.iter().map(|row| values[row].as_ref()).collect::<Vec<_>>());
        }
    }
    out
}

/// Writes the values of the rows in `present` one by one, each with its type.
pub(crate) fn encode_plainly(column: &Column, present: &RowSet) -> Vec<u8> {
    // Mixed values that are not all texts.
    let mut out = vec![6, 1];
    present.iter().for_each(|row| put_tagged(&mut out, column.value(row).as_ref()));
    out
}

fn put_dictionary(out: &mut Vec<u8>, codes: &[u32], values: &[Value], present: &RowSet, run: &mut RunDictionary) {
    // Renumber by first sight within the block: only values that occur are stored.
    let mut renumbered = vec![MISSING_CODE; values.len()];
    let mut distinct: Vec<&Value> = Vec::new();
    let mut of_block: Vec<i64> = Vec::with_capacity(present.count());
    for row in present.iter() {
        let code = &mut renumbered[codes[row] as usize];
        if *code == MISSING_CODE {
            *code = distinct.len() as u32;
            distinct.push(&values[codes[row] as usize]);
        }
        of_block.push(i64::from(*code));
    }
    let texts: Option<Vec<&Arc<str>>> =
        distinct.iter().map(|value| if let Value::String(text) = value { Some(text) } else { None }).collect();
    if let Some(codes) = texts.as_ref().and_then(|texts| run.codes_of(texts)) {
        out.push(0);
        put_integers(out, &of_block.iter().map(|code| i64::from(codes[*code as usize])).collect::<Vec<_>>());
        return;
    }
    if let Some(texts) = texts.as_ref().filter(|texts| texts.len() * 10 > of_block.len() * 7) {
        out.push(5);
        put_texts(out, &of_block.iter().map(|code| &**texts[*code as usize]).collect::<Vec<_>>());
        return;
    }
    out.push(1);
    put_varint(out, distinct.len() as u64);
    put_values(out, &distinct.into_iter().map(Some).collect::<Vec<_>>());
    put_integers(out, &of_block);
}

/// Decimals as scaled integers where every one of them comes back bit by bit, else as they are.
fn put_floats(out: &mut Vec<u8>, values: &[f64]) {
    for scale in 0u8..=9 {
        if let Some(scaled) = scaled_exactly(values, scale) {
            out.push(3);
            out.push(scale);
            put_integers(out, &scaled);
            return;
        }
    }
    out.push(4);
    put_integers(out, &values.iter().map(|value| value.to_bits() as i64).collect::<Vec<_>>());
}

fn scaled_exactly(values: &[f64], scale: u8) -> Option<Vec<i64>> {
    let factor = 10f64.powi(i32::from(scale));
    let exact = |value: &f64| {
        let scaled = (value * factor).round();
        // Below 2^53 the product is a whole number that the division turns back.
        let fits = scaled.abs() < 9_007_199_254_740_992.0;
        // The way back starts from the integer: -0.0 becomes 0 and is noticed.
        (fits && (scaled as i64 as f64 / factor).to_bits() == value.to_bits()).then_some(scaled as i64)
    };
    values.iter().map(exact).collect()
}

fn put_flags(out: &mut Vec<u8>, flags: &[bool]) {
    let any = flags.contains(&true);
    out.push(u8::from(any));
    if any {
        let byte = |bits: &[bool]| bits.iter().enumerate().fold(0u8, |sum, (i, bit)| sum | u8::from(*bit) << i);
        out.extend(flags.chunks(8).map(byte));
    }
}

fn take_flags(cursor: &mut Cursor<'_>, n: usize) -> Decoded<Option<RowSet>> {
    if cursor.byte()? == 0 {
        return Ok(None);
    }
    let bytes = cursor.take(n.div_ceil(8))?;
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
    Ok(Some(RowSet::of_words(bytes.chunks(8).map(word).collect(), n)))
}

fn put_values(out: &mut Vec<u8>, values: &[Option<&Value>]) {
    let texts: Option<Vec<&str>> =
        values.iter().map(|value| if let Some(Value::String(text)) = value { Some(&**text) } else { None }).collect();
    match texts {
        Some(texts) => {
            out.push(0);
            put_texts(out, &texts);
        }
        None => {
            out.push(1);
            values.iter().for_each(|value| put_tagged(out, *value));
        }
    }
}

fn take_values(cursor: &mut Cursor<'_>, n: usize) -> Decoded<Vec<Option<Value>>> {
    match cursor.byte()? {
        0 => Ok(take_texts(cursor, n)?.iter().map(|text| Some(Value::text(text))).collect()),
        1 => (0..n).map(|_| take_tagged(cursor)).collect(),
        _ => Err(Damage("unknown kind of values")),
    }
}

/// Which of the values stored are wanted, and the rows that they go to.
struct Wanted {
    /// How many values are stored.
    n_stored: usize,
    /// Which of them are wanted; `None` where all are.
    chosen: Option<RowSet>,
    /// Of the rows wanted, those that have a value.
    present: RowSet,
}

impl Wanted {
    fn new(present: &RowSet, rows: &RowSet) -> Self {
        let chosen = present.places_of(rows);
        Self {
            n_stored: present.count(),
            chosen: (!chosen.is_all()).then_some(chosen),
            present: rows.places_of(present),
        }
    }

    fn some_present(&self) -> Option<RowSet> {
        (!self.present.is_all()).then(|| self.present.clone())
    }

    /// Puts the values wanted at their rows.
    fn spread<T: Copy>(&self, stored: Vec<T>, missing: T) -> Vec<T> {
        match &self.chosen {
            None => spread(stored, &self.present, missing),
            Some(chosen) => spread(chosen.iter().map(|place| stored[place]).collect(), &self.present, missing),
        }
    }

    /// The rows wanted whose stored value is in `stored`.
    fn spread_rows(&self, stored: RowSet) -> RowSet {
        let chosen = match &self.chosen {
            None => stored,
            Some(chosen) => chosen.places_of(&stored),
        };
        self.present.select(&chosen)
    }

    fn spread_texts(&self, stored: Strings) -> Decoded<Strings> {
        match &self.chosen {
            None => spread_texts(stored, &self.present),
            Some(chosen) => spread_texts(stored.gather(chosen.iter()), &self.present),
        }
    }
}

/// Reads the rows `rows` of a column in which the rows in `present`, a set over the same block, have values.
pub(crate) fn decode(
    bytes: &[u8],
    present: &RowSet,
    rows: &RowSet,
    dictionary: Option<&Arc<Vec<Value>>>,
) -> Decoded<Column> {
    let wanted = Wanted::new(present, rows);
    let (n_rows, n) = (wanted.present.n_rows(), wanted.n_stored);
    if wanted.present.is_empty() || bytes.is_empty() {
        return Ok(Column::Missing { n_rows });
    }
    let mut cursor = Cursor::new(bytes);
    let column = match cursor.byte()? {
        0 => {
            let values = dictionary.ok_or(Damage("a dictionary is missing"))?.clone();
            let codes = checked_codes(cursor.codes(n)?, values.len())?;
            Column::Dictionary { codes: wanted.spread(codes, MISSING_CODE), values }
        }
        1 => {
            let n_values = cursor.varint()? as usize;
            if n_values > n {
                return Err(Damage("a dictionary is too large"));
            }
            decode_block_dictionary(&mut cursor, n_values, &wanted)?
        }
        2 => Column::Integers { values: wanted.spread(cursor.integers(n)?, 0), present: wanted.some_present() },
        tag @ (3 | 4) => {
            let values = take_floats(&mut cursor, n, tag)?;
            let flags = take_flags(&mut cursor, n)?;
            let integers = flags.map(|flags| wanted.spread_rows(flags));
            Column::Floats { values: wanted.spread(values, 0.0), present: wanted.some_present(), integers }
        }
        5 => {
            let values = wanted.spread_texts(take_texts(&mut cursor, n)?)?;
            Column::Strings { values, present: wanted.some_present() }
        }
        6 => {
            let stored = take_values(&mut cursor, n)?;
            let mut rows = vec![None; n_rows];
            let is_wanted = |place: &usize| wanted.chosen.as_ref().is_none_or(|chosen| chosen.contains(*place));
            let places = (0..stored.len()).filter(is_wanted);
            wanted.present.iter().zip(places).for_each(|(row, place)| rows[row].clone_from(&stored[place]));
            Column::Mixed(rows)
        }
        _ => return Err(Damage("unknown kind of column")),
    };
    if cursor.is_at_end() { Ok(column) } else { Err(Damage("bytes are left over")) }
}

/// The same as addresses; `None` where they are kept as something else.
pub(crate) fn decode_addresses(bytes: &[u8], present: &RowSet, rows: &RowSet) -> Decoded<Option<Addresses>> {
    let wanted = Wanted::new(present, rows);
    let mut cursor = Cursor::new(bytes);
    let values = match cursor.byte()? {
        1 => {
            let n_values = cursor.varint()? as usize;
            if n_values > wanted.n_stored {
                return Err(Damage("a dictionary is too large"));
            }
            if cursor.byte()? != 0 {
                return Ok(None);
            }
            let Some(distinct) = take_addresses(&mut cursor, n_values)? else { return Ok(None) };
            let codes = checked_codes(cursor.codes(wanted.n_stored)?, distinct.len())?;
            codes.into_iter().map(|code| distinct[code as usize]).collect()
        }
        5 => {
            let Some(values) = take_addresses(&mut cursor, wanted.n_stored)? else { return Ok(None) };
            values
        }
        _ => return Ok(None),
    };
    if !cursor.is_at_end() {
        return Err(Damage("bytes are left over"));
    }
    Ok(Some(Addresses { values: wanted.spread(values, 0), present: wanted.some_present() }))
}

/// Reads a dictionary of the block and the codes into it.
///
/// Where values hardly repeat, one allocation for all texts costs less than one for each value.
fn decode_block_dictionary(cursor: &mut Cursor<'_>, n_values: usize, wanted: &Wanted) -> Decoded<Column> {
    let is_texts = cursor.clone().byte()? == 0;
    if !is_texts || n_values * ROWS_PER_VALUE_MIN < wanted.present.count() {
        let values = Arc::new(take_dictionary(cursor, n_values)?);
        let codes = checked_codes(cursor.codes(wanted.n_stored)?, values.len())?;
        return Ok(Column::Dictionary { codes: wanted.spread(codes, MISSING_CODE), values });
    }
    cursor.byte()?;
    let distinct = take_texts(cursor, n_values)?;
    let codes = checked_codes(cursor.codes(wanted.n_stored)?, distinct.len())?;
    let code = |place: usize| distinct.get(codes[place] as usize);
    let texts: Strings = match &wanted.chosen {
        None => (0..codes.len()).map(code).collect(),
        Some(chosen) => chosen.iter().map(code).collect(),
    };
    Ok(Column::Strings { values: spread_texts(texts, &wanted.present)?, present: wanted.some_present() })
}

fn take_floats(cursor: &mut Cursor<'_>, n: usize, tag: u8) -> Decoded<Vec<f64>> {
    if tag == 4 {
        return Ok(cursor.integers(n)?.into_iter().map(|bits| f64::from_bits(bits as u64)).collect());
    }
    let scale = cursor.byte()?;
    let factor = 10f64.powi(i32::from(scale.min(9)));
    Ok(cursor.integers(n)?.into_iter().map(|scaled| scaled as f64 / factor).collect())
}

fn checked_codes(codes: Vec<u32>, n_values: usize) -> Decoded<Vec<u32>> {
    // Without an early end, so that it is done many codes at a time.
    let is_right = codes.iter().fold(true, |is_right, code| is_right & ((*code as usize) < n_values));
    if is_right { Ok(codes) } else { Err(Damage("a code is out of range")) }
}

/// Puts compact values at the rows in `present`.
fn spread<T: Copy>(compact: Vec<T>, present: &RowSet, missing: T) -> Vec<T> {
    if compact.len() == present.n_rows() {
        return compact;
    }
    let mut rows = vec![missing; present.n_rows()];
    present.iter().zip(compact).for_each(|(row, value)| rows[row] = value);
    rows
}

/// Puts texts at the rows in `present`; others get empty ones, so that only the ends change.
fn spread_texts(compact: Strings, present: &RowSet) -> Decoded<Strings> {
    if compact.len() == present.n_rows() {
        return Ok(compact);
    }
    let mut rows = vec![0; present.n_rows()];
    present.iter().zip(compact.ends()).for_each(|(row, end)| rows[row] = *end);
    let mut last = 0;
    for end in &mut rows {
        last = last.max(*end);
        *end = last;
    }
    Strings::of_parts(compact.into_text(), rows).ok_or(Damage("a text ends within a character"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::template::push_address;

    fn value() -> impl Strategy<Value = Option<Value>> {
        let text = prop_oneof![
            "[a-z]{0,3}",
            "u[1-9][0-9]{0,5}",
            "[0-9a-f]{16}",
            "(1?[0-9]{1,2}\\.){3}1?[0-9]{1,2}",
            "\\PC{0,12}"
        ];
        prop_oneof![
            Just(None),
            text.prop_map(|text| Some(Value::text(text))),
            any::<i64>().prop_map(|n| Some(Value::Integer(n))),
            (-1000i64..1000).prop_map(|n| Some(Value::Integer(n))),
            (-1000i64..1000).prop_map(|n| Some(Value::Float(n as f64 / 8.0))),
            any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(|f| Some(Value::Float(f))),
            any::<bool>().prop_map(|b| Some(Value::Boolean(b))),
            Just(Some(Value::List(Arc::new(vec![None, Some(Value::text("x"))])))),
            Just(Some(Value::Object(Arc::new(vec![("k".into(), Some(Value::Integer(1)))])))),
        ]
    }

    fn check(values: Vec<Option<Value>>) {
        let column = Column::of_values(values.clone());
        let present = column.presence();
        let mut dictionary = RunDictionary::default();
        let bytes = encode(&column, &present, &mut dictionary);
        let run = dictionary.encode().map(|bytes| decode_run_dictionary(&bytes).expect("just written"));
        for wanted in [RowSet::all(values.len()), RowSet::of(values.len(), |row| row % 3 == 1)] {
            let back = decode(&bytes, &present, &wanted, run.as_ref()).expect("just written");
            assert_eq!(back.n_rows(), wanted.count());
            let back: Vec<Option<Value>> = (0..back.n_rows()).map(|row| back.value(row)).collect();
            let expected: Vec<Option<Value>> = wanted.iter().map(|row| values[row].clone()).collect();
            assert_eq!(format!("{back:?}"), format!("{expected:?}"));
        }
    }

    fn text_of(address: u32) -> String {
        let mut text = Vec::new();
        push_address(&mut text, address);
        String::from_utf8(text).expect("digits and points")
    }

    /// Reads every third row as addresses, out of columns of distinct texts and of a dictionary.
    fn check_addresses(values: Vec<Option<Value>>) {
        let as_dictionary = Column::of_values(values.clone());
        let present = as_dictionary.presence();
        let texts = values.iter().map(|value| if let Some(Value::String(text)) = value { text } else { "" });
        let as_texts = Column::Strings { values: texts.collect(), present: Some(present.clone()) };
        for column in [as_dictionary, as_texts] {
            let mut full = RunDictionary { is_closed: true, ..RunDictionary::default() };
            let encoded = encode(&column, &present, &mut full);
            for rows in [RowSet::all(values.len()), RowSet::of(values.len(), |row| row % 3 == 1)] {
                if rows.is_empty() || encoded.is_empty() {
                    continue;
                }
                let found = decode_addresses(&encoded, &present, &rows).expect("just written").expect("addresses");
                for (place, row) in rows.iter().enumerate() {
                    let is_there = found.present.as_ref().is_none_or(|present| present.contains(place));
                    let text = is_there.then(|| Value::text(text_of(found.values[place])));
                    assert_eq!(format!("{text:?}"), format!("{:?}", values[row]));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn mixed_columns_round_trip(values in proptest::collection::vec(value(), 0..40)) {
            check(values);
        }

        #[test]
        fn columns_of_one_type_round_trip(values in proptest::collection::vec(value(), 1..60), type_of in 0usize..4) {
            let keep = |value: &Option<Value>| matches!(
                (type_of, value),
                (_, None) | (0, Some(Value::String(_))) | (1, Some(Value::Integer(_)))
                    | (2, Some(Value::Float(_))) | (3, Some(Value::Float(_) | Value::Integer(_)))
            );
            check(values.into_iter().filter(keep).collect());
        }

        #[test]
        fn texts_of_one_form_round_trip(
            hex in proptest::collection::vec("[0-9a-f]{16}", 1..20),
            numbers in proptest::collection::vec(0u32..5000, 1..20),
            addresses in proptest::collection::vec(any::<u32>(), 1..20),
        ) {
            check(hex.into_iter().map(|t| Some(Value::text(t))).collect());
            check(numbers.into_iter().map(|n| Some(Value::text(format!("u{n}")))).collect());
            let addresses: Vec<Option<Value>> = addresses.into_iter().map(|a| Some(Value::text(text_of(a)))).collect();
            check(addresses.clone());
            check_addresses(addresses.clone());
            check_addresses(addresses.iter().chain([&None]).cycle().take(addresses.len() * 5).cloned().collect());
            check_addresses((0..20).map(|row| addresses[row % 2 % addresses.len()].clone()).collect());
        }

        #[test]
        fn damaged_columns_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60), n in 0usize..40) {
            let _ = decode(&bytes, &RowSet::all(n), &RowSet::all(n), None);
            let _ = decode_addresses(&bytes, &RowSet::all(n), &RowSet::all(n));
            let _ = decode_run_dictionary(&bytes);
        }
    }

    #[test]
    fn negative_zero_and_leading_zeros_come_back() {
        check(vec![Some(Value::Float(-0.0)), Some(Value::Float(0.5))]);
        check(vec![Some(Value::text("u007")), Some(Value::text("u8"))]);
        check(vec![Some(Value::text("01.2.3.4")), Some(Value::text("1.2.3.4"))]);
    }
}
