//! Spans cover every event once.

use super::*;

#[test]
fn spans_are_cut_where_there_are_many_and_joined_where_there_are_few() {
    // Three events an hour for a day, and 500 within one second of the day after.
    let times: Vec<i64> = (0..72)
        .map(|n| n * 20 * Timestamp::MINUTE)
        .chain((0..500).map(|n| Timestamp::DAY + 7 * Timestamp::HOUR + n * 2 * Timestamp::MILLISECOND))
        .collect();
    let count = |(from, to): Range, (_, width): Width| {
        let mut counts = std::collections::BTreeMap::new();
        for time in times.iter().filter(|time| (from.0..=to.0).contains(time)) {
            *counts.entry(Timestamp(time - time.rem_euclid(width))).or_default() += 1;
        }
        Ok(counts.into_iter().collect())
    };
    for most in [1, 7, 50, 100, 600, 10_000] {
        let range = (Timestamp(0), Timestamp(3 * Timestamp::DAY));
        let cut = spans(&count, range, most, |_, _| true).expect("it counts");
        assert!(cut.iter().all(|span| span.events <= most), "{most}: {cut:?}");
        assert_eq!(cut.iter().map(|span| span.events).sum::<u64>(), 572, "{most}");
        assert!(cut.is_sorted_by(|a, b| a.to < b.from), "{most}: {cut:?}");
        for span in &cut {
            let n = times.iter().filter(|time| (span.from.0..=span.to.0).contains(time)).count();
            assert_eq!(n as u64, span.events, "{most}");
        }
    }
    let apart = spans(&count, (Timestamp(0), Timestamp(3 * Timestamp::DAY)), 600, |_, _| false).expect("it counts");
    assert_eq!(apart.len(), 2);
}

#[test]
fn ranges_are_halved_down_to_an_instant() {
    let at = Timestamp;
    assert_eq!(halves((at(4), at(4))), None);
    assert_eq!(halves((at(4), at(5))), Some([(at(4), at(4)), (at(5), at(5))]));
    assert_eq!(halves((at(-3), at(4))), Some([(at(-3), at(0)), (at(1), at(4))]));
}
