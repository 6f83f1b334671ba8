//! A defect that a query meets (T-QOD-6): 500 for that query alone, and nothing is left behind by it.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use storage::Snapshot;
use types::{Column, FieldSummary, MinuteCounts, Narrowed, RowSet, Run, RunInfo, ScanError, TextProbe, Timestamp};

use super::revocation::{ENDLESS, Endless};
use super::{House, encoded, range_snapshots};

/// Runs of these groups have a defect: where a scan's threads read, and where the query's own thread puts together.
const IN_SCAN: &str = "defect/scan";
const IN_QUERY: &str = "defect/query";

/// How often each is asked: more often than there are places for queries.
const N_ASKED: usize = 40;

/// Returns runs of some groups their defects.
pub(crate) fn with_defects(mut snapshot: Snapshot) -> Snapshot {
    for run in &mut snapshot.runs {
        if [IN_SCAN, IN_QUERY].contains(&run.info().group.as_str()) {
            *run = Arc::new(Defective(run.clone()));
        } else if run.info().group.as_str() == ENDLESS {
            *run = Arc::new(Endless(run.clone()));
        }
    }
    range_snapshots::changed(snapshot)
}

/// A run that panics.
struct Defective(Arc<dyn Run>);

impl Defective {
    fn panic_in(&self, group: &str) {
        assert_ne!(self.0.info().group.as_str(), group, "on purpose");
    }
}

impl Run for Defective {
    fn info(&self) -> &RunInfo {
        self.0.info()
    }

    fn n_blocks(&self) -> usize {
        self.panic_in(IN_QUERY);
        self.0.n_blocks()
    }

    fn block_rows(&self, block: usize) -> usize {
        self.0.block_rows(block)
    }

    fn block_times(&self, block: usize) -> (Timestamp, Timestamp) {
        self.0.block_times(block)
    }

    fn fields(&self) -> Result<Vec<FieldSummary>, ScanError> {
        self.panic_in(IN_QUERY);
        self.0.fields()
    }

    fn minutes(&self) -> Result<Option<Vec<MinuteCounts>>, ScanError> {
        Ok(None)
    }

    fn narrow(&self, block: usize, probe: &TextProbe<'_>) -> Result<Narrowed, ScanError> {
        self.0.narrow(block, probe)
    }

    fn read(&self, block: usize, names: &[&str], rows: &RowSet) -> Result<Vec<Column>, ScanError> {
        self.panic_in(IN_SCAN);
        self.0.read(block, names, rows)
    }
}

async fn filled() -> House {
    let house = House::new();
    house.fill().await;
    for group in [IN_SCAN, IN_QUERY] {
        let event = json!({"@timestamp": "2026-11-20T11:53:00Z", "@message": "broken", "ms": 1}).to_string();
        let reply = house.post(&format!("/api/v1/ingest?group={}", encoded(group)), event).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    house
}

/// Other queries are answered and events accepted, and nothing of what was asked before still runs.
async fn nothing_is_left(house: &House) {
    let query = json!({"query": "stats count(*) as n, max(ms) as m", "groups": ["web/*"]}).to_string();
    for _ in 0..2 {
        let reply = house.post("/api/v1/query", query.clone()).await;
        assert_eq!((reply.status, &reply.json()["rows"][0][0]), (200, &json!(3)), "{}", reply.text());
    }
    let reply = house.post("/api/v1/ingest?group=later", "{\"@message\":\"later\"}").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let running = house.administer("GET", "/api/v1/queries", Body::empty()).await;
    assert_eq!(running.status, 200);
    assert!(!running.text().contains("defect"), "{}", running.text());
}

#[tokio::test]
async fn a_defect_in_a_scan_or_in_the_query_s_own_thread_is_its_500_and_leaves_nothing() {
    let house = filled().await;
    for group in [IN_SCAN, IN_QUERY] {
        for round in 0..N_ASKED {
            let query = ["stats sum(ms) by @message", "fields ms", "sort ms desc | limit 3"][round % 3];
            let reply = house.post("/api/v1/query", json!({"query": query, "groups": [group]}).to_string()).await;
            assert_eq!(reply.status, 500, "{group} {query}: {}", reply.text());
            let error = reply.json()["error"].clone();
            assert_eq!(error["code"], "internal", "{error}");
            assert!(!reply.text().contains("on purpose"), "what a panic says stays in the log");
        }
        nothing_is_left(&house).await;
    }
}

#[tokio::test]
async fn a_defect_in_what_is_asked_beside_the_rows_is_a_500_too() {
    let house = filled().await;
    for inner in [IN_SCAN, IN_QUERY] {
        for query in [
            format!("filter ms in ( source \"{inner}\" | fields ms )"),
            format!("join left=a right=b where a.ms = b.ms ( source \"{inner}\" | fields ms )"),
            format!("source \"{inner}\" | pattern @message"),
            format!("source \"{inner}\" | stats count(ms) | diff previousDay"),
        ] {
            let body = json!({"query": query, "groups": ["web/*"], "from": "now-1h"}).to_string();
            let reply = house.post("/api/v1/query", body).await;
            assert_eq!(reply.status, 500, "{query}: {}", reply.text());
        }
    }
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn a_defect_in_other_routes_is_a_500_too() {
    let house = filled().await;
    for group in [IN_SCAN, IN_QUERY] {
        for route in ["histogram", "fields/ms/values", "patterns", "changes"] {
            let uri = format!("/api/v1/{route}?query=filter%20ms%20%3E%200&groups={}&from=now-1h", encoded(group));
            let reply = house.get(&uri).await;
            assert_eq!(reply.status, 500, "{uri}: {}", reply.text());
        }
    }
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn a_streamed_answer_that_meets_a_defect_says_so_and_ends() {
    let house = filled().await;
    for group in [IN_SCAN, IN_QUERY] {
        for query in ["fields ms", "stats sum(ms) by @message"] {
            let body = json!({"query": query, "groups": [group]}).to_string();
            let request = Request::post("/api/v1/query").header("accept", "application/x-ndjson");
            let reply = house.send(request.body(Body::from(body)).expect("a request")).await;
            let last = reply.text().lines().last().unwrap_or_default().to_owned();
            assert!(reply.status == 500 || last.contains("\"error\""), "{} {}", reply.status, reply.text());
            assert!(reply.text().contains("internal"), "{}", reply.text());
        }
    }
    nothing_is_left(&house).await;
}
