//! Traces, searches for them and the service map, through the native routes.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::House;

/// A trace of three services: `web` calls `pay`, which asks a database; `pay` sends a message that `mail` receives.
pub(super) const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Returns a span as it is stored, with further fields.
pub(super) fn span(ids: (&str, &str, &str), what: (&str, &str, &str), times: (&str, f64), more: Value) -> Value {
    let (trace, id, parent) = ids;
    let (service, kind, name) = what;
    let mut span = json!({
        "@timestamp": format!("2026-11-20T{}Z", times.0), "@type": "span", "trace_id": trace, "span_id": id,
        "name": name, "kind": kind, "status": "unset", "service": service, "duration_ms": times.1,
        "service.name": service, "message": name, "level": "info",
    });
    if !parent.is_empty() {
        span["parent_span_id"] = parent.into();
    }
    for (name, value) in more.as_object().into_iter().flatten() {
        span[name] = value.clone();
    }
    span
}

impl House {
    /// Stores spans in the groups of their services.
    pub(super) async fn store_spans(&self, spans: &[Value]) {
        for span in spans {
            let uri = format!("/api/v1/ingest?group=traces/{}&stream=host-1", span["service"].as_str().unwrap_or("x"));
            let reply = self.post(&uri, span.to_string()).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
            assert_eq!(reply.json()["accepted"], 1, "{}", reply.text());
        }
    }

    /// Stores the trace [`TRACE`] and two log lines that have its id.
    pub(super) async fn store_trace(&self) {
        self.store_spans(&[
            span((TRACE, "00000000000000a1", ""), ("web", "server", "GET /cart"), ("11:55:00", 285.5), json!({
                "http.response.status_code": 503, "status": "error", "status_message": "upstream failed", "host.name": "web-1",
                "events": [{"timestamp": "2026-11-20T11:55:00.100000001Z", "name": "exception",
                    "attributes": {"exception.type": "Timeout"}}],
            })),
            span((TRACE, "00000000000000a2", "00000000000000a1"), ("web", "client", "POST /pay"), ("11:55:00.01", 200.0), json!({
                "server.address": "pay.internal",
            })),
            span((TRACE, "00000000000000b1", "00000000000000a2"), ("pay", "server", "POST /pay"), ("11:54:59.9", 150.0), json!({})),
            span((TRACE, "00000000000000b2", "00000000000000b1"), ("pay", "client", "SELECT"), ("11:54:59.95", 40.0), json!({
                "db.system": "postgresql", "server.address": "db-1", "attributes.name": "orders",
            })),
            span((TRACE, "00000000000000b3", "00000000000000b1"), ("pay", "producer", "send receipt"), ("11:55:00", 2.0), json!({
                "messaging.system": "kafka",
            })),
            span((TRACE, "00000000000000c1", ""), ("mail", "consumer", "receipt"), ("11:55:03", 12.000_001), json!({
                "links": [{"trace_id": TRACE, "span_id": "00000000000000b3", "attributes": {"n": 1}}],
            })),
        ])
        .await;
        let lines = [
            json!({"@timestamp": "2026-11-20T11:55:00.2Z", "message": "no money", "trace_id": TRACE, "level": "error"}),
            json!({"@timestamp": "2026-11-20T11:55:00.3Z", "message": "gave up", "traceId": TRACE}),
            json!({"@timestamp": "2026-11-20T11:55:00.4Z", "message": "another", "trace_id": "0000000000000000000000000000000a"}),
        ];
        let body = lines.map(|line| line.to_string()).join("\n");
        assert_eq!(self.post("/api/v1/ingest?group=billing&stream=b", body).await.status, 200);
    }

    async fn search_traces(&self, request: Value) -> Value {
        let request = Request::post("/api/v1/traces/search").body(Body::from(request.to_string())).expect("a request");
        let reply = self.send(request).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }
}

