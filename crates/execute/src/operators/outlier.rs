//! `outlier`: numbers far outside the middle half of their column become the limit, or their rows go.

use std::sync::Arc;

use plan::Outlier;
use types::{Column, RowSet, Value};

use crate::operators::aggregate::Percentile;
use crate::scan::scanner::Scan;
use evaluate::columns::frame::booleans;
use evaluate::{Cell, Frame, Result};

/// What the numbers of a column may be.
struct Limits {
    least: f64,
    most: f64,
}

impl Limits {
    fn of(column: &Column, outlier: &Outlier, scan: &Scan<'_>) -> Option<Self> {
        let mut numbers = Percentile::default();
        for row in scan.budget().rows(column.n_rows()) {
            if let Some(number) = number(column, row) {
                numbers.add_number(number);
            }
        }
        let (low, high) = (numbers.clone().at(25.0)?, numbers.at(75.0)?);
        let distance = outlier.factor * (high - low);
        let least = if outlier.uses_lower { low - distance } else { f64::NEG_INFINITY };
        Some(Self { least, most: high + distance })
    }

    fn hold(&self, number: f64) -> bool {
        (self.least..=self.most).contains(&number)
    }
}

fn number(column: &Column, row: usize) -> Option<f64> {
    Cell::at(column, row).plain_number().map(|number| number.as_float())
}

/// Cuts or removes, and marks.
pub(crate) fn apply(outlier: &Outlier, frame: &mut Frame<'static>, scan: &Scan<'_>) -> Result<()> {
    let n_rows = frame.n_rows();
    let mut kept = RowSet::all(n_rows);
    for (index, name) in outlier.fields.iter().enumerate() {
        let column = frame.column(name)?;
        let limits = Limits::of(&column, outlier, scan);
        scan.check()?;
        let outside = |row| match (&limits, number(&column, row)) {
            (Some(limits), Some(number)) if !limits.hold(number) => Some(number.clamp(limits.least, limits.most)),
            _ => None,
        };
        let is_outside = RowSet::of(n_rows, |row| outside(row).is_some());
        if outlier.removes {
            let mut inside = is_outside.clone();
            inside.invert();
            kept.and(&inside);
        } else if !is_outside.is_empty() {
            scan.hold(n_rows.saturating_mul(32))?;
            let value = |row| outside(row).map(Value::Float).or_else(|| column.value(row));
            let values = scan.budget().rows(n_rows).map(value).collect();
            scan.check()?;
            frame.define(name.clone(), Arc::new(Column::of_values(values)));
        }
        if let Some(mark) = outlier.marks.get(index) {
            frame.define(mark.clone(), Arc::new(booleans(&is_outside)));
        }
    }
    frame.retain(&kept);
    Ok(())
}
