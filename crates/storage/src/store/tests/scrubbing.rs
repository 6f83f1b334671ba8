//! The scrub: damage on the disk is found before a query meets it, and told of.

use super::*;

const DAY: i64 = Timestamp::DAY;

/// A rate at which no one waits.
const FAST: u64 = u64::MAX;

/// Returns a store without a scrub of its own, a day after the hundred events of two groups were written into two segments.
fn open_filled(dir: &Path) -> Arc<Store> {
    let store = Store::open(Options { scrub_interval_ns: None, ..options(dir) }).expect("a store").0;
    for flush in 0..2 {
        store.append(delivery("g", flush * 50, 25)).expect("room");
        store.append(delivery("h", flush * 50 + 25, 25)).expect("room");
        store.flush().expect("room");
    }
    drop(store);
    open_later(dir, 1)
}

fn open_later(dir: &Path, days: i64) -> Arc<Store> {
    let clock = Clock::new(move || Timestamp(NOW + days * DAY));
    Store::open(Options { scrub_interval_ns: None, clock, ..options(dir) }).expect("a store").0
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).expect("a segment");
    bytes[at] ^= 0x10;
    std::fs::write(path, bytes).expect("writable");
}

#[test]
fn a_flipped_byte_anywhere_is_found_while_the_store_runs_and_named() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let store = open_filled(dir.path());
    let stored = store.segments.state().segments[0].clone();
    let path = dir.path().join(&stored.file);
    let n_bytes = std::fs::metadata(&path).expect("a segment").len() as usize;
    let interval = 1;
    store.upkeep.scrubber.scrub(interval, FAST);
    assert_eq!((store.status().scrub.segments_read, store.status().damaged), (2, vec![]));
    for at in (0..n_bytes).step_by(101).chain([n_bytes - 1]) {
        flip(&path, at);
        // The clock stands: a cycle that has ended is begun again by its note.
        store.upkeep.scrubber.restart();
        store.upkeep.scrubber.scrub(interval, FAST);
        let damaged = store.status().damaged;
        assert_eq!(damaged.iter().map(|d| d.file.as_str()).collect::<Vec<_>>(), [stored.file.as_str()], "byte {at}");
        let snapshot = store.snapshot(&[], TimeRange::ALL);
        assert_eq!(snapshot.damaged, damaged, "an answer over its time says so");
        assert_eq!(snapshot.runs.len(), 4, "and what can be read is read");
        let elsewhere = TimeRange { from: Timestamp(0), to: Timestamp(1) };
        assert_eq!(store.snapshot(&[], elsewhere).damaged, []);
        flip(&path, at);
    }
    store.upkeep.scrubber.restart();
    store.upkeep.scrubber.scrub(interval, FAST);
    assert_eq!(store.status().damaged, [], "what was put back is whole again");
    std::fs::remove_file(&path).expect("it is there");
    store.upkeep.scrubber.restart();
    store.upkeep.scrubber.scrub(interval, FAST);
    assert_eq!((store.status().damaged.len(), store.status().scrub.damaged), (1, 1));
}

#[test]
fn a_damaged_segment_is_not_put_together_with_others_and_its_file_stays() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let store = open_filled(dir.path());
    let stored = store.segments.state().segments[0].clone();
    let path = dir.path().join(&stored.file);
    flip(&path, 100);
    store.upkeep.scrubber.scrub(1, FAST);
    store.append(delivery("g", 100, 50)).expect("room");
    for _ in 0..4 {
        store.append(delivery("x", 0, 1)).expect("room");
        store.flush().expect("room");
    }
    store.compact().expect("the others are whole");
    assert_eq!(store.status().compactions_failed, 0);
    assert!(path.exists());
    assert!(store.segments.state().segments.iter().any(|known| Arc::ptr_eq(known, &stored)));
    // Nothing is left of what the scrub knew once the segment is gone.
    drop(stored);
    store.delete_group(&group("g")).expect("room");
    store.delete_group(&group("h")).expect("room");
    assert_eq!(store.status().damaged, []);
}

#[test]
fn a_cycle_goes_on_after_a_start_and_begins_when_it_is_due() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let store = open_filled(dir.path());
    let read = |store: &Store| store.status().scrub.segments_read;
    store.upkeep.scrubber.scrub(7 * DAY, FAST);
    assert_eq!(read(&store), 2);
    store.upkeep.scrubber.scrub(7 * DAY, FAST);
    assert_eq!(read(&store), 2, "once in a cycle");
    drop(store);
    let store = open_later(dir.path(), 3);
    store.upkeep.scrubber.scrub(7 * DAY, FAST);
    assert_eq!((read(&store), store.status().scrub.segments_done), (0, 2));
    drop(store);
    let store = open_later(dir.path(), 8);
    store.upkeep.scrubber.scrub(7 * DAY, FAST);
    assert_eq!(read(&store), 2);
    drop(store);
    let store = open_later(dir.path(), 2);
    store.upkeep.scrubber.scrub(7 * DAY, FAST);
    assert_eq!(read(&store), 2, "a clock that was put back keeps no cycle waiting");
}

#[test]
fn a_scrub_reads_no_faster_than_it_may_and_ends_at_once() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let store = open_filled(dir.path());
    store.upkeep.scrubber.scrub(1, FAST);
    let n_bytes = store.status().scrub.bytes_read;
    store.upkeep.scrubber.restart();
    let began = std::time::Instant::now();
    store.upkeep.scrubber.scrub(1, n_bytes * 4);
    assert!(began.elapsed().as_millis() >= 150, "a quarter of a second, and not {:?}", began.elapsed());
    store.upkeep.scrubber.restart();
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| store.upkeep.scrubber.scrub(1, 1));
        store.close().expect("room");
        slow.join().expect("no panic");
    });
    assert!(began.elapsed().as_secs() < 60);
}
