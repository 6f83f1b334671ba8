//! Sorted runs as one sequence.

use std::cmp::Ordering;

use crate::record::{Record, prefix};
use crate::run::{Run, RunReader};
use crate::space::SpillError;

/// Where records come from.
enum Source {
    File(RunReader),
    Memory { buffer: Vec<u8>, records: std::vec::IntoIter<Record>, this: Option<Record> },
}

impl Source {
    fn advance(&mut self, packed: &mut Vec<u8>) -> Result<bool, SpillError> {
        match self {
            Self::File(reader) => reader.advance(packed),
            Self::Memory { records, this, .. } => {
                *this = records.next();
                Ok(this.is_some())
            }
        }
    }

    fn key(&self) -> &[u8] {
        match self {
            Self::File(reader) => reader.key(),
            Self::Memory { buffer, this, .. } => this.as_ref().map_or(&[], |record| record.key(buffer)),
        }
    }

    fn payload(&self) -> &[u8] {
        match self {
            Self::File(reader) => reader.payload(),
            Self::Memory { buffer, this, .. } => this.as_ref().map_or(&[], |record| record.payload(buffer)),
        }
    }
}

/// A record that is lent: its key and its payload.
pub type Lent<'m> = (&'m [u8], &'m [u8]);

/// The records of sorters in order of their keys.
///
/// Memory: a page for each run that is read at once, and what the sorters held.
pub struct Merge {
    sources: Vec<Source>,
    /// Sources with a record, as a heap: first the least key with its first bytes; of equal keys the first source.
    heap: Vec<(u64, u32)>,
    /// Whether the first source of the heap has given its record.
    is_taken: bool,
    packed: Vec<u8>,
}

impl Merge {
    /// Reads runs, and after those of equal keys the records in memory.
    pub(crate) fn of(runs: Vec<Run>, in_memory: Vec<(Vec<u8>, Vec<Record>)>) -> Result<Self, SpillError> {
        let mut sources = Vec::with_capacity(runs.len() + in_memory.len());
        for run in runs {
            sources.push(Source::File(RunReader::new(run)?));
        }
        let memory =
            |(buffer, records): (_, Vec<_>)| Source::Memory { buffer, records: records.into_iter(), this: None };
        sources.extend(in_memory.into_iter().map(memory));
        let mut merge = Self { sources, heap: Vec::new(), is_taken: false, packed: Vec::new() };
        for (index, source) in merge.sources.iter_mut().enumerate() {
            if source.advance(&mut merge.packed)? {
                merge.heap.push((prefix(source.key()), index as u32));
            }
        }
        (0..merge.heap.len() / 2).rev().for_each(|at| merge.sift(at));
        Ok(merge)
    }

    /// Returns the next record, its key and its payload; `None` after the last one.
    ///
    /// Errors: a run cannot be read or is damaged.
    // Records are lent, which no iterator can.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Lent<'_>>, SpillError> {
        if std::mem::take(&mut self.is_taken) {
            let index = self.heap[0].1;
            let source = &mut self.sources[index as usize];
            if source.advance(&mut self.packed)? {
                self.heap[0].0 = prefix(source.key());
            } else {
                self.heap.swap_remove(0);
            }
            self.sift(0);
        }
        let Some((_, index)) = self.heap.first() else { return Ok(None) };
        self.is_taken = true;
        let source = &self.sources[*index as usize];
        Ok(Some((source.key(), source.payload())))
    }

    fn is_before(&self, a: (u64, u32), b: (u64, u32)) -> bool {
        let keys = || self.sources[a.1 as usize].key().cmp(self.sources[b.1 as usize].key());
        a.0.cmp(&b.0).then_with(keys).then_with(|| a.1.cmp(&b.1)) == Ordering::Less
    }

    /// Lets the source at `at` sink to its place in the heap.
    fn sift(&mut self, mut at: usize) {
        loop {
            let mut least = at;
            for child in [2 * at + 1, 2 * at + 2] {
                if child < self.heap.len() && self.is_before(self.heap[child], self.heap[least]) {
                    least = child;
                }
            }
            if least == at {
                return;
            }
            self.heap.swap(at, least);
            at = least;
        }
    }
}

#[cfg(test)]
mod tests;
