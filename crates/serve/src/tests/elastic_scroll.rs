//! Scrolls of Elasticsearch's clients: what belongs to a search stays with it, and any of its ids goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::{Value, json};
use storage::Clock;
use types::{Limits, Timestamp};

use super::House;

/// Returns a house with a hundred events, every third of which is a warning.
async fn filled() -> House {
    fill(House::new()).await
}

async fn fill(house: House) -> House {
    let line = |n: usize| {
        let level = if n.is_multiple_of(3) { "warn" } else { "info" };
        format!(
            "{{\"@timestamp\":\"2026-11-20T11:{:02}:00Z\",\"n\":{n},\"level\":\"{level}\",\"x\":{{\"y\":1}}}}\n",
            n % 7
        )
    };
    let lines: String = (0..100).map(line).collect();
    assert_eq!(house.post("/api/v1/ingest?group=many", lines).await.status, 200);
    house
}

async fn ask(house: &House, uri: &str, body: Value) -> Value {
    let reply = house.post(uri, body.to_string()).await;
    assert_eq!(reply.status, 200, "{uri}: {}", reply.text());
    reply.json()
}

fn hits(answer: &Value) -> Vec<Value> {
    answer["hits"]["hits"].as_array().expect("hits").clone()
}

/// Returns all hits of a scroll, each page by the id that `id_of` chooses of the first and the newest.
async fn scrolled(house: &House, parameters: &str, body: Value, uses_first: bool) -> Vec<Value> {
    let mut answer = ask(house, &format!("/elasticsearch/many/_search?scroll=1m&{parameters}"), body).await;
    let first = answer["_scroll_id"].clone();
    let mut found = hits(&answer);
    loop {
        let id = if uses_first { &first } else { &answer["_scroll_id"] };
        answer = ask(house, "/elasticsearch/_search/scroll", json!({"scroll_id": id, "scroll": "1m"})).await;
        let page = hits(&answer);
        if page.is_empty() {
            return found;
        }
        found.extend(page);
        assert!(found.len() <= 200, "it goes on for ever");
    }
}

fn numbers(hits: &[Value]) -> Vec<i64> {
    hits.iter().map(|hit| hit["_source"]["n"].as_i64().expect("a number")).collect()
}

#[tokio::test]
async fn parameters_of_the_address_belong_to_every_page() {
    let house = filled().await;
    let warnings: Vec<i64> = (0..100).filter(|n| n % 3 == 0).collect();
    for uses_first in [false, true] {
        let found = scrolled(&house, "q=level:warn&sort=n:asc&size=7", json!({}), uses_first).await;
        assert_eq!(numbers(&found), warnings);
        let found = scrolled(&house, "q=level:warn&size=7&sort=_doc", json!({}), uses_first).await;
        let mut sorted = numbers(&found);
        sorted.sort_unstable();
        assert_eq!(sorted, warnings);
        let found = scrolled(&house, "size=30&_source_includes=n", json!({"sort": [{"n": "desc"}]}), uses_first).await;
        assert_eq!(numbers(&found), (0..100).rev().collect::<Vec<_>>());
        assert!(
            found.iter().all(|hit| hit["_source"].as_object().is_some_and(|source| source.len() == 1)),
            "{found:?}"
        );
    }
}

#[tokio::test]
async fn what_comes_after_the_first_page_is_not_part_of_it() {
    let instant = Arc::new(AtomicI64::new(1_795_176_000_000_000_000));
    let of_clock = instant.clone();
    let clock = Clock::new(move || Timestamp(of_clock.load(Ordering::SeqCst)));
    let house = fill(House::with_clock(Limits::default(), clock)).await;
    let first = ask(&house, "/elasticsearch/many/_search?scroll=1m&size=60", json!({})).await;
    instant.fetch_add(2_000_000_000, Ordering::SeqCst);
    let late = "{\"@timestamp\":\"2026-11-20T10:00:00Z\",\"n\":1000}\n";
    assert_eq!(house.post("/api/v1/ingest?group=many", late).await.status, 200);
    let next = ask(&house, "/elasticsearch/_search/scroll", json!({"scroll_id": first["_scroll_id"]})).await;
    assert_eq!((hits(&next).len(), next["hits"]["total"]["value"].as_u64()), (40, Some(100)));
}

