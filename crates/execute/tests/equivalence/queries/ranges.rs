//! Random ranges of time.

use types::Timestamp;

use crate::events::NOW;
use crate::random::Random;

/// All time, or less: between times of events or a little next to them.
pub(super) fn range(random: &mut Random) -> (i64, i64) {
    if !random.once_in(4) {
        return (i64::MIN, i64::MAX);
    }
    let mut instant = || {
        let second = NOW / Timestamp::SECOND - 3 * 86_400 + random.below(200) as i64 * 1171;
        second * Timestamp::SECOND + [0, 1, -1, 250_000_001][random.below(4)]
    };
    let (a, b) = (instant(), instant());
    (a.min(b), a.max(b))
}

/// A range with both ends.
pub(super) fn closed_range(random: &mut Random) -> (i64, i64) {
    loop {
        let (from, to) = range(random);
        if from != i64::MIN && from < to {
            return (from, to);
        }
    }
}
