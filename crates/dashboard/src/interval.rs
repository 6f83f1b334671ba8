//! Built-in variables: the distance of points that suits a range.

use types::{TimeRange, Timestamp};

use crate::fill::{Choice, Choices};

/// How many points a chart has, about.
const POINTS: i64 = 200;

/// Distances that people read easily, in seconds.
const NICE: [i64; 18] =
    [1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800];

/// How often metrics are read, as far as it is not known: `$__rate_interval` has at least four of them.
const SCRAPE_S: i64 = 15;

/// Returns `__interval`, `__rate_interval` and `__range` for a range; the interval is `step_s` if that is given.
pub fn built_ins(range: TimeRange, step_s: Option<i64>) -> Choices {
    let range_s = (range.to.0.saturating_sub(range.from.0) / Timestamp::SECOND).max(1);
    let interval_s = step_s.unwrap_or_else(|| interval_s(range_s)).max(1);
    let rate_s = interval_s.saturating_add(SCRAPE_S).max(4 * SCRAPE_S);
    let of = |name: &str, seconds: i64| (name.to_owned(), Choice::One(format!("{seconds}s")));
    Choices::from([of("__interval", interval_s), of("__rate_interval", rate_s), of("__range", range_s)])
}

/// Returns the seconds between the points of a chart.
fn interval_s(range_s: i64) -> i64 {
    let least = range_s / POINTS;
    NICE.into_iter().find(|nice| *nice >= least).unwrap_or(604_800 * (least / 604_800 + 1))
}

#[cfg(test)]
mod tests;
