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
