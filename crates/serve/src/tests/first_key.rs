//! The first key: who is cut off, who is given time; and keys that expire, at every door.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use storage::Clock;
use types::{Limits, Timestamp};

use super::House;

const INGEST: &str = "/api/v1/ingest?group=app/web";
const EVENT: &str = r#"{"message":"a"}"#;
const PUSH: &str = r#"{"streams":[{"stream":{"job":"loki/x"},"values":[["1763640000000000000","a"]]}]}"#;

impl House {
    async fn send_as(&self, agent: &str, uri: &str, body: &str) -> u16 {
        let request = Request::post(uri).header("user-agent", agent).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_owned())).expect("a request")).await.status
    }

    async fn create_key(&self, more: Value) -> Value {
        let mut order = json!({"name": "ci", "role": "read"});
        let members = more.as_object().cloned().unwrap_or_default();
        members.into_iter().for_each(|(name, value)| order[name] = value);
        let made = self.administer("POST", "/api/v1/keys", order.to_string()).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()
    }

    async fn keys(&self) -> Value {
        self.administer("GET", "/api/v1/keys", "").await.json()
    }
}

/// Agents with their groups and routes.
fn brief(anonymous: &Value) -> Vec<[String; 3]> {
    let senders = anonymous["senders"].as_array().expect("a list");
    senders.iter().map(|sender| ["agent", "groups", "routes"].map(|name| sender[name].to_string())).collect()
}

