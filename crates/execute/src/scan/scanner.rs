//! Blocks of runs, worked off by several threads.
//!
//! The work is a list of items in the order in which results want them. Threads take the next one each; between
//! two items they look whether the query was cancelled, has run out of time or memory, or needs no more.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;
use plan::Operator;
use types::{Column, Hold, RowSet, Run, ScanError, TimeRange, Timestamp};

use crate::request::answer::{PartialReason, Stats};
use crate::request::error::{ExecuteError, Result};
use crate::request::item::Item;
use crate::request::parameters::Request;
use crate::scan::ahead::Ahead;
use crate::scan::pace::Pace;
use crate::scan::steps::Steps;
use crate::scan::workers;
use evaluate::{BlockRows, Budget, Environment, Frame, PartnersOfPlan, PreparedElements, Source, Stop, Warnings};

/// Damaged places that an answer names; more of them say no more.
const REASONS_MAX: usize = 20;

/// Milliseconds between two reports of progress.
const PROGRESS_MS: u128 = 100;

/// The runs of a query and what is counted while they are scanned.
pub(crate) struct Scan<'a> {
    pub(crate) sources: Vec<Source>,
    pub(crate) request: &'a Request<'a>,
    pub(crate) env: Environment<'a>,
    started: Instant,
    bytes_before: u64,
    /// Per source, and for events of none, how many were looked at and how many of them matched.
    counted: Vec<[AtomicU64; 2]>,
    /// Per source, whether one of its events may fulfil the conditions.
    may_match: Vec<OnceLock<bool>>,
    events_cached: AtomicU64,
    /// Events that other nodes looked at, and bytes that they read for it.
    events_shared: AtomicU64,
    bytes_shared: AtomicU64,
    opened: Mutex<HashSet<u128, RandomState>>,
    /// Segments with blocks that are still to be worked off, and how many.
    remaining: Mutex<HashMap<u128, usize, RandomState>>,
    ahead: Mutex<Ahead>,
    reasons: Mutex<Vec<PartialReason>>,
    error: Mutex<Option<ExecuteError>>,
    last_report: Mutex<Instant>,
}

/// What a worker does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Takes the next item.
    Continue,
    /// All items from here on change nothing.
    Done,
}

impl<'a> Scan<'a> {
    /// Prepares the runs that overlap the request's range, and the lists of the operators that are to be run.
    pub(crate) fn over(operators: &'a [Operator], runs: &[Arc<dyn Run>], request: &'a Request<'a>) -> Self {
        let mut scan = Self::new(runs, request);
        scan.env.prepared = PreparedElements::of(operators);
        scan
    }

    /// Prepares the runs that overlap the request's range.
    pub(crate) fn new(runs: &[Arc<dyn Run>], request: &'a Request<'a>) -> Self {
        let overlaps = |run: &&Arc<dyn Run>| request.range.overlaps(run.info().first, run.info().last);
        let now = Instant::now();
        let sources: Vec<Source> = runs.iter().filter(overlaps).map(|run| Source::new(run.clone())).collect();
        Self {
            counted: (0..=sources.len()).map(|_| Default::default()).collect(),
            may_match: sources.iter().map(|_| OnceLock::new()).collect(),
            sources,
            request,
            env: Environment {
                time_zone: request.time_zone,
                now: request.now,
                budget: request.budget(),
                prepared: PreparedElements::default(),
                partners: PartnersOfPlan::default(),
                warnings: Warnings::default(),
                events_skipped: AtomicU64::new(0),
            },
            started: now,
            bytes_before: runs.iter().map(|run| run.bytes_read()).sum(),
            events_cached: AtomicU64::new(0),
            events_shared: AtomicU64::new(0),
            bytes_shared: AtomicU64::new(0),
            opened: Mutex::default(),
            remaining: Mutex::default(),
            ahead: Mutex::default(),
            reasons: Mutex::new(Vec::new()),
            error: Mutex::new(None),
            last_report: Mutex::new(now),
        }
    }

