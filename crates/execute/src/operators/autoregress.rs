//! `autoregress`: what a field held in rows before.

use std::sync::Arc;

use plan::Autoregress;
use types::{Column, Value};

use crate::scan::scanner::Scan;
use evaluate::{Frame, Result, value_bytes};

/// Adds a column for each distance.
pub(crate) fn apply(autoregress: &Autoregress, frame: &mut Frame<'static>, scan: &Scan<'_>) -> Result<()> {
    let column = frame.column(&autoregress.field)?;
    for (name, lag) in &autoregress.lags {
        let value = |row: usize| row.checked_sub(*lag).and_then(|before| column.value(before));
        let values: Vec<Option<Value>> = scan.budget().rows(frame.n_rows()).map(value).collect();
        scan.check()?;
        scan.hold(values.iter().map(|value| 32 + value.as_ref().map_or(0, value_bytes)).sum())?;
        frame.define(name.clone(), Arc::new(Column::of_values(values)));
    }
    Ok(())
}
