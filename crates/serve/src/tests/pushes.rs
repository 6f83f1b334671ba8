//! Groups of samples by Pushgateway's API: replaced, updated, deleted, repeated, kept over a restart.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{House, Reply, encoded};

/// Somewhat after the time in tests: each push is later than the one before.
const AT: &str = "2026-11-20T12:00:01Z";

async fn push(house: &House, method: &str, path: &str, body: &str) -> Reply {
    let request = Request::builder().method(method).uri(path).header("content-type", "text/plain; version=0.0.4");
    house.send(request.body(Body::from(body.to_owned())).expect("a request")).await
}

async fn pushed(house: &House, method: &str, path: &str, body: &str) {
    let reply = push(house, method, path, body).await;
    assert!(reply.status < 300, "{}", reply.text());
}

/// Returns the series that PromQL finds, with their values.
async fn ask(house: &House, query: &str, at: &str) -> Vec<String> {
    let reply = house.get(&format!("/prometheus/api/v1/query?query={}&time={at}", encoded(query))).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let series = |row: &Value| format!("{} {}", row["metric"], row["value"][1]);
    let mut found: Vec<String> =
        reply.json()["data"]["result"].as_array().expect("a vector").iter().map(series).collect();
    found.sort_unstable();
    found
}

const GROUP: &str = "/metrics/job/backup/instance/db1";
const PAGE: &str =
    "# TYPE done gauge\n# HELP done Whether it is done.\ndone 1\nfiles_total{job=\"mine\",kind=\"new\"} 7\n";

