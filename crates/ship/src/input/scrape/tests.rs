//! What becomes of a page, and of one that cannot be had.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::spool::Spool;
use crate::stop::Stop;

/// Returns the events of one fetch of a server that answers `answer`; none if no one answers.
fn scrape(answer: Option<Vec<u8>>, path: &str) -> Vec<Value> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://127.0.0.1:{}{path}", listener.local_addr().expect("an address").port());
    let server = match answer {
        None => {
            drop(listener);
            None
        }
        Some(answer) => Some(std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let lines = BufReader::new(stream.try_clone().expect("a stream")).lines();
            lines.map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
            // Who has read enough closes.
            let _ = stream.write_all(&answer);
        })),
    };
    let dir = tempfile::tempdir().expect("a scratch directory");
    let spool = Spool::open(dir.path().into(), u64::MAX).expect("a spool");
    let sink = Sink::new("node".into(), WhenFull::GiveUpOldest, spool, Arc::new(Stop::default()));
    let url = Url::parse(&url).expect("an address");
    let mut scrape = Scrape::new(url, "node", Duration::from_secs(1), Duration::from_secs(20));
    scrape.samples_max = 6;
    let _ = rustls::crypto::ring::default_provider().install_default();
    scrape.scrape(&scrape.client().expect("a client"), &sink).expect("it is told");
    sink.flush().expect("a spool");
    if let Some(server) = server {
        server.join().expect("no panic");
    }
    let text = std::fs::read_to_string(dir.path().join("00000000000000000001.log")).expect("a file of the spool");
    text.lines().map(|line| serde_json::from_str(line).expect("an object")).collect()
}

fn answer(kind: &str, body: &str) -> Option<Vec<u8>> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len());
    Some([head.as_bytes(), body.as_bytes()].concat())
}

fn up(events: &[Value]) -> &Value {
    let last = events.last().expect("a fetch tells of itself");
    assert_eq!(last["name"], "up");
    last
}

#[test]
fn each_sample_is_an_event_with_its_labels_and_the_page_is_up() {
    let page = "node_load1 0.5\nhttp_requests_total{method=\"GET\",status=\"500\",name=\"x\",Level=\"ERROR\",@id=\"1\"} 7\n\
                unit{name=\"a\",Level=\"ERROR\"} 9007199254740992\nq{quantile=\"0.5\"} NaN\nb{le=\"+Inf\"} +Inf\nt 1 1395066363000\n";
    let events = scrape(answer("text/plain; version=0.0.4", page), "/metrics");
    let load = &events[0];
    assert_eq!((&load["name"], &load["value"], &load["job"]), (&"node_load1".into(), &0.5.into(), &"node".into()));
    assert!(load["instance"].as_str().is_some_and(|instance| instance.starts_with("127.0.0.1:")), "{load}");
    let unit = &events[1];
    assert_eq!(
        (&unit["name"], &unit["exported_name"], &unit["exported_Level"]),
        (&"unit".into(), &"a".into(), &"ERROR".into())
    );
    assert_eq!((&unit["value"], &unit["level"]), (&9_007_199_254_740_992u64.into(), &"info".into()));
    assert_eq!((&events[2]["value"], &events[2]["value_text"]), (&Value::Null, &"NaN".into()));
    assert_eq!((&events[3]["le"], &events[3]["value_text"]), (&"+Inf".into(), &"+Inf".into()));
    assert_eq!(events[4]["@timestamp"], "2014-03-17T14:26:03Z");
    let up = up(&events);
    assert_eq!((&up["value"], &up["scrape_samples_scraped"], &up["level"]), (&1.into(), &5.into(), &"info".into()));
    assert!(up["scrape_duration_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
    assert!(up["error"].as_str().is_some_and(|error| error.starts_with("line 2 is not a sample")), "{up}");
}

#[test]
fn times_of_open_metrics_are_seconds_and_an_exporter_is_known_by_its_target() {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let events = scrape(answer(kind, "a_total 1 1395066363.5\n# EOF\n"), "/snmp?module=if_mib&target=10.0.0.7");
    assert_eq!(
        (&events[0]["@timestamp"], &events[0]["instance"]),
        (&"2014-03-17T14:26:03.5Z".into(), &"10.0.0.7".into())
    );
}

#[test]
fn what_cannot_be_had_is_down_with_the_reason() {
    let check = |answer: Option<Vec<u8>>, reason: &str| {
        let events = scrape(answer, "/metrics");
        let up = up(&events);
        assert_eq!((events.len(), &up["value"], &up["level"]), (1, &0.into(), &"error".into()), "{reason}");
        let error = up["error"].as_str().expect("a reason");
        assert!(error.contains(reason), "{error}");
    };
    check(None, "onnection refused");
    check(Some(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n".to_vec()), "503 Service Unavailable");
    check(Some(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\na 1\n".to_vec()), "page cut off");
    check(answer("text/html", "<html>\n<p>Welcome</p>\n"), "line 1 is not a sample");
    check(Some(b"nonsense".to_vec()), "");
    let endless = [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), b"a 1\n".repeat((PAGE_BYTES_MAX / 4 + 1) as usize)].concat();
    check(Some(endless), "larger than 32.0 MiB");
}

#[test]
fn a_page_with_too_many_samples_is_cut_and_says_so() {
    let events = scrape(answer("text/plain", &"a 1\n".repeat(7)), "/metrics");
    assert_eq!(events.len(), 7);
    let up = up(&events);
    assert_eq!((&up["value"], &up["scrape_samples_scraped"]), (&1.into(), &6.into()));
    assert!(up["error"].as_str().is_some_and(|error| error.starts_with("more than 6 samples")), "{up}");
}
