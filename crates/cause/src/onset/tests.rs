//! Onsets are found to the second where events allow, and nothing begins where nothing did.

use types::{Level, Value};

use super::*;
use crate::lab::{DAY, Draft, HOUR, MINUTE, Random, SECOND, ask, check_mostly, expect, plan_of, runs_of};

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
    ask("filter @level = 'error' | fields @message", (from, to), |set| {
        onset(set, &Measure::Count, &runs).expect("an answer")
    })
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
            && found.before < found.after / 10.0
            && found.uncertainty_ns < 2 * MINUTE
            && (found.after - rate).abs() < rate / 2.0 + 1.0;
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
fn both_ends_lie_in_their_intervals_nearly_as_often_as_these_promise() {
    // Two intervals of 95 %: nine of ten pairs hold both ends.
    let n_held = (0..60).filter(|seed| {
        let begin = 20 + Random::new(seed + 1_000).below(20) as i64;
        let mut drafts = steady(*seed, (0, HOUR), 10 * SECOND, Level::Error);
        drafts.extend(steady(seed + 500, (begin * MINUTE, (begin + 15) * MINUTE), SECOND, Level::Error));
        let found = errors(&drafts, (0, HOUR));
        let holds = |between: Option<[Timestamp; 2]>, minute: i64| {
            let at = DAY + minute * MINUTE;
            between.is_some_and(|[from, to]| (from.0 - 2 * SECOND..=to.0 + 2 * SECOND).contains(&at))
        };
        holds(found.began_between, begin) && holds(found.ended_between, begin + 15)
    });
    let n_held = n_held.count();
    assert!(n_held >= 50, "{n_held} of 60");
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
    let nothing = errors(&[], (0, HOUR));
    assert_eq!(
        (nothing.began, nothing.note.as_deref()),
        (None, Some("there are no events in the range, nor as long before it"))
    );
    let lone: Vec<Draft> = [10, 50].map(|n| Draft::new(DAY + n * MINUTE, "shop", Level::Error, "x")).to_vec();
    let few = errors(&lone, (0, HOUR));
    assert_eq!((few.began, few.note.as_deref()), (None, Some("2 events are too few to tell when they began to come")));
}

/// Requests of which some fail and which take some time; `of` gives the share that fails and the milliseconds of each.
fn requests(seed: u64, of: impl Fn(i64) -> (f64, f64)) -> Vec<Draft> {
    let mut random = Random::new(seed);
    let mut drafts = steady(seed + 31, (0, 2 * HOUR), 2 * SECOND, Level::Info);
    for draft in &mut drafts {
        let (share, ms) = of(draft.at - DAY);
        if random.share() < share {
            draft.level = Level::Error;
        }
        draft.fields.push(("ms", Value::Integer((ms * (0.5 + random.share())) as i64)));
    }
    drafts
}

fn measured(drafts: &[Draft], query: &str, measure: &Measure) -> Onset {
    let runs = runs_of(drafts);
    ask(query, (HOUR, 2 * HOUR), |set| onset(set, measure, &runs).expect("an answer"))
}

fn share_of_errors(drafts: &[Draft]) -> Onset {
    let among = plan_of("filter ispresent(ms) | fields @message");
    measured(drafts, "filter @level = 'error' | fields @message", &Measure::Share(among))
}

fn percentile(drafts: &[Draft], percent: f64) -> Onset {
    measured(drafts, "fields @message", &Measure::Percentile { field: "ms".into(), percent })
}

#[test]
fn a_share_that_rises_is_found_though_the_load_rises_too() {
    check_mostly(40, |seed, random| {
        let begin = (75 + random.below(30) as i64) * MINUTE;
        let mut drafts = requests(seed, |at| (if at < begin { 0.02 } else { 0.2 }, 10.0));
        // Twice the load earlier, with the share of before, is no change of the share.
        drafts.extend(
            requests(seed + 7, |_| (0.02, 10.0))
                .into_iter()
                .filter(|draft| draft.at - DAY > 65 * MINUTE && draft.at - DAY < 72 * MINUTE),
        );
        let found = share_of_errors(&drafts);
        let began = found.began.ok_or("nothing began")?.0 - DAY;
        let [from, to] = found.began_between.ok_or("no interval")?;
        let holds = (began - begin).abs() < 4 * MINUTE
            && from.0 - DAY <= begin + MINUTE
            && to.0 - DAY >= begin - MINUTE
            && found.ended.is_none()
            && (found.before - 0.02).abs() < 0.02
            && (found.after - 0.2).abs() < 0.06;
        expect(holds, &(began - begin, &found))
    });
}

