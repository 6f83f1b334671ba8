//! Groups the events of all runs: run by run where the partial of a run is worth keeping, else all together.
//!
//! A run that never changes has its partial looked for in the cache. Where there is none, its blocks are worked off
//! into a state of its own, which is kept once all of them are, and whole: nothing damaged, nothing left out for want
//! of time. Everything else (hot events, partials that grow too large) goes into one state per thread. In the end all
//! states merge, in any order.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use super::codec::{Reader, put_count};
use super::expression::Stop;
use super::fingerprint::Fingerprint;
use super::group::Groups;
use super::scan::{Flow, Item, Scan};
use super::steps::Steps;
use super::table::Table;
use super::unnest::Spread;
use super::{ExecuteError, minutes};
use crate::cache::PartialCache;
use crate::plan::{Aggregate, Expr, Name, Operator};

/// How much larger a state in memory may be than the largest entry of the cache: it shrinks as it is encoded.
const MEMORY_FACTOR: usize = 4;

/// An aggregation of events.
pub(crate) struct Aggregation<'p> {
    lead: &'p [Operator],
    spread: Spread<'p>,
    by: &'p [(Name, Expr)],
    aggregates: &'p [Aggregate],
    steps: Steps<'p>,
    fields: std::collections::BTreeSet<Name>,
}

/// The partial of one run as it grows.
struct Slot<'p> {
    key: u128,
    /// Set where it cannot be kept: blocks are damaged, or it is too large.
    is_given_up: AtomicBool,
    state: Mutex<Growing<'p>>,
}

struct Growing<'p> {
    groups: Groups<'p>,
    n_items_left: usize,
}

/// What one thread has.
struct Worker<'p> {
    /// Events of runs whose partials are not kept, and partials that are done.
    overall: Groups<'p>,
    /// The run that it works on, if that has a slot: its source, what was found, how many blocks were worked off.
    own: Option<(usize, Groups<'p>, usize)>,
}

/// What a query keeps partials with.
struct Keeper<'a> {
    cache: &'a PartialCache,
    fingerprint: Fingerprint,
    /// Whether the author was already told that numbers are taken as seconds.
    has_said_seconds: bool,
    /// Set once a partial was too large: others would be too.
    is_large: AtomicBool,
}

impl<'p> Aggregation<'p> {
    /// Prepares `aggregate` of what `lead` and `spread` give.
    pub(crate) fn new(lead: &'p [Operator], spread: Spread<'p>, aggregate: &'p Operator) -> Option<Self> {
        let Operator::Aggregate { by, aggregates } = aggregate else { return None };
        let fields = spread.fields(aggregate);
        let steps = Steps::new(lead, &fields);
        Some(Self { lead, spread, by, aggregates, steps, fields })
    }

