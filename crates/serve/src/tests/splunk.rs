//! Splunk's collector over HTTP.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use super::{House, Reply};

async fn send(house: &House, uri: &str, body: &str) -> Reply {
    let request = Request::post(uri).header("authorization", "Splunk 0f5f-a-token");
    house.send(request.body(Body::from(body.to_owned())).expect("a request")).await
}

async fn rows(house: &House, query: &str) -> serde_json::Value {
    let query = json!({ "query": query, "from": "2026-11-20T00:00:00Z" });
    let found = house.post("/api/v1/query", query.to_string()).await;
    assert_eq!(found.status, 200, "{}", found.text());
    found.json()["rows"].clone()
}

#[tokio::test]
async fn events_of_every_address_are_stored() {
    let house = House::new();
    let body = r#"{"time":"1795175700.25","host":"h","source":"s","sourcetype":"st","index":"main","event":"one"}
        {"time":1795175701,"event":{"message":"two","level":"error"},"fields":{"shop":"eu"}}"#;
    for path in ["", "/event", "/event/1.0"] {
        let reply = send(&house, &format!("/services/collector{path}"), body).await;
        assert_eq!((reply.status, reply.json()), (200, json!({ "text": "Success", "code": 0 })));
    }
    let found = rows(&house, "stats count(*) as n by @log, @logStream, @message, shop, @level | sort @log").await;
    assert_eq!(found, json!([["main", "h:s", "one", null, null, 3], ["splunk", "", "two", "eu", "error", 3]]));
}

#[tokio::test]
async fn raw_lines_are_events_with_what_the_address_says() {
    let house = House::new();
    let uri = "/services/collector/raw?channel=1&index=web&host=h&sourcetype=access";
    let reply = send(&house, uri, "2026-11-20T11:59:00Z one\n2026-11-20T11:59:01Z two\r\n\n").await;
    assert_eq!((reply.status, reply.json()["code"].as_i64()), (200, Some(0)));
    let found = rows(&house, "stats count(*) as n by @log, @logStream, sourcetype").await;
    assert_eq!(found, json!([["web", "h", "access", 2]]));
}

#[tokio::test]
async fn faults_have_splunks_numbers_and_cost_nobody_else() {
    let house = House::new();
    let check = async |body: &str, status: u16, code: i64, event_idx: Option<i64>| {
        let reply = send(&house, "/services/collector", body).await;
        let said = (reply.status, reply.json()["code"].as_i64(), reply.json()["invalid-event-number"].as_i64());
        assert_eq!(said, (status, Some(code), event_idx), "{body}: {}", reply.text());
    };
    check("", 400, 5, None).await;
    check(r#"{"event":"good"}{"event":"#, 400, 6, Some(1)).await;
    check(r#"{"event":"good"}{"host":"h"}{"event":"good"}"#, 400, 12, Some(1)).await;
    check(r#"{"event":""}{"event":"good"}"#, 400, 13, Some(0)).await;
    check(r#"{"event":"x","fields":[1]}"#, 400, 15, Some(0)).await;
    check(r#"{"event":"x","time":"noon"}"#, 400, 6, Some(0)).await;
    // Sent again, as clients do: what was good is there once.
    check(r#"{"event":""}{"event":"good"}"#, 400, 13, Some(0)).await;
    assert_eq!(rows(&house, "stats count(*) as n by @message").await, json!([["good", 4]]));
}

#[tokio::test]
async fn clients_find_out_whether_there_is_a_collector() {
    let house = House::new();
    let options = Request::options("/services/collector/event/1.0").body(Body::empty()).expect("a request");
    assert_eq!(house.send(options).await.status, 200);
    for path in ["health", "health/1.0"] {
        assert_eq!(house.get(&format!("/services/collector/{path}")).await.json()["code"], 17);
    }
    let acks = send(&house, "/services/collector/ack?channel=x", r#"{"acks":[1]}"#).await;
    assert_eq!((acks.status, acks.json()["code"].as_i64()), (400, Some(14)));
    assert_eq!(house.get("/services/collector").await.status, 405);
}

#[tokio::test]
async fn dockers_driver_asks_for_a_collector_without_its_token_and_needs_it_to_send() {
    let house = House::new();
    let (_, key) = house.key("ingest", &["*"]).await;
    let address = "/services/collector/event/1.0";
    let options = Request::options(address).body(Body::empty()).expect("a request");
    assert_eq!(house.send(options).await.status, 200);
    for (token, status) in [("wrong", 403), (key.as_str(), 200)] {
        let request = Request::post(address).header("authorization", format!("Splunk {token}"));
        let reply = house.send(request.body(Body::from(r#"{"event":"x"}"#)).expect("a request")).await;
        assert_eq!(reply.status, status, "{}", reply.text());
    }
}

#[tokio::test]
async fn refusals_are_said_as_splunk_says_them() {
    let house = House::new();
    let proxied = Request::post("/services/collector").header("via", "1.1 x").body(Body::empty()).expect("a request");
    let reply = house.send(proxied).await;
    assert_eq!((reply.status, reply.json()["code"].as_i64()), (401, Some(2)));
    house.store.close().expect("it closes");
    let reply = send(&house, "/services/collector", r#"{"event":"x"}"#).await;
    assert_eq!((reply.status, reply.json()["code"].as_i64()), (503, Some(23)), "{}", reply.text());
    assert!(!reply.header("retry-after").is_empty());
}
