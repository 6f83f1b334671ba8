//! Retention inside segments of several days: each UTC day goes by itself, in every answer, across everything.

use std::sync::atomic::{AtomicI64, Ordering};

use segment::MIXED_PARTITION;

use super::*;
use crate::{GroupRetention, RetentionOptions};

/// Returns a store whose clock stands `day` days after [`NOW`], and whose retention looks only when it is asked.
fn open_at(dir: &Path, day: &Arc<AtomicI64>, undo_days: i64) -> Arc<Store> {
    let retention = RetentionOptions {
        interval_ns: Timestamp::DAY,
        size: None,
        undo_window_ns: undo_days * Timestamp::DAY,
        ..RetentionOptions::default()
    };
    let shown = day.clone();
    let clock = Clock::new(move || Timestamp(NOW + shown.load(Ordering::Relaxed) * Timestamp::DAY));
    let store = Store::open(Options { retention, clock, ..options(dir) }).expect("a store that can be opened").0;
    store.confirm_clock();
    store
}

/// Returns events of `name` on these days before now.
fn part(name: &str, days: impl IntoIterator<Item = i64>) -> Part {
    let mut builder = BatchBuilder::new();
    for day in days {
        builder.set_timestamp(Timestamp(NOW - day * Timestamp::DAY));
        builder.set_message(&format!("event {day}"));
        builder.field_integer("n", day);
        builder.commit();
    }
    Part { group: group(name), batch: builder.finish() }
}

fn send(store: &Store, parts: Vec<Part>) {
    store.append(Delivery { key: None, position: None, raw_bytes: 1000, parts }).expect("room");
}

/// Writes nine days: the eight biggest get segments of their own, all of group `other`; `g` is in the mixed one.
fn fill(store: &Store, days: impl IntoIterator<Item = i64>) {
    send(store, vec![part("other", (0..8).flat_map(|day| [day; 9])), part("g", days)]);
    store.flush().expect("room");
}

fn age(days: i64) -> GroupRetention {
    GroupRetention { age_ns: Some(days * Timestamp::DAY), bytes: None }
}

/// Checks every way of asking for `g` and returns the days that queries read. Counts by minute, sizes, first and last and the
/// statistics of fields must agree with them.
fn days(store: &Store) -> Vec<i64> {
    let only = [types::GroupPattern::new("g")];
    let snapshot = store.snapshot(&only, TimeRange::ALL);
    let found = events_of(&snapshot);
    let mut n_by_minute = 0;
    let mut n_with_field = 0;
    for run in &snapshot.runs {
        let minutes = run.minutes().expect("readable").expect("a segment has counts");
        n_by_minute += minutes.iter().flat_map(|minute| minute.counts).map(u64::from).sum::<u64>();
        let fields = run.fields().expect("readable");
        n_with_field += fields.iter().filter(|field| &*field.name == "n").map(|field| field.n_events).sum::<u64>();
        assert!(run.info().n_events > 0);
    }
    assert_eq!((n_by_minute, n_with_field), (found.len() as u64, found.len() as u64));
    let status = store.groups().into_iter().find(|status| status.name == group("g")).expect("the group");
    assert_eq!(status.n_events, found.len() as u64);
    let at = |day: &i64| Timestamp(NOW - day * Timestamp::DAY);
    assert_eq!((status.first, status.last), (found.last().map(at), found.first().map(at)));
    found
}

/// Returns events of `g` that are on the disk, whether or not they are shown.
fn stored(store: &Store) -> u64 {
    let state = store.segments.state();
    let runs = state.segments.iter().flat_map(|stored| stored.segment.summaries());
    runs.filter(|run| run.group == group("g")).map(|run| run.n_events).sum()
}

