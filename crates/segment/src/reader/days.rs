//! How many events of each UTC day the runs of a segment of several days hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::segment::Segment;
use crate::error::Result;
use crate::meta::{MIXED_PARTITION, day_of};

impl Segment {
    /// Returns the days of each run with the number of their events, sorted; nothing for a segment of one day. Deleted
    /// events count.
    ///
    /// Cost: reads the counts by minute of every run, once.
    pub fn days(self: &Arc<Self>) -> Result<&[Vec<(i64, u64)>]> {
        if let Some(known) = self.days.get() {
            return Ok(known);
        }
        let mut runs = Vec::new();
        for index in 0..if self.meta.partition == MIXED_PARTITION { self.summaries.len() } else { 0 } {
            let mut days: BTreeMap<i64, u64> = BTreeMap::new();
            let minutes = self.run_reader(index).map(|run| run.minutes()).transpose()?;
            for minute in minutes.unwrap_or_default() {
                let n_events: u64 = minute.counts.iter().copied().map(u64::from).sum();
                *days.entry(day_of(minute.range().from.0)).or_default() += n_events;
            }
            runs.push(days.into_iter().collect());
        }
        Ok(self.days.get_or_init(|| runs))
    }

    /// Returns the same, where it was counted before.
    pub fn known_days(&self) -> Option<&[Vec<(i64, u64)>]> {
        self.days.get().map(|days| &**days)
    }
}
