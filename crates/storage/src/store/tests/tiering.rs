//! Tiers: what grows old is written again once, and says the same.

use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::fake_s3::{FakeS3, Trouble};
use crate::tier::Tier;
use crate::{ColdPlace, RetentionOptions, TierOptions, TierStatus};

const DAY: i64 = Timestamp::DAY;

/// Returns a store whose clock stands so many days after now, and whose machine was off meanwhile.
fn open_turned(dir: &Path) -> (Arc<Store>, Arc<AtomicI64>) {
    let days = Arc::new(AtomicI64::new(0));
    let (of_wall, of_uptime) = (days.clone(), days.clone());
    let clock = Clock::new(move || Timestamp(NOW + of_wall.load(Ordering::SeqCst) * DAY));
    let up = move || std::time::Duration::from_secs(of_uptime.load(Ordering::SeqCst).unsigned_abs() * 86_400);
    let (store, _) = Store::open(Options { clock: clock.with_uptime(up), ..options(dir) }).expect("a store");
    (store, days)
}

fn of_tier(store: &Store, tier: &str) -> u64 {
    let is_meant = |status: &&TierStatus| status.tier == tier;
    store.status().tiers.iter().filter(is_meant).map(|status| status.segments).sum()
}

fn tiers(store: &Store) -> (u64, u64, u64) {
    (of_tier(store, "hot"), of_tier(store, "warm"), of_tier(store, "cold"))
}

#[test]
fn a_segment_grows_warm_and_cold_and_is_written_again_once() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, days) = open_turned(dir.path());
    for flush in 0..2 {
        store.append(delivery("g", flush * 1000, 1000)).expect("room");
        store.flush().expect("room");
    }
    store.compact().expect("room");
    assert_eq!(tiers(&store), (2, 0, 0));
    let before = (sequences(&store), store.status().segment_bytes);
    days.store(2, Ordering::SeqCst);
    store.compact().expect("room");
    assert_eq!((tiers(&store), store.status().compactions), ((0, 2, 0), 0), "warm by age, and nothing to gain yet");
    days.store(6, Ordering::SeqCst);
    // It came late: it is not cold when its day is.
    store.append(delivery("g", 2000, 1000)).expect("room");
    store.flush().expect("room");
    days.store(7, Ordering::SeqCst);
    store.compact().expect("room");
    assert_eq!(tiers(&store), (0, 1, 1));
    assert_events(&store, 3000);
    let of_cold = store.status();
    assert!(of_cold.written.cold > 0 && of_cold.written.compaction == 0);
    store.compact().expect("room");
    assert_eq!(store.status().written, of_cold.written, "once");
    drop(store);
    let (store, days) = open_turned(dir.path());
    days.store(30, Ordering::SeqCst);
    assert!(store.status().clock_doubt.is_none());
    store.compact().expect("room");
    assert_eq!(tiers(&store), (0, 0, 2), "the tier is remembered");
    let is_cold = |stored: &Arc<crate::state::StoredSegment>| stored.tier == Tier::Cold;
    assert!(store.segments.state().segments.iter().all(is_cold));
    assert!(store.status().segment_bytes < before.1 * 3 / 2);
    let after = sequences(&store);
    assert!(before.0.iter().all(|sequence| after.binary_search(sequence).is_ok()));
    assert_events(&store, 3000);
}

#[test]
fn a_clock_that_jumps_makes_nothing_older() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(delivery("g", 0, 10)).expect("room");
    store.flush().expect("room");
    drop(store);
    let clock = Clock::new(|| Timestamp(NOW + 100 * DAY));
    let (store, _) = Store::open(Options { clock, ..options(dir.path()) }).expect("a store");
    store.retire().expect("room");
    // Without a note of where the clock stood it is believed.
    assert!(store.status().clock_doubt.is_none());
    drop(store);
    let clock = Clock::new(|| Timestamp(NOW + 200 * DAY));
    let (store, _) = Store::open(Options { clock, ..options(dir.path()) }).expect("a store");
    assert!(store.status().clock_doubt.is_some());
    store.compact().expect("room");
    assert_eq!((tiers(&store), store.status().written.cold), ((1, 0, 0), 0));
}

#[test]
fn what_is_written_again_counts_against_what_stays() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, days) = open_turned(dir.path());
    store.append(delivery("g", 0, 1000)).expect("room");
    assert_eq!(store.status().written.amplification(), None);
    store.flush().expect("room");
    let status = store.status();
    let of_flush = (status.written.wal + status.segment_bytes) as f64 / status.segment_bytes as f64;
    assert_eq!(status.written.amplification(), Some(of_flush));
    days.store(20, Ordering::SeqCst);
    store.compact().expect("room");
    let again = store.status();
    let all = again.written.wal + again.written.flush + again.segment_bytes;
    assert_eq!(again.written.amplification(), Some(all as f64 / again.segment_bytes as f64));
}

fn remote_cold(store: &Store) -> u64 {
    let is_meant = |status: &&TierStatus| (status.tier, status.place) == ("cold", "remote");
    store.status().tiers.iter().filter(is_meant).map(|status| status.segments).sum()
}

#[test]
fn cold_segments_go_to_the_object_store_once_it_answers_and_take_no_room_here() {
    let (dir, fake) = (tempfile::tempdir().expect("a scratch directory"), FakeS3::start());
    let tiers = TierOptions { cold_after_ns: Some(0), cold_place: ColdPlace::ObjectStore, ..TierOptions::default() };
    let retention = RetentionOptions { tiers, ..RetentionOptions::default() };
    let store = Store::open(Options { object_store: Some(fake.options()), retention, ..options(dir.path()) });
    let (store, _) = store.expect("a store");
    fake.fail(|_| Some(Trouble::Status(403)));
    store.append(delivery("g", 0, 20)).expect("room");
    store.flush().expect("room");
    store.compact().expect("the object store is no reason to fail");
    assert_eq!((of_tier(&store, "cold"), remote_cold(&store)), (1, 0));
    fake.fail(|_| None);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(40);
    while remote_cold(&store) == 0 {
        assert!(std::time::Instant::now() < deadline, "it was not moved");
        store.compact().expect("room");
    }
    assert_events(&store, 20);
    assert!(store.upkeep.retention.own_bytes() < store.status().segment_bytes + store.status().wal_bytes);
    let moved = store.status().written;
    store.compact().expect("room");
    assert_eq!(store.status().written, moved, "once");
}
