//! Turns over events that happened at given times: what comes at once, late, after a while without anyone, and after
//! a rule was changed.

use std::collections::HashSet;
use std::sync::Mutex;

use storage::AcceptedBatch;
use types::{BatchBuilder, GroupName, Level};

use super::*;
use crate::channel::Channel;
use crate::trigger::Triggers;
use crate::{ChannelSettings, Options, Question, RuleSet};

/// Counts the events, each at its time, that lie in the range of a question, and notes what was asked.
#[derive(Default)]
struct Events {
    times: Mutex<Vec<i64>>,
    asked: Mutex<Vec<(i64, i64)>>,
}

impl Ask for Events {
    fn ask(&self, question: &Question<'_>) -> Result<Table, String> {
        let (from, to) = (question.range.from.0, question.range.to.0);
        self.asked.lock().unwrap().push((from, to));
        let n = self.times.lock().unwrap().iter().filter(|time| (from..to).contains(*time)).count();
        let columns = vec!["count".into(), "__fires".into()];
        let row = vec![Some(Value::Integer(n as i64)), Some(Value::Boolean(n > 0))];
        Ok(Table { columns, rows: vec![row], partial: None })
    }
}

struct Bench {
    dir: tempfile::TempDir,
    engine: RuleEngine,
    rule: String,
    events: Events,
    now: Timestamp,
}

const RULE: &str = "name: r, query: 'filter @level = \"error\"', window: 2m, interval: 30s";

fn opened(dir: &std::path::Path, rule: &str) -> RuleEngine {
    RuleEngine::open(None, read(rule), Vec::new(), &Options::new(dir.into()), Timestamp(0)).unwrap()
}

fn read(rule: &str) -> RuleSet {
    let mut rules = RuleSet::default();
    rules.add("r.yaml", &format!("groups: [{{name: g, rules: [{{{rule}}}]}}]")).unwrap();
    let settings = ChannelSettings {
        name: "hook".into(),
        kind: "webhook".into(),
        url: Some("http://127.0.0.1:9/".into()),
        group_wait: Some("0s".into()),
        group_interval: Some("0s".into()),
        ..ChannelSettings::default()
    };
    rules.channels.push(Channel::new(settings).unwrap());
    rules
}

impl Bench {
    fn new(rule: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp::parse_rfc3339("2026-11-20T06:00:00Z").unwrap();
        let mut bench =
            Self { engine: opened(dir.path(), rule), dir, rule: rule.into(), events: Events::default(), now };
        bench.pass(0);
        bench
    }

    /// Lets so many seconds pass and does what is due.
    fn pass(&mut self, seconds: i64) {
        self.now = Timestamp(self.now.0 + seconds * Timestamp::SECOND);
        let now = self.now;
        self.engine.evaluate_due(&self.events, &|| now);
    }

    /// Reports every event that is accepted from now on.
    fn cover(&self) {
        self.engine.schedule.cover(&Triggers::of(&self.engine.active_rules().rules, self.now).timeless());
    }

    /// Accepts an event that happened `age` seconds ago.
    fn accept(&self, age: i64) {
        let happened = Timestamp(self.now.0 - age * Timestamp::SECOND);
        self.events.times.lock().unwrap().push(happened.0);
        let mut builder = BatchBuilder::new();
        builder.set_timestamp(happened);
        builder.set_level(Some(Level::Error));
        builder.commit();
        let mut batch = builder.finish();
        batch.ingestion_times = vec![self.now.0].into();
        let group = GroupName::new("a").unwrap();
        let accepted = Arc::new(AcceptedBatch { group, group_id: 1, batch: Arc::new(batch) });
        let triggers = Triggers::of(&self.engine.active_rules().rules, self.now);
        for touched in triggers.touched(&[accepted], self.now, &HashSet::new()) {
            self.engine.schedule.ask(&touched.rule, &touched.dues, &touched.late);
        }
    }

    fn restart(&mut self) {
        self.engine.save_at_times(self.now);
        self.engine = opened(self.dir.path(), &self.rule);
    }

    /// Returns what the channel is told: status, and when it began, in seconds before now.
    fn told(&self) -> Vec<(String, i64)> {
        let mut told = Vec::new();
        let channel = self.engine.active_rules().channels[0].clone();
        while let Some(notification) = self.engine.due_notification(&channel, self.now) {
            for body in notification.bodies() {
                let starts_at = Timestamp::parse_rfc3339(body["starts_at"].as_str().unwrap()).unwrap();
                let status = body["status"].as_str().unwrap().to_string();
                told.push((status, (self.now.0 - starts_at.0) / Timestamp::SECOND));
            }
            self.engine.settle("hook", &notification.id, &Ok(()), self.now);
        }
        told
    }

    fn n_asked(&self) -> usize {
        std::mem::take(&mut *self.events.asked.lock().unwrap()).len()
    }
}

fn firing(age: i64) -> (String, i64) {
    ("firing".into(), age)
}

fn resolved(age: i64) -> (String, i64) {
    ("resolved".into(), age)
}

