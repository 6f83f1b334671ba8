//! Selects and gathers the rows of a block from batches.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use types::{Batch, TimeRange, Timestamp};

/// Returns the rows `(batch, row)` that lie in a range, by time and then by acceptance.
pub(super) fn rows_in_order(batches: &[Arc<Batch>], range: TimeRange) -> Vec<(u32, u32)> {
    let mut keyed: Vec<(i64, u64, u32, u32)> = Vec::new();
    for (number, batch) in batches.iter().enumerate() {
        for (row, (time, sequence)) in batch.timestamps.iter().zip(batch.sequences.iter()).enumerate() {
            if range.contains(Timestamp(*time)) {
                keyed.push((*time, sequence, number as u32, row as u32));
            }
        }
    }
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, _, batch, row)| (batch, row)).collect()
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
