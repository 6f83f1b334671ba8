//! The columns of fields, stored or derived.

use std::sync::Arc;

use types::{Column, Derivation, RowSet, Run, Strings};

use super::run::{SectionForm, SegmentRun};
use crate::bytes::{Damage, Decoded};
use crate::column::{self, dependent, few, shared_ids, successive};
use crate::error::Result;
use crate::needle::Needle;
use crate::numbers::Base;
use crate::section::SectionId;
use crate::shape::BlockShapes;
use crate::{duration, footer};

/// Of how many rows one has to be wanted, so that looking up each costs less than restoring all.
const ROWS_PER_FEW: usize = 64;

/// Most rows that are checked for a column one by one.
const ROWS_LOOKED_AT_MAX: usize = 8;

impl SegmentRun {
    /// Returns the stored column of a field, all rows of the block.
    pub(super) fn stored_column(&self, block: usize, name: &str) -> Result<Column> {
        self.stored_rows(block, name, &RowSet::all(self.block_rows(block)))
    }

    /// Returns the number of the stored column of a field.
    pub(super) fn column_number(&self, name: &str) -> Option<usize> {
        let columns = &self.run().footer.columns;
        self.run().names.column(name, columns.len(), |number| &columns[number].name)
    }

    /// Reports whether a field, stored or derived, lies below a name, or a derived one has it.
    pub(super) fn has_besides(&self, name: &str) -> bool {
        self.run().names.may_have_besides(name) && (self.is_derived(name) || self.has_below(name))
    }

    fn has_below(&self, name: &str) -> bool {
        let footer = &self.run().footer;
        let next = footer.columns.partition_point(|column| *column.name <= *name);
        let is_below = |known: &str| known.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        let after = &footer.columns[next..];
        let first =
            after.iter().take_while(|column| column.name.strip_prefix(name).is_some_and(|rest| rest < ".")).count();
        let text_keys = footer.origins.iter().filter_map(|origin| origin.text_key.as_deref());
        let time_keys = footer.origins.iter().filter_map(|origin| origin.time_key.as_ref().map(|(key, _)| &**key));
        after.get(first).is_some_and(|column| is_below(&column.name)) || text_keys.chain(time_keys).any(is_below)
    }

    /// Returns the number of a field that a template names, if there is such a field.
    pub(super) fn checked_field(&self, field: usize) -> Result<usize> {
        let is_known = field < self.run().footer.columns.len();
        let damaged = || self.damage(self.run().footer.whole + footer::TEMPLATES, Damage("a field is out of range"));
        is_known.then_some(field).ok_or_else(damaged)
    }

    /// Returns the times and durations of the events of a block that columns of numbers are stored relative to. Durations of
    /// events outside `rows` may be 0.
    pub(super) fn bases(&self, block: usize, base: Base, rows: &RowSet) -> Result<(Arc<Vec<i64>>, Vec<i64>)> {
        let times = if base.has_times { self.shared_times(block)? } else { Arc::default() };
        let Some(field) = base.durations else { return Ok((times, Vec::new())) };
        let field = self.checked_field(field)?;
        let of_rows = duration::of_column(&self.stored_rows_of(block, field, rows)?);
        if rows.is_all() {
            return Ok((times, of_rows));
        }
        let mut durations = vec![0; rows.n_rows()];
        rows.iter().zip(of_rows).for_each(|(row, duration)| durations[row] = duration);
        Ok((times, durations))
    }

