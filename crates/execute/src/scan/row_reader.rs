//! Event rows of immutable runs, kept as they were read.
//!
//! The first rows of all immutable runs together are kept with the fields that were shown of them. Asked again, the
//! rows of runs that may change are found anew and take their places among them. Hot events may have pushed others out
//! when the rows were kept: then only the first of them are known, and where that is not enough they are found again.

use std::collections::BTreeSet;
use std::sync::Arc;

use plan::{Name, Operator};
use types::RowSet;

use crate::request::cache::{CacheEntry, PartialCache};
use crate::request::cache_entries::CachedRows;
use crate::request::candidate::{Candidate, candidate_bytes};
use crate::request::error::Result;
use crate::request::item::Item;
use crate::request::parameters::Request;
use crate::scan::fingerprint::Fingerprint;
use crate::scan::matches::Matcher;
use crate::scan::row_order::RowOrder;
use crate::scan::rows::{RowSelection, choose};
use crate::scan::scanner::Scan;
use evaluate::{Frame, RowColumns};

/// Bytes of a value next to its own.
const CELL_BYTES: usize = 32;

/// Which event rows are wanted, and what of them.
#[derive(Clone, Copy)]
pub(crate) struct RowRequest<'w> {
    pub(crate) lead: &'w [Operator],
    pub(crate) order: &'w RowOrder<'w>,
    /// How many are looked for.
    pub(crate) cap: Option<usize>,
    /// How many of these are shown.
    pub(crate) most: Option<usize>,
    /// The fields to be read.
    pub(crate) needed: &'w BTreeSet<Name>,
}

