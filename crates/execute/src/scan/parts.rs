//! Parts of runs, each of some blocks: counted in one go, kept, and merged in one order.
//!
//! A run is cut at the same blocks whatever the range is, and the counts of its parts merge in the order of the parts. So
//! what is found depends neither on the number of threads nor on what is kept, and a range that moves on finds all but the
//! parts at its ends.

use std::any::Any;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

use crate::request::cache::CacheEntry;
use crate::request::error::Result;
use crate::request::item::Item;
use crate::scan::fingerprint::Fingerprint;
use crate::scan::scanner::{Flow, Scan};
use evaluate::Stop;
use types::Hold;

/// Blocks of a part, 131,072 events. With fewer there is more to merge and to keep; with more, more rows are counted anew
/// at the ends of a range.
const PART_BLOCKS: usize = 8;

/// So many of the largest entries may be counted by one query; what it counts beyond that is not kept, so that it drives out
/// nothing that others need.
const ENTRIES_MAX: usize = 4;

/// Blocks of a run, as far as the range reaches.
pub(crate) struct RunPart {
    pub(crate) source: usize,
    /// In order of time.
    items: Vec<Item>,
    /// Whether the range holds all of it.
    is_whole: bool,
}

/// What was counted of a part.
pub(crate) struct PartCounts<C> {
    pub(crate) counts: C,
    /// Events that were counted.
    pub(crate) n_matched: u64,
    /// Bytes held, which the query holds until the counts are merged.
    pub(crate) n_bytes: usize,
    /// Whether all blocks could be read.
    pub(crate) is_complete: bool,
}

/// The same as it is kept.
struct CachedCounts<C> {
    counts: C,
    n_scanned: u64,
    n_matched: u64,
}

/// Counts of a part that wait for those before them, and bytes that the query holds for them.
type Waiting<C> = (Arc<CachedCounts<C>>, usize);

impl RunPart {
    /// Returns the key of what is kept of the part, where its run never changes and the range holds all of it.
    pub(crate) fn key(&self, scan: &Scan<'_>, fingerprint: Fingerprint) -> Option<u128> {
        let first = self.items.first().filter(|_| self.is_whole)?;
        fingerprint.key_of_blocks(&*scan.sources[self.source].run, first.block)
    }

    /// Works its blocks off; reports whether all of them could be read in time.
    pub(crate) fn for_each(
        &self,
        scan: &Scan<'_>,
        mut work: impl FnMut(&Item) -> Result<(), Stop>,
    ) -> Result<bool, Stop> {
        let mut is_complete = true;
        for item in &self.items {
            if scan.is_over() {
                return Ok(false);
            }
            match work(item) {
                Ok(()) => {}
                Err(Stop::Over) => return Ok(false),
                Err(stop @ Stop::Damaged(_)) => {
                    scan.note_stop(stop);
                    is_complete = false;
                }
                Err(stop) => return Err(stop),
            }
        }
        Ok(is_complete)
    }

    /// Returns how many rows its blocks have.
    pub(crate) fn n_rows(&self, scan: &Scan<'_>) -> u64 {
        let run = &scan.sources[self.source].run;
        self.items.iter().map(|item| run.block_rows(item.block) as u64).sum()
    }
}

/// Returns the parts of all runs that never change and that the range holds whole, and the others; each newest run and newest
/// part first.
pub(crate) fn lasting_parts(scan: &Scan<'_>, fingerprint: Option<Fingerprint>) -> (Vec<RunPart>, Vec<RunPart>) {
    let is_lasting = |part: &RunPart| fingerprint.is_some_and(|fingerprint| part.key(scan, fingerprint).is_some());
    parts(scan).into_iter().partition(is_lasting)
}

/// Returns the parts of all runs, newest run and newest part first.
fn parts(scan: &Scan<'_>) -> Vec<RunPart> {
    let mut sources: Vec<usize> = (0..scan.sources.len()).collect();
    sources.sort_by_key(|source| Reverse(scan.sources[*source].run.info().last));
    let mut parts = Vec::new();
    for source in sources {
        let n_blocks = scan.sources[source].run.n_blocks();
        let items = scan.blocks_of(source, scan.request.range);
        for items in items.chunk_by(|a, b| a.block / PART_BLOCKS == b.block / PART_BLOCKS).rev() {
            let first = items[0].block / PART_BLOCKS * PART_BLOCKS;
            let is_whole = items.len() == PART_BLOCKS.min(n_blocks - first)
                && items.iter().all(|item| item.range.covers(item.first, item.last));
            parts.push(RunPart { source, items: items.to_vec(), is_whole });
        }
    }
    parts
}