#[tokio::test]
async fn the_first_key_names_those_whom_it_cuts_off() {
    let house = House::new();
    assert_eq!(house.send_as("curl/8", INGEST, EVENT).await, 200);
    assert_eq!(house.send_as("curl/8", "/api/v1/marks", r#"{"text":"deployed","group":"app/marks"}"#).await, 201);
    assert_eq!(house.send_as("promtail/3", "/loki/api/v1/push", PUSH).await, 204);
    assert_eq!(house.send_as("reader/1", "/api/v1/query", r#"{"query":"limit 1","from":"-1h"}"#).await, 200);
    assert_eq!(house.get_with("/loki/api/v1/status/buildinfo", "user-agent", "reader/1").await.status, 200);
    assert_eq!(house.send_as("wrong/1", "/api/v1/ingest?group=a&format=x", EVENT).await, 400, "nothing was sent");
    let named = [
        [r#""curl/8""#, r#"["app/marks","app/web"]"#, r#"["/api/v1/ingest","/api/v1/marks"]"#].map(str::to_owned),
        [r#""promtail/3""#, r#"["loki/x"]"#, r#"["/loki/api/v1/push"]"#].map(str::to_owned),
    ];
    let before = house.keys().await;
    assert_eq!((before["anonymous"]["access"].as_str(), brief(&before["anonymous"])), (Some("open"), named.to_vec()));
    assert_eq!(before["anonymous"]["senders"][0]["address"], "127.0.0.1");

    let made = house.create_key(json!({})).await;
    assert_eq!((made["anonymous"]["access"].as_str(), brief(&made["anonymous"])), (Some("closed"), named.to_vec()));
    assert_eq!(house.send_as("curl/8", INGEST, EVENT).await, 401);
    let second = house.create_key(json!({})).await;
    assert!(second.get("anonymous").is_none(), "{second}");
}

#[tokio::test]
async fn with_a_grace_period_senders_go_on_and_readers_do_not() {
    let now = Arc::new(AtomicI64::new(super::now().0));
    let time = now.clone();
    let house = House::with_clock(Limits::default(), Clock::new(move || Timestamp(time.load(Ordering::Relaxed))));
    assert_eq!(house.send_as("curl/8", INGEST, EVENT).await, 200);
    let made = house.create_key(json!({"anonymous_grace": "7d"})).await;
    assert_eq!((&made["anonymous"]["access"], made["anonymous"]["until"].is_string()), (&json!("sending"), true));
    assert_eq!(house.send_as("curl/8", INGEST, EVENT).await, 200);
    assert_eq!(house.send_as("promtail/3", "/loki/api/v1/push", PUSH).await, 204);
    for path in ["/api/v1/groups", "/api/v1/keys", "/loki/api/v1/labels", "/metrics"] {
        assert_eq!(house.get(path).await.status, 401, "{path}");
    }
    assert_eq!(house.send_as("reader/1", "/api/v1/query", r#"{"query":"limit 1","from":"-1h"}"#).await, 401);
    assert_eq!(house.send_as("reader/1", "/api/v1/rules", "{}").await, 401);
    assert_eq!(brief(&house.keys().await["anonymous"]).len(), 2);
    let ready = house.get("/-/ready").await.text();
    assert!(ready.contains("sending without a key ends at 2026-11-27T12:00:00Z"), "{ready}");

    now.fetch_add(8 * Timestamp::DAY, Ordering::Relaxed);
    assert_eq!(house.send_as("curl/8", INGEST, EVENT).await, 401);
    assert!(!house.get("/-/ready").await.text().contains("sending without a key"));
}

#[tokio::test]
async fn an_administrator_ends_the_grace_period() {
    let house = House::new();
    assert_eq!(house.administer("DELETE", "/api/v1/keys/anonymous", "").await.status, 400);
    house.create_key(json!({"anonymous_grace": "7d"})).await;
    let again = house.restarted();
    assert_eq!(again.send_as("curl/8", INGEST, EVENT).await, 200);
    assert_eq!(again.administer("DELETE", "/api/v1/keys/anonymous", "").await.status, 200);
    assert_eq!(again.send_as("curl/8", INGEST, EVENT).await, 401);
    let wrong = json!({"name": "b", "role": "read", "anonymous_grace": "7d"}).to_string();
    let refused = again.administer("POST", "/api/v1/keys", wrong).await;
    assert_eq!((refused.status, refused.json()["error"]["code"].as_str()), (400, Some("bad-key-order")));
}

#[tokio::test]
async fn a_key_limited_to_some_groups_sees_no_senders() {
    let house = House::new();
    assert_eq!(house.send_as("curl/8", INGEST, EVENT).await, 200);
    let made = house.create_key(json!({"role": "admin", "groups": ["db/*"], "anonymous_grace": "7d"})).await;
    let key = made["key"].as_str().expect("a key");
    let seen = house.get_with("/api/v1/keys", "x-catat-key", key).await.json();
    assert_eq!((&seen["anonymous"]["senders"], &seen["anonymous"]["left_out"]), (&json!([]), &json!(true)));
    let request = Request::delete("/api/v1/keys/anonymous").header("x-catat-key", key);
    assert_eq!(house.send(request.body(Body::empty()).expect("a request")).await.status, 403);
}

#[tokio::test]
async fn an_expired_key_is_named_at_every_door() {
    let now = Arc::new(AtomicI64::new(super::now().0));
    let time = now.clone();
    let house = House::with_clock(Limits::default(), Clock::new(move || Timestamp(time.load(Ordering::Relaxed))));
    let made = house.create_key(json!({"role": "ingest", "expires": "5m"})).await;
    let text = |name: &str| made[name].as_str().expect("it is there").to_owned();
    let send = async |uri: &str, body: &str| {
        let request = Request::post(uri).header("authorization", format!("Bearer {}", text("key")));
        let request = request.header("content-type", "application/json").body(Body::from(body.to_owned()));
        house.send(request.expect("a request")).await
    };
    assert_eq!(send(INGEST, EVENT).await.status, 200);
    let ready = house.get("/-/ready").await.text();
    assert!(ready.contains("1 key will expire within 14 days") && !ready.contains("ci"), "{ready}");
    assert_eq!(house.keys().await["keys"][0]["state"], "expiring");

    now.fetch_add(5 * Timestamp::MINUTE, Ordering::Relaxed);
    let expected = format!("({}) expired at 2026-11-20T12:05:00Z", text("id"));
    for (uri, body) in [
        (INGEST, EVENT),
        ("/loki/api/v1/push", PUSH),
        ("/elasticsearch/a/_doc", EVENT),
        ("/v1/logs", r#"{"resourceLogs":[]}"#),
        ("/services/collector/event", r#"{"event":"a"}"#),
    ] {
        for _ in 0..12 {
            let refused = send(uri, body).await;
            assert!([401, 403].contains(&refused.status), "{uri}: {}", refused.text());
            assert!(refused.text().contains(&expected), "{uri}: {}", refused.text());
        }
    }
    let refused = send(INGEST, EVENT).await.json();
    assert_eq!(refused["error"]["code"], "key-expired");
    let (id, secret) = (text("access_key_id"), text("secret_access_key"));
    let signed = house.signed_operation((&id, &secret), "PutLogEvents", &json!({})).await;
    assert!(signed.text().contains("ExpiredTokenException") && signed.text().contains(&id), "{}", signed.text());
    assert_eq!(house.keys().await["keys"][0]["state"], "expired");
}
