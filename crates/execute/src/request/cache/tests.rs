//! Tests of `cache`.

use super::*;

#[test]
fn what_was_used_least_recently_goes_first_and_bytes_are_bounded() {
    let cache = PartialCache::new(40 * (ENTRY_BYTES + 100));
    for key in 0..30 {
        cache.put(key, vec![0; 100]);
    }
    assert!(cache.partial(0).is_some());
    for key in 30..50 {
        cache.put(key, vec![0; 100]);
    }
    assert!(cache.partial(0).is_some() && cache.partial(1).is_none() && cache.partial(49).is_some());
    let counts = cache.counts();
    assert_eq!((counts.n_entries, counts.n_evicted, counts.n_hits, counts.n_misses), (40, 10, 3, 1));
    assert_eq!(counts.n_bytes, 40 * (ENTRY_BYTES as u64 + 100));
    cache.put(49, vec![0; 50]);
    assert_eq!(cache.counts().n_bytes, counts.n_bytes - 50);
}

#[test]
fn what_is_too_large_is_not_kept() {
    let cache = PartialCache::new(SHARE_MAX * 1000);
    cache.put(1, vec![0; 1001 - ENTRY_BYTES]);
    assert!(cache.partial(1).is_none());
    cache.put(1, vec![0; 1000 - ENTRY_BYTES]);
    assert!(cache.partial(1).is_some());
    let nothing = PartialCache::new(0);
    nothing.put(1, vec![]);
    assert_eq!(nothing.counts().n_entries, 0);
}
