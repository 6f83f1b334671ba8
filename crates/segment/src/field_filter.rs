//! Which pieces of text the fields of a block may hold: asked before any column is read.
//!
//! A piece of text looked for in every field, such as an id pasted from elsewhere, would have every column of every
//! block read. How values are stored already says much: packed hex holds hex digits, a run's dictionary is asked once
//! for all blocks. Only texts that are neither have a table (`filter`).
//!
//! The section holds, for each column of the run in order, one byte:
//!
//! | byte | the block's values of the field |
//! |---|---|
//! | 0 | there are none |
//! | 1 | texts of the run's dictionary |
//! | 2 | numbers |
//! | 3 | lower-case hex digits |
//! | 4 | IPv4 addresses |
//! | 5 | other texts, since format 3 also lists and values of several types; one byte `k` and a table of 2^k bytes follow |
//! | 6 | anything |
//! | 7 | a prefix and a number each; *text* prefix follows |
//! | 8 | long texts; bytes `k` and `r` and a table of 2^k bytes follow, over one sequence in 2^r; since format 3 |

use std::ops::Range;
use std::sync::Arc;

use types::{Column, RowSet, Value, ensure};

use crate::bytes::{Cursor, Damage, Decoded, put_text};
use crate::column::{dependent, successive};
use crate::column_filter::ColumnFilterWriter;
use crate::filter::{self, FilterTable};
use crate::needle::Needle;
use crate::template::may_be_packed;

const NONE: u8 = 0;
const DICTIONARY: u8 = 1;
const NUMBERS: u8 = 2;
const HEX: u8 = 3;
const ADDRESSES: u8 = 4;
const TEXTS: u8 = 5;
const ANYTHING: u8 = 6;
const NUMBERED: u8 = 7;
const LONG_TEXTS: u8 = 8;

/// Sequences of a text that its filter is to take: if all are taken, a table of long texts is full.
const SEQUENCES_OF_TEXT: usize = 16;

/// Sequences of all texts up to which all are taken.
const SEQUENCES_ALWAYS: usize = 1 << 16;

/// Most rarely one sequence in 2^this is taken.
const RARITY_MAX: u8 = 4;

/// Largest table, as an exponent of two.
const EXPONENT_MAX: u8 = 20;

/// Adds a column, given as it is and as it was `encoded`, and tells the filter of the run of it.
pub(crate) fn put(
    out: &mut Vec<u8>,
    column: &Column,
    present: &RowSet,
    encoded: &[u8],
    of_run: &mut ColumnFilterWriter,
) {
    if successive::is_successive(encoded) && matches!(column, Column::Mixed(_)) {
        // A table of all numbers would be longer than they are.
        of_run.give_up();
        out.push(ANYTHING);
        return;
    }
    let (class, prefix) = class_of(encoded).unwrap_or((ANYTHING, ""));
    let is_spelled = class == ANYTHING;
    if dependent::is_of_ids(encoded) {
        // They are looked for in the column that has them.
        of_run.give_up();
    } else if class == HEX || class == DICTIONARY {
        of_run.add_hex(column, present);
    } else if class != TEXTS {
        of_run.give_up();
    }
    if class != TEXTS && !is_spelled {
        out.push(class);
        if class == NUMBERED {
            put_text(out, prefix);
        }
        return;
    }
    let rarity = rarity_for(column, present);
    let table = match column {
        _ if is_spelled => FilterTable::of(spellings(column, present).iter().map(String::as_str), rarity),
        Column::Strings { values, .. } => FilterTable::of(present.iter().map(|row| values.get(row)), rarity),
        Column::Dictionary { codes, values } => {
            let mut is_used = vec![false; values.len()];
            present.iter().for_each(|row| is_used[codes[row] as usize] = true);
            let used = values.iter().zip(is_used).filter(|(_, is_used)| *is_used);
            FilterTable::of(
                used.filter_map(|(value, _)| if let Value::String(text) = value { Some(&**text) } else { None }),
                rarity,
            )
        }
        _ => FilterTable::of(std::iter::empty(), rarity),
    };
    if class == TEXTS {
        of_run.add_texts(&table);
    }
    let table = table.bytes();
    if table.is_empty() {
        of_run.give_up();
        out.push(ANYTHING);
        return;
    }
    // Tables are a power of two long.
    let exponent = table.len().trailing_zeros() as u8;
    match rarity {
        0 => out.extend_from_slice(&[TEXTS, exponent]),
        _ => out.extend_from_slice(&[LONG_TEXTS, exponent, rarity]),
    }
    out.extend_from_slice(&table);
}

/// Adds a column of these texts of the run's dictionary, and tells the filter of the run of it.
pub(crate) fn put_texts_of_run(out: &mut Vec<u8>, texts: &[&Arc<str>], of_run: &mut ColumnFilterWriter) {
    // Whether texts are ids, their first one shows.
    let n = if texts.first().is_some_and(|text| may_be_packed(text)) { texts.len() } else { texts.len().min(1) };
    let values = texts[..n].iter().map(|text| Value::String((*text).clone())).collect();
    let column = Column::Dictionary { codes: (0..n as u32).collect(), values: Arc::new(values) };
    of_run.add_hex(&column, &RowSet::all(n));
    out.push(DICTIONARY);
}

