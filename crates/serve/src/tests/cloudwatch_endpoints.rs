//! The HTTP endpoints of CloudWatch Logs.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use super::{House, Reply};

const TARGET: [(&str, &str); 2] = [("x-aws-log-group", "app"), ("x-aws-log-stream", "s1")];
const OTLP: &str = r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
    "scopeLogs":[{"logRecords":[{"body":{"stringValue":"otlp"}}]}]}]}"#;

async fn send(house: &House, uri: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let request = Request::post(uri).header("content-type", "application/json");
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
async fn every_endpoint_stores_into_the_group_and_the_stream_that_are_named() {
    let house = House::new();
    let sent = |reply: Reply| assert_eq!((reply.status, reply.json()), (200, json!({})), "{reply:?}");
    let hlc = r#"{"event":"hlc","index":"main"}{"event":{"message":"object"}}"#;
    sent(send(&house, "/cloudwatch/services/collector/event", &TARGET, hlc).await);
    let list = r#"[{"event":"in a list"},{"event":"two"}]"#;
    sent(send(&house, "/cloudwatch/services/collector/event?logGroup=app&logStream=s1", &[], list).await);
    sent(
        send(&house, "/cloudwatch/ingest/bulk?logGroup=app", &TARGET[1..], "{\"message\":\"line\"}\n\"text\"\n").await,
    );
    sent(send(&house, "/cloudwatch/ingest/json", &TARGET, r#"[{"message":"json"}]"#).await);
    sent(send(&house, "/cloudwatch/v1/logs", &TARGET, OTLP).await);
    let found =
        rows(&house, "stats count(*) as n, count(index) as i, count(service.name) as s by @log, @logStream").await;
    assert_eq!(found, json!([["app", "s1", 8, 1, 1]]));
}

#[tokio::test]
async fn what_is_wrong_is_named_and_costs_nobody_else() {
    let house = House::new();
    let check = async |uri: &str, headers: &[(&str, &str)], body: &str, status: u16, word: &str| {
        let reply = send(&house, uri, headers, body).await;
        assert_eq!(reply.status, status, "{uri}: {reply:?}");
        assert!(reply.json()["message"].as_str().is_some_and(|text| text.contains(word)), "{reply:?}");
    };
    for _ in 0..2 {
        check("/cloudwatch/ingest/bulk", &TARGET, "{\"message\":\"a\"}\nx\n", 400, "line 2: ").await;
        check("/cloudwatch/ingest/json", &TARGET, "[{\"message\":\"b\"},7]", 400, "event 2: ").await;
        check("/cloudwatch/services/collector/event", &TARGET, "[{\"event\":\"c\"},{}]", 400, "event 2: ").await;
    }
    // The same bytes for another group are another request.
    let other = [("x-aws-log-group", "other"), TARGET[1]];
    check("/cloudwatch/services/collector/event", &other, "[{\"event\":\"c\"},{}]", 400, "event 2: ").await;
    let found = rows(&house, "stats count(*) as n by @log, @message | sort @log, @message").await;
    assert_eq!(found, json!([["app", "a", 1], ["app", "b", 1], ["app", "c", 1], ["other", "c", 1]]));
    check("/cloudwatch/ingest/json", &TARGET[..1], "{}", 400, "x-aws-log-stream").await;
    check("/cloudwatch/ingest/json?logGroup=app", &TARGET, "{}", 400, "logGroup").await;
    check("/cloudwatch/ingest/json?index=app", &TARGET, "{}", 400, "index").await;
    check("/cloudwatch/v1/logs?logGroup=app", &TARGET, OTLP, 400, "logGroup").await;
    let bad = [("x-aws-log-group", "a b"), TARGET[1]];
    check("/cloudwatch/ingest/json", &bad, "{}", 400, "log group").await;
}

#[tokio::test]
async fn a_bearer_token_is_a_key_for_its_groups() {
    let house = House::new();
    let (_, key) = house.key("ingest", &["app"]).await;
    for uri in ["services/collector/event", "ingest/bulk", "ingest/json", "v1/logs"] {
        let body = if uri == "v1/logs" { OTLP } else { "{\"event\":\"x\"}" };
        for (key, group, status) in [("wrong", "app", 401), (&*key, "app", 200), (&*key, "other", 403)] {
            let headers = [("authorization", &*format!("Bearer {key}")), ("x-aws-log-group", group), TARGET[1]];
            let reply = send(&house, &format!("/cloudwatch/{uri}"), &headers, body).await;
            // Of Splunk's events each is told whether its group is right.
            let status = if uri.starts_with("services") && status == 403 { 400 } else { status };
            assert_eq!(reply.status, status, "{uri} {group}: {reply:?}");
        }
    }
}