    /// Returns the blocks of a run that overlap `range`.
    pub(crate) fn blocks_of(&self, source: usize, range: TimeRange) -> Vec<Item> {
        let run = &self.sources[source].run;
        let item = |block| {
            let (first, last) = run.block_times(block);
            range.overlaps(first, last).then_some(Item { source, block, range, first, last })
        };
        (0..run.n_blocks()).filter_map(item).collect()
    }

    /// Returns the times of the first and the last event in the request's range: read, so that they are the same
    /// however the events lie in runs.
    pub(crate) fn ends(&self) -> Option<(Timestamp, Timestamp)> {
        let range = self.request.range;
        let ends = |item: &Item| {
            let rows = RowSet::all(self.sources[item.source].run.block_rows(item.block));
            match self.sources[item.source].run.read(item.block, &["@timestamp"], &rows).as_deref() {
                Ok([Column::Timestamps(times)]) => {
                    let inside = |time: &&i64| (range.from.0..range.to.0).contains(*time);
                    let mut inside = times.iter().filter(inside);
                    let first = inside.next()?;
                    Some((Timestamp(*first), Timestamp(*inside.next_back().unwrap_or(first))))
                }
                // Damage is told of by whoever reads the block for its events.
                _ => Some((item.first.max(range.from), item.last.min(Timestamp(range.to.0.saturating_sub(1))))),
            }
        };
        let of_source = |source: usize| {
            let items = self.blocks_of(source, range);
            Some((items.iter().find_map(ends)?.0, items.iter().rev().find_map(ends)?.1))
        };
        (0..self.sources.len()).filter_map(of_source).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// Returns the blocks of all runs that overlap the request's range, newest first.
    pub(crate) fn items(&self) -> Vec<Item> {
        let mut items: Vec<Item> =
            (0..self.sources.len()).flat_map(|source| self.blocks_of(source, self.request.range)).collect();
        items.sort_by_key(|item| std::cmp::Reverse((item.last, item.first)));
        items
    }

    /// Returns the rows of an item that the steps let through. All steps of a scan have the same conditions.
    pub(crate) fn frame(&self, item: &Item, steps: &Steps<'_>) -> Result<Frame<'_>, Stop> {
        let mut block = rows_in_range(&self.sources[item.source], item)?;
        let n_rows = block.rows.count() as u64;
        if !self.may_match(item.source, steps)? {
            self.env.events_skipped.fetch_add(n_rows, Relaxed);
            block.rows = RowSet::none(block.rows.n_rows());
            self.count(item.source, n_rows, 0);
            return Ok(Frame::of_block(block));
        }
        let frame = steps.apply(block, &self.env)?;
        self.count(item.source, n_rows, frame.n_rows() as u64);
        Ok(frame)
    }

    /// Reports whether an event of a source may fulfil all conditions; each source is asked once, when it is begun.
    fn may_match(&self, source: usize, steps: &Steps<'_>) -> Result<bool, Stop> {
        if let Some(known) = self.may_match[source].get() {
            return Ok(*known);
        }
        self.note_opened(source);
        if steps.is_search() {
            let n_begun = self.opened.hold().len();
            self.ahead.hold().announce(n_begun, &self.sources);
        }
        let may_match = steps.may_match(&self.sources[source])?;
        Ok(*self.may_match[source].get_or_init(|| may_match))
    }

    /// Returns the rows of an item that are samples of wanted streams, where the run tells.
    pub(crate) fn samples(&self, item: &Item, is_wanted: &dyn Fn(&str) -> bool) -> Result<Option<Frame<'_>>, Stop> {
        let Some(mut rows) = self.sources[item.source].run.rows_of_samples(item.block, is_wanted)? else {
            return Ok(None);
        };
        let of_range = rows_in_range(&self.sources[item.source], item)?.rows;
        rows.and(&of_range);
        self.note_opened(item.source);
        self.count(item.source, of_range.count() as u64, rows.count() as u64);
        Ok(Some(self.chosen(item, rows)))
    }

    /// Returns rows of an item by their numbers in the block.
    pub(crate) fn chosen(&self, item: &Item, rows: RowSet) -> Frame<'_> {
        Frame::of_block(BlockRows { source: &self.sources[item.source], block: item.block, rows })
    }

