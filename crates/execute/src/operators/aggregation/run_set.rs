//! The runs that the range of a query holds whole, and whose partials are kept together.
//!
//! As the range moves on these stay the same until a run falls out of it, while the partials of the runs at its edges
//! are others each time. The key is a hash of the keys of the runs, so that it is another one as soon as one of them
//! is.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use crate::scan::fingerprint::{Fingerprint, key_of_several};
use crate::scan::scanner::Scan;

/// Several runs that never change.
pub(super) struct RunSet {
    /// Per source whether it is one of them.
    is_member: Vec<bool>,
    /// The keys of their own partials.
    pub(super) keys: Vec<u128>,
    /// The key of all of them together; none where that is of no use.
    pub(super) key: Option<u128>,
    n_arrived: AtomicUsize,
    is_given_up: AtomicBool,
}

impl RunSet {
    /// Finds the runs.
    pub(super) fn new(scan: &Scan<'_>, fingerprint: Fingerprint) -> Self {
        let range = scan.request.range;
        let key = |index: &usize| {
            let run = &*scan.sources[*index].run;
            let is_inside = range.covers(run.info().first, run.info().last);
            if is_inside { fingerprint.key(run, range) } else { None }
        };
        let found: Vec<Option<u128>> = (0..scan.sources.len()).map(|index| key(&index)).collect();
        let keys: Vec<u128> = found.iter().copied().flatten().collect();
        // One run has a partial of its own.
        let key = if keys.len() > 1 { key_of_several(keys.clone()) } else { None };
        Self {
            is_member: found.iter().map(|found| key.is_some() && found.is_some()).collect(),
            keys,
            key,
            n_arrived: AtomicUsize::new(0),
            is_given_up: AtomicBool::new(false),
        }
    }

    /// Reports whether a source is one of the runs.
    pub(super) fn has(&self, source: usize) -> bool {
        self.is_member[source]
    }

    /// Notes that the partial of a source is whole and among the others.
    pub(super) fn note_arrived(&self, source: usize) {
        self.n_arrived.fetch_add(usize::from(self.has(source)), Relaxed);
    }

    /// Notes that together they are too large to be kept.
    pub(super) fn give_up(&self) {
        self.is_given_up.store(true, Relaxed);
    }

    /// Reports whether the partials of all runs are there, to be kept together.
    pub(super) fn is_whole(&self) -> bool {
        !self.is_given_up.load(Relaxed) && self.n_arrived.load(Relaxed) == self.keys.len()
    }

    /// Returns how many rows of the runs were looked at, and how many of them matched.
    pub(super) fn counted(&self, scan: &Scan<'_>) -> (u64, u64) {
        let counted = (0..self.is_member.len()).filter(|source| self.has(*source)).map(|source| scan.counted(source));
        counted.fold((0, 0), |(scanned, matched), (more, more_matched)| (scanned + more, matched + more_matched))
    }
}
