//! OTLP logs over HTTP, in both encodings.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use types::Limits;

use super::{House, Reply};

/// Two records of one service, as the JSON exporters send them.
fn two_records() -> Value {
    let attribute = |key: &str, value: Value| json!({ "key": key, "value": value });
    json!({ "resourceLogs": [{
        "resource": { "attributes": [
            attribute("service.name", json!({ "stringValue": "shop" })),
            attribute("host.name", json!({ "stringValue": "web-1" })),
        ] },
        "scopeLogs": [{
            "scope": { "name": "checkout", "version": "1.2" },
            "logRecords": [
                { "timeUnixNano": "1795175700000000000", "severityNumber": 17, "severityText": "ERROR",
                  "body": { "stringValue": "card refused" },
                  "attributes": [attribute("attempt", json!({ "intValue": "3" }))],
                  "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "eee19b7ec3c1b174" },
                { "timeUnixNano": "4000000000000000000", "body": { "stringValue": "from far ahead" } },
            ],
        }],
    }] })
}

async fn send(house: &House, uri: &str, kind: &str, body: impl Into<Body>) -> Reply {
    let request = Request::post(uri).header("content-type", kind).body(body.into()).expect("a request");
    house.send(request).await
}

#[tokio::test]
async fn records_are_found_by_what_they_carry() {
    let house = House::new();
    for uri in ["/v1/logs", "/otlp/v1/logs"] {
        let reply = send(&house, uri, "application/json; charset=utf-8", two_records().to_string()).await;
        assert_eq!((reply.status, reply.text().as_str()), (200, "{}"));
        assert_eq!(reply.header("content-type"), "application/json");
    }
    let query = json!({ "query": "filter trace_id = '5b8efff798038103d269b633813fc60c' and @level = 'error' \
        and attempt = 3 and `scope.name` = 'checkout' and `host.name` = 'web-1' \
        | stats count(*) as n by @log, @logStream, @message", "from": "2026-11-20T00:00:00Z" });
    let found = house.post("/api/v1/query", query.to_string()).await;
    assert_eq!(found.json()["rows"], json!([["shop", "web-1", "card refused", 2]]), "{}", found.text());
}

#[tokio::test]
async fn answers_and_refusals_have_the_encoding_of_the_request() {
    let house = House::with_limits(Limits { body_bytes_max: 1_000, ..Limits::default() });
    let protobuf = "application/x-protobuf";
    let reply = send(&house, "/v1/logs", protobuf, "").await;
    assert_eq!((reply.status, reply.header("content-type"), reply.body.len()), (200, protobuf, 0));
    let broken = send(&house, "/v1/logs", protobuf, "\x0a\x05x").await;
    assert_eq!((broken.status, broken.header("content-type")), (400, protobuf));
    assert!(broken.body.starts_with(&[1 << 3, 3, 2 << 3 | 2]) && broken.text().contains("cut off"), "{broken:?}");
    let broken = send(&house, "/v1/logs", "application/json", "{").await;
    assert_eq!((broken.status, broken.json()["code"].as_i64()), (400, Some(3)));
    let large = send(&house, "/v1/logs", "application/json", " ".repeat(1_001)).await;
    assert_eq!((large.status, large.json()["code"].as_i64()), (413, Some(3)));
    let other = send(&house, "/v1/logs", "text/plain", "x").await;
    assert_eq!((other.status, other.json()["code"].as_i64()), (415, Some(3)));
    let get = house.get("/v1/logs").await;
    assert_eq!((get.status, get.json()["code"].as_i64()), (405, Some(12)));
}

#[tokio::test]
async fn who_sends_profiles_is_told_what_is_stored() {
    let house = House::new();
    for uri in ["/v1development/profiles", "/otlp/v1development/profiles"] {
        let reply = send(&house, uri, "application/json", "{}").await;
        assert_eq!((reply.status, reply.json()["code"].as_i64()), (404, Some(12)), "{uri}");
        assert!(
            reply.json()["message"]
                .as_str()
                .is_some_and(|text| text.contains("send them to /v1/logs, /v1/traces and /v1/metrics"))
        );
    }
}

#[tokio::test]
async fn without_a_key_from_elsewhere_the_refusal_is_otlps() {
    let house = House::new();
    let request = Request::post("/v1/logs").header("x-forwarded-for", "192.0.2.1").body(Body::empty());
    let reply = house.send(request.expect("a request")).await;
    assert_eq!((reply.status, reply.json()["code"].as_i64()), (401, Some(16)));
}

#[tokio::test]
async fn a_store_that_is_closed_asks_for_another_try() {
    let house = House::new();
    house.store.close().expect("it closes");
    let reply = send(&house, "/v1/logs", "application/json", two_records().to_string()).await;
    assert_eq!((reply.status, reply.json()["code"].as_i64()), (503, Some(14)), "{}", reply.text());
    assert!(!reply.header("retry-after").is_empty());
}
