//! Retention: what is too old or too much goes, and nothing else.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use super::*;
use crate::{GroupRetention, RetentionOptions, SizeLimit};

/// Returns a store whose retention looks only when it is asked, with the whole store limited as `retention` says.
fn open_with(dir: &Path, retention: RetentionOptions) -> Arc<Store> {
    let retention = RetentionOptions { interval_ns: Timestamp::DAY, ..retention };
    Store::open(Options { retention, ..options(dir) }).expect("a store that can be opened").0
}

fn unlimited() -> RetentionOptions {
    RetentionOptions { size: None, ..RetentionOptions::default() }
}

/// Writes ten events on each of `n_days` days before now, a segment for each day: `n` counts days back.
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

/// Waits until there are so many files. One goes once nobody reads its segment, and compaction looks at segments on its own.
fn until_files(store: &Store, dir: &Path, n_files: usize) {
    until("files of retired segments go", || {
        store.segments.remove_doomed();
        files(dir) <= n_files
    });
    assert_eq!(files(dir), n_files);
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
    until_files(&store, dir.path(), 5);
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
    assert_eq!((days(&store), store.status().segments), (vec![0], 1));
    until_files(&store, dir.path(), 1);
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
    let segments = store.segments.state().segments.clone();
    let n_runs: usize = segments.iter().map(|stored| stored.segment.summaries().len()).sum();
    assert_eq!((events(&store), n_runs), (vec![2], 1));
    assert!(store.segments.state().retired.is_empty());
}

#[test]
fn a_preview_says_what_the_change_does_and_changes_nothing() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let store = open_with(dir.path(), unlimited());
    fill(&store, "g", 6);
    fill(&store, "h", 6);
    let preview = store.preview_retention(&group("g"), age(2));
    assert_eq!((preview.removes.n_events, preview.removes.n_runs, preview.n_events_before), (40, 4, 60));
    assert_eq!(preview.removes.first, Some(Timestamp(NOW - 5 * Timestamp::DAY - 10)));
    assert_eq!(preview.removes.last, Some(Timestamp(NOW - 2 * Timestamp::DAY - 1)));
    assert_eq!(preview.undo_until, Timestamp(NOW + Timestamp::DAY));
    assert!(preview.removes.n_bytes > 0 && preview.removes_most());
    assert_eq!((days(&store), events(&store).len()), (vec![0, 1, 2, 3, 4, 5], 120));
    assert_eq!(store.retention(&group("g")), GroupRetention::default());
    assert_eq!(store.set_retention(&group("g"), age(2)).expect("room"), preview);
    assert_eq!(store.status().runs_undoable, 4);
    let back = store.preview_retention(&group("g"), age(4));
    assert_eq!((back.removes.n_events, back.restores.n_events), (0, 20));
    assert!(!back.removes_most());
    let unknown = store.preview_retention(&group("nobody"), age(1));
    assert_eq!((unknown.removes.n_events, unknown.removes_most()), (0, false));
}

/// A store whose clock and uptime a test turns, in hours from now.
struct Turned {
    store: Arc<Store>,
    wall: Arc<AtomicI64>,
    uptime: Arc<AtomicI64>,
}

impl Turned {
    fn open(dir: &Path, retention: RetentionOptions, hours: i64) -> Self {
        let (wall, uptime) = (Arc::new(AtomicI64::new(hours)), Arc::new(AtomicI64::new(0)));
        let (of_wall, of_uptime) = (wall.clone(), uptime.clone());
        let now = move || Timestamp(NOW + of_wall.load(Ordering::SeqCst) * Timestamp::HOUR);
        let up = move || Duration::from_secs(of_uptime.load(Ordering::SeqCst).unsigned_abs() * 3600);
        let clock = Clock::new(now).with_uptime(up);
        let retention = RetentionOptions { interval_ns: Timestamp::DAY, ..retention };
        let (store, _) = Store::open(Options { retention, clock, ..options(dir) }).expect("a store");
        Self { store, wall, uptime }
    }

    /// Lets time pass, and the clock jump besides.
    fn pass(&self, hours: i64, jump: i64) {
        self.uptime.fetch_add(hours, Ordering::SeqCst);
        self.wall.fetch_add(hours + jump, Ordering::SeqCst);
        self.store.retire().expect("room");
    }
}

