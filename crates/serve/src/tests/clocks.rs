//! Clocks and time zones that are off: seen, named, mended, and told beside answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::json;
use storage::Clock;
use types::{Limits, Timestamp};

use super::House;

const START: i64 = 1_800_000_000;

/// Returns a house whose clock is set by hand, in seconds after the start.
fn house() -> (House, Arc<AtomicI64>) {
    let seconds = Arc::new(AtomicI64::new(0));
    let of_clock = seconds.clone();
    let clock = Clock::new(move || Timestamp((START + of_clock.load(Ordering::Relaxed)) * Timestamp::SECOND));
    (House::with_clock(Limits::default(), clock), seconds)
}

/// Returns a line of a host in Jakarta, whose time names no zone, so many seconds after the start.
fn line(seconds: i64) -> String {
    let local = Timestamp((START + seconds + 7 * 3_600) * Timestamp::SECOND).to_string();
    format!("{} ERROR pool exhausted\n", local.trim_end_matches('Z').replace('T', " "))
}

async fn send(house: &House, seconds: &AtomicI64, at: i64) {
    seconds.store(at, Ordering::Relaxed);
    let sent = house.post("/api/v1/ingest?group=app/pay&stream=web-1&format=text", line(at)).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
}

#[tokio::test]
async fn local_time_without_a_zone_is_named_everywhere_with_the_setting_that_mends_it() {
    let (house, seconds) = house();
    for at in [0, 2, 4] {
        send(&house, &seconds, at).await;
    }
    let status = house.get("/api/v1/status").await.json();
    let clock = &status["clocks"][0];
    assert_eq!((&clock["group"], &clock["stream"]), (&json!("app/pay"), &json!("web-1")), "{status}");
    assert_eq!((&clock["offset_seconds"], &clock["time_zone"]), (&json!(25_200), &json!("Asia/Jakarta")));
    let expected = "group app/pay, stream web-1: events are dated 7h ahead of their arrival: their times name no zone; \
                    `catat groups set app/pay --time-zone Asia/Jakarta`, or zone = \"Asia/Jakarta\" in the input that ships \
                    them, reads them in that zone from now on";
    assert_eq!(status["warnings"], json!([expected]));
    let ready = house.get("/-/ready").await;
    assert_eq!((ready.status, &ready.json()["warnings"]), (200, &json!([expected])), "{}", ready.text());
    let doctor = house.administer("GET", "/api/v1/doctor", "").await.json();
    let finding = json!({"severity": "warning", "check": "clocks", "message": expected, "advice": ""});
    assert!(doctor["findings"].as_array().is_some_and(|found| found.contains(&finding)), "{doctor}");
    let metrics = house.get("/metrics").await.text();
    let sample = "catat_source_clock_offset_seconds{group=\"app/pay\",stream=\"web-1\"} 25200";
    assert!(metrics.contains(sample), "{metrics}");

    let answer = house.get("/api/v1/query?query=filter+@message+like+%22pool%22&from=now-1h").await.json();
    let warning = answer["warnings"].as_array().unwrap().iter().find(|warning| warning["code"] == "events-ahead");
    let warning = warning.unwrap_or_else(|| panic!("{answer}"));
    assert!(warning["message"].as_str().unwrap().starts_with("3 events of these groups are dated after"), "{warning}");
    assert!(warning["hint"].as_str().unwrap().contains("--time-zone Asia/Jakarta"), "{warning}");

    let path = "/api/v1/groups/app%2Fpay";
    let wrong = house.administer("PUT", path, r#"{"time_zone":"Asia/Jakrata"}"#).await;
    assert!(wrong.status == 400 && wrong.text().contains("unknown time zone"), "{}", wrong.text());
    let set = house.administer("PUT", path, r#"{"time_zone":"Asia/Jakarta"}"#).await;
    assert_eq!((set.status, &set.json()["time_zone"]), (200, &json!("Asia/Jakarta")), "{}", set.text());
    send(&house, &seconds, 6).await;
    let found = house.get("/api/v1/query?query=stats+count(*)+as+n&from=now-1m&to=now").await.json();
    assert_eq!(found["rows"], json!([[1]]), "{found}");
    assert_eq!(house.get("/api/v1/status").await.json()["clocks"], json!([]));
    assert_eq!(house.restarted().get(path).await.json()["time_zone"], "Asia/Jakarta");
    let unset = house.administer("PUT", path, r#"{"time_zone":null}"#).await;
    assert_eq!(unset.json()["time_zone"], json!(null), "{}", unset.text());
}

#[tokio::test]
async fn names_of_groups_are_told_to_no_caller_without_a_key() {
    let (house, seconds) = house();
    for at in [0, 2, 4] {
        send(&house, &seconds, at).await;
    }
    let (_, db) = house.key("read", &["db"]).await;
    let ready = house.get("/-/ready").await.text();
    assert!(!ready.contains("app/pay"), "{ready}");
    let scoped = house.get_with("/api/v1/status", "x-catat-key", &db).await.json();
    assert_eq!((&scoped["clocks"], &scoped["warnings"]), (&json!([]), &json!([])), "{scoped}");
}
