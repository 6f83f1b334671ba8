//! The page for everybody: what it tells of a service in every state, and the links by which people without a key see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use storage::Clock;
use types::{Limits, Timestamp};

use super::{ADMIN_KEY, House, Reply, now};

impl House {
    async fn how(&self, name: &str) -> Value {
        let reply = self.get(&format!("/api/v1/for/{name}")).await;
        assert_eq!(reply.status, 200, "{name}: {}", reply.text());
        let how = reply.json();
        agrees(&how);
        how
    }

    /// Sends requests of an access log, one a second up to `minutes_ago`.
    async fn requests(&self, group: &str, n: u32, status: u16, seconds: f64, minutes_ago: i64) {
        let line = |at: u32| {
            let time = Timestamp(now().0 - minutes_ago * Timestamp::MINUTE - i64::from(at) * Timestamp::SECOND);
            let level = if status >= 500 { "error" } else { "info" };
            json!({"@timestamp": time.to_string(), "message": "a request", "level": level, "service": "pay", "status": status,
                "path": "/pay", "method": "POST", "request_time": seconds})
            .to_string()
        };
        let lines: Vec<String> = (0..n).map(line).collect();
        let reply = self.post(&format!("/api/v1/ingest?group={group}"), lines.join("\n")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    async fn link(&self, name: &str, lasts: &str) -> Reply {
        let body = json!({"expires_in": lasts}).to_string();
        let request = Request::post(format!("/api/v1/for/{name}/links")).header("x-catat-key", ADMIN_KEY);
        let request = request.header("content-type", "application/json");
        self.send(request.body(Body::from(body)).expect("a request")).await
    }
}

/// Checks that no answer contradicts another.
fn agrees(how: &Value) {
    let is_well =
        how["up"]["state"] == "up" && !["slower", "slower-for-some"].iter().any(|one| how["speed"]["state"] == *one);
    let open: Vec<&Value> = how["wrong"].as_array().into_iter().flatten().filter(|one| one["open"] == true).collect();
    assert!(open.iter().all(|one| one["until"].is_null()), "{how:#}");
    assert_eq!(how["open"], json!(!open.is_empty()), "{how:#}");
    assert!(is_well || how["open"] == true, "what is not well is named among what went wrong: {how:#}");
    let is_told = open.iter().any(|one| ["alert", "incident"].iter().any(|kind| one["kind"] == *kind));
    assert!(!is_told || how["up"]["state"] != "up", "{how:#}");
}

#[tokio::test]
async fn a_service_that_answers_is_up_and_as_fast_as_usual() {
    let house = House::new();
    house.requests("pay", 20, 200, 0.4, 1).await;
    let how = house.how("pay").await;
    assert_eq!(
        (&how["kind"], &how["up"]["state"], &how["up"]["known_by"]),
        (&json!("group"), &json!("up"), &json!("requests"))
    );
    assert_eq!(how["up"]["failed_of_100"], 0.0);
    assert_eq!((&how["speed"]["state"], &how["speed"]["ms"]), (&json!("usual"), &json!(400.0)), "{how}");
    assert_eq!((&how["wrong"], &how["people"]), (&json!([]), &json!([])));
    assert_eq!(how["month"], json!({"month": "2026-10", "incidents": 0, "down_ms": null, "repair_ms": null}));
    assert_eq!(house.how("service:pay").await["kind"], "service");
}

#[tokio::test]
async fn failures_slowness_and_silence_are_told() {
    let house = House::new();
    house.requests("pay", 40, 200, 0.2, 300).await;
    house.requests("pay", 10, 200, 2.0, 2).await;
    house.requests("pay", 2, 503, 2.0, 1).await;
    let how = house.how("pay").await;
    assert_eq!(
        (&how["up"]["state"], &how["speed"]["state"], &how["speed"]["ms"]),
        (&json!("trouble"), &json!("slower"), &json!(2000.0)),
        "{how}"
    );
    let of_kind = |kind: &str| how["wrong"].as_array().into_iter().flatten().find(|one| one["kind"] == kind).cloned();
    assert_eq!(of_kind("errors").map(|errors| errors["count"].clone()), Some(json!(2)), "{how}");
    assert!(of_kind("requests").is_some() && of_kind("slow").is_some(), "{how}");
    house.requests("pay", 30, 503, 2.0, 0).await;
    assert_eq!(house.how("pay").await["up"]["state"], "down");

    let house = House::new();
    house.requests("pay", 400, 200, 0.2, 180).await;
    let how = house.how("pay").await;
    assert_eq!((&how["up"]["state"], &how["up"]["since"]), (&json!("silent"), &json!("2026-11-20T09:00:00Z")), "{how}");
    assert_eq!(how["speed"]["state"], "earlier");
}

#[tokio::test]
async fn some_slow_answers_are_slowness_and_an_hour_of_them_is_not_usual() {
    let house = House::new();
    house.requests("pay", 600, 200, 0.1, 300).await;
    house.requests("pay", 500, 200, 0.1, 1).await;
    assert_eq!(house.how("pay").await["speed"]["state"], "usual");
    house.requests("pay", 40, 200, 5.0, 1).await;
    let how = house.how("pay").await;
    let speed = &how["speed"];
    assert_eq!((&speed["state"], &speed["ms"]), (&json!("slower-for-some"), &json!(100.0)), "{how:#}");
    assert!(speed["slow_ms"].as_f64() > Some(4_900.0) && speed["usual_slow_ms"].as_f64() < Some(110.0), "{speed}");
    assert_eq!((&how["up"]["state"], &how["open"]), (&json!("up"), &json!(true)));
}

/// Errors of one service that begin now make the default rule fire.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_concerns_those_whose_events_it_is_about_in_every_answer() {
    let house = House::with_clock(Limits::default(), Clock::system());
    let rule = json!({"name": "new", "kind": "pattern", "query": "filter @level >= \"error\"", "groups": ["*"],
        "by": ["@log", "exception.type"], "window": "5m", "baseline": "24h"});
    assert_eq!(house.administer_json("/api/v1/rules", &rule).await.status, 201);
    let now = Clock::system().now();
    for (service, group) in [("checkout", "app/a"), ("web", "app/b")] {
        let line = |second: i64| {
            let is_bad = service == "checkout" && second < 100 && second % 3 == 0;
            let (text, level) =
                if is_bad { (format!("order {second} failed"), "error") } else { ("done".to_owned(), "info") };
            json!({"@timestamp": Timestamp(now.0 - second * Timestamp::SECOND).to_string(), "message": text, "level": level,
                "service": service})
            .to_string()
        };
        let lines: Vec<String> = (1..2_400).rev().map(line).collect();
        assert_eq!(house.post(&format!("/api/v1/ingest?group={group}"), lines.join("\n")).await.status, 200);
    }
    for _ in 0..300 {
        let alerts = house.administer("GET", "/api/v1/alerts", "").await.json();
        if alerts["alerts"].as_array().into_iter().flatten().any(|one| one["state"] == "alarm") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for name in ["service:checkout", "group:app%2Fa"] {
        let how = house.how(name).await;
        assert_eq!((&how["up"]["state"], &how["open"]), (&json!("trouble"), &json!(true)), "{how:#}");
        let is_told =
            how["wrong"].as_array().into_iter().flatten().any(|one| one["kind"] == "alert" && one["open"] == true);
        assert!(is_told, "{how:#}");
    }
    for name in ["service:web", "group:app%2Fb"] {
        let how = house.how(name).await;
        assert_eq!(
            (&how["up"]["state"], &how["open"], &how["wrong"]),
            (&json!("up"), &json!(false), &json!([])),
            "{how:#}"
        );
    }
}

#[tokio::test]
async fn errors_that_stopped_did_not_begin_suddenly() {
    let house = House::new();
    house.requests("pay", 2400, 503, 0.2, 20).await;
    let how = house.how("pay").await;
    let is_errors = |one: &&Value| one["kind"] == "errors";
    let errors = how["wrong"].as_array().into_iter().flatten().find(is_errors).expect("errors");
    assert_eq!((&errors["sudden"], &errors["since"]), (&json!(false), &json!("2026-11-20T11:00:01Z")), "{errors}");
}

#[tokio::test]
async fn what_is_not_measured_is_said_to_be_unknown() {
    let house = House::new();
    house.fill().await;
    let how = house.how("db").await;
    assert_eq!(
        (&how["up"]["state"], &how["up"]["known_by"], &how["up"]["failed_of_100"]),
        (&json!("up"), &json!("lines"), &Value::Null)
    );
    assert_eq!(
        how["speed"],
        json!({"state": "unknown", "ms": null, "usual_ms": null, "slow_ms": null, "usual_slow_ms": null})
    );
    let unknown = house.get("/api/v1/for/nobody").await;
    assert_eq!((unknown.status, &unknown.json()["error"]["code"]), (404, &json!("not-found")), "{}", unknown.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn incidents_are_told_with_who_works_on_them_and_the_month_before() {
    let house = House::new();
    house.requests("pay", 20, 200, 0.4, 1).await;
    let incident = async |body: Value| {
        let reply = house.administer_json("/api/v1/incidents", &body).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
    };
    incident(json!({"title": "Payments hang", "services": ["pay"], "began": "2026-11-20T11:30:00Z"})).await;
    incident(json!({"title": "Long ago", "services": ["pay"], "began": "2026-10-03T10:00:00Z",
        "mitigated": "2026-10-03T11:00:00Z", "remediated": "2026-10-03T12:00:00Z"}))
    .await;
    incident(json!({"title": "Of others", "services": ["cart"], "began": "2026-11-20T11:30:00Z"})).await;
    let request = Request::get("/api/v1/for/service:pay").header("x-catat-key", ADMIN_KEY);
    let how = house.send(request.body(Body::empty()).expect("a request")).await.json();
    assert_eq!(
        (&how["up"]["state"], &how["up"]["since"]),
        (&json!("trouble"), &json!("2026-11-20T11:30:00Z")),
        "{how}"
    );
    let titles: Vec<&Value> = how["wrong"].as_array().expect("a list").iter().map(|one| &one["text"]).collect();
    assert_eq!(titles, ["Payments hang"], "{how}");
    assert_eq!(how["people"], json!([{"name": "admin.key", "what": "incident"}]));
    let month = &how["month"];
    assert_eq!((&month["incidents"], &month["repair_ms"]), (&json!(1), &json!(7_200_000)), "{month}");
    assert!(month["down_ms"].as_i64().is_some_and(|down| down > 0), "{month}");
}

#[tokio::test]
async fn a_link_opens_one_page_without_a_key_until_it_expires_or_is_withdrawn() {
    let time = Arc::new(AtomicI64::new(now().0));
    let of_clock = time.clone();
    let house = House::with_clock(Limits::default(), Clock::new(move || Timestamp(of_clock.load(Ordering::Relaxed))));
    house.requests("pay", 20, 200, 0.4, 1).await;
    house.requests("cart", 20, 200, 0.4, 1).await;
    let made = house.link("pay", "1h").await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let token = made["token"].as_str().expect("a token").to_owned();
    // From now on nobody on this machine is let in without a key.
    let order = json!({"name": "a", "role": "read", "groups": ["x"]}).to_string();
    assert_eq!(house.administer("POST", "/api/v1/keys", order).await.status, 201);
    assert_eq!(house.get("/api/v1/for/pay").await.status, 401);
    let by_link = async |name: &str, token: &str| {
        house.get_with(&format!("/api/v1/for/{name}/by-link"), "x-catat-link", token).await
    };
    let seen = by_link("pay", &token).await;
    assert_eq!((seen.status, &seen.json()["may_share"]), (200, &Value::Null), "{}", seen.text());
    assert_eq!(by_link("cart", &token).await.status, 410, "a link opens no other page");
    assert_eq!(house.get_with("/api/v1/query?query=limit%201", "x-catat-link", &token).await.status, 401);
    let wrong = format!("{}x", &token[..token.len() - 1]);
    for wrong in [wrong.as_str(), "", "x", "0123456789abcdef.x"] {
        let refused = by_link("pay", wrong).await;
        assert_eq!((refused.status, &refused.json()["error"]["code"]), (410, &json!("link-expired")), "{wrong}");
    }
    let listed = house.administer("GET", "/api/v1/for/pay/links", "").await.json();
    assert_eq!(
        (&listed["links"][0]["id"], &listed["links"][0]["expires"]),
        (&made["id"], &json!("2026-11-20T13:00:00Z"))
    );
    assert!(!listed.to_string().contains(token.split('.').nth(1).expect("a secret")));
    time.fetch_add(61 * Timestamp::MINUTE, Ordering::Relaxed);
    let expired = by_link("pay", &token).await;
    let message = "this link has expired or was withdrawn";
    assert_eq!((expired.status, &expired.json()["error"]["message"]), (410, &json!(message)), "{}", expired.text());

    let other = house.link("pay", "7d").await.json();
    let token = other["token"].as_str().expect("a token");
    assert_eq!(by_link("pay", token).await.status, 200);
    let path = format!("/api/v1/for/pay/links/{}", other["id"].as_str().expect("an id"));
    assert_eq!(house.administer("DELETE", &path, "").await.status, 200);
    assert_eq!(by_link("pay", token).await.status, 410);
    assert_eq!(house.administer("DELETE", &path, "").await.status, 404);
    assert_eq!(house.link("pay", "1m").await.status, 400);
}
