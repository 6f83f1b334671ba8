//! How wide a run is: its columns have a place for every row of a block, so names that few events have take memory in proportion to
//! rows times names, however few bytes they had when they were sent.

use std::collections::HashSet;

use foldhash::fast::RandomState;
use types::Batch;

use crate::{BLOCK_ROWS, Segment};

/// Most values of a block if every row had every field: 128 MiB of numbers.
pub const RUN_CELLS_MAX: u64 = 16 << 20;

/// The same of a run that a flush writes, and from which on compaction leaves a run alone: two of them together stay within
/// [`RUN_CELLS_MAX`] even if they have no name in common.
const WIDE_CELLS: u64 = RUN_CELLS_MAX / 4;

/// The same of a run that a flush writes where there are this many times more names than events.
const SPARSE_CELLS: u64 = WIDE_CELLS / 4;
const SPARSE_NAMES: u64 = 8;

/// Names from which on a run with more names than events is left alone, too: putting it together with others rewrites a
/// column for each name, and saves little.
const MANY_NAMES: u64 = 4096;

/// A field is rare if fewer than one row in so many has it: it may be a name that no other run has.
const RARE_ROWS: u64 = 64;

/// The rows of the largest block of a run, and its fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunWidth {
    /// Rows of a block.
    pub n_rows: u64,
    /// Fields that many rows have.
    pub n_common: u64,
    /// Fields that few rows have.
    pub n_rare: u64,
}

impl RunWidth {
    /// Returns the width of the widest run of a segment.
    pub fn of(segment: &Segment) -> Self {
        let of_run = |index: usize| {
            let n_events = segment.summaries()[index].n_events;
            let mut width = Self { n_rows: n_events.min(BLOCK_ROWS as u64), ..Self::default() };
            for n_of_field in segment.field_events(index) {
                let is_rare = n_of_field * RARE_ROWS < n_events;
                width.n_rare += u64::from(is_rare);
                width.n_common += u64::from(!is_rare);
            }
            width
        };
        let runs = (0..segment.summaries().len()).filter(|index| !segment.is_by_series(*index));
        runs.map(of_run).max_by_key(|width| width.n_cells()).unwrap_or_default()
    }

    /// Returns the width of both together: names that are common in one run are so in the other.
    pub fn with(self, other: Self) -> Self {
        Self {
            n_rows: (self.n_rows + other.n_rows).min(BLOCK_ROWS as u64),
            n_common: self.n_common.max(other.n_common),
            n_rare: self.n_rare + other.n_rare,
        }
    }

    /// Returns how many values a block holds if every row has every field.
    pub fn n_cells(self) -> u64 {
        self.n_rows * (self.n_common + self.n_rare)
    }

    /// Reports whether compaction leaves such a run alone.
    pub fn is_settled(self) -> bool {
        self.is_wide() || self.n_common + self.n_rare > MANY_NAMES.max(self.n_rows)
    }

    fn is_wide(self) -> bool {
        self.n_cells() > WIDE_CELLS
    }

    /// Reports whether nearly all values are missing, so that what a run costs grows with its width instead of with its events.
    fn is_sparse(self) -> bool {
        let n_names = self.n_common + self.n_rare;
        n_names > MANY_NAMES.max(SPARSE_NAMES * self.n_rows) && self.n_cells() > SPARSE_CELLS
    }
}

/// Returns where batches that follow each other are cut, so that no part is wide: the number of batches of each part.
pub fn narrow_parts<'b>(batches: impl Iterator<Item = &'b Batch>) -> Vec<usize> {
    let (mut parts, mut names) = (vec![0], HashSet::<&str, RandomState>::default());
    let mut n_rows = 0;
    for batch in batches {
        let n_new = batch.fields.iter().filter(|(name, _)| !names.contains(&**name)).count();
        n_rows += batch.len() as u64;
        let width =
            RunWidth { n_rows: n_rows.min(BLOCK_ROWS as u64), n_common: (names.len() + n_new) as u64, n_rare: 0 };
        if (width.is_wide() || width.is_sparse()) && parts.last() != Some(&0) {
            parts.push(0);
            names.clear();
            n_rows = batch.len() as u64;
        }
        names.extend(batch.fields.iter().map(|(name, _)| &**name));
        parts.last_mut().into_iter().for_each(|n_batches| *n_batches += 1);
    }
    parts
}
