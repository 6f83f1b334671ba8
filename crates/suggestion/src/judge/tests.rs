//! What is suggested for groups that were made up: noise, secrets, fields, mixed groups, and groups that are as they should be.

use std::sync::Arc;

use serde_json::Value as Json;
use types::{BatchBuilder, BatchRun, GroupName, Level, RowSet, Run, Timestamp};

use super::*;

const GROUP: &str = "shop/web";

/// One kind of event, so many of them.
struct Lines {
    count: u64,
    level: Option<Level>,
    service: &'static str,
    text: fn(u64) -> String,
}

fn lines(count: u64, level: Level, text: fn(u64) -> String) -> Lines {
    Lines { count, level: Some(level), service: "", text }
}

/// Words of which each is another message.
fn varied(n: u64) -> String {
    const WORDS: [&str; 8] = ["stored", "sent", "opened", "closed", "joined", "moved", "listed", "printed"];
    const THINGS: [&str; 5] = ["a receipt", "the basket", "one parcel", "every label", "some stock"];
    const ENDS: [&str; 3] = ["by hand", "at the desk", "in the yard"];
    let pick = |of: &[&'static str], by: u64| of[(n / by) as usize % of.len()];
    format!("{} {} {}", pick(&WORDS, 1), pick(&THINGS, 8), pick(&ENDS, 40))
}

fn profile(kinds: &[Lines]) -> Profile {
    let mut builder = BatchBuilder::new();
    let mut n_events = 0;
    for kind in kinds {
        for n in 0..kind.count {
            builder.set_timestamp(Timestamp(n_events));
            builder.set_message(&(kind.text)(n));
            builder.set_level(kind.level);
            if !kind.service.is_empty() {
                builder.field_text("service", kind.service);
            }
            builder.commit();
            n_events += 1;
        }
    }
    let group = GroupName::new(GROUP).expect("a valid name");
    let run = BatchRun::new(group, 1, Arc::new(builder.finish()));
    let mut all = Profile::default();
    for block in 0..run.n_blocks() {
        let rows = RowSet::all(run.block_rows(block));
        all.merge(Profile::of_block(&run, block, &rows).expect("events in memory can be read"));
    }
    all
}

/// Checks which candidates there are besides secrets, which are always tried: `kind reason pattern [fields]`.
fn check(kinds: &[Lines], expected: &[&str]) -> Vec<Candidate> {
    let found = candidates(GROUP, &profile(kinds));
    let found: Vec<Candidate> = found.into_iter().filter(|found| found.kind != Kind::Mask).collect();
    let shown: Vec<String> = found
        .iter()
        .map(|found| {
            let pattern = found.pattern.as_deref().unwrap_or("-");
            format!("{} {} {pattern} {:?}", found.kind.name(), found.reason.name(), found.fields)
        })
        .collect();
    assert_eq!(shown, expected);
    found
}

fn regex_of(candidate: &Candidate) -> regex::Regex {
    let source = candidate.definition["match"]["matches"].as_str().expect("a condition on the text");
    regex::Regex::new(source).expect("a regular expression")
}

#[test]
fn an_innocent_group_and_a_tiny_one_have_no_candidates() {
    check(&[lines(3_000, Level::Info, varied)], &[]);
    let health: fn(u64) -> String = |n| format!("GET /healthz 200 {n}");
    assert!(candidates(GROUP, &profile(&[lines(99, Level::Info, health)])).is_empty());
    // From a hundred events on, secrets are looked for.
    let kinds: Vec<Kind> =
        candidates(GROUP, &profile(&[lines(100, Level::Info, health)])).iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [Kind::Mask; 3]);
}

#[test]
fn health_checks_and_texts_that_never_change_are_dropped_and_frequent_messages_sampled() {
    let noise = [
        lines(2_000, Level::Info, |n| format!("GET /healthz 200 {}", n % 90)),
        lines(1_000, Level::Info, |_| "worker is idle".into()),
        lines(6_000, Level::Info, |n| format!("cache hit {}", n * 7)),
        lines(1_000, Level::Info, varied),
    ];
    let found = check(
        &noise,
        &[
            "sample frequent cache hit <*> []",
            "drop health_check GET /healthz <*> <*> []",
            "drop constant worker is idle []",
            "fields variables cache hit <*> [\"hit\"]",
        ],
    );
    assert!(
        regex_of(&found[1]).is_match("GET /healthz 200 3")
            && !regex_of(&found[1]).is_match("GET /healthz 200 3 failed")
    );
    assert_eq!(found[1].definition["match"]["not"]["level"], serde_json::json!(["warn", "error", "fatal"]));
}

#[test]
fn warnings_failures_and_debugging_are_told_apart() {
    let kinds = [
        lines(2_000, Level::Warn, |n| format!("GET /healthz 503 {n}")),
        lines(2_000, Level::Info, |_| "login failed, trying again".into()),
        lines(1_500, Level::Debug, |n| format!("cursor at {n}")),
        lines(4_500, Level::Info, varied),
    ];
    let found = check(&kinds, &["drop debug - []"]);
    assert_eq!(found[0].definition["match"]["level"], serde_json::json!(["trace", "debug"]));
}