    /// Counts rows of a source that were looked at and rows that matched.
    pub(crate) fn count(&self, source: usize, n_scanned: u64, n_matched: u64) {
        let [scanned, matched] = &self.counted[source];
        scanned.fetch_add(n_scanned, Relaxed);
        matched.fetch_add(n_matched, Relaxed);
    }

    /// Counts rows of runs that pass by.
    pub(crate) fn count_passing(&self, n_scanned: u64, n_matched: u64) {
        self.count(self.sources.len(), n_scanned, n_matched);
    }

    /// Takes back what was counted so.
    pub(crate) fn uncount_passing(&self, n_scanned: u64) {
        self.counted[self.sources.len()][0].fetch_sub(n_scanned, Relaxed);
    }

    /// Counts rows that other nodes have looked at.
    pub(crate) fn count_shared(&self, n_scanned: u64, n_matched: u64, n_bytes_read: u64) {
        self.count_passing(n_scanned, n_matched);
        self.events_shared.fetch_add(n_scanned, Relaxed);
        self.bytes_shared.fetch_add(n_bytes_read, Relaxed);
    }

    /// Counts rows of a source whose partial result was kept.
    pub(crate) fn count_kept(&self, source: usize, n_scanned: u64, n_matched: u64) {
        self.count(source, n_scanned, n_matched);
        self.events_cached.fetch_add(n_scanned, Relaxed);
    }

    /// Returns how many rows of a source were looked at, and how many of them matched.
    pub(crate) fn counted(&self, source: usize) -> (u64, u64) {
        let [scanned, matched] = &self.counted[source];
        (scanned.load(Relaxed), matched.load(Relaxed))
    }

    /// Notes that the segment of a source is read from.
    pub(crate) fn note_opened(&self, source: usize) {
        if let Some(key) = self.sources[source].run.info().key {
            self.opened.hold().insert(key.segment);
        }
    }

    /// Notes what is going to be worked off in this order, for the progress and for far runs.
    pub(crate) fn expect(&self, items: &[Item]) {
        self.ahead.hold().add(items, &self.sources);
        let mut remaining = self.remaining.hold();
        for key in items.iter().filter_map(|item| self.sources[item.source].run.info().key) {
            *remaining.entry(key.segment).or_insert(0) += 1;
        }
    }

    /// Notes that an item was worked off.
    pub(crate) fn note_done(&self, source: usize) {
        let Some(key) = self.sources[source].run.info().key else { return };
        let mut remaining = self.remaining.hold();
        if let Some(n_items) = remaining.get_mut(&key.segment) {
            *n_items -= 1;
            if *n_items == 0 {
                remaining.remove(&key.segment);
            }
        }
    }

    /// Takes `n_bytes` of the query's memory.
    pub(crate) fn hold(&self, n_bytes: usize) -> Result<(), Stop> {
        self.env.budget.hold(n_bytes)
    }

