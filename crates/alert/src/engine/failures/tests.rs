//! Which alerts are of one failure.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;

/// An alert by id, seconds after noon, group, and what else is known of it.
fn alert(id: &str, second: u32, log: &str, more: Json) -> AlertView {
    let text = |name: &str| more[name].as_str().map(str::to_owned);
    AlertView {
        id: id.to_owned(),
        rule: "new".to_owned(),
        state: "alarm",
        labels: BTreeMap::from([("@log".to_owned(), log.to_owned())]),
        annotations: BTreeMap::new(),
        value: None,
        window: "5m".to_owned(),
        since: format!("2026-11-20T12:{:02}:{:02}Z", second / 60, second % 60),
        began: text("began"),
        failure: String::new(),
        traces: text("trace").into_iter().collect(),
        active_at: Timestamp(0),
        quiet_since: None,
        url: String::new(),
        silenced_by: Vec::new(),
        acknowledged: None,
        notified: Vec::new(),
        pattern: text("pattern").map(|text| json!({"text": text})),
        counts: text("service").map(|service| json!({"field": "service", "values": [{"value": service, "count": 3}]})),
        first: None,
        last: None,
    }
}

fn failures(mut views: Vec<AlertView>) -> String {
    note_failures(&mut views);
    views.iter().map(|view| format!("{}:{}", view.id, view.failure)).collect::<Vec<_>>().join(" ")
}

#[test]
fn alerts_of_one_service_trace_or_text_within_a_minute_are_of_one_failure() {
    let none = || json!({});
    let of_service = |service: &str| json!({"service": service});
    // The group of spans names the service that the other one has in its name, or in its events.
    assert_eq!(failures(vec![alert("a", 20, "app/pay", none()), alert("b", 10, "traces/pay", none())]), "a:b b:b");
    assert_eq!(
        failures(vec![alert("a", 0, "k8s", of_service("pay")), alert("b", 59, "traces/pay", none())]),
        "a:a b:a"
    );
    assert_eq!(failures(vec![alert("a", 0, "traces/pay", none()), alert("b", 61, "traces/pay", none())]), "a:a b:b");
    // Two groups whose names end alike say nothing of a service.
    assert_eq!(failures(vec![alert("a", 0, "db/prod", none()), alert("b", 0, "web/prod", none())]), "a:a b:b");
    let trace = || json!({"trace": "4bf9"});
    assert_eq!(failures(vec![alert("a", 0, "app/pay", trace()), alert("b", 5, "app/web", trace())]), "a:a b:a");
    let text = || json!({"pattern": "pool exhausted"});
    assert_eq!(
        failures(vec![alert("a", 0, "x", text()), alert("b", 5, "y", text()), alert("c", 5, "z", none())]),
        "a:a b:a c:c"
    );
    // What one has in common with another, and that with a third, is one failure.
    let both = json!({"trace": "4bf9", "pattern": "pool exhausted"});
    assert_eq!(
        failures(vec![alert("a", 9, "x", text()), alert("b", 5, "y", trace()), alert("c", 7, "z", both)]),
        "a:b b:b c:b"
    );
    // Alerts may fire at different times though their events began together.
    let began = |second: u32| json!({"began": format!("2026-11-20T11:00:{second:02}Z"), "service": "pay"});
    assert_eq!(failures(vec![alert("a", 0, "x", began(1)), alert("b", 900, "y", began(40))]), "a:a b:a");
}
