//! Rules of every kind over a real store: events in, alerts at instants out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::{Value as Json, json};
use storage::{Clock, Delivery, Part, Store};
use types::{BatchBuilder, GroupName, Level, Timestamp, Value};

use super::*;
use crate::ask::{Ask, Question, StoreAsk};
use crate::calls::CallCounter;
use crate::evaluate::{Sets, State, evaluate};
use crate::{RuleError, RuleSet};

/// An event: minutes since the beginning, group, level, text, fields.
pub(crate) type Told<'e> = (f64, &'e str, &'e str, &'e str, &'e [(&'e str, Value)]);

/// A line: minutes since the beginning, group, text.
pub(crate) type Line = (f64, String, String);

/// The instant that minutes are counted from.
pub(crate) const BEGINNING: &str = "2026-11-20T00:00:00Z";

/// A rule over a store, and what became of it so far.
pub(crate) struct World {
    _dir: tempfile::TempDir,
    pub(crate) ask: StoreAsk,
    pub(crate) rule: Rule,
    memory: HistoryCache,
    sets: Sets,
    /// Rows of the last answer, with the pattern of each.
    pub(crate) patterns: Vec<Json>,
    pub(crate) why: String,
}

fn beginning() -> i64 {
    Timestamp::parse_rfc3339(BEGINNING).unwrap().0
}

pub(crate) fn instant(minutes: f64) -> Timestamp {
    Timestamp(beginning() + (minutes * Timestamp::MINUTE as f64) as i64)
}

fn empty_store(dir: &std::path::Path) -> Arc<Store> {
    let mut options = storage::Options::new(dir.join("data"));
    let now = Timestamp(beginning() + 30 * Timestamp::DAY);
    options.clock = Clock::new(move || now);
    Store::open(options).unwrap().0
}

fn append(store: &Store, group: &str, builder: BatchBuilder) {
    let part = Part { group: GroupName::new(group).unwrap(), batch: builder.finish() };
    store.append(Delivery { key: None, position: None, raw_bytes: 1, parts: vec![part] }).unwrap();
}

