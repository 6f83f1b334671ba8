//! Lists of series that batches have in common: senders keep the order of their series, so that their requests have one of a few.

use crate::lock::Hold;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

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
        let lists = self.lists.hold();
        let (series, streams) = lists.get(&(Arc::as_ptr(first) as usize))?;
        Some(SeriesList { series: series.upgrade()?, streams: streams.upgrade()? })
    }

    fn note(&self, list: &SeriesList) {
        let Some(first) = list.series.first() else { return };
        let mut lists = self.lists.hold();
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
mod tests;
