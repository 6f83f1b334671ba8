//! One field's values over the rows of a block or batch.

use std::sync::Arc;

use crate::level::LEVELS;
use crate::{RowSet, Strings, Timestamp, Value};

/// The code of a row that has no value in a dictionary column.
pub const MISSING_CODE: u32 = u32::MAX;

/// The largest magnitude below which every integer is an `f64` exactly.
const EXACT_IN_FLOAT: u64 = 1 << 53;

/// Values of one field, row by row, each with the type it was sent with.
///
/// `present` is `None` where every row has a value. Values of rows without one are unspecified.
#[derive(Clone, Debug)]
pub enum Column {
    /// No row has the field.
    Missing {
        /// How many rows there are.
        n_rows: usize,
    },
    /// Instants; every row has one.
    Timestamps(Vec<i64>),
    /// Whole numbers.
    Integers {
        /// The numbers.
        values: Vec<i64>,
        /// Rows that have one.
        present: Option<RowSet>,
    },
    /// Decimal numbers, some of which may have been sent as whole ones (`3` beside `3.5`).
    Floats {
        /// The numbers; a whole one is below 2^53 and therefore exact.
        values: Vec<f64>,
        /// Rows that have one.
        present: Option<RowSet>,
        /// Rows whose value is a whole number, `None` where there is none.
        integers: Option<RowSet>,
    },
    /// Texts that hardly repeat.
    Strings {
        /// The texts, empty where a row has none.
        values: Strings,
        /// Rows that have one.
        present: Option<RowSet>,
    },
    /// Values that repeat: each row holds a code, an index into `values`, or [`MISSING_CODE`].
    Dictionary {
        /// One code a row.
        codes: Vec<u32>,
        /// The distinct values; several codes may have equal values, and codes may go unused.
        values: Arc<Vec<Value>>,
    },
    /// Values of several types, lists, objects.
    Mixed(Vec<Option<Value>>),
}

impl Column {
    /// A column in which each of `n_rows` rows has `value`.
    pub fn constant(value: Value, n_rows: usize) -> Self {
        Self::Dictionary { codes: vec![0; n_rows], values: Arc::new(vec![value]) }
    }

    /// `@level` codes (0 for none) as a dictionary of the six names.
    pub fn of_levels(levels: &[u8]) -> Self {
        crate::column::level_column(levels)
    }

    /// How many rows the column has.
    pub fn n_rows(&self) -> usize {
        match self {
            Self::Missing { n_rows } => *n_rows,
            Self::Timestamps(values) | Self::Integers { values, .. } => values.len(),
            Self::Floats { values, .. } => values.len(),
            Self::Strings { values, .. } => values.len(),
            Self::Dictionary { codes, .. } => codes.len(),
            Self::Mixed(values) => values.len(),
        }
    }

    /// Tells whether `row` has a value.
    pub fn is_present(&self, row: usize) -> bool {
        match self {
            Self::Missing { .. } => false,
            Self::Timestamps(_) => true,
            Self::Integers { present, .. } | Self::Floats { present, .. } | Self::Strings { present, .. } => {
                present.as_ref().is_none_or(|present| present.contains(row))
            }
            Self::Dictionary { codes, .. } => codes[row] != MISSING_CODE,
            Self::Mixed(values) => values[row].is_some(),
        }
    }

    /// The value at `row`, which must be below `n_rows`.
    pub fn value(&self, row: usize) -> Option<Value> {
        if !self.is_present(row) {
            return None;
        }
        Some(match self {
            Self::Missing { .. } => return None,
            Self::Timestamps(values) => Value::Timestamp(Timestamp(values[row])),
            Self::Integers { values, .. } => Value::Integer(values[row]),
            Self::Floats { values, integers, .. } => {
                let is_integer = integers.as_ref().is_some_and(|integers| integers.contains(row));
                if is_integer { Value::Integer(values[row] as i64) } else { Value::Float(values[row]) }
            }
            Self::Strings { values, .. } => Value::text(values.get(row)),
            Self::Dictionary { codes, values } => values[codes[row] as usize].clone(),
            Self::Mixed(values) => return values[row].clone(),
        })
    }

