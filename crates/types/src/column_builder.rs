//! One field's values as they come in, in the tightest form that holds them so far.
//!
//! A column starts as a dictionary (texts, booleans), integers or decimals, and becomes plain texts when its
//! values hardly repeat, mixed when types meet.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::column::is_exact_in_float;
use crate::{Column, MISSING_CODE, RowSet, Strings, Value};

/// Distinct texts below which a column stays a dictionary whatever their share.
const DISTINCT_ALWAYS: usize = 512;

/// Collects the values of one field; rows that get none are missing.
#[derive(Debug, Default)]
pub(crate) enum ColumnBuilder {
    #[default]
    Empty,
    Integers(Vec<i64>, RowSet),
    Floats {
        values: Vec<f64>,
        present: RowSet,
        integers: RowSet,
    },
    Texts(TextDictionary),
    Strings(Strings, RowSet),
    Mixed(Vec<Option<Value>>),
}

/// Texts and booleans by first sight.
#[derive(Debug, Default)]
pub(crate) struct TextDictionary {
    codes: Vec<u32>,
    n_present: usize,
    /// The texts in the order of their codes; the place of a boolean is empty.
    texts: Strings,
    by_hash: HashTable<Entry>,
    // Seeded at random: no one can choose texts that collide.
    hasher: RandomState,
    /// Codes of `false` and `true`.
    booleans: [Option<u32>; 2],
}

/// A text in the table. Its hash is next to its code, so that growing and most comparisons need not look at it.
#[derive(Clone, Copy, Debug)]
struct Entry {
    hashed: u32,
    code: u32,
}

impl Entry {
    /// The hash as the table wants it: it looks at the highest and the lowest bits.
    fn spread(hashed: u32) -> u64 {
        u64::from(hashed).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

impl TextDictionary {
    pub(crate) fn code_of(&mut self, text: &str) -> u32 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(text.as_bytes());
        let full = hasher.finish();
        let hashed = (full ^ full >> 32) as u32;
        let texts = &self.texts;
        let is_same =
            |entry: &Entry| entry.hashed == hashed && is_same(texts.bytes(entry.code as usize), text.as_bytes());
        if let Some(entry) = self.by_hash.find(Entry::spread(hashed), is_same) {
            return entry.code;
        }
        let code = self.texts.len() as u32;
        self.texts.push(text);
        let entry = Entry { hashed, code };
        self.by_hash.insert_unique(Entry::spread(hashed), entry, |entry| Entry::spread(entry.hashed));
        code
    }

    /// Returns the code of the last row if it has this text, as most fields of a sender have in row after row.
    fn code_as_last(&self, text: &str) -> Option<u32> {
        let last = self.codes.last().copied().filter(|code| *code != MISSING_CODE)?;
        // The empty text may be the place of a boolean.
        let is_last = !text.is_empty() && is_same(self.texts.bytes(last as usize), text.as_bytes());
        is_last.then_some(last)
    }

    fn code_of_boolean(&mut self, truth: bool) -> u32 {
        let next = self.texts.len() as u32;
        let code = *self.booleans[usize::from(truth)].get_or_insert(next);
        if code == next {
            self.texts.push("");
        }
        code
    }

    pub(crate) fn push_code(&mut self, row: usize, code: u32) {
        if self.codes.len() > row {
            self.codes[row] = code;
            return;
        }
        self.codes.resize(row, MISSING_CODE);
        self.codes.push(code);
        self.n_present += 1;
    }

    /// Tells whether plain texts are the better form; booleans need the dictionary.
    fn hardly_repeats(&self) -> bool {
        let is_large = self.texts.len() > DISTINCT_ALWAYS && self.texts.len() * 2 > self.n_present;
        is_large && self.booleans == [None, None]
    }

    /// The same rows as plain texts. There must be no booleans.
    fn to_strings(&self) -> (Strings, RowSet) {
        let mut strings = Strings::with_capacity(self.codes.len(), self.texts.text().len());
        let mut present = RowSet::none(self.codes.len());
        for (row, code) in self.codes.iter().enumerate() {
            if *code == MISSING_CODE {
                strings.push("");
            } else {
                strings.push(self.texts.get(*code as usize));
                present.insert(row);
            }
        }
        (strings, present)
    }

    /// The values in the order of their codes.
    fn values(&self) -> Vec<Value> {
        let mut values: Vec<Value> = self.texts.iter().map(Value::text).collect();
        for (truth, code) in [false, true].into_iter().zip(self.booleans) {
            if let Some(code) = code {
                values[code as usize] = Value::Boolean(truth);
            }
        }
        values
    }
}

/// Tells whether two byte strings are equal. Most are short: two words decide without calling anything.
pub(crate) fn is_same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    match (a.first_chunk::<8>(), a.last_chunk::<8>(), b.first_chunk::<8>(), b.last_chunk::<8>()) {
        (Some(head), Some(tail), Some(other_head), Some(other_tail)) if a.len() <= 16 => {
            head == other_head && tail == other_tail
        }
        (None, ..) => is_same_below_8(a, b),
        _ => a == b,
    }
}

