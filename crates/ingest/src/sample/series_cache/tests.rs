//! Which series stay in memory.

use types::Limits;

use super::super::SeriesLabels;
use super::*;

fn series(value: &str) -> SampleSeries {
    let pairs = [("__name__".into(), "up".into()), ("a".into(), value.into())];
    SeriesLabels::new(pairs, &Limits::default()).expect("labels").to_series()
}

/// A time in minutes.
fn at(minute: i64) -> Timestamp {
    Timestamp(minute * Timestamp::MINUTE)
}

fn has(cache: &SeriesCache, text: &str, now: Timestamp) -> bool {
    cache.get(&mut LastSeries::none(now), text.as_bytes()).is_some()
}

#[test]
fn memory_is_bounded_and_what_is_here_stays() {
    let mut cache = SeriesCache::default();
    // Texts of letters that need no memory of their own.
    let known = |n: usize| SampleSeries { memory_bytes: BYTES_MAX / 100, ..series(&n.to_string()) };
    for n in 0..150 {
        cache.put(n.to_string().as_bytes(), known(n), at(1));
        assert!(cache.n_bytes <= BYTES_MAX && cache.entries.len() <= 100);
    }
    assert!(has(&cache, "0", at(1)) && has(&cache, "90", at(1)) && !has(&cache, "149", at(1)));
    let large = SampleSeries { memory_bytes: BYTES_MAX / 8, ..series("large") };
    cache.put(b"large", large, at(100));
    assert!(!has(&cache, "large", at(100)), "one series takes no share of others");
}

#[test]
fn series_that_have_ended_make_room() {
    let mut cache = SeriesCache::default();
    let known = |n: usize| SampleSeries { memory_bytes: BYTES_MAX / 100, ..series(&n.to_string()) };
    (0..90).for_each(|n| cache.put(n.to_string().as_bytes(), known(n), at(1)));
    assert!((0..50).all(|n| has(&cache, &n.to_string(), at(12))));
    let last = 1 + i64::from(IDLE_MIN);
    (100..150).for_each(|n| cache.put(n.to_string().as_bytes(), known(n), at(last)));
    assert!(!has(&cache, "149", at(last)), "all were used of late");
    (150..190).for_each(|n| cache.put(n.to_string().as_bytes(), known(n), at(last + 1)));
    assert!((0..50).chain(150..180).all(|n| has(&cache, &n.to_string(), at(last + 1))));
    assert!(!has(&cache, "60", at(last + 1)), "idle");
    let n_bytes: usize =
        cache.entries.iter().map(|e| e.series.memory_bytes + ENTRY_BYTES + e.spelled.range.len()).sum();
    assert_eq!(cache.n_bytes, n_bytes);
}

#[test]
fn the_series_that_came_next_is_expected() {
    let mut cache = SeriesCache::default();
    for name in ["a", "b", "c"] {
        cache.put(name.as_bytes(), series(name), at(1));
    }
    let mut last = LastSeries::none(at(1));
    for name in ["a", "b", "c"] {
        assert_eq!(cache.next(&mut last, name.as_bytes()), None, "{name}");
        assert!(cache.get(&mut last, name.as_bytes()).is_some());
    }
    let mut last = LastSeries::none(at(1));
    assert!(cache.get(&mut last, b"a").is_some());
    assert_eq!(cache.next(&mut last, b"b and more"), Some((&series("b"), &b" and more"[..])));
    assert_eq!(cache.next(&mut last, b"other"), None);
    assert_eq!(cache.next(&mut last, b"c"), Some((&series("c"), &b""[..])));
}
