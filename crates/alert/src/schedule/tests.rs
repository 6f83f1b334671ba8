//! Turns, by times that are given.

use super::*;

const START: i64 = 1_800_000_000 * Timestamp::SECOND;

fn at(seconds: f64) -> Timestamp {
    Timestamp(START + (seconds * 1e9) as i64)
}

fn schedule(rules: &[(&str, i64)]) -> Schedule {
    let schedule = Schedule::new();
    schedule.set(rules.iter().map(|(name, seconds)| (name.to_string(), seconds * Timestamp::SECOND, true)));
    schedule
}

impl Schedule {
    /// Takes the next task at `now`: tasks of events first, except for turns that are more than their interval late.
    pub(crate) fn take(&self, now: Timestamp, takes: TaskFilter) -> Next {
        self.turns.hold().take(now, takes)
    }
}

fn taken(schedule: &Schedule, now: Timestamp, takes: TaskFilter) -> Option<Task> {
    match schedule.take(now, takes) {
        Next::Task(task) => Some(task),
        Next::Nothing(due) => {
            assert!(due > now, "nothing to do, and yet something is due");
            None
        }
        Next::Stop => None,
    }
}

fn outcome(is_failed: bool) -> Outcome {
    Outcome { n_evaluations: 1, is_failed, is_idle: false, evidence_ns: 0 }
}

/// Takes what is due and lets it take so long.
fn run(schedule: &Schedule, now: Timestamp, seconds: f64) -> Option<String> {
    let task = taken(schedule, now, TaskFilter::All)?;
    schedule.finish(&task.rule, Timestamp(now.0 + (seconds * 1e9) as i64), outcome(false));
    Some(task.rule)
}

#[test]
fn turns_are_an_interval_apart_and_shifted_against_each_other() {
    let names: Vec<String> = (0..100).map(|n| format!("rule {n}")).collect();
    let rules: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 30)).collect();
    let schedule = schedule(&rules);
    let mut by_second = vec![0; 60];
    for tenth in 0..600 {
        let now = at(f64::from(tenth) / 10.0);
        while run(&schedule, now, 0.0).is_some() {
            by_second[tenth as usize / 10] += 1;
        }
    }
    assert!(by_second[0] >= 100, "new rules are judged as soon as possible");
    assert_eq!(by_second[30..].iter().sum::<i32>(), 100, "{by_second:?}");
    assert!(by_second[30..].iter().all(|n| *n <= 12), "{by_second:?}");
}

#[test]
fn what_an_event_asks_for_comes_at_once_but_not_twice_within_a_second() {
    let schedule = schedule(&[("r", 30)]);
    run(&schedule, at(0.0), 0.001).unwrap();
    schedule.ask("r", &[at(0.2)], &[]);
    schedule.ask("r", &[at(0.3)], &[]);
    schedule.ask("unknown", &[at(0.3)], &[]);
    assert_eq!(schedule.asked(at(0.5)), HashSet::from(["r".to_string()]));
    assert_eq!(schedule.take(at(0.5), TaskFilter::AtOnce), Next::Nothing(at(1.0)));
    let task = taken(&schedule, at(1.0), TaskFilter::AtOnce).unwrap();
    schedule.ask("r", &[at(1.0)], &[]);
    assert_eq!(taken(&schedule, at(1.9), TaskFilter::All), None, "one thread at a time");
    schedule.finish(&task.rule, at(1.4), outcome(false));
    assert!(taken(&schedule, at(1.9), TaskFilter::All).is_none());
    let late = [at(-400.0)];
    schedule.ask("r", &[], &late);
    assert_eq!(run(&schedule, at(2.0), 0.9).as_deref(), Some("r"), "what came while it was judged is judged after it");
}

