//! Groups the events of all runs: run by run where the partial of a run is worth keeping, else all together.
//!
//! A run that never changes has its partial looked for in the cache. Where there is none, its blocks are worked off
//! into a state of its own, which is kept once all of them are, and whole: nothing damaged, nothing left out for want
//! of time. Everything else (hot events, partials that grow too large) goes into one state per thread. In the end all
//! states merge, in any order. What came of the runs that the range holds whole is kept together once more, so that
//! whoever asks again reads one partial instead of one for each run (`several.rs`).

pub(crate) mod merged;
mod run_set;
mod shared;
pub(crate) mod top;

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

use plan::{Aggregate, Expr, Name, Operator};

use self::merged::merge_held;
use self::run_set::RunSet;
use self::shared::{PartReply, Sharing};
use self::top::Top;
use crate::operators::group::Groups;
use crate::operators::minutes::{self, CountedBy};
use crate::operators::progress::Preview;
use crate::operators::table::Table;
use crate::operators::unnest::Spread;
use crate::request::cache::PartialCache;
use crate::request::error::{ExecuteError, Result};
use crate::request::item::Item;
use crate::scan::fingerprint::Fingerprint;
use crate::scan::scanner::{Flow, Scan};
use crate::scan::steps::Steps;
use evaluate::Stop;
use types::Hold;
use types::codec::{Cursor, put_count};

/// How much larger a state in memory may be than the largest entry of the cache: it shrinks as it is encoded.
const MEMORY_FACTOR: usize = 4;

/// An aggregation of events.
pub(crate) struct Aggregation<'p> {
    lead: &'p [Operator],
    spread: Spread<'p>,
    by: &'p [(Name, Expr)],
    aggregates: &'p [Aggregate],
    /// The operator that these are of.
    operator: &'p Operator,
    /// The groups that are wanted, where that is not all of them.
    top: Option<Top<'p>>,
    steps: Steps<'p>,
    fields: std::collections::BTreeSet<Name>,
}

/// The partial of one run as it grows.
struct Slot<'p> {
    key: u128,
    /// Set where it cannot be kept: blocks are damaged, or it is too large.
    is_given_up: AtomicBool,
    state: Mutex<PendingPartial<'p>>,
}

struct PendingPartial<'p> {
    groups: Groups<'p>,
    n_items_left: usize,
}

/// What one thread has.
struct Worker<'p> {
    /// Events of runs whose partials are not kept, and partials that are done.
    overall: Groups<'p>,
    /// Of these partials those that are kept together.
    together: Groups<'p>,
    /// The run that it works on, if that has a slot: its source, what was found, how many blocks were worked off.
    own: Option<(usize, Groups<'p>, usize)>,
}

/// What a query keeps partials with.
struct PartialKeeper<'a> {
    cache: &'a PartialCache,
    fingerprint: Fingerprint,
    /// Set once a partial was too large: others would be too.
    is_large: AtomicBool,
    /// The runs whose partials are kept together.
    several: RunSet,
}

impl<'p> Aggregation<'p> {
    /// Prepares `aggregate` of what `lead` and `spread` give; `after` is what comes then.
    pub(crate) fn new(
        lead: &'p [Operator],
        spread: Spread<'p>,
        aggregate: &'p Operator,
        after: &'p [Operator],
    ) -> Option<Self> {
        let top = Top::of(aggregate, after);
        let Operator::Aggregate { by, aggregates } = aggregate else { return None };
        let fields = spread.fields(aggregate);
        let steps = Steps::new(lead, &fields);
        Some(Self { lead, spread, by, aggregates, operator: aggregate, top, steps, fields })
    }

    /// Returns the groups that are wanted as rows.
    pub(crate) fn run(&self, scan: &Scan<'_>, preview: Option<&Preview<'_>>) -> Result<Table> {
        Ok(top::finish(self.top.as_ref(), Ok(self.groups_of_all(scan, preview)?), scan))
    }

