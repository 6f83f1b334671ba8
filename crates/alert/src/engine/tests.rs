//! State that survives restarts, and notifications that keep their ids.

mod alarms;
mod announcements;
mod notifications;

use std::sync::Mutex;

use types::Value;

use super::*;
use crate::engine::evidence::EVENTS_SHOWN;
use crate::evaluate::Transition;
use crate::notify::{Notification, Subject, body, notification};
use crate::schedule::{Next, TaskFilter};
use crate::{Ask, ChannelSettings, Question, Table};

/// Answers rules with the rows at hand, and questions for events with one event.
struct Listed(Mutex<Result<Vec<(&'static str, i64)>, String>>);

impl Ask for Listed {
    fn ask(&self, question: &Question<'_>) -> Result<Table, String> {
        let rows = self.0.lock().unwrap().clone()?;
        if question.n_rows_max == EVENTS_SHOWN {
            let columns = vec!["@timestamp".into(), "@message".into()];
            let event = vec![Some(Value::Timestamp(question.now)), Some(Value::text("disk on fire"))];
            return Ok(Table { columns, rows: vec![event], partial: None });
        }
        let row = |(log, n): &(&str, i64)| {
            vec![Some(Value::text(*log)), Some(Value::Integer(*n)), Some(Value::Boolean(*n > 0))]
        };
        let columns = vec!["@log".into(), "count".into(), "__fires".into()];
        Ok(Table { columns, rows: rows.iter().map(row).collect(), partial: None })
    }
}

struct Bench {
    dir: tempfile::TempDir,
    engine: RuleEngine,
    ask: Listed,
    now: Timestamp,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp::parse_rfc3339("2026-11-20T06:00:00Z").unwrap();
        let engine = open(dir.path()).unwrap();
        Self { dir, engine, ask: Listed(Mutex::new(Ok(Vec::new()))), now }
    }

    fn restart(&mut self) {
        self.engine = open(self.dir.path()).unwrap();
    }

    fn answer(&self, rows: Result<Vec<(&'static str, i64)>, String>) {
        *self.ask.0.lock().unwrap() = rows;
    }

    /// Lets an interval pass and evaluates.
    fn step(&mut self, rows: &[(&'static str, i64)]) {
        self.answer(Ok(rows.to_vec()));
        self.tick();
    }

    fn tick(&mut self) {
        self.now = Timestamp(self.now.0 + 120 * Timestamp::SECOND);
        let now = self.now;
        self.engine.evaluate_due(&self.ask, &|| now);
    }

    fn waiting(&self) -> Option<Notification> {
        let channel = self.engine.active_rules().channel("hook").cloned()?;
        self.engine.due_notification(&channel, self.now)
    }

    fn deliver(&self) -> Json {
        let notification = self.waiting().expect("a notification waits");
        self.engine.settle("hook", &notification.id, &Ok(()), self.now);
        notification.message()
    }
}

fn open(dir: &std::path::Path) -> Result<RuleEngine, StateError> {
    let now = Timestamp::parse_rfc3339("2026-11-20T06:00:00Z").unwrap();
    RuleEngine::open(None, rules(crate::THRESHOLD_RULES), Vec::new(), &Options::new(dir.into()), now)
}

/// Rules, and a channel `hook` that takes everything.
fn rules(text: &str) -> RuleSet {
    let mut rules = RuleSet::default();
    rules.add("errors.yaml", text).unwrap();
    let settings = ChannelSettings {
        name: "hook".into(),
        kind: "webhook".into(),
        url: Some("http://127.0.0.1:9/".into()),
        ..ChannelSettings::default()
    };
    rules.channels.push(Channel::new(settings).unwrap());
    rules
}

#[test]
fn an_alert_is_told_when_it_fires_and_when_it_ends_with_its_events() {
    let mut bench = Bench::new();
    bench.step(&[("nginx/error.log", 3)]);
    let body = bench.deliver();
    assert_eq!(body["status"], "firing");
    assert_eq!(body["rule"], "errors");
    assert_eq!(body["value"], 3);
    assert_eq!(body["labels"], json!({"@log": "nginx/error.log", "alertname": "errors", "severity": "error"}));
    assert_eq!(body["annotations"]["summary"], "3 errors in nginx/error.log within 5 minutes");
    assert_eq!(body["events"][0]["@message"], "disk on fire");
    assert_eq!(body["starts_at"], "2026-11-20T06:02:00Z");
    assert_eq!(body["ends_at"], Json::Null);
    let url = body["url"].as_str().unwrap();
    assert!(url.starts_with("http://127.0.0.1:22828/?q=filter+%40level"), "{url}");
    assert_eq!(bench.engine.n_waiting(), 0);
    bench.step(&[]);
    assert_eq!(bench.engine.n_waiting(), 0, "kept on for a minute");
    bench.step(&[]);
    let resolved = bench.deliver();
    assert_eq!(
        (resolved["status"].as_str(), resolved["starts_at"].as_str()),
        (Some("resolved"), body["starts_at"].as_str())
    );
    assert_eq!(resolved["ends_at"], "2026-11-20T06:06:00Z");
    assert_ne!(resolved["id"], body["id"]);
}

#[test]
fn what_fires_is_on_disk_before_anybody_hears_of_it_and_keeps_its_id() {
    let mut bench = Bench::new();
    bench.step(&[("a", 1)]);
    let before = bench.waiting().unwrap();
    bench.restart();
    assert_eq!(bench.waiting().unwrap(), before);
    bench.step(&[("a", 1)]);
    assert_eq!(bench.engine.n_waiting(), 1, "it still fires, which is no news");
    bench.deliver();
    bench.restart();
    assert_eq!(bench.engine.n_waiting(), 0);
    assert_eq!(bench.engine.alert_views(bench.now).len(), 1);
    bench.step(&[("a", 1)]);
    assert_eq!(bench.engine.n_waiting(), 0);
}

#[test]
fn what_cannot_be_saved_is_not_announced_and_found_again() {
    let mut bench = Bench::new();
    let blocker = bench.dir.path().join("alerts.tmp");
    std::fs::create_dir(&blocker).unwrap();
    bench.step(&[("a", 1)]);
    assert_eq!(bench.engine.n_waiting(), 0);
    assert!(bench.engine.save_error().is_some());
    std::fs::remove_dir(&blocker).unwrap();
    bench.step(&[("a", 1)]);
    assert_eq!(bench.deliver()["status"], "firing");
    assert_eq!(bench.engine.save_error(), None);
}

#[test]
fn a_question_without_answer_changes_no_state_and_is_shown() {
    let mut bench = Bench::new();
    bench.step(&[("a", 1)]);
    bench.answer(Err("query took too long".into()));
    bench.tick();
    let rule = &bench.engine.rule_views()[0];
    assert_eq!((rule.state, rule.last_error.as_deref()), ("alarm", Some("query took too long")));
    assert_eq!(bench.engine.n_waiting(), 1);
}

#[test]
fn rules_are_evaluated_as_often_as_they_say() {
    let mut bench = Bench::new();
    bench.step(&[]);
    let now = bench.now;
    let next = bench.engine.evaluate_due(&bench.ask, &|| now);
    assert!((1..=30 * Timestamp::SECOND).contains(&(next.0 - now.0)), "turns of rules are shifted against each other");
    bench.answer(Ok(vec![("a", 1)]));
    bench.engine.evaluate_due(&bench.ask, &|| Timestamp(next.0 - 1));
    assert_eq!(bench.engine.n_waiting(), 0);
    let after = bench.engine.evaluate_due(&bench.ask, &|| next);
    assert_eq!((bench.engine.n_waiting(), after.0 - next.0), (1, 30 * Timestamp::SECOND));
}

#[test]
fn lists_show_state_value_and_since_when() {
    let mut bench = Bench::new();
    assert_eq!(bench.engine.rule_views()[0].state, "insufficient_data");
    bench.step(&[("a", 2), ("b", 0)]);
    let rule = serde_json::to_value(bench.engine.rule_views().remove(0)).unwrap();
    assert_eq!((rule["state"].as_str(), rule["why"].as_str()), (Some("alarm"), Some("1 firing")));
    assert_eq!((rule["window"].as_str(), rule["for"].as_str()), (Some("5m"), Some("0s")));
    assert_eq!(rule["last_evaluation"], "2026-11-20T06:02:00Z");
    let alerts = bench.engine.alert_views(bench.now);
    assert_eq!(alerts.len(), 1);
    assert_eq!((alerts[0].state, alerts[0].labels["@log"].as_str()), ("alarm", "a"));
    assert_eq!((alerts[0].value.clone(), alerts[0].since.as_str()), (Some(json!(2)), "2026-11-20T06:02:00Z"));
    let line = |event: &Option<Json>| event.as_ref().map(|event| event["@message"].clone());
    let on_fire = Some(json!("disk on fire"));
    assert_eq!((line(&alerts[0].first), line(&alerts[0].last)), (on_fire.clone(), on_fire), "with the lines behind it");
}

#[test]
fn bodies_are_bounded_whatever_the_events_hold() {
    let mut bench = Bench::new();
    bench.step(&[("a", 1)]);
    let events: Vec<Json> = (0..10).map(|_| json!({"@message": "é\u{1}".repeat(100_000)})).collect();
    let rule = &bench.engine.active_rules().rules[0];
    let set = bench.engine.locked().kept.rules["errors"].sets.values().next().unwrap().clone();
    let change = Transition { set, fires: true, starts_at: 0, row: None };
    let (annotations, evidence) = (BTreeMap::new(), Json::Null);
    let subject = Subject { rule, change: &change, annotations, events, evidence, url: String::new() };
    let made = notification(&body(&subject), "hook", None, 0, bench.now);
    for made in [made.body.clone(), made.message()] {
        assert!(made.to_string().len() <= 66_000);
        assert!(!made["events"].as_array().unwrap().is_empty());
    }
}

#[test]
fn durations_are_shown_as_they_are_written() {
    for text in ["0s", "5m", "1h30m", "15d", "500ms"] {
        assert_eq!(types::format_duration_ns(types::parse_duration_ns(text).unwrap()), text);
    }
}

#[test]
fn a_defect_that_a_rule_meets_is_told_of_that_rule_and_ends_nothing() {
    /// Panics where it is asked for more rows than those of one event, as long as it is told to.
    struct Defective(std::sync::atomic::AtomicBool, Listed);
    impl Ask for Defective {
        fn ask(&self, question: &Question<'_>) -> Result<Table, String> {
            assert!(!self.0.load(std::sync::atomic::Ordering::Relaxed), "on purpose");
            self.1.ask(question)
        }
    }
    let bench = Bench::new();
    let rows = Listed(Mutex::new(Ok(vec![("nginx/error.log", 3)])));
    let ask = Defective(std::sync::atomic::AtomicBool::new(true), rows);
    let at = |seconds: i64| Timestamp(bench.now.0 + seconds * Timestamp::SECOND);
    let due = bench.engine.evaluate_due(&ask, &|| at(120));
    assert!(due > at(120), "it is asked again, later");
    let view = bench.engine.rule_views().remove(0);
    assert!(view.last_error.is_some_and(|error| error.contains("defect")));
    assert_eq!(bench.engine.n_waiting(), 0);
    ask.0.store(false, std::sync::atomic::Ordering::Relaxed);
    bench.engine.evaluate_due(&ask, &|| at(240));
    assert_eq!(bench.engine.n_waiting(), 1);
    assert!(bench.engine.rule_views().remove(0).last_error.is_none());
}

#[test]
fn what_a_rule_came_to_stays_while_its_name_does_and_its_end_is_told_with_it() {
    let mut bench = Bench::new();
    bench.step(&[("a", 1)]);
    assert_eq!(bench.deliver()["status"], "firing");
    let reworded = crate::THRESHOLD_RULES.replace("severity: error", "severity: page");
    assert_ne!(reworded, crate::THRESHOLD_RULES);
    bench.engine.replace(rules(&reworded), bench.now).unwrap();
    assert_eq!(bench.engine.alert_views(bench.now).len(), 1, "edited while it fires");
    assert_eq!(bench.engine.n_waiting(), 0);
    bench.now.0 += Timestamp::MINUTE;
    bench.engine.replace(rules(""), bench.now).unwrap();
    let resolved = bench.deliver();
    assert_eq!((resolved["status"].as_str(), resolved["rule"].as_str()), (Some("resolved"), Some("errors")));
    assert!(bench.engine.alert_views(bench.now).is_empty() && bench.engine.rule_views().is_empty());
    bench.engine.replace(rules(crate::THRESHOLD_RULES), bench.now).unwrap();
    let now = bench.now;
    bench.engine.evaluate_due(&bench.ask, &|| now);
    assert_eq!(bench.deliver()["status"], "firing", "a rule that is put back is evaluated at once");
}

#[test]
fn rules_are_not_replaced_where_what_that_means_cannot_be_saved() {
    let bench = Bench::new();
    std::fs::create_dir(bench.dir.path().join("alerts.tmp")).unwrap();
    assert!(bench.engine.replace(rules(""), bench.now).is_err());
    assert_eq!(bench.engine.rule_views().len(), 1);
}

#[test]
fn a_channel_is_served_from_when_it_is_there_until_it_is_no_more() {
    let bench = Bench::new();
    assert_eq!(bench.engine.take_unserved(), ["hook"]);
    assert!(bench.engine.take_unserved().is_empty());
    let mut without = rules(crate::THRESHOLD_RULES);
    without.channels.clear();
    bench.engine.replace(without, bench.now).unwrap();
    assert!(bench.engine.served_channel("hook").is_none());
    bench.engine.replace(rules(crate::THRESHOLD_RULES), bench.now).unwrap();
    assert_eq!(bench.engine.take_unserved(), ["hook"]);
    assert!(bench.engine.served_channel("hook").is_some());
}

#[test]
fn a_rule_that_notifies_nobody_fires_and_waits_for_no_channel() {
    let dir = tempfile::tempdir().unwrap();
    let now = Timestamp::parse_rfc3339("2026-11-20T06:00:00Z").unwrap();
    let text = "groups: [{name: g, rules: [{name: r, query: 'stats count(*) as count by @log', notify: false}]}]";
    let engine = RuleEngine::open(None, rules(text), Vec::new(), &Options::new(dir.path().into()), now).unwrap();
    let later = Timestamp(now.0 + Timestamp::MINUTE);
    engine.evaluate_due(&Listed(Mutex::new(Ok(vec![("app", 3)]))), &|| later);
    assert_eq!(engine.alert_views(later).len(), 1);
    assert_eq!(engine.n_waiting(), 0);
    engine.evaluate_due(&Listed(Mutex::new(Ok(vec![]))), &|| Timestamp(later.0 + Timestamp::HOUR));
    assert_eq!(engine.n_waiting(), 0);
}

#[test]
fn a_rule_over_rules_does_not_see_those_beyond_its_makers_groups() {
    let firing_of = |groups: &str, is_scoped: bool| {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp::parse_rfc3339("2026-11-20T06:00:00Z").unwrap();
        let query = "stats count(*) as count by @log";
        let rule = format!("{{name: r, query: '{query}', groups: [\"{groups}\"]}}");
        let over = "{name: over, kind: composite, when: r, groups: [\"a/*\"]}";
        let mut engine = rules(&format!("groups: [{{name: g, rules: [{rule}, {over}]}}]"));
        if is_scoped {
            engine.rules[1].scope = types::GroupScope::Matching(vec![types::GroupPattern::new("a/*")]);
        }
        let engine = RuleEngine::open(None, engine, Vec::new(), &Options::new(dir.path().into()), now).unwrap();
        let ask = Listed(Mutex::new(Ok(vec![("app", 3)])));
        for minutes in 1..4 {
            engine.evaluate_due(&ask, &|| Timestamp(now.0 + minutes * Timestamp::MINUTE));
        }
        engine.alert_views(now).iter().filter(|alert| alert.rule == "over").count()
    };
    assert_eq!(firing_of("b/1", false), 1);
    assert_eq!(firing_of("b/1", true), 0);
    assert_eq!(firing_of("a/1", true), 1);
}

impl RuleEngine {
    /// Runs all scheduled tasks. Returns when the next one is scheduled.
    pub(crate) fn evaluate_due(&self, ask: &dyn Ask, clock: &dyn Fn() -> Timestamp) -> Timestamp {
        for _ in 0..=self.active_rules().rules.len() {
            match self.schedule.take(clock(), TaskFilter::All) {
                Next::Task(task) => self.evaluate(&task, ask, clock),
                Next::Nothing(due) => {
                    self.save_changes();
                    return due;
                }
                Next::Stop => break,
            }
        }
        self.save_changes();
        clock()
    }

    /// Saves what changed and is not saved yet.
    fn save_changes(&self) {
        let mut inner = self.locked();
        if inner.is_dirty {
            let kept = inner.kept.clone();
            self.commit(&mut inner, kept);
        }
    }
}
