//! Lists of series that batches have in common: senders keep the order of their series, so that their requests have one of a few.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::{Batch, Column, Series, Value};

/// Lists that are looked for. Beyond it those that no batch has any more are forgotten, or else all.
const LISTS_MAX: usize = 4096;

/// A list, as long as a batch has it: series, and the texts of their streams.
type List = (Weak<Vec<Arc<Series>>>, Weak<Vec<Value>>);

/// The lists of series of recent batches.
#[derive(Debug, Default)]
pub struct SeriesLists {
    /// By the address of the first series and the length.
    lists: Mutex<HashMap<(usize, usize), List>>,
}

impl SeriesLists {
    /// Lets a batch share the list of an earlier one that consists of the same series.
    pub fn share(&self, batch: &mut Batch) {
        let (Some(series), Column::Dictionary { values, .. }) = (&mut batch.series, &mut batch.streams) else { return };
        let Some(first) = series.first() else { return };
        let key = (Arc::as_ptr(first) as usize, series.len());
        // A list is whole between any two statements.
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lists.get(&key).and_then(|(series, values)| Some((series.upgrade()?, values.upgrade()?)));
        match known {
            Some((known, streams)) if known.iter().zip(&**series).all(|(known, one)| Arc::ptr_eq(known, one)) => {
                (*series, *values) = (known, streams);
            }
            _ => {
                if lists.len() >= LISTS_MAX {
                    lists.retain(|_, (series, _)| series.strong_count() > 0);
                }
                if lists.len() >= LISTS_MAX {
                    lists.clear();
                }
                lists.insert(key, (Arc::downgrade(series), Arc::downgrade(values)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SampleBuilder, Timestamp};

    fn batch(series: &[&Arc<Series>], value: f64) -> Batch {
        let mut builder = SampleBuilder::default();
        for series in series {
            builder.push(series, Timestamp(1), value);
        }
        builder.finish()
    }

    #[test]
    fn the_same_series_are_one_list_and_its_memory_counts_once() {
        let series = |n: usize| Series::of_labels(&format!(r#"{{"__name__":"up","n":"{n}"}}"#)).map(Arc::new);
        let series: Vec<Arc<Series>> = (0..100).filter_map(series).collect();
        let all: Vec<&Arc<Series>> = series.iter().collect();
        let (mut first, mut again, mut other) = (batch(&all, 1.0), batch(&all, 2.0), batch(&all[..50], 3.0));
        let lists = SeriesLists::default();
        for batch in [&mut first, &mut again, &mut other] {
            lists.share(batch);
        }
        let is_shared = |a: &Batch, b: &Batch| match (&a.series, &b.series) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        };
        assert!(is_shared(&first, &again) && !is_shared(&first, &other));
        assert_eq!(again.field("value").value(7), Some(Value::Float(2.0)));
        assert_eq!(again.field("n").value(99), Some(Value::text("99")));
        assert!(again.memory_bytes() < 100 * 60, "{}", again.memory_bytes());
        drop((first, again));
        let mut later = batch(&all, 4.0);
        let alone = later.memory_bytes();
        lists.share(&mut later);
        assert_eq!(later.memory_bytes(), alone, "nobody else has the list any more");
    }

    #[test]
    fn lists_are_bounded() {
        let lists = SeriesLists::default();
        let made = |n: usize| {
            let series = Series::of_labels(&format!(r#"{{"__name__":"up","n":"{n}"}}"#)).map(Arc::new).expect("labels");
            let mut batch = batch(&[&series], 1.0);
            lists.share(&mut batch);
            batch
        };
        let kept: Vec<Batch> = (0..2 * LISTS_MAX).map(made).collect();
        assert!(lists.lists.lock().is_ok_and(|lists| lists.len() <= LISTS_MAX), "{}", kept.len());
    }
}
