//! Elasticsearch's senders: what they ask, what they send, and what they are answered.

use std::io::Write;

use axum::body::Body;
use axum::http::Request;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use types::Limits;

use super::{House, Reply, encoded};

async fn bulk(house: &House, uri: &str, body: &str) -> Value {
    let request = Request::post(uri).header("content-type", "application/x-ndjson");
    let reply = house.send(request.body(Body::from(body.to_owned())).expect("a request")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("x-elastic-product"), "Elasticsearch");
    reply.json()
}

async fn rows(house: &House, query: &str) -> Value {
    let uri = format!("/api/v1/query?from=0&to=now%2B1d&query={}", encoded(query));
    let reply = house.get(&uri).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["rows"].clone()
}

/// Of each item its action and status.
fn statuses(answer: &Value) -> Vec<(String, u64)> {
    let items = answer["items"].as_array().expect("items");
    items
        .iter()
        .flat_map(|item| item.as_object().expect("an item"))
        .map(|(action, result)| (action.clone(), result["status"].as_u64().expect("a status")))
        .collect()
}

fn error_of(reply: &Reply) -> (u16, String) {
    let error = reply.json();
    assert_eq!(error["status"], reply.status, "{error}");
    assert_eq!(error["error"]["root_cause"][0]["type"], error["error"]["type"]);
    assert_eq!(reply.header("x-elastic-product"), "Elasticsearch");
    (reply.status, error["error"]["type"].as_str().expect("a type").to_owned())
}

#[tokio::test]
async fn each_action_has_its_result_in_order() {
    let house = House::new();
    let body = concat!(
        "{\"index\":{\"_index\":\"web/access\",\"_id\":\"a\"}}\n",
        "{\"@timestamp\":\"2026-11-20T11:51:00.123Z\",\"message\":\"GET /a\",\"log\":{\"level\":\"error\"}}\n",
        "{\"create\":{}}\n",
        "{\"@timestamp\":1795175460000,\"msg\":\"default index\"}\n",
        "{\"create\":{\"_index\":\"b\"}}\n",
        "{broken\n",
        "{\"update\":{\"_index\":\"b\",\"_id\":\"a\"}}\n",
        "{\"doc\":{\"x\":1}}\n",
        "{\"delete\":{\"_index\":\"b\",\"_id\":\"a\"}}\n",
        "{\"create\":{\"_index\":\"b\",\"_id\":7,\"pipeline\":\"p\",\"_type\":\"_doc\"}}\n",
        "{\"n\":1}",
    );
    let pipeline = Request::put("/elasticsearch/_ingest/pipeline/p").body(Body::from("{}")).expect("a request");
    assert_eq!(house.send(pipeline).await.status, 200);
    let answer = bulk(&house, "/elasticsearch/logs/_bulk?refresh=wait_for&pipeline=p", body).await;
    let expected =
        [("index", 201), ("create", 201), ("create", 400), ("update", 400), ("delete", 400), ("create", 201)];
    assert_eq!(statuses(&answer), expected.map(|(action, status)| (action.to_owned(), status)));
    assert_eq!(answer["errors"], true);
    assert_eq!(answer["took"], 0);
    let first = &answer["items"][0]["index"];
    let whole = json!({
        "_index": "web/access", "_id": "a", "_version": 1, "result": "created",
        "_shards": {"total": 1, "successful": 1, "failed": 0}, "_seq_no": 0, "_primary_term": 1, "status": 201,
    });
    assert_eq!(first, &whole);
    assert_eq!(answer["items"][1]["create"]["_index"], "logs");
    assert_eq!(answer["items"][2]["create"]["error"]["type"], "document_parsing_exception");
    assert!(answer["items"][4]["delete"]["error"]["reason"].as_str().is_some_and(|r| r.contains("never change")));
    assert_eq!(answer["items"][5]["create"]["_seq_no"], 2);
    let stored = rows(&house, "fields @log, @message, @level, _id, @timestamp | sort @log").await;
    assert_eq!(
        stored,
        json!([
            ["b", "{\"n\":1}", null, "7", "2026-11-20T12:00:00Z"],
            ["logs", "default index", null, null, "2026-11-20T11:51:00Z"],
            ["web/access", "GET /a", "error", "a", "2026-11-20T11:51:00.123Z"],
        ])
    );
}

