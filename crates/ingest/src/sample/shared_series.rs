//! The series that all requests share: a sample of a known one takes twelve bytes of memory until it is in a segment, and one with
//! a series of its own hundreds.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use types::Timestamp;

use super::{LastSeries, SampleSeries, SeriesCache, SeriesLabels};

/// Bytes of the new series of a request that are noted, at most; the next request notes more.
const NEW_BYTES_MAX: usize = 64 << 20;

/// The series that requests have had, for all doors.
#[derive(Debug, Default)]
pub struct SharedSeries(RwLock<SeriesCache>);

impl SharedSeries {
    /// Returns the series for reading. While they are read, no series can be noted, and once one waits to be noted, nobody else can begin
    /// to read.
    pub fn read(&self) -> RwLockReadGuard<'_, SeriesCache> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes series with the bytes that mean them.
    pub fn note<'s>(&self, new: impl ExactSizeIterator<Item = (&'s [u8], SampleSeries)>, now: Timestamp) {
        if new.len() > 0 {
            let mut cache = self.0.write().unwrap_or_else(PoisonError::into_inner);
            new.for_each(|(spelled, series)| cache.put(spelled, series, now));
        }
    }
}

/// The series of one request, by the canonical text of their labels. No other spelling begins with a brace.
///
/// New ones are noted together at the end: a request that is read at the same time may keep the cache from being written.
#[derive(Debug)]
pub(crate) struct RequestSeries<'a> {
    shared: &'a SharedSeries,
    last: LastSeries,
    new: Vec<SampleSeries>,
    n_new_bytes: usize,
    now: Timestamp,
}

impl<'a> RequestSeries<'a> {
    /// Returns those of a request that has had none; `now` is its time.
    pub(crate) fn new(shared: &'a SharedSeries, now: Timestamp) -> Self {
        Self { shared, last: LastSeries::none(now), new: Vec::new(), n_new_bytes: 0, now }
    }

    /// Returns the series that labels name.
    pub(crate) fn of_labels(&mut self, labels: &SeriesLabels) -> SampleSeries {
        if let Some(known) = self.known(labels.text()) {
            return known;
        }
        if let Some(last) = self.new.last().filter(|last| **last.series.stream() == *labels.text()) {
            return last.clone();
        }
        let series = labels.to_series();
        if self.n_new_bytes < NEW_BYTES_MAX {
            self.n_new_bytes += series.memory_bytes;
            self.new.push(series.clone());
        }
        series
    }

    fn known(&mut self, text: &str) -> Option<SampleSeries> {
        let cache = self.shared.read();
        if let Some((series, [])) = cache.next(&mut self.last, text.as_bytes()) {
            return Some(series.clone());
        }
        cache.get(&mut self.last, text.as_bytes()).cloned()
    }

    /// Returns the series that is expected next if a line begins with its canonical text, and what follows it. No such text is the
    /// beginning of another one.
    pub(crate) fn of_line<'l>(&mut self, line: &'l [u8]) -> Option<(SampleSeries, &'l [u8])> {
        let cache = self.shared.read();
        let (series, rest) = cache.next(&mut self.last, line)?;
        Some((series.clone(), rest))
    }
}

impl Drop for RequestSeries<'_> {
    fn drop(&mut self) {
        let new = self.new.iter().map(|series| (series.series.stream().as_bytes(), series.clone()));
        self.shared.note(new, self.now);
    }
}
