//! Which exemplars of each series are stored already.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

/// Exemplars that are known. Beyond it all are forgotten; what comes again is then stored once more.
const KNOWN_MAX: usize = 1 << 17;

/// The exemplars that the last request with some of a series had, as hashes: series, and its exemplars in order.
#[derive(Debug, Default)]
pub(crate) struct RecentExemplars {
    known: HashMap<u64, Vec<u64>, RandomState>,
    n: usize,
}

impl RecentExemplars {
    /// Reports whether a series has an exemplar already.
    pub(super) fn is_known(&self, (series, exemplar): (u64, u64)) -> bool {
        self.known.get(&series).is_some_and(|known| known.binary_search(&exemplar).is_ok())
    }

    /// Notes the exemplars that a request had.
    pub(crate) fn note(&mut self, seen: &HashSet<(u64, u64), RandomState>) {
        let mut seen: Vec<(u64, u64)> = seen.iter().copied().take(KNOWN_MAX).collect();
        if self.n + seen.len() > KNOWN_MAX {
            *self = Self::default();
        }
        seen.sort_unstable();
        for of_series in seen.chunk_by(|a, b| a.0 == b.0) {
            let known = self.known.entry(of_series[0].0).or_default();
            self.n -= known.len();
            known.clear();
            known.extend(of_series.iter().map(|(_, exemplar)| exemplar));
            self.n += known.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_bounded() {
        let mut recent = RecentExemplars::default();
        for n in 0..3 * KNOWN_MAX as u64 / 100 {
            recent.note(&(0..100).map(|at| (n * 100 + at, at)).collect());
            assert!(recent.is_known((n * 100 + 7, 7)) && recent.n <= KNOWN_MAX);
            assert_eq!(recent.known.values().map(Vec::len).sum::<usize>(), recent.n);
        }
        assert!(!recent.is_known((0, 0)) && !recent.is_known((u64::MAX, 1)));
    }

    #[test]
    fn all_exemplars_of_the_last_request_of_a_series_are_known() {
        let mut recent = RecentExemplars::default();
        recent.note(&[(1, 10), (1, 11), (2, 20)].into_iter().collect());
        recent.note(&[(1, 11), (1, 12)].into_iter().collect());
        let known = [(1, 10), (1, 11), (1, 12), (2, 20), (2, 10)].map(|hashes| recent.is_known(hashes));
        assert_eq!((known, recent.n), ([false, true, true, true, false], 3));
    }
}
