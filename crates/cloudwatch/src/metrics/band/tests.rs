//! Bands of series that are functions of time, against bounds worked out by hand.

use std::cell::RefCell;

use chrono_tz::Tz;

use super::*;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Monday, 2026-11-23T09:00:00Z.
const MONDAY_9: i64 = 1_795_424_400_000;

/// A series with a value at each period since a time, and the ranges that were read of it.
struct Example<'e> {
    value: &'e dyn Fn(i64) -> f64,
    since: i64,
    period: i64,
    config: BandConfig,
    reads: RefCell<Vec<(i64, i64)>>,
}

impl Example<'_> {
    fn new(value: &dyn Fn(i64) -> f64, days: i64) -> Example<'_> {
        let (since, reads) = (MONDAY_9 - days * DAY, RefCell::default());
        Example { value, since, period: 5 * MINUTE, config: BandConfig::default(), reads }
    }

    fn ask<T>(&self, cache: Option<(&ModelCache, u64)>, shift_ms: i64, ask: impl FnOnce(&BandRequest<'_>) -> T) -> T {
        let history = |(from, to): (i64, i64)| {
            self.reads.borrow_mut().push((from, to));
            let first = from.max(self.since).div_euclid(self.period) * self.period;
            let times = (0..).map(|n| first + n * self.period).take_while(|time| *time < to);
            Ok(times.filter(|time| *time >= from.max(self.since)).map(|time| (time, (self.value)(time))).collect())
        };
        let (config, period_ms) = (&self.config, self.period);
        ask(&BandRequest { spelled: "m", config, history: &history, period_ms, shift_ms, cache })
    }

    /// Returns the lower and the upper bound of one deviation at a time.
    fn at(&self, time: i64) -> Option<(f64, f64)> {
        let [upper, lower] = self.ask(None, 0, |request| request.bounds([time].into_iter(), 1.0)).expect("no error");
        Some((*lower.get(&time)?, *upper.get(&time)?))
    }
}

fn near(found: Option<(f64, f64)>, expected: f64, deviation: f64) {
    let (lower, upper) = found.expect("a band");
    let is_near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert!(is_near(lower, expected - deviation) && is_near(upper, expected + deviation), "{lower} {upper}");
}

fn hour_of_week(time: i64) -> i64 {
    // 1970-01-01 was a Thursday; weeks start on Monday.
    (time + 3 * DAY).div_euclid(HOUR) % 168
}

#[test]
fn the_same_hour_of_the_last_two_weeks_counts_first() {
    // On Mondays at nine 100 and 104 in turn, otherwise 1: median 102, distances all 2.
    let value = |time: i64| match hour_of_week(time) {
        9 => 100.0 + (time / (5 * MINUTE) % 2 * 4) as f64,
        _ => 1.0,
    };
    let example = Example::new(&value, 15);
    near(example.at(MONDAY_9 + 30 * MINUTE), 102.0, 2.0 * 1.4826);
    assert_eq!(example.reads.borrow().len(), 2, "two hours are enough");
    // At ten the values are equal: a thousandth of them is the least deviation.
    near(example.at(MONDAY_9 + HOUR), 1.0, 0.001);
}

#[test]
fn with_less_than_two_weeks_the_same_hour_of_the_day_counts_and_then_all_hours() {
    // 20 at nine, else 10; one more each day.
    let value = |time: i64| {
        let base = if time.rem_euclid(DAY) / HOUR == 9 { 20.0 } else { 10.0 };
        base + (time - MONDAY_9).div_euclid(DAY) as f64
    };
    // Five days: 19, 18, 17, 16 and 15 at nine. Median 17, distances 0 1 1 2 2.
    near(Example::new(&value, 5).at(MONDAY_9), 17.0, 1.4826);
    // Two days are too few for that. Half of their values are 8, half 9.
    let of_all = Example::new(&|time| if time < MONDAY_9 - DAY { 8.0 } else { 9.0 }, 2);
    near(of_all.at(MONDAY_9), 8.5, 0.5 * 1.4826);
}

#[test]
fn without_enough_values_there_is_no_band() {
    let hours_ago = |hours: i64| {
        let example = Example { since: MONDAY_9 - hours * HOUR, ..Example::new(&|_| 7.0, 0) };
        example.at(MONDAY_9)
    };
    // Thirty values of five minutes are two and a half hours.
    assert_eq!(hours_ago(2), None);
    assert!(hours_ago(3).is_some());
    // A value a day: 14 of them.
    let daily = Example { period: DAY, ..Example::new(&|_| 7.0, 30) };
    near(daily.at(MONDAY_9.div_euclid(DAY) * DAY), 7.0, 0.007);
    let weekly = Example { period: 7 * DAY, ..Example::new(&|_| 7.0, 300) };
    assert_eq!(weekly.at(MONDAY_9.div_euclid(7 * DAY) * 7 * DAY), None);
}

