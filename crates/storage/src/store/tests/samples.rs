//! Samples in memory: what requests share.

use types::{Batch, Run, SampleBuilder, Series};

use super::*;

/// Returns a sample of each series at a minute.
fn scrape(series: &[Arc<Series>], minute: i64) -> Delivery {
    let mut builder = SampleBuilder::default();
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
    for minute in 0..4 {
        store.append(scrape(&series, minute)).expect("room");
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
