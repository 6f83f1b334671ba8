//! Lists of series that batches have in common: senders keep the order of their series, so that their requests have one of a few.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::{Series, Value};

/// Lists that are looked for. Beyond it those that no batch has any more are forgotten, or else all.
const LISTS_MAX: usize = 4096;

/// The series of a batch, by code of its streams.
#[derive(Clone, Debug)]
pub(crate) struct SeriesList {
    pub(crate) series: Arc<Vec<Arc<Series>>>,
    /// The streams of the series.
    pub(crate) streams: Arc<Vec<Value>>,
}

/// The lists of series of recent batches, each as long as a batch has it.
#[derive(Debug, Default)]
pub struct SeriesLists {
    /// The latest list by the address of its first series.
    lists: Mutex<HashMap<usize, WeakList>>,
}

type WeakList = (Weak<Vec<Arc<Series>>>, Weak<Vec<Value>>);

impl SeriesLists {
    /// Returns the latest list that begins with a series.
    fn beginning_with(&self, first: &Arc<Series>) -> Option<SeriesList> {
        // A list is whole between any two statements.
        let lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let (series, streams) = lists.get(&(Arc::as_ptr(first) as usize))?;
        Some(SeriesList { series: series.upgrade()?, streams: streams.upgrade()? })
    }

    fn note(&self, list: &SeriesList) {
        let Some(first) = list.series.first() else { return };
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        if lists.len() >= LISTS_MAX {
            lists.retain(|_, (series, _)| series.strong_count() > 0);
        }
        if lists.len() >= LISTS_MAX {
            lists.clear();
        }
        let list = (Arc::downgrade(&list.series), Arc::downgrade(&list.streams));
        lists.insert(Arc::as_ptr(first) as usize, list);
    }
}

/// Makes the list of a batch. As long as its series are those of a known list, in the same order, they are only counted.
#[derive(Debug, Default)]
pub(crate) struct SeriesListBuilder {
    lists: Option<Arc<SeriesLists>>,
    known: Option<SeriesList>,
    /// How many series of the known list there are.
    n_known: usize,
    /// The series, unless they are those of the known list.
    series: Vec<Arc<Series>>,
}

impl SeriesListBuilder {
    pub(crate) fn new(lists: Option<Arc<SeriesLists>>) -> Self {
        Self { lists, ..Self::default() }
    }

    pub(crate) fn lists(&self) -> Option<Arc<SeriesLists>> {
        self.lists.clone()
    }

    pub(crate) fn len(&self) -> usize {
        if self.known.is_some() { self.n_known } else { self.series.len() }
    }

    /// Adds a series unless it is the last one; returns whether it was added.
    pub(crate) fn push(&mut self, series: &Arc<Series>) -> bool {
        if self.len() == 0 {
            self.known = self.lists.as_ref().and_then(|lists| lists.beginning_with(series));
        }
        if let Some(known) = &self.known {
            if self.n_known > 0 && Arc::ptr_eq(&known.series[self.n_known - 1], series) {
                return false;
            }
            if known.series.get(self.n_known).is_some_and(|next| Arc::ptr_eq(next, series)) {
                self.n_known += 1;
                return true;
            }
            self.series = known.series[..self.n_known].to_vec();
            self.known = None;
        }
        let is_new = self.series.last().is_none_or(|last| !Arc::ptr_eq(last, series));
        if is_new {
            self.series.push(series.clone());
        }
        is_new
    }

    pub(crate) fn finish(mut self) -> SeriesList {
        if let Some(known) = self.known {
            if known.series.len() == self.n_known {
                return known;
            }
            self.series = known.series[..self.n_known].to_vec();
        }
        let list = SeriesList { streams: Series::streams(&self.series), series: Arc::new(self.series) };
        self.lists.iter().for_each(|lists| lists.note(&list));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Batch, SampleBuilder, Timestamp};

    fn batch(lists: &Arc<SeriesLists>, series: &[&Arc<Series>], value: f64) -> Batch {
        let mut builder = SampleBuilder::sharing(lists.clone());
        for series in series {
            builder.push(series, Timestamp(1), value);
        }
        builder.finish()
    }