fn names(list: &Value, member: &str) -> Vec<String> {
    let items = list.as_array().expect("a list");
    items.iter().map(|item| item[member].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn trace_has_its_spans_its_tree_its_lines_and_its_problems() {
    let house = House::new();
    house.store_trace().await;
    let reply = house.get(&format!("/api/v1/traces/{}", TRACE.to_uppercase())).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let trace = reply.json();
    assert_eq!(trace["trace_id"], TRACE);
    assert_eq!(trace["start"], "2026-11-20T11:54:59.9Z");
    assert_eq!(trace["root"], json!({"span_id": "00000000000000a1", "name": "GET /cart", "service": "web"}));
    assert_eq!(trace["services"], json!(["mail", "pay", "web"]));
    assert_eq!((&trace["n_spans"], &trace["errors"], &trace["partial"]), (&json!(6), &json!(1), &json!(false)));
    assert_eq!(names(&trace["logs"], "@message"), ["no money", "gave up"]);
    assert_eq!(names(&trace["problems"], "code"), ["several-roots", "clock-skew"]);
    let first = &trace["spans"][0];
    assert_eq!(first["span_id"], "00000000000000b1");
    let tree: Vec<(i64, String)> = trace["tree"]
        .as_array()
        .expect("a tree")
        .iter()
        .map(|node| (node["depth"].as_i64().unwrap_or(-1), node["span_id"].as_str().unwrap_or_default().to_owned()))
        .collect();
    let ids: Vec<(i64, &str)> = tree.iter().map(|(depth, id)| (*depth, &id[14..])).collect();
    assert_eq!(ids, [(0, "a1"), (1, "a2"), (2, "b1"), (3, "b2"), (3, "b3"), (0, "c1")]);
    assert_eq!(trace["tree"][2]["adjusted_start"], "2026-11-20T11:55:00.035Z");
    let with_events =
        trace["spans"].as_array().expect("spans").iter().find(|span| span["span_id"] == "00000000000000a1");
    assert_eq!(with_events.expect("the root")["events"][0]["attributes"]["exception.type"], "Timeout");
}

#[tokio::test]
async fn trace_is_looked_for_within_the_range_and_the_scope_of_the_caller() {
    let house = House::new();
    house.store_trace().await;
    let uri = format!("/api/v1/traces/{TRACE}");
    let narrow = house.get(&format!("{uri}?from=2026-11-20T11:55:03Z&to=2026-11-20T11:56:00Z")).await.json();
    assert_eq!(names(&narrow["spans"], "span_id"), ["00000000000000c1"]);
    assert_eq!(house.get(&format!("{uri}?from=now-10m&to=now-9m")).await.status, 404);
    assert_eq!(house.get("/api/v1/traces/ffff").await.status, 404);
    let bad = house.get("/api/v1/traces/zz").await;
    assert_eq!((bad.status, bad.json()["error"]["code"].clone()), (400, json!("bad-trace-id")));
    let (_, key) = house.key("read", &["traces/pay"]).await;
    let own = house.get_with(&uri, "x-catat-key", &key).await.json();
    assert_eq!(own["services"], json!(["pay"]));
    assert_eq!(own["logs"], json!([]));
    assert_eq!(names(&own["problems"], "code"), ["missing-parent"]);
    let map = house.get_with("/api/v1/service-map", "x-catat-key", &key).await.json();
    assert_eq!(names(&map["nodes"], "service"), ["pay", "postgresql", "kafka"]);
}

#[tokio::test]
async fn a_trace_names_the_problems_of_its_spans() {
    let house = House::new();
    let problem = json!({"span_problem": "lasted 10950 days; kept as sent"});
    house
        .store_spans(&[span((TRACE, "00000000000000a1", ""), ("web", "server", "GET /"), ("11:55:00", 5.0), problem)])
        .await;
    let trace = house.get(&format!("/api/v1/traces/{TRACE}")).await.json();
    let message = "GET /: lasted 10950 days; kept as sent";
    assert_eq!(trace["problems"], json!([{"code": "span", "span_id": "00000000000000a1", "message": message}]));
}

#[tokio::test]
async fn spans_decades_away_belong_to_their_trace() {
    let house = House::new();
    house.store_trace().await;
    let other = "0000000000000000000000000000000c";
    let old = |trace: &str, id: &str, date: &str| {
        let mut span = span((trace, id, "00000000000000a1"), ("old", "internal", "step"), ("11:55:00", 1.0), json!({}));
        span["@timestamp"] = date.into();
        span
    };
    let spans = [
        old(TRACE, "00000000000000d1", "1986-11-20T11:55:00Z"),
        old(TRACE, "00000000000000d2", "2026-11-19T23:00:00Z"),
        old(other, "00000000000000d3", "1986-11-20T11:55:00Z"),
        old(other, "00000000000000d4", "2026-11-20T11:55:00Z"),
    ];
    house.store_spans(&spans).await;
    let ids_of =
        async |trace: &str| names(&house.get(&format!("/api/v1/traces/{trace}")).await.json()["spans"], "span_id");
    for how in ["hot", "", "?compact=true"] {
        if how != "hot" {
            house.administer("POST", &format!("/api/v1/status/flush{how}"), "").await;
        }
        let found = ids_of(TRACE).await;
        assert_eq!(found[..2], ["00000000000000d1", "00000000000000d2"], "{how}");
        assert_eq!(found.len(), 8, "{how}");
        assert_eq!(ids_of(other).await, ["00000000000000d3", "00000000000000d4"], "{how}");
    }
    let uri = format!("/api/v1/traces/{TRACE}?from=2026-11-20T11:00:00Z&to=2026-11-20T12:00:00Z");
    assert_eq!(house.get(&uri).await.json()["n_spans"], 6);
}

#[tokio::test]
async fn spans_sent_again_are_one_and_a_long_trace_is_cut_and_says_so() {
    let house = House::new();
    let one = span((TRACE, "00000000000000a1", ""), ("web", "server", "GET /"), ("11:55:00", 5.0), json!({}));
    house.store_spans(&[one.clone(), one]).await;
    let trace = async || house.get(&format!("/api/v1/traces/{TRACE}")).await.json();
    assert_eq!((&trace().await["n_spans"], &trace().await["problems"]), (&json!(1), &json!([])));
    let longer = span((TRACE, "00000000000000a1", ""), ("web", "server", "GET /"), ("11:55:00", 7.0), json!({}));
    house.store_spans(&[longer]).await;
    let trace = trace().await;
    assert_eq!((&trace["n_spans"], &trace["duration_ms"]), (&json!(1), &json!(7.0)));
    assert_eq!(trace["problems"][0]["code"], "repeated");

    let long = "0000000000000000000000000000beef";
    let store = async |trace: &str, n_spans: u32| {
        let line = |n| {
            let parent = if n == 0 { "" } else { "0000000000000000" };
            let id = format!("{:016x}", n + 1);
            span((trace, &id, parent), ("deep", "internal", "step"), ("11:50:00", 1.0), json!({})).to_string()
        };
        let lines: Vec<String> = (0..n_spans).map(line).collect();
        assert_eq!(house.post("/api/v1/ingest?group=traces/deep", lines.join("\n")).await.status, 200);
    };
    store("0000000000000000000000000000bee1", 1_999).await;
    store("0000000000000000000000000000bee2", 2_001).await;
    for (id, n_spans) in [("bee1", 1_999), ("bee2", 2_001)] {
        let trace = house.get(&format!("/api/v1/traces/{id}")).await.json();
        assert_eq!(
            (&trace["n_spans"], names(&trace["problems"], "code")),
            (&json!(n_spans), vec!["several-roots".to_owned()])
        );
    }
    store(long, 21_000).await;
    let trace = house.get("/api/v1/traces/beef").await.json();
    assert_eq!(trace["n_spans"], 20_000);
    let cut = trace["problems"].as_array().expect("problems").iter().find(|problem| problem["code"] == "cut");
    assert_eq!(cut.expect("a cut")["message"], "the trace has 21000 spans; only the 20000 oldest are shown");
}

#[tokio::test]
async fn searches_find_traces_by_one_span_of_them() {
    let house = House::new();
    house.store_trace().await;
    house
        .store_spans(&[
            span(("0a", "0000000000000001", ""), ("web", "server", "GET /cart"), ("11:56:00", 3.0), json!({})),
            span(
                ("0b", "0000000000000002", "9999999999999999"),
                ("web", "server", "GET /"),
                ("11:54:00", 900.0),
                json!({}),
            ),
        ])
        .await;
    let found = async |request: Value| names(&house.search_traces(request).await["traces"], "trace_id");
    assert_eq!(found(json!({})).await, ["0a", TRACE, "0b"]);
    assert_eq!(found(json!({"order": "slowest"})).await, ["0b", TRACE, "0a"]);
    assert_eq!(found(json!({"order": "slowest", "limit": 1})).await, ["0b"]);
    assert_eq!(found(json!({"service": "web", "name": "GET /cart"})).await, ["0a", TRACE]);
    assert_eq!(found(json!({"service": "web", "min_duration_ms": 285.5, "max_duration_ms": 285.5})).await, [TRACE]);
    assert_eq!(found(json!({"errors": true})).await, [TRACE]);
    assert_eq!(found(json!({"kind": "consumer"})).await, [TRACE]);
    assert_eq!(found(json!({"attributes": {"http.response.status_code": 503}})).await, [TRACE]);
    assert_eq!(
        found(json!({"attributes": {"name": "orders"}})).await,
        [TRACE],
        "an attribute with the name of a field"
    );
    assert_eq!(found(json!({"query": "filter db.system like /post/"})).await, [TRACE]);
    assert_eq!(found(json!({"groups": ["traces/mail"]})).await, [TRACE]);
    assert_eq!(found(json!({"from": "now-1h", "to": "now-10m"})).await, Vec::<String>::new());
    let all = house.search_traces(json!({})).await;
    let whole = &all["traces"][1];
    assert_eq!((&whole["root_service"], &whole["root_name"]), (&json!("web"), &json!("GET /cart")));
    assert_eq!((&whole["spans"], &whole["errors"]), (&json!(6), &json!(1)));
    assert_eq!(whole["services"], json!(["mail", "pay", "web"]));
    assert_eq!((&all["traces"][2]["root_missing"], &all["traces"][0]["root_missing"]), (&json!(true), &json!(false)));
    for (bad, code) in [
        (json!({"limit": 0}), "bad-limit"),
        (json!({"order": "best"}), "bad-parameter"),
        (json!({"kind": "sideways"}), "bad-parameter"),
        (json!({"min_duration_ms": -1}), "bad-parameter"),
        (json!({"query": "stats count(*)"}), "search-query"),
        (json!({"servce": "web"}), "bad-json"),
        (json!([]), "bad-json"),
        (json!({"attributes": {"a": [1]}}), "bad-parameter"),
        (json!({"from": "now", "to": "now-1h"}), "empty-range"),
    ] {
        let reply = house.post("/api/v1/traces/search", bad.to_string()).await;
        assert_eq!((reply.status, &reply.json()["error"]["code"]), (400, &json!(code)), "{bad}");
    }
}

#[tokio::test]
async fn map_has_calls_messages_databases_and_services_that_only_log() {
    let house = House::new();
    house.store_trace().await;
    let map = house.get("/api/v1/service-map?from=2026-11-20T11:30:00Z&to=2026-11-20T12:00:00Z").await.json();
    let nodes: Vec<(String, String, i64, i64)> = map["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .map(|node| {
            let text = |name: &str| node[name].as_str().unwrap_or_default().to_owned();
            let number = |name: &str| node[name].as_i64().unwrap_or(-1);
            (text("service"), text("kind"), number("requests"), number("errors"))
        })
        .collect();
    let node = |service: &str, kind: &str, requests, errors| (service.to_owned(), kind.to_owned(), requests, errors);
    let expected = [
        node("billing", "service", 2, 1),
        node("mail", "service", 1, 0),
        node("pay", "service", 1, 0),
        node("web", "service", 1, 1),
        node("postgresql", "database", 1, 0),
    ];
    assert_eq!(nodes, expected, "{map}");
    assert_eq!(map["nodes"][0]["logs_only"], true);
    let edges: Vec<(String, String)> =
        names(&map["edges"], "from").into_iter().zip(names(&map["edges"], "to")).collect();
    let edge = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    assert_eq!(edges, [edge("pay", "mail"), edge("pay", "postgresql"), edge("web", "pay")], "{map}");
    let p95 = map["edges"][2]["p95_ms"].as_f64().expect("a duration");
    assert!((p95 / 200.0 - 1.0).abs() < 0.026, "{p95}");
    let again = house.get("/api/v1/service-map?from=2026-11-20T11:30:00Z&to=2026-11-20T12:00:00Z").await.json();
    assert_eq!((&again["nodes"], &again["edges"]), (&map["nodes"], &map["edges"]), "from slices that were kept");

    house
        .store_spans(&[span(("0c", "0000000000000001", ""), ("web", "server", "GET /"), ("11:45:00", 8.0), json!({}))])
        .await;
    let late = house
        .get("/api/v1/service-map?from=2026-11-20T11:30:00Z&to=2026-11-20T12:00:00Z&compare_from=now-2h&compare_to=now-90m")
        .await
        .json();
    assert_eq!(late["nodes"][3]["requests"], 2, "a late span is counted: {late}");
    assert_eq!(late["nodes"][3]["before"]["requests"], 0);
}

#[tokio::test]
async fn map_joins_calls_whose_sides_began_in_different_slices() {
    let house = House::new();
    house
        .store_spans(&[
            span(
                ("0a", "0000000000000001", ""),
                ("web", "client", "call"),
                ("11:58:29.9", 3000.0),
                json!({
                    "server.address": "pay.internal",
                }),
            ),
            span(
                ("0a", "0000000000000002", "0000000000000001"),
                ("pay", "server", "call"),
                ("11:58:31", 5.0),
                json!({}),
            ),
            span(
                ("0a", "0000000000000003", ""),
                ("web", "client", "call"),
                ("11:58:29.9", 3.0),
                json!({
                    "server.address": "elsewhere",
                }),
            ),
            span(
                ("0a", "0000000000000004", "7777777777777777"),
                ("pay", "server", "call"),
                ("11:58:31", 5.0),
                json!({}),
            ),
        ])
        .await;
    let map = house.get("/api/v1/service-map").await.json();
    let edges: Vec<(String, String)> =
        names(&map["edges"], "from").into_iter().zip(names(&map["edges"], "to")).collect();
    let edge = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    assert_eq!(edges, [edge("web", "pay"), edge("web", "elsewhere")], "{map}");
    assert_eq!(map["nodes"][0]["callers_unknown"], 1, "{map}");
}
