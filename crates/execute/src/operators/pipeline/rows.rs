//! Rows as payloads of records, and back.
//!
//! ```text
//! payload   what the owner puts before · per field a value
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use plan::{Expr, Name};
use types::{Column, Value};

use crate::operators::table::Table;
use crate::request::spilling::{LeasedMerge, unreadable};
use crate::scan::scanner::Scan;
use evaluate::{Frame, Lease, Result, value_bytes};
use types::codec::{Cursor, put_value};

/// Bytes of a value in memory next to its own.
const CELL_BYTES: usize = 32;

/// The fields of rows that are kept.
#[derive(Clone)]
pub(crate) struct RowForm {
    names: Arc<[Name]>,
}

impl RowForm {
    /// Returns the form of rows of which `names` are asked for.
    pub(crate) fn new(names: BTreeSet<Name>) -> Self {
        Self { names: names.into_iter().collect() }
    }

    /// Returns the fields of a frame's rows.
    pub(crate) fn columns(&self, frame: &mut Frame<'_>, scan: &Scan<'_>) -> Result<Vec<Arc<Column>>> {
        self.names.iter().map(|name| scan.env.evaluate(&Expr::Field(name.clone()), frame)).collect()
    }

    /// Appends a row.
    pub(crate) fn put(&self, columns: &[Arc<Column>], row: usize, out: &mut Vec<u8>) {
        columns.iter().for_each(|column| put_value(column.value(row).as_ref(), out));
    }

    /// Returns rows as a table. A field that no row has is no column.
    fn table(&self, n_rows: usize, columns: Vec<Vec<Option<Value>>>, approximate: BTreeSet<Name>) -> Table {
        let named = self.names.iter().zip(columns).filter(|(_, values)| values.iter().any(Option::is_some));
        let columns = named.map(|(name, values)| (name.clone(), Arc::new(Column::Mixed(values)))).collect();
        Table { frame: Frame::of_columns(n_rows, columns), approximate }
    }
}

/// Rows that come back in the order of their keys.
pub(crate) struct RowsRead<'s> {
    form: RowForm,
    /// Bytes of a payload before the row's.
    n_before: usize,
    approximate: BTreeSet<Name>,
    merge: LeasedMerge<'s>,
}

impl<'s> RowsRead<'s> {
    /// Returns the rows of records that have `n_before` bytes before the row's in their payload.
    pub(crate) fn new(form: RowForm, n_before: usize, approximate: BTreeSet<Name>, merge: LeasedMerge<'s>) -> Self {
        Self { form, n_before, approximate, merge }
    }

    /// Returns the next rows; `None` after the last one.
    pub(crate) fn next(&mut self) -> Result<Option<Table>> {
        let mut columns: Vec<Vec<Option<Value>>> = vec![Vec::new(); self.form.names.len()];
        let (n_rows_max, n_bytes_max) = self.merge.rows_at_once(self.form.names.len());
        let (mut n_rows, mut n_bytes) = (0, 0);
        while n_rows < n_rows_max && n_bytes < n_bytes_max {
            let Some((_, payload)) = self.merge.next()? else { break };
            n_bytes += payload.len();
            let mut reader = Cursor::new(payload);
            reader.take(self.n_before).map_err(unreadable)?;
            for column in &mut columns {
                column.push(reader.value().map_err(unreadable)?);
            }
            n_rows += 1;
        }
        if n_rows == 0 {
            return Ok(None);
        }
        Ok(Some(self.form.table(n_rows, columns, self.approximate.clone())))
    }
}

/// Rows that are kept in memory until all are there.
pub(crate) struct RowBuffer {
    form: RowForm,
    n_rows: usize,
    columns: Vec<Vec<Option<Value>>>,
    approximate: BTreeSet<Name>,
    lease: Lease,
}

impl RowBuffer {
    /// Returns a buffer without rows, whose memory `lease` stands for.
    pub(crate) fn new(form: RowForm, lease: Lease) -> Self {
        let columns = vec![Vec::new(); form.names.len()];
        Self { form, n_rows: 0, columns, approximate: BTreeSet::new(), lease }
    }

    /// Adds rows.
    ///
    /// # Errors
    /// The query may not hold them all.
    pub(crate) fn push(&mut self, mut table: Table, scan: &Scan<'_>) -> Result<()> {
        let columns = self.form.columns(&mut table.frame, scan)?;
        let mut n_bytes = self.lease.n_bytes();
        for (values, column) in self.columns.iter_mut().zip(columns) {
            let n_before = values.len();
            values.extend((0..table.frame.n_rows()).map(|row| column.value(row)));
            let cells = values[n_before..].iter();
            n_bytes += cells.map(|value| CELL_BYTES + value.as_ref().map_or(0, value_bytes)).sum::<usize>();
        }
        self.n_rows += table.frame.n_rows();
        self.approximate.append(&mut table.approximate);
        scan.budget().resize(&mut self.lease, n_bytes)
    }

    /// Returns all rows.
    pub(crate) fn finish(self) -> Table {
        let mut table = self.form.table(self.n_rows, self.columns, self.approximate);
        table.frame.add_lease(self.lease);
        table
    }
}