    /// Returns how long ago it began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Returns what the query may use.
    pub(crate) fn budget(&self) -> &Budget<'a> {
        &self.env.budget
    }

    /// Stops whoever asks once the query is over.
    pub(crate) fn check(&self) -> Result<(), Stop> {
        self.env.budget.check()
    }

    /// Returns what was made, or nothing where it could not be; then the answer says why.
    pub(crate) fn or_nothing<T: Default>(&self, made: Result<T, Stop>) -> T {
        made.unwrap_or_else(|stop| {
            if matches!(stop, Stop::Over) {
                self.env.budget.cut();
            }
            self.note_stop(stop);
            T::default()
        })
    }

    /// Reports whether the query has to end now.
    pub(crate) fn is_over(&self) -> bool {
        self.env.budget.is_over()
    }

    /// Works items off. Each thread has a state made by `start`; the states are the result.
    pub(crate) fn for_each<W: Send>(
        &self,
        items: &[Item],
        start: impl Fn() -> W + Sync,
        work: impl Fn(&mut W, usize, &Item) -> Result<Flow, Stop> + Sync,
    ) -> Result<Vec<W>> {
        let next = AtomicUsize::new(0);
        let step = |state: &mut W| {
            let index = next.fetch_add(1, Relaxed);
            let Some(item) = items.get(index) else { return Ok(Flow::Done) };
            let flow = work(state, index, item);
            if !matches!(flow, Ok(Flow::Done)) {
                self.note_done(item.source);
            }
            flow
        };
        let n_threads = self.request.n_threads.clamp(1, items.len().max(1));
        if n_threads == 1 || !workers::takes_part() {
            return self.in_threads(n_threads, start, step);
        }
        let alone = workers::in_threads(1, || {
            let (mut state, mut pace) = (start(), Pace::new(items.len()));
            (self.work_off(&mut state, step, || pace.needs_help(next.load(Relaxed))), state)
        })?;
        let (has_more, states): (Vec<bool>, Vec<W>) = alone.into_iter().unzip();
        if !has_more.contains(&true) {
            return self.ended(states);
        }
        let begun = Mutex::new(states);
        self.in_threads(n_threads, || begun.hold().pop().unwrap_or_else(&start), step)
    }

    /// Works off what `work` takes by itself, until it says that it is done. Each thread has a state made by `start`.
    pub(crate) fn until_done<W: Send>(
        &self,
        start: impl Fn() -> W + Sync,
        work: impl Fn(&mut W) -> Result<Flow, Stop> + Sync,
    ) -> Result<Vec<W>> {
        self.in_threads(self.request.n_threads.max(1), start, work)
    }

    fn in_threads<W: Send>(
        &self,
        n_threads: usize,
        start: impl Fn() -> W + Sync,
        work: impl Fn(&mut W) -> Result<Flow, Stop> + Sync,
    ) -> Result<Vec<W>> {
        let states = workers::in_threads(n_threads, || {
            let mut state = start();
            self.work_off(&mut state, &work, || false);
            state
        })?;
        self.ended(states)
    }

    /// Works until there is no more to do, or help is needed; reports whether there may be more.
    fn work_off<W>(
        &self,
        state: &mut W,
        work: impl Fn(&mut W) -> Result<Flow, Stop>,
        mut needs_help: impl FnMut() -> bool,
    ) -> bool {
        while !self.is_over() {
            if needs_help() {
                return true;
            }
            match work(state) {
                Ok(Flow::Continue) => {}
                Ok(Flow::Done) => break,
                Err(stop) => self.note_stop(stop),
            }
            self.report();
        }
        false
    }

    /// Returns what the threads made, unless there is no answer.
    fn ended<W>(&self, states: Vec<W>) -> Result<Vec<W>> {
        self.take_error().map_or(Ok(states), Err)
    }

    /// Notes why an item, or all from here on, could not be worked off.
    pub(crate) fn note_stop(&self, stop: Stop) {
        match stop {
            Stop::Damaged(error) => self.note_reason("damaged", error.to_string()),
            Stop::Memory => {
                self.error.hold().get_or_insert(self.env.budget.limit_reached().into());
                self.env.budget.abort();
            }
            Stop::Spill(error) => {
                self.error.hold().get_or_insert(error.into());
                self.env.budget.abort();
            }
            // Whoever ended the query said why.
            Stop::Over => {}
        }
    }

    fn note_reason(&self, code: &'static str, message: String) {
        let mut reasons = self.reasons.hold();
        if reasons.len() < REASONS_MAX && !reasons.iter().any(|known| known.code == code && known.message == message) {
            reasons.push(PartialReason { code, message });
        }
    }

    fn report(&self) {
        let (Some(progress), Ok(mut last)) = (self.request.progress, self.last_report.try_lock()) else { return };
        if last.elapsed().as_millis() >= PROGRESS_MS {
            *last = Instant::now();
            drop(last);
            progress(&self.stats());
        }
    }

    /// Returns what was done so far.
    pub(crate) fn stats(&self) -> Stats {
        let segments: HashSet<u128, RandomState> =
            self.sources.iter().filter_map(|source| source.run.info().key).map(|key| key.segment).collect();
        let bytes_now: u64 = self.sources.iter().map(|source| source.run.bytes_read()).sum();
        Stats {
            events_scanned: self.counted.iter().map(|[scanned, _]| scanned.load(Relaxed)).sum(),
            events_matched: self.counted.iter().map(|[_, matched]| matched.load(Relaxed)).sum(),
            events_cached: self.events_cached.load(Relaxed),
            events_skipped: self.env.events_skipped.load(Relaxed),
            events_shared: self.events_shared.load(Relaxed),
            bytes_read: bytes_now.saturating_sub(self.bytes_before) + self.bytes_shared.load(Relaxed),
            segments_total: segments.len() as u64,
            segments_pruned: 0,
            segments_opened: self.opened.hold().len() as u64,
            segments_done: segments.len().saturating_sub(self.remaining.hold().len()) as u64,
            elapsed_ms: self.started.elapsed().as_secs_f64() * 1e3,
        }
    }

    /// Takes over what another scan for the same query took and met.
    pub(crate) fn absorb(&self, other: &Scan<'_>) {
        let stats = other.stats();
        self.count_passing(stats.events_scanned, stats.events_matched);
        self.events_cached.fetch_add(stats.events_cached, Relaxed);
        self.env.events_skipped.fetch_add(stats.events_skipped, Relaxed);
        self.opened.hold().extend(other.opened.hold().iter().copied());
        if other.env.budget.is_cut() {
            self.env.budget.cut();
        }
        other.take_reasons().into_iter().for_each(|reason| self.note_reason(reason.code, reason.message));
        if let Some(error) = other.take_error() {
            self.error.hold().get_or_insert(error);
            self.env.budget.abort();
        }
    }

    /// Reports whether something is missing.
    pub(crate) fn is_partial(&self) -> bool {
        let budget = &self.env.budget;
        budget.ended().is_some() || budget.is_cut() || !self.reasons.hold().is_empty() || self.error.hold().is_some()
    }

    /// Why there is no answer, if so.
    pub(crate) fn take_error(&self) -> Option<ExecuteError> {
        self.error.hold().take()
    }

    /// Why the answer is not whole.
    pub(crate) fn take_reasons(&self) -> Vec<PartialReason> {
        let ended = self.env.budget.ended();
        let ended = ended.map(|ended| PartialReason { code: ended.code, message: ended.message.to_owned() });
        std::mem::take(&mut *self.reasons.hold()).into_iter().chain(ended).collect()
    }
}

/// Returns the rows of a block that the range of `item` holds.
pub(crate) fn rows_in_range<'s>(source: &'s Source, item: &Item) -> Result<BlockRows<'s>, ScanError> {
    let all = RowSet::all(source.run.block_rows(item.block));
    let rows = if item.range.covers(item.first, item.last) {
        all
    } else {
        let times = source.run.read(item.block, &["@timestamp"], &all)?.into_iter().next();
        match times {
            Some(Column::Timestamps(times)) => {
                let from = times.partition_point(|time| *time < item.range.from.0);
                let to = times.partition_point(|time| *time < item.range.to.0);
                RowSet::of(times.len(), |row| (from..to).contains(&row))
            }
            _ => all,
        }
    };
    Ok(BlockRows { source, block: item.block, rows })
}
