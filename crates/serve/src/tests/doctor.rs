//! `/api/v1/doctor`: the findings of a server, their advice, and who may read them.

use serde_json::{Value, json};

use super::House;

/// Returns the findings of a check: severity and message.
async fn findings(house: &House, check: &str) -> Vec<(String, String)> {
    let answer = house.administer("GET", "/api/v1/doctor", "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let all = answer.json()["findings"].as_array().cloned().unwrap_or_default();
    let of_check = all.iter().filter(|finding| finding["check"] == check);
    of_check.map(|finding| (text(finding, "severity"), text(finding, "message"))).collect()
}

async fn ingest(house: &House, group: &str, body: String) {
    let format = if body.starts_with('{') { "ndjson" } else { "text" };
    let sent = house.administer("POST", &format!("/api/v1/ingest?format={format}&group={group}"), body).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_well_says_so_of_each_check() {
    let house = House::new();
    for check in ["ready", "clocks", "sources", "levels"] {
        let found = findings(&house, check).await;
        assert!(found.len() == 1 && found[0].0 == "ok" && !found[0].1.is_empty(), "{check}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_whose_events_have_no_level_are_named() {
    let house = House::new();
    ingest(&house, "app/plain", "a plain line\n".repeat(100)).await;
    ingest(&house, "app/few", "a plain line\n".repeat(99)).await;
    ingest(&house, "app/levels", "{\"message\":\"x\",\"level\":\"info\"}\n".repeat(200)).await;
    let found = findings(&house, "levels").await;
    assert!(found.len() == 1 && found[0].0 == "note" && found[0].1.starts_with("group app/plain: "), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shippers_that_fail_and_bytes_that_never_arrived_are_told() {
    let house = House::new();
    let line = "line of 9\n";
    for start in [0, 50] {
        let header =
            json!({"source": "s1", "file": "a", "generation": 0, "start": start, "host": "web1", "path": "/var/log/a"});
        let body = format!("{header}\n{line}");
        let uri = "/api/v1/ingest?format=lines&group=app/a&stream=web1:a";
        assert_eq!(house.administer("POST", uri, body).await.status, 200);
    }
    let files =
        json!([{"file": "a", "path": "/var/log/a", "group": "app/a", "stream": "web1:a", "size": 60, "offset": 60}]);
    let report = json!({"host": "web1", "last_error": "no route to host", "refused": 3, "files": files}).to_string();
    assert_eq!(house.administer("POST", "/api/v1/sources/s1", report).await.status, 200);
    let found = findings(&house, "sources").await;
    let expected = [
        "web1: no route to host",
        "web1: 40 B of its files never arrived",
        "web1: 3 of its events or batches were refused",
    ];
    assert_eq!(found, expected.map(|message| ("warning".to_owned(), message.to_owned())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ready_and_clocks_say_is_there() {
    let house = House::new();
    std::fs::write(house.dir.path().join("data/COPY"), "catat copy\nformat 1\ntaken 2026-11-19T00:00:00Z\n")
        .expect("it is ours");
    let found = findings(&house, "ready").await;
    assert!(found.len() == 1 && found[0].0 == "warning" && found[0].1.contains("this store is a copy"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_for_some_groups_is_not_told() {
    let house = House::new();
    let (_, narrow) = house.key("admin", &["app/*"]).await;
    let (_, reader) = house.key("read", &["*"]).await;
    for key in [narrow, reader] {
        let request = axum::http::Request::get("/api/v1/doctor").header("authorization", format!("Bearer {key}"));
        let refused = house.send(request.body(axum::body::Body::empty()).expect("a request")).await;
        assert_eq!(refused.status, 403, "{}", refused.text());
    }
}
