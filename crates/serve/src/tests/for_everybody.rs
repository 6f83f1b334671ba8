//! The page for everybody: what it tells of a service in every state, and the links by which people without a key see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

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
        reply.json()
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
    let errors = &how["wrong"][0];
    assert_eq!((&errors["kind"], &errors["count"]), (&json!("errors"), &json!(2)), "{how}");
    house.requests("pay", 30, 503, 2.0, 0).await;
    assert_eq!(house.how("pay").await["up"]["state"], "down");

    let house = House::new();
    house.requests("pay", 400, 200, 0.2, 180).await;
    let how = house.how("pay").await;
    assert_eq!((&how["up"]["state"], &how["up"]["since"]), (&json!("silent"), &json!("2026-11-20T09:00:00Z")), "{how}");
    assert_eq!(how["speed"]["state"], "earlier");
}

#[tokio::test]
async fn errors_that_stopped_did_not_begin_suddenly() {
    let house = House::new();
    house.requests("pay", 2400, 503, 0.2, 20).await;
    let errors = &house.how("pay").await["wrong"][0];
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
    assert_eq!(how["speed"], json!({"state": "unknown", "ms": null, "usual_ms": null}));
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
