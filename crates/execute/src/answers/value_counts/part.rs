//! The values of all fields in a part of a run.

use std::sync::Arc;

use types::RowSet;

use super::field_counter::{FieldCounter, FieldSum, SAMPLE_STEP};
use crate::scan::scanner::Scan;
use evaluate::{BlockRows, Result};

/// The values of all fields in a part of a run.
pub(super) struct PartValues {
    pub(super) n_events: u64,
    pub(super) names: Arc<[Arc<str>]>,
    /// By the numbers of the names.
    pub(super) fields: Vec<FieldSum>,
}

/// The same while its blocks are counted.
pub(super) struct Counter {
    n_events: u64,
    names: Arc<[Arc<str>]>,
    fields: Vec<FieldCounter>,
    n_bytes: usize,
}

impl Counter {
    /// Counts fields of these names.
    pub(super) fn new(names: Arc<[Arc<str>]>) -> Self {
        let fields = names.iter().map(|_| FieldCounter::default()).collect();
        Self { n_events: 0, names, fields, n_bytes: 0 }
    }

    /// Counts the rows of a block.
    pub(super) fn add(&mut self, block: &BlockRows<'_>, scan: &Scan<'_>) -> Result<()> {
        self.n_events += block.rows.count() as u64;
        for (name, counter) in self.names.iter().zip(&mut self.fields) {
            add_column(counter, block, name)?;
        }
        self.hold(self.fields.iter().map(FieldCounter::n_bytes).sum(), scan)
    }

    /// Holds what was not held before; what is less now is released.
    fn hold(&mut self, n_bytes: usize, scan: &Scan<'_>) -> Result<()> {
        scan.hold(n_bytes.saturating_sub(self.n_bytes))?;
        scan.budget().release(self.n_bytes.saturating_sub(n_bytes));
        self.n_bytes = n_bytes;
        Ok(())
    }

    /// Returns what was counted, and the bytes that are held for it.
    pub(super) fn finish(mut self, scan: &Scan<'_>) -> Result<(PartValues, usize)> {
        let fields: Vec<FieldSum> = std::mem::take(&mut self.fields).into_iter().map(FieldCounter::finish).collect();
        self.hold(fields.iter().map(FieldSum::n_bytes).sum(), scan)?;
        Ok((PartValues { n_events: self.n_events, names: self.names, fields }, self.n_bytes))
    }
}

/// Counts a column, or every sixteenth row of one with too many values.
fn add_column(counter: &mut FieldCounter, block: &BlockRows<'_>, name: &str) -> Result<()> {
    let run = &block.source.run;
    let present = run.presence(block.block, name)?;
    if present.as_ref().is_some_and(RowSet::is_empty) {
        return Ok(());
    }
    if let Some(mut present) = present.filter(|_| counter.is_sparse()) {
        present.and(&block.rows);
        let sample = present.iter().step_by(SAMPLE_STEP);
        let rows = RowSet::of_places(present.n_rows(), sample);
        let column = run.read(block.block, &[name], &rows)?.into_iter().next();
        column.iter().for_each(|column| counter.add_sample(column));
        counter.count_present(present.count() as u64);
        return Ok(());
    }
    let column = run.read(block.block, &[name], &block.rows)?.into_iter().next();
    column.iter().for_each(|column| counter.add(column));
    Ok(())
}
