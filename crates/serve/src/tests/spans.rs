//! Spans of all protocols: requests, their answers, and the events that they become.
//!
//! Each case of `spans/*.txt` begins with `=== ` and a title, then has the line `POST` and a path, the body, a line `---`,
//! the answer, and the events in order of time. `UPDATE_GOLDEN=1` writes what comes out; read it before you keep it.

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use types::{GroupPattern, RowSet, TimeRange, Timestamp};

use super::signing::Signing;
use super::{House, Reply};
use cloudwatch::xray::udp::{self, XRayListener};

impl House {
    /// Returns all spans with all their fields, in order of time.
    fn whole_spans(&self) -> Vec<String> {
        let mut events = Vec::new();
        for run in self.store.snapshot(&[GroupPattern::new("traces/*")], TimeRange::ALL).runs {
            let names = run.field_names().expect("a run in memory");
            let system = ["@log", "@logStream", "@timestamp", "@level", "@message"];
            let names: Vec<&str> = system.into_iter().chain(names.iter().map(|name| &**name)).collect();
            for block in 0..run.n_blocks() {
                let n_rows = run.block_rows(block);
                let columns = run.read(block, &names, &RowSet::all(n_rows)).expect("a run in memory");
                for row in 0..n_rows {
                    let fields = names.iter().zip(&columns).filter_map(|(name, column)| {
                        let mut json = String::new();
                        column.value(row)?.write_json(&mut json);
                        Some((*name, serde_json::from_str(&json).expect("JSON")))
                    });
                    let fields: BTreeMap<&str, Value> = fields.collect();
                    let time = fields["@timestamp"].as_str().and_then(Timestamp::parse_rfc3339);
                    events.push((time, json!(fields).to_string()));
                }
            }
        }
        events.sort();
        events.into_iter().map(|(_, event)| event).collect()
    }
}

async fn carry_out(request: &str) -> String {
    let house = House::new();
    let (head, body) = request.split_once('\n').expect("a body");
    let path = head.strip_prefix("POST ").expect("a request");
    let request = Request::post(path).header("content-type", "application/json");
    let reply = house.send(request.body(Body::from(body.to_owned())).expect("a request")).await;
    let answer = format!("{} {}", reply.status, reply.text());
    [vec![answer.trim_end().to_owned()], house.whole_spans()].concat().join("\n")
}

async fn check(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/spans").join(file);
    let text = std::fs::read_to_string(&path).expect("the file of cases");
    let (head, cases) = text.split_once("=== ").expect("cases");
    let mut written = head.to_owned();
    let mut n_cases = 0;
    for case in cases.split("\n=== ") {
        let (title, rest) = case.split_once('\n').expect("a request");
        let (request, expected) = rest.split_once("\n---\n").expect("an answer");
        let result = carry_out(request).await;
        written.push_str(&format!("=== {title}\n{request}\n---\n{result}\n\n"));
        n_cases += 1;
        if std::env::var_os("UPDATE_GOLDEN").is_none() {
            assert_eq!(result, expected.trim_end(), "{file}: {title}");
        }
    }
    assert!(n_cases > 3, "{file} has {n_cases} cases");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, written.trim_end().to_owned() + "\n").expect("the file is written");
    }
}

#[tokio::test]
async fn spans_of_otlp() {
    check("otlp.txt").await;
}

#[tokio::test]
async fn spans_of_zipkin() {
    check("zipkin.txt").await;
}

#[tokio::test]
async fn segments_of_xray() {
    check("xray.txt").await;
}

