//! Counts over time, in spans of one length.

use types::{Level, Timestamp};

use crate::operators::patterns::ends::Ends;
use crate::operators::patterns::tally::LEVEL_CODES;

/// Spans of time of one length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bins {
    pub(crate) from: i64,
    pub(crate) length: i64,
    pub(crate) n: usize,
}

impl Bins {
    /// Some that cover the times from `first` to `last`; of about `length` nanoseconds where that is said.
    pub(crate) fn of(first: Timestamp, last: Timestamp, length: Option<i64>) -> Self {
        let covered = last.0.saturating_sub(first.0).max(0);
        let Some(length) = length.map(|length| length.max(1)) else {
            return Self { from: first.0, length: covered / SPANS as i64 + 1, n: SPANS };
        };
        let n_together = covered / length / SPANS_MAX + 1;
        let length = length.saturating_mul(n_together);
        let from = first.0.div_euclid(length).saturating_mul(length);
        let n = last.0.saturating_sub(from).max(0) / length + 1;
        Self { from, length, n: usize::try_from(n).unwrap_or(1).min(2 * SPANS_MAX as usize) }
    }

    pub(crate) fn place(&self, time: i64) -> usize {
        let place = time.saturating_sub(self.from) / self.length;
        usize::try_from(place).unwrap_or(0).min(self.n - 1)
    }

    pub(crate) fn start(&self, place: usize) -> Timestamp {
        Timestamp(self.from.saturating_add(self.length.saturating_mul(place as i64)))
    }
}

/// What is counted of one pattern in one range of time.
#[derive(Clone, Default)]
pub(crate) struct Sum {
    pub(crate) by_level: [u64; LEVEL_CODES],
    pub(crate) bins: Vec<f64>,
    pub(crate) ends: Ends,
}

impl Sum {
    pub(crate) fn total(&self) -> u64 {
        self.by_level.iter().sum()
    }

    /// Returns the level that most events have, the worst of several.
    pub(crate) fn level(&self) -> Option<Level> {
        let most = self.by_level[1..].iter().copied().max().filter(|most| *most > 0)?;
        let code = self.by_level.iter().rposition(|count| *count == most)?;
        u8::try_from(code).ok().and_then(Level::of_code)
    }
}

/// Spans of time whose counts are compared with each other: an hour has some of a minute.
pub(crate) const SPANS: usize = 48;

/// Most spans of time whose counts are shown; of more, several are one.
pub(crate) const SPANS_MAX: i64 = 400;
