//! Scrapes of servers, from a definition to the lines in the spool.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use types::Hold;

use super::super::{DefinedInput, Sink, WhenFull, inputs_of};
use crate::spool::Spool;
use crate::stop::Stop;
use exposition::TargetHealth;

/// How long something is waited for.
const DEADLINE: Duration = Duration::from_secs(30);

/// A server of pages by path; it notes the requests.
struct PageServer {
    address: String,
    pages: Arc<Mutex<BTreeMap<String, String>>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl PageServer {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (pages, requests) =
            (Arc::<Mutex<BTreeMap<String, String>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (served, noted) = (pages.clone(), requests.clone());
        // Ends with the process: it waits for connections.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(&stream);
                let mut head = String::new();
                while reader.read_line(&mut head).is_ok_and(|n| n > 2) {}
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                noted.hold().push(head);
                let response = match served.hold().get(&path) {
                    None => "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned(),
                    Some(page) => page.clone(),
                };
                let _ = (&stream).write_all(response.as_bytes());
            }
        });
        Self { address, pages, requests }
    }

    fn serve(&self, path: &str, kind: &str, body: &str) {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}", body.len());
        let page = format!("{head}\r\nconnection: close\r\n\r\n{body}");
        self.pages.hold().insert(path.to_owned(), page);
    }
}

/// An input at work, and what it has written.
struct Running {
    dir: tempfile::TempDir,
    stop: Arc<Stop>,
    sink: Arc<Sink>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Running {
    fn start(definition: Value) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut inputs = inputs_of(&json!([definition])).unwrap_or_else(|errors| panic!("{errors:?}"));
        let DefinedInput { file, input, .. } = inputs.pop().expect("an input");
        assert!(file.has_samples);
        let mut input = input.expect("no files");
        let dir = tempfile::tempdir().expect("a scratch directory");
        let spool = Spool::open(dir.path().into(), u64::MAX).expect("a spool");
        let stop = Arc::new(Stop::default());
        let sink = Arc::new(Sink::new("node".into(), WhenFull::GiveUpOldest, spool, stop.clone()));
        let of_thread = sink.clone();
        let thread = Some(std::thread::spawn(move || of_thread.run(input.as_mut())));
        Self { dir, stop, sink, thread }
    }

