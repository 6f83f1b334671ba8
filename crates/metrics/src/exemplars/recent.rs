//! Which exemplars of each series are stored already.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

/// Exemplars that are known. Beyond it all are forgotten; what comes again is then stored once more.
const KNOWN_MAX: usize = 1 << 17;

/// The exemplars that the last request with some of a series had, as hashes: series, and its exemplars in order.
#[derive(Debug, Default)]
pub(crate) struct RecentExemplars {
    known: HashMap<u64, Box<[u64]>, RandomState>,
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
        seen.sort_unstable();
        self.put(&seen);
        if self.n > KNOWN_MAX {
            *self = Self::default();
            self.put(&seen);
        }
    }

    fn put(&mut self, seen: &[(u64, u64)]) {
        for of_series in seen.chunk_by(|a, b| a.0 == b.0) {
            let exemplars: Box<[u64]> = of_series.iter().map(|(_, exemplar)| *exemplar).collect();
            self.n += exemplars.len();
            self.n -= self.known.insert(of_series[0].0, exemplars).map_or(0, |before| before.len());
        }
    }
}

#[cfg(test)]
mod tests;
