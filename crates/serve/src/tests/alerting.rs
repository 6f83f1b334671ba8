//! Rules, channels, silences and acknowledgements through the API: who may, what is refused, and what is seen.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{House, Reply};

impl House {
    async fn alerting_as(&self, key: &str, method: &str, path: &str, body: &Value) -> Reply {
        let request = Request::builder().method(method).uri(format!("/api/v1/{path}"));
        let request = request.header("x-catat-key", key).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    async fn names_of(&self, key: &str, what: &str) -> Vec<String> {
        let shown = self.alerting_as(key, "GET", what, &Value::Null).await.json();
        let list = shown[what].as_array().cloned().unwrap_or_default();
        list.iter().map(|one| one["name"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

const FILE: &str = "groups: [{name: g, rules: [{name: filed, query: filter @level = \"error\", groups: [\"web/*\"]}]}]";

#[tokio::test]
async fn rules_are_made_changed_and_removed_by_whom_their_groups_exist_for() {
    let house = House::with_rules(FILE);
    let (_, web) = house.key("operate", &["web/*"]).await;
    let (_, db) = house.key("operate", &["db"]).await;
    let (_, reader) = house.key("read", &["*"]).await;
    let rule = json!({"name": "slow", "query": "filter ms > 100", "window": "5m", "labels": {"team": "web"}});
    assert_eq!(house.alerting_as(&reader, "POST", "rules", &rule).await.status, 403);
    let made = house.alerting_as(&web, "POST", "rules", &rule).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!((&made.json()["groups"], &made.json()["definition"]["window"]), (&json!(["web/*"]), &json!("5m")));
    assert_eq!(house.alerting_as(&web, "POST", "rules", &rule).await.status, 409);
    assert_eq!(house.names_of(&web, "rules").await, ["filed", "slow"]);
    assert_eq!(house.names_of(&db, "rules").await, Vec::<String>::new());
    for (method, body) in [("GET", Value::Null), ("DELETE", Value::Null), ("PUT", json!({"query": "filter a = 1"}))] {
        let status = house.alerting_as(&db, method, "rules/slow", &body).await.status;
        assert_eq!(status, if method == "GET" { 404 } else { 403 }, "{method}");
    }
    let beyond = json!({"name": "far", "query": "filter a = 1", "groups": ["db"]});
    let refused = house.alerting_as(&web, "POST", "rules", &beyond).await;
    assert!(refused.status == 400 && refused.text().contains("does not exist for"), "{}", refused.text());
    let wrong = house.alerting_as(&web, "PUT", "rules/slow", &json!({"query": "filter ms >"})).await;
    assert!(wrong.status == 400 && wrong.text().contains("query: "), "{}", wrong.text());
    let off = house.alerting_as(&web, "PATCH", "rules/slow", &json!({"enabled": false})).await;
    assert_eq!((off.status, &off.json()["enabled"]), (200, &json!(false)));
    for (method, body) in [("PUT", json!({"query": "filter a = 1"})), ("DELETE", Value::Null)] {
        let refused = house.alerting_as(&web, method, "rules/filed", &body).await;
        assert!(refused.status == 409 && refused.text().contains("rules.yaml"), "{}", refused.text());
    }
    let bare = house.restarted();
    assert_eq!(bare.names_of(&web, "rules").await, ["slow"], "it outlives a restart");
    assert_eq!(house.alerting_as(&web, "DELETE", "rules/slow", &Value::Null).await.status, 200);
    assert_eq!(house.names_of(&web, "rules").await, ["filed"]);
    let query = "/api/v1/query?groups=catat/audit&from=0&query=filter+action+like+%22rule%22+|+stats+count(*)+by+action+|+sort+action";
    let told = house.administer("GET", query, "").await.json();
    assert_eq!(told["rows"], json!([["rule removed", 1], ["rule set", 1], ["rule switched", 1]]), "{told}");
}

#[tokio::test]
async fn channels_show_no_secret_and_a_test_says_what_became_of_it() {
    let house = House::new();
    let (_, ops) = house.key("operate", &["*"]).await;
    let (_, web) = house.key("operate", &["web/*"]).await;
    let (_, reader) = house.key("read", &["*"]).await;
    let near = json!({"name": "near", "type": "webhook", "url": "http://127.0.0.1:9/hush"});
    let refused = house.alerting_as(&ops, "POST", "channels", &near).await;
    assert!(refused.status == 400 && refused.text().contains("private network"), "{}", refused.text());
    let named = json!({"name": "named", "type": "webhook", "url": "http://localhost.:9/hush", "secret": "hush"});
    assert_eq!(house.alerting_as(&ops, "POST", "channels", &named).await.status, 400);
    let far = json!({"name": "far", "type": "webhook", "url": "https://hooks.example.org/hush", "secret": "hush"});
    let made = house.alerting_as(&ops, "POST", "channels", &far).await;
    assert_eq!((made.status, &made.json()["secrets"]), (201, &json!(["url", "secret"])), "{}", made.text());
    assert!(!made.text().contains("hush"), "{}", made.text());
    assert_eq!(house.names_of(&web, "channels").await, Vec::<String>::new());
    assert_eq!(house.alerting_as(&web, "DELETE", "channels/far", &Value::Null).await.status, 403);
    assert_eq!(house.alerting_as(&reader, "GET", "channels", &Value::Null).await.status, 403);
    let command = json!({"name": "c", "type": "command", "command": ["/bin/true"]});
    assert_eq!(house.alerting_as(&ops, "POST", "channels", &command).await.status, 403);
    assert_eq!(house.alerting_as(&ops, "POST", "channels/none/test", &Value::Null).await.status, 404);
    assert_eq!(house.alerting_as(&ops, "DELETE", "channels/far", &Value::Null).await.status, 200);
}

#[tokio::test]
async fn silences_are_made_listed_and_ended_within_a_scope() {
    let house = House::new();
    let (_, web) = house.key("operate", &["web/*"]).await;
    let (_, db) = house.key("operate", &["db"]).await;
    let silence = json!({"matchers": [{"name": "host", "value": "web-.*", "is_regex": true}], "duration": "2h"});
    let made = house.alerting_as(&web, "POST", "silences", &silence).await;
    assert_eq!((made.status, &made.json()["status"]), (201, &json!("active")), "{}", made.text());
    let id = made.json()["id"].as_str().unwrap_or_default().to_owned();
    for wrong in [json!({"matchers": []}), json!({"matchers": [{"name": "a", "value": "("}]}), json!({})] {
        assert_eq!(house.alerting_as(&web, "POST", "silences", &wrong).await.status, 400, "{wrong}");
    }
    let seen = |shown: Value| shown["silences"].as_array().map_or(0, Vec::len);
    assert_eq!(seen(house.alerting_as(&db, "GET", "silences", &Value::Null).await.json()), 0);
    assert_eq!(house.alerting_as(&db, "DELETE", &format!("silences/{id}"), &Value::Null).await.status, 404);
    assert_eq!(house.alerting_as(&web, "DELETE", &format!("silences/{id}"), &Value::Null).await.status, 200);
    let shown = house.alerting_as(&web, "GET", "silences", &Value::Null).await.json();
    assert_eq!((seen(shown.clone()), &shown["silences"][0]["status"]), (1, &json!("expired")));
    assert_eq!(house.alerting_as(&web, "POST", "alerts/none/acknowledge", &Value::Null).await.status, 404);
    let on_it = json!({"comment": "on it"});
    assert_eq!(house.alerting_as(&web, "POST", "alerts/none/acknowledge", &on_it).await.status, 404);
    let unknown = house.alerting_as(&web, "POST", "alerts/none/acknowledge", &json!({"by": "ann"})).await;
    assert!(unknown.status == 400 && unknown.text().contains("unknown field `by`"), "{}", unknown.text());
}
