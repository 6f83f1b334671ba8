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
    let of_archives = reading.archived_runs(groups).into_iter().map(|run| (run.info().first, run.info().last));
    let within = within.filter_map(|group| Some((group.first?, group.last?)));
    within.chain(of_archives).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
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
mod tests;
