//! One sync covers many deliveries, and none is answered before it.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::Fault;

/// Holds the disk at its first sync, lets 64 senders come meanwhile, and lets it continue: armed with `fault`, if any.
/// Returns how many of them were accepted, and how many syncs it took.
fn sixty_four_senders(store: &Store, fault: Option<Fault>) -> (usize, u64) {
    let faults = &store.segments.options.faults;
    let (n_answered, n_accepted) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let before = store.status().wal_syncs;
    let send = |n: u64| {
        let accepted = store.append(delivery("g", n, 1)).is_ok();
        n_accepted.fetch_add(usize::from(accepted), Ordering::Relaxed);
        n_answered.fetch_add(1, Ordering::Relaxed);
    };
    let send = &send;
    std::thread::scope(|scope| {
        faults.hold("wal.sync", || drop(scope.spawn(move || send(0))));
        for n in 1..=64 {
            scope.spawn(move || send(n));
        }
        while store.writer.queue.len() < 64 {
            std::thread::yield_now();
        }
        assert_eq!(n_answered.load(Ordering::Relaxed), 0, "nobody is answered before a sync");
        if let Some(fault) = fault {
            faults.arm("wal.sync", fault);
        }
        faults.release();
    });
    (n_accepted.into_inner(), store.status().wal_syncs - before)
}

#[test]
fn those_who_come_during_a_sync_share_the_next_one() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    assert_eq!(sixty_four_senders(&store, None), (65, 2));
    assert_events(&store, 65);
    drop(store);
    assert_events(&open(dir.path()).0, 65);
}

#[test]
fn a_sync_that_fails_is_no_answer_to_any_of_those_who_share_it() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    store.append(delivery("g", 100, 1)).expect("room");
    assert_eq!(sixty_four_senders(&store, Some(Fault::Errno(5))), (0, 0));
    assert_eq!(events(&store), [100]);
    assert!(store.status().poisoned.is_some());
}