fn store_of(dir: &std::path::Path, events: &[Told<'_>]) -> Arc<Store> {
    let store = empty_store(dir);
    let mut groups: BTreeMap<&str, Vec<&Told<'_>>> = BTreeMap::new();
    events.iter().for_each(|event| groups.entry(event.1).or_default().push(event));
    for (group, events) in groups {
        let mut builder = BatchBuilder::new();
        for (minutes, _, level, text, fields) in events {
            builder.set_timestamp(instant(*minutes));
            builder.set_message(text);
            builder.set_level(Level::parse(level));
            fields.iter().for_each(|(name, value)| builder.field_value(name, value.clone()));
            builder.commit();
        }
        append(&store, group, builder);
    }
    store
}

/// Returns a store with the same events as lines of programs, recognised like every received line.
fn store_of_lines(dir: &std::path::Path, lines: &[Line]) -> Arc<Store> {
    let store = empty_store(dir);
    let limits = types::Limits::default();
    let groups: std::collections::BTreeSet<&str> = lines.iter().map(|(_, group, _)| group.as_str()).collect();
    for group in groups {
        let received = parse::ArrivalContext {
            at: instant(43_000.0),
            modified: None,
            previous: None,
            zone: parse::Zone::UTC,
            limits: &limits,
        };
        let mut parser = parse::EventParser::new(received);
        let mut builder = BatchBuilder::new();
        for (minutes, _, text) in lines.iter().filter(|line| line.1 == group) {
            let extras = parse::Extras { time: Some(instant(*minutes)), ..parse::Extras::default() };
            parser.text(text.as_bytes(), &extras, &mut builder);
        }
        append(&store, group, builder);
    }
    store
}

/// Reads one rule.
pub(crate) fn rule(text: &str) -> Rule {
    let mut set = RuleSet::default();
    set.add("r.yaml", &format!("groups: [{{name: g, rules: [{text}]}}]")).unwrap();
    set.rules.remove(0)
}

impl World {
    pub(crate) fn new(rule: Rule, events: &[Told<'_>]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = store_of(dir.path(), events);
        Self::over(rule, dir, store)
    }

    pub(crate) fn of_lines(rule: Rule, lines: &[Line]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = store_of_lines(dir.path(), lines);
        Self::over(rule, dir, store)
    }

    fn over(rule: Rule, dir: tempfile::TempDir, store: Arc<Store>) -> Self {
        let cache = Some(Arc::new(execute::PartialCache::new(8 << 20)));
        let ask = StoreAsk {
            clock_offsets: None,
            calls: CallCounter::default(),
            store,
            cache,
            is_stopping: Arc::new(AtomicBool::new(false)),
        };
        let (memory, sets, why) = (HistoryCache::default(), Sets::new(), String::new());
        Self { _dir: dir, ask, rule, memory, sets, patterns: Vec::new(), why }
    }

    /// Evaluates after so many minutes; shows what fires as `label/label=value`, `?` for want of data.
    pub(crate) fn at(&mut self, minutes: f64) -> String {
        let now = Timestamp(beginning() + (minutes * Timestamp::MINUTE as f64) as i64);
        let asking = DetectorInput {
            ask: &self.ask,
            now,
            n_rows_max: 10_000,
            memory: &self.memory,
            fires: &|name| name == "on",
            base_url: "",
        };
        let (compiled, table) = answer(&self.rule, &asking).unwrap();
        assert_eq!(table.partial, None);
        let done = evaluate(&self.rule, &compiled, &table, &self.sets, now);
        self.patterns = table.rows.iter().filter_map(|row| compiled.pattern_of(&self.rule, row)).collect();
        for change in &done.changes {
            // Events behind an alert can be asked for, and are some of those that were counted.
            let Some(row) = change.row.and_then(|at| table.rows.get(at)) else { continue };
            let plan = compiled.events_plan(row);
            let range = window_of(&self.rule, now);
            let (groups, scope) = (&self.rule.groups[..], &self.rule.scope);
            let question =
                Question { plan: &plan, groups, scope, range, now, n_rows_max: 10, time: crate::EventTime::Own };
            self.ask.ask(&question).unwrap();
        }
        (self.sets, self.why) = (done.sets, done.why);
        let mut shown = Vec::new();
        for set in self.sets.values() {
            let labels = set.labels.iter().filter(|(name, _)| *name != "alertname" && *name != "severity");
            let labels: Vec<&str> = labels.map(|(_, value)| value.as_str()).collect();
            let value = set.value.as_ref().map(|value| format!("={value}")).unwrap_or_default();
            match set.state {
                State::Alarm => shown.push(format!("{}{value}", labels.join("/"))),
                State::InsufficientData => shown.push(format!("{}?", labels.join("/"))),
                State::Ok | State::Pending => {}
            }
        }
        shown.join(", ")
    }

    /// Messages of the events behind the alert whose row is the `at`-th.
    pub(crate) fn messages(&self, minutes: f64, at: usize) -> Vec<String> {
        let now = Timestamp(beginning() + (minutes * Timestamp::MINUTE as f64) as i64);
        let asking = DetectorInput {
            ask: &self.ask,
            now,
            n_rows_max: 100,
            memory: &self.memory,
            fires: &|_| false,
            base_url: "",
        };
        let (compiled, table) = answer(&self.rule, &asking).unwrap();
        let plan = compiled.events_plan(&table.rows[at]);
        let range = window_of(&self.rule, now);
        let (groups, scope) = (&self.rule.groups[..], &self.rule.scope);
        let question = Question { plan: &plan, groups, scope, range, now, n_rows_max: 10, time: crate::EventTime::Own };
        let table = self.ask.ask(&question).unwrap();
        let message = table.columns.iter().position(|name| name == "@message").unwrap();
        table.rows.iter().map(|row| row[message].as_ref().unwrap().to_string()).collect()
    }
}

fn text(value: &str) -> Value {
    Value::text(value)
}

#[test]
fn a_query_of_any_language_is_judged_over_the_store() {
    let refused = |minute: f64, host: &'static str| -> (f64, String) { (minute, host.to_owned()) };
    let hosts: Vec<(f64, String)> = vec![refused(1.0, "a"), refused(2.0, "a"), refused(2.0, "b")];
    let fields: Vec<[(&str, Value); 2]> =
        hosts.iter().map(|(_, host)| [("host", text(host)), ("status", Value::Integer(503))]).collect();
    let events: Vec<Told<'_>> = hosts
        .iter()
        .zip(&fields)
        .map(|((minute, _), fields)| (*minute, "app", "error", "connection refused", &fields[..]))
        .collect();
    let check = |rule_text: &str, expected: &str| {
        let mut world = World::new(rule(rule_text), &events);
        assert_eq!(world.at(3.0), expected, "{rule_text}");
        assert!(world.at(20.0).is_empty(), "{rule_text}");
    };
    check("{name: r, query: 'filter status >= 500 | stats count(*) as n by host', condition: n > 1}", "a=2");
    check(
        r#"{name: r, language: logql, query: 'sum by (host) (count_over_time({group="app"} |= "refused" [5m]))', condition: value > 1}"#,
        "a=2",
    );
    check(r#"{name: r, language: logql, query: '{group="app"} |= "refused"', condition: count > 2}"#, "=3");
    check("{name: r, language: lucene, query: 'status:503 AND host:a', condition: count > 1}", "=2");
    check("{name: r, language: kql, query: 'status >= 500 and host: b'}", "=1");
    check("{name: r, language: filter-pattern, query: 'refused', condition: count >= 3}", "=3");
    let logql =
        r#"{name: r, language: logql, query: 'sum by (host) (count_over_time({group="app"} |= "refused" [5m])) > 1'}"#;
    let world = World::new(rule(logql), &events);
    assert_eq!(world.messages(3.0, 0), ["connection refused"; 2], "those of the series");
}

#[test]
fn a_source_that_fell_silent_fires_and_one_that_comes_back_ends_it() {
    let [a, b] = ["a", "b"].map(|host| [("host", text(host))]);
    let mut events: Vec<Told<'_>> = (0..60).map(|minute| (f64::from(minute), "app", "info", "beat", &a[..])).collect();
    events
        .extend((0..20).chain(40..60).map(|minute| -> Told<'_> { (f64::from(minute), "app", "info", "beat", &b[..]) }));
    let mut world =
        World::new(rule("{name: r, kind: absence, query: 'filter @message = \"beat\"', by: [host]}"), &events);
    assert_eq!(world.at(15.5), "");
    assert_eq!(world.why, "all of 2 sent events");
    assert_eq!(world.at(22.0), "");
    assert_eq!(world.at(25.0), "b=360");
    assert_eq!(world.why, "1 firing, 1 of 2 silent");
    assert_eq!(world.at(39.5), "b=1230");
    assert_eq!(world.at(40.5), "");
    assert_eq!(world.at(70.0), "a=660, b=660");
    let mut expecting = World::new(
        rule(
            "{name: r, kind: absence, query: 'filter @message = \"beat\"', by: [host], expect: [{host: a}, {host: z}]}",
        ),
        &events,
    );
    assert_eq!(expecting.at(10.0), "z");
    assert_eq!(expecting.at(3000.0), "a, z", "nothing at all comes, and b is forgotten");
}

#[test]
fn a_ratio_is_judged_where_there_are_enough_events() {
    let request = |status: i64, path: &str| [("status", Value::Integer(status)), ("path", text(path))];
    let (good, bad, rare) = (request(200, "/a"), request(503, "/a"), request(500, "/rare"));
    let mut events: Vec<Told<'_>> = vec![(1.0, "web", "info", "r", &good[..]); 17];
    events.extend([(1.5, "web", "error", "r", &bad[..]); 3]);
    events.push((1.5, "web", "error", "r", &rare[..]));
    let ratio = |more: &str| {
        rule(&format!(
            "{{name: r, kind: ratio, query: 'filter ispresent(status)', bad: status >= 500, by: [path], {more}}}"
        ))
    };
    let mut world = World::new(ratio("condition: value > 0.1, min_count: 10"), &events);
    assert_eq!(world.at(3.0), "/a=0.15");
    let mut world = World::new(ratio("condition: value > 0.15, min_count: 10"), &events);
    assert_eq!(world.at(3.0), "");
    let mut world = World::new(ratio("condition: value > 0.1 and bad < 3"), &events);
    assert_eq!(world.at(3.0), "/rare=1");
}

#[test]
fn what_a_query_takes_out_of_the_line_is_there_for_the_kind() {
    let events: Vec<Told<'_>> = vec![(1.0, "web", "info", "took 300 ms", &[]), (1.0, "web", "info", "took 20 ms", &[])];
    let check = |language: &str, query: &str| {
        let text = format!(
            "{{name: r, kind: ratio, language: {language}, query: '{query}', bad: took > 100, condition: value >= 0.5}}"
        );
        assert_eq!(World::new(rule(&text), &events).at(2.0), "=0.5", "{query}");
    };
    check("insights", "parse @message \"took * ms\" as took");
    check("logql", "{group=\"web\"} | pattern \"took <took> ms\"");
}

#[test]
fn a_budget_that_burns_too_fast_fires_and_ends_with_the_errors() {
    let request = |status: i64| [("status", Value::Integer(status))];
    let (good, bad) = (request(200), request(503));
    let mut events: Vec<Told<'_>> = Vec::new();
    for minute in 0..600 {
        let n_bad = if (300..330).contains(&minute) { 4 } else { 0 };
        events.extend((0..10).map(|n| -> Told<'_> {
            (f64::from(minute), "web", "info", "r", if n < n_bad { &bad[..] } else { &good[..] })
        }));
    }
    let mut world = World::new(
        rule("{name: r, kind: burn_rate, query: 'filter ispresent(status)', bad: status >= 500, objective: 0.99}"),
        &events,
    );
    assert_eq!(world.at(299.5), "");
    assert_eq!(world.at(320.5), "", "a third of an hour at forty times, which is less than 14.4 over the hour");
    assert!(world.at(325.5).starts_with('='), "now it is more");
    assert_eq!(world.at(336.5), "", "the short window is over");
}

#[test]
fn a_value_unlike_that_of_earlier_days_fires_and_a_short_history_has_no_opinion() {
    let mut events: Vec<Told<'_>> = Vec::new();
    for day in 0..6 {
        for hour in 0..24 {
            // Every night at three there is a peak; on the last day there is one at nine as well.
            let n = if hour == 3 || (day == 5 && hour == 9) { 120 } else { 10 };
            let minute = |n: i32| f64::from(day * 1440 + hour * 60) + f64::from(n % 60);
            events.extend((0..n).map(|n| -> Told<'_> { (minute(n), "web", "info", "request", &[]) }));
        }
    }
    let anomaly = "{name: r, kind: anomaly, query: 'stats count(*) as n', window: 1h, season: 1d, history: 5d}";
    let mut world = World::new(rule(anomaly), &events);
    let hour = |day: i32, hour: i32| f64::from(day * 1440 + hour * 60 + 60) - 0.5;
    assert_eq!(world.at(hour(1, 5)), "?", "one day is no history");
    assert_eq!(world.at(hour(5, 3)), "", "the peak of every night");
    assert_eq!(world.at(hour(5, 9)), "=120");
    assert_eq!(world.at(hour(5, 11)), "");
}

#[test]
fn a_rule_over_rules_follows_them() {
    let check = |when: &str, expected: &str| {
        let mut world = World::new(rule(&format!("{{name: r, kind: composite, when: '{when}'}}")), &[]);
        assert_eq!(world.at(1.0), expected, "{when}");
    };
    // Here the rule `on` fires and all others do not.
    check("on", "=1");
    check("off", "");
    check("on and not off", "=1");
    check("not (on or off)", "");
    check("off or \"on\" and not \"off\"", "=1");
}

#[test]
fn rules_over_rules_that_are_not_there_or_go_round_are_refused() {
    let check = |rules: &str, expected: &[&str]| {
        let mut set = RuleSet::default();
        let errors = match set.add("r.yaml", &format!("groups: [{{name: g, rules: [{rules}]}}]")) {
            Ok(()) => set.check_names(),
            Err(errors) => errors,
        };
        let shown: Vec<String> = errors.iter().map(RuleError::to_string).collect();
        assert_eq!(shown.len(), expected.len(), "{shown:?}");
        shown.iter().zip(expected).for_each(|(shown, expected)| assert!(shown.contains(expected), "{shown}"));
    };
    let over = |name: &str, when: &str| format!("{{name: {name}, kind: composite, when: '{when}'}}");
    let plain = "{name: errors, query: filter a = 1}";
    check(&format!("{plain}, {}", over("a", "errors")), &[]);
    check(&over("a", "not errors"), &["r.yaml:1:61: when: there is no rule \"errors\", at 1:5"]);
    check(
        &format!("{}, {}", over("a", "b"), over("b", "not a")),
        &["\"b\" at 1:1 depends on \"a\" itself", "\"a\" at 1:5 depends on \"b\" itself"],
    );
    check(&over("a", "a"), &["\"a\" at 1:1 depends on \"a\" itself"]);
    check(&over("a", "b and"), &["when: the name of a rule is missing at 1:6"]);
    check(&over("a", "(b or c"), &["when: `)` is missing at 1:8"]);
    check(&over("a", "b c"), &["when: unexpected c at 1:3"]);
    check(&over("a", "\"b"), &["when: the quote at 1:1 does not end"]);
}

#[test]
fn a_key_that_a_kind_does_not_have_is_named_with_its_place() {
    let check = |rule: &str, expected: &str| {
        let text = format!("groups:\n  - name: g\n    rules:\n      - {}\n", rule.replace(", ", "\n        "));
        let errors = RuleSet::default().add("r.yaml", &text).unwrap_err();
        let shown: Vec<String> = errors.iter().map(RuleError::to_string).collect();
        assert!(shown.iter().any(|shown| shown.starts_with(expected)), "{shown:#?}");
    };
    check(
        "name: r, query: filter a = 1, jump: 3",
        "r.yaml:6:15: jump: a rule of kind threshold has no such key; it belongs to pattern",
    );
    check("name: r, kind: ratio, bad: x = 1", "r.yaml:4:15: query: a rule of kind ratio needs one");
    check("name: r, kind: ratio, query: filter a = 1, bad: x =, condition: value > 1", "r.yaml:7:14: bad: ");
    check(
        "name: r, kind: pattern, query: filter a = 1 | limit 3",
        "r.yaml:6:16: query: a rule of kind pattern groups events itself; remove a limit from its query",
    );
    check(
        "name: r, kind: pattern, query: filter a = 1, condition: count > 3",
        "r.yaml:7:20: condition: a rule of kind pattern has no such key",
    );
    check(
        "name: r, kind: patern, query: filter a = 1",
        "r.yaml:5:15: kind: unknown \"patern\"; known: threshold, pattern, ",
    );
    check(
        "name: r, kind: composite, when: a, window: 5m",
        "r.yaml:7:17: window: a rule of kind composite has no such key",
    );
    check(
        "name: r, kind: burn_rate, query: filter a = 1, bad: b = 1, objective: 1.0",
        "r.yaml:8:20: objective: must lie between 0 and 1",
    );
    check(
        "name: r, kind: anomaly, query: filter a = 1, history: 2d",
        "r.yaml:7:18: history: must hold 3 to 60 seasons",
    );
    check(
        "name: r, kind: absence, query: filter a = 1, forget: 1m",
        "r.yaml:7:17: forget: must be longer than the window",
    );
}

#[test]
fn what_a_kind_shows_reads_back_as_the_same_kind() {
    let rules = [
        "{name: r, kind: pattern, query: filter a = 1, jump: 3, by: [service], limit: 7}",
        "{name: r, kind: absence, query: filter a = 1, by: [host], expect: [{host: a}], forget: 2d}",
        "{name: r, kind: ratio, query: filter a = 1, bad: b = 1, condition: value > 0.5, by: [c]}",
        "{name: r, kind: burn_rate, query: filter a = 1, bad: b = 1, objective: 0.99, windows: [{long: 2h, short: 10m, factor: 3}]}",
        "{name: r, kind: anomaly, query: filter a = 1, season: 1w, history: 4w, direction: down}",
    ];
    for text in rules {
        let read = rule(text);
        let mut shown = read.kind.shown();
        shown.insert("name".into(), json!("r"));
        shown.insert("kind".into(), json!(read.kind.name()));
        shown.insert("query".into(), json!(read.query));
        read.condition.iter().for_each(|condition| drop(shown.insert("condition".into(), json!(condition))));
        assert_eq!(rule(&Json::Object(shown).to_string()).kind, read.kind, "{text}");
    }
}