#[tokio::test]
async fn a_group_is_replaced_updated_and_deleted() {
    let house = House::new();
    assert_eq!(push(&house, "PUT", GROUP, PAGE).await.status, 200);
    let own = r#"{job="backup",__name__!~"push.*"}"#;
    let done = r#"{"__name__":"done","instance":"db1","job":"backup"} "1""#;
    let files = |kind: &str, n: &str| {
        format!(r#"{{"__name__":"files_total","instance":"db1","job":"backup","kind":"{kind}"}} "{n}""#)
    };
    assert_eq!(ask(&house, own, AT).await, [done.to_owned(), files("new", "7")]);
    let metadata = house.get("/prometheus/api/v1/metadata?metric=done").await.json()["data"].clone();
    assert_eq!(metadata, json!({"done": [{"type": "gauge", "help": "Whether it is done.", "unit": ""}]}));
    // Metrics of the same name are replaced, others stay.
    pushed(&house, "POST", GROUP, "files_total{kind=\"old\"} 8\n").await;
    assert_eq!(ask(&house, own, AT).await, [done.to_owned(), files("old", "8")]);
    pushed(&house, "PUT", GROUP, "files_total{kind=\"old\"} 9\n").await;
    assert_eq!(ask(&house, own, AT).await, [files("old", "9")]);
    let times = ask(&house, r#"{__name__=~"push.*"}"#, AT).await;
    assert!(times.len() == 2 && times[0].ends_with("\"0\"") && times[1].contains("1795176000"), "{times:?}");
    // A group without metrics is still one; a group that is deleted is none.
    pushed(&house, "PUT", GROUP, "").await;
    assert_eq!(ask(&house, r#"count({job="backup"})"#, AT).await, ["{} \"2\""]);
    assert_eq!(push(&house, "DELETE", GROUP, "").await.status, 202);
    assert_eq!(push(&house, "DELETE", GROUP, "").await.status, 202);
    assert_eq!(ask(&house, r#"{job="backup"}"#, AT).await, Vec::<String>::new());
}

#[tokio::test]
async fn the_last_push_stays_over_the_lookback_and_a_restart() {
    let clock = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(super::now().0));
    let of_house = clock.clone();
    let read = storage::Clock::new(move || types::Timestamp(of_house.load(std::sync::atomic::Ordering::Relaxed)));
    let house = House::with_clock(types::Limits::default(), read);
    pushed(&house, "PUT", GROUP, "done NaN\nleft +Inf\n").await;
    pushed(&house, "PUT", "/metrics/job/other", "done 2\n").await;
    pushed(&house, "DELETE", "/metrics/job/other", "").await;
    let house = house.restarted();
    clock.fetch_add(3_600 * types::Timestamp::SECOND, std::sync::atomic::Ordering::Relaxed);
    let later = "2026-11-20T13:00:10Z";
    assert_eq!(ask(&house, "left", later).await, Vec::<String>::new());
    let (server, state) = (house.server.clone(), house.families.metrics.clone());
    let repeated = tokio::task::spawn_blocking(move || metrics::repeat(server, &state)).await.expect("no panic");
    repeated.expect("the samples are stored");
    assert_eq!(ask(&house, "left", later).await.len(), 1);
    assert_eq!(ask(&house, "done", later).await, [r#"{"__name__":"done","instance":"db1","job":"backup"} "NaN""#]);
    let age = ask(&house, "time() - push_time_seconds", later).await;
    assert!(age.len() == 1 && age[0].contains("\"36"), "{age:?}");
}

#[tokio::test]
async fn what_cannot_be_pushed_is_refused_with_its_place() {
    let house = House::new();
    for (path, body, said) in [
        (GROUP, "done one", "line 1, column 6: \"one\" is no number"),
        (GROUP, "done 1\ndone 2", "line 2: a second sample of"),
        (GROUP, "done 1 1700000000000", "line 1: pushed samples have no times"),
        (GROUP, "push_time_seconds 1", "is written by the server itself"),
        ("/metrics/instance/x", "done 1", "the first label of the path"),
        ("/metrics/job", "done 1", "has no value"),
        ("/metrics/job@base64/%21", "done 1", "is not base64"),
    ] {
        let reply = push(&house, "PUT", path, body).await;
        assert!(reply.status == 400 && reply.text().contains(&said.replace('"', "\\\"")), "{body}: {}", reply.text());
    }
    // A push that was read and then refused is noted.
    let failed = ask(&house, "push_failure_time_seconds > 0", AT).await;
    assert_eq!(failed.len(), 1, "{failed:?}");
    let request = Request::put(GROUP).header("content-type", "application/vnd.google.protobuf; encoding=delimited");
    let reply = house.send(request.body(Body::from("x")).expect("a request")).await;
    assert!(reply.status == 415 && reply.text().contains("version=0.0.4"), "{}", reply.text());
}

#[tokio::test]
async fn keys_push_to_their_groups_only_and_a_deleted_log_group_takes_its_pushes_along() {
    let house = House::new();
    pushed(&house, "PUT", GROUP, "done 1\n").await;
    let (_, key) = house.key("ingest", &["metrics/other"]).await;
    let of_key = async |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(path).header("x-catat-key", &key);
        house.send(request.body(Body::from("done 2\n")).expect("a request")).await.status
    };
    assert_eq!(of_key("PUT", GROUP).await, 403);
    assert_eq!(of_key("DELETE", GROUP).await, 403);
    assert_eq!(of_key("POST", "/metrics/job/other").await, 200);
    let deleted = house.administer("DELETE", "/api/v1/groups/metrics%2Fbackup", "").await;
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    let (server, state) = (house.server.clone(), house.families.metrics.clone());
    let repeated = tokio::task::spawn_blocking(move || metrics::repeat(server, &state)).await.expect("no panic");
    repeated.expect("the samples are stored");
    let uri = format!("/prometheus/api/v1/query?query=done&time={AT}");
    let found = house.administer("GET", &uri, "").await.json()["data"]["result"].clone();
    assert!(found.as_array().is_some_and(|rows| rows.len() == 1 && rows[0]["metric"]["job"] == "other"), "{found}");
}

#[tokio::test]
async fn a_series_is_in_one_group() {
    let house = House::new();
    pushed(&house, "PUT", "/metrics/job/col", "a{i=\"1\"} 1").await;
    pushed(&house, "PUT", "/metrics/job/col/i/2", "a 5").await;
    let reply = push(&house, "PUT", "/metrics/job/col/i/1/", "a 2").await;
    assert!(reply.status == 400 && reply.text().contains("a series can be in one group"), "{}", reply.text());
    pushed(&house, "PUT", "/metrics/job/col", "a{i=\"1\"} 10").await;
    let found = ask(&house, "sum by (i) (a)", AT).await;
    assert_eq!(found, [r#"{"i":"1"} "10""#, r#"{"i":"2"} "5""#]);
    let failed = ask(&house, "count(push_failure_time_seconds{i=\"1\"} > 0)", AT).await;
    assert_eq!(failed, [r#"{} "1""#]);
    let known = house.get("/prometheus/api/v1/metadata?metric=push_time_seconds").await.json();
    assert_eq!(known["data"]["push_time_seconds"][0]["type"], "gauge");
}

#[tokio::test]
async fn the_server_stores_its_own_metrics_and_ends_series_that_are_gone() {
    let clock = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(super::now().0));
    let of_house = clock.clone();
    let read = storage::Clock::new(move || types::Timestamp(of_house.load(std::sync::atomic::Ordering::Relaxed)));
    let house = House::with_clock(types::Limits::default(), read);
    let is_shown = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let of_page = is_shown.clone();
    house.server.app.metrics.set_own_page(move || {
        let gone = if of_page.load(std::sync::atomic::Ordering::Relaxed) { "gone{job=\"mine\"} 2\n" } else { "" };
        format!("# HELP there Whether it is.\n# TYPE there gauge\nthere 1\n{gone}")
    });
    let storing = metrics::store_own(std::sync::Arc::downgrade(&house.server), house.families.metrics.clone());
    let storing = tokio::spawn(storing);
    let all = "{__name__=~\"there|gone\"}";
    let there = r#"{"__name__":"there","instance":"test:1","job":"catat-itself"} "1""#;
    let gone = r#"{"__name__":"gone","instance":"test:1","job":"mine"} "2""#;
    while ask(&house, all, AT).await != [gone, there] {
        tokio::task::yield_now().await;
    }
    // A question about all groups is about what was sent.
    let question = |groups: &[&str]| json!({"query": "stats count(*) by @log", "from": "2026-11-20T11:00:00Z", "to": "2026-11-20T13:00:00Z", "groups": groups});
    let asked = async |groups: &[&str]| {
        let reply = house.administer_json("/api/v1/query", &question(groups)).await;
        let rows = reply.json()["rows"].clone();
        rows.as_array().expect("rows").iter().map(|row| row[0].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(asked(&[]).await, ["\"metrics/mine\""]);
    assert_eq!(asked(&["metrics/catat-itself"]).await, ["\"metrics/catat-itself\""]);
    let metadata = house.get("/prometheus/api/v1/metadata?metric=there").await.json()["data"].clone();
    assert_eq!(metadata, json!({"there": [{"type": "gauge", "help": "Whether it is.", "unit": ""}]}));
    is_shown.store(false, std::sync::atomic::Ordering::Relaxed);
    clock.fetch_add(types::Timestamp::SECOND / 2, std::sync::atomic::Ordering::Relaxed);
    while ask(&house, all, AT).await != [there] {
        tokio::task::yield_now().await;
    }
    storing.abort();
}
