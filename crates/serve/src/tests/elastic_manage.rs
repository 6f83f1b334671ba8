//! What scripts ask Elasticsearch first, and last: documents, lists, settings, deletions.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{ADMIN_KEY, House, Reply};

impl House {
    async fn manage(&self, method: &str, uri: &str, key: &str, body: Value) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("/elasticsearch/{uri}"));
        if !key.is_empty() {
            request = request.header("x-catat-key", key);
        }
        self.send(request.body(Body::from(body.to_string())).expect("a request")).await
    }
}

fn kind(reply: &Reply) -> (u16, String) {
    (reply.status, reply.json()["error"]["type"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn documents_are_found_by_their_ids() {
    let house = House::new();
    let lines: String = (0..3)
        .map(|n| format!("{{\"index\":{{\"_id\":\"d{n}\"}}}}\n{{\"@timestamp\":\"2026-11-20T11:00:00Z\",\"n\":{n}}}\n"))
        .collect();
    assert_eq!(house.post("/elasticsearch/docs/_bulk", lines).await.status, 200);
    let get = async |uri: &str| house.get(&format!("/elasticsearch/{uri}")).await;
    let found = get("docs/_doc/d1?_source=n").await.json();
    assert_eq!((&found["found"], &found["_source"], &found["_version"]), (&json!(true), &json!({"n": 1}), &json!(1)));
    let lost = get("docs/_doc/none").await;
    assert_eq!((lost.status, lost.json()), (404, json!({"_index": "docs", "_id": "none", "found": false})));
    assert_eq!(get("docs/_source/d2?_source_includes=n").await.json(), json!({"n": 2}));
    assert_eq!(kind(&get("docs/_source/none").await), (404, "resource_not_found_exception".into()));
    assert_eq!(kind(&get("none/_doc/d1").await), (404, "index_not_found_exception".into()));
    let several = house.manage("POST", "docs/_mget", "", json!({"ids": ["d2", "x", "d0"]})).await.json();
    let shown: Vec<_> = several["docs"]
        .as_array()
        .expect("docs")
        .iter()
        .map(|doc| (doc["_id"].clone(), doc["found"].clone()))
        .collect();
    assert_eq!(shown, [(json!("d2"), json!(true)), (json!("x"), json!(false)), (json!("d0"), json!(true))]);
    let docs = json!({"docs": [{"_index": "docs", "_id": "d1", "_source": ["n"]}, {"_index": "none", "_id": "d1"}]});
    let several = house.manage("POST", "_mget", "", docs).await.json();
    assert_eq!((&several["docs"][0]["_source"], &several["docs"][1]["found"]), (&json!({"n": 1}), &json!(false)));
    assert_eq!(kind(&house.manage("POST", "_mget", "", json!({})).await).0, 400);
}

#[tokio::test]
async fn lists_have_columns_order_and_units() {
    let house = House::new();
    house.fill().await;
    let text = async |uri: &str| house.get(&format!("/elasticsearch/_cat/{uri}")).await.text();
    assert_eq!(
        text("indices?h=docs.count,index&v&s=docs.count:desc").await,
        "docs.count index\n3          web/access\n2          db\n"
    );
    assert_eq!(text("indices?h=i&health=red").await, "");
    assert!(text("count/db").await.ends_with(" 2\n"));
    assert_eq!(text("nodes?h=name,master").await, "catat *\n");
    assert_eq!(text("shards/db?h=index,docs,state").await, "db 2 STARTED\n");
    assert!(text("indices?help").await.contains("docs.count | dc,docsCount | \n"));
    let rows = house.get("/elasticsearch/_cat/indices/db?format=json&bytes=b&h=index,dc").await.json();
    assert_eq!(rows, json!([{"index": "db", "dc": "2"}]));
    assert_eq!(house.get("/elasticsearch/_cat/indices?s=nothing").await.status, 400);
    assert_eq!(house.get("/elasticsearch/_cat/indices?health=blue").await.status, 400);
    let changed =
        house.manage("POST", "_aliases", "", json!({"actions": [{"add": {"index": "db", "alias": "store"}}]})).await;
    assert_eq!(changed.status, 200);
    assert_eq!(text("aliases?h=alias,index").await, "store db\n");
}

#[tokio::test]
async fn settings_that_change_nothing_are_taken_and_others_named() {
    let house = House::new();
    house.fill().await;
    let (_, admin) = house.key("admin", &["*"]).await;
    let (_, reader) = house.key("read", &["*"]).await;
    let harmless = json!({"index": {"number_of_replicas": 0, "refresh_interval": "5s"}});
    assert_eq!(house.manage("PUT", "db/_settings", &admin, harmless.clone()).await.status, 200);
    assert_eq!(house.manage("PUT", "db/_settings", &reader, harmless).await.status, 403);
    let other = house.manage("PUT", "db/_settings", &admin, json!({"index.blocks.write": true})).await;
    assert!(
        other.status == 400 && other.text().contains("[index.blocks.write] is not supported here"),
        "{}",
        other.text()
    );
    let other = house
        .manage("PUT", "_cluster/settings", &admin, json!({"transient": {"action.destructive_requires_name": false}}))
        .await;
    assert!(other.status == 400 && other.text().contains("[action.destructive_requires_name]"), "{}", other.text());
    let found = house.manage("GET", "db/_settings", &reader, Value::Null).await.json();
    assert_eq!(found["db"]["settings"]["index"]["provided_name"], "db");
    assert_eq!(house.manage("GET", "_cluster/stats", &reader, Value::Null).await.json()["indices"]["docs"]["count"], 5);
    for (method, uri, feature) in [
        ("POST", "_reindex", "[_reindex] is not supported here"),
        ("POST", "db/_update/1", "[_update] is not supported here"),
        ("GET", "db/_search/template", "[_search/template] is not supported here"),
        ("POST", "_sql?format=json", "[_sql] is not supported here"),
        ("POST", "db/_eql/search", "[_eql] is not supported here"),
        ("GET", "_analyze", "[_analyze] is not supported here"),
        ("DELETE", "db/_doc/1", "deleting a single document is not supported here"),
        ("GET", "_nonsense", "no handler found for uri [/_nonsense]"),
    ] {
        let reply = house.manage(method, uri, &admin, json!({})).await;
        assert_eq!(kind(&reply), (400, "illegal_argument_exception".into()), "{uri}: {}", reply.text());
        assert!(reply.text().contains(feature), "{uri}: {}", reply.text());
    }
}

#[tokio::test]
async fn queries_are_checked_and_values_listed() {
    let house = House::new();
    house.fill().await;
    let valid =
        house.manage("POST", "db/_validate/query?explain=true", "", json!({"query": {"match_all": {}}})).await.json();
    assert_eq!(valid["valid"], true);
    let wrong = house.manage("POST", "db/_validate/query?explain=true", "", json!({"query": {"x": {}}})).await.json();
    assert_eq!(wrong["valid"], false);
    assert!(wrong["error"].as_str().is_some_and(|error| error.contains("query [x]")), "{wrong}");
    let terms = async |body: Value| house.manage("POST", "*/_terms_enum", "", body).await.json()["terms"].clone();
    assert_eq!(terms(json!({"field": "level"})).await, json!(["error", "info", "warn"]));
    assert_eq!(
        terms(json!({"field": "level.keyword", "string": "W", "case_insensitive": true})).await,
        json!(["warn"])
    );
    assert_eq!(terms(json!({"field": "level", "string": "."})).await, json!([]));
}

#[tokio::test]
async fn an_index_that_was_made_is_there_until_it_is_deleted() {
    let house = House::new();
    let (_, admin) = house.key("admin", &["*"]).await;
    let (_, sender) = house.key("ingest", &["*"]).await;
    assert_eq!(house.manage("PUT", "fresh", &sender, json!({})).await.status, 200);
    assert_eq!(
        kind(&house.manage("PUT", "fresh", &sender, json!({})).await),
        (400, "resource_already_exists_exception".into())
    );
    let house = house.restarted();
    let found = house.manage("POST", "fresh/_search", &admin, json!({})).await;
    assert_eq!((found.status, &found.json()["hits"]["total"]["value"]), (200, &json!(0)));
    assert_eq!(house.manage("GET", "_cat/indices?h=index", &admin, Value::Null).await.text(), "fresh\n");
    assert_eq!(house.manage("DELETE", "fresh", &sender, Value::Null).await.status, 403);
    assert_eq!(house.manage("DELETE", "fr*", &admin, Value::Null).await.status, 400);
    assert_eq!(house.manage("DELETE", "fresh,none", &admin, Value::Null).await.status, 404);
    assert_eq!(house.manage("DELETE", "fresh,none?ignore_unavailable=true", &admin, Value::Null).await.status, 200);
    assert_eq!(house.manage("POST", "fresh/_search", &admin, json!({})).await.status, 404);
}

#[tokio::test]
async fn events_that_a_query_finds_are_deleted_for_good() {
    let house = House::new();
    house.fill().await;
    let (_, admin) = house.key("admin", &["*"]).await;
    let (_, operator) = house.key("operate", &["*"]).await;
    let query = json!({"query": {"term": {"level": "error"}}});
    assert_eq!(house.manage("POST", "*/_delete_by_query", &operator, query.clone()).await.status, 403);
    assert_eq!(house.manage("POST", "*/_delete_by_query", &admin, json!({})).await.status, 400);
    assert_eq!(house.manage("POST", "*/_delete_by_query?max_docs=1", &admin, query.clone()).await.status, 400);
    let done = house.manage("POST", "*/_delete_by_query?refresh=true", &admin, query.clone()).await.json();
    assert_eq!((&done["total"], &done["deleted"], &done["failures"]), (&json!(2), &json!(2), &json!([])));
    let count = async || house.manage("GET", "_count", &admin, json!({})).await.json()["count"].clone();
    assert_eq!(count().await, 3);
    let range =
        json!({"query": {"range": {"@timestamp": {"gte": "2026-11-20T11:54:00Z", "lt": "2026-11-20T11:55:00Z"}}}});
    let task = house.manage("POST", "db/_delete_by_query?wait_for_completion=false", &admin, range).await.json();
    let task = house
        .manage("GET", &format!("_tasks/{}", task["task"].as_str().expect("a task")), &admin, Value::Null)
        .await
        .json();
    assert_eq!((&task["completed"], &task["response"]["deleted"]), (&json!(true), &json!(1)));
    assert_eq!(count().await, 2);
    assert_eq!(house.manage("GET", "_tasks/x:1", &admin, Value::Null).await.status, 404);
}

#[tokio::test]
async fn documents_create_the_indices_that_a_setting_allows() {
    let house = House::new();
    house.fill().await;
    let set = async |rule: Value| {
        let body = json!({"persistent": {"action.auto_create_index": rule}});
        let reply = house.manage("PUT", "_cluster/settings", ADMIN_KEY, body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    };
    let send =
        async |index: &str| house.manage("POST", &format!("{index}/_doc"), ADMIN_KEY, json!({"message": "x"})).await;
    set(json!("-logs-b*,+logs-*")).await;
    for (index, status) in [("logs-a", 201), ("logs-b", 404), ("other", 404), ("db", 201)] {
        let reply = send(index).await;
        assert_eq!(reply.status, status, "{index} {}", reply.text());
    }
    set(json!(false)).await;
    let refused = send("logs-c").await.json();
    assert_eq!(refused["error"]["type"], "index_not_found_exception", "{refused}");
    set(Value::Null).await;
    assert_eq!(send("logs-c").await.status, 201);
}
