//! What is made of whole sets of events that never change: who asks the same again is given the same.
//!
//! Counts of parts of runs serve whoever asks about other events, or another range. Putting them together and judging them
//! is work all the same; here nothing is left to do.

use std::any::Any;
use std::sync::Arc;

use plan::Operator;
use types::{Run, Timestamp};

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

    /// Returns where the answer to a `question` about samples is kept. The answer contains the runs that it was made of, and its reader
    /// compares them.
    pub fn of_question(cache: &'a PartialCache, question: &str) -> Self {
        Self { cache, key: key_of_texts("samples", &[question]) }
    }

    /// Finds what was kept.
    pub fn find<T: Any + Send + Sync>(self) -> Option<Arc<T>> {
        self.cache.part_counts(self.key)
    }

    /// Reports whether something that takes so many bytes may be kept.
    pub fn takes(self, n_bytes: usize) -> bool {
        n_bytes < self.cache.entry_bytes_max()
    }

    /// Keeps what is whole; it takes about `n_bytes` of memory.
    pub fn keep<T: Any + Send + Sync>(self, value: Arc<T>, n_bytes: usize) {
        self.cache.put(self.key, CacheEntry::Counts(value, n_bytes));
    }
}

/// Runs that samples are read from, at one instant.
#[derive(Debug)]
pub struct SampleRuns(Vec<SampleRun>);

/// What is known of one of them; runs without a key may change.
#[derive(Debug)]
struct SampleRun {
    key: Option<u128>,
    first: Timestamp,
    last: Timestamp,
}

impl SampleRuns {
    /// Records the identities and times of runs.
    pub fn new(runs: &[Arc<dyn Run>]) -> Self {
        let known = |run: &Arc<dyn Run>| {
            let info = run.info();
            SampleRun { key: run.identity().map(key_of_run), first: info.first, last: info.last }
        };
        let mut runs: Vec<SampleRun> = runs.iter().map(known).collect();
        runs.sort_unstable_by_key(|run| run.key);
        Self(runs)
    }

    /// Returns the bytes of memory that it takes.
    pub fn n_bytes(&self) -> usize {
        self.0.len() * size_of::<SampleRun>()
    }

    /// Returns the times of the first and the last sample of each run that is here and not there, or there and not here.
    pub fn changes<'r>(&'r self, later: &'r Self) -> impl Iterator<Item = (Timestamp, Timestamp)> + 'r {
        self.not_among(later).chain(later.not_among(self))
    }

    fn not_among<'r>(&'r self, others: &'r Self) -> impl Iterator<Item = (Timestamp, Timestamp)> + 'r {
        let is_there = |key: u128| others.0.binary_search_by_key(&Some(key), |run| run.key).is_ok();
        self.0.iter().filter(move |run| !run.key.is_some_and(is_there)).map(|run| (run.first, run.last))
    }
}
