//! Incidents: times by hand and by alerts, scopes, and changes at the same time.

use serde_json::{Value as Json, json};
use types::GroupPattern;

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("a time")
}

fn now() -> Timestamp {
    at("2026-11-20T12:00:00Z")
}

fn ann() -> Author {
    Author { name: "ann".into(), scope: GroupScope::All }
}

fn changed(before: &Incident, change: &Json) -> Result<Incident, String> {
    let change: IncidentChange = serde_json::from_value(change.clone()).map_err(|error| error.to_string())?;
    before.changed(change, &ann(), now()).map_err(|error| error.to_string())
}

fn new() -> Incident {
    Incident { title: "t".into(), ..Incident::new("i".into(), &ann(), now()) }
}

#[test]
fn alerts_set_what_people_have_not_set() {
    let alert = |id: &str, at: &str| json!({"kind": "alert", "reference": id, "at": at, "text": "errors"});
    let with = |incident: &Incident, item: Json| {
        let item: NewItem = serde_json::from_value(item).expect("an item");
        incident.with_item(item, &ann(), now()).expect("a good item")
    };
    let one = with(&new(), alert("a", "2026-11-20T11:10:00Z"));
    let two = with(&one, alert("b", "2026-11-20T11:05:00Z"));
    assert_eq!((two.detected, two.mitigated), (Some(at("2026-11-20T11:05:00Z").0), None));
    let ended = two.with_ended_alerts(&|id| id == "b", at("2026-11-20T11:30:00Z")).expect("one ended");
    assert_eq!(ended.mitigated, None, "one fires still");
    assert_eq!(ended.with_ended_alerts(&|_| true, now()), None);
    let over = ended.with_ended_alerts(&|_| false, at("2026-11-20T11:40:00Z")).expect("the other ended");
    assert_eq!(over.mitigated, Some(at("2026-11-20T11:40:00Z").0));
    let by_hand = changed(&over, &json!({"mitigated": "2026-11-20T11:35:00Z", "detected": "now-2h"})).expect("good");
    assert_eq!(by_hand.mitigated, Some(at("2026-11-20T11:35:00Z").0));
    let more = with(&by_hand, alert("c", "2026-11-20T09:00:00Z"));
    assert_eq!(more.detected, Some(at("2026-11-20T10:00:00Z").0));
    let given_back = changed(&more, &json!({"mitigated": null, "detected": null})).expect("good");
    assert_eq!((given_back.detected, given_back.mitigated), (Some(at("2026-11-20T09:00:00Z").0), None));
}

#[test]
fn items_keep_who_and_when_and_can_be_sent_back() {
    let item = json!({"text": "pool is larger"});
    let one = changed(&new(), &json!({"items": [item]})).expect("a good change");
    assert_eq!((one.items[0].by.as_str(), one.items[0].at), ("ann", now().0));
    let mut sent_back = serde_json::to_value(&one.items).expect("JSON");
    sent_back[0]["text"] = "forged".into();
    sent_back.as_array_mut().expect("a list").push(json!({"kind": "mark", "text": "deploy 1.4.2"}));
    let two = changed(&one, &json!({"items": sent_back})).expect("a good change");
    assert_eq!((two.items.len(), two.items[0].text.as_str()), (2, "pool is larger"));
    let id = two.items[0].id.clone();
    let left = two.without_item(&id, now()).expect("it was there");
    assert_eq!(left.items.len(), 1);
    assert!(left.without_item(&id, now()).is_err());
}

#[test]
fn mistakes_name_the_member() {
    let began = changed(&new(), &json!({"began": "2026-11-20T11:00:00Z"})).expect("good");
    for (change, expected) in [
        (json!({"title": ""}), "title: is empty"),
        (json!({"title": "a\u{7}"}), "title: has control characters"),
        (json!({"titel": "a"}), "unknown field `titel`"),
        (json!({"began": "someday"}), "began: "),
        (json!({"began": true}), "began: neither a text nor a number"),
        (json!({"mitigated": "2026-11-20T10:00:00Z"}), "mitigated: lies before began"),
        (json!({"version": 9}), "incident i was changed meanwhile: it has version 1"),
        (json!({"items": [{}]}), "text: an item of kind note needs it"),
        (json!({"items": [{"kind": "event", "text": "x"}]}), "reference: an item of kind event needs it"),
        (json!({"items": [{"kind": "query"}]}), "query: an item of kind query needs it"),
        (json!({"items": [{"text": "x", "url": "https://elsewhere"}]}), "url: is a path on this server"),
        (json!({"items": [{"text": "x", "at": "now", "until": "now-1h"}]}), "until: lies before at"),
        (json!({"services": vec!["x"; 51]}), "services: at most 50"),
    ] {
        let found = changed(&began, &change).expect_err("a mistake");
        assert!(found.contains(expected), "{change}: {found}");
    }
}

#[test]
fn an_incident_exists_for_those_who_reach_all_its_groups() {
    let scope =
        |patterns: &[&str]| GroupScope::Matching(patterns.iter().map(|text| GroupPattern::new(*text)).collect());
    let narrow = Author { name: "bob".into(), scope: scope(&["app/*"]) };
    let own = Incident::new("i".into(), &narrow, now());
    assert_eq!(own.groups, ["app/*"]);
    for (patterns, is_seen) in [(&["app/*"][..], true), (&["*"], true), (&["app/web"], false), (&["db/*"], false)] {
        assert_eq!(own.is_within(&scope(patterns)), is_seen, "{patterns:?}");
    }
    assert!(!new().is_within(&scope(&["app/*"])), "about all groups");
    let widened =
        own.changed(IncidentChange { groups: Some(vec!["db/*".into()]), ..IncidentChange::default() }, &narrow, now());
    assert!(widened.is_err());
    let pinned = NewItem {
        kind: ItemKind::Event,
        reference: Some("x".into()),
        groups: Some("db/a".into()),
        ..NewItem::default()
    };
    assert!(own.with_item(pinned.clone(), &ann(), now()).is_err(), "outside of the incident");
    assert!(new().with_item(pinned.clone(), &narrow, now()).is_err(), "outside of the caller's groups");
    let with_item = new().with_item(pinned, &ann(), now()).expect("a good item");
    assert!(changed(&with_item, &json!({"groups": ["app/*"]})).is_err(), "it would show the item to others");
    assert!(changed(&with_item, &json!({"groups": ["app/*", "db/*"]})).is_ok());
}