#[test]
fn an_event_beyond_the_age_does_not_stay_with_a_younger_one_of_its_segment() {
    let (dir, clock) = (tempfile::tempdir().expect("a scratch directory"), Arc::default());
    let store = open_at(dir.path(), &clock, 0);
    fill(&store, [9, 20, 30, 400]);
    assert_eq!(days(&store), [9, 20, 30, 400]);
    let preview = store.preview_retention(&group("g"), age(25));
    assert_eq!((preview.removes.n_events, preview.n_events_before), (2, 4));
    let change = store.set_retention(&group("g"), age(25)).expect("room");
    assert_eq!((change.removes.n_events, change.n_events_before), (2, 4));
    assert_eq!(days(&store), [9, 20]);
    store.compact().expect("room");
    assert_eq!((days(&store), stored(&store)), (vec![9, 20], 2), "their bytes followed");
    store.retire().expect("room");
    assert!(store.segments.state().trims.is_empty() && store.segments.state().masks.is_empty());
    assert_eq!(store.segments.control().documents("trim").expect("readable"), []);
}

#[test]
fn a_change_of_limits_reports_its_own_effects_while_limits_are_enforced() {
    let (dir, clock) = (tempfile::tempdir().expect("a scratch directory"), Arc::default());
    let store = open_at(dir.path(), &clock, 30);
    fill(&store, [9, 20, 30, 400]);
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let told = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) && store.retire().is_ok() {
                std::thread::yield_now();
            }
        });
        let set = |retention| {
            let change = store.set_retention(&group("g"), retention);
            change.map(|change| (change.removes.n_events, change.restores.n_events, change.n_events_before)).ok()
        };
        let told: Vec<_> = (0..50).map(|_| (set(age(25)), set(GroupRetention::default()))).collect();
        is_over.store(true, Ordering::Relaxed);
        told
    });
    assert!(told.iter().all(|both| *both == (Some((2, 0, 4)), Some((0, 2, 2)))), "{told:?}");
    assert_eq!(days(&store), [9, 20, 30, 400]);
}

#[test]
fn hot_events_beyond_a_new_age_go_at_once() {
    let (dir, clock) = (tempfile::tempdir().expect("a scratch directory"), Arc::default());
    let store = open_at(dir.path(), &clock, 0);
    send(&store, vec![part("other", 0..8), part("g", [0, 3, 400])]);
    store.set_retention(&group("g"), age(7)).expect("room");
    assert_eq!(days(&store), [0, 3]);
}

#[test]
fn each_day_of_a_segment_goes_in_its_turn_and_comes_back_within_the_undo_window() {
    let (dir, clock) = (tempfile::tempdir().expect("a scratch directory"), Arc::<AtomicI64>::default());
    let mut store = open_at(dir.path(), &clock, 2);
    fill(&store, 9..20);
    store.set_retention(&group("g"), age(20)).expect("room");
    for day in 1..5i64 {
        clock.store(day, Ordering::Relaxed);
        store.confirm_clock();
        store.retire().expect("room");
        // Days are UTC days: the one in which the limit lies is still whole.
        assert_eq!(days(&store), (9..=20 - day).filter(|n| *n < 20).collect::<Vec<_>>(), "day {day}");
        let next = store.forecast(&group("g")).next.expect("a day that will go");
        assert!(next.0 > NOW + day * Timestamp::DAY && next.0 <= NOW + (day + 1) * Timestamp::DAY, "day {day}");
        store.compact().expect("room");
        assert_eq!(days(&store).len() as i64, 12 - day.max(1), "day {day}");
        drop(store);
        store = open_at(dir.path(), &clock, 2);
        assert_eq!(days(&store), (9..=20 - day).filter(|n| *n < 20).collect::<Vec<_>>(), "after a start, day {day}");
    }
    // The undo window of the first ones is over.
    let change = store.set_retention(&group("g"), GroupRetention::default()).expect("room");
    assert_eq!(change.restores.n_events, 2);
    assert_eq!(days(&store), (9..19).collect::<Vec<_>>());
    assert_eq!(stored(&store), 10);
}