#[tokio::test]
async fn a_scroll_that_was_cleared_or_is_not_known_is_missing() {
    let house = filled().await;
    let begun = async |house: &House| ask(house, "/elasticsearch/many/_search?scroll=1m&size=30", json!({})).await;
    let first = begun(&house).await["_scroll_id"].clone();
    let second = ask(&house, "/elasticsearch/_search/scroll", json!({"scroll_id": first})).await["_scroll_id"].clone();
    let missing = async |house: &House, id: &Value| {
        let reply = house.post("/elasticsearch/_search/scroll", json!({"scroll_id": id}).to_string()).await;
        (reply.status, reply.json()["error"]["type"].as_str().map(str::to_owned))
    };
    // After a restart the newest id says where it is; the first one may have been asked with any number of times.
    let house = house.restarted();
    let gone = (404, Some("search_context_missing_exception".to_owned()));
    assert_eq!(missing(&house, &first).await, gone);
    let rest = ask(&house, "/elasticsearch/_search/scroll", json!({"scroll_id": second})).await;
    assert_eq!(hits(&rest).len(), 30);
    assert_eq!(hits(&ask(&house, "/elasticsearch/_search/scroll", json!({"scroll_id": first})).await).len(), 10);
    let id = begun(&house).await["_scroll_id"].clone();
    let request = axum::http::Request::delete("/elasticsearch/_search/scroll");
    let cleared = house.send(request.body(json!({"scroll_id": [id]}).to_string().into()).expect("a request")).await;
    assert_eq!(cleared.json(), json!({"succeeded": true, "num_freed": 1}));
    assert_eq!(missing(&house, &id).await, gone);
}

#[tokio::test]
async fn what_cannot_be_scrolled_is_refused() {
    let house = filled().await;
    for (parameters, body, reason) in [
        ("size=0", json!({}), "[size] cannot be [0]"),
        ("from=1", json!({}), "using [from] is not allowed"),
        ("sort=n", json!({"search_after": [1]}), "`search_after` cannot be used"),
        ("size=1", json!({"collapse": {"field": "n"}}), "cannot use `collapse`"),
    ] {
        let uri = format!("/elasticsearch/many/_search?scroll=1m&{parameters}");
        let reply = house.post(&uri, body.to_string()).await;
        assert_eq!(reply.status, 400, "{parameters}");
        assert!(reply.text().contains(reason), "{parameters}: {}", reply.text());
    }
    let reply = house.get("/elasticsearch/many/_search?sise=1").await;
    assert_eq!(reply.status, 400);
    let reason = "request [/many/_search] contains unrecognized parameter: [sise] -> did you mean [size]?";
    assert_eq!(reply.json()["error"]["reason"], reason);
}

#[tokio::test]
async fn slices_are_disjoint_and_together_everything() {
    let house = filled().await;
    let mut all = Vec::new();
    for id in 0..3 {
        let body = json!({"size": 9, "slice": {"id": id, "max": 3}, "sort": ["_doc"]});
        all.extend(numbers(&scrolled(&house, "", body, false).await));
    }
    all.sort_unstable();
    assert_eq!(all, (0..100).collect::<Vec<i64>>());
}

#[tokio::test]
async fn of_collapsed_hits_the_first_of_each_value_is_shown() {
    let house = filled().await;
    let body = json!({"size": 5, "sort": [{"n": "asc"}], "collapse": {"field": "level"}, "version": true, "seq_no_primary_term": true});
    let found = ask(&house, "/elasticsearch/many/_search", body).await;
    assert_eq!(found["hits"]["total"]["value"], 100);
    assert_eq!(numbers(&hits(&found)), [0, 1]);
    let first = &found["hits"]["hits"][0];
    assert_eq!(
        (&first["fields"], &first["_version"], &first["_seq_no"]),
        (&json!({"level": ["warn"]}), &json!(1), &json!(0))
    );
    let body = json!({"size": 5, "sort": [{"n": "desc"}], "collapse": {"field": "none"}});
    let found = ask(&house, "/elasticsearch/many/_search", body).await;
    assert_eq!(numbers(&hits(&found)), [99]);
    assert_eq!(found["hits"]["hits"][0]["fields"], json!({"none": [null]}));
}

#[tokio::test]
async fn the_order_of_documents_has_two_directions() {
    let house = filled().await;
    let of = async |sort: Value| {
        numbers(&hits(&ask(&house, "/elasticsearch/many/_search", json!({"size": 100, "sort": sort})).await))
    };
    let (up, mut down) = (of(json!(["_doc"])).await, of(json!([{"_doc": "desc"}])).await);
    assert_eq!((up[0], up[1]), (0, 7));
    down.reverse();
    assert_eq!(up, down);
}
