//! `dedup` by more keys than fit into memory.
//!
//! The first rows of keys pass on at once while the keys seen fit into memory. Rows after that whose key is not among
//! these wait on disk, sorted by key; when all are there, the first one of each key is put back into the order in which
//! the rows came.

use std::collections::{BTreeSet, HashSet};

use plan::Name;
use types::RowSet;

use super::rows::{RowForm, RowsRead};
use crate::operators::table::Table;
use crate::request::spilling::{LeasedSorter, Spilling};
use crate::scan::scanner::Scan;
use evaluate::{Cell, Lease, Result, write_key};

/// Bytes of a key next to its own, with its share of the table.
const KEY_BYTES: usize = 64;

/// Bytes of the number of a row, before the row's.
const NUMBER_BYTES: usize = 8;

/// The rows seen so far.
pub(super) struct Dedup<'p, 's> {
    names: &'p [Name],
    form: RowForm,
    spilling: Spilling<'s>,
    seen: HashSet<Box<[u8]>>,
    lease: Lease,
    approximate: BTreeSet<Name>,
    /// Once the keys seen are too many.
    waiting: Option<Waiting<'s>>,
}

/// Rows whose turn comes at the end.
struct Waiting<'s> {
    /// By key.
    by_key: LeasedSorter<'s>,
    /// By number, those that are no duplicates for certain.
    by_number: LeasedSorter<'s>,
    n_rows: u64,
}

impl<'p, 's> Dedup<'p, 's> {
    pub(super) fn new(names: &'p [Name], form: RowForm, spilling: Spilling<'s>) -> Result<Self> {
        let (seen, lease) = (HashSet::new(), spilling.lease(0)?);
        Ok(Self { names, form, spilling, seen, lease, approximate: BTreeSet::new(), waiting: None })
    }

    /// Leaves the rows that pass on at once.
    pub(super) fn push(&mut self, table: &mut Table, scan: &Scan<'_>) -> Result<()> {
        let columns = self.names.iter().map(|name| Ok(table.frame.column(name)?)).collect::<Result<Vec<_>>>()?;
        let mut fields = None;
        let mut passing = RowSet::none(table.n_rows());
        let (mut key, mut payload) = (Vec::new(), Vec::new());
        for row in scan.budget().rows(table.n_rows()) {
            key.clear();
            let mut is_whole = true;
            for column in &columns {
                let cell = Cell::at(column, row);
                write_key(cell, &mut key);
                is_whole &= cell.is_present();
            }
            if is_whole && self.seen.contains(key.as_slice()) {
                continue;
            }
            if self.waiting.is_none() && (!is_whole || self.note(&key)?) {
                passing.insert(row);
                continue;
            }
            let Some(waiting) = &mut self.waiting else { continue };
            let fields = match &fields {
                Some(fields) => fields,
                None => fields.insert(self.form.columns(&mut table.frame, scan)?),
            };
            payload.clear();
            payload.extend_from_slice(&waiting.n_rows.to_be_bytes());
            waiting.n_rows += 1;
            self.form.put(fields, row, &mut payload);
            if is_whole {
                waiting.by_key.add(&key, &payload)?;
            } else {
                waiting.by_number.add(&payload[..NUMBER_BYTES], &payload)?;
            }
        }
        scan.budget().check_or_cut()?;
        if self.waiting.is_some() {
            self.approximate.extend(table.approximate.iter().cloned());
        }
        table.frame.retain(&passing);
        Ok(())
    }

    /// Takes a new key; `false` where there is no room for it: rows of new keys wait from now on.
    fn note(&mut self, key: &[u8]) -> Result<bool> {
        let n_bytes = self.lease.n_bytes() + key.len() + KEY_BYTES;
        if n_bytes <= self.spilling.keys_bytes() && self.spilling.resize(&mut self.lease, n_bytes) {
            self.seen.insert(key.into());
            return Ok(true);
        }
        let (by_key, by_number) = (self.spilling.sorter(2, None)?, self.spilling.sorter(2, None)?);
        self.waiting = Some(Waiting { by_key, by_number, n_rows: 0 });
        Ok(false)
    }

    /// Returns the rows that waited.
    pub(super) fn finish(self) -> Result<Option<RowsRead<'s>>> {
        let Some(Waiting { by_key, mut by_number, .. }) = self.waiting else { return Ok(None) };
        drop((self.seen, self.lease));
        let mut last: Option<Vec<u8>> = None;
        let mut merge = by_key.finish()?;
        // Equal keys come in the order in which the rows came.
        while let Some((key, payload)) = merge.next()? {
            if last.as_deref() == Some(key) {
                continue;
            }
            by_number.add(&payload[..NUMBER_BYTES], payload)?;
            let last = last.get_or_insert_default();
            last.clear();
            last.extend_from_slice(key);
        }
        drop(merge);
        Ok(Some(RowsRead::new(self.form, NUMBER_BYTES, self.approximate, by_number.finish()?)))
    }
}
