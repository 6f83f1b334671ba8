//! Shares a size among parts without losing a byte.

use std::collections::BTreeMap;

use crate::hot::HotGroup;

/// Shares the delivered bytes of groups out among segments, so that the shares add up to what was delivered.
#[derive(Default)]
pub(super) struct RawShares {
    /// Rows of each group that have got their share.
    n_before: BTreeMap<u32, u64>,
}

impl RawShares {
    /// Returns the bytes of the next `n_rows` of a group.
    pub(super) fn take(&mut self, group_id: u32, hot: &HotGroup, n_rows: u64) -> u64 {
        let n_before = self.n_before.entry(group_id).or_default();
        let rows = *n_before..*n_before + n_rows;
        *n_before = rows.end;
        share_of(hot.raw_bytes, hot.n_events, rows)
    }
}

/// Returns the share that some of `n_rows` have in bytes. The shares of ranges that follow each other add up without loss.
pub(crate) fn share_of(n_bytes: u64, n_rows: u64, rows: std::ops::Range<u64>) -> u64 {
    let up_to = |row: u64| u128::from(n_bytes) * u128::from(row.min(n_rows)) / u128::from(n_rows.max(1));
    (up_to(rows.end) - up_to(rows.start)) as u64
}
