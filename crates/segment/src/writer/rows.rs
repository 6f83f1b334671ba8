//! Selects and gathers the rows of a block from batches.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use types::{Batch, TimeRange, Timestamp};

/// What rows are in order of: time, and then acceptance.
type Key = (i64, u64);

/// The rows `(batch, row)` of batches that lie in a range, by time and then by acceptance.
///
/// Most batches follow each other: their rows are named as they are wanted, and only those of batches that overlap are sorted.
pub(super) struct RowsInOrder<'b> {
    batches: &'b [Arc<Batch>],
    range: TimeRange,
    /// Batches with the first and the last of their rows, by the first, last ones first.
    rest: Vec<(Key, Key, u32)>,
    /// Rows of batches that overlap, in order.
    sorted: std::vec::IntoIter<(u32, u32)>,
}

impl<'b> RowsInOrder<'b> {
    pub(super) fn new(batches: &'b [Arc<Batch>], range: TimeRange) -> Self {
        let ends_of = |(number, batch): (usize, &Arc<Batch>)| {
            let mut keys = keys_of(batch, range).map(|(key, _)| key);
            let first = keys.next()?;
            let ends = keys.fold((first, first), |(least, most), key| (least.min(key), most.max(key)));
            Some((ends.0, ends.1, number as u32))
        };
        let mut rest: Vec<(Key, Key, u32)> = batches.iter().enumerate().filter_map(ends_of).collect();
        rest.sort_unstable_by(|a, b| b.cmp(a));
        Self { batches, range, rest, sorted: Vec::new().into_iter() }
    }

    /// Returns how many rows there are in all.
    pub(super) fn count_all(&self) -> usize {
        let count = |(.., number): &(Key, Key, u32)| keys_of(&self.batches[*number as usize], self.range).count();
        self.rest.iter().map(count).sum()
    }

    /// Sorts the rows of the next batch, and of those that overlap it.
    fn sort_next(&mut self) -> bool {
        let Some((_, mut end, first)) = self.rest.pop() else { return false };
        let mut together = vec![first];
        while let Some((_, last, number)) = self.rest.pop_if(|(begin, ..)| *begin <= end) {
            end = end.max(last);
            together.push(number);
        }
        let rows = together.iter().flat_map(|number| {
            keys_of(&self.batches[*number as usize], self.range).map(|(key, row)| (key, *number, row))
        });
        let rows: Vec<(u32, u32)> = match *together {
            [number] if is_in_order(&self.batches[number as usize]) => {
                rows.map(|(_, batch, row)| (batch, row)).collect()
            }
            _ => {
                let mut keyed: Vec<(Key, u32, u32)> = rows.collect();
                keyed.sort_unstable();
                keyed.into_iter().map(|(_, batch, row)| (batch, row)).collect()
            }
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

/// Returns the rows of a batch that lie in a range, each with what it is in order of.
fn keys_of(batch: &Batch, range: TimeRange) -> impl Iterator<Item = (Key, u32)> {
    let keys = batch.timestamps.iter().copied().zip(batch.sequences.iter());
    keys.zip(0..).filter(move |((time, _), _)| range.contains(Timestamp(*time)))
}

fn is_in_order(batch: &Batch) -> bool {
    batch.timestamps.iter().zip(batch.sequences.iter()).is_sorted()
}

/// Gathers rows, looking only at the batches that they come from.
pub(super) fn gather_block(batches: &[Arc<Batch>], rows: &[(u32, u32)]) -> Batch {
    let mut used: Vec<&Batch> = Vec::new();
    let mut number_of: HashMap<u32, u32, RandomState> = HashMap::default();
    let renumber = |(batch, row): &(u32, u32)| {
        let number = *number_of.entry(*batch).or_insert_with(|| {
            used.push(&batches[*batch as usize]);
            used.len() as u32 - 1
        });
        (number, *row)
    };
    let rows: Vec<(u32, u32)> = rows.iter().map(renumber).collect();
    Batch::gather(&used, &rows)
}

#[cfg(test)]
mod tests {
    use types::{BatchBuilder, Numbers};

    use super::*;

    /// Makes a batch of events at some times; their sequences count from `first`.
    fn batch(times: &[i64], first: u64) -> Arc<Batch> {
        let mut builder = BatchBuilder::new();
        for time in times {
            builder.set_timestamp(Timestamp(*time));
            builder.commit();
        }
        let mut batch = builder.finish();
        batch.sequences = Numbers::consecutive(first, times.len());
        Arc::new(batch)
    }

    fn range(from: i64, to: i64) -> TimeRange {
        TimeRange { from: Timestamp(from), to: Timestamp(to) }
    }

    #[test]
    fn rows_of_batches_that_follow_each_other_or_overlap_are_in_order() {
        let batches =
            [batch(&[7, 9, 9], 0), batch(&[1, 2], 3), batch(&[8, 8], 5), batch(&[2, 5, 4], 7), batch(&[10], 10)];
        let all: Vec<(u32, u32)> = RowsInOrder::new(&batches, TimeRange::ALL).collect();
        let expected = [(1, 0), (1, 1), (3, 0), (3, 2), (3, 1), (0, 0), (2, 0), (2, 1), (0, 1), (0, 2), (4, 0)];
        assert_eq!(all, expected);
        let some: Vec<(u32, u32)> = RowsInOrder::new(&batches, range(2, 9)).collect();
        assert_eq!(some, expected[1..8]);
        assert_eq!(RowsInOrder::new(&batches, range(2, 9)).count_all(), 7);
        assert_eq!(RowsInOrder::new(&batches, range(20, 30)).next(), None);
    }

    #[test]
    fn equal_times_are_in_order_of_acceptance() {
        let batches = [batch(&[5, 5], 2), batch(&[5, 5], 0), batch(&[5], 4)];
        let all: Vec<(u32, u32)> = RowsInOrder::new(&batches, TimeRange::ALL).collect();
        assert_eq!(all, [(1, 0), (1, 1), (0, 0), (0, 1), (2, 0)]);
    }
}