#[test]
fn key_value_pairs_json_and_variables_become_fields() {
    let pairs = [
        lines(2_000, Level::Info, |n| format!("paid user=u{n} amount={}.50 items={}", n % 100, n % 9)),
        lines(2_000, Level::Info, varied),
    ];
    let found = check(
        &pairs,
        &[
            "sample frequent paid user=<*> amount=<*> items=<*> []",
            "fields key_value paid user=<*> amount=<*> items=<*> [\"user\", \"amount\", \"items\"]",
        ],
    );
    let parse = found[1].definition["steps"][0]["parse"].as_str().unwrap_or_default();
    assert!(parse.contains("%{NOTSPACE:user}") && parse.contains("%{NUMBER:amount:float}"), "{parse}");
    assert!(parse.contains("%{INT:items:int}"), "{parse}");
    let json = [
        lines(2_000, Level::Info, |n| format!("order done {{\"order\":{n},\"total\":{}}}", n * 3)),
        lines(2_000, Level::Info, varied),
    ];
    let found = candidates(GROUP, &profile(&json));
    let fields = found.iter().find(|found| found.reason == Reason::Json).expect("JSON is found");
    assert_eq!(fields.fields, ["order", "total"]);
    let names = |definition: &Json| definition["steps"].as_array().map_or(0, Vec::len);
    assert_eq!(names(&fields.definition), 3);
}

#[test]
fn fields_that_events_have_are_not_extracted_again() {
    let text: fn(u64) -> String = |n| format!("request service={n}");
    let kinds = [
        Lines { count: 1_000, level: Some(Level::Info), service: "pay", text },
        Lines { count: 1_000, level: Some(Level::Info), service: "pay", text: varied },
    ];
    check(&kinds, &["sample frequent request service=<*> []"]);
}

#[test]
fn services_with_nothing_in_common_are_split_and_others_are_not() {
    let pay: fn(u64) -> String = |n| format!("charged {}", varied(n));
    let of = |service, text| Lines { count: 2_000, level: Some(Level::Info), service, text };
    let found = check(&[of("pay", pay), of("web", varied)], &["split services - [\"service\", \"pay\", \"web\"]"]);
    assert_eq!(found[0].definition["steps"][0]["route"], "shop/web/{service}");
    check(&[of("pay", varied), of("web", varied)], &[]);
}

#[test]
fn an_access_log_among_other_lines_is_split_off() {
    let access: fn(u64) -> String = |n| {
        format!(
            "192.0.2.{} - - [20/Nov/2026:06:00:{:02} +0000] \"GET /{} HTTP/1.1\" 200 {n}",
            n % 250,
            n % 60,
            varied(n)
        )
    };
    let found = candidates(GROUP, &profile(&[lines(1_500, Level::Info, access), lines(3_000, Level::Info, varied)]));
    let split = found.iter().find(|found| found.kind == Kind::Split).expect("a mixed group");
    assert_eq!((split.reason, split.fields.as_slice()), (Reason::Formats, ["access".to_owned()].as_slice()));
    assert!(regex_of(split).is_match(&access(7)) && !regex_of(split).is_match(&varied(7)));
    assert!(
        !candidates(GROUP, &profile(&[lines(3_000, Level::Info, access)]))
            .iter()
            .any(|found| found.kind == Kind::Split)
    );
}

#[test]
fn hostile_texts_become_conditions_for_themselves() {
    let hostile: fn(u64) -> String = |n| format!("a.*(b)[c]{{{n}}} %{{INT:x}} \u{1b}[31m ^$ \u{202e} +? | \\ ]]> {n}");
    for found in candidates(GROUP, &profile(&[lines(3_000, Level::Info, hostile), lines(1_000, Level::Info, varied)])) {
        let name = found.definition["name"].as_str().unwrap_or_default();
        assert!(!name.is_empty() && !name.chars().any(char::is_control), "{name:?}");
        if found.definition["match"]["matches"].is_string() {
            assert!(regex_of(&found).is_match(&hostile(5)), "{found:?}");
            assert!(!regex_of(&found).is_match("aXX(b)[c]"), "{found:?}");
        }
    }
}

#[test]
fn what_concerns_little_is_not_worth_it_unless_it_is_a_secret() {
    let all = Totals { n_events: 100_000, n_bytes: 10_000_000 };
    let of =
        |kind| Candidate { kind, reason: Reason::Debug, pattern: None, fields: Vec::new(), definition: Json::Null };
    let outcome = |n_events, n_bytes| Outcome { concerned: Totals { n_events, n_bytes } };
    assert!(is_worth(&of(Kind::Mask), &outcome(1, 90), &all));
    assert!(!is_worth(&of(Kind::Mask), &outcome(0, 0), &all));
    assert!(!is_worth(&of(Kind::Drop), &outcome(4_000, 400_000), &all));
    assert!(is_worth(&of(Kind::Drop), &outcome(4_000, 700_000), &all));
    assert!(is_worth(&of(Kind::Sample), &outcome(6_000, 1), &all));
    assert!(!is_worth(&of(Kind::Split), &outcome(6_000, 1), &all));
}

#[test]
fn profiles_are_the_same_in_whatever_order_they_are_merged() {
    let parts =
        || [profile(&[lines(700, Level::Info, varied)]), profile(&[lines(900, Level::Debug, |n| format!("x {n}"))])];
    let [mut one, two] = parts();
    one.merge(two);
    let [first, mut other] = parts();
    other.merge(first);
    assert_eq!(candidates(GROUP, &one), candidates(GROUP, &other));
    assert_eq!(one.n_events, 1_600);
}
