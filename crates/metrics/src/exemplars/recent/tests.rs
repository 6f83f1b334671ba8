//! Exemplars that are known, and their limit.

use super::*;

#[test]
fn what_is_known_is_bounded() {
    let mut recent = RecentExemplars::default();
    for n in 0..3 * KNOWN_MAX as u64 / 100 {
        recent.note(&(0..100).map(|at| (n * 100 + at, at)).collect());
        assert!(recent.is_known((n * 100 + 7, 7)) && recent.n <= KNOWN_MAX);
        assert_eq!(recent.known.values().map(|known| known.len()).sum::<usize>(), recent.n);
    }
    assert!(!recent.is_known((0, 0)) && !recent.is_known((u64::MAX, 1)));
}

#[test]
fn all_exemplars_of_the_last_request_of_a_series_are_known() {
    let mut recent = RecentExemplars::default();
    recent.note(&[(1, 10), (1, 11), (2, 20)].into_iter().collect());
    recent.note(&[(1, 11), (1, 12)].into_iter().collect());
    let known = [(1, 10), (1, 11), (1, 12), (2, 20), (2, 10)].map(|hashes| recent.is_known(hashes));
    assert_eq!((known, recent.n), ([false, true, true, true, false], 3));
    // Those of others stay when many come again.
    let many: HashSet<(u64, u64), RandomState> = (0..KNOWN_MAX as u64 / 2).map(|at| (100 + at, at)).collect();
    (0..4).for_each(|_| recent.note(&many));
    assert!(recent.is_known((2, 20)) && recent.is_known((100, 0)));
}
