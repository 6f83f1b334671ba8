//! Deliveries of Amazon Data Firehose over HTTP.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use super::{House, Reply};

/// A record `one` and a line, and a record that is not base64.
const REQUEST: &str = r#"{"requestId":"ed1d2f1c","timestamp":1795175700000,"records":[{"data":"eyJtZXNzYWdlIjoib25lIn0="},{"data":"dHdvCg=="}]}"#;

async fn send(house: &House, headers: &[(&str, &str)], body: &str) -> Reply {
    let request = Request::post("/firehose").header("x-amz-firehose-request-id", "ed1d2f1c");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    house.send(request.body(Body::from(body.to_owned())).expect("a request")).await
}

async fn rows(house: &House, query: &str) -> serde_json::Value {
    let query = json!({ "query": query, "from": "2026-11-20T00:00:00Z" });
    let found = house.post("/api/v1/query", query.to_string()).await;
    assert_eq!(found.status, 200, "{}", found.text());
    found.json()["rows"].clone()
}

#[tokio::test]
async fn a_delivery_is_stored_once_and_answered_with_its_id() {
    let house = House::new();
    let headers = [
        ("x-amz-firehose-protocol-version", "1.0"),
        ("x-amz-firehose-source-arn", "arn:aws:firehose:us-east-1:123456789012:deliverystream/logs"),
        ("x-amz-firehose-common-attributes", r#"{"commonAttributes":{"env":"prod"}}"#),
    ];
    for _ in 0..2 {
        let reply = send(&house, &headers, REQUEST).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"), "{reply:?}");
        let said = reply.json();
        assert_eq!(
            (&said["requestId"], said["timestamp"].is_i64(), said.get("errorMessage")),
            (&json!("ed1d2f1c"), true, None)
        );
    }
    let found = rows(&house, "stats count(*) as n by @log, env, @message | sort @message").await;
    assert_eq!(found, json!([["firehose/logs", "prod", "one", 1], ["firehose/logs", "prod", "two", 1]]));
}

#[tokio::test]
async fn what_is_wrong_is_said_as_firehose_reads_it() {
    let house = House::new();
    let reply = send(&house, &[], &REQUEST.replace("dHdvCg==", "?")).await;
    assert_eq!(reply.status, 200, "a repetition would not help: {reply:?}");
    let error = reply.json()["errorMessage"].clone();
    assert!(error.as_str().is_some_and(|text| text.contains("record 2: ")), "{reply:?}");
    assert_eq!(rows(&house, "fields @message").await, json!([["one"]]));
    let check = async |headers: &[(&str, &str)], body: &str, status: u16, word: &str| {
        let reply = send(&house, headers, body).await;
        assert_eq!((reply.status, &reply.json()["requestId"]), (status, &json!("ed1d2f1c")), "{reply:?}");
        assert!(reply.json()["errorMessage"].as_str().is_some_and(|text| text.contains(word)), "{reply:?}");
    };
    check(&[], "{}", 400, "records").await;
    check(&[("x-amz-firehose-protocol-version", "2.0")], REQUEST, 400, "2.0").await;
    check(&[("x-amz-firehose-common-attributes", "{}")], REQUEST, 400, "commonAttributes").await;
}

#[tokio::test]
async fn the_access_key_of_a_delivery_stream_is_a_key() {
    let house = House::new();
    let (_, key) = house.key("ingest", &["firehose"]).await;
    for (key, status) in [("wrong", 401), (&*key, 200)] {
        let reply = send(&house, &[("x-amz-firehose-access-key", key)], REQUEST).await;
        assert_eq!(reply.status, status, "{reply:?}");
    }
}
