//! The latest of each series.

use super::*;

#[test]
fn the_latest_of_each_series_are_left() {
    let exemplar = |time| StoredExemplar { labels: Labels::default(), value: 1.0, time };
    let series = |name: &str| Labels::new([("__name__", name)]);
    let all: ExemplarsOfSeries =
        ["a", "b"].into_iter().map(|name| (series(name), (0..10).map(exemplar).collect())).collect();
    let mut found = all.clone();
    assert!(!bound(&mut found, 20) && found == all);
    assert!(bound(&mut found, 4));
    assert_eq!(found[&series("b")].iter().map(|exemplar| exemplar.time).collect::<Vec<_>>(), [8, 9]);
    assert!(bound(&mut found, 1));
    assert_eq!(found.values().map(Vec::len).sum::<usize>(), 1);
}
