//! Evidence of alerts over a store.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use storage::{Clock, Delivery, Part, Store};
use types::{BatchBuilder, GroupName, Level};

use super::*;
use crate::ask::StoreAsk;
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
    let dir = tempfile::tempdir().unwrap();
    let now = Timestamp::parse_rfc3339("2026-11-20T06:00:00Z").unwrap();
    let mut options = storage::Options::new(dir.path().join("data"));
    options.clock = Clock::new(move || now);
    let (store, _) = Store::open(options).unwrap();
    append(&store, now, texts);
    let mut engine = RuleSet::default();
    let rule = "{name: r, query: 'filter @level = \"error\" | stats count(*) as count by @log', window: 5m}";
    engine.add("r.yaml", &format!("groups: [{{name: g, rules: [{rule}]}}]")).unwrap();
    let rule = &engine.rules[0];
    let ask = StoreAsk { clock_offsets: None, store, cache: None, is_stopping: Arc::new(AtomicBool::new(false)) };
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
    let labels = Labels::new();
    let inquiry = EvidenceQuery { rule, compiled: &compiled, row: &table.rows[0], labels: &labels, ask: &ask, now };
    let events = inquiry.events();
    let rest = inquiry.rest(&events, None);
    (events, rest)
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