#[tokio::test]
async fn copies_by_other_protocols_are_one_event() {
    let house = House::new();
    let otlp = json!({"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
        "scopeSpans": [{"spans": [{"traceId": "581cf771a006649127e371903a2de979", "spanId": "70de5b6f19ff9a0a", "kind": 2,
            "name": "shop", "startTimeUnixNano": "1795175700250000123", "endTimeUnixNano": "1795175700500000456"}]}]}]});
    let zipkin = |kind: &str| {
        json!([{"traceId": "581cf771a006649127e371903a2de979", "id": "70de5b6f19ff9a0a", "kind": kind, "name": "shop",
            "localEndpoint": {"serviceName": "shop"}, "timestamp": 1_795_175_700_250_000_u64, "duration": 250_000}])
    };
    for _ in 0..2 {
        let request = Request::post("/v1/traces").header("content-type", "application/json");
        let sent = house.send(request.body(Body::from(otlp.to_string())).expect("a request")).await;
        assert_eq!(sent.text(), "{}");
        assert_eq!(house.post("/api/v2/spans", zipkin("SERVER").to_string()).await.status, 202);
        assert_eq!(put_segments(&house, None, &["shop"]).await.status, 200);
        house.administer("POST", "/api/v1/status/flush", "").await;
    }
    assert_eq!(house.whole_spans().len(), 1);
    // In Zipkin, the two sides of a call may share one id.
    assert_eq!(house.post("/api/v2/spans", zipkin("CLIENT").to_string()).await.status, 202);
    assert_eq!(house.whole_spans().len(), 2);
    assert!(house.get("/metrics").await.text().contains("catat_spans_repeated_total 5\n"));
}

/// A segment document of a service.
fn document(name: &str) -> String {
    json!({ "name": name, "id": "70de5b6f19ff9a0a", "trace_id": "1-581cf771-a006649127e371903a2de979",
        "start_time": 1_795_175_700.25, "end_time": 1_795_175_700.5 })
    .to_string()
}

async fn put_segments(house: &House, signing: Option<&Signing<'_>>, names: &[&str]) -> Reply {
    let documents: Vec<String> = names.iter().map(|name| document(name)).collect();
    let body = json!({ "TraceSegmentDocuments": documents }).to_string();
    let mut request = Request::post("/xray/TraceSegments").body(Body::from(body.clone())).expect("a request");
    if let Some(signing) = signing {
        *request.headers_mut() = signing.headers(body.as_bytes());
    }
    house.send(request).await
}

#[tokio::test]
async fn segments_are_signed_with_a_key_that_may_send_to_their_groups() {
    let house = House::new();
    let order = |role: &str| json!({"name": role, "role": role, "groups": ["traces/mine"]}).to_string();
    let made = house.administer("POST", "/api/v1/keys", order("ingest")).await.json();
    let text = |made: &Value, name: &str| made[name].as_str().expect("a text").to_owned();
    let (id, secret) = (text(&made, "access_key_id"), text(&made, "secret_access_key"));
    let signing =
        Signing { access_key_id: &id, secret: &secret, service: "xray", path: "/xray/TraceSegments", target: None };
    let reply = put_segments(&house, Some(&signing), &["mine", "theirs"]).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let refused = &reply.json()["UnprocessedTraceSegments"];
    assert_eq!((&refused[0]["Id"], &refused[0]["ErrorCode"]), (&json!("70de5b6f19ff9a0a"), &json!("AccessDenied")));
    assert_eq!((refused.as_array().map(Vec::len), house.whole_spans().len()), (Some(1), 1));

    let denied = put_segments(&house, Some(&signing), &["theirs"]).await;
    assert_eq!((denied.status, denied.header("x-amzn-errortype")), (400, "AccessDeniedException"));
    let wrong = put_segments(&house, Some(&Signing { secret: "another", ..signing }), &["mine"]).await;
    assert_eq!((wrong.status, wrong.header("x-amzn-errortype")), (400, "InvalidSignatureException"));
    let unsigned = put_segments(&house, None, &["mine"]).await;
    assert_eq!(unsigned.header("x-amzn-errortype"), "MissingAuthenticationTokenException");
    let reader = house.administer("POST", "/api/v1/keys", order("read")).await.json();
    let (id, secret) = (text(&reader, "access_key_id"), text(&reader, "secret_access_key"));
    let denied =
        put_segments(&house, Some(&Signing { access_key_id: &id, secret: &secret, ..signing }), &["mine"]).await;
    assert_eq!(denied.header("x-amzn-errortype"), "AccessDeniedException");
    assert_eq!(house.whole_spans().len(), 1);
}