    /// The groups of all events.
    pub(crate) fn run(&self, scan: &Scan<'_>, has_said_seconds: bool) -> Result<Table, ExecuteError> {
        let keeper = self.keeper(scan, has_said_seconds);
        let mut total = self.groups();
        let mut items: Vec<Item> = Vec::new();
        let mut slots: Vec<Option<Slot<'p>>> = Vec::with_capacity(scan.sources.len());
        for source in 0..scan.sources.len() {
            slots.push(self.begin(scan, source, keeper.as_ref(), &mut total, &mut items));
        }
        if slots.iter().all(Option::is_none) {
            // Without partials to complete, newest first, as whoever follows the progress expects.
            items.sort_by_key(|item| std::cmp::Reverse((item.last, item.first)));
        }
        scan.expect(&items);
        if !items.is_empty() {
            let start = || Worker { overall: self.groups(), own: None };
            let work = |worker: &mut Worker<'p>, _, item: &Item| {
                self.work(scan, keeper.as_ref(), &slots, worker, item).map(|()| Flow::Continue)
            };
            let workers = scan.for_each(&items, start, work)?;
            for mut worker in workers {
                let handed = worker.hand_in(scan, keeper.as_ref(), &slots);
                let handed = handed.and_then(|()| merge_held(scan, &mut total, worker.overall));
                handed.unwrap_or_else(|stop| scan.note_stop(stop));
            }
        }
        for slot in slots.into_iter().flatten() {
            // Left unfinished by an end before its time.
            let groups = slot.state.into_inner().unwrap_or_else(PoisonError::into_inner).groups;
            merge_held(scan, &mut total, groups).unwrap_or_else(|stop| scan.note_stop(stop));
        }
        Ok(Table::of_groups(scan.or_nothing(total.finish(scan.budget()))))
    }

    fn groups(&self) -> Groups<'p> {
        Groups::new(self.by, self.aggregates)
    }

    fn keeper<'a>(&self, scan: &Scan<'a>, has_said_seconds: bool) -> Option<Keeper<'a>> {
        let cache = scan.request.support.cache?;
        if scan.sources.iter().all(|source| source.run.info().key.is_none()) {
            return None;
        }
        let before = [self.lead, self.spread.operators()];
        let time_zone = scan.request.time_zone;
        let fingerprint = Fingerprint::of_aggregation(before, self.by, self.aggregates, time_zone)?;
        Some(Keeper { cache, fingerprint, has_said_seconds, is_large: AtomicBool::new(false) })
    }

    /// Adds what is known of a run without reading its blocks, and lists the blocks that must be read.
    fn begin(
        &self,
        scan: &Scan<'_>,
        source: usize,
        keeper: Option<&Keeper<'_>>,
        total: &mut Groups<'p>,
        items: &mut Vec<Item>,
    ) -> Option<Slot<'p>> {
        let mut key = None;
        if let Some(keeper) = keeper {
            key = keeper.fingerprint.key(&*scan.sources[source].run, scan.request.range);
            match key.and_then(|key| keeper.cache.get(key)) {
                Some(kept) if kept.is_empty() => key = None,
                Some(kept) if self.take_kept(scan, source, &kept, total) => return None,
                _ => {}
            }
        }
        let n_before = items.len();
        let by_minute =
            self.spread.is_none() && self.steps.keep_everything() && minutes::can_answer(self.by, self.aggregates);
        let Some(key) = key else {
            self.blocks(scan, source, by_minute, total, items);
            return None;
        };
        let mut groups = self.groups();
        self.blocks(scan, source, by_minute, &mut groups, items);
        let state = Mutex::new(Growing { groups, n_items_left: items.len() - n_before });
        let slot = Slot { key, is_given_up: AtomicBool::new(false), state };
        if items.len() > n_before {
            return Some(slot);
        }
        if let Some(keeper) = keeper {
            keeper.keep(scan, source, &slot, total);
        }
        None
    }

    fn blocks(&self, scan: &Scan<'_>, source: usize, by_minute: bool, groups: &mut Groups<'p>, items: &mut Vec<Item>) {
        if by_minute {
            items.extend(minutes::count(scan, source, groups));
        } else {
            items.extend(scan.blocks_of(source, scan.request.range));
        }
    }

    /// Adds a partial that was kept; `false` where it cannot be read.
    fn take_kept(&self, scan: &Scan<'_>, source: usize, kept: &[u8], total: &mut Groups<'p>) -> bool {
        let mut reader = Reader::new(kept);
        let (Ok(n_scanned), Ok(n_matched)) = (reader.count(), reader.count()) else { return false };
        let Ok(groups) = Groups::decode(self.by, self.aggregates, &mut reader) else { return false };
        if !reader.is_at_end() {
            return false;
        }
        scan.count_kept(source, n_scanned, n_matched);
        let merged = scan.hold(groups.memory_bytes()).and_then(|()| merge_held(scan, total, groups));
        merged.unwrap_or_else(|stop| scan.note_stop(stop));
        true
    }

    /// Works one block off.
    fn work(
        &self,
        scan: &Scan<'_>,
        keeper: Option<&Keeper<'_>>,
        slots: &[Option<Slot<'p>>],
        worker: &mut Worker<'p>,
        item: &Item,
    ) -> Result<(), Stop> {
        if worker.own.as_ref().is_some_and(|(source, ..)| *source != item.source) {
            worker.hand_in(scan, keeper, slots)?;
        }
        let slot = slots[item.source].as_ref().filter(|slot| !slot.is_given_up.load(Relaxed));
        let (Some(slot), Some(keeper)) = (slot, keeper) else { return self.add(scan, item, &mut worker.overall) };
        let (_, groups, n_done) = worker.own.get_or_insert_with(|| (item.source, self.groups(), 0));
        let added = self.add(scan, item, groups);
        *n_done += 1;
        if added.is_err() {
            slot.is_given_up.store(true, Relaxed);
        } else if groups.memory_bytes() > keeper.cache.entry_bytes_max().saturating_mul(MEMORY_FACTOR) {
            keeper.give_up(slot);
        }
        if keeper.is_large.load(Relaxed) {
            slot.is_given_up.store(true, Relaxed);
            worker.hand_in(scan, Some(keeper), slots)?;
        }
        added
    }

    /// Adds the events of a block.
    fn add(&self, scan: &Scan<'_>, item: &Item, groups: &mut Groups<'p>) -> Result<(), Stop> {
        let mut frame = self.spread.apply(scan.frame(item, &self.steps)?, &self.fields, scan)?;
        if frame.n_rows() == 0 {
            return Ok(());
        }
        let before = groups.memory_bytes();
        groups.add(&mut frame, &scan.env, None)?;
        scan.hold(groups.memory_bytes().saturating_sub(before))
    }
}