/// Rows that were read, and whether there were more than are shown.
type ReadRows = (Frame<'static>, bool);

/// Finds and reads rows, or takes those that are kept.
pub(crate) struct RowReader<'k> {
    wanted: RowRequest<'k>,
    cache: Option<(&'k PartialCache, u128)>,
}

impl<'k> RowReader<'k> {
    /// Prepares to find rows.
    pub(crate) fn new(scan: &Scan<'k>, wanted: RowRequest<'k>) -> Self {
        let Request { range: _, time_zone, support, .. } = *scan.request;
        let RowRequest { lead, order, cap, most, needed } = wanted;
        let key = || Fingerprint::of_rows(lead, order, (cap, most), needed, time_zone)?.key_of_all(scan);
        let cache = support.cache.and_then(|cache| Some((cache, key()?)));
        Self { wanted, cache }
    }

    /// Returns the rows, read.
    pub(crate) fn rows(&self, scan: &Scan<'_>, matcher: &Matcher<'_>) -> Result<ReadRows> {
        let RowRequest { order, cap, .. } = self.wanted;
        let mut items = scan.items();
        if order.is_ascending() {
            items.sort_by_key(|item| (item.first, item.last));
        }
        if self.cache.is_some() {
            // What may change goes first: what is found there may be all that is wanted.
            items.sort_by_key(|item| is_immutable(scan, item));
        }
        let items: Arc<[Item]> = items.into();
        let (mut found, mut n_hot) = (Vec::new(), 0);
        if let Some((cache, key)) = self.cache {
            n_hot = items.partition_point(|item| !is_immutable(scan, item));
            found = choose(scan, matcher, (order, cap), (&items, 0..n_hot), found)?;
            if let Some(kept) = cache.rows(key)
                && let Some(rows) = self.with_kept(scan, &kept, &items, &found)?
            {
                return Ok(rows);
            }
        }
        let found = choose(scan, matcher, (order, cap), (&items, n_hot..items.len()), found)?;
        let shown = &found[..self.n_shown(found.len())];
        let read = RowSelection::of(items.clone(), shown).read(scan, self.wanted.lead, self.wanted.needed)?;
        self.keep(scan, &found, &items, &read);
        Ok((read.into_frame(self.wanted.needed), found.len() > shown.len()))
    }

    fn n_shown(&self, n_found: usize) -> usize {
        self.wanted.most.map_or(n_found, |most| most.min(n_found))
    }

    /// Returns the rows, of those kept and of those found next to them, where the ones kept suffice.
    fn with_kept(
        &self,
        scan: &Scan<'_>,
        kept: &CachedRows,
        items: &Arc<[Item]>,
        found: &[Candidate],
    ) -> Result<Option<ReadRows>> {
        let RowRequest { order, cap, lead, needed, .. } = self.wanted;
        let cap = cap.unwrap_or(usize::MAX);
        // Per row whether it is a kept one, and its place among its own.
        let mut merged: Vec<(bool, usize)> = Vec::with_capacity(cap.min(kept.rows.len() + found.len()));
        let (mut n_kept, mut n_found) = (0, 0);
        while merged.len() < cap {
            let is_kept = match (kept.rows.get(n_kept), found.get(n_found)) {
                (Some(kept), Some(found)) => order.compare(kept, found).is_lt(),
                (Some(_), None) => true,
                (None, _) if !kept.is_all => return Ok(None),
                (None, Some(_)) => false,
                (None, None) => break,
            };
            merged.push(if is_kept { (true, n_kept) } else { (false, n_found) });
            (n_kept, n_found) = (n_kept + usize::from(is_kept), n_found + usize::from(!is_kept));
        }
        let shown = &merged[..self.n_shown(merged.len())];
        let n_kept = shown.iter().filter(|(is_kept, _)| *is_kept).count();
        if n_kept > kept.columns.n_rows() {
            return Ok(None);
        }
        let found = &found[..shown.len() - n_kept];
        let columns = if found.is_empty() {
            kept.columns.gather(&RowSet::of(kept.columns.n_rows(), |row| row < n_kept))
        } else {
            let fresh = RowSelection::of(items.clone(), found).read(scan, lead, needed)?;
            if fresh.is_damaged() {
                return Ok(None);
            }
            evaluate::columns::row_columns::RowColumns::interleaved(shown, &kept.columns, &fresh)
        };
        scan.hold(kept.n_bytes).unwrap_or_else(|stop| scan.note_stop(stop));
        scan.count_kept(scan.sources.len(), kept.n_scanned, kept.n_matched);
        Ok(Some((columns.into_frame(needed), merged.len() > shown.len())))
    }

    /// Keeps the rows of immutable runs, if nothing is missing.
    fn keep(&self, scan: &Scan<'_>, found: &[Candidate], items: &[Item], read: &RowColumns) {
        let Some((cache, key)) = self.cache else { return };
        if scan.env.warnings.has_added() || read.is_damaged() || scan.is_partial() {
            return;
        }
        let bytes_max = cache.entry_bytes_max();
        let is_kept = |row: usize| is_immutable(scan, found[row].item(items));
        let rows = RowSet::of(found.len(), is_kept);
        let is_all = self.wanted.cap.is_none_or(|cap| found.len() < cap);
        if rows.count() * CELL_BYTES * (1 + self.wanted.needed.len()) > bytes_max || (rows.is_empty() && !is_all) {
            return;
        }
        let columns = read.gather(&RowSet::of(read.n_rows(), is_kept));
        let rows: Vec<Candidate> = rows.iter().map(|row| found[row].clone()).collect();
        let n_bytes = rows.iter().map(candidate_bytes).sum::<usize>() + columns.n_bytes();
        if n_bytes > bytes_max {
            return;
        }
        let (mut n_scanned, mut n_matched) = (0, 0);
        let immutable = |index: &usize| scan.sources[*index].run.info().key.is_some();
        for index in (0..scan.sources.len()).filter(immutable) {
            let (scanned, matched) = scan.counted(index);
            (n_scanned, n_matched) = (n_scanned + scanned, n_matched + matched);
        }
        let kept = CachedRows { rows, is_all, columns, n_scanned, n_matched, n_bytes };
        cache.put(key, CacheEntry::Rows(Arc::new(kept)));
    }
}

fn is_immutable(scan: &Scan<'_>, item: &Item) -> bool {
    scan.sources[item.source].run.info().key.is_some()
}

#[cfg(test)]
mod tests;
