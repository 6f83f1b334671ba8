//! Evidence of alerts over a store.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use cause::CallCounts;
use storage::{Clock, Delivery, Part, Store};
use types::{BatchBuilder, GroupName, Level};

use super::*;
use crate::ask::StoreAsk;
use crate::calls::{CallCounter, CallQuestion};
use crate::compile::compile;
use crate::labels::Labels;
use crate::{RuleSet, Table};

/// Appends errors of a host, each so many seconds before `now`.
fn append(store: &Store, now: Timestamp, texts: &[(&str, &str, i64)]) {
    let mut builder = BatchBuilder::new();
    for (host, text, age) in texts {
        builder.set_timestamp(Timestamp(now.0 - age * Timestamp::SECOND));
        builder.set_message(text);
        builder.set_level(Some(Level::Error));
        builder.field_text("host", host);
        builder.commit();
    }
    let part = Part { group: GroupName::new("app/a").unwrap(), batch: builder.finish() };
    store.append(Delivery { key: None, position: None, raw_bytes: 24, parts: vec![part] }).unwrap();
}

/// Returns what is known of the errors of `app/a`.
fn gathered(texts: &[(&str, &str, i64)]) -> (Vec<Json>, Json) {
    let rule = "{name: r, query: 'filter @level = \"error\" | stats count(*) as count by @log', window: 5m}";
    gathered_of(rule, &|store, now| append(store, now, texts))
}

/// Returns what is known of the events of the first row of a rule.
fn gathered_of(rule: &str, append: &dyn Fn(&Store, Timestamp)) -> (Vec<Json>, Json) {
    gathered_with(rule, append, CallCounter::default())
}

/// Returns the same where calls between services can be counted.
fn gathered_with(rule: &str, append: &dyn Fn(&Store, Timestamp), calls: CallCounter) -> (Vec<Json>, Json) {
    let dir = tempfile::tempdir().unwrap();
    let now = Timestamp::parse_rfc3339("2026-11-20T06:00:00Z").unwrap();
    let mut options = storage::Options::new(dir.path().join("data"));
    options.clock = Clock::new(move || now);
    let (store, _) = Store::open(options).unwrap();
    append(&store, now);
    let mut engine = RuleSet::default();
    engine.add("r.yaml", &format!("groups: [{{name: g, rules: [{rule}]}}]")).unwrap();
    let rule = &engine.rules[0];
    let ask =
        StoreAsk { clock_offsets: None, calls, store, cache: None, is_stopping: Arc::new(AtomicBool::new(false)) };
    let compiled = compile(rule, now).unwrap();
    let range = window_of(rule, now);
    let question = Question {
        plan: &compiled.plan,
        groups: &rule.groups,
        scope: &rule.scope,
        range,
        now,
        n_rows_max: 9,
        time: crate::EventTime::Own,
    };
    let table: Table = ask.ask(&question).unwrap();
    let labels = Labels::from([("@log".to_owned(), "app/a".to_owned())]);
    let inquiry = EvidenceQuery { rule, compiled: &compiled, row: &table.rows[0], labels: &labels, ask: &ask, now };
    let events = inquiry.events();
    let mut rest = inquiry.rest(&events, None);
    let subjects = compiled.subjects(rule, &labels, None);
    rest["first_look"] = inquiry.first_look(&subjects).map(|found| found.said).unwrap_or_default();
    (events, rest)
}

const CANARY_RULE: &str = "{name: r, query: 'filter @level = \"error\" | stats count(*) as count by @log', window: 5m}";

/// Adds 50 minutes of charges, of which those of a canary fail in the last 150 seconds.
fn append_canary(store: &Store, now: Timestamp) {
    let mut builder = BatchBuilder::new();
    for second in (0..3_000).rev() {
        let is_canary = second < 150 && second % 5 == 0;
        builder.set_timestamp(Timestamp(now.0 - second * Timestamp::SECOND));
        builder.set_message(if is_canary { "charge refused: pool exhausted" } else { "charge done" });
        builder.set_level(Some(if is_canary { Level::Error } else { Level::Info }));
        builder.field_text("version", if is_canary { "v2" } else { "v1" });
        builder.commit();
    }
    let part = Part { group: GroupName::new("app/a").unwrap(), batch: builder.finish() };
    store.append(Delivery { key: None, position: None, raw_bytes: 24, parts: vec![part] }).unwrap();
}

#[test]
fn a_first_look_says_since_when_and_with_what() {
    let (_, rest) = gathered_of(CANARY_RULE, &append_canary);
    let found = &rest["first_look"];
    assert_eq!(found["began"], "2026-11-20T05:57:35Z", "{found}");
    let titles: Vec<&str> =
        found["findings"].as_array().unwrap().iter().filter_map(|finding| finding["title"].as_str()).collect();
    assert!(titles.contains(&"new: charge refused: pool exhausted"), "{titles:?}");
    assert!(titles.iter().any(|title| title.starts_with("version = v2")), "{titles:?}");
    assert!(titles.len() <= FINDINGS_MAX);
    let (_, calm) = gathered(&[("web-1", "disk failed", 10)]);
    assert_eq!(calm["first_look"], Json::Null);
}