    /// Returns the groups of all events.
    pub(crate) fn groups_of_all(&self, scan: &Scan<'_>, preview: Option<&Preview<'_>>) -> Result<Groups<'p>> {
        let keeper = self.keeper(scan);
        let mut total = self.worker();
        let is_known = keeper.as_ref().is_some_and(|keeper| self.take_together(scan, keeper, &mut total.overall));
        let is_left = |source: &usize| !is_known || keeper.as_ref().is_none_or(|keeper| !keeper.several.has(*source));
        let left: Vec<usize> = (0..scan.sources.len()).filter(is_left).collect();
        match keeper.as_ref().and_then(|_| self.sharing(scan)) {
            Some(sharing) => self.share_out(scan, keeper.as_ref(), left, sharing, &mut total, preview)?,
            None => self.work_off(scan, keeper.as_ref(), &left, &mut total, preview)?,
        }
        let Worker { mut overall, together, .. } = total;
        // What was being merged when the query ended is not whole.
        if let Some(keeper) = keeper.as_ref().filter(|_| !is_known && !scan.budget().is_cut()) {
            keeper.keep_together(scan, &together);
        }
        merge_held(scan, &mut overall, together).unwrap_or_else(|stop| scan.note_stop(stop));
        Ok(overall)
    }

    /// Returns how other nodes may take part. What is counted already costs less to read than to ask for.
    fn sharing<'s, 'q>(&self, scan: &'s Scan<'q>) -> Option<Sharing<'s, 'q, 'p>> {
        scan.request.support.peers?;
        let is_counted = self.spread.is_none() && minutes::counted_by(&self.steps, self.by, self.aggregates).is_some();
        let rest = self.spread.operators.iter().chain([self.operator]).cloned().collect();
        Sharing::of(scan, self.lead, rest, (self.by, self.aggregates)).filter(|_| !is_counted)
    }

    /// Works off the runs of this node while others work off theirs, and then what these have left.
    fn share_out<'s>(
        &self,
        scan: &'s Scan<'_>,
        keeper: Option<&PartialKeeper<'_>>,
        mut left: Vec<usize>,
        mut sharing: Sharing<'s, '_, 'p>,
        total: &mut Worker<'p>,
        preview: Option<&Preview<'_>>,
    ) -> Result<()> {
        while !left.is_empty() && !scan.is_over() {
            let (own, of_peers) = sharing.divide(left);
            let answers: Vec<PartReply> = std::thread::scope(|scope| {
                let asked = sharing.ask(scope, of_peers);
                self.work_off(scan, keeper, &own, total, preview)?;
                let joined = asked.into_iter().map(|thread| thread.join().map_err(|_| ExecuteError::Panicked));
                joined.collect::<Result<_, _>>()
            })?;
            left = answers.into_iter().flat_map(|answer| sharing.take(answer, &mut total.overall)).collect();
        }
        Ok(())
    }

    /// Works runs off: what is known of them, and their blocks.
    fn work_off(
        &self,
        scan: &Scan<'_>,
        keeper: Option<&PartialKeeper<'_>>,
        sources: &[usize],
        total: &mut Worker<'p>,
        preview: Option<&Preview<'_>>,
    ) -> Result<()> {
        let mut items: Vec<Item> = Vec::new();
        let mut slots: Vec<Option<Slot<'p>>> = (0..scan.sources.len()).map(|_| None).collect();
        for source in sources {
            slots[*source] = self.begin(scan, *source, keeper, total, &mut items);
        }
        if slots.iter().all(Option::is_none) {
            // Without partials to complete, newest first, as whoever follows the progress expects.
            items.sort_by_key(|item| std::cmp::Reverse((item.last, item.first)));
        }
        scan.expect(&items);
        if !items.is_empty() {
            for mut worker in
                self.in_threads(scan, keeper, &slots, &items, ([&total.overall, &total.together], preview))?
            {
                let handed = worker.hand_in(scan, keeper, &slots);
                let handed = handed.and_then(|()| merge_held(scan, &mut total.overall, worker.overall));
                let handed = handed.and_then(|()| merge_held(scan, &mut total.together, worker.together));
                handed.unwrap_or_else(|stop| scan.note_stop(stop));
            }
        }
        for slot in slots.into_iter().flatten() {
            // Left unfinished by an end before its time.
            let groups = slot.state.into_held().groups;
            merge_held(scan, &mut total.overall, groups).unwrap_or_else(|stop| scan.note_stop(stop));
        }
        Ok(())
    }

    fn worker(&self) -> Worker<'p> {
        Worker { overall: self.groups(), together: self.groups(), own: None }
    }

    /// Works blocks off. Between two of them, everybody lends what was found to whoever shows it.
    fn in_threads(
        &self,
        scan: &Scan<'_>,
        keeper: Option<&PartialKeeper<'_>>,
        slots: &[Option<Slot<'p>>],
        items: &[Item],
        (known, preview): ([&Groups<'p>; 2], Option<&Preview<'_>>),
    ) -> Result<Vec<Worker<'p>>> {
        let workers: Mutex<Vec<Arc<Mutex<Worker<'p>>>>> = Mutex::default();
        let start = || {
            let worker = Arc::new(Mutex::new(self.worker()));
            workers.hold().push(worker.clone());
            worker
        };
        let work = |worker: &mut Arc<Mutex<Worker<'p>>>, _, item: &Item| {
            let worked = self.work(scan, keeper, slots, &mut worker.hold(), item);
            if let Some(preview) = preview.filter(|preview| preview.is_due(scan)) {
                let workers = workers.hold().clone();
                // No one is in the middle of a block while all are held, and no one waits for another one but here.
                let held: Vec<_> = workers.iter().map(|worker| worker.hold()).collect();
                let states: Vec<_> = slots.iter().flatten().map(|slot| slot.state.hold()).collect();
                let of_workers = held.iter().flat_map(|worker| {
                    [&worker.overall, &worker.together]
                        .into_iter()
                        .chain(worker.own.as_ref().map(|(_, groups, _)| groups))
                });
                let parts = known.into_iter().chain(of_workers).chain(states.iter().map(|state| &state.groups));
                let together = preview.together(scan, parts);
                drop((states, held));
                together.into_iter().for_each(|groups| preview.show(scan, groups));
            }
            worked.map(|()| Flow::Continue)
        };
        let worked = scan.for_each(items, start, work)?;
        let done = worked.iter().map(|worker| std::mem::replace(&mut *worker.hold(), self.worker()));
        Ok(done.collect())
    }

    fn groups(&self) -> Groups<'p> {
        Groups::new(self.by, self.aggregates)
    }

    fn keeper<'a>(&self, scan: &Scan<'a>) -> Option<PartialKeeper<'a>> {
        let cache = scan.request.support.cache?;
        if scan.sources.iter().all(|source| source.run.info().key.is_none()) {
            return None;
        }
        let before = [self.lead, self.spread.operators];
        let time_zone = scan.request.time_zone;
        let fingerprint = Fingerprint::of_aggregation(before, self.by, self.aggregates, time_zone)?;
        let several = RunSet::new(scan, fingerprint);
        Some(PartialKeeper { cache, fingerprint, is_large: AtomicBool::new(false), several })
    }

    /// Adds what is known of a run without reading its blocks, and lists the blocks that must be read.
    fn begin(
        &self,
        scan: &Scan<'_>,
        source: usize,
        keeper: Option<&PartialKeeper<'_>>,
        total: &mut Worker<'p>,
        items: &mut Vec<Item>,
    ) -> Option<Slot<'p>> {
        let mut key = None;
        if let Some(keeper) = keeper {
            key = keeper.fingerprint.key(&*scan.sources[source].run, scan.request.range);
            match key.and_then(|key| keeper.cache.partial(key)) {
                Some(kept) if kept.is_empty() => key = None,
                Some(kept) if self.take_kept(scan, Some(source), &kept, keeper.place(source, total)) => {
                    keeper.several.note_arrived(source);
                    return None;
                }
                _ => {}
            }
        }
        let n_before = items.len();
        let counted_by = minutes::counted_by(&self.steps, self.by, self.aggregates).filter(|_| self.spread.is_none());
        let Some(key) = key else {
            self.blocks(scan, source, counted_by.as_ref(), &mut total.overall, items);
            return None;
        };
        let mut groups = self.groups();
        self.blocks(scan, source, counted_by.as_ref(), &mut groups, items);
        let state = Mutex::new(PendingPartial { groups, n_items_left: items.len() - n_before });
        let slot = Slot { key, is_given_up: AtomicBool::new(false), state };
        if items.len() > n_before {
            return Some(slot);
        }
        if let Some(keeper) = keeper {
            keeper.keep(scan, source, &slot, total);
        }
        None
    }

    fn blocks(
        &self,
        scan: &Scan<'_>,
        source: usize,
        counted_by: Option<&CountedBy>,
        groups: &mut Groups<'p>,
        items: &mut Vec<Item>,
    ) {
        items.extend(match counted_by {
            Some(counted_by) => minutes::count(scan, source, &self.steps, (self.by, counted_by), groups),
            None => scan.blocks_of(source, scan.request.range),
        });
    }

    /// Adds what is kept of several runs together; `false` where nothing is.
    fn take_together(&self, scan: &Scan<'_>, keeper: &PartialKeeper<'_>, total: &mut Groups<'p>) -> bool {
        let Some(kept) = keeper.several.key.and_then(|key| keeper.cache.partial(key)) else { return false };
        if kept.is_empty() {
            keeper.several.give_up();
            return false;
        }
        let is_taken = self.take_kept(scan, None, &kept, total);
        if is_taken {
            // They are needed again once one of the runs is gone.
            keeper.cache.touch(&keeper.several.keys);
        }
        is_taken
    }

    /// Adds a partial that was kept of a source, or of several; `false` where it cannot be read.
    fn take_kept(&self, scan: &Scan<'_>, source: Option<usize>, kept: &[u8], total: &mut Groups<'p>) -> bool {
        let mut reader = Cursor::new(kept);
        let (Ok(n_scanned), Ok(n_matched)) = (reader.varint(), reader.varint()) else { return false };
        let Ok(groups) = Groups::decode(self.by, self.aggregates, &mut reader) else { return false };
        if !reader.is_at_end() {
            return false;
        }
        match source {
            Some(source) => scan.count_kept(source, n_scanned, n_matched),
            None => scan.count_kept(scan.sources.len(), n_scanned, n_matched),
        }
        let merged = scan.hold(groups.memory_bytes()).and_then(|()| merge_held(scan, total, groups));
        merged.unwrap_or_else(|stop| scan.note_stop(stop));
        true
    }

    /// Works one block off.
    fn work(
        &self,
        scan: &Scan<'_>,
        keeper: Option<&PartialKeeper<'_>>,
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
        keeper: Option<&PartialKeeper<'_>>,
        slots: &[Option<Slot<'p>>],
    ) -> Result<(), Stop> {
        let Some((source, groups, n_done)) = self.own.take() else { return Ok(()) };
        let (Some(slot), Some(keeper)) = (&slots[source], keeper) else {
            return merge_held(scan, &mut self.overall, groups);
        };
        if slot.is_given_up.load(Relaxed) {
            return merge_held(scan, &mut self.overall, groups);
        }
        let mut state = slot.state.hold();
        state.n_items_left = state.n_items_left.saturating_sub(n_done);
        let is_whole = state.n_items_left == 0;
        merge_held(scan, &mut state.groups, groups)?;
        drop(state);
        if is_whole {
            keeper.keep(scan, source, slot, self);
        }
        Ok(())
    }
}

