//! Events of any groups as one Parquet file, for an export: with the columns that a published table of them would have.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;

use types::{
    Column, FieldSummary, MinuteCounts, Narrowed, RowSet, Run, RunInfo, ScanError, TextProbe, Timestamp, TypeSet, Value,
};

use crate::data_file::{BlockRows, EXACT_MAX, write_file};
use crate::error::PublishError;
use crate::schema::{Kind, TableSchema};

/// Rows that become columns at once.
const BLOCK_ROWS: usize = 32_768;

/// Events in memory, to be written as a file.
pub struct EventFile {
    info: RunInfo,
    blocks: Vec<EventBlock>,
    open: BTreeMap<Arc<str>, Vec<Option<Value>>>,
    n_open: usize,
    fields: BTreeMap<Arc<str>, (TypeSet, u64)>,
    /// Fields with whole numbers that are not exact as decimal ones.
    long: BTreeSet<Arc<str>>,
}

struct EventBlock {
    n_rows: usize,
    columns: BTreeMap<Arc<str>, Column>,
}

impl Default for EventFile {
    fn default() -> Self {
        let (n_events, first, last) = (0, Timestamp(0), Timestamp(0));
        let info =
            RunInfo { group: types::group_name_of_file("export"), group_id: 0, key: None, n_events, first, last };
        let (blocks, open) = (Vec::new(), BTreeMap::new());
        Self { info, blocks, open, n_open: 0, fields: BTreeMap::new(), long: BTreeSet::new() }
    }
}

impl EventFile {
    /// Adds an event by all of its fields, `@timestamp` among them.
    pub fn push(&mut self, fields: impl IntoIterator<Item = (String, Value)>) {
        for (name, value) in fields {
            let name: Arc<str> = name.into();
            if let Value::Integer(number) = value
                && number.unsigned_abs() > EXACT_MAX
            {
                self.long.insert(name.clone());
            }
            if !is_of_event(&name) {
                let (types, n_events) = self.fields.entry(name.clone()).or_default();
                types.insert(&value);
                *n_events += 1;
            }
            let column = self.open.entry(name).or_default();
            column.resize(self.n_open, None);
            column.push(Some(value));
        }
        self.n_open += 1;
        self.info.n_events += 1;
        if self.n_open == BLOCK_ROWS {
            self.close_block();
        }
    }

    fn close_block(&mut self) {
        let n_rows = std::mem::take(&mut self.n_open);
        if n_rows == 0 {
            return;
        }
        let whole = |(name, mut values): (Arc<str>, Vec<Option<Value>>)| {
            values.resize(n_rows, None);
            (name, Column::of_values(values))
        };
        let columns = std::mem::take(&mut self.open).into_iter().map(whole).collect();
        self.blocks.push(EventBlock { n_rows, columns });
    }

    /// Writes the file and returns it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write<W: Write + Send>(mut self, mut to: W) -> Result<W, PublishError> {
        self.close_block();
        let mut schema = TableSchema::default();
        schema.add(&self.fields()?);
        for name in &self.long {
            if schema.kinds_of(name).first() == Some(&Kind::Double) {
                schema.add_column(name, Kind::Long);
            }
        }
        let rows = self.blocks.iter().enumerate();
        let parts: Vec<BlockRows> =
            rows.map(|(block, of_block)| BlockRows { block, rows: RowSet::all(of_block.n_rows) }).collect();
        write_file(&self, &parts, &schema, &mut to)?;
        Ok(to)
    }
}

/// Reports whether a field is one that all tables have a column of.
fn is_of_event(name: &str) -> bool {
    matches!(name, "@timestamp" | "@ingestionTime" | "@message" | "@level" | "@log" | "@logStream" | "@id")
}

impl Run for EventFile {
    fn info(&self) -> &RunInfo {
        &self.info
    }

    fn n_blocks(&self) -> usize {
        self.blocks.len()
    }

    fn block_rows(&self, block: usize) -> usize {
        self.blocks[block].n_rows
    }

    fn block_times(&self, _block: usize) -> (Timestamp, Timestamp) {
        (self.info.first, self.info.last)
    }

    fn fields(&self) -> Result<Vec<FieldSummary>, ScanError> {
        let summary = |(name, (types, n_events)): (&Arc<str>, &(TypeSet, u64))| FieldSummary {
            name: name.clone(),
            types: *types,
            n_events: *n_events,
        };
        Ok(self.fields.iter().map(summary).collect())
    }

    fn minutes(&self) -> Result<Option<Vec<MinuteCounts>>, ScanError> {
        Ok(None)
    }

    fn narrow(&self, block: usize, _probe: &TextProbe<'_>) -> Result<Narrowed, ScanError> {
        Ok(Narrowed { rows: RowSet::all(self.block_rows(block)), exact: false })
    }

    fn read(&self, block: usize, names: &[&str], rows: &RowSet) -> Result<Vec<Column>, ScanError> {
        let block = &self.blocks[block];
        let column = |name: &&str| match block.columns.get(*name) {
            Some(column) => column.gather(rows),
            None => Column::Missing { n_rows: rows.count() },
        };
        Ok(names.iter().map(column).collect())
    }
}

#[cfg(test)]
mod tests;
