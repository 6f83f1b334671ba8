//! Scrapes of shippers: targets and jobs as Prometheus shows them, exemplars and metadata of scraped pages, and who sees which.

use serde_json::{Value, json};

use super::{House, encoded};

/// 2026-11-20T11:59:00Z in ms.
const TIME: i64 = 1_795_175_940_000;

/// Ships the lines of a scrape.
async fn ship(house: &House, key: Option<&str>, start: usize, lines: &str) -> Value {
    let header = json!({"source": "s1", "file": "f", "generation": 0, "start": start, "host": "web1", "samples": true});
    let body = format!("{header}\n{lines}");
    let uri = "/api/v1/ingest?format=lines&group=metrics/x&stream=x";
    let reply = match key {
        Some(key) => house.as_key(key, "POST", uri, body).await,
        None => house.administer("POST", uri, body).await,
    };
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

async fn report(house: &House) {
    let target = |job: &str, url: &str, health: &str, error: &str| {
        json!({
            "pool": job, "discovered": {"__address__": "localhost:9100", "job": job},
            "labels": {"job": job, "instance": "db1:9100"}, "url": url, "interval": "15s", "timeout": "10s",
            "health": health, "last_error": error, "last_scrape_ms": TIME, "last_duration_ns": 12_500_000,
        })
    };
    let mut new = target("api", "http://api:80/", "unknown", "");
    new["last_scrape_ms"] = Value::Null;
    new["last_duration_ns"] = json!(0);
    let scrapes = json!({
        "pools": ["node", "api", "empty"],
        "active": [target("node", "http://localhost:9100/metrics", "down", "no route to host"), new],
        "dropped": [{"pool": "node", "discovered": {"__address__": "db2:9100", "job": "node"}}],
        "n_dropped": {"node": 7}, "left_out": 6,
    });
    let body = json!({"host": "web1", "inputs": [{"name": "scrape", "scrapes": scrapes}, {"name": "journal"}]});
    assert_eq!(house.administer("POST", "/api/v1/sources/s1", body.to_string()).await.status, 200);
}

const PAGE: &str = r##"# {"metadata":{"metric":"took_seconds","type":"histogram","help":"How \"long\".","unit":"seconds"}}
{"__name__":"took_seconds_bucket","instance":"db1:9100","job":"node","le":"1.0"} 3.0 1795175940000
# {"exemplar":{"series":{"__name__":"took_seconds_bucket","instance":"db1:9100","job":"node","le":"1.0"},"labels":{"trace_id":"4bf9"},"value":"0.25","time":1795175939500}}
# {"metadata":{"metric":"up","type":"gauge","help":"Another.","unit":""}}
{"__name__":"up","instance":"db1:9100","job":"api"} 1.0 1795175940000
"##;

#[tokio::test]
async fn targets_are_shown_as_prometheus_shows_them() {
    let house = House::new();
    report(&house).await;
    let targets = house.get("/prometheus/api/v1/targets").await.json();
    assert_eq!(
        targets["data"]["activeTargets"],
        json!([
            {
                "discoveredLabels": {"__address__": "localhost:9100", "job": "api"},
                "labels": {"instance": "db1:9100", "job": "api"}, "scrapePool": "api", "scrapeUrl": "http://api:80/",
                "globalUrl": "http://api:80/", "lastError": "", "lastScrape": "0001-01-01T00:00:00Z",
                "lastScrapeDuration": 0.0, "health": "unknown", "scrapeInterval": "15s", "scrapeTimeout": "10s",
            },
            {
                "discoveredLabels": {"__address__": "localhost:9100", "job": "node"},
                "labels": {"instance": "db1:9100", "job": "node"}, "scrapePool": "node",
                "scrapeUrl": "http://localhost:9100/metrics", "globalUrl": "http://web1:9100/metrics",
                "lastError": "no route to host", "lastScrape": "2026-11-20T11:59:00Z", "lastScrapeDuration": 0.0125,
                "health": "down", "scrapeInterval": "15s", "scrapeTimeout": "10s",
            },
        ])
    );
    let dropped = json!([{"discoveredLabels": {"__address__": "db2:9100", "job": "node"}, "scrapePool": "node"}]);
    assert_eq!(targets["data"]["droppedTargets"], dropped);
    assert_eq!(targets["data"]["droppedTargetCounts"], json!({"api": 0, "empty": 0, "node": 7}));
    let warning = "6 targets of the shipper on \"web1\" are not listed: its report is too large";
    assert_eq!(targets["warnings"], json!([warning]));
    let counts = |of: &Value| ["activeTargets", "droppedTargets"].map(|name| of["data"][name].as_array().map(Vec::len));
    for (asked, n_active, n_dropped) in [
        ("state=active", 2, 0),
        ("state=dropped", 0, 1),
        ("state=ANY&scrapePool=node", 1, 1),
        ("scrapePool=api", 1, 0),
        ("state=lost", 0, 0),
    ] {
        let found = house.get(&format!("/prometheus/api/v1/targets?{asked}")).await.json();
        assert_eq!(counts(&found), [Some(n_active), Some(n_dropped)], "{asked}");
    }
    let pools = house.get("/prometheus/api/v1/scrape_pools").await.json();
    assert_eq!(pools["data"], json!({"scrapePools": ["api", "empty", "node"]}));
    let (_, key) = house.key("read", &["metrics/api"]).await;
    let seen = house.as_key(&key, "GET", "/prometheus/api/v1/targets", String::new()).await;
    assert_eq!((counts(&seen.json()), seen.text().contains("db2")), ([Some(1), Some(0)], false), "{}", seen.text());
    let seen = house.as_key(&key, "GET", "/prometheus/api/v1/scrape_pools", String::new()).await;
    assert_eq!(seen.json()["data"], json!({"scrapePools": ["api"]}));
    let sources = house.administer("GET", "/api/v1/sources", "").await;
    assert!(!sources.text().contains("scrapes"), "{}", sources.text());
}

#[tokio::test]
async fn what_pages_say_of_their_metrics_is_metadata_of_metrics_and_of_targets() {
    let house = House::new();
    report(&house).await;
    let answer = ship(&house, None, 0, PAGE).await;
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(3), &json!([])));
    let took = json!({"type": "histogram", "help": "How \"long\".", "unit": "seconds"});
    let known = house.get("/prometheus/api/v1/metadata").await.json();
    assert_eq!(known["data"]["took_seconds"], json!([took]));
    let ask = async |asked: &str| house.get(&format!("/prometheus/api/v1/targets/metadata{asked}")).await;
    let node = json!({"instance": "db1:9100", "job": "node"});
    let of_node = json!({"target": node, "metric": "took_seconds", "type": "histogram", "help": "How \"long\".", "unit": "seconds"});
    let of_api = json!({"target": {"instance": "db1:9100", "job": "api"}, "metric": "up", "type": "gauge", "help": "Another.", "unit": ""});
    assert_eq!(ask("").await.json()["data"], json!([of_api, of_node]));
    assert_eq!(ask("?limit=1").await.json()["data"], json!([of_api]));
    let selector = encoded("{job=~\"n.*\"}");
    assert_eq!(ask(&format!("?match_target={selector}")).await.json()["data"], json!([of_node]));
    let named = ask("?metric=took_seconds").await.json();
    let without_name = json!([{"target": node, "type": "histogram", "help": "How \"long\".", "unit": "seconds"}]);
    assert_eq!(named["data"], without_name);
    let none = ask("?metric=nothing").await;
    assert_eq!((none.status, &none.json()["errorType"]), (404, &json!("not_found")));
    assert_eq!(none.json()["error"], "specified metadata not found");
    assert_eq!((ask("?limit=x").await.status, ask("?match_target=sum(").await.status), (400, 400));
}