impl PartialKeeper<'_> {
    /// Keeps a partial that is whole, and merges it into `into`.
    fn keep<'p>(&self, scan: &Scan<'_>, source: usize, slot: &Slot<'p>, into: &mut Worker<'p>) {
        let mut state = slot.state.hold();
        let empty = state.groups.fresh();
        let groups = std::mem::replace(&mut state.groups, empty);
        let mut into_groups = &mut into.overall;
        if !slot.is_given_up.load(Relaxed) && !scan.env.warnings.has_added() {
            let bytes = encoded(scan.counted(source), &groups);
            if bytes.len() > self.cache.entry_bytes_max() {
                self.give_up(slot);
            } else {
                self.cache.put(slot.key, bytes);
                self.several.note_arrived(source);
                into_groups = self.place(source, into);
            }
        }
        drop(state);
        merge_held(scan, into_groups, groups).unwrap_or_else(|stop| scan.note_stop(stop));
    }

    /// Returns where the partial of a source goes.
    fn place<'w, 'p>(&self, source: usize, worker: &'w mut Worker<'p>) -> &'w mut Groups<'p> {
        if self.several.has(source) { &mut worker.together } else { &mut worker.overall }
    }

    /// Keeps the partials of several runs together, if they are all there.
    fn keep_together(&self, scan: &Scan<'_>, groups: &Groups<'_>) {
        let Some(key) = self.several.key.filter(|_| self.several.is_whole() && !scan.is_partial()) else { return };
        if groups.memory_bytes() > self.cache.entry_bytes_max().saturating_mul(MEMORY_FACTOR) {
            return self.cache.put(key, Vec::new());
        }
        let bytes = encoded(self.several.counted(scan), groups);
        let is_large = bytes.len() > self.cache.entry_bytes_max() / 2;
        self.cache.put(key, if is_large { Vec::new() } else { bytes });
    }

    /// Remembers that a partial is too large to be kept.
    fn give_up(&self, slot: &Slot<'_>) {
        slot.is_given_up.store(true, Relaxed);
        self.is_large.store(true, Relaxed);
        self.cache.put(slot.key, Vec::new());
    }
}

/// Returns a partial as it is kept: how many events were looked at, how many matched, and their groups.
fn encoded((n_scanned, n_matched): (u64, u64), groups: &Groups<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_count(n_scanned, &mut bytes);
    put_count(n_matched, &mut bytes);
    groups.encode(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests;