#[test]
fn an_event_that_matches_is_told_of_at_once_not_at_the_next_turn() {
    let mut bench = Bench::new("name: r, query: 'filter @level = \"error\"', window: 5m, interval: 1h");
    bench.pass(2);
    bench.accept(0);
    bench.pass(0);
    assert_eq!(bench.told(), [firing(0)]);
    bench.n_asked();
    bench.accept(0);
    bench.pass(0);
    assert_eq!(bench.n_asked(), 0, "not twice within a second");
    bench.pass(1);
    assert_eq!((bench.n_asked(), bench.told().len()), (1, 0), "it still fires, which is no news");
}

#[test]
fn late_events_let_the_window_that_ends_with_them_be_judged_once() {
    let mut bench = Bench::new(RULE);
    bench.pass(30);
    bench.accept(121);
    bench.pass(1);
    assert_eq!(bench.told(), [firing(122), resolved(122)], "it began when it happened and is over by now");
    bench.n_asked();
    bench.pass(2);
    assert_eq!(bench.n_asked(), 0, "once");
    bench.accept(420);
    bench.pass(1);
    assert_eq!(bench.told().len(), 2, "as late as it may be");
}

#[test]
fn late_events_end_nothing_and_need_no_second_telling() {
    let mut bench = Bench::new(RULE);
    bench.pass(30);
    bench.accept(0);
    bench.pass(1);
    assert_eq!(bench.told(), [firing(0)]);
    bench.accept(200);
    bench.pass(2);
    assert_eq!(bench.told(), [], "what fires goes on firing");
    let mut lasting = Bench::new("name: r, query: 'filter @level = \"error\"', window: 2m, interval: 30s, for: 1m");
    lasting.pass(30);
    lasting.accept(200);
    lasting.pass(2);
    assert_eq!(lasting.told(), [], "one evaluation of the past does not say that it lasted");
}

#[test]
fn back_filled_events_never_page_anybody() {
    let mut bench = Bench::new(RULE);
    bench.pass(30);
    for age in [421, 3_600, 86_400] {
        bench.accept(age);
    }
    for _ in 0..20 {
        bench.pass(10);
    }
    assert_eq!(bench.told(), []);
}

#[test]
fn turns_that_were_missed_are_caught_up_in_order_and_once() {
    let mut bench = Bench::new(RULE);
    bench.pass(30);
    // Accepted just before the end, so that no turn saw it.
    bench.events.times.lock().unwrap().push(bench.now.0 + Timestamp::SECOND);
    bench.restart();
    bench.pass(600);
    let told = bench.told();
    assert_eq!(told.iter().map(|(status, _)| status.as_str()).collect::<Vec<_>>(), ["firing", "resolved"]);
    assert!((569..600).contains(&told[0].1), "at the first turn that would have seen it: {told:?}");
    assert!(bench.n_asked() > 15);
    bench.pass(30);
    assert_eq!((bench.n_asked(), bench.told().len()), (1, 0));
}

#[test]
fn nothing_is_asked_turn_by_turn_where_nothing_happened() {
    let mut bench = Bench::new(RULE);
    bench.pass(30);
    bench.n_asked();
    bench.pass(7_200);
    assert_eq!(bench.n_asked(), 2, "the whole time at once, and now");
}

#[test]
fn an_hour_is_caught_up_at_most_and_with_bounded_work() {
    let mut bench = Bench::new("name: r, query: 'filter @level = \"error\"', window: 10s, interval: 1s");
    bench.pass(30);
    for ago in [2 * 3_600, 1_800] {
        bench.events.times.lock().unwrap().push(bench.now.0 + (4 * 3_600 - ago) * Timestamp::SECOND);
    }
    bench.n_asked();
    bench.pass(4 * 3_600);
    assert!(bench.n_asked() <= CATCH_UPS_MAX as usize + 10);
    assert!(bench.told().iter().all(|(_, age)| *age <= 3_600));
}

#[test]
fn what_is_missing_proves_nothing_right_after_a_start_and_something_later() {
    let rule = "name: r, query: 'filter @level = \"error\" | stats count(*) as n by x', missing: alarm, window: 2m, interval: 30s";
    /// Never has a row.
    struct Silent;
    impl Ask for Silent {
        fn ask(&self, _: &Question<'_>) -> Result<Table, String> {
            Ok(Table { columns: vec!["x".into(), "n".into(), "__fires".into()], ..Table::default() })
        }
    }
    let mut bench = Bench::new(rule);
    let pass = |bench: &mut Bench, seconds: i64| {
        bench.now = Timestamp(bench.now.0 + seconds * Timestamp::SECOND);
        let now = bench.now;
        bench.engine.evaluate_due(&Silent, &|| now);
        bench.told().len()
    };
    assert_eq!((0..3).map(|_| pass(&mut bench, 30)).sum::<usize>(), 0, "within the first window");
    assert_eq!((0..3).map(|_| pass(&mut bench, 30)).sum::<usize>(), 1, "after it");
    let mut bench = Bench::new(rule);
    assert_eq!((0..3).map(|_| pass(&mut bench, 30)).sum::<usize>(), 0);
    bench.restart();
    assert_eq!(pass(&mut bench, 600), 0, "nobody could have sent anything");
    assert_eq!((0..6).map(|_| pass(&mut bench, 30)).sum::<usize>(), 1);
}