#[test]
fn a_clock_that_jumps_deletes_nothing_until_it_is_confirmed_or_back() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let limits = RetentionOptions { age_ns: Some(30 * Timestamp::DAY), undo_window_ns: Timestamp::DAY, ..unlimited() };
    let turned = Turned::open(dir.path(), limits, 0);
    let store = &turned.store;
    fill(store, "g", 3);
    for jump in [24 * 365 * 12, -24 * 365 * 10, 24 * 40, 24 * 365 * 56] {
        turned.pass(0, jump);
        assert!(store.status().clock_doubt.is_some(), "{jump}");
        store.set_retention(&group("g"), age(20)).expect("room");
        store.set_retention(&group("g"), GroupRetention::default()).expect("room");
        assert_eq!(days(store), [0, 1, 2], "{jump}");
        let oldest = store.oldest_kept(&group("g")).expect("an age");
        assert!(oldest <= Timestamp(NOW - 30 * Timestamp::DAY), "events that come now are not refused: {oldest}");
        turned.pass(0, -jump);
        assert_eq!(store.status().clock_doubt, None);
    }
    turned.pass(0, 24 * 29);
    assert_eq!(days(store), [0, 1, 2]);
    // What is doubted is doubted across a start.
    drop(turned);
    let turned = Turned::open(dir.path(), limits, 24 * 29 + 1);
    turned.pass(1, 0);
    assert_eq!(days(&turned.store), [0, 1, 2]);
    turned.store.confirm_clock();
    turned.pass(1, 0);
    assert_eq!((days(&turned.store), turned.store.status().clock_doubt), (vec![0], None));
}

#[test]
fn a_store_says_when_it_will_be_full() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let size = Some(SizeLimit::Bytes(1 << 20));
    let turned = Turned::open(dir.path(), RetentionOptions { size, ..RetentionOptions::default() }, 0);
    assert_eq!(turned.store.status().forecast.full_at, None, "nothing grows");
    fill(&turned.store, "g", 3);
    turned.pass(24 * 3, 0);
    let (status, forecast) = (turned.store.status(), turned.store.status().forecast);
    assert_eq!(forecast.bytes_per_day, status.segment_bytes / 3);
    let left = forecast.bytes_left.expect("a limit");
    assert!(forecast.is_limit && left < (1 << 20) - status.segment_bytes);
    let days = (forecast.full_at.expect("it grows").0 - NOW) / Timestamp::DAY - 3;
    assert_eq!(days as u64, left / forecast.bytes_per_day);
    // A week later what was written is no growth any more.
    turned.pass(24 * 8, 0);
    assert_eq!(turned.store.status().forecast.full_at, None);
}

#[test]
fn an_undo_window_does_not_end_by_a_jump_and_steady_time_is_believed() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let turned = Turned::open(dir.path(), unlimited(), 0);
    fill(&turned.store, "g", 3);
    turned.store.set_retention(&group("g"), age(1)).expect("room");
    turned.pass(0, 24 * 400);
    assert_eq!(files(dir.path()), 3);
    turned.pass(23, 0);
    assert_eq!(files(dir.path()), 3);
    turned.pass(1, 0);
    // Another clock is believed after a day, and keeps the newest.
    until_files(&turned.store, dir.path(), 1);
}

#[test]
fn a_hundred_jumps_delete_nothing_early() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let limits = RetentionOptions { age_ns: Some(10 * Timestamp::DAY), undo_window_ns: 0, ..unlimited() };
    let turned = Turned::open(dir.path(), limits, 0);
    fill(&turned.store, "g", 3);
    for number in 0..100i64 {
        let jump = (number * 7919 % 20_000 + 300) * if number % 3 == 0 { -1 } else { 1 };
        turned.pass(0, jump);
        turned.pass(1, -jump);
        assert_eq!(days(&turned.store), [0, 1, 2], "jump {jump}");
    }
}

#[test]
fn an_event_that_is_a_second_younger_than_the_limit_stays() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let limits = RetentionOptions { undo_window_ns: 0, ..unlimited() };
    let store = open_with(dir.path(), limits);
    fill(&store, "g", 5);
    // The last event of day `n` is `n` days and a nanosecond old.
    let exactly = |days: i64, more: i64| GroupRetention { age_ns: Some(days * Timestamp::DAY + more), bytes: None };
    store.set_retention(&group("g"), exactly(4, Timestamp::SECOND)).expect("room");
    assert_eq!(days(&store), [0, 1, 2, 3, 4]);
    store.set_retention(&group("g"), exactly(4, 1)).expect("room");
    assert_eq!(days(&store), [0, 1, 2, 3, 4], "as old as the limit is not older");
    store.set_retention(&group("g"), exactly(4, 0)).expect("room");
    assert_eq!(days(&store), [0, 1, 2, 3]);
}

#[test]
fn a_limit_of_the_whole_store_that_was_a_mistake_is_taken_back_by_a_start() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let aged = |days: i64| RetentionOptions { age_ns: Some(days * Timestamp::DAY), ..unlimited() };
    let turned = Turned::open(dir.path(), aged(365), 0);
    fill(&turned.store, "g", 4);
    drop(turned);
    let turned = Turned::open(dir.path(), aged(1), 0);
    turned.pass(0, 0);
    assert_eq!(days(&turned.store), [0]);
    // Setting something of the group does not prolong the undo window of what went before.
    turned.pass(23, 0);
    turned.store.set_retention(&group("g"), age(2)).expect("room");
    drop(turned);
    let turned = Turned::open(dir.path(), aged(365), 23);
    turned.store.set_retention(&group("g"), GroupRetention::default()).expect("room");
    assert_eq!(days(&turned.store), [0, 1, 2, 3]);
    turned.store.set_retention(&group("g"), age(1)).expect("room");
    turned.pass(20, 0);
    turned.store.set_retention(&group("g"), GroupRetention { bytes: Some(1 << 40), ..age(1) }).expect("room");
    turned.pass(4, 0);
    until_files(&turned.store, dir.path(), 1);
}

