//! What is made of whole sets of events that never change: who asks the same again is given the same.
//!
//! Counts of parts of runs serve whoever asks about other events, or another range. Putting them together and judging them
//! is work all the same; here nothing is left to do.

use std::any::Any;
use std::sync::Arc;

use plan::Operator;
use types::{Run, TimeRange};

use crate::answers::pattern_counts::EventSet;
use crate::request::cache::{CacheEntry, PartialCache};
use crate::scan::fingerprint::{Fingerprint, key_of_run, key_of_several, key_of_texts};
use crate::scan::steps::is_row_wise;

/// Where something that is made of some sets of events is kept.
#[derive(Clone, Copy, Debug)]
pub struct Keeper<'a> {
    cache: &'a PartialCache,
    key: u128,
}

impl<'a> Keeper<'a> {
    /// Returns where that is kept which `kind` names, made of the events that the conditions at the head of each set's plan
    /// let through; `None` where it depends on what may change: events that are in no segment yet, the time, a table.
    ///
    /// `kind` has everything else in it that it depends on.
    pub fn of(kind: &str, sets: &[EventSet<'a>], runs: &[Arc<dyn Run>]) -> Option<Self> {
        let cache = sets.first()?.request.support.cache?;
        let mut keys = Vec::new();
        for (place, set) in sets.iter().enumerate() {
            let lead: Vec<Operator> = set.plan.operators().iter().take_while(|one| is_row_wise(one)).cloned().collect();
            let kind = format!("{kind} {place} {:?}", set.plan.sources);
            let fingerprint = Fingerprint::of_counts(&kind, &lead, &[], set.request.time_zone)?;
            let range = set.request.range;
            for run in runs.iter().filter(|run| range.overlaps(run.info().first, run.info().last)) {
                keys.push(fingerprint.key(&**run, range)?);
            }
        }
        Some(Self { cache, key: key_of_several(keys)? })
    }

    /// Returns where that is kept which `kind` names, made of samples in a range of some runs and of nothing else; `None` where
    /// there are none, or one has no identity.
    ///
    /// `kind` has everything else in it that it depends on.
    pub fn of_samples(cache: &'a PartialCache, kind: &str, runs: &[Arc<dyn Run>], range: TimeRange) -> Option<Self> {
        let touched = runs.iter().filter(|run| range.overlaps(run.info().first, run.info().last));
        let keys: Option<Vec<u128>> = touched.map(|run| Some(key_of_run(run.identity()?))).collect();
        let mut keys = keys.filter(|keys| !keys.is_empty())?;
        keys.push(key_of_texts("samples", &[kind]));
        Some(Self { cache, key: key_of_several(keys)? })
    }

    /// Finds what was kept.
    pub fn find<T: Any + Send + Sync>(self) -> Option<Arc<T>> {
        self.cache.part_counts(self.key)
    }

    /// Keeps what is whole; it takes about `n_bytes` of memory.
    pub fn keep<T: Any + Send + Sync>(self, value: Arc<T>, n_bytes: usize) {
        self.cache.put(self.key, CacheEntry::Counts(value, n_bytes));
    }
}
