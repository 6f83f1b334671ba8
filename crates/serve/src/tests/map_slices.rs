//! Slices of the service map over restarts: the same map without reading spans, and never one of other events.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use storage::Clock;
use types::Timestamp;

use super::traces::span;
use super::{ADMIN_KEY, House};

const MAP: &str = "/api/v1/service-map?from=2026-11-20T11:30:00Z&to=2026-11-20T12:00:00Z";

/// Stores a call of `web` to `pay`, and one of `pay` to a database, all within one slice.
async fn with_calls() -> House {
    with_calls_in(House::new()).await
}

async fn with_calls_in(house: House) -> House {
    let (web, pay) = (("web", "client", "POST /pay"), ("pay", "server", "POST /pay"));
    let database = json!({"db.system": "postgresql"});
    house
        .store_spans(&[
            span(("0a", "0000000000000001", ""), web, ("11:55:01", 20.0), json!({})),
            span(("0a", "0000000000000002", "0000000000000001"), pay, ("11:55:02", 10.0), json!({})),
            span(
                ("0a", "0000000000000003", "0000000000000002"),
                ("pay", "client", "SELECT"),
                ("11:55:03", 5.0),
                database,
            ),
        ])
        .await;
    house
}

/// Returns nodes and edges of the map that a key is answered with, and the number of events read for it.
async fn map_as(house: &House, key: &str) -> (Value, u64) {
    let mut map = house.get_with(MAP, "x-catat-key", key).await.json();
    assert_eq!(map["partial"], false, "{map}");
    let n_scanned = map["stats"]["events_scanned"].as_u64().expect("a number");
    (json!([map["nodes"].take(), map["edges"].take()]), n_scanned)
}

fn edges(map: &Value) -> Vec<(&str, &str)> {
    let edges = map[1].as_array().expect("edges");
    edges.iter().map(|edge| (edge["from"].as_str().expect("a name"), edge["to"].as_str().expect("a name"))).collect()
}

#[tokio::test]
async fn a_map_after_a_restart_is_the_same_and_reads_no_span() {
    let house = with_calls().await;
    let (of_hot, n_scanned) = map_as(&house, ADMIN_KEY).await;
    assert_eq!(edges(&of_hot), [("pay", "postgresql"), ("web", "pay")]);
    assert!(n_scanned > 0);
    let file = house.dir.path().join("map.slices");
    assert!(!file.exists(), "nothing is kept of events that are in no segment");
    house.store.flush().expect("room");
    let (before, n_scanned) = map_as(&house, ADMIN_KEY).await;
    assert!(before == of_hot && n_scanned > 0, "{before}");
    assert_eq!(map_as(&house.restarted(), ADMIN_KEY).await, (before.clone(), 0));
    std::fs::write(&file, "CATATMAP and something else").expect("room");
    let (after, n_scanned) = map_as(&house.restarted(), ADMIN_KEY).await;
    assert!(after == before && n_scanned > 0, "a damaged file is not used: {after}");
    std::fs::remove_file(&file).expect("it was written again");
    assert_eq!(map_as(&house.restarted(), ADMIN_KEY).await.0, before, "the file may be removed");
}

#[tokio::test]
async fn slices_that_were_kept_are_shown_for_no_other_events() {
    let house = with_calls().await;
    house.store.flush().expect("room");
    let (whole, _) = map_as(&house, ADMIN_KEY).await;
    let (_, key) = house.key("read", &["traces/pay"]).await;
    let (own, n_scanned) = map_as(&house.restarted(), &key).await;
    assert_eq!(edges(&own), [("pay", "postgresql")], "{own}");
    assert!(n_scanned > 0);
    assert_eq!(
        map_as(&house.restarted(), &key).await,
        (own, 0),
        "each caller has slices of the groups within the scope"
    );
    assert_eq!(map_as(&house.restarted(), ADMIN_KEY).await, (whole, 0));

    let order = json!({"query": "filter kind = \"client\"", "from": "now-1h", "to": "now", "reason": "test"});
    let done = house.administer("POST", "/api/v1/groups/traces%2Fpay/delete-events", order.to_string()).await;
    assert_eq!(done.json()["deleted"], 1, "{}", done.text());
    let (left, _) = map_as(&house.restarted(), ADMIN_KEY).await;
    assert_eq!(edges(&left), [("web", "pay")], "{left}");
    assert!(!left.to_string().contains("postgresql"), "{left}");
}

#[tokio::test]
async fn slices_of_the_hour_before_the_newest_span_are_made_however_long_ago_it_was() {
    let later = || Timestamp(super::now().0 + 3 * Timestamp::DAY);
    let house = with_calls_in(House::with_clock(types::Limits::default(), Clock::new(later))).await;
    house.store.flush().expect("room");
    let upkeep = start_upkeep(&house);
    until(|| contains(&house, b"postgresql")).await;
    upkeep.abort();
    let (map, n_scanned) = map_as(&house, ADMIN_KEY).await;
    assert_eq!((edges(&map).len(), n_scanned), (2, 0), "no one asked for a map before");
}

#[tokio::test]
async fn slices_of_the_last_hour_are_made_after_a_start_and_go_with_their_segments() {
    let house = with_calls().await;
    house.store.flush().expect("room");
    let upkeep = start_upkeep(&house);
    until(|| contains(&house, b"postgresql")).await;
    upkeep.abort();
    let restarted = house.restarted();
    let (map, n_scanned) = map_as(&restarted, ADMIN_KEY).await;
    assert_eq!((edges(&map).len(), n_scanned), (2, 0), "no one asked for a map before");

    let order = json!({"query": "filter kind = \"client\"", "from": "now-1h", "to": "now", "reason": "test"});
    let done = house.administer("POST", "/api/v1/groups/traces%2Fpay/delete-events", order.to_string()).await;
    assert_eq!(done.json()["deleted"], 1, "{}", done.text());
    house.store.compact().expect("room");
    let restarted = house.restarted();
    let upkeep = start_upkeep(&restarted);
    until(|| !contains(&house, b"postgresql")).await;
    upkeep.abort();
}

fn start_upkeep(house: &House) -> tokio::task::JoinHandle<()> {
    let server = Arc::downgrade(&house.server);
    tokio::spawn(::traces::follow_spans(server, house.families.traces.clone(), Duration::ZERO))
}

/// Reports whether the file of slices has a name.
fn contains(house: &House, name: &[u8]) -> bool {
    let bytes = std::fs::read(house.dir.path().join("map.slices")).unwrap_or_default();
    bytes.windows(name.len()).any(|window| window == name)
}

/// Waits for a pass of upkeep.
async fn until(is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "the file of slices does not become what it should be");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