#[tokio::test]
async fn a_document_that_is_cut_anywhere_is_listed() {
    let house = House::new();
    let whole = document("shop");
    let cut: Vec<&str> = (0..whole.len()).map(|end| &whole[..end]).collect();
    let body = json!({ "TraceSegmentDocuments": cut }).to_string();
    let answer = house.post("/xray/TraceSegments", body).await.json();
    assert_eq!(answer["UnprocessedTraceSegments"].as_array().map(Vec::len), Some(whole.len()), "{answer}");
    let deep = "{\"subsegments\":[".repeat(5_000);
    let body = json!({ "TraceSegmentDocuments": [deep, "x".repeat(2 << 20)] }).to_string();
    let answer = house.post("/xray/TraceSegments", body).await.json();
    let codes =
        answer["UnprocessedTraceSegments"].as_array().expect("a list").iter().map(|one| one["ErrorCode"].as_str());
    assert_eq!(codes.collect::<Vec<_>>(), [Some("ParseError"), Some("DocumentTooLarge")]);
    assert_eq!(house.whole_spans().len(), 0);
}

#[tokio::test]
async fn other_operations_and_collectors_are_refused_by_name() {
    let house = House::new();
    let reply = house.post("/xray/TelemetryRecords", "{}").await;
    assert_eq!((reply.status, reply.header("x-amzn-errortype")), (400, "UnknownOperationException"));
    assert!(reply.text().contains("/xray/TelemetryRecords"), "{}", reply.text());
    for path in ["/api/traces", "/api/v1/spans"] {
        let reply = house.post(path, "x").await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.text().contains("OTLP to /v1/traces"), "{}", reply.text());
    }
    for kind in ["application/x-protobuf", "application/x-thrift"] {
        let request = Request::post("/api/v2/spans").header("content-type", kind).body(Body::from("x"));
        let reply = house.send(request.expect("a request")).await;
        assert_eq!(reply.status, 415, "{kind}");
        assert!(reply.text().contains("JSON"), "{}", reply.text());
    }
}

#[tokio::test]
async fn a_batch_sent_again_is_stored_once() {
    let house = House::new();
    let body =
        json!([{ "traceId": "1", "id": "2", "name": "a", "timestamp": 1_795_175_700_000_000u64, "duration": 1 }]);
    for _ in 0..2 {
        let request = Request::post("/api/v2/spans").header("x-catat-batch", "b1").body(Body::from(body.to_string()));
        assert_eq!(house.send(request.expect("a request")).await.status, 202);
    }
    assert_eq!(house.whole_spans().len(), 1);
}

#[tokio::test]
async fn documents_of_the_daemon_arrive_by_datagram() {
    let house = House::new();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    let address = socket.local_addr().expect("it is bound");
    let listener = XRayListener { socket, allow: Vec::new() };
    let task = udp::start(house.server.clone(), house.families.xray.clone(), listener).expect("a socket that is bound");
    let sender = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    let header = "{\"format\":\"json\",\"version\":1}\n";
    for datagram in [header.to_owned() + &document("shop"), header.to_owned() + "{", "no header".to_owned()] {
        sender.send_to(datagram.as_bytes(), address).expect("it is sent");
    }
    let arrived = async {
        while house.get("/metrics").await.text().lines().all(|line| line != "catat_xray_segments_refused_total 2") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), arrived).await.expect("the datagrams are counted");
    house.closing.send_replace(true);
    task.await.expect("no panic");
    let events = house.whole_spans();
    assert_eq!(events.len(), 1);
    assert!(events[0].contains("\"@log\":\"traces/shop\""), "{}", events[0]);
}
