//! Values of a column of events as Parquet takes them: those that are there, and for each row whether it has one.

use std::sync::Arc;

use parquet::data_type::ByteArray;
use types::{Column, EventId, Strings, Value};

use crate::schema::{Kind, TableColumn};

/// Integers up to this are exact as decimal numbers.
pub(crate) const EXACT_MAX: u64 = 1 << 53;

/// The values that are there, and 1 for each row that has one, else 0.
pub(super) struct Values<T> {
    pub(super) values: Vec<T>,
    pub(super) present: Vec<i16>,
}

impl<T: Clone> Values<T> {
    fn of(column: &Column, mut take: impl FnMut(&Value) -> Option<T>) -> Self {
        let n_rows = column.n_rows();
        let mut found = Self { values: Vec::with_capacity(n_rows), present: Vec::with_capacity(n_rows) };
        match column {
            Column::Missing { .. } => found.present.resize(n_rows, 0),
            Column::Dictionary { codes, values } => {
                let taken: Vec<Option<T>> = values.iter().map(take).collect();
                codes.iter().for_each(|code| found.push(taken.get(*code as usize).cloned().flatten()));
            }
            column => (0..n_rows).for_each(|row| found.push(column.value(row).and_then(|value| take(&value)))),
        }
        found
    }

    fn push(&mut self, value: Option<T>) {
        self.present.push(i16::from(value.is_some()));
        self.values.extend(value);
    }
}

/// Returns the instant of a row, in nanoseconds.
pub(super) fn instant(times: &Column, row: usize) -> Option<i64> {
    match times.value(row) {
        Some(Value::Timestamp(time)) => Some(time.0),
        _ => None,
    }
}

/// Tells whether a whole number is among the decimal ones of a field with columns of these kinds: they came first, and it is exact.
fn is_among_doubles(number: i64, kinds: &[Kind]) -> bool {
    let first = kinds.iter().find(|kind| matches!(kind, Kind::Long | Kind::Double));
    first == Some(&Kind::Double) && number.unsigned_abs() <= EXACT_MAX
}

/// Returns whole numbers, instants in microseconds, or places in the order of acceptance.
pub(super) fn longs(column: &Column, of: &TableColumn, kinds: &[Kind]) -> Values<i64> {
    Values::of(column, |value| match value {
        Value::Timestamp(time) if of.kind == Kind::Timestamp => Some(time.0.div_euclid(1000)),
        Value::Integer(number) if of.kind == Kind::Long && !is_among_doubles(*number, kinds) => Some(*number),
        Value::String(id) if &*of.field == "@id" => EventId::decode(id).map(|id| id.sequence as i64),
        _ => None,
    })
}

/// Returns decimal numbers with the whole ones among them; `None` where one of those is not exact and has no column.
pub(super) fn doubles(column: &Column, kinds: &[Kind]) -> Option<Values<f64>> {
    let mut is_lost = false;
    let found = Values::of(column, |value| match value {
        Value::Float(number) => Some(*number),
        Value::Integer(number) if is_among_doubles(*number, kinds) => Some(*number as f64),
        Value::Integer(_) => {
            is_lost |= !kinds.contains(&Kind::Long);
            None
        }
        _ => None,
    });
    (!is_lost).then_some(found)
}

pub(super) fn booleans(column: &Column) -> Values<bool> {
    Values::of(column, |value| match value {
        Value::Boolean(truth) => Some(*truth),
        _ => None,
    })
}

/// Returns the nanoseconds of instants below their microseconds.
pub(super) fn nanoseconds(column: &Column) -> Values<i32> {
    Values::of(column, |value| match value {
        Value::Timestamp(time) => Some(time.0.rem_euclid(1000) as i32),
        _ => None,
    })
}

/// Returns texts, or lists and objects as JSON.
pub(super) fn texts(column: &Column, kind: Kind) -> Values<ByteArray> {
    if let (Column::Strings { values, present }, Kind::String) = (column, kind) {
        let has = |row: usize| present.as_ref().is_none_or(|present| present.contains(row));
        let present: Vec<i16> = (0..values.len()).map(|row| i16::from(has(row))).collect();
        return Values { values: shared_texts(values, &present), present };
    }
    Values::of(column, |value| match (value, kind) {
        (Value::String(text), Kind::String) => Some(ByteArray::from(&**text)),
        (Value::List(_) | Value::Object(_), Kind::Json) => Some(ByteArray::from(&*as_text(value))),
        _ => None,
    })
}

/// Returns texts as parts of one piece of memory.
fn shared_texts(values: &Strings, present: &[i16]) -> Vec<ByteArray> {
    let whole = ByteArray::from(values.text().as_bytes().to_vec());
    let mut from = 0;
    let mut texts = Vec::with_capacity(values.len());
    for (end, is_there) in values.ends().iter().zip(present) {
        let to = *end as usize;
        if *is_there == 1 {
            texts.push(whole.slice(from, to - from));
        }
        from = to;
    }
    texts
}

/// Returns a value as a text: what is no text itself as JSON.
fn as_text(value: &Value) -> Arc<str> {
    if let Value::String(text) = value {
        return text.clone();
    }
    let mut json = String::new();
    value.write_json(&mut json);
    json.into()
}

/// Entries of the map `_attributes` over rows, by the levels that Parquet has for nested values (Dremel's paper, section 4.1).
#[derive(Default)]
pub(super) struct Attributes {
    pub(super) names: Vec<ByteArray>,
    pub(super) values: Vec<ByteArray>,
    /// 2 for an entry, 0 for a row without any.
    pub(super) defined: Vec<i16>,
    /// 1 for an entry that is not the first of its row, else 0.
    pub(super) repeated: Vec<i16>,
}

impl Attributes {
    /// Adds rows: for each field that may be in the map its name, the kinds of values that are, and its column.
    pub(super) fn add(&mut self, n_rows: usize, columns: &[(&str, &[Kind], Column)]) {
        let names: Vec<ByteArray> = columns.iter().map(|(name, ..)| ByteArray::from(*name)).collect();
        for row in 0..n_rows {
            let mut n_of_row = 0;
            for (name, (_, kinds, column)) in names.iter().zip(columns) {
                let value = column.value(row).filter(|value| kinds.iter().any(|kind| is_of(value, *kind)));
                let Some(value) = value else { continue };
                self.names.push(name.clone());
                self.values.push(ByteArray::from(&*as_text(&value)));
                self.defined.push(2);
                self.repeated.push(i16::from(n_of_row > 0));
                n_of_row += 1;
            }
            if n_of_row == 0 {
                self.defined.push(0);
                self.repeated.push(0);
            }
        }
    }
}

fn is_of(value: &Value, kind: Kind) -> bool {
    match value {
        Value::String(_) => kind == Kind::String,
        Value::Integer(_) => matches!(kind, Kind::Long),
        Value::Float(_) => kind == Kind::Double,
        Value::Boolean(_) => kind == Kind::Boolean,
        Value::Timestamp(_) => kind == Kind::Timestamp,
        Value::List(_) | Value::Object(_) => kind == Kind::Json,
    }
}
