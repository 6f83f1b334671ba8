//! Uploads of the journal.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::Request;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio_stream::wrappers::ReceiverStream;

use super::{ADMIN_KEY, House, Reply};

fn request(uri: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::post(uri).header("content-type", "application/vnd.fdo.journal");
    request.header("x-catat-key", ADMIN_KEY).body(body.into()).expect("a request")
}

async fn send(house: &House, uri: &str, body: impl Into<Body>) -> Reply {
    house.send(request(uri, body)).await
}

fn entry(number: u64) -> String {
    let time = 1_795_175_000_000_000 + number;
    format!("__CURSOR=s=a;i={number}\n__REALTIME_TIMESTAMP={time}\nMESSAGE=m{number}\n\n")
}

/// Returns a body that goes on until the sender is dropped.
fn live_body() -> (mpsc::Sender<Result<Bytes, Infallible>>, Body) {
    let (sender, receiver) = mpsc::channel(4);
    (sender, Body::from_stream(ReceiverStream::new(receiver)))
}

/// Sends the first entry and waits until a query finds it.
async fn first_entry_is_there(live: &mpsc::Sender<Result<Bytes, Infallible>>, house: &House) {
    live.send(Ok(Bytes::from(entry(1)))).await.expect("it is read");
    while house.messages("journal").await != json!(["m1"]) {
        yield_now().await;
    }
}

impl House {
    /// Returns the messages of a group, in order.
    async fn messages(&self, group: &str) -> Value {
        let query = json!({ "query": format!("filter @log = '{group}' | fields @message | sort @timestamp"),
            "from": "2026-11-20T00:00:00Z" });
        let found = self.administer("POST", "/api/v1/query", query.to_string()).await.json();
        found["rows"].as_array().into_iter().flatten().map(|row| row[0].clone()).collect()
    }
}

#[tokio::test]
async fn entries_are_stored_once_in_the_group_that_is_asked_for() {
    let house = House::new();
    let both = [entry(1), entry(2)].concat();
    let reply = send(&house, "/journal/upload", both.clone()).await;
    assert_eq!((reply.status, reply.text().as_str()), (202, "2 stored, 0 known already, 0 refused\n"));
    let again = send(&house, "/journal/upload", [both, entry(3)].concat()).await;
    assert_eq!((again.status, again.text().as_str()), (202, "1 stored, 2 known already, 0 refused\n"));
    assert_eq!(house.messages("journal").await, json!(["m1", "m2", "m3"]));
    assert_eq!(send(&house, "/journal/upload?group=own", entry(1)).await.status, 202);
    assert_eq!(house.messages("own").await, json!(["m1"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_are_durable_while_the_body_goes_on_and_when_it_breaks_off() {
    let house = House::new();
    let (live, body) = live_body();
    let asking = async {
        first_entry_is_there(&live, &house).await;
        live.send(Ok(Bytes::from(entry(2) + "MESSAGE=half"))).await.expect("it is read");
        drop(live);
    };
    let (reply, ()) = tokio::join!(send(&house, "/journal/upload", body), asking);
    assert_eq!(reply.status, 400);
    assert!(reply.text().contains("ended within entry 3"), "{}", reply.text());
    assert_eq!(house.messages("journal").await, json!(["m1", "m2"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_closes_ends_uploads_without_saying_that_all_is_there() {
    let house = House::new();
    let (live, body) = live_body();
    let asking = async {
        first_entry_is_there(&live, &house).await;
        house.closing.send_replace(true);
        // What is still said is read over, within bounds.
        drop(live);
    };
    let (reply, ()) = tokio::join!(send(&house, "/journal/upload", body), asking);
    assert_eq!((reply.status, reply.json()["error"]["code"].as_str()), (503, Some("shutting-down")));
}

#[tokio::test]
async fn what_cannot_be_taken_is_named_and_keeps_nothing_else_out() {
    let house = House::new();
    let large = format!("MESSAGE={}\n\n", "x".repeat(5 << 20));
    let reply = send(&house, "/journal/upload", [large.clone(), "no field\n\n".into(), entry(1)].concat()).await;
    assert_eq!(reply.status, 202);
    for part in ["1 stored, 0 known already, 2 refused", "entry 1: field MESSAGE", "entry 2: field \"no field\""] {
        assert!(reply.text().contains(part), "{}", reply.text());
    }
    assert_eq!(house.messages("journal").await, json!(["m1"]));
    // Sent again for ever it would keep out what comes after it.
    assert_eq!(send(&house, "/journal/upload", large).await.status, 202);
    assert_eq!(send(&house, "/journal/upload", "{\"message\":\"no journal\"}\n\n").await.status, 400);
    let endless = [b"A\n".as_slice(), &u64::MAX.to_le_bytes(), &[b'x'; 100_000]].concat();
    assert_eq!(send(&house, "/journal/upload", endless).await.status, 400);
}

#[tokio::test]
async fn only_journals_are_taken_and_only_in_groups_of_the_key() {
    let house = House::new();
    let (_, key) = house.key("ingest", &["mine/*"]).await;
    let ask = async |uri: &str, name: &'static str, value: &'static str| {
        let mut request = request(uri, entry(1));
        request.headers_mut().insert(name, value.parse().expect("a header value"));
        request.headers_mut().insert("x-catat-key", key.parse().expect("a header value"));
        house.send(request).await.status
    };
    assert_eq!(ask("/journal/upload?group=mine/a", "accept", "text/plain").await, 202);
    assert_eq!(ask("/journal/upload", "accept", "text/plain").await, 403);
    assert_eq!(ask("/journal/upload?group=catat/audit", "accept", "text/plain").await, 403);
    assert_eq!(ask("/journal/upload?group=mine/a", "content-type", "text/plain").await, 415);
    assert_eq!(ask("/journal/upload?group=mine/a", "content-encoding", "zstd").await, 415);
    assert_eq!(ask("/journal/upload?groups=mine/a", "accept", "text/plain").await, 400);
}