    fn series(n: usize) -> Arc<Series> {
        Arc::new(Series::of_labels(&format!(r#"{{"__name__":"up","n":"{n}"}}"#)).expect("labels"))
    }

    fn is_shared(a: &Batch, b: &Batch) -> bool {
        match (&a.series, &b.series) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// Asserts that a batch has a sample of each of some series.
    #[track_caller]
    fn assert_has(batch: &Batch, expected: &[&Arc<Series>]) {
        let streams: Vec<_> = (0..batch.len()).filter_map(|row| batch.streams.value(row)).collect();
        let of_series: Vec<_> = expected.iter().map(|series| Value::String(series.stream().clone())).collect();
        assert_eq!(streams, of_series);
        assert_eq!(batch.series.as_ref().map(|series| series.len()), Some(expected.len()));
    }

    #[test]
    fn the_same_series_are_one_list_and_its_memory_counts_once() {
        let series: Vec<Arc<Series>> = (0..100).map(series).collect();
        let all: Vec<&Arc<Series>> = series.iter().collect();
        let lists = Arc::new(SeriesLists::default());
        let (first, again) = (batch(&lists, &all, 1.0), batch(&lists, &all, 2.0));
        assert!(is_shared(&first, &again));
        assert_eq!(again.field("value").value(7), Some(Value::Float(2.0)));
        assert_eq!(again.field("n").value(99), Some(Value::text("99")));
        assert!(again.memory_bytes() < 100 * 60, "{}", again.memory_bytes());
        drop((first, again));
        let (alone, other) = (batch(&lists, &all, 4.0), batch(&Arc::default(), &all, 4.0));
        assert_eq!(alone.memory_bytes(), other.memory_bytes(), "nobody else has the list any more");
    }

    #[test]
    fn series_are_counted_by_the_batches_that_have_them_unless_a_cache_does() {
        let series: Vec<Arc<Series>> = (0..100).map(series).collect();
        let n_bytes: usize = series.iter().map(|series| series.memory_bytes()).sum();
        let of = |series: Vec<Arc<Series>>| batch(&Arc::default(), &series.iter().collect::<Vec<_>>(), 1.0);
        // The test has each series, too.
        let alone = of(series.clone()).memory_bytes();
        assert!(alone > n_bytes);
        let (one, other) = (of(series.clone()), of(series.clone()));
        assert!(one.memory_bytes() < alone - n_bytes / 3 && one.memory_bytes() + other.memory_bytes() > alone);
        series.iter().for_each(|series| series.note_cached(true));
        assert!(one.memory_bytes() < alone - n_bytes * 9 / 10, "a cache counts them");
        series.iter().for_each(|series| series.note_cached(false));
        drop((one, other));
        assert_eq!(of(series.clone()).memory_bytes(), alone);
    }

    #[test]
    fn a_list_that_only_begins_like_another_is_its_own() {
        let series: Vec<Arc<Series>> = (0..10).map(series).collect();
        let all: Vec<&Arc<Series>> = series.iter().collect();
        let lists = Arc::new(SeriesLists::default());
        let whole = batch(&lists, &all, 1.0);
        let shorter = batch(&lists, &all[..4], 2.0);
        let longer = batch(&lists, &[&all[..4], &all[6..], &all[..1]].concat(), 3.0);
        let other = batch(&lists, &all[1..], 4.0);
        assert_has(&whole, &all);
        assert_has(&shorter, &all[..4]);
        assert_has(&longer, &[&all[..4], &all[6..], &all[..1]].concat());
        assert_has(&other, &all[1..]);
        assert!(![&shorter, &longer, &other].into_iter().any(|batch| is_shared(&whole, batch)));
    }

    #[test]
    fn samples_of_one_series_that_follow_each_other_are_of_one() {
        let (a, b) = (series(1), series(2));
        let lists = Arc::new(SeriesLists::default());
        let mut batches = Vec::new();
        for _ in 0..2 {
            let mut builder = SampleBuilder::sharing(lists.clone());
            let is_new: Vec<bool> =
                [&a, &a, &b, &b, &a].iter().map(|series| builder.push(series, Timestamp(1), 1.0)).collect();
            assert_eq!(is_new, [true, false, true, false, true]);
            let batch = builder.finish();
            assert_eq!(batch.series.as_ref().map(|series| series.len()), Some(3));
            let n: Vec<_> = (0..5).filter_map(|row| batch.field("n").value(row)).collect();
            assert_eq!(n, ["1", "1", "2", "2", "1"].map(Value::text));
            batches.push(batch);
        }
        assert!(is_shared(&batches[0], &batches[1]));
    }

    #[test]
    fn lists_are_bounded() {
        let lists = Arc::new(SeriesLists::default());
        let kept: Vec<Batch> = (0..2 * LISTS_MAX).map(|n| batch(&lists, &[&series(n)], 1.0)).collect();
        assert!(lists.lists.lock().is_ok_and(|lists| lists.len() <= LISTS_MAX), "{}", kept.len());
    }
}
