//! Batches without deleted events.

use types::{Batch, RowSet};

use crate::deletion::{Finder, Sequences};

/// Returns a batch without the events `gone`; `None` if it has none of them.
pub(crate) fn without(batch: &Batch, gone: &Sequences) -> Option<Batch> {
    let (first, last) = gone.bounds()?;
    if !batch.sequences.iter().any(|sequence| (first..=last).contains(&sequence)) {
        return None;
    }
    let mut finder = Finder::new(gone);
    let left = RowSet::of_slice(&batch.sequences.to_slice(), |sequence| !finder.contains(*sequence));
    if left.is_all() {
        return None;
    }
    let rows: Vec<(u32, u32)> = left.iter().map(|row| (0, row as u32)).collect();
    Some(Batch::gather(&[batch], &rows))
}
