//! What differs is found, what does not is not, and what cannot be compared says so.

use types::Level;

use super::*;
use crate::lab::{DAY, Draft, HOUR, MINUTE, Random, SECOND, ask, check_mostly, expect, runs_of};

/// Compares what a query selects with all other events of an hour.
fn compare_rest(drafts: &[Draft], query: &str) -> Differences {
    let runs = runs_of(drafts);
    ask(query, (0, HOUR), |selection| {
        ask("fields @message", (0, HOUR), |all| differences(selection, Baseline::Rest(all), &runs).expect("an answer"))
    })
}

/// An hour of requests to ten hosts; `fails` says which fail.
fn requests(seed: u64, n: usize, fails: impl Fn(&Draft, &mut Random) -> bool) -> Vec<Draft> {
    let mut random = Random::new(seed);
    let mut drafts = Vec::new();
    for at in 0..n {
        let host = random.below(10);
        let version = if host == 7 { "v4.13.0" } else { "v4.12.9" };
        let time = DAY + at as i64 * HOUR / n as i64;
        let mut draft = Draft::new(time, "shop", Level::Info, format!("request {at} done"))
            .field("host", format!("web-{host}"))
            .field("version", version)
            .field("path", random.pick(&["/cart", "/pay", "/search", "/login"]))
            .field("user", format!("u{}", random.below(1_000_000)))
            .field("zone", random.pick(&["a", "b", "c"]))
            .number("status", [200, 200, 200, 404][random.below(4)])
            .number("duration_ms", 5 + random.below(100) as i64);
        if fails(&draft, &mut random) {
            draft.level = Level::Error;
            draft.text = format!("request {at} failed: pool exhausted");
        }
        drafts.push(draft);
    }
    drafts
}

fn has(draft: &Draft, name: &str, value: &str) -> bool {
    draft.fields.iter().any(|(known, text)| *known == name && text.to_string() == value)
}

#[test]
fn the_host_with_the_new_version_is_named_once_with_a_query_and_an_event() {
    let drafts =
        requests(1, 20_000, |draft, random| random.share() < if has(draft, "host", "web-7") { 0.5 } else { 0.005 });
    let found = compare_rest(&drafts, "filter @level = 'error' | fields @message");
    let shown: Vec<&str> = found.fields.iter().map(|field| &*field.field).collect();
    // The pattern of the errors is theirs alone; host and version are the same events, and the version explains more.
    assert_eq!(shown, ["@pattern", "version"], "{:#?}", found.fields);
    let version = &found.fields[1];
    assert_eq!(version.same_events, [Arc::from("host")]);
    assert_eq!(version.values[0].value, Some(Value::text("v4.13.0")));
    assert!(version.values[0].lift().expect("some succeed") > 10.0);
    let query = version.query.as_deref().expect("words");
    assert_eq!(query, "filter @level = \"error\" | filter version = \"v4.13.0\"");
    let [n, _] = version.values[0].n_events;
    let counted =
        ask(query, (0, HOUR), |set| value_counts(set.plan, &runs_of(&drafts), set.request).expect("counts").n_events);
    assert_eq!(counted, n);
    assert!(version.event.as_ref().expect("an event").text.contains("pool exhausted"));
    assert!(found.n_events[0] + found.n_events[1] == 20_000 && found.note.is_none());
}

#[test]
fn slow_requests_differ_by_their_distribution() {
    let mut drafts = requests(2, 6_000, |_, _| false);
    for draft in &mut drafts {
        if has(draft, "path", "/pay") {
            draft.fields.last_mut().expect("a duration").1 = Value::Integer(4_000 + draft.at % 1_000);
        }
    }
    let found = compare_rest(&drafts, "filter path = '/pay' | fields @message");
    assert_eq!(found.fields.len(), 1, "{:#?}", found.fields);
    let numbers = found.fields[0].numbers.expect("numbers");
    assert_eq!(&*found.fields[0].field, "duration_ms");
    assert!(numbers.p50[0] >= 3_960.0 && numbers.p50[1] <= 60.0, "{numbers:?}");
    assert!((104.0..=120.0).contains(&numbers.threshold), "{numbers:?}");
    assert_eq!(numbers.shares_above, [1.0, 0.0]);
}

#[test]
fn one_tenant_among_a_million_users_is_counted_exactly() {
    let mut drafts = requests(3, 60_000, |_, random| random.share() < 0.05);
    let mut random = Random::new(4);
    for draft in drafts.iter_mut().filter(|draft| draft.level == Level::Error) {
        if random.share() < 0.4 {
            draft.fields[3].1 = Value::text("u-big");
        }
    }
    let n_big = drafts.iter().filter(|draft| has(draft, "user", "u-big")).count() as u64;
    let found = compare_rest(&drafts, "filter @level = 'error' | fields @message");
    let user = found.fields.iter().find(|field| &*field.field == "user").expect("a finding");
    assert_eq!(user.values[0].value, Some(Value::text("u-big")));
    assert_eq!(user.values[0].n_events, [n_big, 0]);
    assert_eq!(user.values.len(), 1);
}

#[test]
fn a_value_that_the_selection_lacks_is_shown_by_an_event_of_the_others() {
    let drafts = requests(5, 8_000, |draft, random| !has(draft, "zone", "a") && random.share() < 0.1);
    let found = compare_rest(&drafts, "filter @level = 'error' | fields @message");
    let zone = found.fields.iter().find(|field| &*field.field == "zone").expect("a finding");
    let lacking = zone.values.iter().find(|value| value.value == Some(Value::text("a"))).expect("the value");
    assert_eq!((lacking.n_events[0], lacking.lift()), (0, Some(0.0)));
}

#[test]
fn empty_tiny_and_constant_selections_say_so() {
    let drafts = requests(6, 1_000, |_, _| false);
    let empty = compare_rest(&drafts, "filter zone = 'x' | fields @message");
    assert_eq!(empty.note.as_deref(), Some("the selection has no events"));
    let tiny = compare_rest(&drafts, "filter @message like 'request 1 done' or @message like 'request 2 done'");
    assert_eq!(tiny.note.as_deref(), Some("the selection has 2 events; at least 5 are needed to compare"));
    let all = compare_rest(&drafts, "filter ispresent(zone) | fields @message");
    assert_eq!(all.note.as_deref(), Some("the baseline has no events"));
    assert!(empty.fields.is_empty() && tiny.fields.is_empty() && all.fields.is_empty());
    let nothing = compare_rest(&[], "filter zone = 'x' | fields @message");
    assert_eq!(nothing.n_events, [0, 0]);
    // Events that are all the same differ in nothing.
    let same: Vec<Draft> =
        (0..500).map(|n| Draft::new(DAY + n * SECOND, "g", Level::Info, "tick").field("a", "x")).collect();
    let runs = runs_of(&same);
    let found = ask("fields @message", (0, 4 * MINUTE), |selection| {
        ask("fields @message", (4 * MINUTE, HOUR), |before| {
            differences(selection, Baseline::Events(before), &runs).expect("an answer")
        })
    });
    assert!(found.fields.is_empty() && found.note.is_none());
}

#[test]
fn chance_is_no_finding() {
    check_mostly(60, |seed, random| {
        let (n, share) = (200 + random.below(2_800), 0.02 + random.share() / 2.0);
        let drafts = requests(seed, n, |_, random| random.share() < share);
        let mut found = compare_rest(&drafts, "filter @level = 'error' | fields @message");
        found.fields.retain(|field| &*field.field != PATTERN_FIELD);
        expect(found.fields.is_empty(), &found.fields)
    });
}