fn is_same_below_8(a: &[u8], b: &[u8]) -> bool {
    match (a.first_chunk::<4>(), a.last_chunk::<4>(), b.first_chunk::<4>(), b.last_chunk::<4>()) {
        (Some(head), Some(tail), Some(other_head), Some(other_tail)) => head == other_head && tail == other_tail,
        _ => a.iter().zip(b).all(|(a, b)| a == b),
    }
}

fn insert_present(present: &mut RowSet, row: usize) {
    if present.n_rows() <= row {
        // Doubling keeps the cost of growing constant per row.
        present.resize((row + 1).next_power_of_two().max(64));
    }
    present.insert(row);
}

impl ColumnBuilder {
    /// Puts `value` into `row`, which is the last one or comes after it.
    pub(crate) fn push(&mut self, row: usize, value: Value) {
        match value {
            Value::String(text) => self.push_text(row, &text),
            Value::Integer(number) => self.push_integer(row, number),
            Value::Float(number) => self.push_float(row, number),
            Value::Boolean(truth) => self.push_boolean(row, truth),
            other => self.push_mixed(row, other),
        }
    }

    /// Puts a text into `row` that is not expected to repeat: it is not looked up among those before.
    pub(crate) fn push_distinct_text(&mut self, row: usize, text: &str) {
        if matches!(self, Self::Empty) {
            *self = Self::Strings(Strings::default(), RowSet::none(0));
        }
        self.push_text(row, text);
    }

    pub(crate) fn push_text(&mut self, row: usize, text: &str) {
        if matches!(self, Self::Empty) {
            *self = Self::Texts(TextDictionary::default());
        }
        match self {
            Self::Texts(dictionary) if dictionary.texts.has_room(text.len()) => {
                let code = dictionary.code_as_last(text).unwrap_or_else(|| dictionary.code_of(text));
                dictionary.push_code(row, code);
                if dictionary.hardly_repeats() {
                    let (strings, present) = dictionary.to_strings();
                    *self = Self::Strings(strings, present);
                }
            }
            Self::Strings(strings, present) if strings.len() <= row && strings.has_room(text.len()) => {
                while strings.len() < row {
                    strings.push("");
                }
                strings.push(text);
                insert_present(present, row);
            }
            _ => self.push_mixed(row, Value::text(text)),
        }
    }

    pub(crate) fn push_integer(&mut self, row: usize, number: i64) {
        if matches!(self, Self::Empty) {
            *self = Self::Integers(Vec::new(), RowSet::none(0));
        }
        match self {
            Self::Integers(values, present) if values.len() <= row => {
                values.resize(row, 0);
                values.push(number);
                insert_present(present, row);
            }
            Self::Floats { values, present, integers } if values.len() <= row && is_exact_in_float(number) => {
                values.resize(row, 0.0);
                values.push(number as f64);
                insert_present(present, row);
                insert_present(integers, row);
            }
            _ => self.push_mixed(row, Value::Integer(number)),
        }
    }

