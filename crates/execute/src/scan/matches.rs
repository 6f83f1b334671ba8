//! Which rows fulfil conditions, kept block by block for the next query with the same ones.
//!
//! What is known of a block does not depend on what is done with its rows, nor on the range that is asked for as long
//! as it covers the block. So a query whose range moves on, which wants more rows, or others of their fields, looks
//! only at blocks that no one has looked at. Blocks that were left out because enough rows were found are simply not
//! known.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, OnceLock};

use plan::{Name, Operator};
use types::{Hold, RowSet, TimeRange};

use crate::request::cache::{CacheEntry, PartialCache};
use crate::request::cache_entries::{CachedMatches, Rows};
use crate::request::item::Item;
use crate::scan::fingerprint::Fingerprint;
use crate::scan::scanner::Scan;
use crate::scan::steps::Steps;
use evaluate::{Frame, Result};

/// So many of the largest entries may be found by one query; what it finds beyond that is not kept.
const ENTRIES_MAX: usize = 4;

/// Applies steps to blocks, or takes what is known of them.
pub(crate) struct Matcher<'m> {
    steps: &'m Steps<'m>,
    memory: Option<Memory<'m>>,
}

/// What is known, and what was found.
struct Memory<'m> {
    cache: &'m PartialCache,
    fingerprint: Fingerprint,
    /// What is done with rows that are known to fulfil the conditions.
    after: Steps<'m>,
    /// Per source.
    runs: Vec<RunMatches>,
    n_bytes_found: AtomicUsize,
}

#[derive(Default)]
struct RunMatches {
    /// Its key, and what is known of it; none for a run that may change.
    known: OnceLock<Option<(u128, Arc<CachedMatches>)>>,
    found: Mutex<Vec<(u32, Rows)>>,
}

impl<'m> Matcher<'m> {
    /// Prepares `steps`, which were made of `lead` for the fields `needed`.
    pub(crate) fn new(
        scan: &Scan<'m>,
        (lead, needed): (&'m [Operator], &std::collections::BTreeSet<Name>),
        steps: &'m Steps<'m>,
    ) -> Self {
        let fingerprint = Fingerprint::of_conditions(lead, scan.request.time_zone);
        let is_any_kept = || scan.sources.iter().any(|source| source.run.info().key.is_some());
        let memory = match (scan.request.support.cache, fingerprint) {
            (Some(cache), Some(fingerprint)) if is_any_kept() => Some(Memory {
                cache,
                fingerprint,
                after: Steps::without_conditions(lead, needed),
                runs: scan.sources.iter().map(|_| RunMatches::default()).collect(),
                n_bytes_found: AtomicUsize::new(0),
            }),
            _ => None,
        };
        Self { steps, memory }
    }

    /// Returns the rows of an item that the steps let through.
    pub(crate) fn frame<'s>(&self, scan: &'s Scan<'_>, item: &Item) -> Result<Frame<'s>> {
        let memory = self.memory.as_ref().filter(|_| item.range.covers(item.first, item.last));
        let Some((memory, (_, known))) = memory.and_then(|memory| Some((memory, memory.of_run(scan, item.source)?)))
        else {
            return scan.frame(item, self.steps);
        };
        if let Some(rows) = known.get(item.block) {
            let n_rows = scan.sources[item.source].run.block_rows(item.block);
            let rows = rows.of_block(n_rows);
            scan.count_kept(item.source, n_rows as u64, rows.count() as u64);
            let mut frame = scan.chosen(item, rows);
            if frame.n_rows() > 0 {
                scan.note_opened(item.source);
                memory.after.apply_to(&mut frame, &scan.env)?;
            }
            return Ok(frame);
        }
        let frame = scan.frame(item, self.steps)?;
        if let Some(block) = frame.block() {
            memory.note(item, &block.rows);
        }
        Ok(frame)
    }

    /// Keeps what was found for queries to come.
    pub(crate) fn keep(&self, scan: &Scan<'_>) {
        let Some(memory) = &self.memory else { return };
        if scan.env.warnings.has_added() {
            return;
        }
        for run in &memory.runs {
            let found = std::mem::take(&mut *run.found.hold());
            if let Some(Some((key, known))) = run.known.get()
                && !found.is_empty()
            {
                memory.cache.put(*key, CacheEntry::Matches(Arc::new(known.with(found))));
            }
        }
    }
}

impl Memory<'_> {
    fn of_run(&self, scan: &Scan<'_>, source: usize) -> Option<&(u128, Arc<CachedMatches>)> {
        let known = || {
            // Blocks are known whole or not at all, so that the range does not matter.
            let key = self.fingerprint.key(&*scan.sources[source].run, TimeRange::ALL)?;
            Some((key, self.cache.matches(key).unwrap_or_default()))
        };
        self.runs[source].known.get_or_init(known).as_ref()
    }

    fn note(&self, item: &Item, rows: &RowSet) {
        let rows = Rows::of(rows);
        let n_bytes = rows.n_bytes();
        let before = self.n_bytes_found.fetch_add(n_bytes, Relaxed);
        if before.saturating_add(n_bytes) <= self.cache.entry_bytes_max().saturating_mul(ENTRIES_MAX) {
            let mut found = self.runs[item.source].found.hold();
            found.push((item.block as u32, rows));
        }
    }
}

#[cfg(test)]
mod tests;
