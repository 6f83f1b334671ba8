//! Rules on trial: what they say of the store and of events at hand, when they would have fired, and for whom.

use serde_json::{Value, json};

use super::House;

impl House {
    async fn tried(&self, route: &str, body: Value) -> Value {
        let reply = self.post(&format!("/api/v1/rules/{route}"), body.to_string()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }
}

fn errors() -> Value {
    json!({
        "name": "errors", "query": "filter @level >= \"error\" | stats count(*) as n by service", "window": "15m",
        "condition": "n > 0", "annotations": {"summary": "{{ value }} in {{ labels.service }}"},
    })
}

#[tokio::test]
async fn a_rule_is_tried_on_what_is_stored() {
    let house = House::new();
    house.fill().await;
    let tried = house.tried("test", json!({"rule": errors()})).await;
    assert_eq!((&tried["valid"], &tried["partial"], &tried["why"]), (&json!(true), &json!(false), &json!("2 firing")));
    assert_eq!(tried["columns"], json!(["service", "n"]));
    assert_eq!((tried["rows"].as_array().map(Vec::len), &tried["holds"]), (Some(2), &json!([true, true])));
    let summaries: Vec<&Value> =
        tried["alerts"].as_array().expect("alerts").iter().map(|alert| &alert["annotations"]["summary"]).collect();
    assert_eq!(summaries, [&json!("1 in api"), &json!("1 in web")]);
    let earlier = house.tried("test", json!({"rule": errors(), "at": "2026-11-20T11:52:30Z"})).await;
    assert_eq!(earlier["rows"], json!([["web", 1]]));
    assert_eq!(house.get("/api/v1/alerts").await.json()["alerts"], json!([]), "nothing is kept");
}

#[tokio::test]
async fn a_rule_is_tried_on_events_at_hand() {
    let house = House::new();
    let text = "name: full\nquery: filter disk > 90 | stats max(disk) as worst by @log\nmissing: ok\n";
    let events = json!([
        {"@timestamp": "2026-11-20T11:59:00Z", "message": "a", "disk": 97, "@log": "hosts/a"},
        {"message": "b", "disk": 20},
    ]);
    let tried = house.tried("test", json!({"text": text, "events": events})).await;
    assert_eq!(tried["rows"], json!([["hosts/a", 97]]), "{tried}");
    assert_eq!(tried["alerts"][0]["state"], "alarm");
    let bad = house.post("/api/v1/rules/test", json!({"text": text, "events": [7]}).to_string()).await;
    assert!(bad.status == 400 && bad.text().contains("event 0"), "{}", bad.text());
}

#[tokio::test]
async fn what_is_wrong_with_a_rule_is_said_with_its_place() {
    let house = House::new();
    let text = "name: r\nquery: filter a = 1\nwindow: soon\n";
    let tried = house.tried("test", json!({"text": text})).await;
    assert_eq!((&tried["valid"], &tried["errors"][0]["line"]), (&json!(false), &json!(3)), "{tried}");
    let tried = house.tried("test", json!({"rule": {"name": "r", "qery": "x"}})).await;
    assert!(tried["errors"][0]["message"].to_string().contains("qery"), "{tried}");
    for (route, body) in [
        ("test", json!({})),
        ("test", json!({"rule": errors(), "text": text})),
        ("backtest", json!({"rule": errors()})),
        ("backtest", json!({"rule": {"name": "r", "qery": "x"}, "from": "now-1h"})),
        ("backtest", json!({"rule": errors(), "from": "now+1h", "to": "now+2h"})),
    ] {
        let reply = house.post(&format!("/api/v1/rules/{route}"), body.to_string()).await;
        assert_eq!(reply.status, 400, "{body}: {}", reply.text());
    }
}

#[tokio::test]
async fn a_backtest_says_when_it_would_have_fired() {
    let house = House::new();
    house.fill().await;
    let rule = json!({"name": "r", "query": "filter @level = \"error\"", "window": "1m", "interval": "30s"});
    let found = house.tried("backtest", json!({"rule": rule, "from": "2026-11-20T11:00:00Z", "to": "now"})).await;
    assert_eq!((&found["step"], &found["evaluations"]), (&json!("30s"), &json!(121)), "{found}");
    // Windows of a minute that hold 11:52:00 or 11:53:30 follow each other at turns of 30 seconds: one alert.
    let starts: Vec<&Value> =
        found["alerts"].as_array().expect("alerts").iter().map(|alert| &alert["starts_at"]).collect();
    assert_eq!(starts, [&json!("2026-11-20T11:52:00Z")], "{found}");
    assert_eq!((&found["n_notifications"], &found["partial"]), (&json!(2), &json!(false)));
}

#[tokio::test]
async fn trials_see_what_their_caller_may_see() {
    let house = House::new();
    house.fill().await;
    let (_, key) = house.key("read", &["db"]).await;
    for (route, from) in [("test", None), ("backtest", Some("now-1h"))] {
        let mut body = json!({"rule": {"name": "r", "query": "source \"*\" | filter @level = \"error\""}});
        if let Some(from) = from {
            body["from"] = json!(from);
        }
        let reply = house.as_key(&key, "POST", &format!("/api/v1/rules/{route}"), body.to_string()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.json()["alerts"], json!([]), "what fires is in another group");
    }
}

#[tokio::test]
async fn how_evaluations_go_is_on_the_page_of_metrics() {
    let house = House::with_rules("groups: [{name: g, rules: [{name: 'a \"b\"', query: 'filter a = 1'}]}]");
    let page = house.administer("GET", "/metrics", "").await.text();
    for family in ["evaluations_total", "evaluation_failures_total", "evaluation_lag_seconds"] {
        assert!(page.contains(&format!("catat_rule_{family}{{rule=\"a \\\"b\\\"\"}} ")), "{family}: {page}");
    }
}