#[test]
fn sources_do_not_seem_silent_because_the_server_was() {
    let mut bench = Bench::new(
        "name: r, kind: absence, query: 'filter a = 1', expect: [{host: a}], by: [host], window: 2m, interval: 30s",
    );
    for _ in 0..3 {
        bench.pass(30);
    }
    let view = bench.engine.rule_views().remove(0);
    assert_eq!(view.why, "waiting after a start until senders are back");
    bench.n_asked();
    bench.pass(60);
    assert!(bench.n_asked() > 0, "it is asked once the first window is whole");
}

#[test]
fn a_clock_that_jumps_keeps_what_fires_and_tells_it_once() {
    let mut bench = Bench::new(RULE);
    bench.pass(30);
    bench.accept(0);
    bench.pass(1);
    assert_eq!(bench.told(), [firing(0)]);
    bench.pass(-3_600);
    bench.pass(30);
    assert_eq!(bench.told().iter().filter(|(status, _)| status == "firing").count(), 0);
    bench.pass(7_200);
    let told = bench.told();
    assert!(told.iter().filter(|(status, _)| status == "firing").count() <= 1, "{told:?}");
    let state = bench.engine.rule_views().remove(0).state;
    assert_eq!(state, "ok");
}

#[test]
fn a_changed_question_ends_what_the_old_one_found_and_other_changes_keep_it() {
    let mut bench = Bench::new(RULE);
    bench.accept(0);
    bench.pass(2);
    assert_eq!(bench.told(), [firing(0)]);
    let patient = format!("{RULE}, for: 10m, annotations: {{summary: x}}");
    bench.engine.replace(read(&patient), bench.now).unwrap();
    bench.pass(2);
    assert_eq!(bench.told(), [], "it fires as before");
    let other = RULE.replace("error", "fatal");
    bench.engine.replace(read(&other), bench.now).unwrap();
    bench.events.times.lock().unwrap().clear();
    bench.pass(2);
    assert_eq!(bench.told(), [resolved(4)]);
    assert_eq!(bench.engine.alert_views(bench.now).len(), 0);
}

#[test]
fn a_question_that_was_changed_while_nobody_ran_ends_what_the_old_one_found() {
    let mut bench = Bench::new(RULE);
    bench.accept(0);
    bench.pass(2);
    assert_eq!(bench.told(), [firing(0)]);
    bench.rule = RULE.replace("error", "fatal");
    bench.restart();
    bench.pass(2);
    let told = bench.told();
    assert_eq!(told, [resolved(2), firing(0)], "the new one holds too, which is another alert");
}

#[test]
fn a_rule_that_nothing_concerned_is_not_asked_and_comes_to_the_same() {
    let mut seed = 7u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let options = ["", ", keep_firing_for: 1m", ", datapoints: {to_alarm: 2, of: 3}", ", for: 1m", ", missing: alarm"];
    let (mut n_asked, mut n_asked_covered) = (0, 0);
    for round in 0..15 {
        let rule = format!("{RULE}{}", options[round % options.len()]);
        let (mut plain, mut covered) = (Bench::new(&rule), Bench::new(&rule));
        covered.cover();
        for _ in 0..60 {
            if random(8) == 0 {
                let age = [0, 30, 119, 200, 500, -20][random(6) as usize];
                plain.accept(age);
                covered.accept(age);
            }
            if random(20) == 0 {
                covered.cover();
            }
            let seconds = 1 + random(40) as i64;
            plain.pass(seconds);
            covered.pass(seconds);
            assert_eq!(plain.told(), covered.told(), "{rule}");
            assert_eq!(plain.engine.rule_views()[0].state, covered.engine.rule_views()[0].state, "{rule}");
        }
        n_asked += plain.n_asked();
        n_asked_covered += covered.n_asked();
    }
    assert!(n_asked_covered * 4 < n_asked * 3, "{n_asked_covered} of {n_asked}");
}

#[test]
fn a_rule_that_nothing_concerned_is_asked_again_after_a_while_and_when_nobody_looks() {
    let mut bench = Bench::new(RULE);
    bench.cover();
    bench.pass(60);
    bench.n_asked();
    (0..9).for_each(|_| bench.pass(60));
    assert_eq!(bench.n_asked(), 0, "not before ten minutes are over");
    bench.pass(60);
    assert_eq!(bench.n_asked(), 1);
    bench.engine.schedule.cover(&HashSet::new());
    (0..3).for_each(|_| bench.pass(60));
    assert_eq!(bench.n_asked(), 3, "each turn");
    let dated = "name: r, query: 'filter @timestamp > now() - 1000', window: 2m, interval: 30s";
    assert!(Triggers::of(&opened(bench.dir.path(), dated).active_rules().rules, bench.now).timeless().is_empty());
}