    /// Returns rows of the stored column of field number `index`.
    pub(super) fn stored_rows_of(&self, block: usize, index: usize, rows: &RowSet) -> Result<Column> {
        let table = self.shapes()?;
        let shapes = self.block_shapes(block, &table)?;
        let (index_of_column, n_rows) = (index as u32, rows.count());
        // Few rows are checked one by one, so that nothing is computed for the others.
        if n_rows <= ROWS_LOOKED_AT_MAX && !shapes.has_any(index_of_column, rows, &table) {
            return Ok(Column::Missing { n_rows });
        }
        let present = shapes.rows_with(index_of_column, &table);
        if !present.shares_any(rows) {
            return Ok(Column::Missing { n_rows });
        }
        let dictionary = self.dictionary(index)?;
        let id = self.column_section_id(block, index);
        let damaged = |damage| self.damage(id, damage);
        let is_few = self.segment.format > 3 && rows.count() * ROWS_PER_FEW <= present.n_rows();
        let is_looked_up = |stored: &[u8]| is_few && few::is_looked_up(stored);
        let stored = match self.section_or_stored(id, is_looked_up, |stored| self.restored(block, index, stored))? {
            SectionForm::Stored(stored) => {
                let (source, of_source) = self.source_of(block, index, &stored)?;
                let found = few::decode_few(&stored, (&present, rows), (&source, &of_source), dictionary.as_ref());
                return found.map_err(damaged);
            }
            SectionForm::Restored(stored) => stored,
        };
        if let Some(column) = self.successive_rows(block, index, &stored, (&present, rows))? {
            return Ok(column);
        }
        let section = self.restored_successive(block, index, stored)?;
        column::decode(&section, &present, rows, dictionary.as_ref()).map_err(damaged)
    }

    /// Returns the number of the section of field number `index` in a block.
    pub(super) fn column_section_id(&self, block: usize, index: usize) -> SectionId {
        self.run().footer.columns[index].first_section + block as SectionId
    }

    /// Returns the section of field number `index` in a block; what another column says is restored from it.
    pub(super) fn column_section(&self, block: usize, index: usize) -> Result<Arc<Vec<u8>>> {
        let stored = self.stored_section(block, index)?;
        self.restored_successive(block, index, stored)
    }

    /// Restores a section that consists of differences.
    fn restored_successive(&self, block: usize, index: usize, stored: Arc<Vec<u8>>) -> Result<Arc<Vec<u8>>> {
        if !successive::is_successive(&stored) {
            return Ok(stored);
        }
        // It is longer than what it is restored from, and seldom asked for: values are decoded without it.
        let (source, of_source) = self.source_of(block, index, &stored)?;
        let table = self.shapes()?;
        let present = self.block_shapes(block, &table)?.rows_with(index as u32, &table);
        let restored = successive::restore(&stored, &present, &source, &of_source);
        let id = self.column_section_id(block, index);
        restored.map(Arc::new).map_err(|damage| self.damage(id, damage))
    }

    /// Returns the same as it is stored, where it consists of differences.
    pub(super) fn stored_section(&self, block: usize, index: usize) -> Result<Arc<Vec<u8>>> {
        let id = self.column_section_id(block, index);
        self.section_with(id, |stored| self.restored(block, index, stored))
    }

    /// Restores a section from others, where it is one of those.
    fn restored(&self, block: usize, index: usize, stored: Vec<u8>) -> Result<Vec<u8>> {
        let id = self.column_section_id(block, index);
        let damaged = |damage| self.damage(id, damage);
        let pages = if self.segment.format > 5 { shared_ids::pages_of(&stored).map_err(damaged)? } else { Vec::new() };
        if !pages.is_empty() {
            let pages = pages.into_iter().map(|page| self.section(page)).collect::<Result<Vec<_>, _>>()?;
            let pages: Vec<&[u8]> = pages.iter().map(|page| &page[..]).collect();
            return shared_ids::restore(&stored, &pages).map_err(damaged);
        }
        let has_source = self.segment.format > 3 && dependent::source_of(&stored).map_err(damaged)?.is_some();
        if !has_source || successive::is_successive(&stored) {
            return Ok(stored);
        }
        let (source, of_source) = self.source_of(block, index, &stored)?;
        let table = self.shapes()?;
        let present = self.block_shapes(block, &table)?.rows_with(index as u32, &table);
        dependent::restore(&stored, &present, &source, &of_source).map_err(damaged)
    }

