//! Columns that functions make, within the memory of the query.

use std::sync::Arc;

use plan::Template;
use plan::template::Line;
use types::{Column, Timestamp, Value};

use crate::columns::cell::Cell;
use crate::columns::memory::Lease;
use crate::columns::stop::Result;
use crate::columns::value_size::value_bytes;
use crate::expressions::environment::Environment;

/// The longest text that a function makes; a longer one is missing.
pub(in crate::expressions) const TEXT_BYTES_MAX: usize = 16 << 20;

/// Rows between two looks at whether the query is over: some functions work on texts of megabytes.
pub(in crate::expressions) const ROWS_BETWEEN_LOOKS: usize = 64;

/// Bytes of texts between two looks at the memory of the query.
pub(in crate::expressions) const BYTES_BETWEEN_LOOKS: usize = 256 << 10;

/// A column, with its memory where that is more than a few bytes a row.
pub(in crate::expressions) type FunctionOutput = (Arc<Column>, Option<Lease>);

/// Computes a value per row, stopping where all of them together become too big.
///
/// The texts are there twice while they are put into a column, and are counted so.
pub(in crate::expressions) fn rows(
    n_rows: usize,
    env: &Environment,
    mut value: impl FnMut(usize) -> Option<Value>,
) -> Result<FunctionOutput> {
    let (mut bytes, mut lease) = (0usize, None);
    let mut values = Vec::with_capacity(n_rows);
    for row in 0..n_rows {
        if row % ROWS_BETWEEN_LOOKS == 0 {
            env.budget.check()?;
        }
        let value = value(row);
        bytes = bytes.saturating_add(value.as_ref().map_or(0, value_bytes));
        if bytes > BYTES_BETWEEN_LOOKS {
            resize(&mut lease, bytes.saturating_mul(2), env)?;
        }
        values.push(value);
    }
    let column = Column::of_values(values);
    if lease.is_some() {
        resize(&mut lease, column.memory_bytes(), env)?;
    }
    Ok((Arc::new(column), lease))
}

/// Lets a lease be at least `n_bytes`, in steps, or exactly that where it becomes smaller.
pub(in crate::expressions) fn resize(lease: &mut Option<Lease>, n_bytes: usize, env: &Environment) -> Result<()> {
    let in_steps = n_bytes.next_multiple_of(BYTES_BETWEEN_LOOKS);
    match lease {
        Some(lease) if lease.n_bytes() == in_steps => Ok(()),
        Some(lease) => env.budget.resize(lease, in_steps),
        None => {
            *lease = Some(env.budget.lease(in_steps)?);
            Ok(())
        }
    }
}

/// Returns what a template makes of a row of a line, its time and labels.
///
/// Errors: why it fails.
pub(in crate::expressions) fn filled(
    template: &Template,
    columns: &[Arc<Column>],
    row: usize,
    now: Timestamp,
) -> Result<String, String> {
    let [line, time, labels @ ..] = columns else { return Err("a line and a time are missing".to_owned()) };
    let texts: Vec<_> = labels.iter().map(|column| Cell::at(column, row).text().unwrap_or_default()).collect();
    let labels: Vec<&str> = texts.iter().map(|text| &**text).collect();
    let text = Cell::at(line, row).text().unwrap_or_default();
    let timestamp = match time.value(row) {
        Some(Value::Timestamp(timestamp)) => timestamp,
        _ => Timestamp(0),
    };
    template.run(&Line { text: &text, timestamp, now, labels: &labels })
}
