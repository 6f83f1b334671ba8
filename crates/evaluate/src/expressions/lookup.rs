//! Columns of uploaded tables for rows.

use std::sync::Arc;

use plan::fields::is_field;
use plan::{Lookup, Name, Other, Rows};
use types::{Column, Value};

use crate::columns::cell::Cell;
use crate::columns::frame::Frame;
use crate::columns::stop::Result;
use crate::expressions::environment::Environment;

/// Gives each row the columns of its first partner.
pub fn lookup(lookup: &Lookup, frame: &mut Frame<'_>, env: &Environment) -> Result<()> {
    let Other::Rows(rows) = &lookup.table else { return Ok(()) };
    let mut mine = Vec::with_capacity(lookup.keys.len());
    for (_, expr) in &lookup.keys {
        mine.push((env.evaluate(expr, frame)?, is_field(expr, "@level")));
    }
    let theirs: Vec<Name> = lookup.keys.iter().map(|(column, _)| column.clone()).collect();
    let hold = |n_bytes| env.budget.permits(n_bytes);
    let partners = env.partners.of(rows, &theirs, &mine, &hold)?;
    let first = |row| partners.of_cells(mine.iter().map(|(column, _)| Cell::at(column, row))).first().copied();
    let found: Vec<Option<u32>> = env.budget.rows(frame.n_rows()).map(first).collect();
    env.budget.check()?;
    define(rows, &lookup.columns, &found, frame, env)
}

/// Gives rows the columns of those found for them.
pub fn define(
    rows: &Rows,
    columns: &[(Name, Name)],
    found: &[Option<u32>],
    frame: &mut Frame<'_>,
    env: &Environment,
) -> Result<()> {
    for (column, name) in columns {
        let place = rows.columns.iter().position(|known| known == column);
        let value = |found: &Option<u32>| -> Option<Value> { rows.rows[(*found)? as usize].get(place?)?.clone() };
        let values = env.budget.rows(found.len()).map(|row| value(&found[row])).collect();
        env.budget.check()?;
        frame.define(name.clone(), Arc::new(Column::of_values(values)));
    }
    Ok(())
}
