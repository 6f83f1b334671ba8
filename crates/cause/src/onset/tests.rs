//! Onsets are found to the second where events allow, and nothing begins where nothing did.

use types::Level;

use super::*;
use crate::lab::{DAY, Draft, HOUR, MINUTE, Random, SECOND, ask, check_mostly, expect, runs_of};

/// Events at a mean interval in a range of the day.
fn steady(seed: u64, (from, to): (i64, i64), interval: i64, level: Level) -> Vec<Draft> {
    let mut random = Random::new(seed);
    let (mut at, mut drafts) = (from, Vec::new());
    loop {
        at += random.interval(interval);
        if at >= to {
            return drafts;
        }
        drafts.push(Draft::new(DAY + at, "shop", level, "an event"));
    }
}

fn errors(drafts: &[Draft], (from, to): (i64, i64)) -> Onset {
    let runs = runs_of(drafts);
    ask("filter @level = 'error' | fields @message", (from, to), |set| onset(set, &runs).expect("an answer"))
}

#[test]
fn errors_begin_with_their_first_event() {
    check_mostly(60, |seed, random| {
        let (begin, interval) = (70 + random.below(30) as i64, 1 + random.below(14) as i64);
        let mut drafts = steady(seed, (0, 2 * HOUR), 2 * SECOND, Level::Info);
        drafts.extend(steady(seed + 500, (begin * MINUTE, 2 * HOUR), interval * SECOND, Level::Error));
        let first = drafts.iter().filter(|draft| draft.level == Level::Error).map(|draft| draft.at).min();
        let found = errors(&drafts, (HOUR, 2 * HOUR));
        // A lone first event may be taken for chance.
        let late = found.began.ok_or("nothing began")?.0 - first.ok_or("no errors")?;
        let rate = 60.0 / interval as f64;
        let holds = (0..=2 * found.uncertainty_ns).contains(&late)
            && found.ended.is_none()
            && found.before_per_minute < found.after_per_minute / 10.0
            && found.uncertainty_ns < 2 * MINUTE
            && (found.after_per_minute - rate).abs() < rate / 2.0 + 1.0;
        expect(holds, &(late, &found))
    });
}

#[test]
fn a_higher_rate_is_placed_within_its_uncertainty() {
    check_mostly(60, |seed, random| {
        let begin = 20 + random.below(20) as i64;
        let mut drafts = steady(seed, (0, HOUR), 10 * SECOND, Level::Error);
        drafts.extend(steady(seed + 500, (begin * MINUTE, (begin + 15) * MINUTE), SECOND, Level::Error));
        let found = errors(&drafts, (0, HOUR));
        let began = found.began.ok_or("nothing began")?.0 - DAY;
        let ended = found.ended.ok_or("it has not ended")?.0 - DAY;
        let holds = (began - begin * MINUTE).abs() <= found.uncertainty_ns + 2 * SECOND
            && (ended - (begin + 15) * MINUTE).abs() < 30 * SECOND;
        expect(holds, &(began - begin * MINUTE, &found))
    });
}

#[test]
fn what_is_steady_did_not_begin() {
    check_mostly(100, |seed, random| {
        let drafts = steady(seed, (0, 2 * HOUR), (1 + random.below(60) as i64) * SECOND, Level::Error);
        let found = errors(&drafts, (HOUR, 2 * HOUR));
        expect(found.began.is_none(), &found)
    });
}

#[test]
fn an_incident_that_fills_the_range_began_before_it() {
    let drafts = steady(1, (80 * MINUTE, 3 * HOUR), SECOND, Level::Error);
    let mut all = steady(2, (0, 3 * HOUR), SECOND, Level::Info);
    all.extend(drafts.iter().cloned());
    let found = errors(&all, (2 * HOUR, 3 * HOUR));
    assert_eq!(found.began.map(|at| at.0), drafts.first().map(|draft| draft.at));
}

#[test]
fn a_fall_is_an_onset_too() {
    let drafts = steady(3, (0, 40 * MINUTE), SECOND, Level::Error);
    let mut all = steady(4, (0, HOUR), SECOND, Level::Info);
    all.extend(drafts);
    let found = errors(&all, (0, HOUR));
    assert!(!found.is_rise());
    assert!((found.began.expect("it fell").0 - DAY - 40 * MINUTE).abs() < 20 * SECOND, "{found:?}");
}

#[test]
fn what_happens_each_day_at_this_time_did_not_begin() {
    let mut drafts = Vec::new();
    for day in 0..6 {
        let start = day * 24 * HOUR;
        drafts.extend(steady(day as u64, (start, start + 2 * HOUR), 20 * SECOND, Level::Error));
        // The nightly job: ten times as many errors from half past one on.
        drafts.extend(steady(day as u64 + 50, (start + 90 * MINUTE, start + 2 * HOUR), 2 * SECOND, Level::Error));
    }
    let last = 5 * 24 * HOUR;
    assert_eq!(errors(&drafts, (last + HOUR, last + 2 * HOUR)).began, None);
    drafts.extend(steady(99, (last + 110 * MINUTE, last + 2 * HOUR), SECOND / 5, Level::Error));
    let found = errors(&drafts, (last + HOUR, last + 2 * HOUR));
    let began = found.began.expect("far more than each day").0 - DAY - last;
    assert!((began - 110 * MINUTE).abs() < MINUTE, "{found:?}");
}

#[test]
fn no_events_and_few_events_did_not_begin() {
    assert_eq!(errors(&[], (0, HOUR)), Onset::default());
    let lone: Vec<Draft> = [10, 50].map(|n| Draft::new(DAY + n * MINUTE, "shop", Level::Error, "x")).to_vec();
    assert_eq!(errors(&lone, (0, HOUR)).began, None);
}