    pub(crate) fn push_float(&mut self, row: usize, number: f64) {
        match self {
            Self::Empty => {
                *self = Self::Floats { values: Vec::new(), present: RowSet::none(0), integers: RowSet::none(0) }
            }
            Self::Integers(values, present) if values.iter().all(|v| is_exact_in_float(*v)) => {
                let floats = values.iter().map(|v| *v as f64).collect();
                *self = Self::Floats { values: floats, present: present.clone(), integers: present.clone() };
            }
            _ => {}
        }
        match self {
            Self::Floats { values, present, .. } if values.len() <= row => {
                values.resize(row, 0.0);
                values.push(number);
                insert_present(present, row);
            }
            _ => self.push_mixed(row, Value::Float(number)),
        }
    }

    pub(crate) fn push_boolean(&mut self, row: usize, truth: bool) {
        if matches!(self, Self::Empty) {
            *self = Self::Texts(TextDictionary::default());
        }
        match self {
            Self::Texts(dictionary) => {
                let code = dictionary.code_of_boolean(truth);
                dictionary.push_code(row, code);
            }
            _ => self.push_mixed(row, Value::Boolean(truth)),
        }
    }

    /// Puts a value where its type does not fit, or replaces the value that `row` already has.
    fn push_mixed(&mut self, row: usize, value: Value) {
        if !matches!(self, Self::Mixed(_)) {
            let column = std::mem::take(self).finish(row + 1);
            *self = Self::Mixed((0..=row).map(|row| column.value(row)).collect());
        }
        if let Self::Mixed(values) = self {
            values.resize(row.max(values.len()), None);
            values.truncate(row);
            values.push(Some(value));
        }
    }

    /// Returns the value of a row.
    pub(crate) fn value(&self, row: usize) -> Option<Value> {
        let has = |rows: &RowSet| row < rows.n_rows() && rows.contains(row);
        match self {
            Self::Empty => None,
            Self::Integers(values, present) => has(present).then(|| Value::Integer(values[row])),
            Self::Floats { values, integers, .. } if has(integers) => Some(Value::Integer(values[row] as i64)),
            Self::Floats { values, present, .. } => has(present).then(|| Value::Float(values[row])),
            Self::Texts(dictionary) => {
                let code = dictionary.codes.get(row).copied().filter(|code| *code != MISSING_CODE)?;
                let truth = dictionary.booleans.iter().position(|known| *known == Some(code));
                Some(truth.map_or_else(
                    || Value::text(dictionary.texts.get(code as usize)),
                    |truth| Value::Boolean(truth == 1),
                ))
            }
            Self::Strings(strings, present) => has(present).then(|| Value::text(strings.get(row))),
            Self::Mixed(values) => values.get(row).cloned().flatten(),
        }
    }

    /// Makes the column of `n_rows` rows.
    pub(crate) fn finish(self, n_rows: usize) -> Column {
        let trimmed = |mut present: RowSet| {
            present.resize(n_rows);
            (!present.is_all()).then_some(present)
        };
        match self {
            Self::Empty => Column::Missing { n_rows },
            Self::Integers(mut values, present) => {
                values.resize(n_rows, 0);
                Column::Integers { values, present: trimmed(present) }
            }
            Self::Floats { mut values, present, mut integers } => {
                values.resize(n_rows, 0.0);
                integers.resize(n_rows);
                let integers = (!integers.is_empty()).then_some(integers);
                Column::Floats { values, present: trimmed(present), integers }
            }
            Self::Texts(dictionary) => {
                let values = Arc::new(dictionary.values());
                let mut codes = dictionary.codes;
                codes.resize(n_rows, MISSING_CODE);
                Column::Dictionary { codes, values }
            }
            Self::Strings(mut values, present) => {
                while values.len() < n_rows {
                    values.push("");
                }
                Column::Strings { values, present: trimmed(present) }
            }
            Self::Mixed(mut values) => {
                values.resize(n_rows, None);
                Column::Mixed(values)
            }
        }
    }
}

impl Column {
    /// Makes the tightest column that holds `values` exactly.
    pub fn of_values(values: Vec<Option<Value>>) -> Self {
        let mut builder = ColumnBuilder::default();
        let n_rows = values.len();
        for (row, value) in values.into_iter().enumerate() {
            if let Some(value) = value {
                builder.push(row, value);
            }
        }
        builder.finish(n_rows)
    }
}

#[cfg(test)]
mod tests;