#[test]
fn excluded_ranges_and_spikes_are_as_the_detector_says() {
    // A week ago the hour had 500, two weeks ago 10 and 12 in turn.
    let week_ago = MONDAY_9 - 7 * DAY;
    let value = |time: i64| match time >= week_ago {
        true => 500.0,
        false => 10.0 + (time / (5 * MINUTE) % 2 * 2) as f64,
    };
    let mut example = Example::new(&value, 15);
    // Twelve values of 500, six of 10, six of 12: median 256, distances 244 to 246; half of the distances are 244.
    near(example.at(MONDAY_9), 256.0, 244.0 * 1.4826);
    example.config.excluded = vec![(week_ago, MONDAY_9 + DAY)];
    // Seven days of the hour are left, each with six of 10 and of 12: median 11.
    near(example.at(MONDAY_9), 11.0, 1.4826);
    example.config.has_spikes = true;
    near(example.at(MONDAY_9), 11.0, 1.4826);
    let spiky = |time: i64| if time % HOUR == 0 { 90.0 } else { 10.0 };
    let mut example = Example::new(&spiky, 15);
    // Two of 24 values are 90: the median distance is 0, the mean 160 / 24.
    let deviation = 160.0 / 24.0 * 1.2533;
    near(example.at(MONDAY_9), 10.0, deviation);
    example.config.has_spikes = true;
    assert_eq!(example.at(MONDAY_9).map(|(_, upper)| upper), Some(90.0));
}

#[test]
fn hours_are_those_of_the_clocks_in_the_zone() {
    // In New York, clocks went back on 2026-11-01: nine there is 14:00 UTC after it, and 13:00 UTC before.
    let change = 1_793_512_800_000;
    let value = |time: i64| {
        let local = time - if time >= change { 5 * HOUR } else { 4 * HOUR };
        (local.rem_euclid(DAY) / HOUR) as f64
    };
    let monday_9_there = MONDAY_9 - 14 * DAY + 5 * HOUR;
    let mut example = Example { since: MONDAY_9 - 60 * DAY, ..Example::new(&value, 0) };
    example.config.zone = Tz::America__New_York;
    near(example.at(monday_9_there), 9.0, 0.009);
    example.config.zone = Tz::UTC;
    // In UTC half of the values are those of ten.
    near(example.at(monday_9_there), 9.5, 0.5 * 1.4826);
}

#[test]
fn many_slots_are_trained_from_whole_days_with_the_same_result() {
    let value = |time: i64| (time / MINUTE % 977) as f64;
    let example = Example::new(&value, 20);
    let times: Vec<i64> = (0..48).map(|n| MONDAY_9 + n * HOUR).collect();
    let many = example.ask(None, 0, |request| request.bounds(times.iter().copied(), 2.0)).expect("no error");
    let n_reads = example.reads.borrow().len();
    assert!(n_reads <= 17 && example.reads.borrow().iter().all(|(from, to)| to - from == DAY), "{n_reads} reads");
    for time in &times {
        let one = example.ask(None, 0, |request| request.bounds([*time].into_iter(), 2.0)).expect("no error");
        assert_eq!((one[0][time], one[1][time]), (many[0][time], many[1][time]));
    }
}

#[test]
fn models_are_kept_for_their_slot_and_times_may_be_shifted() {
    let example = Example::new(&|time| hour_of_week(time) as f64, 15);
    let cache = ModelCache::default();
    // Asked a quarter of an hour before: with the shift it is nine.
    let time = MONDAY_9 - 15 * MINUTE;
    let ask = || example.ask(Some((&cache, 0)), 20 * MINUTE, |request| request.bounds([time].into_iter(), 1.0));
    let [upper, _] = ask().expect("no error");
    assert!((upper[&time] - 9.009).abs() < 1e-9, "{upper:?}");
    let n_reads = example.reads.borrow().len();
    assert_eq!(ask().expect("no error")[0], upper);
    assert_eq!(example.reads.borrow().len(), n_reads, "the model is known");
    assert!(example.ask(Some((&cache, 0)), 0, |request| request.is_trained(time + HOUR)).expect("no error"));
}