#[test]
fn what_was_retired_for_longer_than_the_undo_window_stays_so_across_a_start() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let turned = Turned::open(dir.path(), unlimited(), 0);
    let part = |name: &str| {
        let mut builder = BatchBuilder::new();
        builder.set_timestamp(Timestamp(NOW - 5 * Timestamp::DAY));
        builder.set_message("event 1");
        builder.field_integer("n", 1);
        builder.commit();
        Part { group: group(name), batch: builder.finish() }
    };
    let parts = vec![part("g"), part("h")];
    turned.store.append(Delivery { key: None, position: None, raw_bytes: 10, parts }).expect("room");
    turned.store.flush().expect("room");
    turned.store.set_retention(&group("g"), age(1)).expect("room");
    // Its segment is still there, for the other group.
    drop(turned);
    let turned = Turned::open(dir.path(), unlimited(), 23);
    turned.pass(0, 0);
    drop(turned);
    let turned = Turned::open(dir.path(), unlimited(), 46);
    turned.store.set_retention(&group("g"), GroupRetention::default()).expect("room");
    assert_eq!(events(&turned.store), [1]);
}

#[test]
fn undo_windows_end_early_when_the_disk_is_nearly_full() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let store = open_with(dir.path(), unlimited());
    fill(&store, "g", 4);
    store.set_retention(&group("g"), age(1)).expect("room");
    assert_eq!(files(dir.path()), 4);
    drop(store);
    let retention = RetentionOptions { interval_ns: Timestamp::DAY, ..unlimited() };
    let full = Options { retention, disk_reserve_bytes: u64::MAX / 4, ..options(dir.path()) };
    let (store, _) = Store::open(full).expect("a store on a full disk");
    assert!(store.append(delivery("g", 0, 1)).is_err());
    assert_eq!(days(&store), [0]);
    store.retire().expect("the reserve is there for it");
    assert_eq!(days(&store), [0]);
    until_files(&store, dir.path(), 1);
}

#[test]
fn a_query_reads_what_it_began_with_whatever_goes_meanwhile() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let limits = RetentionOptions { undo_window_ns: 0, ..unlimited() };
    let (done, n_races) = (AtomicBool::new(false), AtomicI64::new(0));
    let store = open_with(dir.path(), limits);
    let whole = |run: &Arc<dyn types::Run>| {
        let rows = (0..run.n_blocks()).map(|block| {
            let columns = run.read(block, &["n", "@message"], &RowSet::all(run.block_rows(block)));
            columns.expect("a snapshot keeps what it needs")[0].n_rows()
        });
        // Eight days are one run while they are hot.
        let n_rows: usize = rows.sum();
        assert!(n_rows == 10 || n_rows == 80, "{n_rows}");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..n_rounds() {
                let mut builder = BatchBuilder::new();
                for i in 0..80 {
                    builder.set_timestamp(Timestamp(NOW - i % 8 * Timestamp::DAY - 1));
                    builder.set_message(&format!("event {}", i % 8));
                    builder.field_integer("n", i % 8);
                    builder.commit();
                }
                let part = Part { group: group("g"), batch: builder.finish() };
                store.append(Delivery { key: None, position: None, raw_bytes: 800, parts: vec![part] }).expect("room");
                store.flush().expect("room");
                for day in (0..8).rev() {
                    store.set_retention(&group("g"), age(day)).expect("room");
                }
                store.set_retention(&group("g"), GroupRetention::default()).expect("room");
            }
            done.store(true, Ordering::SeqCst);
        });
        let mut before = 0;
        while !done.load(Ordering::SeqCst) {
            let snapshot = store.snapshot(&[], TimeRange::ALL);
            // Until it is read some of it has gone.
            let retired = store.segments.counters.runs_retired.get() as i64;
            snapshot.runs.iter().for_each(whole);
            let raced = store.segments.counters.runs_retired.get() as i64 - retired.max(before);
            before = before.max(retired + raced);
            n_races.fetch_add(raced.max(0), Ordering::SeqCst);
        }
    });
    assert_eq!(store.status().stored_events, 0);
    assert!(n_races.load(Ordering::SeqCst) > 0, "nothing went while it was read");
}

/// Returns how often eight runs are retired below queries; the long tests ask for 125, a thousand races.
fn n_rounds() -> usize {
    std::env::var("CATAT_FAULT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).map_or(12, |n: usize| n * 5)
}
