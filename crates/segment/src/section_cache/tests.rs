//! Hits, misses and limits.

use super::*;

fn section(byte: u8, n_bytes: usize) -> Arc<Vec<u8>> {
    Arc::new(vec![byte; n_bytes])
}

fn is_kept(kept: &SegmentSections, number: u32) -> bool {
    kept.get::<Vec<u8>>(number).is_some()
}

#[test]
fn what_was_found_and_what_was_not_is_counted() {
    let cache = SectionCache::new(1 << 20);
    let kept = SegmentSections::new(&cache, 0);
    kept.put(1, &section(1, 100));
    assert!(is_kept(&kept, 1) && !is_kept(&kept, 2) && is_kept(&kept, 1));
    let bytes = 100 + ENTRY_BYTES as u64;
    assert_eq!(cache.status(), SectionCacheStatus { bytes, footer_bytes: 0, sections: 1, hits: 2, misses: 1 });
}

#[test]
fn sections_are_kept_within_bounds_and_go_with_their_segment() {
    let cache = SectionCache::new(1 << 20);
    let (one, other) = (SegmentSections::new(&cache, 0), SegmentSections::new(&cache, 0));
    for number in 0..2000 {
        one.put(number, &section(1, 1000));
        other.put(number, &section(2, 1000));
        assert!(cache.n_bytes() <= 1 << 20);
    }
    for (kept, byte) in [(&one, 1), (&other, 2)] {
        let found: Vec<_> = (0..2000).filter_map(|number| kept.get::<Vec<u8>>(number)).collect();
        assert!(found.len() > 100 && found.iter().all(|section| section[0] == byte));
    }
    drop(one);
    assert!((0..2000).any(|number| is_kept(&other, number)));
    drop(other);
    assert_eq!(cache.n_bytes(), 0);
}

#[test]
fn a_query_that_reads_more_than_there_is_room_for_finds_a_part_of_it_again() {
    let cache = SectionCache::new(1 << 20);
    let kept = SegmentSections::new(&cache, 0);
    let round = || {
        let is_found = |number: &u32| {
            let found = is_kept(&kept, *number);
            kept.put(*number, &section(0, 1000));
            found
        };
        (0..1400).filter(is_found).count()
    };
    let found: Vec<usize> = (0..6).map(|_| round()).collect();
    assert!(found[2..].iter().all(|n| *n > 400), "{found:?}");
}

#[test]
fn what_is_too_large_is_not_kept() {
    let cache = SectionCache::new(4 << 10);
    let kept = SegmentSections::new(&cache, 0);
    kept.put(1, &section(0, 300));
    kept.put(2, &section(0, 100));
    assert_eq!((is_kept(&kept, 1), is_kept(&kept, 2)), (false, true));
    SegmentSections::new(&SectionCache::new(0), 0).put(1, &section(0, 0));
}

#[test]
fn texts_that_dictionaries_share_count_and_go_with_them() {
    let cache = SectionCache::new(4 << 20);
    let dictionary = |kept: &SegmentSections, from: usize| {
        let mut values: Vec<Value> = (from..from + 2_000).map(|n| Value::text(format!("the series {n}"))).collect();
        let n_own = kept.share_texts(&mut values);
        let n_bytes = n_own + values.capacity() * size_of::<Value>();
        kept.put_whole(1, Arc::new(values), n_bytes);
        n_own
    };
    let segments: Vec<SegmentSections> = (0..1_000).map(|_| SegmentSections::new(&cache, 0)).collect();
    dictionary(&segments[0], 0);
    let n_first = cache.n_bytes();
    dictionary(&segments[1], 0);
    assert!(n_first > 130_000 && cache.n_bytes() < 2 * n_first - 60_000, "equal texts count once");
    let mut n_shared = 0;
    for (number, kept) in segments.iter().enumerate() {
        n_shared += usize::from(dictionary(kept, number * 2_000) == 0);
        assert!(cache.n_bytes() <= 4 << 20, "{number}: {}", cache.n_bytes());
    }
    assert!(n_shared > 200, "there is room for texts again and again: {n_shared}");
    let n_kept = segments.iter().filter(|kept| kept.get::<Vec<Value>>(1).is_some()).count();
    assert!(n_kept > 10, "{n_kept}");
}

#[test]
fn what_has_become_another_size_is_counted_anew() {
    let cache = SectionCache::new(1 << 20);
    let kept = SegmentSections::new(&cache, 7);
    for n_bytes in [1_000, 1_000, 5_000, 300] {
        kept.put_whole(1, section(0, 10), n_bytes);
        assert_eq!(cache.n_bytes(), n_bytes + ENTRY_BYTES);
    }
    kept.put_whole(2, section(0, 10), (1 << 20) / SHARE_OF_RUN + 1);
    assert!(!is_kept(&kept, 2) && is_kept(&kept, 1));
    assert_eq!(cache.status().footer_bytes, 7);
}

impl SectionCache {
    /// Returns bytes held.
    fn n_bytes(&self) -> usize {
        self.status().bytes as usize
    }
}
