//! Samples in memory: what requests share.

use types::{Batch, Run, SampleBuilder, Series, SeriesLists};

use super::*;

/// Returns a sample of each series at a minute.
fn scrape(lists: &Arc<SeriesLists>, series: &[Arc<Series>], minute: i64) -> Delivery {
    let mut builder = SampleBuilder::sharing(lists.clone());
    for one in series {
        builder.push(one, Timestamp(NOW + minute * Timestamp::MINUTE), 1.0);
    }
    let part = Part { group: group("metrics/a"), batch: builder.finish() };
    Delivery { key: None, position: None, raw_bytes: 100, parts: vec![part] }
}

#[test]
fn requests_of_one_sender_share_the_list_of_their_series() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let series = |n: usize| Series::of_labels(&format!(r#"{{"__name__":"m","n":"{n}"}}"#)).map(Arc::new);
    // Too many to be merged.
    let series: Vec<Arc<Series>> = (0..1500).filter_map(series).collect();
    let lists = Arc::default();
    for minute in 0..4 {
        store.append(scrape(&lists, &series, minute)).expect("room");
    }
    let state = store.segments.state();
    let runs = &state.active.groups.values().next().expect("a group").runs;
    assert_eq!(runs.len(), 4);
    let list = |batch: &Batch| batch.series.clone().expect("a list of series");
    let first = list(runs[0].run.batch());
    assert!(runs.iter().all(|run| Arc::ptr_eq(&list(run.run.batch()), &first)));
    // What a question makes of the list, too.
    let streams = |run: &dyn Run| run.sample_streams().expect("in memory").expect("streams of samples");
    assert!(runs.iter().all(|run| Arc::ptr_eq(&streams(&*run.run), &streams(&*runs[0].run))));
    // The list counts once.
    assert!(runs[1..].iter().all(|run| run.memory_bytes * 2 < runs[0].memory_bytes));
}

#[test]
fn samples_take_little_memory_and_are_flushed_by_their_number() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let flush_bytes = 2 * 45 * 40_000;
    let (store, _) = Store::open(Options { flush_bytes, ..options(dir.path()) }).expect("a store");
    store.segments.options.faults.arm("flush.start", crate::Fault::Errno(5));
    let series = Series::of_labels(r#"{"__name__":"m"}"#).map(Arc::new).expect("labels");
    // The flusher may have begun by itself.
    let is_flushed = || store.segments.is_flush_due(Timestamp(NOW)) || store.segments.state().flushing.is_some();
    for hour in 0..2 {
        assert!(!is_flushed());
        let mut builder = SampleBuilder::default();
        for second in 0..20_000 {
            builder.push(&series, Timestamp(NOW + (hour * 20_000 + second) * Timestamp::SECOND), 1.0);
        }
        let part = Part { group: group("metrics/a"), batch: builder.finish() };
        store.append(Delivery { key: None, position: None, raw_bytes: 100, parts: vec![part] }).expect("room");
    }
    assert!(is_flushed());
    let state = store.segments.state();
    // A time, a number, and which series it is of; when it came and its place in the order follow from its request.
    assert!(state.generations().map(|hot| hot.memory_bytes).sum::<u64>() < 40_000 * 21);
}

#[test]
fn a_question_sees_many_requests_of_samples_as_few_runs_that_stay() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = Store::open(Options { flush_bytes: 1 << 30, ..options(dir.path()) }).expect("a store");
    let series = |n: usize| Series::of_labels(&format!(r#"{{"__name__":"m","n":"{n}"}}"#)).map(Arc::new);
    let series: Vec<Arc<Series>> = (0..4096).filter_map(series).collect();
    let runs = || store.snapshot(&[], TimeRange::ALL).runs;
    let (mut minutes, lists) = (0.., Arc::default());
    let mut append = |n_requests: usize| {
        for minute in minutes.by_ref().take(n_requests) {
            store.append(scrape(&lists, &series, minute)).expect("room");
        }
    };
    append(20);
    let is_known =
        |run: &Arc<dyn Run>, known: &[Arc<dyn Run>]| known.iter().any(|one| one.identity() == run.identity());
    let first = runs();
    assert_eq!(first.len(), 2 + 4);
    // Those that wait for others are alone; what was together is what it was.
    append(3);
    let second = runs();
    assert_eq!(second.len(), 2 + 7);
    assert!(first.iter().all(|run| is_known(run, &second)));
    // 131,072 rows are enough for one.
    append(3 * 32);
    let third = runs();
    assert_eq!(third.len(), 3 + 2 + 7);
    assert_eq!(third.iter().map(|run| run.info().n_events).sum::<u64>(), 4096 * 119);
    append(1);
    let last = runs();
    assert_eq!(third.iter().filter(|run| is_known(run, &last)).count(), 5);
    // A range has only those that overlap it, the same ones.
    let range = TimeRange { from: Timestamp(NOW), to: Timestamp(NOW + Timestamp::MINUTE) };
    let of_range = store.snapshot(&[], range).runs;
    assert!(of_range.len() == 1 && is_known(&of_range[0], &last));
}
