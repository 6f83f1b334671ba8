//! Events of several runs of one group as one run, block by block.
//!
//! Memory: a block of each run whose times overlap, and the block that is made.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use segment::{BLOCK_ROWS, SegmentError, block_rows, day_of, range_of};
use types::{Batch, MinuteCounts, TimeRange, Timestamp};

use super::input::Input;
use crate::upkeep::shares::share_of;

/// Which events of the runs are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Share {
    All,
    Day(i64),
    /// Those of all days but these, sorted.
    Except(Vec<i64>),
}

impl Share {
    pub(super) fn holds_day(&self, day: i64) -> bool {
        match self {
            Self::All => true,
            Self::Day(only) => day == *only,
            Self::Except(days) => days.binary_search(&day).is_err(),
        }
    }

    fn overlaps(&self, first: Timestamp, last: Timestamp) -> bool {
        let range = if let Self::Day(day) = self { range_of(*day) } else { TimeRange::ALL };
        range.overlaps(first, last)
    }

    /// Returns how many of a run's events are taken.
    pub(super) fn n_events(&self, run: &Input) -> Result<u64, SegmentError> {
        if *self == Self::All {
            return Ok(run.n_events());
        }
        let of_share = |minute: &&MinuteCounts| self.holds_day(day_of(minute.range().from.0));
        let minutes = run.minutes()?;
        Ok(minutes.iter().filter(of_share).flat_map(|minute| minute.counts).map(u64::from).sum())
    }

    /// Returns the share in the bytes that the events of a run had when they came. What is left of the run has as much of
    /// them, all shares together, as its part of the events.
    pub(super) fn bytes_raw(&self, run: &Input) -> Result<u64, SegmentError> {
        let summary = run.summary();
        let share = |rows| share_of(summary.bytes_raw, summary.n_events, rows);
        if *self == Self::All {
            return Ok(share(0..run.n_events()));
        }
        let mut days: BTreeMap<i64, u64> = BTreeMap::new();
        for minute in run.minutes()? {
            let n_events: u64 = minute.counts.iter().copied().map(u64::from).sum();
            *days.entry(day_of(minute.range().from.0)).or_default() += n_events;
        }
        let (mut n_before, mut bytes_raw) = (0, 0);
        for (day, n_events) in days {
            if self.holds_day(day) {
                bytes_raw += share(n_before..n_before + n_events);
            }
            n_before += n_events;
        }
        Ok(bytes_raw)
    }
}

/// One of the runs.
struct Source<'a> {
    run: &'a Input,
    /// Place of its block among the batches, where one is read.
    batch: Option<usize>,
    row: usize,
    next_block: usize,
}

/// Merges runs by time and order of acceptance.
pub(super) struct Merge<'a> {
    share: &'a Share,
    sources: Vec<Source<'a>>,
    /// Time, sequence and number of the source of each source's next event. A source without a batch stands
    /// with the first time of its next block and is read when its turn comes.
    heap: BinaryHeap<Reverse<(i64, u64, usize)>>,
    batches: Vec<Arc<Batch>>,
    /// Rows of a full block.
    block_rows: usize,
}

impl<'a> Merge<'a> {
    pub(super) fn new(runs: &'a [Input], share: &'a Share) -> Self {
        let source = |run| Source { run, batch: None, row: 0, next_block: 0 };
        let sources: Vec<Source<'a>> = runs.iter().map(source).collect();
        let block_rows = runs.first().map_or(BLOCK_ROWS, |run| block_rows(&run.summary().group));
        let mut merge = Self { share, sources, heap: BinaryHeap::new(), batches: Vec::new(), block_rows };
        (0..merge.sources.len()).for_each(|number| merge.queue_block(number));
        merge
    }

    /// Lets a source stand in line with its next block of interest, if there is one.
    fn queue_block(&mut self, number: usize) {
        let source = &mut self.sources[number];
        (source.batch, source.row) = (None, 0);
        while source.next_block < source.run.n_blocks() {
            let (first, last) = source.run.block_times(source.next_block);
            if self.share.overlaps(first, last) {
                self.heap.push(Reverse((first.0, 0, number)));
                return;
            }
            source.next_block += 1;
        }
    }

    /// Lets a source stand in line with its next event from its current row on.
    fn queue_row(&mut self, number: usize) {
        let source = &mut self.sources[number];
        let Some(batch) = source.batch.map(|place| &self.batches[place]) else { return };
        while source.row < batch.len() {
            let time = batch.timestamps.get(source.row);
            // The block before the next one is the one that it stands in.
            let is_deleted = source.run.is_deleted(source.next_block - 1, source.row);
            if !is_deleted && self.share.holds_day(day_of(time)) {
                self.heap.push(Reverse((time, batch.sequences.get(source.row), number)));
                return;
            }
            source.row += 1;
        }
        self.queue_block(number);
    }

    /// Returns the next rows, as places among the batches.
    fn next_rows(&mut self) -> Result<Vec<(u32, u32)>, SegmentError> {
        let mut rows = Vec::with_capacity(self.block_rows);
        while rows.len() < self.block_rows {
            let Some(Reverse((_, _, number))) = self.heap.pop() else { break };
            let source = &mut self.sources[number];
            match source.batch {
                Some(place) => {
                    rows.push((place as u32, source.row as u32));
                    source.row += 1;
                    self.push_rows_before(number, place, &mut rows);
                }
                None => {
                    let batch = source.run.block(source.next_block)?;
                    source.batch = Some(self.batches.len());
                    source.next_block += 1;
                    self.batches.push(Arc::new(batch));
                }
            }
            self.queue_row(number);
        }
        Ok(rows)
    }

    /// Takes further rows of a source as long as they are due before those of all others, as most are: runs hardly overlap.
    fn push_rows_before(&mut self, number: usize, place: usize, rows: &mut Vec<(u32, u32)>) {
        if *self.share != Share::All || self.sources[number].run.has_deleted() {
            return;
        }
        let next = self.heap.peek().map(|Reverse(next)| *next);
        let (source, batch) = (&mut self.sources[number], &self.batches[place]);
        while rows.len() < self.block_rows
            && source.row < batch.len()
            && next
                .is_none_or(|next| (batch.timestamps.get(source.row), batch.sequences.get(source.row), number) < next)
        {
            rows.push((place as u32, source.row as u32));
            source.row += 1;
        }
    }

    /// Lets batches go that no source stands in any more.
    fn release(&mut self) {
        let mut kept = Vec::new();
        for source in &mut self.sources {
            if let Some(place) = source.batch {
                kept.push(self.batches[place].clone());
                source.batch = Some(kept.len() - 1);
            }
        }
        self.batches = kept;
    }
}

impl Iterator for Merge<'_> {
    type Item = Result<Batch, SegmentError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = match self.next_rows() {
            Ok(rows) if rows.is_empty() => return None,
            Ok(rows) => rows,
            Err(error) => return Some(Err(error)),
        };
        let batches: Vec<&Batch> = self.batches.iter().map(|batch| &**batch).collect();
        let block = Batch::gather(&batches, &rows);
        self.release();
        Some(Ok(block))
    }
}