#[tokio::test]
async fn exemplars_of_scraped_pages_are_answered_and_left_out_without_harm() {
    let house = House::new();
    let answer = ship(&house, None, 0, PAGE).await;
    assert_eq!(answer["exemplars_left_out"], Value::Null);
    // The same bytes again are not stored again.
    assert_eq!(ship(&house, None, 0, PAGE).await["duplicate"], true);
    let seconds = TIME as f64 / 1e3;
    let asked = format!("query=took_seconds_bucket&start={}&end={seconds}", seconds - 60.0);
    let found = house.get(&format!("/prometheus/api/v1/query_exemplars?{asked}")).await.json();
    let series = json!({"__name__": "took_seconds_bucket", "instance": "db1:9100", "job": "node", "le": "1.0"});
    let exemplar = json!({"labels": {"trace_id": "4bf9"}, "value": "0.25", "timestamp": seconds - 0.5});
    assert_eq!(found["data"], json!([{"seriesLabels": series, "exemplars": [exemplar]}]));
    // A key for samples alone stores them, and no exemplar.
    let (_, key) = house.key("ingest", &["metrics/*"]).await;
    let line = |labels: &str, time: i64| {
        let series = r#"{"__name__":"b","job":"x"}"#;
        format!("# {{\"exemplar\":{{\"series\":{series},\"labels\":{labels},\"value\":\"1.0\",\"time\":{time}}}}}\n")
    };
    let sample = format!("{{\"__name__\":\"b\",\"job\":\"x\"}} 1.0 {TIME}\n");
    let answer = ship(&house, Some(&key), PAGE.len(), &(sample + &line("{}", TIME))).await;
    assert_eq!((&answer["accepted"], &answer["exemplars_left_out"]), (&json!(1), &json!(1)), "{answer}");
    // Neither does one that is too long or of the future; what is none is refused.
    let long = format!("{{\"trace_id\":\"{}\"}}", "x".repeat(200));
    let lines = line(&long, TIME) + &line("{}", TIME + 864_000_000) + "# {\"other\":{}}\n";
    let answer = ship(&house, None, PAGE.len() + 1_000, &lines).await;
    assert_eq!((&answer["accepted"], &answer["exemplars_left_out"]), (&json!(0), &json!(2)), "{answer}");
    let error = answer["rejected"][0]["error"].as_str().unwrap_or_default();
    assert!(error.starts_with("neither an exemplar nor metadata of a metric: unknown variant"), "{answer}");
    assert_eq!(answer["rejected"][0]["line"], 4);
}
