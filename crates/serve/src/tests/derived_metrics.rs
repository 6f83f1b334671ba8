//! Metrics made of events: through the API and from rule files, on the page of metrics, across restarts.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{House, Reply};

impl House {
    async fn make_metric(&self, metric: Value) -> Reply {
        self.metric_request("POST", "/api/v1/metrics", None, metric).await
    }

    async fn metric_request(&self, method: &str, uri: &str, key: Option<&str>, body: Value) -> Reply {
        let request = Request::builder().method(method).uri(uri).header("content-type", "application/json");
        let request = request.header("x-catat-key", key.unwrap_or(super::ADMIN_KEY));
        self.send(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    /// Lines of the page of metrics that begin so.
    async fn lines(&self, start: &str) -> Vec<String> {
        let page = self.administer("GET", "/metrics", "").await.text();
        page.lines().filter(|line| line.starts_with(start)).map(str::to_owned).collect()
    }

    async fn ingest(&self, group: &str, lines: &[Value]) {
        let body = lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        let sent = self.post(&format!("/api/v1/ingest?group={group}"), body).await;
        assert_eq!(sent.status, 200, "{}", sent.text());
    }

    /// Another server, after this one has ended: its last numbers are on disk.
    fn started_again(self) -> Self {
        self.server.app.metrics.stop();
        self.restarted()
    }
}

fn request(service: &str, ms: impl Into<Value>) -> Value {
    json!({"message": "request", "service": service, "ms": ms.into()})
}

#[tokio::test]
async fn a_counter_counts_what_is_accepted_after_it_once_also_across_restarts() {
    let house = House::new();
    house.ingest("web/a", &[request("api", 1)]).await;
    let counter = json!({"name": "requests_total", "type": "counter", "query": "filter ms >= 0",
        "groups": ["web/*"], "labels": ["service"]});
    let made = house.make_metric(counter.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(house.lines("requests_total").await, [""; 0]);
    house.ingest("web/a", &[request("api", 2), request("db", 3), json!({"message": "none"})]).await;
    // Back-filled ones count as well, those of other groups do not.
    house.ingest("web/b", &[json!({"@timestamp": "2026-11-01T00:00:00Z", "ms": 1, "service": "api"})]).await;
    house.ingest("other", &[request("api", 1)]).await;
    let expected = [r#"requests_total{service="api"} 2"#, r#"requests_total{service="db"} 1"#];
    assert_eq!(house.lines("requests_total").await, expected);
    house.store.flush().expect("it flushes");
    assert_eq!(house.lines("requests_total").await, expected);
    let house = house.started_again();
    assert_eq!(house.lines("requests_total").await, expected);
    house.ingest("web/a", &[request("db", 3)]).await;
    let after = [r#"requests_total{service="api"} 2"#, r#"requests_total{service="db"} 2"#];
    assert_eq!(house.lines("requests_total").await, after);
    // As after a crash in which the numbers were lost: what came since the metric was made is counted again.
    let file = house.dir.path().join("alerts/metrics.state");
    house.server.app.metrics.stop();
    std::fs::remove_file(file).expect("it was written");
    let house = house.restarted();
    assert_eq!(house.lines("requests_total").await, after);

    let shown = house.administer("GET", "/api/v1/metrics/requests_total", "").await.json();
    assert_eq!((&shown["events"], &shown["series"], &shown["labels"]), (&json!(4), &json!(2), &json!(["service"])));
    // What does not change goes on; what does begins anew.
    let put =
        async |body: &Value| house.metric_request("PUT", "/api/v1/metrics/requests_total", None, body.clone()).await;
    assert_eq!(put(&counter).await.status, 200);
    assert_eq!(house.lines("requests_total").await, after);
    let mut changed = counter.clone();
    changed["labels"] = json!([]);
    assert_eq!(put(&changed).await.status, 200);
    assert_eq!(house.lines("requests_total").await, ["requests_total 0"]);
    assert_eq!(house.administer("DELETE", "/api/v1/metrics/requests_total", "").await.status, 200);
    assert_eq!(house.lines("requests_total").await, [""; 0]);
    assert_eq!(house.administer("DELETE", "/api/v1/metrics/requests_total", "").await.status, 404);
}

#[tokio::test]
async fn all_types_stand_on_the_page_with_type_and_help() {
    let house = House::new();
    for metric in [
        json!({"name": "took", "type": "histogram", "field": "ms", "buckets": [10, 100], "help": "What\nit \\took."}),
        json!({"name": "took_lately", "type": "summary", "field": "ms", "quantiles": [0.5]}),
        json!({"name": "took_last", "type": "gauge", "field": "ms"}),
        json!({"name": "took_total", "type": "counter", "field": "ms"}),
        json!({"name": "slow_total", "type": "counter", "language": "lucene", "query": "service:x AND ms:[50 TO 51]"}),
        json!({"name": "slower_total", "type": "counter", "query": "parse @message \"took *ms\" as n | filter n > 9"}),
    ] {
        let made = house.make_metric(metric).await;
        assert_eq!(made.status, 201, "{}", made.text());
    }
    house.ingest("a", &[request("x", 5), request("x", 50.5), request("x", "500"), request("x", "much")]).await;
    house.ingest("a", &[json!({"message": "took 10ms"})]).await;
    assert_eq!(house.lines("# HELP took ").await, ["# HELP took What\\nit \\\\took."]);
    assert_eq!(house.lines("# TYPE took ").await, ["# TYPE took histogram"]);
    let buckets = [r#"took_bucket{le="10"} 1"#, r#"took_bucket{le="100"} 2"#, r#"took_bucket{le="+Inf"} 3"#];
    assert_eq!(house.lines("took_bucket").await, buckets);
    assert_eq!(house.lines("took_sum").await, ["took_sum 555.5"]);
    assert_eq!(house.lines("took_count").await, ["took_count 3"]);
    let quantile = house.lines("took_lately{quantile=\"0.5\"}").await;
    let value: f64 = quantile[0].rsplit_once(' ').expect("a value").1.parse().expect("a number");
    assert!((50.0..51.01).contains(&value), "{value}");
    assert_eq!(house.lines("took_last").await, ["took_last 500"]);
    assert_eq!(house.lines("took_total").await, ["took_total 555.5"]);
    assert_eq!(house.lines("slow_total").await, ["slow_total 1"]);
    assert_eq!(house.lines("slower_total").await, ["slower_total 1"]);
    let skipped = house.lines("catat_metric_skipped_events_total").await;
    assert!(skipped.contains(&r#"catat_metric_skipped_events_total{metric="took"} 2"#.to_owned()), "{skipped:?}");
}

#[tokio::test]
async fn names_that_clash_and_mistakes_are_refused() {
    let house = House::new();
    assert_eq!(house.make_metric(json!({"name": "took", "type": "histogram", "field": "ms"})).await.status, 201);
    for (metric, status, code) in [
        (json!({"name": "took", "type": "counter"}), 409, "metric-exists"),
        (json!({"name": "took_count", "type": "counter"}), 409, "metric-exists"),
        (json!({"name": "catat_events_accepted_total", "type": "counter"}), 400, "bad-metric"),
        (json!({"name": "a b", "type": "counter"}), 400, "bad-metric"),
        (json!({"name": "a", "type": "meter"}), 400, "bad-metric"),
        (json!({"name": "a", "type": "counter", "query": "filter ms >"}), 400, "syntax"),
        (json!({"name": "a", "type": "counter", "query": "stats count(*)"}), 400, "bad-metric"),
    ] {
        let refused = house.make_metric(metric.clone()).await;
        let error = &refused.json()["error"];
        assert_eq!((refused.status, error["code"].as_str()), (status, Some(code)), "{metric}: {error}");
    }
    let elsewhere = json!({"name": "b", "type": "counter"});
    assert_eq!(house.metric_request("PUT", "/api/v1/metrics/a", None, elsewhere).await.status, 400);
}

#[tokio::test]
async fn a_metric_counts_within_its_makers_scope_and_exists_there() {
    let house = House::new();
    let (_, maker) = house.key("operate", &["web/*"]).await;
    let (_, other) = house.key("operate", &["db/*"]).await;
    let made = |key: &str, name: &str, groups: Value| {
        let (key, body) = (key.to_owned(), json!({"name": name, "type": "counter", "groups": groups}));
        let house = &house;
        async move { house.metric_request("POST", "/api/v1/metrics", Some(&key), body).await.status }
    };
    assert_eq!(made(&maker, "web_total", json!([])).await, 201);
    assert_eq!(made(&other, "wide_total", json!(["*"])).await, 201);
    assert_eq!(made(&other, "web_total", json!([])).await, 409);
    assert_eq!(made(&maker, "audits_total", json!(["catat/audit"])).await, 403);
    let batch = |group: &'static str| ("x-catat-key", super::ADMIN_KEY, group);
    for (_, _, group) in [batch("web/a"), batch("db/a"), batch("else")] {
        let sent = house.administer("POST", &format!("/api/v1/ingest?group={group}"), "{\"message\":\"m\"}").await;
        assert_eq!(sent.status, 200, "{}", sent.text());
    }
    assert_eq!(house.lines("web_total").await, ["web_total 1"]);
    assert_eq!(house.lines("wide_total").await, ["wide_total 1"]);
    let names = async |key: &str| {
        let listed = house.metric_request("GET", "/api/v1/metrics", Some(key), json!(null)).await.json();
        let metrics = listed["metrics"].as_array().cloned().unwrap_or_default();
        metrics.iter().map(|metric| metric["name"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&maker).await, ["web_total"]);
    assert_eq!(names(&other).await, ["wide_total"]);
    assert_eq!(names(super::ADMIN_KEY).await, ["web_total", "wide_total"]);
    let gone = house.metric_request("DELETE", "/api/v1/metrics/web_total", Some(&other), json!(null)).await;
    assert_eq!(gone.status, 404);
    let (_, reader) = house.key("read", &["*"]).await;
    let gone = house.metric_request("DELETE", "/api/v1/metrics/web_total", Some(&reader), json!(null)).await;
    assert_eq!(gone.status, 403);
}

#[tokio::test]
async fn metrics_of_files_count_and_are_read_only() {
    let house = House::with_rules("metrics: [{name: from_file_total, type: counter, query: 'filter ms > 1'}]");
    house.ingest("a", &[request("x", 1), request("x", 2)]).await;
    assert_eq!(house.lines("from_file_total").await, ["from_file_total 1"]);
    let shown = house.administer("GET", "/api/v1/metrics/from_file_total", "").await.json();
    assert_eq!(shown["file"], "rules.yaml");
    let gone = house.administer("DELETE", "/api/v1/metrics/from_file_total", "").await;
    assert_eq!((gone.status, gone.json()["error"]["code"].as_str()), (409, Some("metric-of-file")));
    assert_eq!(house.make_metric(json!({"name": "from_file_total", "type": "gauge", "field": "a"})).await.status, 409);
    let mut rules = alert::RuleSet::default();
    let bad = "metrics: [{name: a, type: counter}, {name: a, type: gauge, field: b}, {name: c, type: gauge}]";
    let errors = format!("{:?}", rules.add("rules.yaml", bad).expect_err("two mistakes"));
    assert!(errors.contains("taken by \\\"a\\\"") && errors.contains("field: is needed"), "{errors}");
}

#[tokio::test]
async fn many_small_batches_count_once_each() {
    let house = House::new();
    assert_eq!(house.make_metric(json!({"name": "all_total", "type": "counter"})).await.status, 201);
    // More batches than wait in the feed: what is lost on the way is read from the store.
    for n in 0..40 {
        for _ in 0..10 {
            house.ingest("a", &[request("x", n)]).await;
        }
    }
    assert_eq!(house.lines("all_total").await, ["all_total 400"]);
}

#[tokio::test]
async fn recording_rules_give_gauges_in_every_language() {
    let bare = House::new();
    bare.fill().await;
    let mut rules = alert::RuleSet::default();
    let text = r#"
groups:
  - name: g
    interval: 1m
    rules:
      - {record: 'service:ms:max', query: 'stats max(ms) as worst by service', window: 1h, groups: ['web/*'], labels: {team: a}}
      - {record: errors_lately, query: 'filter @level >= "error"', window: 1h}
      - {record: by_level, language: logql, query: 'sum by (level) (count_over_time({group="web/access"}[1h]))', window: 1h}
"#;
    rules.add("rules.yaml", text).expect("good rules");
    let app = &bare.server.app;
    let house = House::on(bare.store.clone(), app.limits.clone(), app.clock.clone(), None, bare.dir.clone(), rules);
    // They are evaluated by a thread of their own; each look is a request.
    let mut found = Vec::new();
    for _ in 0..10_000 {
        found = house.lines("by_level").await;
        if !found.is_empty() {
            break;
        }
    }
    assert_eq!(found, [r#"by_level{level="error"} 2"#, r#"by_level{level="info"} 1"#]);
    let worst = [r#"service:ms:max{service="api",team="a"} 41"#, r#"service:ms:max{service="web",team="a"} 40"#];
    assert_eq!(house.lines("service:ms:max").await, worst);
    assert_eq!(house.lines("errors_lately").await, ["errors_lately 2"]);
    assert_eq!(house.lines("# TYPE errors_lately").await, ["# TYPE errors_lately gauge"]);
    let failures = house.lines("catat_recording_rule_failures_total").await;
    assert_eq!(failures[0], r#"catat_recording_rule_failures_total{rule="by_level"} 0"#);
    let taken = house.make_metric(json!({"name": "errors_lately", "type": "counter"})).await;
    assert_eq!(taken.status, 409, "{}", taken.text());
}

/// What Prometheus 3 sends.
const ACCEPT: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
    application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
    text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

#[tokio::test]
async fn spans_become_the_metrics_of_the_pack_with_exemplars() {
    let house = House::with_rules(alert::Pack::find("span-metrics").expect("a pack").text);
    let span = |at: usize, (service, name, kind, status, ms): (&str, &str, u8, u8, u64)| {
        let start = 1_795_175_700_000_000_000_u64 + at as u64 * 1_000_000_000;
        json!({"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
            "scopeSpans": [{"spans": [{"traceId": format!("{:032x}", at + 1), "spanId": format!("{:016x}", at + 1),
                "name": name, "kind": kind, "status": {"code": status}, "startTimeUnixNano": start.to_string(),
                "endTimeUnixNano": (start + ms * 1_000_000).to_string()}]}]})
    };
    let spans = [
        ("shop", "GET /cart", 2, 0, 3),
        ("shop", "GET /cart", 2, 0, 3),
        ("shop", "GET /cart", 2, 0, 700),
        ("shop", "GET /cart", 2, 2, 90_000),
        ("db", "SELECT \"cart\"", 3, 1, 1),
    ];
    let spans: Vec<Value> = spans.into_iter().enumerate().map(|(at, of)| span(at, of)).collect();
    let sent = json!({"resourceSpans": spans}).to_string();
    let request = Request::post("/v1/traces").header("content-type", "application/json");
    assert_eq!(house.send(request.body(Body::from(sent)).expect("a request")).await.status, 200);
    // Lines of logs have names, kinds and durations as well.
    house.ingest("traces/shop", &[json!({"name": "GET /cart", "kind": "server", "duration_ms": 1})]).await;

    let page = house.get_with("/metrics", "accept", ACCEPT).await.text();
    let shown: Vec<&str> = page.lines().filter(|line| line.contains("traces_spanmetrics")).collect();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/span_metrics.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, shown.join("\n") + "\n").expect("the file is written");
    }
    let expected = std::fs::read_to_string(&path).expect("the golden file");
    assert_eq!(shown.join("\n") + "\n", expected);
    let text = house.lines("traces_spanmetrics_latency_bucket").await;
    assert!(text.len() == 45 && text.iter().all(|line| !line.contains('#')), "exemplars are of OpenMetrics: {text:?}");
}

#[tokio::test]
async fn a_client_gets_the_format_that_it_prefers() {
    let house = House::new();
    for metric in [
        json!({"name": "took", "type": "histogram", "field": "ms", "buckets": [-1, 1], "help": "It \"took\"."}),
        json!({"name": "took_total", "type": "counter", "exemplar": "service"}),
        json!({"name": "slow_total", "type": "counter", "exemplar": "service"}),
        json!({"name": "odd", "type": "counter"}),
    ] {
        assert_eq!(house.make_metric(metric).await.status, 201);
    }
    house.ingest("a", &[request("x", -5)]).await;
    for (accept, is_open_metrics) in [
        (ACCEPT, true),
        ("application/openmetrics-text", true),
        ("application/openmetrics-text;version=0.0.1,text/plain;q=0.5", false),
        ("application/openmetrics-text;q=0.2,text/plain;version=0.0.4", false),
        ("application/openmetrics-text;q=0", false),
        ("*/*", false),
        ("text/html", false),
        ("application/openmetrics-text;q=x;;=,;", false),
    ] {
        let reply = house.get_with("/metrics", "accept", accept).await;
        let content_type = reply.headers["content-type"].to_str().expect("text").to_owned();
        let expected = match is_open_metrics {
            true => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            false => "text/plain; version=0.0.4; charset=utf-8",
        };
        assert_eq!(content_type, expected, "{accept}");
        assert_eq!(reply.text().ends_with("\n# EOF\n"), is_open_metrics, "{accept}");
    }
    let page = house.get_with("/metrics", "accept", ACCEPT).await.text();
    let of = |start: &str| page.lines().filter(|line| line.starts_with(start)).collect::<Vec<_>>();
    assert_eq!(of("# TYPE slow"), ["# TYPE slow counter"]);
    assert!(of("slow")[0].starts_with("slow_total 1 # {service=\"x\"} 1 "), "{:?}", of("slow"));
    assert_eq!(of("# TYPE odd"), ["# TYPE odd unknown"], "the name of its sample would be another");
    assert_eq!(of("# TYPE took"), ["# TYPE took histogram", "# TYPE took_total unknown"], "the name is taken");
    assert_eq!(of("# HELP took "), [r#"# HELP took It \"took\"."#]);
    assert_eq!(
        of("took_"),
        [
            "took_bucket{le=\"-1\"} 1",
            "took_bucket{le=\"1\"} 1",
            "took_bucket{le=\"+Inf\"} 1",
            "took_count 1",
            "took_total 1"
        ]
    );
    assert_eq!(house.lines("took_sum").await, ["took_sum -5"]);
}
