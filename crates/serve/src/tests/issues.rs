//! Issues through the API: what is listed, what is decided, and what a key for some groups sees of it.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{ADMIN_KEY, House, Reply};

impl House {
    async fn issues_as(&self, key: &str, method: &str, path: &str, body: &Value) -> Reply {
        let request = Request::builder().method(method).uri(format!("/api/v1/issues{path}"));
        let request = request.header("x-catat-key", key).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    async fn issues(&self, parameters: &str) -> Vec<Value> {
        let reply = self.issues_as(ADMIN_KEY, "GET", parameters, &Value::Null).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["issues"].as_array().cloned().unwrap_or_default()
    }

    async fn fail(&self, group: &str, errors: &[(&str, &str)]) {
        let line = |(service, message): &(&str, &str)| {
            let at = super::NOW;
            json!({"@timestamp": at, "message": message, "level": "error", "service": service, "host": "h1"})
                .to_string()
        };
        let lines: Vec<String> = errors.iter().map(line).collect();
        assert_eq!(self.post(&format!("/api/v1/ingest?group={group}"), lines.join("\n")).await.status, 200);
    }
}

fn titles(issues: &[Value]) -> Vec<&str> {
    issues.iter().map(|issue| issue["title"].as_str().unwrap_or_default()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_are_listed_as_issues_and_their_queries_find_their_events() {
    let house = House::new();
    house.fail("app", &[("pay", "order 7 failed: timeout"), ("pay", "order 8 failed: timeout")]).await;
    house.fail("app", &[("web", "order 7 failed: timeout")]).await;
    let trace = "java.lang.IllegalStateException: order 9\n\tat a.Pay.charge(Pay.java:3)\n\tat a.Web.run(Web.java:9)";
    house.fail("app", &[("pay", trace)]).await;
    let issues = house.issues("?service=pay").await;
    let mut found: Vec<(&str, u64)> = Vec::new();
    for issue in &issues {
        found.push((issue["title"].as_str().unwrap_or_default(), issue["count"].as_u64().unwrap_or_default()));
        let body = json!({"query": format!("{}\n| stats count(*) as n", issue["query"].as_str().unwrap_or_default()),
            "from": "2026-11-20T11:00:00Z", "to": "2026-11-20T13:00:00Z", "groups": [issue["group"]]});
        let answer = house.administer("POST", "/api/v1/query", body.to_string()).await;
        assert_eq!(answer.json()["rows"][0][0], issue["count"], "{}: {}", issue["query"], answer.text());
    }
    found.sort_unstable();
    assert_eq!(
        found,
        [("java.lang.IllegalStateException: order 9 in a.Pay.charge", 1), ("order <*> failed: timeout", 2)]
    );
    assert_eq!(issues[0]["hosts"], json!(["h1"]));
    assert_eq!(issues[0]["trend"].as_array().map(Vec::len), Some(24));
    assert_eq!(house.issues("?groups=other").await.len(), 0);
    let url = issues.iter().map(|issue| issue["url"].as_str().unwrap_or_default());
    assert!(url.clone().all(|url| url.starts_with("/?q=filter%20%40level")), "{:?}", url.collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_are_the_different_values_of_a_field_also_of_merged_issues() {
    let house = House::new();
    let error = |user: &str, message: &str| {
        json!({"@timestamp": super::NOW, "message": message, "level": "error", "service": "pay", "user.id": user})
            .to_string()
    };
    let mut lines = vec![error("ann", "disk full"), error("bob", "disk full"), error("ann", "disk full")];
    lines.extend([error("cid", "quota exceeded"), error("bob", "quota exceeded")]);
    lines.push(
        json!({"@timestamp": super::NOW, "message": "disk full", "level": "error", "service": "pay"}).to_string(),
    );
    assert_eq!(house.post("/api/v1/ingest?group=app", lines.join("\n")).await.status, 200);
    let users = |issues: &[Value], title: &str| {
        let issue = issues.iter().find(|issue| issue["title"] == title).expect("an issue");
        (issue["id"].as_str().unwrap_or_default().to_owned(), issue["users"].clone())
    };
    let issues = house.issues("?users=user.id").await;
    let (disk, of_disk) = users(&issues, "disk full");
    let (quota, of_quota) = users(&issues, "quota exceeded");
    let values = json!([{"value": "ann", "events": 2}, {"value": "bob", "events": 1}]);
    let expected = json!({"field": "user.id", "count": 2, "more": false, "values": values, "partial": false});
    assert_eq!((of_disk, &of_quota["count"]), (expected, &json!(2)));
    assert_eq!(house.issues("").await[0].get("users"), None);
    let merged = house.issues_as(ADMIN_KEY, "POST", "/merge", &json!({"ids": [disk, quota]})).await;
    assert_eq!(merged.status, 200, "{}", merged.text());
    let one = house.issues_as(ADMIN_KEY, "GET", &format!("/{quota}?users=user.id"), &Value::Null).await.json();
    assert_eq!((&one["users"]["count"], &one["count"]), (&json!(3), &json!(6)), "{one:#}");
    let none = house.issues_as(ADMIN_KEY, "GET", &format!("/{quota}?users=customer"), &Value::Null).await.json();
    assert_eq!(none["users"]["count"], 0);
    let (_, key) = house.key("read", &["web/*"]).await;
    let foreign = house.issues_as(&key, "GET", &format!("/{quota}?users=user.id"), &Value::Null).await;
    assert_eq!(foreign.status, 404);
    assert_eq!(house.issues_as(ADMIN_KEY, "GET", "?users=%20", &Value::Null).await.status, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states_are_set_and_asked_for() {
    let house = House::new();
    house.fail("app", &[("pay", "disk full"), ("pay", "quota exceeded")]).await;
    let id = |issues: &[Value]| issues[0]["id"].as_str().unwrap_or_default().to_owned();
    let first = id(&house.issues("").await);
    let path = format!("/{first}");
    let change = json!({"state": "ignored", "until": "now+7d", "owner": "ann", "note": "known"});
    let changed = house.issues_as(ADMIN_KEY, "PATCH", &path, &change).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let changed = changed.json();
    assert_eq!((&changed["state"], &changed["owner"]), (&json!("ignored"), &json!("ann")));
    assert_eq!(changed["until"], json!({"time": "2026-11-27T12:00:00Z"}));
    assert_eq!((house.issues("?state=open").await.len(), house.issues("?state=ignored").await.len()), (1, 1));
    assert_eq!(house.issues("?state=open,ignored").await.len(), 2);
    assert_eq!(house.restarted().issues("?state=ignored").await.len(), 1);
    for (method, path, body, status, code) in [
        ("GET", "?state=closed", json!(null), 400, "bad-parameter"),
        ("GET", "?stat=open", json!(null), 400, "unknown-parameter"),
        ("PATCH", &*path, json!({"state": "closed"}), 400, "bad-issue"),
        ("PATCH", &*path, json!({"status": "open"}), 400, "bad-issue"),
        ("PATCH", &*path, json!({"state": "open", "until": 3}), 400, "bad-issue"),
        ("PATCH", "/0123456789abcdef", json!({"state": "open"}), 404, "not-found"),
        ("POST", "/merge", json!({"ids": [first]}), 400, "bad-issue"),
        ("POST", "/merge", json!({"ids": [first, "x"]}), 404, "not-found"),
        ("POST", &*format!("{path}/split"), json!(null), 409, "issue-conflict"),
    ] {
        let refused = house.issues_as(ADMIN_KEY, method, path, &body).await;
        let error = &refused.json()["error"];
        assert_eq!((refused.status, error["code"].as_str()), (status, Some(code)), "{method} {path} {body}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_for_some_groups_sees_and_changes_the_issues_of_these() {
    let house = House::new();
    house.fail("web/a", &[("pay", "disk full")]).await;
    house.fail("db/a", &[("pg", "disk full")]).await;
    let (_, narrow) = house.key("operate", &["web/*"]).await;
    let (_, reader) = house.key("read", &["*"]).await;
    let all = house.issues("").await;
    assert_eq!(titles(&all), ["disk full", "disk full"]);
    let seen = house.issues_as(&narrow, "GET", "", &Value::Null).await.json();
    assert_eq!((seen["issues"].as_array().map(Vec::len), &seen["issues"][0]["group"]), (Some(1), &json!("web/a")));
    let id_of = |group: &str| {
        let found = all.iter().find(|issue| issue["group"] == group);
        found.and_then(|issue| issue["id"].as_str()).unwrap_or_default().to_owned()
    };
    let (own, other) = (id_of("web/a"), id_of("db/a"));
    let open = json!({"state": "acknowledged"});
    assert_eq!(house.issues_as(&narrow, "GET", &format!("/{other}"), &Value::Null).await.status, 404);
    assert_eq!(house.issues_as(&narrow, "PATCH", &format!("/{other}"), &open).await.status, 404);
    assert_eq!(house.issues_as(&narrow, "POST", "/merge", &json!({"ids": [own, other]})).await.status, 404);
    assert_eq!(house.issues_as(&narrow, "PATCH", &format!("/{own}"), &open).await.status, 200);
    assert_eq!(house.issues_as(&reader, "PATCH", &format!("/{own}"), &open).await.status, 403);
    // A key for one of the groups would see counts of the other.
    assert_eq!(house.issues_as(ADMIN_KEY, "POST", "/merge", &json!({"ids": [own, other]})).await.status, 409);
}
