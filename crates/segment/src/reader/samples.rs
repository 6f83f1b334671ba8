//! Samples of chosen series.

use types::{Column, RowSet, ScanError, Value};

use super::run::SegmentRun;
use crate::bytes::{Cursor, Damage};
use crate::column::successive;
use crate::section::SectionId;

/// The field that says what an event is, and what it says of samples.
const KIND: &str = "@type";
const SAMPLE: &str = "sample";

impl SegmentRun {
    /// Returns the rows of a block whose stream is wanted; `None` if not all events are samples, or streams have no numbers.
    pub(super) fn samples(&self, block: usize, is_wanted: &dyn Fn(&str) -> bool) -> Result<Option<RowSet>, ScanError> {
        let footer = &self.run().footer;
        let place = |name: &str| footer.columns.binary_search_by(|column| (*column.name).cmp(name)).ok();
        let (Some(kind), Some(stream)) = (place(KIND), place("@logStream")) else { return Ok(None) };
        let is_of_all = |column: usize| footer.columns[column].n_events == footer.summary.n_events;
        let kinds = self.dictionary(kind)?;
        let is_sample = |value: &Value| matches!(value, Value::String(text) if **text == *SAMPLE);
        if !is_of_all(kind) || !is_of_all(stream) || !kinds.is_some_and(|kinds| kinds.iter().all(is_sample)) {
            return Ok(None);
        }
        let (Some(streams), section) = (self.dictionary(stream)?, self.column_section(block, stream)?) else {
            return Ok(None);
        };
        let [0, codes @ ..] = &section[..] else { return Ok(None) };
        let n_rows = footer.blocks[block].n_rows as usize;
        let id = footer.columns[stream].first_section + block as SectionId;
        let codes = Cursor::new(codes).codes(n_rows).map_err(|damage| self.damage(id, damage))?;
        let accepts = |value: &Value| matches!(value, Value::String(text) if is_wanted(text));
        let wanted: Vec<bool> = streams.iter().map(accepts).collect();
        if codes.iter().any(|code| *code as usize >= wanted.len()) {
            return Err(self.damage(id, Damage("a code is out of range")));
        }
        Ok(Some(RowSet::of_slice(&codes, |code| wanted[*code as usize])))
    }

    /// Returns rows of field number `index`, which has values in the rows `present`, where they are stored as differences.
    pub(super) fn successive_rows(
        &self,
        block: usize,
        index: usize,
        (present, rows): (&RowSet, &RowSet),
    ) -> Result<Option<Column>, ScanError> {
        let id = |column: usize| self.run().footer.columns[column].first_section + block as SectionId;
        let stored = self.stored_section(block, index)?;
        if !successive::is_successive(&stored) {
            return Ok(None);
        }
        let damaged = |damage| self.damage(id(index), damage);
        let (source, of_source) = self.source_of(block, index, &stored)?;
        let codes = successive::series_of(&source, present, &of_source).map_err(damaged)?;
        successive::decode(&stored, &codes, present, rows).map_err(damaged)
    }
}
