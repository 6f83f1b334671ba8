//! Backtests over events in memory: as the turns themselves would have it, and with bounded work.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use types::{BatchBuilder, BatchRun, GroupName, Level};

use super::*;
use crate::detectors::answer;
use crate::{Question, RuleSet, RunsAsk};

const START: i64 = 1_800_000_000 * Timestamp::SECOND;

fn at(seconds: i64) -> Timestamp {
    Timestamp(START + seconds * Timestamp::SECOND)
}

fn rule(text: &str) -> Rule {
    let mut set = RuleSet::default();
    set.add("r.yaml", &format!("groups: [{{name: g, rules: [{{name: r, {text}}}]}}]")).unwrap();
    set.rules.remove(0)
}

fn errors(seconds: &[i64]) -> RunsAsk {
    let mut builder = BatchBuilder::new();
    for second in seconds {
        builder.set_timestamp(at(*second));
        builder.set_level(Some(Level::Error));
        builder.commit();
    }
    let mut batch = builder.finish();
    batch.sequences = (1..=seconds.len() as u64).collect();
    RunsAsk::new(vec![Arc::new(BatchRun::new(GroupName::new("a").unwrap(), 1, Arc::new(batch)))])
}

/// Counts questions.
struct Counting(RunsAsk, AtomicU64);

impl Ask for Counting {
    fn ask(&self, question: &Question<'_>) -> Result<Table, String> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.ask(question)
    }
}

fn past(seconds: i64) -> BacktestRange {
    let (from, to) = (at(0), at(seconds));
    BacktestRange {
        from,
        to,
        interval_ns: 30 * Timestamp::SECOND,
        turns_max: 20_000,
        questions_max: 5_000,
        deadline: None,
    }
}

/// Evaluates every turn by a query of its own.
fn turn_by_turn(rule: &Rule, ask: &dyn Ask, past: &BacktestRange) -> Vec<(i64, Option<i64>)> {
    let (mut sets, mut alerts) = (Sets::new(), Vec::new());
    let mut now = past.from;
    while now <= past.to {
        let (compiled, table) = answer(rule, &asking(ask, now, &HistoryCache::default())).unwrap();
        let evaluation = evaluate(rule, &compiled, &table, &sets, now);
        sets = evaluation.sets;
        for change in evaluation.changes {
            if change.fires {
                alerts.push((change.starts_at, None));
            } else if let Some(last) = alerts.last_mut() {
                last.1 = Some(now.0);
            }
        }
        now = Timestamp(now.0 + past.interval_ns);
    }
    alerts
}

#[test]
fn alerts_of_the_past_begin_and_end_at_turns() {
    let rule = rule("query: 'filter @level = \"error\"', window: 1m, condition: count > 1");
    let found = backtest(&rule, &errors(&[100, 110, 115, 4_000]), &past(7_200));
    assert_eq!(found.alerts.len(), 1);
    let alert = &found.alerts[0];
    assert_eq!((alert.starts_at, alert.ends_at, alert.peak_value), (at(120), Some(at(180)), Some(3.0)));
    assert_eq!((found.n_evaluations, found.step_ns, found.n_notifications), (241, 30 * Timestamp::SECOND, 2));
    assert!(found.partial.is_empty());
}

#[test]
fn stretches_in_which_nothing_happened_cost_one_question_and_change_nothing() {
    let mut seed = 1u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let options = [
        "window: 1m",
        "window: 5m, for: 1m",
        "window: 2m, keep_firing_for: 3m, condition: count > 1",
        "window: 90s, datapoints: {to_alarm: 2, of: 3}",
        "window: 1m, missing: alarm",
        "window: 1m, missing: keep",
        "window: 10s, condition: count < 1",
    ];
    for round in 0..21 {
        let rule = rule(&format!("query: 'filter @level = \"error\"', {}", options[round % options.len()]));
        let mut seconds: Vec<i64> = (0..random(12)).map(|_| random(5_400) as i64).collect();
        seconds.sort_unstable();
        let ask = errors(&seconds);
        let found = backtest(&rule, &ask, &past(5_400));
        let mut told: Vec<(i64, Option<i64>)> =
            found.alerts.iter().map(|alert| (alert.starts_at.0, alert.ends_at.map(|end| end.0))).collect();
        told.sort_unstable();
        assert_eq!(told, turn_by_turn(&rule, &ask, &past(5_400)), "{seconds:?} {rule:?}");
    }
    let ask = Counting(errors(&[100]), AtomicU64::new(0));
    backtest(&rule("query: 'filter @level = \"error\"'"), &ask, &past(6 * 3_600));
    assert!(ask.1.load(Ordering::Relaxed) < 60, "720 turns");
}

#[test]
fn a_past_that_is_too_long_is_judged_less_often_and_says_so() {
    let rule = rule("query: 'filter @level = \"error\"', window: 1h");
    let few = BacktestRange { turns_max: 100, ..past(100_000) };
    let found = backtest(&rule, &errors(&[50_000]), &few);
    assert_eq!(found.step_ns, 34 * 30 * Timestamp::SECOND);
    assert!(found.partial[0].contains("evaluated every 17m instead of every 30s"), "{:?}", found.partial);
    assert_eq!(found.alerts.len(), 1);
    let none = backtest(&rule, &errors(&[50_000]), &BacktestRange { questions_max: 3, ..past(100_000) });
    assert!(none.partial[0].contains("more than 3 questions"), "{:?}", none.partial);
    let late = BacktestRange { deadline: Some(Instant::now()), ..past(100) };
    assert!(backtest(&rule, &errors(&[5]), &late).partial[0].contains("took too long"));
}

#[test]
fn a_rule_on_trial_shows_its_rows_its_sets_and_what_people_would_read() {
    let rule = rule(
        "query: 'filter @level = \"error\" | stats count(*) as n by @log', condition: n > 1, labels: {team: night}, \
         annotations: {summary: '{{ value }} errors in {{ labels[\"@log\"] }}'}",
    );
    let tried = try_rule(&rule, &errors(&[1, 2, 3]), at(10), "http://x/").unwrap();
    assert_eq!(tried.table.columns, ["@log", "n"]);
    assert_eq!(tried.table.rows, [[Some(Value::text("a")), Some(Value::Integer(3))]]);
    assert_eq!((tried.holds, tried.why.as_str()), (vec![true], "1 firing"));
    let set = &tried.sets[0];
    assert_eq!((set.state, set.annotations["summary"].as_str()), ("alarm", "3 errors in a"));
    assert_eq!(set.labels["team"], "night");
    let quiet = try_rule(&rule, &errors(&[1]), at(10), "http://x/").unwrap();
    assert_eq!((quiet.holds, quiet.sets.len()), (vec![false], 0));
}