impl<'p> Worker<'p> {
    /// Gives what was found in a run to the run's slot; whoever comes last keeps the whole.
    fn hand_in(
        &mut self,
        scan: &Scan<'_>,
        keeper: Option<&Keeper<'_>>,
        slots: &[Option<Slot<'p>>],
    ) -> Result<(), Stop> {
        let Some((source, groups, n_done)) = self.own.take() else { return Ok(()) };
        let (Some(slot), Some(keeper)) = (&slots[source], keeper) else {
            return merge_held(scan, &mut self.overall, groups);
        };
        if slot.is_given_up.load(Relaxed) {
            return merge_held(scan, &mut self.overall, groups);
        }
        let mut state = slot.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.n_items_left = state.n_items_left.saturating_sub(n_done);
        let is_whole = state.n_items_left == 0;
        merge_held(scan, &mut state.groups, groups)?;
        drop(state);
        if is_whole {
            keeper.keep(scan, source, slot, &mut self.overall);
        }
        Ok(())
    }
}

impl Keeper<'_> {
    /// Keeps a partial that is whole, and merges it into `into`.
    fn keep<'p>(&self, scan: &Scan<'_>, source: usize, slot: &Slot<'p>, into: &mut Groups<'p>) {
        let mut state = slot.state.lock().unwrap_or_else(PoisonError::into_inner);
        let empty = state.groups.fresh();
        let groups = std::mem::replace(&mut state.groups, empty);
        // Whether numbers were taken as seconds is known of the query, not of the run.
        let says_more = !self.has_said_seconds && scan.env.took_seconds.load(Relaxed);
        if !slot.is_given_up.load(Relaxed) && !says_more {
            let (n_scanned, n_matched) = scan.counted(source);
            let mut bytes = Vec::new();
            put_count(n_scanned, &mut bytes);
            put_count(n_matched, &mut bytes);
            groups.encode(&mut bytes);
            if bytes.len() > self.cache.entry_bytes_max() {
                self.give_up(slot);
            } else {
                self.cache.put(slot.key, bytes);
            }
        }
        drop(state);
        merge_held(scan, into, groups).unwrap_or_else(|stop| scan.note_stop(stop));
    }

    /// Remembers that a partial is too large to be kept.
    fn give_up(&self, slot: &Slot<'_>) {
        slot.is_given_up.store(true, Relaxed);
        self.is_large.store(true, Relaxed);
        self.cache.put(slot.key, Vec::new());
    }
}

/// Merges and accounts for the memory: what is merged is gone, what it adds is not.
fn merge_held<'p>(scan: &Scan<'_>, into: &mut Groups<'p>, from: Groups<'p>) -> Result<(), Stop> {
    let (before, n_from) = (into.memory_bytes(), from.memory_bytes());
    if into.is_empty() {
        *into = from;
        return Ok(());
    }
    let merged = into.merge(from, scan.budget());
    scan.release(n_from);
    merged.and_then(|()| scan.hold(into.memory_bytes().saturating_sub(before)))
}

#[cfg(test)]
mod tests;
