//! Spans of time that grow with their distance from an instant.
//!
//! A search outwards from an event reads what lies near first, so that what lies far costs nothing unless it is needed.

use execute::Side;
use types::{GroupPattern, TimeRange, Timestamp};

use crate::query_run::QueryRun;
use crate::server::Server;

/// The first span that is looked at, and how much longer each further one is: three of them make an hour, ten a century.
const SPAN_NS: i64 = 10 * Timestamp::SECOND;
const SPAN_GROWTH: i64 = 8;

/// Returns the times of the first and the last event of some groups.
pub fn ends(reading: &QueryRun<'_>, groups: &[GroupPattern]) -> Option<(Timestamp, Timestamp)> {
    let server: &Server = reading.server;
    let known = server.whole_store().groups();
    let within = known.iter().filter(|group| GroupPattern::any_matches(groups, group.name.as_str()));
    within.filter_map(|group| Some((group.first?, group.last?))).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// Returns the time that is `by` nanoseconds later, at most the last one.
pub fn later(time: Timestamp, by: i64) -> Timestamp {
    Timestamp(time.0.saturating_add(by))
}

/// Spans of time on one side of an instant, nearest first, which together reach the end of all events. The first one
/// holds the instant.
pub fn spans(at: Timestamp, side: Side, ends: Option<(Timestamp, Timestamp)>) -> impl Iterator<Item = TimeRange> {
    let (first, last) = ends.unwrap_or((at, at));
    let end = match side {
        Side::Before => first.min(at),
        Side::After => later(last.max(at), 1),
    };
    let start = match side {
        Side::Before => later(at, 1),
        Side::After => at,
    };
    let mut next = Some((start, SPAN_NS));
    std::iter::from_fn(move || {
        let (near, length) = next?;
        let (far, range) = match side {
            Side::Before => {
                let far = Timestamp(near.0.saturating_sub(length)).max(end);
                (far, TimeRange { from: far, to: near })
            }
            Side::After => {
                let far = later(near, length).min(end);
                (far, TimeRange { from: near, to: far })
            }
        };
        next = (far != end).then(|| (far, length.saturating_mul(SPAN_GROWTH)));
        Some(range)
    })
}

#[cfg(test)]
mod tests {
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
}
