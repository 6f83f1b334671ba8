//! Which exemplar of each series was stored last.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Series whose last exemplar is known. Beyond it all are forgotten; what comes again is then stored once more.
const SERIES_MAX: usize = 1 << 17;

/// The last exemplar of each series, as hashes.
#[derive(Debug, Default)]
pub(crate) struct RecentExemplars(HashMap<u64, u64, RandomState>);

impl RecentExemplars {
    /// Reports whether an exemplar is the last one of its series.
    pub(super) fn is_known(&self, (series, exemplar): (u64, u64)) -> bool {
        self.0.get(&series) == Some(&exemplar)
    }

    /// Notes what was stored.
    pub(crate) fn note(&mut self, stored: &[(u64, u64)]) {
        if self.0.len() + stored.len() > SERIES_MAX {
            self.0 = HashMap::default();
        }
        self.0.extend(stored.iter().copied().take(SERIES_MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_bounded() {
        let mut recent = RecentExemplars::default();
        for n in 0..3 * SERIES_MAX as u64 / 100 {
            let stored: Vec<(u64, u64)> = (0..100).map(|at| (n * 100 + at, at)).collect();
            recent.note(&stored);
            assert!(recent.is_known(stored[7]) && recent.0.len() <= SERIES_MAX);
        }
        assert!(!recent.is_known((0, 0)) && !recent.is_known((u64::MAX, 1)));
    }
}
