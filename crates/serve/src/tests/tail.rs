//! Live tail.

use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use tokio_stream::StreamExt;

use super::{House, encoded};

/// Reads a stream until it holds `wanted`.
async fn read_until(stream: &mut BodyDataStream, text: &mut String, wanted: &str) {
    while !text.contains(wanted) {
        let piece = stream.next().await.expect("the stream goes on").expect("without an error");
        text.push_str(&String::from_utf8_lossy(&piece));
    }
}

async fn tail(house: &House, query: &str, last_id: Option<&str>) -> BodyDataStream {
    let mut request = Request::get(format!("/api/v1/tail?query={}", encoded(query)));
    if let Some(id) = last_id {
        request = request.header("last-event-id", id);
    }
    let response = house.start(request.body(Body::empty()).expect("a request")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    response.into_body().into_data_stream()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_seen_as_they_are_accepted_and_after_a_break() {
    let house = House::new();
    let mut stream = tail(&house, "filter @level = \"error\"", None).await;
    let mut text = String::new();
    read_until(&mut stream, &mut text, ": live").await;
    house.fill().await;
    read_until(&mut stream, &mut text, "GET /c failed").await;
    assert!(text.contains("GET /b") && !text.contains("GET /a"), "{text}");
    let first_id = text.lines().find_map(|line| line.strip_prefix("id: ")).expect("events have ids").to_owned();
    drop(stream);

    let mut again = tail(&house, "filter @level = \"error\"", Some(&first_id)).await;
    let mut text = String::new();
    read_until(&mut again, &mut text, "GET /c failed").await;
    assert!(!text.contains("GET /b"), "{text}");
    house.closing.send_replace(true);
    while again.next().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_looks_up_a_table_as_it_was_when_it_began() {
    let house = House::new();
    let put = |text: &'static str| {
        house.send(Request::put("/api/v1/lookups/people").body(Body::from(text)).expect("a request"))
    };
    let query = "filter ispresent(service) | lookup people service output owner | display owner, service";
    let refused = house.get(&format!("/api/v1/tail?query={}", encoded(query))).await;
    assert_eq!((refused.status, refused.json()["error"]["code"].as_str()), (400, Some("unknown-table")));
    assert_eq!(put("service,owner\nweb,ann\n").await.status, 200);
    let mut stream = tail(&house, query, None).await;
    let mut text = String::new();
    read_until(&mut stream, &mut text, ": live").await;
    assert_eq!(put("service,owner\nweb,cyd\n").await.status, 200);
    house.fill().await;
    read_until(&mut stream, &mut text, "\"owner\":\"ann\"").await;
    assert!(!text.contains("cyd"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_break_is_made_up_for_after_a_flush_too() {
    let house = House::new();
    let mut stream = tail(&house, "", None).await;
    let mut text = String::new();
    read_until(&mut stream, &mut text, ": live").await;
    house.fill().await;
    read_until(&mut stream, &mut text, "GET /a").await;
    let first_id = text.lines().find_map(|line| line.strip_prefix("id: ")).expect("events have ids").to_owned();
    drop(stream);
    house.store.flush().expect("a flush");
    let late = r#"{"@timestamp":"2026-11-19T00:00:00Z","message":"late, and old"}"#;
    assert_eq!(house.post("/api/v1/ingest?group=db", late).await.status, 200);

    let mut again = tail(&house, "", Some(&first_id)).await;
    let mut text = String::new();
    read_until(&mut again, &mut text, "late, and old").await;
    let places: Vec<_> = ["GET /b", "GET /c", "slow query", "ready", "late"].map(|m| text.find(m)).to_vec();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} {text}");
    assert!(!text.contains("GET /a"), "{text}");
    house.closing.send_replace(true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_may_be_asked_for_in_logql() {
    let house = House::new();
    let uri = format!("/api/v1/tail?language=logql&query={}", encoded(r#"{group="db"} |= "slow""#));
    let response = house.start(Request::get(uri).body(Body::empty()).expect("a request")).await;
    assert_eq!(response.status(), 200);
    let mut stream = response.into_body().into_data_stream();
    let mut text = String::new();
    read_until(&mut stream, &mut text, ": live").await;
    house.fill().await;
    read_until(&mut stream, &mut text, "slow query").await;
    house.closing.send_replace(true);
}

#[tokio::test]
async fn a_query_that_groups_cannot_be_tailed() {
    let house = House::new();
    let reply = house.get(&format!("/api/v1/tail?query={}", encoded("stats count(*)"))).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
}
