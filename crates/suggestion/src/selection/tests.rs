//! Queries that may need what pipelines take away, and queries that surely do not.

use chrono_tz::Tz;
use language::{ParseOptions, parse_insights};
use serde_json::json;
use types::Timestamp;

use super::*;

fn health() -> Json {
    json!({
        "name": "health",
        "match": {
            "group": "shop/web", "matches": r"(?s)^\s*GET\s+/healthz\s+[0-9]+\s*$", "not": {"level": ["warn", "error", "fatal"]},
        },
        "steps": [{"drop": "event"}],
    })
}

fn may_use(definition: &Json, query: &str) -> bool {
    let plan = parse_insights(query, &ParseOptions { now: Timestamp(0), time_zone: Tz::UTC }).expect(query);
    Selection::all_of(definition).iter().any(|selection| selection.may_be_used_by(plan.operators()))
}

#[test]
fn queries_that_surely_need_no_such_event_are_told() {
    for query in [
        "filter @level >= \"error\"",
        "filter @level = \"warn\" | stats count(*) by service",
        "filter @level in [\"error\", \"fatal\"]",
        "filter @message like \"checkout failed\"",
        "filter @message like \"POST\"",
        "filter @message like /checkout/",
        "filter @message not like \"/healthz\"",
        "filter @level >= \"error\" or @message like \"timeout\"",
        "filter status >= 500 and @level = \"error\"",
        "filter @message like \"GET\" | filter @level = \"fatal\"",
        "filter @message = \"ready\"",
    ] {
        assert!(!may_use(&health(), query), "{query}");
    }
}

#[test]
fn queries_that_may_need_one_and_those_that_cannot_be_told_do() {
    for query in [
        "",
        "stats count(*) by bin(1m)",
        "filter @level = \"info\"",
        "filter @level != \"error\"",
        "filter @message like \"healthz\"",
        "filter @message like \"GET\"",
        "filter @message like /2[0-9]+/",
        "filter @message not like \"POST\"",
        "filter status >= 500",
        "filter service = \"web\"",
        "filter @any like \"checkout failed\"",
        "fields upper(@message) as loud | filter loud like \"CHECKOUT\"",
        "filter @message like \"checkout\" or status = 200",
        "filter not (@level >= \"error\")",
    ] {
        assert!(may_use(&health(), query), "{query}");
    }
}

#[test]
fn the_wider_a_pipeline_the_more_it_may_take() {
    let debug = json!({"name": "d", "match": {"level": ["debug", "trace"]}, "steps": [{"drop": "event"}]});
    assert!(!may_use(&debug, "filter @level >= \"info\"") && may_use(&debug, "filter @level = \"debug\""));
    assert!(may_use(&debug, "filter @message like \"checkout\""));
    let all = json!({"name": "all", "steps": [{"sample": 10}]});
    assert!(may_use(&all, "filter @level = \"fatal\""));
    // A step before it may have changed the level.
    let late = json!({"name": "l", "match": {"level": "debug"}, "steps": [{"level": "severity"}, {"drop": "event"}]});
    assert!(may_use(&late, "filter @level = \"fatal\""));
    let narrowed = json!({"name": "w", "steps": [{"drop": "event", "when": {"level": "debug"}}]});
    assert!(!may_use(&narrowed, "filter @level = \"fatal\""));
    let loose = json!({"name": "x", "match": {"matches": "healthz"}, "steps": [{"drop": "event"}]});
    assert!(may_use(&loose, "filter @message like \"checkout\""));
    // Two things under `not`: events that are only one of them are not excluded.
    let both =
        json!({"name": "b", "match": {"not": {"level": "error", "contains": "x"}}, "steps": [{"drop": "event"}]});
    assert!(may_use(&both, "filter @level = \"error\""));
}

#[test]
fn steps_that_leave_events_where_they_are_take_none() {
    let kept = json!({"name": "k", "steps": [{"mask": "email"}, {"parse": "json"}, {"drop": ["a"]}, {"sample": 1}]});
    assert!(Selection::all_of(&kept).is_empty());
    let routed = json!({"name": "r", "steps": [{"route": "other"}]});
    assert_eq!(Selection::all_of(&routed).len(), 1);
}

#[test]
fn groups_are_compared_by_their_patterns() {
    let selection = &Selection::all_of(&health())[0];
    let is_in =
        |groups: &[&str]| selection.may_be_in(&groups.iter().map(|group| (*group).to_owned()).collect::<Vec<_>>());
    assert!(is_in(&[]) && is_in(&["shop/*"]) && is_in(&["db", "shop/web"]) && is_in(&["*"]));
    assert!(!is_in(&["db"]) && !is_in(&["shop/pay", "web*"]));
    let any = json!({"name": "a", "match": {"group": "shop/*"}, "steps": [{"drop": "event"}]});
    let any = &Selection::all_of(&any)[0];
    assert!(any.may_be_in(&["shop/pay".to_owned()]) && any.may_be_in(&["*/pay".to_owned()]));
    assert!(!any.may_be_in(&["db".to_owned()]));
}
