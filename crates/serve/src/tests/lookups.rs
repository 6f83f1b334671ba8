//! Tables that queries look up: who puts them there, what is no table, and what queries see of them.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{House, Reply, encoded};

const PEOPLE: &str = "service,owner,\"since, roughly\"\nweb,ann,2019\napi,,2020\nweb,bea,2021\n";

async fn put(house: &House, name: &str, text: impl Into<Body>) -> Reply {
    house.send(Request::put(format!("/api/v1/lookups/{name}")).body(text.into()).expect("a request")).await
}

async fn ask(house: &House, query: &str) -> Reply {
    house.get(&format!("/api/v1/query?query={}", encoded(query))).await
}

const BY_OWNER: &str =
    "filter ispresent(service) | lookup people service output owner | stats count(*) as n by owner | sort n";

#[tokio::test]
async fn completion_knows_tables_and_their_columns() {
    let house = House::new();
    house.fill().await;
    assert_eq!(put(&house, "people", PEOPLE).await.status, 200);
    let labels = async |query: &str| {
        let reply = house.post("/api/v1/complete", json!({"query": query}).to_string()).await.json();
        let all = reply["items"].as_array().cloned().unwrap_or_default();
        all.iter().map(|item| item["insert"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(labels("lookup peo").await, ["people"]);
    assert_eq!(labels("lookup \"pe").await, ["\"people\""]);
    assert_eq!(labels("lookup people service output ow").await, ["owner"]);
    assert_eq!(labels("lookup people service output si").await, ["`since, roughly`"]);
    assert!(labels("lookup people service as serv").await.contains(&"service".to_owned()));
}

#[tokio::test]
async fn a_table_of_a_key_with_groups_exists_for_those_who_may_read_them() {
    let house = House::new();
    house.fill().await;
    assert_eq!(house.administer("PUT", "/api/v1/lookups/common", PEOPLE).await.status, 200);
    let (_, mine) = house.key("operate", &["mine/*"]).await;
    let (_, theirs) = house.key("operate", &["theirs/*"]).await;
    let (_, both) = house.key("operate", &["mine/*", "theirs/*"]).await;
    let send = async |key: &str, method: &str, path: &str, body: &str| {
        house.as_key(key, method, &format!("/api/v1/lookups{path}"), body.to_owned()).await
    };
    let names = async |key: &str| {
        let tables = send(key, "GET", "", "").await.json();
        tables["lookups"].as_array().into_iter().flatten().map(|table| table["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(send(&mine, "PUT", "/people", PEOPLE).await.status, 200);
    assert_eq!(names(&mine).await, ["common", "people"]);
    assert_eq!(names(&both).await, ["common", "people"]);
    assert_eq!(names(&theirs).await, ["common"]);
    assert_eq!(send(&theirs, "GET", "/people", "").await.status, 404);
    assert_eq!(send(&theirs, "GET", "/common", "").await.text(), PEOPLE);
    let query = format!("/api/v1/query?query={}", encoded("lookup people service output owner | limit 1"));
    let ask = async |key: &str| house.as_key(key, "GET", &query, String::new()).await.status;
    // The table stays hidden from others after its owner's query cached it.
    assert_eq!([ask(&theirs).await, ask(&mine).await, ask(&theirs).await], [400, 200, 400]);
    for (method, path, status) in
        [("PUT", "/people", 403), ("PUT", "/common", 403), ("DELETE", "/people", 404), ("DELETE", "/common", 403)]
    {
        assert_eq!(send(&theirs, method, path, "service,owner\napi,eve\n").await.status, status, "{method} {path}");
    }
    assert_eq!(send(&mine, "GET", "/people", "").await.text(), PEOPLE);
    assert_eq!(send(&both, "DELETE", "/people", "").await.status, 200);
}

#[tokio::test]
async fn a_table_is_put_shown_looked_up_and_deleted() {
    let house = House::new();
    house.fill().await;
    let described =
        json!({"name": "people", "columns": ["service", "owner", "since, roughly"], "rows": 3, "bytes": PEOPLE.len()});
    let reply = put(&house, "people", PEOPLE).await;
    assert_eq!((reply.status, reply.json()), (200, described.clone()), "{}", reply.text());
    assert_eq!(house.get("/api/v1/lookups").await.json(), json!({"lookups": [described]}));
    let shown = house.get("/api/v1/lookups/people").await;
    assert_eq!((shown.text().as_str(), shown.header("content-type")), (PEOPLE, "text/csv; charset=utf-8"));
    assert_eq!(ask(&house, BY_OWNER).await.json()["rows"], json!([[null, 1], ["ann", 2]]));
    // What is kept in memory goes with the table it was read from.
    assert_eq!(put(&house, "people", "service,owner\napi,cyd\n").await.status, 200);
    assert_eq!(ask(&house, BY_OWNER).await.json()["rows"], json!([["cyd", 1], [null, 2]]));
    let delete = || Request::delete("/api/v1/lookups/people").body(Body::empty()).expect("a request");
    assert_eq!(house.send(delete()).await.json(), json!({"deleted": true}));
    assert_eq!(house.send(delete()).await.status, 404);
    assert_eq!(house.get("/api/v1/lookups/people").await.status, 404);
    let refused = ask(&house, BY_OWNER).await;
    assert_eq!(
        (refused.status, &refused.json()["error"]["code"]),
        (400, &json!("unknown-table")),
        "{}",
        refused.text()
    );
}

#[tokio::test]
async fn what_is_no_table_is_refused_and_changes_nothing() {
    let house = House::new();
    assert_eq!(put(&house, "people", PEOPLE).await.status, 200);
    let refused = async |name: &str, text: Vec<u8>| {
        let reply = put(&house, name, text).await;
        (reply.status, reply.json()["error"]["code"].as_str().unwrap_or_default().to_owned())
    };
    let bad = |code: &str| (400, code.to_owned());
    assert_eq!(refused("people", b"a,a\n".to_vec()).await, bad("bad-table"));
    assert_eq!(refused("people", b"a\n\xff\n".to_vec()).await, bad("bad-table"));
    assert_eq!(refused("people", Vec::new()).await, bad("bad-table"));
    assert_eq!(refused("peo%20ple", b"a\n".to_vec()).await, bad("bad-name"));
    assert_eq!(refused("people", vec![b'a'; 9 << 20]).await.0, 413);
    assert_eq!(house.get("/api/v1/lookups/people").await.text(), PEOPLE);
}

#[tokio::test]
async fn a_lookup_names_a_column_that_the_table_does_not_have() {
    let house = House::new();
    assert_eq!(put(&house, "people", PEOPLE).await.status, 200);
    let reply = ask(&house, "lookup people service output boss").await;
    let error: Value = reply.json()["error"].clone();
    assert_eq!((reply.status, &error["code"]), (400, &json!("unknown-column")), "{error}");
    assert!(error["message"].as_str().is_some_and(|message| message.contains("`owner`")), "{error}");
}

#[tokio::test]
async fn a_join_without_groups_looks_at_those_of_the_request() {
    let house = House::new();
    house.fill().await;
    let query = "stats count(*) as n by @log as log | join left=a right=b where a.log = b.log ( stats max(@timestamp) as t by @log as log ) | display log, n";
    let body = json!({"query": query, "groups": ["db"], "from": "now-1h"});
    let reply = house.post("/api/v1/query", body.to_string()).await;
    assert_eq!(reply.json()["rows"], json!([["db", 2]]), "{}", reply.text());
    let counted = "stats count(*) as n | appendcols ( stats count(*) as m )";
    let body = json!({"query": counted, "groups": ["db"], "from": "now-7m", "to": "now-6m"});
    let reply = house.post("/api/v1/query", body.to_string()).await;
    assert_eq!(reply.json()["rows"], json!([[1, 1]]), "{}", reply.text());
}
