//! Encodes the column of a field.

use std::sync::Arc;

use types::codec::put_value;
use types::{Column, MISSING_CODE, RowSet, Value};

use super::dictionary::{RunDictionary, put_flags, put_values};
use crate::bytes::{put_integers, put_varint};
use crate::strings::{distinct_texts, put_tight};

/// Average length of texts from which on also those that seldom repeat are written once.
const LONG_TEXT_BYTES: usize = 16;

/// Writes the values of the rows in `present` of `column`; nothing if there are none.
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
            let texts: Vec<&str> = present.iter().map(|row| values.get(row)).collect();
            if !put_distinct(&mut out, &texts) {
                out.push(5);
                put_tight(&mut out, &texts);
            }
        }
        Column::Dictionary { codes, values } => put_dictionary(&mut out, (codes, values), present, dictionary),
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
    present.iter().for_each(|row| put_value(column.value(row).as_ref(), &mut out));
    out
}

/// Writes long texts with those that repeat written once, if enough do.
fn put_distinct(out: &mut Vec<u8>, texts: &[&str]) -> bool {
    let n_bytes: usize = texts.iter().map(|text| text.len()).sum();
    if n_bytes < texts.len() * LONG_TEXT_BYTES {
        return false;
    }
    let (distinct, codes) = distinct_texts(texts);
    if distinct.len() * 10 > texts.len() * 9 {
        return false;
    }
    out.push(1);
    put_varint(out, distinct.len() as u64);
    out.push(0);
    put_tight(out, &distinct);
    put_integers(out, &codes);
    true
}

fn put_dictionary(out: &mut Vec<u8>, (codes, values): (&[u32], &[Value]), present: &RowSet, run: &mut RunDictionary) {
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
    if let Some(codes) = texts.as_ref().and_then(|texts| run.codes_of(texts, of_block.len())) {
        out.push(0);
        put_integers(out, &of_block.iter().map(|code| i64::from(codes[*code as usize])).collect::<Vec<_>>());
        return;
    }
    if let Some(texts) = texts.as_ref().filter(|texts| texts.len() * 10 > of_block.len() * 7) {
        let all: Vec<&str> = of_block.iter().map(|code| &**texts[*code as usize]).collect();
        if !put_distinct(out, &all) {
            out.push(5);
            put_tight(out, &all);
        }
        return;
    }
    out.push(1);
    put_varint(out, distinct.len() as u64);
    match texts {
        Some(texts) => {
            out.push(0);
            put_tight(out, &texts.into_iter().map(|text| &**text).collect::<Vec<_>>());
        }
        None => put_values(out, &distinct.into_iter().map(Some).collect::<Vec<_>>()),
    }
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