#[test]
fn a_percentile_that_rises_for_a_while_is_found_with_its_end() {
    check_mostly(40, |seed, random| {
        let begin = (70 + random.below(20) as i64) * MINUTE;
        let end = begin + 15 * MINUTE;
        let slow = |at: i64| (begin..end).contains(&at);
        for percent in [50.0, 95.0] {
            let found = percentile(&requests(seed, |at| (0.0, if slow(at) { 400.0 } else { 100.0 })), percent);
            let began = found.began.ok_or("nothing began")?.0 - DAY - begin;
            let ended = found.ended.ok_or("it has not ended")?.0 - DAY - end;
            let ratio = found.after / found.before;
            let holds = began.abs() < 2 * MINUTE && ended.abs() < 2 * MINUTE && (2.5..5.0).contains(&ratio);
            expect(holds, &(percent, began, ended, &found))?;
        }
        Ok(())
    });
}

#[test]
fn shares_and_percentiles_of_noise_did_not_begin() {
    check_mostly(60, |seed, random| {
        let share = random.share() * 0.3;
        let drafts = requests(seed, |_| (share, 100.0));
        let found =
            [share_of_errors(&drafts), percentile(&drafts, 50.0), percentile(&drafts, 95.0), percentile(&drafts, 99.0)];
        expect(found.iter().all(|found| found.began.is_none() && found.note.is_some()), &found)
    });
}

#[test]
fn empty_tiny_and_constant_inputs_have_a_sentence_and_no_onset() {
    let constant: Vec<Draft> =
        (0..7_000).map(|n| Draft::new(DAY + n * SECOND, "shop", Level::Error, "x").number("ms", 7)).collect();
    let no_number = steady(1, (0, 2 * HOUR), SECOND, Level::Info);
    for (drafts, note) in [
        (&constant[..0], "there are no events in the range, nor as long before it"),
        (&constant[..3], "percentile 95 of ms, over 3 numbers, did not change beyond chance"),
        (&constant[..], "percentile 95 of ms, over 6990 numbers, did not change beyond chance"),
        (&no_number[..], "no event of the range has a number in ms"),
    ] {
        let found = percentile(drafts, 95.0);
        assert_eq!(found.began, None);
        let shown = found.note.expect("a sentence");
        assert_eq!(
            shown.split_whitespace().filter(|word| word.parse::<u32>().is_err()).collect::<Vec<_>>(),
            note.split_whitespace().filter(|word| word.parse::<u32>().is_err()).collect::<Vec<_>>(),
            "{shown}"
        );
    }
    assert_eq!(share_of_errors(&constant).began, None);
}

/// Returns the onsets of all patterns over two hours.
fn of_patterns(drafts: &[Draft]) -> PatternOnsets {
    let runs = runs_of(drafts);
    ask("fields @message", (HOUR, 2 * HOUR), |set| pattern_onsets(set, &runs).expect("an answer"))
}

#[test]
fn of_many_patterns_those_that_began_are_told_in_order_of_time() {
    check_mostly(30, |seed, random| {
        let begin = (70 + random.below(20) as i64) * MINUTE;
        let mut drafts: Vec<Draft> = Vec::new();
        for (n, name) in ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"].into_iter().enumerate() {
            let mut some = steady(seed * 10 + n as u64, (0, 2 * HOUR), (3 + 4 * n as i64) * SECOND, Level::Info);
            some.iter_mut().for_each(|draft| draft.text = format!("{name} was processed by worker"));
            drafts.extend(some);
        }
        let texts = ["cannot reach the database, giving up", "queue of letters is full"];
        for (n, text) in texts.into_iter().enumerate() {
            let from = begin + 8 * MINUTE * n as i64;
            let mut some = steady(seed * 10 + 8 + n as u64, (from, 2 * HOUR), 5 * SECOND, Level::Error);
            some.iter_mut().for_each(|draft| draft.text = text.to_owned());
            drafts.extend(some);
        }
        let found = of_patterns(&drafts);
        let told: Vec<(&str, i64)> = found.patterns.iter().map(|one| (&*one.pattern, one.began.0 - DAY)).collect();
        let holds = told.len() == 2
            && told.iter().zip(texts).enumerate().all(|(n, ((pattern, at), text))| {
                *pattern == text && (0..MINUTE).contains(&(at - begin - 8 * MINUTE * n as i64))
            })
            && found
                .patterns
                .iter()
                .all(|one| one.before_per_minute == 0.0 && (one.after_per_minute - 12.0).abs() < 4.0)
            && found.note.is_none();
        expect(holds, &(begin, &found))
    });
}

#[test]
fn patterns_of_noise_did_not_begin() {
    check_mostly(60, |seed, _| {
        let mut drafts: Vec<Draft> = Vec::new();
        for (n, name) in ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"].into_iter().enumerate() {
            let mut some = steady(seed * 10 + n as u64, (0, 2 * HOUR), (2 + 9 * n as i64) * SECOND, Level::Info);
            some.iter_mut().for_each(|draft| draft.text = format!("{name} was processed by worker"));
            drafts.extend(some);
        }
        let found = of_patterns(&drafts);
        expect(found.patterns.is_empty() && found.note.is_some() && found.n_patterns > 0, &found)
    });
    let nothing = of_patterns(&[]);
    assert_eq!((nothing.patterns.len(), nothing.note.is_some()), (0, true));
}