    /// How many rows have a value.
    pub fn n_present(&self) -> usize {
        match self {
            Self::Integers { present: None, .. } | Self::Floats { present: None, .. } => self.n_rows(),
            Self::Integers { present: Some(present), .. }
            | Self::Floats { present: Some(present), .. }
            | Self::Strings { present: Some(present), .. } => present.count(),
            Self::Dictionary { codes, .. } => codes.iter().filter(|code| **code != MISSING_CODE).count(),
            _ => self.presence().count(),
        }
    }

    /// Rows that have a value.
    pub fn presence(&self) -> RowSet {
        match self {
            Self::Missing { n_rows } => RowSet::none(*n_rows),
            Self::Integers { present: Some(present), .. }
            | Self::Floats { present: Some(present), .. }
            | Self::Strings { present: Some(present), .. } => present.clone(),
            Self::Timestamps(_) | Self::Integers { .. } | Self::Floats { .. } | Self::Strings { .. } => {
                RowSet::all(self.n_rows())
            }
            Self::Dictionary { codes, .. } => RowSet::of_slice(codes, |code| *code != MISSING_CODE),
            Self::Mixed(values) => RowSet::of_slice(values, Option::is_some),
        }
    }

    /// The values of the rows in `rows`, one after the other.
    pub fn gather(&self, rows: &RowSet) -> Self {
        if rows.is_all() {
            return self.clone();
        }
        let picked = |present: &Option<RowSet>| present.as_ref().map(|present| rows.places_of(present));
        match self {
            Self::Missing { .. } => Self::Missing { n_rows: rows.count() },
            Self::Timestamps(values) => Self::Timestamps(rows.iter().map(|row| values[row]).collect()),
            Self::Integers { values, present } => {
                Self::Integers { values: rows.iter().map(|row| values[row]).collect(), present: picked(present) }
            }
            Self::Floats { values, present, integers } => Self::Floats {
                values: rows.iter().map(|row| values[row]).collect(),
                present: picked(present),
                integers: picked(integers),
            },
            Self::Strings { values, present } => {
                Self::Strings { values: values.gather(rows.iter()), present: picked(present) }
            }
            Self::Dictionary { codes, values } => {
                Self::Dictionary { codes: rows.iter().map(|row| codes[row]).collect(), values: values.clone() }
            }
            Self::Mixed(values) => Self::Mixed(rows.iter().map(|row| values[row].clone()).collect()),
        }
    }

    /// Bytes held, roughly; a dictionary shared by several columns is counted in each.
    pub fn memory_bytes(&self) -> usize {
        match self {
            Self::Missing { .. } => 0,
            Self::Timestamps(values) | Self::Integers { values, .. } => values.capacity() * 8,
            Self::Floats { values, .. } => values.capacity() * 8,
            Self::Strings { values, .. } => values.memory_bytes(),
            Self::Dictionary { codes, values } => codes.capacity() * 4 + values.iter().map(value_bytes).sum::<usize>(),
            Self::Mixed(values) => values.iter().flatten().map(value_bytes).sum::<usize>() + values.len() * 24,
        }
    }
}

/// Bytes that a value holds, roughly.
pub(crate) fn value_bytes(value: &Value) -> usize {
    // A reference-counted text has two counters before it; allocators round up to 16.
    24 + match value {
        Value::String(text) => text.len() + 32,
        Value::List(items) => items.iter().flatten().map(value_bytes).sum::<usize>() + 40,
        Value::Object(members) => members.iter().map(|(k, v)| k.len() + 32 + v.as_ref().map_or(0, value_bytes)).sum(),
        _ => 0,
    }
}

/// Tells whether `number` survives the way into an `f64` and back.
pub(crate) fn is_exact_in_float(number: i64) -> bool {
    number.unsigned_abs() <= EXACT_IN_FLOAT
}

/// `@level` codes as a dictionary of the six names.
pub(crate) fn level_column(levels: &[u8]) -> Column {
    let values = LEVELS.iter().map(|level| Value::text(level.name())).collect();
    let code = |level: &u8| if *level == 0 { MISSING_CODE } else { u32::from(*level) - 1 };
    Column::Dictionary { codes: levels.iter().map(code).collect(), values: Arc::new(values) }
}
