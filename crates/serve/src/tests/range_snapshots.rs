//! What a PromQL range is read from: one snapshot for the whole query, and none where something cannot be read.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::Value;
use storage::Snapshot;
use types::ScanError;

use super::House;
use super::remote_write::{ONE, START, series, write};

const MINUTE: i64 = 60_000;

/// While [`IS_FLEETING`] is set, samples of this group are in the first snapshot alone.
const FLEETING: &str = "metrics/fleeting";
static IS_FLEETING: AtomicBool = AtomicBool::new(false);
static N_SNAPSHOTS: AtomicUsize = AtomicUsize::new(0);

/// While [`IS_DAMAGED`] is set, some samples of this group cannot be read.
const DAMAGED: &str = "metrics/damaged";
static IS_DAMAGED: AtomicBool = AtomicBool::new(false);

/// Empties or damages the snapshots that contain one of the groups above, while its flag is set.
pub(super) fn changed(mut snapshot: Snapshot) -> Snapshot {
    let has = |name: &str| snapshot.runs.iter().any(|run| run.info().group.as_str() == name);
    if IS_DAMAGED.load(Ordering::Relaxed) && has(DAMAGED) {
        snapshot.damaged.push(ScanError { file: "x.seg".into(), offset: 0, problem: "on purpose".into() });
    }
    if IS_FLEETING.load(Ordering::Relaxed) && has(FLEETING) && N_SNAPSHOTS.fetch_add(1, Ordering::Relaxed) > 0 {
        snapshot.runs.clear();
    }
    snapshot
}

/// Stores half an hour of a series.
async fn filled(job: &str) -> House {
    let house = House::new();
    let samples: Vec<(i64, f64)> = (0..30).map(|minute| (START - minute * MINUTE, minute as f64)).rev().collect();
    let message = series(&[("__name__", "a_total"), ("job", job)], &samples);
    assert_eq!(write(&house, &message, ONE).await.status, 204);
    house
}

/// Asks for a query at each minute of the half hour.
async fn ask(house: &House, query: &str) -> Value {
    let (start, end) = ((START - 29 * MINUTE) / 1_000, START / 1_000);
    let reply =
        house.get(&format!("/prometheus/api/v1/query_range?query={query}&start={start}&end={end}&step=60")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

#[tokio::test]
async fn all_samples_of_a_range_are_of_one_instant() {
    let house = filled("fleeting").await;
    IS_FLEETING.store(true, Ordering::Relaxed);
    let answer = ask(&house, "a_total%2Ba_total").await;
    assert_eq!(answer["data"]["result"][0]["values"].as_array().map(Vec::len), Some(30), "{answer}");
    assert_eq!(N_SNAPSHOTS.load(Ordering::Relaxed), 1);
    let later = ask(&house, "a_total").await;
    assert_eq!(later["data"]["result"].as_array().map(Vec::len), Some(0), "{later}");
}

#[tokio::test]
async fn an_answer_that_is_kept_does_not_hide_that_samples_are_missing() {
    let house = filled("damaged").await;
    let whole = ask(&house, "a_total").await;
    assert_eq!(whole["data"]["result"][0]["values"].as_array().map(Vec::len), Some(30), "{whole}");
    assert_eq!(ask(&house, "a_total").await, whole);
    IS_DAMAGED.store(true, Ordering::Relaxed);
    let damaged = ask(&house, "a_total").await;
    assert!(damaged["warnings"][0].as_str().is_some_and(|text| text.contains("on purpose")), "{damaged}");
    IS_DAMAGED.store(false, Ordering::Relaxed);
    assert_eq!(ask(&house, "a_total").await, whole);
}