/// Returns all texts in which the values of a column may be searched: as they are spelled, and of lists their texts, which the
/// list spells with escapes.
fn spellings(column: &Column, present: &RowSet) -> Vec<String> {
    fn put(value: &Value, all: &mut Vec<String>) {
        match value {
            Value::List(items) => items.iter().flatten().for_each(|item| put(item, all)),
            Value::Object(members) => {
                members.iter().filter_map(|(_, value)| value.as_ref()).for_each(|value| put(value, all))
            }
            _ => {}
        }
        all.push(value.to_string());
    }
    let mut all = Vec::new();
    match column {
        Column::Dictionary { values, .. } => values.iter().for_each(|value| put(value, &mut all)),
        _ => present.iter().filter_map(|row| column.value(row)).for_each(|value| put(&value, &mut all)),
    }
    all
}

/// Returns how rare the sequences are that the filter of a column takes.
fn rarity_for(column: &Column, present: &RowSet) -> u8 {
    let (n_texts, n_bytes) = match column {
        Column::Strings { values, .. } => (present.count(), values.text().len()),
        Column::Dictionary { values, .. } => {
            let bytes_of = |value: &Value| if let Value::String(text) = value { text.len() } else { 0 };
            (values.len(), values.iter().map(bytes_of).sum())
        }
        _ => return 0,
    };
    let n_each = n_bytes / n_texts.max(1);
    let is_large = n_bytes > SEQUENCES_ALWAYS && n_each >= 2 * SEQUENCES_OF_TEXT;
    if is_large { ((n_each / SEQUENCES_OF_TEXT).ilog2() as u8).min(RARITY_MAX) } else { 0 }
}

/// Adds a column without values.
pub(crate) fn put_none(out: &mut Vec<u8>) {
    out.push(NONE);
}

/// Returns what a column section of this content holds, with the prefix of numbered texts; the layout is that of `column`.
fn class_of(encoded: &[u8]) -> Decoded<(u8, &str)> {
    let mut cursor = Cursor::new(encoded);
    if dependent::is_of_ids(encoded) {
        return Ok((HEX, ""));
    }
    match dependent::tag_of(&mut cursor)? {
        0 => return Ok((DICTIONARY, "")),
        2..=4 => return Ok((NUMBERS, "")),
        _ if successive::is_successive(encoded) => return Ok((ANYTHING, "")),
        5 => {}
        tag => {
            if tag == 1 {
                cursor.varint()?;
            }
            if cursor.byte()? != 0 {
                return Ok((ANYTHING, ""));
            }
        }
    }
    Ok(match cursor.byte()? {
        1 => (HEX, ""),
        2 => (ADDRESSES, ""),
        3 => (NUMBERED, cursor.text()?),
        _ => (TEXTS, ""),
    })
}

/// The filter of a block, read back.
pub(crate) struct FieldFilter {
    bytes: Vec<u8>,
    columns: Vec<ColumnFilter>,
}

/// What is known of a column.
struct ColumnFilter {
    class: u8,
    /// One sequence in 2^this is in the table.
    rarity: u8,
    /// Where its table or prefix is.
    more: Range<usize>,
}

/// The answer of a filter about a needle in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FilterAnswer {
    /// It is not there.
    No,
    /// It is there if the run's dictionary holds it.
    AsDictionary,
    Perhaps,
}

impl FieldFilter {
    /// Reads the section of a block of a run with `n_columns` columns.
    pub(crate) fn decode(bytes: &[u8], n_columns: usize) -> Decoded<Self> {
        let mut cursor = Cursor::new(bytes);
        let mut at = 0;
        let mut columns = Vec::with_capacity(n_columns.min(bytes.len()));
        for _ in 0..n_columns {
            let class = cursor.byte()?;
            at += 1;
            let mut length = 0;
            let mut rarity = 0;
            if class == TEXTS || class == LONG_TEXTS {
                let exponent = cursor.byte()?;
                at += 1;
                if class == LONG_TEXTS {
                    rarity = cursor.byte()?;
                    at += 1;
                }
                ensure!(exponent <= EXPONENT_MAX && rarity <= RARITY_MAX, Damage("a table is too large"));
                length = 1 << exponent;
                cursor.take(length)?;
            } else if class == NUMBERED {
                let left = cursor.n_left();
                length = cursor.text()?.len();
                at += left - cursor.n_left() - length;
            }
            columns.push(ColumnFilter { class, rarity, more: at..at + length });
            at += length;
        }
        Ok(Self { bytes: bytes.to_vec(), columns })
    }

    /// Reports whether all values of column number `column` are addresses.
    pub(crate) fn is_of_addresses(&self, column: usize) -> bool {
        self.columns.get(column).is_some_and(|column| column.class == ADDRESSES)
    }

    /// Reports whether a value of column number `column` may hold the needle.
    pub(crate) fn ask(&self, column: usize, needle: &Needle) -> FilterAnswer {
        let Some(ColumnFilter { class, rarity, more }) = self.columns.get(column) else { return FilterAnswer::Perhaps };
        let may_hold = match *class {
            NONE => false,
            DICTIONARY => return FilterAnswer::AsDictionary,
            NUMBERS => needle.may_be_in_number(),
            HEX => needle.is_lower_hex(),
            ADDRESSES => needle.may_be_in_address(),
            TEXTS => filter::may_hold(&self.bytes[more.clone()], needle.literal()),
            LONG_TEXTS => filter::may_hold_rare(&self.bytes[more.clone()], needle.literal(), *rarity),
            NUMBERED => needle.may_be_in_numbered(&self.bytes[more.clone()]),
            _ => true,
        };
        if may_hold { FilterAnswer::Perhaps } else { FilterAnswer::No }
    }
}

#[cfg(test)]
mod tests;
