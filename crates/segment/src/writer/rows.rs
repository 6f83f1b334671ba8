//! Selects and gathers the rows of a block from batches.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use types::{Batch, TimeRange, Timestamp};

/// What rows are sorted by: time, and then acceptance.
type Key = (i64, u64);

/// A batch with rows in the range.
struct Source {
    first: Key,
    last: Key,
    number: u32,
    is_sorted: bool,
    /// Whether all of its rows are in the range.
    is_whole: bool,
}

impl Source {
    /// Returns a batch, all of whose rows are in the range and in order, as those of a request mostly are; `None` where it is not
    /// known without looking at each row.
    fn of_whole(batch: &Batch, number: u32, range: TimeRange) -> Option<Self> {
        let (times, sequences) = (&batch.timestamps, &batch.sequences);
        let (first, last) = (times.first()?, times.last()?);
        let is_sorted = times.is_sorted() && sequences.is_sorted();
        if !is_sorted || !range.contains(Timestamp(first)) || !range.contains(Timestamp(last)) {
            return None;
        }
        let (first, last) = ((first, sequences.first()?), (last, sequences.last()?));
        Some(Self { first, last, number, is_sorted, is_whole: true })
    }
}

/// The rows `(batch, row)` of batches that lie in a range, by time and then by acceptance.
///
/// Most batches follow each other: their rows are named as they are wanted, and only those of batches that overlap are sorted.
pub(super) struct RowsInOrder<'b> {
    batches: &'b [Arc<Batch>],
    range: TimeRange,
    n_rows: usize,
    /// The batches whose rows have not been returned, the next one at the end.
    rest: Vec<Source>,
    /// Rows of the current batch and of those that overlap it, in order.
    sorted: std::vec::IntoIter<(u32, u32)>,
}

impl<'b> RowsInOrder<'b> {
    pub(super) fn new(batches: &'b [Arc<Batch>], range: TimeRange) -> Self {
        let (mut rest, mut n_rows) = (Vec::with_capacity(batches.len()), 0);
        for (number, batch) in batches.iter().enumerate() {
            if let Some(source) = Source::of_whole(batch, number as u32, range) {
                n_rows += batch.len();
                rest.push(source);
                continue;
            }
            let mut keys = keys_of(batch, range).map(|(key, _)| key);
            let Some(first) = keys.next() else { continue };
            let mut source = Source { first, last: first, number: number as u32, is_sorted: true, is_whole: false };
            let mut before = first;
            n_rows += 1;
            for key in keys {
                source.first = source.first.min(key);
                source.last = source.last.max(key);
                source.is_sorted &= before <= key;
                before = key;
                n_rows += 1;
            }
            rest.push(source);
        }
        rest.sort_unstable_by_key(|source| std::cmp::Reverse((source.first, source.number)));
        Self { batches, range, n_rows, rest, sorted: Vec::new().into_iter() }
    }

    /// Returns the number of all rows, those already returned included.
    pub(super) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Sorts the rows of the next batch together with those of all batches that overlap it; `false` if no batch is left.
    fn sort_next(&mut self) -> bool {
        let Some(Source { mut last, number, is_sorted, is_whole, .. }) = self.rest.pop() else { return false };
        let mut together = vec![number];
        while let Some(source) = self.rest.pop_if(|source| source.first <= last) {
            last = last.max(source.last);
            together.push(source.number);
        }
        if is_whole && together.len() == 1 {
            let rows = 0..self.batches[number as usize].len() as u32;
            self.sorted = rows.map(|row| (number, row)).collect::<Vec<_>>().into_iter();
            return true;
        }
        let rows = together.iter().flat_map(|number| {
            keys_of(&self.batches[*number as usize], self.range).map(|(key, row)| (key, *number, row))
        });
        let rows: Vec<(u32, u32)> = if is_sorted && together.len() == 1 {
            rows.map(|(_, batch, row)| (batch, row)).collect()
        } else {
            let mut keyed: Vec<(Key, u32, u32)> = rows.collect();
            keyed.sort_unstable();
            keyed.into_iter().map(|(_, batch, row)| (batch, row)).collect()
        };
        self.sorted = rows.into_iter();
        true
    }
}

impl Iterator for RowsInOrder<'_> {
    type Item = (u32, u32);

    fn next(&mut self) -> Option<(u32, u32)> {
        loop {
            if let Some(row) = self.sorted.next() {
                return Some(row);
            }
            if !self.sort_next() {
                return None;
            }
        }
    }
}

/// Returns the rows of a batch that lie in a range, each with its sort key.
fn keys_of(batch: &Batch, range: TimeRange) -> impl Iterator<Item = (Key, u32)> {
    let keys = batch.timestamps.iter().zip(batch.sequences.iter());
    keys.zip(0..).filter(move |((time, _), _)| range.contains(Timestamp(*time)))
}

/// Gathers rows, looking only at the batches that they come from.
pub(super) fn gather_block(batches: &[Arc<Batch>], rows: &[(u32, u32)]) -> Batch {
    let mut used: Vec<&Batch> = Vec::new();
    let mut number_of: HashMap<u32, u32, RandomState> = HashMap::default();
    let mut last = None;
    let renumber = |(batch, row): &(u32, u32)| {
        // Mostly that of the row before.
        let number = match last {
            Some((of, number)) if of == *batch => number,
            _ => *number_of.entry(*batch).or_insert_with(|| {
                used.push(&batches[*batch as usize]);
                used.len() as u32 - 1
            }),
        };
        last = Some((*batch, number));
        (number, *row)
    };
    let rows: Vec<(u32, u32)> = rows.iter().map(renumber).collect();
    Batch::gather(&used, &rows)
}

#[cfg(test)]
mod tests;
