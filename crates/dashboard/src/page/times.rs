//! Times by the clock of a zone, and where an axis of time has marks.

use chrono_tz::Tz;
use plan::calendar::offset_ns;
use plan::write_zoned;
use types::Timestamp;

/// Distances of marks, in seconds.
const STEPS: [i64; 16] =
    [1, 5, 15, 60, 300, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000];

/// Most marks of an axis, about.
const MARKS: i64 = 6;

/// The clock of a zone.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) zone: Tz,
}

impl Times {
    /// Writes an instant to the minute: `2026-11-25 15:30`.
    pub(super) fn minute(self, at: Timestamp) -> String {
        self.part(at, 0, 16)
    }

    /// Writes an instant as exactly as it is.
    pub(super) fn whole(self, at: Timestamp) -> String {
        let mut text = String::new();
        write_zoned(at, self.zone, &mut text);
        // The offset is that of the whole page, which says its zone.
        let end = text.get(19..).and_then(|rest| rest.find(['Z', '+', '-'])).map_or(text.len(), |end| 19 + end);
        text.truncate(end);
        text.replace('T', " ")
    }

    /// Returns the marks of an axis between two instants in ms, with what is written at each.
    pub(super) fn marks(self, from: i64, to: i64) -> Vec<(i64, String)> {
        let least = (to.saturating_sub(from)).max(1) / 1_000 / MARKS;
        let step = STEPS.into_iter().find(|step| *step >= least).unwrap_or(least) * 1_000;
        let offset = offset_ns(self.zone, from.saturating_mul(Timestamp::MILLISECOND)) / Timestamp::MILLISECOND;
        let first = (from + offset).div_euclid(step) * step - offset;
        let (start, end) = match step {
            86_400_000.. => (5, 10),
            60_000.. => (11, 16),
            _ => (11, 19),
        };
        let text = |at: i64| self.part(Timestamp(at.saturating_mul(Timestamp::MILLISECOND)), start, end);
        let all = (0..=MARKS + 2).map(|n| first.saturating_add(n * step));
        all.filter(|at| (from..=to).contains(at)).map(|at| (at, text(at))).collect()
    }

    fn part(self, at: Timestamp, start: usize, end: usize) -> String {
        let mut text = String::new();
        write_zoned(at, self.zone, &mut text);
        text.get(start..end).unwrap_or(&text).replace('T', " ")
    }
}

#[cfg(test)]
mod tests;
