//! Fields of rows that were read.

use std::collections::BTreeSet;
use std::sync::Arc;

use plan::Name;
use types::{Column, RowSet, Value};

use crate::columns::frame::Frame;
use crate::columns::value_size::value_bytes;

/// Fields of rows that were read, one column each; none for a field that no row has.
#[derive(Clone, Debug)]
pub struct RowColumns {
    /// All rows but those of blocks that turned out to be damaged.
    pub read: RowSet,
    /// In the order of the fields that were asked for.
    pub columns: Vec<Option<Arc<Column>>>,
}

impl RowColumns {
    /// Returns how many rows there are.
    pub fn n_rows(&self) -> usize {
        self.read.n_rows()
    }

    /// Reports whether rows could not be read.
    pub fn is_damaged(&self) -> bool {
        !self.read.is_all()
    }

    /// Bytes held, roughly.
    pub fn n_bytes(&self) -> usize {
        let bytes = |column: &Arc<Column>| match &**column {
            Column::Mixed(values) => values.iter().map(|value| 32 + value.as_ref().map_or(0, value_bytes)).sum(),
            other => 32 * other.n_rows(),
        };
        self.columns.iter().flatten().map(bytes).sum()
    }

    /// Returns the rows at the places `rows`.
    pub fn gather(&self, rows: &RowSet) -> Self {
        if rows.is_all() {
            return self.clone();
        }
        let gathered = |column: &Option<Arc<Column>>| {
            let column = column.as_ref()?;
            column_of(rows.iter().map(|row| column.value(row)).collect())
        };
        let read = RowSet::of_places(
            rows.count(),
            (0..).zip(rows.iter()).filter(|(_, row)| self.read.contains(*row)).map(|(place, _)| place),
        );
        Self { read, columns: self.columns.iter().map(gathered).collect() }
    }

    /// Returns rows of two, in the order of `rows`: whether each is of `these`, and its place among its own.
    pub fn interleaved(rows: &[(bool, usize)], these: &Self, those: &Self) -> Self {
        let column = |(these, those): (&Option<Arc<Column>>, &Option<Arc<Column>>)| {
            let value = |(is_this, place): &(bool, usize)| {
                let column = if *is_this { these } else { those };
                column.as_ref().and_then(|column| column.value(*place))
            };
            column_of(rows.iter().map(value).collect())
        };
        let columns = these.columns.iter().zip(&those.columns).map(column).collect();
        Self { read: RowSet::all(rows.len()), columns }
    }

    /// Returns the rows that could be read, as columns of the names `needed`.
    pub fn into_frame(self, needed: &BTreeSet<Name>) -> Frame<'static> {
        let named = needed.iter().zip(self.columns).filter_map(|(name, column)| Some((name.clone(), column?)));
        let mut frame = Frame::of_columns(self.read.n_rows(), named.collect());
        frame.retain(&self.read);
        frame
    }
}

/// Returns a column of values; none where no row has one.
pub fn column_of(values: Vec<Option<Value>>) -> Option<Arc<Column>> {
    values.iter().any(Option::is_some).then(|| Arc::new(Column::Mixed(values)))
}
