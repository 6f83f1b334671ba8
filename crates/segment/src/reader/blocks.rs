//! Reads a run as it was written: whole blocks with everything that is stored, to write it again.
//!
//! Unlike what a query sees, values that are derived from the message or the time are not made.

use std::sync::Arc;

use types::{Batch, Column, MinuteCounts, RowSet, Run, Timestamp};

use super::run::SegmentRun;
use super::segment::Segment;
use crate::error::Result;
use crate::footer;
use crate::meta::RunSummary;

/// Reads the blocks of one run.
pub struct RunReader(SegmentRun);

impl Segment {
    /// Shows every section and the footer as they are before compression, to see what is left of deleted events.
    #[doc(hidden)]
    pub fn each_plain_section(&self, mut show: impl FnMut(u32, &[u8])) -> Result<()> {
        (0..self.sections.len() as u32).try_for_each(|id| self.section(id).map(|plain| show(id, &plain)))?;
        let names: Vec<u8> = format!("{:?}", self.runs.iter().map(|run| &run.footer).collect::<Vec<_>>()).into();
        show(u32::MAX, &names);
        Ok(())
    }

    /// Returns run number `index` as it was written.
    pub fn run_reader(self: &Arc<Self>, index: usize) -> Option<RunReader> {
        self.open_run(index, 0, false).map(RunReader)
    }
}

impl RunReader {
    /// Returns what the run holds.
    pub fn summary(&self) -> &RunSummary {
        &self.0.run().footer.summary
    }

    /// Returns names of the fields that some event of the run has.
    pub fn fields(&self) -> impl Iterator<Item = &Arc<str>> {
        let columns = self.0.run().footer.columns.iter().filter(|column| column.n_events > 0);
        columns.map(|column| &column.name).filter(|name| ***name != *"@logStream")
    }

    /// Returns field names, each with its number of events.
    pub fn field_counts(&self) -> impl Iterator<Item = (&Arc<str>, u64)> {
        let columns = self.0.run().footer.columns.iter().filter(|column| column.n_events > 0);
        columns.map(|column| (&column.name, column.n_events)).filter(|(name, _)| ***name != *"@logStream")
    }

    /// Returns how many blocks there are.
    pub fn n_blocks(&self) -> usize {
        self.0.n_blocks()
    }

    /// Times of the first and the last event of a block.
    pub fn block_times(&self, block: usize) -> (Timestamp, Timestamp) {
        self.0.block_times(block)
    }

    /// Counts by minute.
    pub fn minutes(&self) -> Result<Vec<MinuteCounts>> {
        Ok(self.0.minutes()?.unwrap_or_default())
    }

    /// Times and sequences of a block.
    pub fn places(&self, block: usize) -> Result<(Vec<i64>, Vec<u64>)> {
        let sequences = self.0.deltas(footer::SEQUENCES, block)?;
        Ok((self.0.times(block)?, sequences.into_iter().map(|sequence| sequence as u64).collect()))
    }

    /// Returns all events of a block.
    pub fn block(&self, block: usize) -> Result<Batch> {
        let run = &self.0;
        if let Some(samples) = run.block_of_series(block)? {
            return Ok(samples);
        }
        let rows = RowSet::all(run.block_rows(block));
        let table = run.shapes()?;
        let shapes = run.block_shapes(block, &table)?;
        let mut fields = Vec::new();
        for name in self.fields() {
            let column = run.stored_column(block, name)?;
            if !matches!(column, Column::Missing { .. }) {
                fields.push((name.clone(), column));
            }
        }
        let (timestamps, sequences) = self.places(block)?;
        Ok(Batch {
            timestamps: timestamps.into(),
            sequences: sequences.into(),
            ingestion_times: run.deltas(footer::INGESTION_TIMES, block)?.into(),
            messages: run.messages(block, &rows)?,
            levels: run.levels(block)?.into(),
            streams: run.stored_column(block, "@logStream")?,
            series: None,
            origins: Arc::new(run.run().footer.origins.clone()),
            origin_codes: shapes.origins(&rows, &table).into(),
            fields,
        })
    }
}
