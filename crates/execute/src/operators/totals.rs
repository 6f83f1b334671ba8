//! `addtotals`: sums of the numbers of each row, and of each column in a last row.

use std::collections::HashMap;
use std::sync::Arc;

use plan::{AddTotals, Name};
use types::{Column, Value};

use crate::operators::aggregate::Sum;
use crate::scan::scanner::Scan;
use evaluate::{Cell, Frame, Result, value_bytes};

/// Adds the column, the row, or both.
pub(crate) fn apply(totals: &AddTotals, frame: &mut Frame<'static>, scan: &Scan<'_>) -> Result<()> {
    let n_rows = frame.n_rows();
    let columns = totals.fields.iter().map(|name| frame.column(name)).collect::<Result<Vec<_>, _>>()?;
    let mut sums = vec![Sum::default(); columns.len()];
    let (mut of_rows, mut of_all) = (Vec::with_capacity(n_rows), Sum::default());
    for row in scan.budget().rows(n_rows) {
        let mut of_row = Sum::default();
        for (column, sum) in columns.iter().zip(&mut sums) {
            let cell = Cell::at(column, row);
            // Neither times nor booleans are amounts.
            if cell.plain_number().is_some() {
                of_row.add(cell);
                sum.add(cell);
            }
        }
        of_all.merge(&of_row);
        of_rows.push(of_row.total());
    }
    scan.check()?;
    scan.hold(of_rows.iter().map(|value| 32 + value.as_ref().map_or(0, value_bytes)).sum())?;
    let mut last: HashMap<Name, Option<Value>> = HashMap::new();
    if totals.column.is_some() {
        last.extend(totals.fields.iter().cloned().zip(sums.iter().map(Sum::total)));
    }
    if let Some(name) = &totals.row {
        frame.define(name.clone(), Arc::new(Column::of_values(of_rows)));
        last.insert(name.clone(), of_all.total());
    }
    let Some(column) = &totals.column else { return Ok(()) };
    let label = column.label_field.iter().map(|field| (field.clone(), Some(Value::String(column.label.clone()))));
    last.extend(label);
    frame.extend(1);
    for (name, value) in last {
        let column = frame.column(&name)?;
        let values = (0..n_rows).map(|row| column.value(row)).chain([value]);
        frame.define(name, Arc::new(Column::of_values(values.collect())));
    }
    Ok(())
}
