//! Counts by the examples of one run.

use std::collections::HashMap;
use std::sync::Arc;

use types::{Column, Examples, RowSet};

use super::ends::{Ends, Spot};
use crate::operators::patterns::tally::{Depth, LEVEL_CODES, Rows, Tally};
use evaluate::{BlockRows, Cell, Result};
use pattern::{mask, says_start};

/// No row.
const NONE: u32 = u32::MAX;

/// What is counted of the examples of one run, by their numbers.
pub(crate) struct RunTally {
    by_level: Vec<u32>,
    bins: Vec<u32>,
    n_bins: usize,
    ends: Vec<Ends>,
    /// By example and origin.
    pub(crate) by_origin: HashMap<(u32, u32), u32, foldhash::fast::RandomState>,
    /// Masked texts of the examples that say that something starts, by their numbers; nothing where no one asks.
    starts: HashMap<u32, Arc<str>>,
}

impl RunTally {
    pub(crate) fn new(examples: &Examples, n_bins: usize, depth: Depth) -> Self {
        let n_examples = examples.len();
        let start = |(number, example): (usize, &Option<String>)| {
            let masked = mask(example.as_deref()?);
            says_start(&masked).then(|| (number as u32, Arc::from(masked)))
        };
        let starts = examples
            .iter()
            .enumerate()
            .filter(|_| depth >= crate::operators::patterns::tally::Depth::Origins)
            .filter_map(start)
            .collect();
        Self {
            starts,
            by_level: vec![0; n_examples * (LEVEL_CODES + 1)],
            bins: vec![0; n_examples * n_bins],
            n_bins,
            ends: vec![Ends::default(); n_examples],
            by_origin: HashMap::default(),
        }
    }

    /// Returns bytes that one of `n_examples` takes.
    pub(crate) fn n_bytes(n_examples: usize, n_bins: usize) -> usize {
        n_examples * (4 * (LEVEL_CODES + 1 + n_bins) + std::mem::size_of::<Ends>())
    }

    /// Reports whether some example says that something starts.
    pub(crate) fn has_starts(&self) -> bool {
        !self.starts.is_empty()
    }

    /// Returns the masked text of an example that says so.
    pub(crate) fn start(&self, number: u32) -> Option<&Arc<str>> {
        self.starts.get(&number)
    }

    /// Counts the rows of a block that are not in `left_out`.
    pub(crate) fn add(
        &mut self,
        source: usize,
        block: &BlockRows<'_>,
        numbers: &[u32],
        rows: &Rows,
        left_out: &RowSet,
    ) -> Result<()> {
        let is_whole = left_out.is_empty();
        let counted = || numbers.iter().enumerate().filter(|(row, _)| is_whole || !left_out.contains(*row));
        for (row, number) in counted() {
            self.by_level[*number as usize * (LEVEL_CODES + 1) + usize::from(rows.levels[row])] += 1;
        }
        if let Some(bins) = &rows.bins {
            for (row, number) in counted() {
                self.bins[*number as usize * self.n_bins + usize::from(bins[row])] += 1;
            }
        }
        if let Some(seen) = &rows.seen {
            for (row, number) in counted() {
                *self.by_origin.entry((*number, seen.origins[row])).or_insert(0) += 1;
            }
        }
        let n_examples = self.ends.len();
        let mut last = vec![NONE; n_examples];
        let mut first =
            vec![NONE; if rows.depth >= crate::operators::patterns::tally::Depth::Ends { n_examples } else { 0 }];
        for (row, number) in counted() {
            last[*number as usize] = row as u32;
            if let Some(first) = first.get_mut(*number as usize).filter(|first| **first == NONE) {
                *first = row as u32;
            }
        }
        self.note_ends(source, block, &first, &last)
    }

    /// Notes the rows that may be the newest or the oldest of their example.
    fn note_ends(&mut self, source: usize, block: &BlockRows<'_>, first: &[u32], last: &[u32]) -> Result<()> {
        let (first_of_block, last_of_block) = block.source.run.block_times(block.block);
        let wanted = |rows: &[u32], may: &dyn Fn(&Ends) -> bool| -> Vec<(usize, u32)> {
            let rows = rows.iter().copied().enumerate();
            rows.filter(|(number, row)| *row != NONE && may(&self.ends[*number])).collect()
        };
        let last = wanted(last, &|ends| ends.newest.may_move(last_of_block.0));
        let first = wanted(first, &|ends| ends.oldest.may_move(first_of_block.0));
        if last.is_empty() && first.is_empty() {
            return Ok(());
        }
        let stored: Vec<usize> = block.rows.iter().collect();
        let times = block.source.run.read(block.block, &["@timestamp"], &block.rows)?.into_iter().next();
        let times = times.unwrap_or(Column::Missing { n_rows: stored.len() });
        let at = |row: u32| {
            let time = Cell::at(&times, row as usize).time().unwrap_or_default();
            (time, Spot { source, block: block.block, row: stored[row as usize] })
        };
        for (number, row) in last {
            let (time, spot) = at(row);
            self.ends[number].newest.see(time, spot);
        }
        for (number, row) in first {
            let (time, spot) = at(row);
            self.ends[number].oldest.see(time, spot);
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.by_level.iter_mut().zip(&other.by_level).for_each(|(sum, count)| *sum += count);
        self.bins.iter_mut().zip(&other.bins).for_each(|(sum, count)| *sum += count);
        self.ends.iter_mut().zip(&other.ends).for_each(|(mine, other)| mine.merge(other));
        for (pair, count) in &other.by_origin {
            *self.by_origin.entry(*pair).or_insert(0) += count;
        }
    }

    /// Calls the origins of another thread by the numbers that they have here.
    pub(crate) fn renumber(&mut self, numbers: &[u32]) {
        let by_origin = std::mem::take(&mut self.by_origin).into_iter();
        self.by_origin = by_origin.map(|((text, origin), count)| ((text, numbers[origin as usize]), count)).collect();
    }

    /// Returns the examples that were counted, by their numbers.
    pub(crate) fn counted(&self) -> impl Iterator<Item = (u32, Tally)> + '_ {
        let by_level = self.by_level.chunks_exact(LEVEL_CODES + 1).enumerate();
        let counted = by_level.filter(|(_, counts)| counts.iter().any(|count| *count > 0));
        counted.map(move |(number, _)| (number as u32, self.tally(number)))
    }

    pub(crate) fn tally(&self, number: usize) -> Tally {
        let mut tally = crate::operators::patterns::tally::Tally::default();
        tally.ends.clone_from(&self.ends[number]);
        let counts = &self.by_level[number * (LEVEL_CODES + 1)..];
        tally.by_level.iter_mut().zip(counts).for_each(|(sum, count)| *sum = u64::from(*count));
        if !self.bins.is_empty() {
            tally.bins = self.bins[number * self.n_bins..(number + 1) * self.n_bins].to_vec();
        }
        tally
    }
}
