//! All traces of a range, counted by start and duration, beside searches and the drawn traces themselves.

use serde_json::{Value, json};
use types::Timestamp;

use super::House;
use super::traces::span;

/// Traces of the hour before the clock of tests: each has a root, most have a call below it.
const TRACES: u64 = 1_400;

/// Returns the start of a trace in seconds of its hour, its duration in ms, and whether it fails.
fn drawn(n: u64) -> (u64, f64, bool) {
    let ms = [0.02, 3.0, 45.0, 700.0, 12_000.0][(n * 7 % 5) as usize] * (1.1 + (n % 3) as f64 / 10.0);
    (n * 2_654_435_761 % 3_580, ms, n >= 1_000 && n.is_multiple_of(4))
}

async fn house() -> House {
    let house = House::new();
    let mut lines = Vec::new();
    for n in 0..TRACES {
        let (second, ms, fails) = drawn(n);
        let (id, time) = (format!("{:032x}", n + 1), format!("11:{:02}:{:02}", second / 60, second % 60));
        let status = json!({"status": if fails { "error" } else { "ok" }});
        lines
            .push(span((&id, "00000000000000a1", ""), ("shop", "server", "GET /"), (&time, ms), json!({})).to_string());
        let below = (&*id, "00000000000000a2", "00000000000000a1");
        lines.push(span(below, ("shop", "client", "SELECT"), (&time, ms / 2.0), status).to_string());
    }
    let reply = house.post("/api/v1/ingest?group=traces/shop", lines.join("\n")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    house
}

async fn counted(house: &House, body: &Value) -> Value {
    let reply = house.post("/api/v1/traces/density", body.to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

fn cells(answer: &Value) -> &[Value] {
    answer["cells"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn sum(answer: &Value, name: &str) -> u64 {
    cells(answer).iter().filter_map(|cell| cell[name].as_u64()).sum()
}

/// Reports whether a trace lies in a cell.
fn is_in(cell: &Value, width_ms: f64, start: &str, ms: f64) -> bool {
    let at = |text: &str| Timestamp::parse_rfc3339(text).expect("a time").0 as f64 / 1e6;
    let after_ms = at(start) - at(cell["at"].as_str().unwrap_or_default());
    let (min, max) = (cell["min_ms"].as_f64().unwrap_or_default(), cell["max_ms"].as_f64().unwrap_or_default());
    (0.0..width_ms).contains(&after_ms) && (min..max).contains(&ms)
}

#[tokio::test]
async fn all_traces_of_a_range_are_counted_however_many_a_search_returns() {
    let house = house().await;
    for flush in [false, true] {
        if flush {
            house.administer("POST", "/api/v1/status/flush", "").await;
        }
        let found = house.post("/api/v1/traces/search", json!({"limit": 1_000}).to_string()).await.json();
        assert_eq!(found["traces"].as_array().map(Vec::len), Some(1_000));
        let all = counted(&house, &json!({})).await;
        let n_failed = (0..TRACES).filter(|n| drawn(*n).2).count() as u64;
        assert_eq!(
            (&all["traces"], &all["errors"], &all["partial"]),
            (&json!(TRACES), &json!(n_failed), &json!(false))
        );
        assert_eq!((sum(&all, "traces"), sum(&all, "errors")), (TRACES, n_failed));
        let width_ms = all["width_ms"].as_f64().expect("a width");
        for cell in cells(&all) {
            let is_own = |n: &u64| {
                let (second, ms, _) = drawn(*n);
                is_in(cell, width_ms, &format!("2026-11-20T11:{:02}:{:02}Z", second / 60, second % 60), ms)
            };
            let own: Vec<u64> = (0..TRACES).filter(is_own).collect();
            let failed: Vec<u64> = own.iter().copied().filter(|n| drawn(*n).2).collect();
            assert_eq!((&cell["traces"], &cell["errors"]), (&json!(own.len()), &json!(failed.len())), "{cell}");
            let is_one_of = |example: &Value, of: &[u64]| of.iter().any(|n| *example == format!("{:032x}", n + 1));
            assert_eq!(cell["error_example"].is_null(), failed.is_empty(), "{cell}");
            assert!(failed.is_empty() || is_one_of(&cell["error_example"], &failed), "{cell}");
            assert!(failed.len() == own.len() || is_one_of(&cell["example"], &own), "{cell}");
        }
        // The onset is not among the newest 1,000.
        let first = cells(&all).first().and_then(|cell| cell["at"].as_str()).unwrap_or_default();
        assert!(first < "2026-11-20T11:01:00Z", "{first}");
    }
}

#[tokio::test]
async fn conditions_of_a_search_choose_the_traces_that_are_counted() {
    let house = house().await;
    for body in [
        json!({"errors": true}),
        json!({"name": "SELECT", "min_duration_ms": 100}),
        json!({"query": "filter duration_ms < 2 and name = \"SELECT\""}),
        json!({"service": "shop", "from": "2026-11-20T11:10:00Z", "to": "2026-11-20T11:15:00Z"}),
        json!({"service": "nobody"}),
    ] {
        let mut search = body.clone();
        search["limit"] = json!(1_000);
        let found = house.post("/api/v1/traces/search", search.to_string()).await.json();
        let traces = found["traces"].as_array().cloned().unwrap_or_default();
        assert!(traces.len() < 1_000, "{body}");
        let all = counted(&house, &body).await;
        assert_eq!((&all["traces"], sum(&all, "traces")), (&json!(traces.len()), traces.len() as u64), "{body}");
        let width_ms = all["width_ms"].as_f64().expect("a width");
        for trace in &traces {
            let (start, ms) =
                (trace["start"].as_str().unwrap_or_default(), trace["duration_ms"].as_f64().unwrap_or_default());
            let n_cells = cells(&all).iter().filter(|cell| is_in(cell, width_ms, start, ms)).count();
            assert_eq!(n_cells, 1, "{body}: {trace}");
        }
    }
    let refused = house.post("/api/v1/traces/density", r#"{"order":"best"}"#).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
}
