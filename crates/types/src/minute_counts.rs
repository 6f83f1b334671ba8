//! Events of one minute by level.

use crate::{TimeRange, Timestamp};

/// Events of one minute by level; `counts[0]` is those without level, `counts[level.code()]` the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinuteCounts {
    /// Minutes since the Unix epoch.
    pub minute: i64,
    /// Events by level code.
    pub counts: [u32; 7],
}

impl MinuteCounts {
    /// Counts rows in time order by minute and level.
    pub fn of_rows(timestamps: &[i64], levels: impl Iterator<Item = u8>) -> Vec<Self> {
        let mut minutes: Vec<Self> = Vec::new();
        for (timestamp, level) in timestamps.iter().zip(levels) {
            let minute = timestamp.div_euclid(Timestamp::MINUTE);
            if minutes.last().is_none_or(|last| last.minute != minute) {
                minutes.push(Self { minute, counts: [0; 7] });
            }
            if let Some(last) = minutes.last_mut() {
                last.counts[usize::from(level.min(6))] += 1;
            }
        }
        minutes
    }

    /// The range of time that the minute is.
    pub fn range(&self) -> TimeRange {
        let from = self.minute.saturating_mul(Timestamp::MINUTE);
        TimeRange { from: Timestamp(from), to: Timestamp(from.saturating_add(Timestamp::MINUTE)) }
    }
}
