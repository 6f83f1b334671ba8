//! `sort` of more rows than fit into memory.

use std::collections::BTreeSet;

use plan::{Name, SortKey};

use super::rows::{RowForm, RowsRead};
use crate::operators::table::Table;
use crate::request::spilling::{LeasedSorter, Spilling};
use crate::scan::row_order::key_columns;
use crate::scan::scanner::Scan;
use evaluate::{Cell, Result, put_sort_keys};

/// Rows on their way into order; ties stay in the order in which they come.
pub(super) struct Sort<'p, 's> {
    keys: &'p [SortKey],
    cap: Option<usize>,
    form: RowForm,
    spilling: Spilling<'s>,
    sorter: Option<LeasedSorter<'s>>,
    approximate: BTreeSet<Name>,
}

impl<'p, 's> Sort<'p, 's> {
    /// Sorts rows, of which the first `cap` are wanted.
    pub(super) fn new(keys: &'p [SortKey], cap: Option<usize>, form: RowForm, spilling: Spilling<'s>) -> Self {
        Self { keys, cap, form, spilling, sorter: None, approximate: BTreeSet::new() }
    }

    pub(super) fn push(&mut self, mut table: Table, scan: &Scan<'_>) -> Result<()> {
        let keys = key_columns(self.keys, &mut table.frame, scan)?;
        let columns = self.form.columns(&mut table.frame, scan)?;
        self.approximate.append(&mut table.approximate);
        let sorter = match &mut self.sorter {
            Some(sorter) => sorter,
            None => self.sorter.insert(self.spilling.sorter(1, self.cap)?),
        };
        let (mut key, mut payload) = (Vec::new(), Vec::new());
        for row in scan.budget().rows(table.frame.n_rows()) {
            key.clear();
            payload.clear();
            put_sort_keys(self.keys, keys.iter().map(|column| Cell::at(column, row)), &mut key);
            self.form.put(&columns, row, &mut payload);
            sorter.add(&key, &payload)?;
        }
        scan.budget().check_or_cut()
    }

    pub(super) fn finish(self) -> Result<RowsRead<'s>> {
        let merge = self.spilling.merge(self.sorter.into_iter().collect())?;
        Ok(RowsRead::new(self.form, 0, self.approximate, merge))
    }
}
