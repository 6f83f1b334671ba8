//! Lists of series: sharing, memory and limits.

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
