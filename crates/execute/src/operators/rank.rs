//! `top` and `rare`: groups in the order of their counts, with their share of all.

use std::collections::HashMap;

use plan::Rank;
use types::Value;

use crate::scan::scanner::Scan;
use evaluate::{Cell, Frame, Result, write_key};

/// Bytes held for each row: its key.
const ROW_BYTES: usize = 48;

/// Ranks groups, which are in the order of their columns' values.
pub(crate) fn apply(rank: &Rank, frame: &mut Frame<'static>, scan: &Scan<'_>) -> Result<()> {
    let n_rows = frame.n_rows();
    let counts = frame.column(&rank.count)?;
    let count = |row: usize| match Cell::at(&counts, row) {
        Cell::Integer(count) => count.unsigned_abs(),
        _ => 0,
    };
    let keys = keys(rank, frame, scan)?;
    let mut totals: HashMap<&[u8], u64> = HashMap::new();
    for (row, key) in keys.iter().enumerate() {
        let total = totals.entry(key).or_default();
        *total = total.saturating_add(count(row));
    }
    let share = |row: usize| Some(Value::Float(count(row) as f64 / totals[&*keys[row]].max(1) as f64));
    let shares = types::Column::of_values((0..n_rows).map(share).collect());
    let fields = rank.fields.iter().map(|name| frame.column(name)).collect::<Result<Vec<_>, _>>()?;
    let mut order: Vec<u32> =
        (0..n_rows as u32).filter(|row| fields.iter().all(|column| column.is_present(*row as usize))).collect();
    scan.check()?;
    // Groups of `by` in the order in which they come; rows of equal counts stay in the order of their values.
    let mut places: HashMap<&[u8], usize> = HashMap::new();
    for key in &keys {
        let next = places.len();
        places.entry(key).or_insert(next);
    }
    let place = |row: u32| {
        let count = count(row as usize);
        (places[&*keys[row as usize]], if rank.rarest_first { count } else { u64::MAX - count })
    };
    scan.budget().sort_by(&mut order, |a, b| place(*a).cmp(&place(*b)))?;
    let mut n_kept: HashMap<&[u8], u64> = HashMap::new();
    order.retain(|row| {
        let n_kept = n_kept.entry(&keys[*row as usize]).or_default();
        *n_kept += 1;
        *n_kept <= rank.most
    });
    frame.define(rank.share.clone(), shares.into());
    frame.reorder(&order);
    Ok(())
}

/// Per row the values within which it is ranked.
fn keys(rank: &Rank, frame: &mut Frame<'static>, scan: &Scan<'_>) -> Result<Vec<Vec<u8>>> {
    let columns = rank.by.iter().map(|name| frame.column(name)).collect::<Result<Vec<_>, _>>()?;
    let key = |row: usize| {
        let mut key = Vec::new();
        columns.iter().for_each(|column| write_key(Cell::at(column, row), &mut key));
        key
    };
    scan.hold(frame.n_rows().saturating_mul(ROW_BYTES))?;
    let keys = scan.budget().rows(frame.n_rows()).map(key).collect();
    scan.check()?;
    Ok(keys)
}
