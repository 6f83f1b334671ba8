//! Records on their way into order: as many in memory as fit, the others in sorted runs on disk.

use std::cmp::Ordering;
use std::mem::size_of;
use std::sync::Arc;

use crate::merge::Merge;
use crate::record::{Record, prefix};
use crate::run::{PAGE_BYTES, Run, RunWriter};
use crate::space::{SpillError, SpillSpace};

/// Room for records is made in one piece beyond this: growing it step by step would hold it twice.
const FIRST_BYTES: usize = 64 << 10;

/// What a sorter may use.
#[derive(Clone, Copy, Debug)]
pub struct SorterOptions {
    /// Bytes of memory that records may take before they go to disk; a longer record is taken alone.
    pub memory_bytes: usize,
    /// Runs that are read at once, at least 2. With more of them, some are merged first.
    pub fan_in: usize,
    /// How many of the first records are wanted; `None` for all.
    pub cap: Option<usize>,
}

impl SorterOptions {
    /// Returns the bytes of memory that reading `fan_in` runs at once takes.
    pub fn merge_bytes(fan_in: usize) -> usize {
        // A page for each, and one as it is on disk.
        fan_in.saturating_add(1).saturating_mul(PAGE_BYTES)
    }
}

/// Takes records in any order.
pub struct Sorter {
    space: Arc<SpillSpace>,
    options: SorterOptions,
    buffer: Vec<u8>,
    records: Vec<Record>,
    /// The last key that is still wanted, once there are enough records: equal ones come too late.
    worst: Option<Vec<u8>>,
    runs: Vec<Run>,
}

impl Sorter {
    /// Returns a sorter without records, which spills to `space`.
    pub fn new(space: Arc<SpillSpace>, options: SorterOptions) -> Self {
        Self { space, options, buffer: Vec::new(), records: Vec::new(), worst: None, runs: Vec::new() }
    }

    /// Adds a record.
    ///
    /// Errors: room had to be made, and the space or the disk has none. The record was not added.
    pub fn add(&mut self, key: &[u8], payload: &[u8]) -> Result<(), SpillError> {
        if self.worst.as_ref().is_some_and(|worst| key >= worst.as_slice()) {
            return Ok(());
        }
        let n_bytes = key.len() + payload.len();
        let n_bytes_held = self.buffer.len() + self.records.len() * size_of::<Record>();
        let n_bytes_max = self.options.memory_bytes.min(u32::MAX as usize / 2);
        if !self.records.is_empty() && n_bytes_held + n_bytes + size_of::<Record>() > n_bytes_max {
            self.make_room()?;
        }
        if self.buffer.capacity() - self.buffer.len() < n_bytes {
            let is_first = self.buffer.is_empty() && self.buffer.capacity() == 0;
            let wanted = if is_first { FIRST_BYTES.min(n_bytes_max) } else { n_bytes_max };
            self.buffer.reserve_exact(wanted.saturating_sub(self.buffer.len()).max(n_bytes));
        }
        let (at, n_key, n_payload) = (self.buffer.len() as u32, key.len() as u32, payload.len() as u32);
        let record = Record { prefix: prefix(key), at, n_key, n_payload };
        self.buffer.extend_from_slice(key);
        self.buffer.extend_from_slice(payload);
        self.records.push(record);
        Ok(())
    }

    /// Puts the records in memory in order; of those that are not wanted, none are left.
    fn sort(&mut self) {
        let buffer = &self.buffer;
        // Stable: equal keys stay in the order in which they were added.
        self.records.sort_by(|a, b| match a.prefix.cmp(&b.prefix) {
            Ordering::Equal => a.key(buffer).cmp(b.key(buffer)),
            order => order,
        });
        self.records.truncate(self.options.cap.unwrap_or(usize::MAX));
    }

    fn make_room(&mut self) -> Result<(), SpillError> {
        let n_records = self.records.len();
        self.sort();
        let kept =
            || self.records.iter().map(|record| (record.n_key + record.n_payload) as usize + size_of::<Record>());
        if self.records.len() < n_records && kept().sum::<usize>() <= self.options.memory_bytes / 2 {
            self.compact();
            return Ok(());
        }
        self.spill()
    }

    /// Lets go of the bytes of records that are not wanted.
    fn compact(&mut self) {
        let mut buffer = Vec::with_capacity(self.buffer.capacity());
        for record in &mut self.records {
            let at = buffer.len() as u32;
            buffer.extend_from_slice(record.key(&self.buffer));
            buffer.extend_from_slice(record.payload(&self.buffer));
            record.at = at;
        }
        self.worst = self.records.last().map(|record| record.key(&buffer).to_vec());
        self.buffer = buffer;
    }

    /// Writes the records in memory, which are in order, as a run.
    fn spill(&mut self) -> Result<(), SpillError> {
        let mut writer = RunWriter::new(self.space.create()?)?;
        for record in &self.records {
            writer.push(record.key(&self.buffer), record.payload(&self.buffer))?;
        }
        self.runs.push(writer.finish()?);
        self.records.clear();
        self.buffer.clear();
        Ok(())
    }

    /// Returns the records of several sorters in order, as one. Equal keys of different sorters come in any order.
    ///
    /// `goes_on` is asked now and then while runs are merged before they can all be read at once.
    /// Errors: as for [`add`](Self::add); a run is damaged; [`SpillError::Stopped`].
    pub fn finish_all(sorters: Vec<Self>, goes_on: &dyn Fn() -> bool) -> Result<Merge, SpillError> {
        let Some(first) = sorters.first() else { return Merge::of(Vec::new(), Vec::new()) };
        let (space, fan_in) = (first.space.clone(), first.options.fan_in.max(2));
        let (mut runs, mut in_memory) = (Vec::new(), Vec::new());
        for mut sorter in sorters {
            sorter.sort();
            runs.append(&mut sorter.runs);
            if !sorter.records.is_empty() {
                in_memory.push((sorter.buffer, sorter.records));
            }
        }
        let mut at = 0;
        while runs.len() > fan_in {
            // Neighbours, so that equal keys keep their order; round after round, so that all grow alike.
            let n_merged = fan_in.min(runs.len() - fan_in + 1);
            at = if at + n_merged > runs.len() { 0 } else { at };
            let merged: Vec<Run> = runs.drain(at..at + n_merged).collect();
            let mut merge = Merge::of(merged, Vec::new())?;
            let mut writer = RunWriter::new(space.create()?)?;
            let mut n_records = 0usize;
            while let Some((key, payload)) = merge.next()? {
                writer.push(key, payload)?;
                n_records += 1;
                if n_records.is_multiple_of(1024) && !goes_on() {
                    return Err(SpillError::Stopped);
                }
            }
            runs.insert(at, writer.finish()?);
            at += 1;
        }
        Merge::of(runs, in_memory)
    }
}
