//! Ranges that grow and merge.

use super::*;

#[test]
fn spans_grow_meet_and_end_with_the_events() {
    let at = Timestamp(1_000_000 * Timestamp::SECOND);
    let ends = Some((Timestamp(0), later(at, 5)));
    let before: Vec<TimeRange> = spans(at, Side::Before, ends).collect();
    assert_eq!((before[0].to, before[0].to.0 - before[0].from.0), (later(at, 1), SPAN_NS));
    assert!(before.windows(2).all(|pair| pair[0].from == pair[1].to), "{before:?}");
    assert_eq!(before.last().map(|range| range.from), Some(Timestamp(0)));
    assert!(before.len() < 8, "{before:?}");
    let after: Vec<TimeRange> = spans(at, Side::After, ends).collect();
    assert_eq!(after, [TimeRange { from: at, to: later(at, 6) }]);
    let extremes = Some((Timestamp(i64::MIN), Timestamp(i64::MAX)));
    assert!(spans(at, Side::After, extremes).count() < 14 && spans(at, Side::Before, extremes).count() < 14);
    assert_eq!(spans(at, Side::After, None).collect::<Vec<_>>(), [TimeRange { from: at, to: later(at, 1) }]);
}