    /// Returns the lines so far, in order.
    fn lines(&self) -> Vec<String> {
        self.sink.flush().expect("a spool");
        let text = std::fs::read_to_string(self.dir.path().join("00000000000000000001.log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits for a line that begins so; returns its value.
    fn until(&self, start: &str) -> String {
        let began = Instant::now();
        loop {
            let lines = self.lines();
            if let Some(line) = lines.iter().find(|line| line.starts_with(start)) {
                return line[start.len()..].split(' ').nth(1).unwrap_or_default().to_owned();
            }
            assert!(began.elapsed() < DEADLINE, "{start} is not in\n{}", lines.join("\n"));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.set();
        let began = Instant::now();
        self.thread.take().into_iter().for_each(|thread| thread.join().expect("no panic"));
        assert!(began.elapsed() < Duration::from_secs(5), "the shipper waits for targets when it stops");
    }
}

#[test]
fn a_page_becomes_series_of_its_target_with_those_about_the_scrape() {
    let server = PageServer::start();
    server.serve("/metrics?a=b+c", "text/plain; version=0.0.4", "node_load1 0.5\n");
    let url = format!("http://ann:t%65a@{}/metrics?a=b%20c", server.address);
    let running = Running::start(json!({
        "type": "scrape", "name": "node", "url": url, "every": "1s", "fields": {"env": "prod"},
    }));
    let labels = format!(r#""env":"prod","instance":"{}","job":"node"}}"#, server.address);
    assert_eq!(running.until(&format!(r#"{{"__name__":"node_load1",{labels}"#)), "0.5");
    assert_eq!(running.until(&format!(r#"{{"__name__":"up",{labels}"#)), "1.0");
    for name in ["scrape_samples_scraped", "scrape_samples_post_metric_relabeling", "scrape_series_added"] {
        assert_eq!(running.until(&format!(r#"{{"__name__":"{name}",{labels}"#)), "1.0");
    }
    let seconds = running.until(&format!(r#"{{"__name__":"scrape_duration_seconds",{labels}"#));
    assert!(seconds.parse::<f64>().is_ok_and(|seconds| seconds > 0.0));
    let requests = server.requests.hold();
    let head = requests[0].to_ascii_lowercase();
    assert!(head.contains("authorization: basic yw5uonrlyq==") && head.contains("openmetrics"), "{head}");
    assert!(head.contains("x-prometheus-scrape-timeout-seconds: 1\r\n"), "{head}");
}

#[test]
fn exemplars_and_what_a_page_says_of_its_metrics_are_written_once() {
    let server = PageServer::start();
    let page = "# TYPE took_seconds histogram\n# UNIT took_seconds seconds\n# HELP took_seconds How long.\n\
        took_seconds_bucket{le=\"1\"} 2 # {trace_id=\"4bf9\"} 0.5 1795210700.5\n\
        took_seconds_bucket{le=\"+Inf\"} 3 # {trace_id=\"77aa\"} 2\n\
        took_seconds_count 3\ntook_seconds_sum 3.5\nplain 1\n# EOF\n";
    server.serve("/metrics", "application/openmetrics-text; version=1.0.0", page);
    let url = format!("http://{}/metrics", server.address);
    let running = Running::start(json!({"type": "scrape", "name": "node", "url": url, "every": "1s"}));
    let series = |le: &str| {
        let instance = &server.address;
        format!(r#"{{"__name__":"took_seconds_bucket","instance":"{instance}","job":"node","le":"{le}"}}"#)
    };
    let began = Instant::now();
    while running.lines().iter().filter(|line| line.starts_with(&series("1.0"))).count() < 2 {
        assert!(began.elapsed() < DEADLINE, "{:?}", running.lines());
        std::thread::sleep(Duration::from_millis(20));
    }
    let lines = running.lines();
    let comments: Vec<Value> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("# "))
        .map(|comment| serde_json::from_str(comment).expect("JSON"))
        .collect();
    let of_bucket = |le: &str| serde_json::from_str::<Value>(&series(le)).expect("JSON");
    assert_eq!(comments.len(), 3, "{lines:?}");
    assert_eq!(
        comments[0],
        json!({"exemplar": {"series": of_bucket("1.0"), "labels": {"trace_id": "4bf9"}, "value": "0.5", "time": 1_795_210_700_500_i64}})
    );
    // Without a time of its own it has that of the scrape.
    let time = lines[0].rsplit(' ').next().and_then(|time| time.parse::<i64>().ok()).expect("a time");
    assert_eq!(
        comments[1],
        json!({"exemplar": {"series": of_bucket("+Inf"), "labels": {"trace_id": "77aa"}, "value": "2.0", "time": time}})
    );
    assert_eq!(
        comments[2],
        json!({"metadata": {"metric": "took_seconds", "type": "histogram", "help": "How long.", "unit": "seconds"}})
    );
}

#[test]
fn targets_and_those_that_are_dropped_are_in_the_status() {
    let server = PageServer::start();
    let address = &server.address;
    server.serve("/metrics", "text/plain", "a 1\n");
    let running = Running::start(json!({
        "type": "scrape", "name": "node", "every": "1s",
        "static_configs": [
            {"targets": [address], "labels": {"env": "prod"}}, {"targets": ["127.0.0.1:1"]}, {"targets": ["gone:1"]},
        ],
        "relabel_configs": [{"source_labels": ["__address__"], "regex": "gone:1", "action": "drop"}],
    }));
    let began = Instant::now();
    let scrapes = loop {
        let scrapes = running.sink.status().scrapes;
        if let Some(scrapes) = scrapes
            && scrapes.active.len() == 2
            && scrapes.active.iter().all(|target| target.health != TargetHealth::Unknown)
        {
            break scrapes;
        }
        assert!(began.elapsed() < DEADLINE, "{:?}", running.sink.status());
        std::thread::sleep(Duration::from_millis(20));
    };
    let shown = serde_json::to_value(&*scrapes).expect("JSON");
    assert_eq!(
        (&shown["pools"], &shown["n_dropped"], &shown["left_out"]),
        (&json!(["node"]), &json!({"node": 1}), &json!(0))
    );
    assert_eq!(shown["dropped"][0]["discovered"]["__address__"], "gone:1");
    // What is down comes first.
    assert_eq!((&shown["active"][0]["health"], &shown["active"][1]["health"]), (&json!("down"), &json!("up")));
    assert!(scrapes.active[0].last_error.contains("refused"), "{}", scrapes.active[0].last_error);
    let up = &shown["active"][1];
    assert_eq!(up["labels"], json!({"env": "prod", "instance": address, "job": "node"}));
    assert_eq!(
        up["discovered"],
        json!({
            "__address__": address, "__metrics_path__": "/metrics", "__scheme__": "http", "__scrape_interval__": "1s",
            "__scrape_timeout__": "1s", "env": "prod", "job": "node",
        })
    );
    assert_eq!((&up["url"], &up["interval"]), (&json!(format!("http://{address}/metrics")), &json!("1s")));
    assert!(up["last_duration_ns"].as_u64() > Some(0) && up["last_scrape_ms"].as_i64() > Some(1_700_000_000_000));
}

#[test]
fn what_is_down_is_told_by_up_and_in_the_status() {
    let server = PageServer::start();
    server.serve("/html", "text/html", "<html>\n");
    server.serve("/proto", "application/vnd.google.protobuf", "x");
    for (path, reason) in [("/none", "HTTP status 404"), ("/html", "line 1, column 1"), ("/proto", "not a text format")]
    {
        let url = format!("http://{}{path}", server.address);
        let running = Running::start(json!({"type": "scrape", "name": "node", "url": url, "every": "1s"}));
        let labels = format!(r#""instance":"{}","job":"node"}}"#, server.address);
        assert_eq!(running.until(&format!(r#"{{"__name__":"up",{labels}"#)), "0.0");
        let began = Instant::now();
        while running.sink.status().last_error.is_none_or(|error| !error.contains(reason)) {
            assert!(began.elapsed() < DEADLINE, "{reason}: {:?}", running.sink.status());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn a_connection_that_the_server_has_closed_is_replaced() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    // Answers the first request of a connection, and closes it at the second one.
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
            std::thread::spawn(move || {
                let mut reader = BufReader::new(&stream);
                let mut next = || {
                    let mut head = String::new();
                    while reader.read_line(&mut head).is_ok_and(|n| n > 2) {}
                };
                next();
                let body = format!("connection {number}\n");
                let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}", body.len());
                let _ = (&stream).write_all(format!("{head}\r\n\r\n{body}").as_bytes());
                next();
            });
        }
    });
    let url = format!("http://{address}/metrics");
    let running = Running::start(json!({"type": "scrape", "name": "node", "url": url, "every": "1s"}));
    let labels = format!(r#""instance":"{address}","job":"node"}}"#);
    running.until(&format!(r#"{{"__name__":"connection",{labels} 0.0"#));
    running.until(&format!(r#"{{"__name__":"connection",{labels} 1.0"#));
    assert!(!running.lines().iter().any(|line| line.starts_with(&format!(r#"{{"__name__":"up",{labels} 0.0"#))));
}

#[test]
fn targets_with_an_impossible_address_are_down() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let config = dir.path().join("prometheus.yml");
    let text = "scrape_configs:\n- job_name: 007\n  scrape_interval: 1s\n  basic_auth:\n  tls_config:\n  file_sd_configs:\n  \
        kubernetes_sd_configs: []\n  honor_labels: no\n  sample_limit: 1_000\n  static_configs:\n  - targets: ['a:99999']\n    \
        labels: {version: 1.10, is: on}\n";
    std::fs::write(&config, text).expect("scratch");
    let running = Running::start(json!({"type": "scrape", "config": config}));
    let labels = r#""instance":"a:99999","is":"on","job":"007","version":"1.10"}"#;
    assert_eq!(running.until(&format!(r#"{{"__name__":"up",{labels}"#)), "0.0");
    let began = Instant::now();
    while running
        .sink
        .status()
        .scrapes
        .is_none_or(|scrapes| scrapes.active.iter().all(|target| target.health != TargetHealth::Down))
    {
        assert!(began.elapsed() < DEADLINE, "{:?}", running.sink.status());
        std::thread::sleep(Duration::from_millis(20));
    }
    let scrapes = running.sink.status().scrapes.expect("scrapes");
    assert_eq!(scrapes.active[0].url, "http://a:99999/metrics");
    assert_eq!(scrapes.active[0].last_error, "\"a:99999\" is not a host and a port: invalid port number");
}

#[test]
fn the_fallback_is_used_for_content_types_that_are_not_of_metrics() {
    let server = PageServer::start();
    let page = "a_total 1 1.5\n# EOF\n";
    server.serve("/json", "application/json", page);
    server.serve("/plain", "text/plain", "a_total 1 1500\n");
    for path in ["/json", "/plain"] {
        let url = format!("http://{}{path}", server.address);
        let running = Running::start(json!({
            "type": "scrape", "name": "node", "url": url, "every": "1s", "fallback_scrape_protocol": "OpenMetricsText1.0.0",
        }));
        let labels = format!(r#""instance":"{}","job":"node"}}"#, server.address);
        running.until(&format!(r#"{{"__name__":"a_total",{labels} 1.0 1500"#));
    }
    let accept = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
        application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
        text/plain;version=0.0.4;q=0.2,*/*;q=0.1\r\n";
    let requests = server.requests.hold();
    assert!(requests[0].contains(accept), "{}", requests[0]);
}

#[test]
fn targets_of_files_and_servers_come_and_go_with_their_series() {
    let server = PageServer::start();
    let address = &server.address;
    server.serve("/metrics", "text/plain", "a 1\n");
    server.serve(
        "/list",
        "application/json",
        &format!(r#"[{{"targets": ["{address}"], "labels": {{"from": "http"}}}}]"#),
    );
    let dir = tempfile::tempdir().expect("a scratch directory");
    let list = dir.path().join("list.yml");
    std::fs::write(&list, format!("- targets: ['{address}']\n  labels: {{from: file}}\n")).expect("scratch");
    let config = dir.path().join("prometheus.yml");
    let text = format!(
        "global: {{scrape_interval: 1s, external_labels: {{region: eu}}}}\nrule_files: [x.yml]\nscrape_configs:\n\
         - job_name: found\n  file_sd_configs: [{{files: ['*l*.yml']}}]\n  http_sd_configs: [{{url: 'http://{address}/list'}}]\n"
    );
    std::fs::write(&config, text.replace("*l*", "l*")).expect("scratch");
    let running = Running::start(json!({"type": "scrape", "config": config}));
    let of = |from: &str, metric: &str| {
        format!(r#"{{"__name__":"{metric}","from":"{from}","instance":"{address}","job":"found"}}"#)
    };
    assert_eq!(running.until(&of("file", "a")), "1.0");
    assert_eq!(running.until(&of("http", "a")), "1.0");
    std::fs::write(&list, "[]").expect("scratch");
    running.until(&format!("{} stale", of("file", "a")));
    running.until(&format!("{} stale", of("file", "up")));
    // A configuration that changes is read again; one that is wrong is not used.
    std::fs::write(&config, "scrape_configs: 7\n").expect("scratch");
    std::fs::write(&config, text.replace("*l*", "l*").replace("- job_name: found", "- job_name: other"))
        .expect("scratch");
    running.until(&of("http", "a").replace("found", "other"));
    assert!(
        !running
            .lines()
            .iter()
            .any(|line| line.contains("stale") && line.contains("\"http\"") && line.contains("other"))
    );
}

#[test]
fn this_machine_is_a_target_without_a_server() {
    let running = Running::start(json!({"type": "node_exporter", "every": "1s"}));
    let labels = format!(r#""instance":"{}","job":"node""#, crate::host_name());
    assert_eq!(running.until(&format!(r#"{{"__name__":"up",{labels}}}"#)), "1.0");
    running.until(&format!(r#"{{"__name__":"node_cpu_seconds_total","cpu":"0",{labels},"mode":"idle"}}"#));
    running.until(&format!(r#"{{"__name__":"node_memory_MemAvailable_bytes",{labels}}}"#));
}

#[test]
fn mistakes_are_told_with_file_and_place() {
    let error_of = |definition: Value| {
        let errors = inputs_of(&json!([definition])).err().unwrap_or_default();
        errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = dir.path().join("prometheus.yml");
    let of_file = |text: &str| {
        std::fs::write(&path, text).expect("scratch");
        error_of(json!({"type": "scrape", "config": path})).replace(&path.display().to_string(), "P")
    };
    let unsupported = of_file("scrape_configs: [{job_name: a, kubernetes_sd_configs: [{role: pod}]}]");
    let expected =
        "input[0].config: P: scrape_configs[0].kubernetes_sd_configs: this service discovery is not supported";
    assert!(unsupported.starts_with(expected), "{unsupported}");
    assert_eq!(
        of_file("scrape_configs: [{job_name: a, scrape_intervall: 5s}]"),
        "input[0].config: P: scrape_configs[0].scrape_intervall: unknown key \"scrape_intervall\"; did you mean \"scrape_interval\"?"
    );
    let twice = of_file("scrape_configs: [{job_name: a}, {job_name: a}]");
    assert_eq!(twice, "input[0].config: P: there are two jobs with the name \"a\"");
    assert!(of_file("scrape_configs: [\n").starts_with("input[0].config: P: "));
    assert_eq!(of_file("{}"), "input[0].config: P: there is no job in scrape_configs");
    assert_eq!(
        error_of(json!({"type": "scrape", "url": "http://a/m", "group": "x"})),
        "input[0].group: samples go to the group metrics/JOB; set \"job_name\" instead"
    );
    assert!(error_of(json!({"type": "scrape"})).starts_with("input[0]: \"url\" is missing: a page of metrics"));
    assert!(error_of(json!({"type": "scrape", "url": "ftp://a"})).starts_with("input[0].url: must begin with http"));
}