    /// Reports whether the ids that field number `index` has in a block may hold a needle, as far as pages of ids tell; they are not
    /// restored for that.
    pub(super) fn pages_may_hold(&self, block: usize, index: usize, needle: &Needle) -> Result<bool> {
        if self.segment.format < 6 || !needle.is_lower_hex() {
            return Ok(true);
        }
        let id = self.column_section_id(block, index);
        let restore = |stored| self.restored(block, index, stored);
        let SectionForm::Stored(stored) = self.section_or_stored(id, shared_ids::is_shared, restore)? else {
            return Ok(true);
        };
        for page in shared_ids::pages_of(&stored).map_err(|damage| self.damage(id, damage))? {
            let section = self.section(page)?;
            let (n_bytes, ids) = shared_ids::take_page(&section).map_err(|damage| self.damage(page, damage))?;
            if needle.may_be_in_hex_of(ids, n_bytes) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the section that a section of field number `index` depends on, and the rows in which that has values.
    pub(super) fn source_of(&self, block: usize, index: usize, stored: &[u8]) -> Result<(Arc<Vec<u8>>, RowSet)> {
        let columns = &self.run().footer.columns;
        let damaged = |damage| self.damage(self.column_section_id(block, index), damage);
        let source = dependent::source_of(stored).map_err(damaged)?;
        let source = source.filter(|source| *source < columns.len() && *source != index);
        let source = source.ok_or(Damage("a field is out of range")).map_err(damaged)?;
        let table = self.shapes()?;
        let present = self.block_shapes(block, &table)?.rows_with(source as u32, &table);
        Ok((self.section(self.column_section_id(block, source))?, present))
    }

    /// Reads the section of field number `index` in a block and decodes it.
    pub(super) fn decoded_column<T>(
        &self,
        block: usize,
        index: usize,
        decode: impl FnOnce(&[u8]) -> Decoded<T>,
    ) -> Result<T> {
        let bytes = self.column_section(block, index)?;
        let id = self.column_section_id(block, index);
        decode(&bytes).map_err(|damage| self.damage(id, damage))
    }

    /// Returns rows of the stored column of a field.
    fn stored_rows(&self, block: usize, name: &str, rows: &RowSet) -> Result<Column> {
        match self.column_number(name) {
            Some(index) => self.stored_rows_of(block, index, rows),
            None => Ok(Column::Missing { n_rows: rows.count() }),
        }
    }

    pub(super) fn read_field(&self, block: usize, name: &str, rows: &RowSet, shapes: &BlockShapes) -> Result<Column> {
        let stored = self.stored_rows(block, name, rows)?;
        let origins = &self.run().footer.origins;
        let is_text = origins.iter().any(|origin| origin.text_key.as_deref() == Some(name));
        let is_time = origins.iter().any(|origin| origin.time_key.as_ref().is_some_and(|(key, _)| **key == *name));
        if !is_text && !is_time {
            return Ok(stored);
        }
        let codes = shapes.origins(rows, &*self.shapes()?);
        let messages = if is_text { self.messages(block, rows)? } else { Strings::default() };
        let times = if is_time { self.shared_times(block)? } else { Arc::default() };
        let timestamps: Vec<i64> = if is_time { rows.iter().map(|row| times[row]).collect() } else { Vec::new() };
        Ok(Derivation { origins, codes: &codes, messages: &messages, timestamps: &timestamps }.overlay(name, stored))
    }

    /// Reports whether values of a field are made of messages or times.
    pub(super) fn is_derived(&self, name: &str) -> bool {
        let is_of = |origin: &types::Origin| {
            let time_key = origin.time_key.as_ref().map(|(key, _)| &**key);
            origin.text_key.as_deref() == Some(name) || time_key == Some(name)
        };
        self.run().footer.origins.iter().any(is_of)
    }
}
