//! Aliases of Elasticsearch's clients, points in time, and what is told of indices.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use storage::Clock;
use types::{Limits, Timestamp};

use super::{House, Reply};

impl House {
    async fn call(&self, method: &str, uri: &str, key: &str, body: &Value) -> Reply {
        let mut request = Request::builder().method(method).uri(uri);
        if !key.is_empty() {
            request = request.header("x-catat-key", key);
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.send(request.body(body).expect("a request")).await
    }

    async fn total_of(&self, index: &str, key: &str) -> Value {
        let reply = self.call("POST", &format!("/elasticsearch/{index}/_search"), key, &json!({"size": 0})).await;
        if reply.status == 200 { reply.json()["hits"]["total"]["value"].clone() } else { json!(reply.status) }
    }
}

fn action(kind: &str, index: &str, alias: &str) -> Value {
    json!({"actions": [{kind: {"index": index, "alias": alias}}]})
}

#[tokio::test]
async fn an_alias_is_another_name_of_groups() {
    let house = House::new();
    house.fill().await;
    let made = house.call("POST", "/elasticsearch/_aliases", "", &action("add", "web*", "site")).await;
    assert_eq!((made.status, made.json()), (200, json!({"acknowledged": true, "errors": false})));
    assert_eq!(made.header("warning"), "");
    assert_eq!(house.call("PUT", "/elasticsearch/db,web%2Faccess/_alias/both", "", &Value::Null).await.status, 200);
    for (index, total) in [("site", 3), ("both", 5), ("si*", 3), ("site,db", 5), ("site,-web*", 0), ("*,-db", 3)] {
        assert_eq!(house.total_of(index, "").await, total, "{index}");
    }
    let count = house.call("POST", "/elasticsearch/both/_count", "", &json!({})).await;
    assert_eq!(count.json()["count"], 5);
    let several = house.post("/elasticsearch/_msearch", "{\"index\":\"site\"}\n{}\n").await.json();
    assert_eq!(several["responses"][0]["hits"]["total"]["value"], 3);
    let house = house.restarted();
    let get = async |uri: &str| house.get(uri).await.json();
    assert_eq!(get("/elasticsearch/_alias/site").await, json!({"web/access": {"aliases": {"site": {}}}}));
    assert_eq!(get("/elasticsearch/db/_alias").await, json!({"db": {"aliases": {"both": {}}}}));
    let all = json!({"db": {"aliases": {"both": {}}}, "web/access": {"aliases": {"both": {}, "site": {}}}});
    assert_eq!(get("/elasticsearch/_aliases").await, all);
    let found = get("/elasticsearch/_resolve/index/*").await;
    assert_eq!(found["aliases"][0], json!({"name": "both", "indices": ["db", "web/access"]}));
    assert_eq!(found["indices"][1]["aliases"], json!(["both", "site"]));
    assert_eq!(get("/elasticsearch/site").await["web/access"]["aliases"], json!({"both": {}, "site": {}}));
    assert_eq!(house.get("/elasticsearch/_alias/none").await.status, 404);
    // What is sent to the name of an alias is found by it, together with what it stands for.
    assert_eq!(house.post("/elasticsearch/site/_bulk", "{\"index\":{}}\n{\"message\":\"x\"}\n").await.status, 200);
    assert_eq!(house.total_of("site", "").await, 4);
    let removed = house.call("DELETE", "/elasticsearch/web*/_alias/site", "", &Value::Null).await;
    assert_eq!(removed.status, 200, "{}", removed.text());
    assert_eq!(house.total_of("site", "").await, 1);
    assert_eq!(house.call("DELETE", "/elasticsearch/web*/_alias/site", "", &Value::Null).await.status, 404);
}

#[tokio::test]
async fn aliases_that_cannot_be_are_refused_and_none_of_a_request_is_made() {
    let house = House::new();
    house.fill().await;
    for (body, kind) in [
        (action("add", "db", "a b"), "invalid_alias_name_exception"),
        (action("add", "db", "_x"), "invalid_alias_name_exception"),
        (action("add", "web/access", "db"), "invalid_alias_name_exception"),
        (action("drop", "db", "x"), "illegal_argument_exception"),
        (
            json!({"actions": [{"add": {"index": "db", "alias": "x", "filter": {"term": {"a": 1}}}}]}),
            "illegal_argument_exception",
        ),
        (
            json!({"actions": [{"add": {"index": "db", "alias": "x"}}, {"add": {"alias": "y"}}]}),
            "illegal_argument_exception",
        ),
        (json!({}), "illegal_argument_exception"),
    ] {
        let reply = house.call("POST", "/elasticsearch/_aliases", "", &body).await;
        assert_eq!((reply.status, reply.json()["error"]["type"].as_str()), (400, Some(kind)), "{body}");
    }
    let lost = json!({"actions": [{"add": {"index": "db", "alias": "x"}}, {"remove": {"index": "db", "alias": "y", "must_exist": true}}]});
    assert_eq!(house.call("POST", "/elasticsearch/_aliases", "", &lost).await.status, 404);
    assert_eq!(house.total_of("x", "").await, 404);
}

#[tokio::test]
async fn who_may_not_decide_about_aliases_is_told_so() {
    let house = House::new();
    house.fill().await;
    let (_, all) = house.key("operate", &["*"]).await;
    let (_, narrow) = house.key("operate", &["db"]).await;
    let (_, reader) = house.key("read", &["db"]).await;
    let (_, sender) = house.key("ingest", &["*"]).await;
    for key in [&reader, &sender] {
        let reply = house.call("POST", "/elasticsearch/_aliases", key, &action("add", "db", "x")).await;
        assert_eq!((reply.status, reply.json()["error"]["type"].as_str()), (403, Some("security_exception")));
        assert_eq!(house.call("PUT", "/elasticsearch/db/_alias/x", key, &Value::Null).await.status, 403);
    }
    assert_eq!(house.total_of("x", &all).await, 404);
    let beyond = house.call("POST", "/elasticsearch/_aliases", &narrow, &action("add", "*", "x")).await;
    assert_eq!((beyond.status, beyond.json()["error"]["type"].as_str()), (403, Some("security_exception")));
    let made = house.call("POST", "/elasticsearch/_aliases", &all, &action("add", "_all", "x")).await;
    assert_eq!(made.status, 200);
    assert_eq!(
        house.call("POST", "/elasticsearch/_aliases", &all, &action("add", "web/access", "y")).await.status,
        200
    );
    assert_eq!((house.total_of("x", &all).await, house.total_of("x", &reader).await), (json!(5), json!(2)));
    // Of an alias of groups that do not exist for a key there is none.
    assert_eq!(house.total_of("y", &reader).await, 404);
    let of_reader = house.call("GET", "/elasticsearch/_alias", &reader, &Value::Null).await.json();
    assert_eq!(of_reader, json!({"db": {"aliases": {"x": {}}}}));
    assert_eq!(house.call("GET", "/elasticsearch/_alias/x", &sender, &Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_point_in_time_sees_nothing_that_comes_later() {
    let instant = Arc::new(AtomicI64::new(1_795_176_000_000_000_000));
    let of_clock = instant.clone();
    let clock = Clock::new(move || Timestamp(of_clock.load(Ordering::SeqCst)));
    let house = House::with_clock(Limits::default(), clock);
    let send = async |from: usize| {
        let line = |n: usize| format!("{{\"@timestamp\":\"2026-11-20T11:{:02}:00Z\",\"n\":{n}}}\n", n % 5);
        let lines: String = (from..from + 10).map(line).collect();
        assert_eq!(house.post("/api/v1/ingest?group=many", lines).await.status, 200);
        instant.fetch_add(1_000_000_000, Ordering::SeqCst);
    };
    send(0).await;
    let opened = house.post("/elasticsearch/many/_pit?keep_alive=1m", "").await;
    let id = opened.json()["id"].clone();
    instant.fetch_add(1_000_000_000, Ordering::SeqCst);
    send(10).await;
    for sort in [
        json!([{"@timestamp": "desc"}]),
        json!([{"@timestamp": "asc"}]),
        json!([{"n": "asc"}, "_shard_doc"]),
        json!([]),
    ] {
        let (mut found, mut after) = (Vec::new(), Value::Null);
        loop {
            let body = json!({"size": 3, "pit": {"id": id, "keep_alive": "1m"}, "sort": sort, "search_after": after});
            let answer = house.post("/elasticsearch/_search", body.to_string()).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let answer = answer.json();
            assert_eq!((&answer["pit_id"], &answer["hits"]["total"]["value"]), (&id, &json!(10)), "{sort}");
            let hits = answer["hits"]["hits"].as_array().expect("hits").clone();
            let Some(last) = hits.last() else { break };
            after = last["sort"].clone();
            found.extend(hits.iter().map(|hit| hit["_source"]["n"].as_i64().expect("a number")));
        }
        found.sort_unstable();
        assert_eq!(found, (0..10).collect::<Vec<i64>>(), "{sort}");
    }
    assert_eq!(house.total_of("many", "").await, 20);
    let both = house.post("/elasticsearch/many/_search", json!({"pit": {"id": id}}).to_string()).await;
    assert_eq!(both.status, 400);
    let closed = house.call("DELETE", "/elasticsearch/_pit", "", &json!({"id": id})).await;
    assert_eq!(closed.json(), json!({"succeeded": true, "num_freed": 1}));
    assert_eq!(house.call("DELETE", "/elasticsearch/_pit", "", &json!({"id": "x"})).await.status, 400);
    assert_eq!(house.post("/elasticsearch/none/_pit?keep_alive=1m", "").await.status, 404);
}

#[tokio::test]
async fn searches_that_could_be_answered_later_are_answered_at_once() {
    let house = House::new();
    house.fill().await;
    let answer =
        house.post("/elasticsearch/db/_async_search?filter_path=is_*,id,response.hits.total", "{}").await.json();
    let total = json!({"hits": {"total": {"value": 2, "relation": "eq"}}});
    assert_eq!(answer, json!({"is_partial": false, "is_running": false, "response": total}));
    assert_eq!(house.get("/elasticsearch/_async_search/x").await.status, 404);
}

#[tokio::test]
async fn indices_have_numbers_and_shards() {
    let house = House::new();
    house.fill().await;
    let stats = house.get("/elasticsearch/_stats").await.json();
    assert_eq!(stats["_all"]["primaries"]["docs"]["count"], 5);
    assert_eq!(stats["indices"]["db"]["total"]["docs"]["count"], 2);
    let of_db = house.get("/elasticsearch/db/_stats").await.json();
    assert_eq!(of_db["indices"].as_object().map(serde_json::Map::len), Some(1));
    let shards = house.get("/elasticsearch/web*/_search_shards").await.json();
    assert_eq!(
        (shards["shards"].as_array().map(Vec::len), &shards["shards"][0][0]["index"]),
        (Some(1), &json!("web/access"))
    );
    assert_eq!(house.get("/elasticsearch/none/_search_shards").await.status, 404);
}