#[tokio::test]
async fn an_id_is_created_once() {
    let house = House::new();
    let body = concat!(
        "{\"create\":{\"_index\":\"a\",\"_id\":\"1\"}}\n{\"message\":\"one\"}\n",
        "{\"create\":{\"_index\":\"a\",\"_id\":\"1\"}}\n{\"message\":\"again\"}\n",
        "{\"create\":{\"_index\":\"b\",\"_id\":\"1\"}}\n{\"message\":\"elsewhere\"}\n",
    );
    let of = |answer: &Value| statuses(answer).into_iter().map(|(_, status)| status).collect::<Vec<_>>();
    assert_eq!(of(&bulk(&house, "/elasticsearch/_bulk", body).await), [201, 409, 201]);
    let again = bulk(&house, "/elasticsearch/_bulk", body).await;
    assert_eq!(of(&again), [409, 409, 409]);
    assert_eq!(again["items"][0]["create"]["error"]["type"], "version_conflict_engine_exception");
    house.store.flush().expect("it flushes");
    assert_eq!(of(&bulk(&house, "/elasticsearch/_bulk", body).await), [409, 409, 409]);
    let put = |uri: &'static str| house.send(Request::put(uri).body(Body::from("{\"a\":1}")).expect("a request"));
    assert_eq!(error_of(&put("/elasticsearch/a/_create/1").await), (409, "version_conflict_engine_exception".into()));
    assert_eq!(put("/elasticsearch/a/_doc/2?op_type=create").await.status, 201);
    assert_eq!(put("/elasticsearch/a/_create/2").await.status, 409);
    // What is indexed under a known id is another event, and a known id for others.
    assert_eq!(put("/elasticsearch/a/_doc/3").await.json()["result"], "created");
    assert_eq!(put("/elasticsearch/a/_doc/3").await.status, 201);
    assert_eq!(put("/elasticsearch/a/_create/3").await.status, 409);
    assert_eq!(rows(&house, "stats count(*) as n by @log | sort @log").await, json!([["a", 4], ["b", 1]]));
}

#[tokio::test]
async fn many_ids_are_told_from_those_that_are_known() {
    let house = House::new();
    let body = |range: std::ops::Range<usize>| -> String {
        let one = |n| format!("{{\"create\":{{\"_index\":\"a\",\"_id\":\"id-{n}\"}}}}\n{{\"n\":{n}}}\n");
        range.map(one).collect()
    };
    assert_eq!(bulk(&house, "/_bulk", &body(0..100)).await["errors"], false);
    house.store.flush().expect("it flushes");
    assert_eq!(bulk(&house, "/_bulk", &body(100..200)).await["errors"], false);
    let answer = bulk(&house, "/_bulk", &body(50..250)).await;
    let created: Vec<usize> =
        statuses(&answer).iter().enumerate().filter(|(_, (_, status))| *status == 201).map(|(at, _)| at + 50).collect();
    assert_eq!(created, (200..250).collect::<Vec<_>>());
    assert_eq!(rows(&house, "stats count(*) as n, count_distinct(_id) as ids").await, json!([[250, 250]]));
}

#[tokio::test]
async fn bodies_come_packed_and_answers_as_short_as_wanted() {
    let house = House::new();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(b"{\"create\":{}}\n{\"message\":\"packed\"}\n{\"create\":{}}\n[1]\n").expect("it packs");
    let packed = encoder.finish().expect("it packs");
    let uri = "/elasticsearch/logs-app-default/_bulk?filter_path=errors,items.*.error,items.*.status";
    let request = Request::post(uri).header("content-encoding", "gzip").body(Body::from(packed)).expect("a request");
    let answer = house.send(request).await.json();
    assert_eq!(answer["errors"], true);
    assert_eq!(answer["items"][0], json!({"create": {"status": 201}}));
    assert_eq!(answer["items"][1]["create"]["status"], 400);
    assert_eq!(answer.get("took"), None);
    let good = "{\"create\":{\"_index\":\"x\"}}\n{\"message\":\"m\"}\n";
    let answer = bulk(&house, "/_bulk/?filter_path=errors,items.*.error", good).await;
    assert_eq!(answer, json!({"errors": false}));
    assert_eq!(bulk(&house, "/_bulk?filter_path=items.*.error", good).await, json!({}));
}

