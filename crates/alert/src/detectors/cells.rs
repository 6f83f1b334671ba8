//! Cells of tables: reading counts and keys, writing numbers and columns.

use crate::Table;
use crate::compile::FIRES;

/// Returns the whole number of a column; 0 if there is none.
pub(crate) fn count_at(row: &[Option<types::Value>], at: usize) -> u64 {
    match row.get(at) {
        Some(Some(types::Value::Integer(count))) => u64::try_from(*count).unwrap_or(0),
        _ => 0,
    }
}

/// Values that tell the label sets of rows apart.
pub(crate) type Key = Vec<Option<String>>;

/// Returns the values of some columns.
pub(crate) fn key_of(row: &[Option<types::Value>], columns: impl Iterator<Item = usize>) -> Key {
    columns.map(|at| row.get(at)?.as_ref().map(ToString::to_string)).collect()
}

pub(crate) fn whole(count: u64) -> Option<types::Value> {
    Some(types::Value::Integer(i64::try_from(count).unwrap_or(i64::MAX)))
}

/// Returns a number as people write it: whole where it is whole.
pub(crate) fn number(value: f64) -> types::Value {
    // 2^53: up to here every whole number is one in both.
    if value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0 {
        types::Value::Integer(value as i64)
    } else {
        types::Value::Float(value)
    }
}

/// Returns a number with two decimals.
pub(crate) fn rounded(value: f64) -> types::Value {
    number((value * 100.0).round() / 100.0)
}

/// Returns names of columns, that of whether a row fires behind them.
pub(crate) fn columns_of<'n>(by: &[String], names: impl IntoIterator<Item = &'n str>) -> Vec<String> {
    let names = names.into_iter().chain([FIRES]).map(str::to_owned);
    by.iter().cloned().chain(names).collect()
}

/// Returns why the answers may not be whole, of several.
pub(crate) fn partial_of<'t>(tables: impl IntoIterator<Item = &'t Table>) -> Option<String> {
    tables.into_iter().find_map(|table| table.partial.clone())
}