#[test]
fn a_first_look_names_the_call_that_fails_since_then() {
    let calls = CallCounter::default();
    let asked = Arc::new(Mutex::new(None));
    let of_counting = asked.clone();
    calls.count_with(Box::new(move |question| {
        *of_counting.lock().unwrap() = Some(question);
        let durations = [vec![(12.0, 300)], vec![(12.0, 1_000)]];
        let (n_calls, n_errors) = ([300, 1_000], [290, 3]);
        let (from, to) = ("pay".into(), "ledger-db".into());
        (vec![CallCounts { from, to, is_service: false, n_calls, n_errors, durations }], Vec::new())
    }));
    let (_, rest) = gathered_with(CANARY_RULE, &append_canary, calls);
    let found = rest["first_look"]["findings"].as_array().unwrap();
    let call = found.iter().find(|finding| finding["kind"] == "call").unwrap();
    assert!(call["title"].as_str().unwrap().starts_with("calls pay → ledger-db: 96.7% fail, 0.3% before"), "{call}");
    let CallQuestion { ranges: [since, before], scope, .. } = asked.lock().unwrap().take().unwrap();
    assert_eq!((since.from.to_string(), before.to), ("2026-11-20T05:57:35Z".to_owned(), since.from));
    assert_eq!(scope, types::GroupScope::All);
}

#[test]
fn the_first_and_the_last_line_are_shown_and_where_all_come_from() {
    let mut texts = vec![("web-2", "begin of it", 200)];
    texts.extend((0..20).map(|i| ("web-1", "disk \"sda\" failed for user 17", 100 - i)));
    let (events, rest) = gathered(&texts);
    assert_eq!(events.len(), EVENTS_SHOWN);
    assert_eq!(
        (&rest["first"]["@message"], &rest["last"]["@message"]),
        (&json!("begin of it"), &events[0]["@message"])
    );
    assert_eq!(rest["counts"]["field"], "host");
    let counts = json!([{"value": "web-1", "count": 20}, {"value": "web-2", "count": 1}]);
    assert_eq!(rest["counts"]["values"], counts);
    assert_eq!((&rest["pattern"]["count"], &rest["pattern"]["is_new"]), (&json!(20), &json!(true)));
    let text = rest["pattern"]["text"].as_str().unwrap();
    assert!(text.contains("failed for user"), "{text}");
}

#[test]
fn a_pattern_that_the_day_before_had_is_not_new() {
    let (_, rest) = gathered(&[("a", "user 17 \"x\\y\" failed", 10), ("a", "user 4 \"x\\y\" failed", 40_000)]);
    assert_eq!(rest["pattern"]["is_new"], false, "{rest}");
    let (_, rest) = gathered(&[("a", "17", 10)]);
    assert_eq!(rest["pattern"]["is_new"], Json::Null, "nothing in it can be looked for: {rest}");
}

#[test]
fn a_rule_about_durations_shows_the_slowest_spans_and_one_about_failures_the_failed_ones() {
    let append = |store: &Store, now: Timestamp| {
        let mut builder = BatchBuilder::new();
        for i in 0..30 {
            let (ms, status) = (if i == 20 { 5000.0 } else { 40.0 }, if i == 15 { "error" } else { "ok" });
            builder.set_timestamp(Timestamp(now.0 - (100 - i) * Timestamp::SECOND));
            builder.set_message(&format!("span {i}"));
            builder.field_float("duration_ms", ms);
            let texts = [("@type", "span"), ("service", "pay"), ("status", status)];
            texts.into_iter().for_each(|(name, text)| builder.field_text(name, text));
            builder.field_text("trace_id", &format!("{i:032x}"));
            builder.commit();
        }
        let part = Part { group: GroupName::new("traces/pay").unwrap(), batch: builder.finish() };
        store.append(Delivery { key: None, position: None, raw_bytes: 24, parts: vec![part] }).unwrap();
    };
    let slow = "{name: r, query: 'filter @type = \"span\" | stats max(duration_ms) as ms by service'}";
    let (events, rest) = gathered_of(slow, &append);
    assert_eq!((&events[0]["@message"], events.len()), (&json!("span 20"), EVENTS_SHOWN));
    assert_eq!(events[0]["trace_id"], format!("{:032x}", 20));
    let ends = (&rest["first"]["@message"], &rest["last"]["@message"]);
    assert_eq!(ends, (&json!("span 0"), &json!("span 29")));
    let failed = "{name: r, kind: ratio, query: 'filter @type = \"span\"', by: [service], bad: status = \"error\", condition: value > 0}";
    let (events, rest) = gathered_of(failed, &append);
    assert_eq!((&events[0]["@message"], events.len()), (&json!("span 15"), 1));
    assert_eq!((&rest["first"], &rest["last"]), (&events[0], &events[0]));
}
