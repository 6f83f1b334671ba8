//! `/api/v1/sources`: who may tell, who may see, and what the metrics say.

use serde_json::{Value, json};

use super::House;

/// Ships lines of ten bytes from `start` on.
async fn ship(house: &House, file: &str, group: &str, start: u64, n_lines: usize) {
    let header = json!({"source": "s1", "file": file, "generation": 0, "start": start, "host": "web1", "path": format!("/var/log/{file}")});
    let body = format!("{header}\n{}", "line of 9\n".repeat(n_lines));
    let uri = format!("/api/v1/ingest?format=lines&group={group}&stream=web1:{file}");
    assert_eq!(house.administer("POST", &uri, body).await.status, 200);
}

fn report(size: u64, offset: u64) -> String {
    let files = json!([{"file": "a", "path": "/var/log/a", "group": "app/a", "stream": "web1:a", "size": size, "offset": offset}]);
    json!({"host": "web1", "version": "1.2.3", "last_error": "no route to host", "files": files}).to_string()
}

async fn sources(house: &House, query: &str) -> Value {
    let answer = house.administer("GET", &format!("/api/v1/sources{query}"), "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["sources"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shippers_are_shown_with_what_never_arrived_and_found_by_host_and_state() {
    let house = House::new();
    ship(&house, "a", "app/a", 0, 10).await;
    ship(&house, "a", "app/a", 150, 10).await;
    assert_eq!(sources(&house, "?state=unknown").await[0]["files"][0]["gaps"], json!([[100, 150]]));
    assert_eq!(sources(&house, "?state=up").await, json!([]));
    let answer = house.administer("POST", "/api/v1/sources/s1", report(300, 250)).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"files": 1})));
    let source = sources(&house, "?state=up&host=web1").await[0].clone();
    assert_eq!((&source["version"], &source["last_error"]), (&json!("1.2.3"), &json!("no route to host")));
    assert_eq!((&source["lag_bytes"], &source["gap_bytes"]), (&json!(50), &json!(50)));
    assert_eq!(sources(&house, "?host=web2").await, json!([]));
    let whole = house.administer("GET", "/api/v1/sources", "").await.json();
    assert_eq!((&whole["partial"], &whole["partial_reasons"]), (&json!(false), &json!([])), "it is no fleet");
    let wrong = house.administer("GET", "/api/v1/sources?state=lost", "").await;
    assert_eq!((wrong.status, &wrong.json()["error"]["hint"]), (400, &json!("known: up, down, stopped, unknown")));
    let metrics = house.administer("GET", "/metrics", "").await.text();
    assert!(metrics.contains("catat_source_up{source=\"s1\",host=\"web1\"} 1\n"), "{metrics}");
    assert!(metrics.contains("catat_source_lag_bytes{source=\"s1\",host=\"web1\"} 50\n"));
    assert!(metrics.contains("catat_source_gap_bytes{source=\"s1\",host=\"web1\"} 50\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_for_some_groups_tells_of_and_sees_their_files_alone() {
    let house = House::new();
    ship(&house, "a", "app/a", 0, 10).await;
    ship(&house, "b", "secret/b", 0, 10).await;
    let (_, reader) = house.key("read", &["app/*"]).await;
    let (_, sender) = house.key("ingest", &["secret/*"]).await;
    let with = |method: &str, uri: &str, key: &str, body: String| {
        let request = axum::http::Request::builder().method(method).uri(uri);
        let request = request.header("authorization", format!("Bearer {key}"));
        request.body(axum::body::Body::from(body)).expect("a request")
    };
    let told = house.send(with("POST", "/api/v1/sources/s1", &sender, report(900, 900))).await;
    assert_eq!((told.status, told.json()), (200, json!({"files": 0})));
    let seen = house.send(with("GET", "/api/v1/sources", &reader, String::new())).await;
    let shown = &seen.json()["sources"][0];
    assert_eq!((shown["files"].as_array().map(Vec::len), &shown["files"][0]["size"]), (Some(1), &Value::Null));
    assert!(!seen.text().contains("secret") && !seen.text().contains("no route"), "{}", seen.text());
    let refused = house.send(with("GET", "/api/v1/sources", &sender, String::new())).await;
    assert_eq!(refused.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_that_is_none_is_refused_with_the_place() {
    let house = House::new();
    let answer = house.administer("POST", "/api/v1/sources/s1", "{\"files\": 1}").await;
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (400, &json!("bad-report")));
    assert!(answer.text().contains("line 1 column"), "{}", answer.text());
    let answer = house.administer("POST", "/api/v1/sources/s1", format!("{{{}}}", " ".repeat(2 << 20))).await;
    assert_eq!(answer.status, 413);
    assert_eq!(sources(&house, "").await, json!([]));
}