#[test]
fn a_rule_that_takes_long_holds_up_no_other_and_never_overlaps_itself() {
    let schedule = schedule(&[("quick", 30), ("slow", 2)]);
    while let Some(name) = run(&schedule, at(0.0), 0.0) {
        assert!(name == "quick" || name == "slow");
    }
    let task = taken(&schedule, at(2.5), TaskFilter::All).unwrap();
    assert_eq!(task.rule, "slow");
    schedule.ask("quick", &[at(2.5)], &[]);
    schedule.ask("slow", &[at(2.5)], &[]);
    let urgent = taken(&schedule, at(2.6), TaskFilter::AtOnce).unwrap();
    assert_eq!(urgent.rule, "quick");
    schedule.finish("quick", at(2.6), outcome(false));
    assert_eq!(taken(&schedule, at(6.0), TaskFilter::All), None, "it is still under way");
    schedule.finish("slow", at(7.0), outcome(true));
    assert_eq!(taken(&schedule, at(7.0), TaskFilter::AtOnce), None, "too slow to be judged at once");
    assert_eq!(taken(&schedule, at(7.0), TaskFilter::All).unwrap().rule, "slow");
    let timings = schedule.timings();
    let slow = timings.iter().find(|(name, _)| name == "slow").unwrap().1;
    assert_eq!((slow.n_evaluations, slow.n_failures, slow.duration_ns), (2, 1, 4_500_000_000));
    assert!(slow.lag_ns > 0 && slow.lag_ns <= 5 * Timestamp::SECOND, "{slow:?}");
    assert_eq!(slow.last_success, Some(at(0.0)));
}

#[test]
fn what_is_judged_at_once_takes_a_twentieth_of_a_core_and_turns_stay() {
    let names: Vec<String> = (0..50).map(|n| format!("rule {n}")).collect();
    let rules: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 60)).collect();
    let schedule = schedule(&rules);
    let (mut now, mut extra_ns, mut n_regular) = (at(0.0), 0, 0);
    let end = at(120.0);
    while now < end {
        names.iter().for_each(|name| schedule.ask(name, &[now], &[]));
        let next = schedule.take(now, TaskFilter::All);
        let Next::Task(task) = next else {
            now = Timestamp(now.0 + 10_000_000);
            continue;
        };
        let took_ns = 20_000_000;
        now = Timestamp(now.0 + took_ns);
        let is_extra = schedule.turns.hold().rules[&task.rule].run == Run::AtOnce;
        if is_extra {
            extra_ns += took_ns
        } else {
            n_regular += 1
        }
        schedule.finish(&task.rule, now, outcome(false));
    }
    assert!(extra_ns <= 9 * Timestamp::SECOND, "{extra_ns}");
    assert!(extra_ns >= 5 * Timestamp::SECOND, "{extra_ns}");
    assert!((100..=200).contains(&n_regular), "{n_regular}");
}

#[test]
fn clocks_that_jump_neither_silence_a_rule_nor_let_it_run_wild() {
    let schedule = schedule(&[("r", 30)]);
    run(&schedule, at(0.0), 0.0).unwrap();
    assert!(run(&schedule, at(7_200.0), 0.0).is_some(), "forward");
    assert!(run(&schedule, at(7_200.1), 0.0).is_none(), "once");
    assert!(run(&schedule, at(10.0), 0.0).is_some(), "back");
    assert!(run(&schedule, at(10.1), 0.0).is_none(), "once");
    schedule.ask("r", &[at(10.2)], &[]);
    assert!(run(&schedule, at(11.0), 0.0).is_some());
}

#[test]
fn rules_that_are_replaced_keep_their_turns_and_those_that_go_have_none() {
    let schedule = schedule(&[("a", 30), ("b", 30)]);
    while run(&schedule, at(0.0), 0.0).is_some() {}
    let rules = ["b", "c"].map(|name| (name.to_string(), 30 * Timestamp::SECOND, true));
    schedule.set(rules.clone().into_iter());
    assert_eq!(run(&schedule, at(1.0), 0.0).as_deref(), Some("c"));
    assert_eq!(run(&schedule, at(1.0), 0.0), None);
    schedule.set(rules.map(|(name, interval_ns, _)| (name, interval_ns, false)).into_iter());
    assert!(run(&schedule, at(1.1), 0.0).is_some(), "what was changed comes at once");
    schedule.stop();
    assert_eq!(schedule.take(at(100.0), TaskFilter::All), Next::Stop);
}

