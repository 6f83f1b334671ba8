//! How the store looks after itself, as it is told: previews, the clock, what metrics and status show.

use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::json;

use super::*;

/// Returns the value of a metric, labels and all.
async fn metric(house: &House, name: &str) -> Option<f64> {
    let page = house.get("/metrics").await.text();
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned));
    line.and_then(|value| value.parse().ok())
}

async fn flush(house: &House) {
    assert_eq!(house.administer("POST", "/api/v1/status/flush?compact=true", "").await.status, 200);
}

/// An event of each of the five days before now.
async fn fill_days(house: &House) {
    let days = (16..=20).map(|day| format!("{{\"time\":\"2026-11-{day}T01:00:00Z\",\"message\":\"of {day}\"}}\n"));
    assert_eq!(house.post("/api/v1/ingest?group=app", days.collect::<String>()).await.status, 200);
    flush(house).await;
}

#[tokio::test]
async fn a_preview_changes_nothing_and_the_change_says_the_same() {
    let house = House::new();
    fill_days(&house).await;
    let body = r#"{"retention":{"age":"2d"}}"#;
    assert_eq!(house.administer("PUT", "/api/v1/groups/app?preview=maybe", body).await.status, 400);
    let preview = house.administer("PUT", "/api/v1/groups/app?preview=true", body).await;
    assert_eq!(preview.status, 200, "{}", preview.text());
    let preview = preview.json();
    let removes = &preview["removes"];
    assert_eq!((&removes["events"], &removes["runs"]), (&json!(3), &json!(3)), "{preview}");
    assert_eq!(removes["first"], "2026-11-16T01:00:00Z");
    assert_eq!(removes["last"], "2026-11-18T01:00:00Z");
    assert!(removes["bytes"].as_u64() > Some(0));
    assert_eq!(preview["undo_until"], "2026-11-21T12:00:00Z");
    assert!(preview["warnings"][0].as_str().is_some_and(|text| text.starts_with("3 of 5 events go")), "{preview}");
    let group = house.get("/api/v1/groups/app").await.json();
    assert_eq!((&group["events"], &group["retention"]["age"]), (&json!(5), &json!(null)));
    let changed = house.administer("PUT", "/api/v1/groups/app", body).await.json();
    assert_eq!((&changed["events"], &changed["removes"]), (&json!(2), removes));
    assert_eq!(metric(&house, "catat_runs_undoable").await, Some(3.0));
    let back = house.administer("PUT", "/api/v1/groups/app", r#"{"retention":{"age":"4d"}}"#).await.json();
    assert_eq!((&back["events"], &back["restores"]["events"], &back["warnings"]), (&json!(4), &json!(2), &json!([])));
    assert_eq!(house.get("/api/v1/groups").await.json()["groups"][0]["forecast"]["reason"], "age");
}

#[tokio::test]
async fn a_doubted_clock_is_told_everywhere_until_an_operator_confirms_it() {
    static JUMP: AtomicI64 = AtomicI64::new(0);
    let turned = || Timestamp(now().0 + JUMP.load(Ordering::SeqCst));
    let house = House::with_clock(Limits::default(), Clock::new(turned));
    fill_days(&house).await;
    assert_eq!(metric(&house, "catat_clock_doubted").await, Some(0.0));
    JUMP.store(400 * Timestamp::DAY, Ordering::SeqCst);
    let body = r#"{"retention":{"age":"2d"}}"#;
    assert_eq!(house.administer("PUT", "/api/v1/groups/app", body).await.json()["events"], 5);
    assert_eq!(metric(&house, "catat_clock_doubted").await, Some(1.0));
    let status = house.get("/api/v1/status").await.json();
    assert_eq!(status["clock"]["trusted"], false, "{status}");
    assert!(status["warnings"][0].as_str().is_some_and(|text| text.contains("the clock jumped")), "{status}");
    let ready = house.get("/-/ready").await;
    assert_eq!(ready.status, 200, "what is asked is answered: {}", ready.text());
    assert!(ready.text().contains("confirm-clock"), "{}", ready.text());
    assert_eq!(house.post("/api/v1/status/confirm-clock", "").await.status, 401);
    assert_eq!(house.administer("POST", "/api/v1/status/confirm-clock", "").await.status, 200);
    house.store.retire().expect("room");
    assert_eq!(house.get("/api/v1/status").await.json()["clock"]["trusted"], true);
    assert_eq!(house.get("/api/v1/groups/app").await.json()["events"], 0);
}

#[tokio::test]
async fn what_is_written_and_what_waits_is_counted() {
    let house = House::new();
    let names = ["catat_wal_bytes", "catat_wal_sync_seconds_count", "catat_written_bytes_total{kind=\"wal\"}"];
    let mut before = Vec::new();
    for name in names {
        before.push(metric(&house, name).await.unwrap_or_else(|| panic!("{name} is missing")));
    }
    assert_eq!(house.get("/api/v1/status").await.json()["written_bytes"]["per_stored_byte"], json!(null));
    house.fill().await;
    for (name, before) in names.iter().zip(before) {
        assert!(metric(&house, name).await > Some(before), "{name} does not move");
    }
    let status = house.get("/api/v1/status").await.json();
    assert!(status["wal"]["sync_seconds"]["p99"].as_f64() > Some(0.0), "{status}");
    assert_eq!(status["wal"]["files"], 1);
    flush(&house).await;
    assert_eq!(metric(&house, "catat_tier_segments{tier=\"hot\",place=\"local\"}").await, Some(1.0));
    for name in ["catat_written_bytes_total{kind=\"flush\"}", "catat_write_amplification_ratio", "catat_segment_bytes"]
    {
        assert!(metric(&house, name).await > Some(0.0), "{name}");
    }
    let status = house.get("/api/v1/status").await.json();
    assert!(status["forecast"]["bytes_per_day"].as_u64() > Some(0), "{status}");
    assert!(status["forecast"]["bytes_left"].as_u64() > Some(0), "{status}");
    let page = house.get("/metrics").await.text();
    let of_sync: Vec<f64> = page
        .lines()
        .filter(|line| line.starts_with("catat_wal_sync_seconds_bucket"))
        .filter_map(|line| line.rsplit(' ').next()?.parse().ok())
        .collect();
    assert!(of_sync.len() > 10 && of_sync.is_sorted(), "buckets are cumulative: {of_sync:?}");
    assert_eq!(of_sync.last().copied(), metric(&house, "catat_wal_sync_seconds_count").await);
}