/// Counts all parts by `count`, or takes what is kept of them, and merges them in order.
///
/// What `count` holds of the query's memory is released once it is merged; what `merge` holds stays.
pub(crate) fn count_parts<C: Any + Send + Sync>(
    scan: &Scan<'_>,
    fingerprint: Option<Fingerprint>,
    count: impl Fn(&RunPart) -> Result<PartCounts<C>, Stop> + Sync,
    merge: impl FnMut(&RunPart, &C) -> Result<(), Stop> + Send,
) -> Result<()> {
    count_these(scan, fingerprint, &parts(scan), count, merge)
}

/// Does the same with some parts.
pub(crate) fn count_these<C: Any + Send + Sync>(
    scan: &Scan<'_>,
    fingerprint: Option<Fingerprint>,
    parts: &[RunPart],
    count: impl Fn(&RunPart) -> Result<PartCounts<C>, Stop> + Sync,
    mut merge: impl FnMut(&RunPart, &C) -> Result<(), Stop> + Send,
) -> Result<()> {
    if parts.is_empty() {
        return Ok(());
    }
    let items: Vec<Item> = parts.iter().flat_map(|part| part.items.iter().copied()).collect();
    scan.expect(&items);
    let (next, n_bytes_kept) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let mut merge_one = |part: &RunPart, (counted, n_bytes): Waiting<C>| {
        let merged = merge(part, &counted.counts);
        scan.budget().release(n_bytes);
        merged
    };
    let ordered = Mutex::new((0_usize, BTreeMap::<usize, Option<Waiting<C>>>::new(), &mut merge_one));
    scan.until_done(
        || (),
        |()| {
            let place = next.fetch_add(1, Relaxed);
            let Some(part) = parts.get(place) else { return Ok(Flow::Done) };
            let counted = counted(scan, fingerprint, (part, &n_bytes_kept), &count);
            part.items.iter().for_each(|item| scan.note_done(item.source));
            let (counted, stop) = match counted {
                Ok(counted) => (Some(counted), None),
                Err(stop) => (None, Some(stop)),
            };
            let mut ordered = ordered.hold();
            let (first, waiting, merge_one) = &mut *ordered;
            waiting.insert(place, counted);
            while let Some(counted) = waiting.remove(first) {
                *first += 1;
                counted.map_or(Ok(()), |counted| merge_one(&parts[*first - 1], counted))?;
            }
            stop.map_or(Ok(Flow::Continue), Err)
        },
    )?;
    // Where the query ended before its time, those after a gap are part of what was found.
    let (_, waiting, merge_one) = ordered.into_held();
    for (place, counted) in waiting {
        if let Some(Err(stop)) = counted.map(|counted| merge_one(&parts[place], counted)) {
            scan.note_stop(stop);
        }
    }
    scan.take_error().map_or(Ok(()), Err)
}

/// Counts a part, or takes what is kept of it.
fn counted<C: Any + Send + Sync>(
    scan: &Scan<'_>,
    fingerprint: Option<Fingerprint>,
    (part, n_bytes_kept): (&RunPart, &AtomicUsize),
    count: impl Fn(&RunPart) -> Result<PartCounts<C>, Stop>,
) -> Result<Waiting<C>, Stop> {
    let key = fingerprint.and_then(|fingerprint| part.key(scan, fingerprint));
    let kept = scan.request.support.cache.zip(key);
    if let Some(known) = kept.and_then(|(cache, key)| cache.part_counts::<CachedCounts<C>>(key)) {
        scan.count_kept(part.source, known.n_scanned, known.n_matched);
        return Ok((known, 0));
    }
    let PartCounts { counts, n_matched, n_bytes, is_complete } = count(part)?;
    let counted = Arc::new(CachedCounts { counts, n_scanned: part.n_rows(scan), n_matched });
    if let Some((cache, key)) = kept.filter(|_| is_complete && !scan.env.warnings.has_added()) {
        let before = n_bytes_kept.fetch_add(n_bytes, Relaxed);
        if before.saturating_add(n_bytes) <= cache.entry_bytes_max().saturating_mul(ENTRIES_MAX) {
            cache.put(key, CacheEntry::Counts(counted.clone(), n_bytes));
        }
    }
    Ok((counted, n_bytes))
}