#[test]
fn a_rebuilt_catalog_does_not_bring_expired_days_back() {
    let (dir, clock) = (tempfile::tempdir().expect("a scratch directory"), Arc::default());
    let store = open_at(dir.path(), &clock, 2);
    fill(&store, [9, 400]);
    store.set_retention(&group("g"), age(30)).expect("room");
    store.close().expect("room");
    drop(store);
    for name in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
        drop(std::fs::remove_file(dir.path().join(name)));
    }
    let store = open_at(dir.path(), &clock, 2);
    assert_eq!(days(&store), [9]);
    store.retire().expect("room");
    assert_eq!(days(&store), [9]);
}

#[test]
fn a_size_limit_takes_the_oldest_days_of_a_mixed_segment() {
    let (dir, clock) = (tempfile::tempdir().expect("a scratch directory"), Arc::default());
    let store = open_at(dir.path(), &clock, 0);
    fill(&store, 9..19);
    let stored = store.groups().iter().find(|status| status.name == group("g")).expect("the group").bytes_stored;
    let limit = GroupRetention { age_ns: None, bytes: Some(stored / 2) };
    store.set_retention(&group("g"), limit).expect("room");
    let left = days(&store);
    assert!((4..=5).contains(&left.len()) && left[0] == 9, "{left:?}");
}

#[test]
fn a_group_whose_hidden_days_can_come_back_is_not_split_into_days() {
    let (dir, clock) = (tempfile::tempdir().expect("a scratch directory"), Arc::default());
    let store = open_at(dir.path(), &clock, 2);
    let many = |day: i64| std::iter::repeat_n(day, 5000);
    // Ten days, of which the two smallest share a segment that is worth splitting.
    send(&store, vec![part("other", (0..8).flat_map(|day| std::iter::repeat_n(day, 6000)))]);
    send(&store, vec![part("g", many(9).chain(many(50))), part("h", many(9).chain(many(50)).take(9999))]);
    store.set_retention(&group("g"), age(30)).expect("room");
    assert_eq!(days(&store), vec![9; 5000]);
    store.compact().expect("room");
    assert_eq!(days(&store), vec![9; 5000]);
    store.set_retention(&group("g"), age(60)).expect("room");
    assert_eq!(days(&store).len(), 10_000);
    store.compact().expect("room");
    assert_eq!(days(&store).len(), 10_000);
    let state = store.segments.state();
    assert!(state.segments.iter().all(|stored| stored.segment.meta.partition != MIXED_PARTITION));
}

#[test]
fn deleted_and_expired_events_do_not_come_back_for_each_other() {
    let (dir, clock) = (tempfile::tempdir().expect("a scratch directory"), Arc::default());
    let store = open_at(dir.path(), &clock, 2);
    fill(&store, [9, 10, 40, 50]);
    let hidden = store
        .segments
        .state()
        .segments
        .iter()
        .flat_map(|s| s.segment.summaries().to_vec())
        .find(|run| run.group == group("g"));
    let first = hidden.expect("the group").first_sequence;
    store.set_retention(&group("g"), age(30)).expect("room");
    assert_eq!(days(&store), [9, 10]);
    // A query that had begun before chose an event that has expired since.
    let order = crate::DeletionOrder {
        range: TimeRange::ALL,
        query: String::new(),
        requested_by: "a test".into(),
        reason: String::new(),
    };
    let gone: crate::Sequences = [first + 1, first + 3].into_iter().collect();
    let receipt = store.delete_events(&group("g"), gone, &order).expect("room");
    assert_eq!(receipt.n_deleted, 2);
    assert_eq!(days(&store), [9]);
    store.set_retention(&group("g"), GroupRetention::default()).expect("room");
    assert_eq!(days(&store), [9, 40]);
    store.compact().expect("room");
    assert_eq!((days(&store), stored(&store)), (vec![9, 40], 2));
}