#[tokio::test]
async fn what_is_no_bulk_request_is_refused_in_the_form_of_elasticsearch() {
    let house = House::with_limits(Limits { body_bytes_max: 1_000, ..Limits::default() });
    for body in ["", "\n\n", "{\"message\":\"no action\"}\n", "[]", "text\n{}\n"] {
        let reply = house.post("/elasticsearch/_bulk", body).await;
        let kind = if body.trim().is_empty() { "parse_exception" } else { "illegal_argument_exception" };
        assert_eq!(error_of(&reply), (400, kind.into()), "{body}");
    }
    let reply = house.post("/_bulk", "x".repeat(2_000)).await;
    assert_eq!(error_of(&reply), (413, "content_too_long_exception".into()));
    let request = Request::post("/_bulk").header("content-encoding", "br").body(Body::from("{}")).expect("a request");
    assert_eq!(error_of(&house.send(request).await).0, 415);
    let foreign = Request::post("/_bulk").header("origin", "http://evil.example.org").body(Body::from("{}"));
    assert_eq!(error_of(&house.send(foreign.expect("a request")).await), (403, "security_exception".into()));
    assert_eq!(error_of(&house.get("/elasticsearch/_bulk").await).0, 405);
    assert_eq!(error_of(&house.get("/_unknown/thing").await).0, 400);
}

#[tokio::test]
async fn a_full_house_is_told_with_a_time_to_come_back() {
    let house = House::new();
    let taken = house.server.intake.take_all().await;
    let body = "{\"create\":{\"_index\":\"x\"}}\n{\"message\":\"m\"}\n";
    let waiting = house.post("/_bulk", body);
    tokio::pin!(waiting);
    assert!(tokio::time::timeout(std::time::Duration::from_millis(1), &mut waiting).await.is_err());
    drop(taken);
    assert_eq!(waiting.await.status, 200);
    house.store.close().expect("it closes");
    let reply = house.post("/_bulk", body).await;
    assert_eq!(error_of(&reply).0, 503);
    assert_ne!(reply.header("retry-after"), "");
}

#[tokio::test]
async fn agents_find_what_they_ask_for_before_they_send() {
    let house = House::new();
    let root = house.get_with("/", "accept", "application/vnd.elasticsearch+json; compatible-with=8").await;
    assert_eq!(root.header("x-elastic-product"), "Elasticsearch");
    assert!(root.json()["version"]["number"].as_str().is_some_and(|number| number.starts_with("8.")));
    assert_eq!(root.json(), house.get("/elasticsearch/").await.json());
    assert_eq!(root.json(), house.get("/elasticsearch").await.json());
    assert!(house.get("/").await.header("content-type").starts_with("text/html"));
    assert_eq!(house.get("/_license").await.json()["license"]["status"], "active");
    assert_eq!(house.get("/_xpack").await.json()["license"]["type"], "basic");
    assert_eq!(house.get("/_cluster/health?wait_for_status=yellow").await.json()["status"], "green");
    assert!(house.get("/_cat/health").await.text().contains(" catat green "));
    let nodes = house.get("/_nodes/_all/http").await.json();
    let node = nodes["nodes"].as_object().and_then(|nodes| nodes.values().next()).expect("a node");
    assert_eq!(node["http"]["publish_address"], "localhost:22828");
    for path in ["_ilm/policy/x", "_data_stream/x", "_ingest/pipeline/x"] {
        let uri = format!("/elasticsearch/{path}");
        assert_eq!(error_of(&house.get(&uri).await).0, 404, "{path}");
        let made = house.send(Request::put(&uri).body(Body::from("{}")).expect("a request")).await;
        assert_eq!(made.json(), json!({"acknowledged": true}), "{path}");
        assert!(made.header("warning").contains("not kept"));
        assert_eq!(house.get(&uri).await.status, 404, "{path}");
    }
    let head = |uri: &'static str| house.send(Request::head(uri).body(Body::empty()).expect("a request"));
    assert_eq!(head("/elasticsearch/logs").await.status, 404);
    let put = || house.send(Request::put("/elasticsearch/logs").body(Body::empty()).expect("a request"));
    assert_eq!(put().await.json()["acknowledged"], true);
    bulk(&house, "/logs/_bulk", "{\"index\":{}}\n{\"message\":\"m\"}\n").await;
    assert_eq!(head("/elasticsearch/logs").await.status, 200);
    let put_at_root = house.send(Request::put("/logs").body(Body::empty()).expect("a request"));
    assert_eq!(error_of(&put_at_root.await).0, 400);
    assert_eq!(house.get_with("/logs", "accept", "application/vnd.elasticsearch+json").await.status, 200);
    assert_eq!(error_of(&put().await), (400, "resource_already_exists_exception".into()));
}
