//! What alerts of every kind are about: a first look at one finds the onset that a first look at its events finds.

use std::collections::BTreeSet;

use language::{ParseOptions, parse_insights};
use types::{GroupPattern, GroupScope, TimeRange, Timestamp, Value};

use crate::detectors::tests::{Told, World, instant};
use crate::engine::RuleEngine;
use crate::{Ask, EventTime, Options, Question, RuleSet};

/// The minute from which on half of the requests of host `a` fail.
const BEGAN: f64 = 100.0;
const NOW: f64 = 106.0;

const ERRORS: &str = "filter @level >= \"error\"";

type Fields = Vec<(&'static str, Value)>;

/// Every two seconds an order on one of two hosts, with its span.
fn events<R>(use_them: impl FnOnce(&[Told<'_>]) -> R) -> R {
    let fields: Vec<(f64, bool, Fields)> = (0..(NOW * 30.0) as i64)
        .map(|n| {
            let minute = n as f64 / 30.0;
            let is_bad = minute >= BEGAN && n % 4 == 0;
            let mut fields = vec![
                ("host", Value::text(if n % 2 == 0 { "a" } else { "b" })),
                ("service", Value::text("payment")),
                ("code", Value::Integer(if is_bad { 503 } else { 200 })),
                ("ms", Value::Integer(if is_bad { 5_000 } else { 10 + n % 50 })),
            ];
            if is_bad {
                fields.push(("message", Value::text(format!("order {n} failed: pool exhausted"))));
            }
            (minute, is_bad, fields)
        })
        .collect();
    let span: Vec<Fields> = fields
        .iter()
        .map(|(_, is_bad, fields)| {
            let more = [("@type", Value::text("span")), ("status", Value::text(if *is_bad { "error" } else { "ok" }))];
            fields.iter().filter(|(name, _)| *name != "message").cloned().chain(more).collect()
        })
        .collect();
    let line = "{\"message\":\"order failed: pool exhausted\"}";
    let told = |at: usize| -> [Told<'_>; 2] {
        let (minute, is_bad, own) = &fields[at];
        let (level, text) = if *is_bad { ("error", line) } else { ("info", "order done") };
        [(*minute, "app", level, text, own), (*minute, "traces/payment", level, "POST /order", &span[at])]
    };
    let all: Vec<Told<'_>> = (0..fields.len()).flat_map(told).collect();
    use_them(&all)
}

/// When a first look at what plans select, one after another, finds that something began.
fn began(world: &World, plans: &[plan::Plan], groups: &[GroupPattern], range: TimeRange) -> Option<Timestamp> {
    plans.iter().find_map(|plan| {
        let (scope, now, time) = (&GroupScope::All, instant(NOW), EventTime::Own);
        let question = Question { plan, groups, scope, range, now, n_rows_max: 1, time };
        world.ask.first_look(&question, std::time::Duration::from_secs(60)).unwrap().onset.began
    })
}

fn check(world: &World, rules: &str, query: &str) {
    let dir = tempfile::tempdir().unwrap();
    let mut set = RuleSet::default();
    set.add("r.yaml", &format!("groups: [{{name: g, rules: [{rules}]}}]")).unwrap();
    let engine = RuleEngine::open(None, set, Vec::new(), &Options::new(dir.path().into()), instant(90.0)).unwrap();
    for half_minute in 180..=(NOW * 2.0) as i64 {
        engine.evaluate_due(&world.ask, &|| instant(half_minute as f64 / 2.0));
    }
    let now = instant(NOW);
    let alerts: Vec<_> = engine.alert_views(now).into_iter().filter(|alert| alert.state == "alarm").collect();
    assert!(!alerts.is_empty(), "{rules}: {:?}", engine.rule_views());
    let of_query = parse_insights(query, &ParseOptions { now, time_zone: chrono_tz::UTC }).unwrap();
    let mut onsets = BTreeSet::new();
    for alert in &alerts {
        let subject = engine.subject_of(&alert.id, now).unwrap();
        onsets.extend(began(world, &subject.plans, &subject.groups, subject.range));
        let expected = began(world, std::slice::from_ref(&of_query), &subject.groups, subject.range);
        let found = began(world, &subject.plans[..1], &subject.groups, subject.range);
        assert!(expected.is_some() && found == expected, "{rules}: {alert:?}: {found:?}, {expected:?}");
    }
    assert_eq!(engine.subject_of("none", now).map(|subject| subject.query), None);
}

#[test]
fn a_first_look_at_an_alert_finds_what_one_at_its_events_finds() {
    events(|events| {
        let world = World::new(crate::detectors::tests::rule("{name: r, query: 'filter a = 1'}"), events);
        let of_app = |rule: &str, query: &str| check(&world, &format!("{{name: r, groups: [app], {rule}}}"), query);
        let failing = "filter code = 503";
        of_app("kind: pattern, query: 'filter @level >= \"error\"', by: ['@log', exception.type]", ERRORS);
        of_app("query: 'filter @level >= \"error\"', condition: count > 5", ERRORS);
        of_app("query: 'stats count(*) as n by host, code', condition: 'code = 503 and n > 5'", failing);
        of_app("query: 'filter code >= 500 | stats count(*) as n by host, zone', condition: n > 5", failing);
        of_app("query: 'filter code >= 500 | stats count(*) as n by bin(1m), host', condition: n > 5", failing);
        of_app("query: 'stats pct(ms, 95) as p95 by service', condition: p95 > 1000", failing);
        of_app("query: 'stats avg(ms) as mean by host | sort mean desc', condition: mean > 1000", failing);
        of_app(
            "query: 'filter code >= 500 | stats count(*) as n by host', condition: n > 5, labels: {host: x}",
            failing,
        );
        for (language, query) in [
            ("lucene", "code:503"),
            ("kql", "code >= 500"),
            ("filter-pattern", "exhausted"),
            ("logql", r#"{group=\"app\"} |= \"exhausted\""#),
        ] {
            of_app(&format!("language: {language}, query: \"{query}\", condition: count > 5"), failing);
        }
        let by_host = r#"sum by (host) (count_over_time({group="app"} |= "exhausted" [5m]))"#;
        of_app(&format!("language: logql, query: '{by_host}', condition: value > 5"), failing);
        of_app(
            "kind: ratio, query: 'filter ispresent(code)', bad: code >= 500, by: [host], condition: ratio > 0.1",
            failing,
        );
        let budget = "objective: 0.99, bad: code >= 500, windows: [{long: 1h, short: 5m, factor: 1}]";
        of_app(&format!("kind: burn_rate, query: '', by: [host], {budget}"), failing);
        let of_spans = "query: 'filter @type = \"span\" and status = \"error\" | stats count(*) as n by service', condition: n > 5";
        check(&world, &format!("{{name: r, groups: ['traces/*'], {of_spans}}}"), "filter status = \"error\"");
        let slow = "query: 'filter @type = \"span\" | stats pct(ms, 99) as p99 by service', condition: p99 > 1000";
        check(&world, &format!("{{name: r, groups: ['traces/*'], {slow}}}"), "filter status = \"error\"");
        // These look at no events: what there is to see is what all events show.
        check(&world, "{name: r, language: promql, query: 'vector(1) > 0'}", "");
    });
}

#[test]
fn a_source_that_fell_silent_did_so_when_its_events_end() {
    let [a, b] = ["a", "b"].map(|host| [("host", Value::text(host))]);
    let all: Vec<Told<'_>> = (0..(NOW * 6.0) as i64)
        .flat_map(|n| {
            [(n as f64 / 6.0, "app", "info", "beat", &a[..]), (n as f64 / 6.0, "app", "info", "beat", &b[..])]
        })
        .filter(|event| event.0 < BEGAN - 10.0 || event.4 == &a[..])
        .collect();
    let world = World::new(crate::detectors::tests::rule("{name: r, query: 'filter a = 1'}"), &all);
    check(&world, "{name: r, kind: absence, groups: [app], query: '', by: [host], window: 10m}", "filter host = \"b\"");
}