#[test]
fn a_thousand_rules_begin_within_their_interval_and_never_overlap() {
    let names: Vec<String> = (0..1_000).map(|n| format!("rule {n}")).collect();
    let rules: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 30)).collect();
    let schedule = schedule(&rules);
    let mut now = at(0.0);
    // Two threads at 40 ms each: four fifths of what there is to do at all, and some of it is slow.
    let mut busy: Vec<(Timestamp, String)> = Vec::new();
    let mut lags = Vec::new();
    while now < at(300.0) {
        busy.sort();
        while busy.first().is_some_and(|(end, _)| *end <= now) {
            let (end, rule) = busy.remove(0);
            schedule.finish(&rule, end, outcome(false));
        }
        if busy.len() < 2
            && let Some(task) = taken(&schedule, now, TaskFilter::All)
        {
            assert!(busy.iter().all(|(_, rule)| *rule != task.rule), "overlaps itself");
            let n = lags.len() as i64;
            let took_ns = if n % 100 == 0 { 1_000_000_000 } else { 40_000_000 };
            busy.push((Timestamp(now.0 + took_ns), task.rule.clone()));
            lags.push(schedule.turns.hold().rules[&task.rule].timing.lag_ns);
            continue;
        }
        now = busy.first().map_or(Timestamp(now.0 + 10_000_000), |(end, _)| (*end).min(Timestamp(now.0 + 10_000_000)));
        now = now.max(at(0.0));
    }
    lags.sort_unstable();
    let p99 = lags[lags.len() * 99 / 100];
    assert!(lags.len() > 9_000, "{}", lags.len());
    assert!(p99 <= 30 * Timestamp::SECOND, "{p99}");
}

#[test]
fn an_event_dated_ahead_delays_no_event_of_the_present() {
    let schedule = schedule(&[("r", 30)]);
    run(&schedule, at(0.0), 0.001).unwrap();
    let ahead = at(7.0 * 3_600.0);
    schedule.ask("r", &[ahead], &[]);
    assert!(schedule.asked(at(1.0)).is_empty(), "it does not wait for its turn: events of now concern it");
    schedule.ask("r", &[at(1.1)], &[]);
    assert_eq!(taken(&schedule, at(1.2), TaskFilter::AtOnce).unwrap().rule, "r");
    schedule.finish("r", at(1.3), outcome(false));
    assert_eq!(schedule.take(at(2.3), TaskFilter::AtOnce), Next::Nothing(ahead), "the one ahead is still known");
}

#[test]
fn a_rule_is_not_idle_when_events_ahead_come_into_its_window() {
    let schedule = schedule(&[("r", 30)]);
    let idle = Outcome { n_evaluations: 1, is_failed: false, is_idle: true, evidence_ns: 0 };
    schedule.cover(&HashSet::from(["r"]));
    let mut now = at(0.0);
    let mut judged = |until: Timestamp| {
        let mut busy = Vec::new();
        while now < until {
            if let Some(task) = taken(&schedule, now, TaskFilter::All) {
                let outcome = if task.is_idle { Outcome { n_evaluations: 0, ..idle } } else { idle };
                schedule.finish("r", now, outcome);
                busy.extend((!task.is_idle).then_some(now));
            }
            now = Timestamp(now.0 + 100_000_000);
        }
        busy
    };
    assert_eq!(judged(at(100.0)).len(), 1, "then it is idle");
    schedule.ask("r", &[at(150.0)], &[]);
    assert_eq!(judged(at(200.0)), [at(150.0)]);
    // More instants than are remembered: it is asked at every turn until the last of them.
    let many: Vec<Timestamp> = (0..200).map(|n| at(300.0 + f64::from(n))).collect();
    schedule.ask("r", &many, &[]);
    let busy = judged(at(600.0));
    assert!(busy.iter().any(|at_| *at_ > at(499.0)), "{busy:?}");
}

#[test]
fn a_rule_whose_alert_took_long_to_describe_is_judged_at_once_the_next_time() {
    let schedule = schedule(&[("r", 30)]);
    run(&schedule, at(0.0), 0.001).unwrap();
    let described = Outcome { evidence_ns: 700 * Timestamp::SECOND / 1_000, ..outcome(false) };
    for second in [1.1, 2.2, 3.3, 4.4, 5.5] {
        schedule.ask("r", &[at(second)], &[]);
        assert_eq!(taken(&schedule, at(second), TaskFilter::AtOnce).unwrap().rule, "r");
        schedule.finish("r", at(second + 0.8), described);
    }
}
