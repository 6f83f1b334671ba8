//! The order of rows of several batches.

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
    let batches = [batch(&[7, 9, 9], 0), batch(&[1, 2], 3), batch(&[8, 8], 5), batch(&[2, 5, 4], 7), batch(&[10], 10)];
    let all: Vec<(u32, u32)> = RowsInOrder::new(&batches, TimeRange::ALL).collect();
    let expected = [(1, 0), (1, 1), (3, 0), (3, 2), (3, 1), (0, 0), (2, 0), (2, 1), (0, 1), (0, 2), (4, 0)];
    assert_eq!(all, expected);
    let some: Vec<(u32, u32)> = RowsInOrder::new(&batches, range(2, 9)).collect();
    assert_eq!(some, expected[1..8]);
    assert_eq!(RowsInOrder::new(&batches, range(2, 9)).n_rows(), 7);
    assert_eq!(RowsInOrder::new(&batches, range(20, 30)).next(), None);
}

#[test]
fn equal_times_are_in_order_of_acceptance() {
    let batches = [batch(&[5, 5], 2), batch(&[5, 5], 0), batch(&[5], 4)];
    let all: Vec<(u32, u32)> = RowsInOrder::new(&batches, TimeRange::ALL).collect();
    assert_eq!(all, [(1, 0), (1, 1), (0, 0), (0, 1), (2, 0)]);
}
