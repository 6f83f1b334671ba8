//! Small bodies that stand for much: the work and the memory of a request, and its answer, are bounded by the bytes that it sent.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::doors::message as fields;
use super::remote_write::{ONE, TWO};
use super::{House, Reply};

/// 2026-11-20T11:55:00Z, in ns.
const START: u64 = 1_795_175_700_000_000_000;

async fn write(house: &House, message: &[u8], kind: &str) -> Reply {
    let body = ingest::snappy::pack(message).expect("small enough");
    let request =
        Request::post("/prometheus/api/v1/write").header("content-type", kind).header("content-encoding", "snappy");
    house.send(request.body(Body::from(body)).expect("a request")).await
}

/// Returns a gauge whose point has these fields besides its time.
fn gauge(point: &[u8]) -> Vec<u8> {
    let time = [&[3 << 3 | 1][..], &START.to_le_bytes()].concat();
    let gauge = fields(&[(1, &[time, point.to_vec()].concat())]);
    let metric = fields(&[(1, b"m"), (5, &gauge)]);
    fields(&[(1, &fields(&[(2, &fields(&[(2, &metric)]))]))])
}

async fn export(house: &House, message: Vec<u8>) -> Reply {
    let request = Request::post("/v1/metrics").header("content-type", "application/x-protobuf");
    house.send(request.body(Body::from(message)).expect("a request")).await
}

fn check(reply: &Reply, reason: &str) {
    let text = String::from_utf8_lossy(&reply.body);
    assert!((400..500).contains(&reply.status) && text.contains(reason), "{} {text}", reply.status);
    assert!(reply.body.len() < 2_000, "{} bytes", reply.body.len());
}

#[tokio::test]
async fn references_to_a_long_symbol_are_not_followed_without_end() {
    let house = House::new();
    let series = fields(&[(5, &fields(&[(1, &[1, 2])]))]);
    let symbols = [fields(&[(4, b""), (4, b"__name__")]), fields(&[(4, "x".repeat(1 << 20).as_bytes())])].concat();
    check(&write(&house, &[symbols, series.repeat(200_000)].concat(), TWO).await, "need more than");
}

#[tokio::test]
async fn labels_attributes_and_elements_of_nothing_are_counted() {
    let house = House::new();
    let empty = |number: u8, n: usize| fields(&[(number, b"")]).repeat(n);
    check(&write(&house, &fields(&[(1, &empty(1, 200_000))]), ONE).await, "more than 100000 labels");
    check(&write(&house, &fields(&[(1, &empty(2, 2_000_000))]), ONE).await, "more than 1048576 samples");
    check(&export(&house, gauge(&empty(7, 200_000))).await, "more than 10000 attributes");
    let list = fields(&[(7, &fields(&[(1, b"k"), (2, &fields(&[(5, &empty(1, 2_000_000))]))]))]);
    check(&export(&house, gauge(&list)).await, "need more than");
}

#[tokio::test]
async fn what_is_refused_of_many_segments_is_summed_up() {
    let house = House::new();
    let unprocessed = |reply: &Reply| reply.json()["UnprocessedTraceSegments"].as_array().cloned().expect("a list");
    let put = async |documents: Vec<String>| {
        let body = json!({ "TraceSegmentDocuments": documents }).to_string();
        house.send(Request::post("/xray/TraceSegments").body(Body::from(body)).expect("a request")).await
    };
    let many = unprocessed(&put(vec!["x".to_owned(); 5_000]).await);
    assert_eq!(many.len(), 1_001);
    assert_eq!(many[1_000]["Message"], "4000 further segments were not stored");
    let long = json!({"trace_id": "1".repeat(100_000), "id": "70de5b6f19ff9a0a", "name": "s"}).to_string();
    let long = unprocessed(&put(vec![long; 20]).await);
    assert_eq!(long.len(), 20);
    assert!(long.iter().all(|one: &Value| one.to_string().len() < 1_000), "{}", long[0]);
}
