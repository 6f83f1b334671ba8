//! Asks rows of a result whether a condition holds for them, as a filter after the query would.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use plan::{Expr, Name};
use types::{Column, Timestamp, Value};

use evaluate::{Budget, Environment, Frame, PartnersOfPlan, PreparedElements, Warnings};

/// Most bytes that one computed column may have.
const MEMORY_BYTES_MAX: usize = 64 << 20;

/// Tells for which of `rows` the condition holds; a field that is no column is missing. For none of them where
/// computing it would take too much memory.
pub fn holds_for(condition: &Expr, columns: &[Name], rows: &[Vec<Option<Value>>], now: Timestamp) -> Vec<bool> {
    let values = |at: usize| rows.iter().map(|row| row.get(at).cloned().flatten()).collect();
    let column = |(at, name): (usize, &Name)| (name.clone(), Arc::new(Column::of_values(values(at))));
    let mut frame = Frame::of_columns(rows.len(), columns.iter().enumerate().map(column).collect());
    let env = Environment {
        time_zone: chrono_tz::UTC,
        now,
        budget: Budget::of_memory(MEMORY_BYTES_MAX),
        prepared: PreparedElements::default().and([condition]),
        partners: PartnersOfPlan::default(),
        warnings: Warnings::default(),
        events_skipped: AtomicU64::new(0),
    };
    match env.truth(condition, &mut frame) {
        Ok(found) => (0..rows.len()).map(|row| found.contains(row)).collect(),
        Err(_) => vec![false; rows.len()],
    }
}

#[cfg(test)]
mod tests;
