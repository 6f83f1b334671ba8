//! How a query uses the disk for what does not fit its memory: which parts of its memory what may take until then.

use std::sync::Arc;

use spill::{Lent, Merge, Sorter, SorterOptions, SpillError, SpillSpace};

use evaluate::{Budget, Lease, Result, Stop};

/// The part of the query's memory that groups may take before they are spilled. The rest is for what follows, and for
/// blocks, rows and pages on their way; and tables that grow take more than what is in them.
const GROUPS_PART: usize = 4;

/// The part that a sorter, or all sorters of one operator together, may take, and that runs being merged may take.
const SORTER_PART: usize = 8;
const MERGE_PART: usize = 64;

/// The part that keys of rows may take before further ones are looked for on disk.
const KEYS_PART: usize = 8;

/// The part that rows on their way from one operator to the next may take, and how many there are at most.
const ROWS_PART: usize = 32;
const ROWS_MAX: usize = 8_192;

/// Bytes of a value in a row that is shown, roughly.
const VALUE_BYTES: usize = 64;

/// A sorter that gets less than this would write files of a few pages.
const SORTER_BYTES_MIN: usize = 64 << 10;

/// Runs that are merged at once: fewer would read records more often, more would hold more pages and open files.
const FAN_IN_MIN: usize = 4;
const FAN_IN_MAX: usize = 64;

/// Records between two looks at whether the query is over.
const RECORDS_BETWEEN_LOOKS: usize = 1024;

/// The disk and the memory of one query.
#[derive(Clone, Copy)]
pub(crate) struct Spilling<'s> {
    space: &'s Arc<SpillSpace>,
    budget: &'s Budget<'s>,
}

impl<'s> Spilling<'s> {
    /// Lets a query use `space` beside its budget.
    pub(crate) fn new(space: &'s Arc<SpillSpace>, budget: &'s Budget<'s>) -> Self {
        Self { space, budget }
    }

    /// Returns the bytes that the groups of one of `n_threads` threads may take.
    pub(crate) fn groups_bytes(&self, n_threads: usize) -> usize {
        self.budget.memory_bytes() / GROUPS_PART / n_threads.max(1)
    }

    /// Returns the bytes that keys of rows may take.
    pub(crate) fn keys_bytes(&self) -> usize {
        self.budget.memory_bytes() / KEYS_PART
    }

    /// Returns how many rows of so many fields come back from the disk at once, and how many bytes of them at most.
    pub(crate) fn rows_at_once(&self, n_fields: usize) -> (usize, usize) {
        let n_bytes = self.budget.memory_bytes() / ROWS_PART;
        ((n_bytes / VALUE_BYTES / n_fields.max(1)).clamp(1, ROWS_MAX), n_bytes)
    }

    /// Takes memory until the lease is dropped.
    pub(crate) fn lease(&self, n_bytes: usize) -> Result<Lease> {
        self.budget.lease(n_bytes)
    }

    /// Reports whether a lease could be made so large.
    pub(crate) fn resize(&self, lease: &mut Lease, n_bytes: usize) -> bool {
        self.budget.resize(lease, n_bytes).is_ok()
    }

    /// Returns a sorter, one of `n_sorters` for the same operator; it takes less memory where less is left.
    ///
    /// # Errors
    /// Almost no memory is left.
    pub(crate) fn sorter(&self, n_sorters: usize, cap: Option<usize>) -> Result<LeasedSorter<'s>> {
        let mut memory_bytes = (self.budget.memory_bytes() / SORTER_PART / n_sorters.max(1)).max(SORTER_BYTES_MIN);
        let lease = loop {
            match self.budget.lease(memory_bytes) {
                Err(Stop::Memory) if memory_bytes > SORTER_BYTES_MIN => memory_bytes /= 2,
                leased => break leased?,
            }
        };
        let options = SorterOptions { memory_bytes, fan_in: self.fan_in(), cap };
        Ok(LeasedSorter { sorter: Sorter::new(self.space.clone(), options), lease, spilling: *self })
    }

    fn fan_in(&self) -> usize {
        let n_bytes_each = SorterOptions::merge_bytes(1);
        (self.budget.memory_bytes() / MERGE_PART / n_bytes_each).clamp(FAN_IN_MIN, FAN_IN_MAX)
    }

    /// Merges the records of several sorters.
    pub(crate) fn merge(&self, sorters: Vec<LeasedSorter<'s>>) -> Result<LeasedMerge<'s>> {
        let mut leases = vec![self.budget.lease(SorterOptions::merge_bytes(self.fan_in()))?];
        let (sorters, of_sorters): (Vec<_>, Vec<_>) =
            sorters.into_iter().map(|sorter| (sorter.sorter, sorter.lease)).unzip();
        leases.extend(of_sorters);
        let merge = Sorter::finish_all(sorters, &|| self.budget.check_or_cut().is_ok())?;
        Ok(LeasedMerge { merge, _leases: leases, spilling: *self, n_records: 0 })
    }
}

/// A sorter and its memory.
pub(crate) struct LeasedSorter<'s> {
    sorter: Sorter,
    lease: Lease,
    spilling: Spilling<'s>,
}

impl<'s> LeasedSorter<'s> {
    /// Adds a record.
    pub(crate) fn add(&mut self, key: &[u8], payload: &[u8]) -> Result<()> {
        Ok(self.sorter.add(key, payload)?)
    }

    /// Returns all records in order.
    pub(crate) fn finish(self) -> Result<LeasedMerge<'s>> {
        let spilling = self.spilling;
        spilling.merge(vec![self])
    }
}

/// Records in order, and their memory.
pub(crate) struct LeasedMerge<'s> {
    merge: Merge,
    _leases: Vec<Lease>,
    spilling: Spilling<'s>,
    n_records: usize,
}

impl LeasedMerge<'_> {
    /// Returns how many rows of so many fields are read at once, and how many bytes of them at most.
    pub(crate) fn rows_at_once(&self, n_fields: usize) -> (usize, usize) {
        self.spilling.rows_at_once(n_fields)
    }

    /// Returns the next record, its key and its payload.
    pub(crate) fn next(&mut self) -> Result<Option<Lent<'_>>> {
        self.n_records += 1;
        if self.n_records.is_multiple_of(RECORDS_BETWEEN_LOOKS) {
            self.spilling.budget.check_or_cut()?;
        }
        Ok(self.merge.next()?)
    }
}

/// Returns why a record that was read back is none.
pub(crate) fn unreadable(error: impl std::fmt::Display) -> Stop {
    Stop::Spill(SpillError::Record { reason: error.to_string() })
}
