//! Retention: what is too old or too much goes, and nothing else.

use super::*;
use crate::{GroupRetention, RetentionOptions, SizeLimit};

/// A store whose retention looks only when it is asked, with the whole store limited as `retention` says.
fn open_with(dir: &Path, retention: RetentionOptions) -> Arc<Store> {
    let retention = RetentionOptions { interval_ns: Timestamp::DAY, ..retention };
    Store::open(Options { retention, ..options(dir) }).expect("a store that can be opened").0
}

fn unlimited() -> RetentionOptions {
    RetentionOptions { size: None, ..RetentionOptions::default() }
}

/// Ten events on each of `n_days` days before now, a segment for each day: `n` counts days back.
fn fill(store: &Store, name: &str, n_days: i64) {
    for day in (0..n_days).rev() {
        let mut builder = BatchBuilder::new();
        for i in 0..10 {
            builder.set_timestamp(Timestamp(NOW - day * Timestamp::DAY - i - 1));
            builder.set_message(&format!("event {day}"));
            builder.field_integer("n", day);
            builder.commit();
        }
        let part = Part { group: group(name), batch: builder.finish() };
        store.append(Delivery { key: None, position: None, raw_bytes: 1000, parts: vec![part] }).expect("room");
        store.flush().expect("room");
    }
}

fn days(store: &Store) -> Vec<i64> {
    let mut days = events(store);
    days.dedup();
    days
}

fn files(dir: &Path) -> usize {
    let partitions = std::fs::read_dir(dir.join("segments")).expect("readable").flatten();
    partitions.map(|partition| std::fs::read_dir(partition.path()).expect("readable").count()).sum()
}

fn age(days: i64) -> GroupRetention {
    GroupRetention { age_ns: Some(days * Timestamp::DAY), bytes: None }
}

#[test]
fn old_events_of_a_group_go_and_those_of_others_stay() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let store = open_with(dir.path(), RetentionOptions { undo_window_ns: 0, ..unlimited() });
    fill(&store, "g", 6);
    fill(&store, "h", 2);
    store.set_retention(&group("g"), age(3)).expect("room");
    assert_eq!(store.retention(&group("g")), age(3));
    assert_eq!(days(&store), [0, 1, 2]);
    assert_eq!(files(dir.path()), 5, "the files of three days are gone");
    assert_eq!(store.groups()[0].n_events, 30);
    assert_eq!(store.status().stored_events, 50);
    drop(store);
    let store = open_with(dir.path(), unlimited());
    assert_eq!((days(&store), store.retention(&group("g"))), (vec![0, 1, 2], age(3)));
    assert_eq!(store.oldest_kept(&group("g")), Some(Timestamp(NOW - 3 * Timestamp::DAY)));
    assert_eq!(store.oldest_kept(&group("h")), None);
}

#[test]
fn what_a_changed_limit_allows_again_comes_back_within_the_undo_window() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let store = open_with(dir.path(), unlimited());
    fill(&store, "g", 5);
    store.set_retention(&group("g"), age(2)).expect("room");
    assert_eq!((days(&store), files(dir.path())), (vec![0, 1], 5));
    let snapshot_groups = store.groups();
    assert_eq!(snapshot_groups[0].n_events, 20);
    drop(store);
    let store = open_with(dir.path(), unlimited());
    assert_eq!(days(&store), [0, 1], "what was retired stays so across a start");
    store.set_retention(&group("g"), age(4)).expect("room");
    assert_eq!(days(&store), [0, 1, 2, 3]);
    store.set_retention(&group("g"), GroupRetention::default()).expect("room");
    assert_eq!(days(&store), [0, 1, 2, 3, 4]);
    store.compact().expect("room");
    assert_eq!(days(&store), [0, 1, 2, 3, 4]);
}

#[test]
fn a_group_that_is_too_large_loses_its_oldest_events() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let store = open_with(dir.path(), RetentionOptions { undo_window_ns: 0, ..unlimited() });
    fill(&store, "g", 6);
    let stored = store.groups()[0].bytes_stored;
    let limit = GroupRetention { age_ns: None, bytes: Some(stored * 3 / 5) };
    store.set_retention(&group("g"), limit).expect("room");
    assert_eq!(days(&store), [0, 1, 2]);
    assert!(store.groups()[0].bytes_stored <= stored * 3 / 5);
    store.set_retention(&group("g"), GroupRetention { age_ns: None, bytes: Some(0) }).expect("room");
    assert_eq!(days(&store), [0], "what just came in can be seen");
    let forecast = store.forecast(&group("g"));
    assert!(forecast.by_size && forecast.bytes_per_day.is_some_and(|bytes| bytes > 0));
}

#[test]
fn a_store_that_is_too_large_loses_its_oldest_segments_at_once() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let size = Some(SizeLimit::Bytes(1));
    let store = open_with(dir.path(), RetentionOptions { size, ..RetentionOptions::default() });
    fill(&store, "g", 4);
    store.retire().expect("room");
    assert_eq!((days(&store), files(dir.path())), (vec![0], 1));
    assert_eq!(store.status().segments, 1);
}

#[test]
fn age_of_the_whole_store_holds_for_every_group_and_a_running_query_keeps_what_it_reads() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let age_ns = Some(2 * Timestamp::DAY);
    let store = open_with(dir.path(), RetentionOptions { age_ns, undo_window_ns: 0, ..unlimited() });
    fill(&store, "g", 4);
    fill(&store, "h", 4);
    let snapshot = store.snapshot(&[], TimeRange::ALL);
    store.retire().expect("room");
    assert_eq!(days(&store), [0, 1]);
    assert_eq!(snapshot.runs.len(), 8);
    let whole = |run: &Arc<dyn types::Run>| run.read(0, &["n"], &RowSet::all(run.block_rows(0))).is_ok();
    assert!(snapshot.runs.iter().all(whole));
}

#[test]
fn a_retired_run_in_a_shared_segment_is_written_out_of_it() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let store = open_with(dir.path(), RetentionOptions { undo_window_ns: 0, ..unlimited() });
    let part = |name: &str, n: i64| {
        let mut builder = BatchBuilder::new();
        builder.set_timestamp(Timestamp(NOW - 5 * Timestamp::DAY));
        builder.set_message(&format!("event {n}"));
        builder.field_integer("n", n);
        builder.commit();
        Part { group: group(name), batch: builder.finish() }
    };
    let parts = vec![part("g", 1), part("h", 2)];
    store.append(Delivery { key: None, position: None, raw_bytes: 10, parts }).expect("room");
    store.flush().expect("room");
    store.set_retention(&group("g"), age(1)).expect("room");
    assert_eq!((events(&store), files(dir.path())), (vec![2], 1));
    store.compact().expect("room");
    let segments = store.shared.state().segments.clone();
    let n_runs: usize = segments.iter().map(|stored| stored.segment.summaries().len()).sum();
    assert_eq!((events(&store), n_runs), (vec![2], 1));
    assert!(store.shared.state().retired.is_empty());
}
