//! Every door that takes events, and how each says no to whom it does not know, who may not, and who is to come back: in
//! the form of its protocol. What is wrong with bodies is asked of them over the wire, beside other tests of the executable.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use storage::Clock;
use types::{Limits, Timestamp};

use super::{House, Reply};

/// A door: what is brought there, and what is said. Statuses and kinds are those of, in this order: no key, a wrong one,
/// one for asking, one for other groups, more than the key may send, a house that is full.
struct Door {
    name: &'static str,
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
    good: fn() -> Vec<u8>,
    /// The name or number of what is wrong, once it is checked that it is said in the form of the protocol.
    kind: fn(&Reply) -> String,
    said: [(u16, &'static str); 6],
}

const FIREHOSE_GROUP: &str = r#"{"commonAttributes":{"group":"doors"}}"#;
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const PROTOBUF: &[(&str, &str)] = &[("content-type", "application/x-protobuf")];

const NATIVE: Door = Door {
    name: "ndjson",
    path: "/api/v1/ingest?group=doors",
    headers: &[],
    good: record,
    kind: |reply| text(&reply.json()["error"]["code"]),
    said: [
        (401, "key-required"),
        (401, "bad-key"),
        (403, "not-allowed"),
        (403, "group-out-of-scope"),
        (429, "key-rate"),
        (429, "busy"),
    ],
};

const LOKI: Door = Door {
    name: "loki json",
    path: "/loki/api/v1/push",
    headers: JSON,
    good: || {
        let streams = json!([{"stream": {"job": "doors"}, "values": [["1795175700000000000", "m"]]}]);
        json!({ "streams": streams }).to_string().into_bytes()
    },
    kind: |reply| {
        assert!(reply.header("content-type").starts_with("text/plain"), "{reply:?}");
        // A text is all there is.
        assert!(reply.text().len() > 10 && reply.text().ends_with('\n'), "{reply:?}");
        "text".into()
    },
    said: [(401, "text"), (401, "text"), (403, "text"), (403, "text"), (429, "text"), (429, "text")],
};

const OTLP: Door = Door {
    name: "otlp json",
    path: "/v1/logs",
    headers: JSON,
    good: || {
        let service = json!({"key": "service.name", "value": {"stringValue": "doors"}});
        let scopes = json!([{"logRecords": [{"body": {"stringValue": "m"}}]}]);
        let resource = json!({"resource": {"attributes": [service]}, "scopeLogs": scopes});
        json!({ "resourceLogs": [resource] }).to_string().into_bytes()
    },
    kind: |reply| {
        assert!(!text(&reply.json()["message"]).is_empty(), "{reply:?}");
        text(&reply.json()["code"])
    },
    said: [(401, "16"), (401, "16"), (403, "7"), (403, "7"), (429, "8"), (429, "8")],
};

const SPLUNK: Door = Door {
    name: "splunk",
    path: "/services/collector/event",
    headers: JSON,
    good: || json!({"event": "m", "index": "doors"}).to_string().into_bytes(),
    kind: |reply| {
        assert!(!text(&reply.json()["text"]).is_empty(), "{reply:?}");
        text(&reply.json()["code"])
    },
    // Its clients come back after a 503, and only after that.
    said: [(401, "2"), (403, "4"), (403, "4"), (400, "7"), (503, "9"), (503, "9")],
};

const DOORS: [Door; 15] = [
    NATIVE,
    Door {
        name: "bulk",
        path: "/elasticsearch/doors/_bulk",
        good: || [b"{\"index\":{}}\n", &*record()].concat(),
        kind: |reply| {
            // What concerns a group is said of each of its events.
            if let Some(items) = reply.json()["items"].as_array() {
                assert_eq!(items[0]["index"]["status"], 403, "{reply:?}");
                return text(&items[0]["index"]["error"]["type"]);
            }
            let error = &reply.json()["error"];
            assert_eq!(
                (&error["root_cause"][0]["type"], &reply.json()["status"]),
                (&error["type"], &json!(reply.status))
            );
            text(&error["type"])
        },
        said: [
            (401, "security_exception"),
            (401, "security_exception"),
            (403, "security_exception"),
            (200, "security_exception"),
            (429, "es_rejected_execution_exception"),
            (429, "es_rejected_execution_exception"),
        ],
        ..NATIVE
    },
    LOKI,
    Door {
        name: "loki protobuf",
        headers: PROTOBUF,
        good: || {
            let entry = message(&[(1, &[1 << 3, 100]), (2, b"m")]);
            snappy(&message(&[(1, &message(&[(1, b"{job=\"doors\"}"), (2, &entry)]))]))
        },
        ..LOKI
    },
    OTLP,
    Door {
        name: "otlp protobuf",
        headers: PROTOBUF,
        good: otlp_protobuf,
        kind: |reply| {
            let is_status = reply.body.first() == Some(&(1 << 3)) && reply.body.get(2) == Some(&(2 << 3 | 2));
            assert!(is_status && reply.header("content-type") == "application/x-protobuf", "{reply:?}");
            reply.body[1].to_string()
        },
        ..OTLP
    },
    Door {
        name: "grpc",
        path: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        headers: &[("content-type", "application/grpc"), ("te", "trailers")],
        good: || {
            let message = otlp_protobuf();
            [&[0, 0, 0, 0, message.len() as u8][..], &message].concat()
        },
        kind: |reply| {
            assert!(reply.header("content-type") == "application/grpc" && reply.body.is_empty(), "{reply:?}");
            assert!(!reply.header("grpc-message").is_empty(), "{reply:?}");
            // Exporters come back only to who says after how long, in their form.
            let has_details = !reply.header("grpc-status-details-bin").is_empty();
            assert_eq!(has_details, reply.header("grpc-status") == "8", "{reply:?}");
            reply.header("grpc-status").to_owned()
        },
        said: [(200, "16"), (200, "16"), (200, "7"), (200, "7"), (200, "8"), (200, "8")],
    },
    SPLUNK,
    Door {
        name: "splunk raw",
        path: "/services/collector/raw?index=doors",
        headers: &[],
        good: || b"m\n".into(),
        ..SPLUNK
    },
    Door {
        name: "datadog",
        path: "/api/v2/logs",
        headers: JSON,
        good: || json!([{"message": "m", "service": "doors"}]).to_string().into_bytes(),
        kind: |reply| {
            let error = &reply.json()["errors"][0];
            assert!(!text(&error["detail"]).is_empty() && !text(&error["title"]).is_empty(), "{reply:?}");
            text(&error["status"])
        },
        said: [(401, "401"), (401, "401"), (403, "403"), (403, "403"), (429, "429"), (429, "429")],
    },
    Door {
        name: "sentry",
        path: "/api/1/envelope/",
        headers: &[],
        good: || b"{}\n{\"type\":\"log\"}\n{\"items\":[{\"body\":\"m\"}]}\n".into(),
        kind: |reply| {
            assert!(!text(&reply.json()["detail"]).is_empty(), "{reply:?}");
            String::new()
        },
        said: [(401, ""), (401, ""), (403, ""), (403, ""), (429, ""), (429, "")],
    },
    Door {
        name: "cloudwatch json",
        path: "/cloudwatch/ingest/json",
        headers: &[("x-aws-log-group", "doors"), ("x-aws-log-stream", "s")],
        good: || json!([{"message": "m"}]).to_string().into_bytes(),
        kind: |reply| {
            assert!(!text(&reply.json()["message"]).is_empty(), "{reply:?}");
            String::new()
        },
        said: [(401, ""), (401, ""), (403, ""), (403, ""), (429, ""), (429, "")],
    },
    Door {
        name: "firehose",
        path: "/firehose",
        headers: &[("x-amz-firehose-request-id", "r"), ("x-amz-firehose-common-attributes", FIREHOSE_GROUP)],
        good: || br#"{"requestId":"r","timestamp":1795175700000,"records":[{"data":"bQ=="}]}"#.into(),
        kind: |reply| {
            let said = reply.json();
            assert!(!text(&said["errorMessage"]).is_empty() && said["timestamp"].is_u64(), "{reply:?}");
            text(&said["requestId"])
        },
        said: [(401, "r"), (401, "r"), (403, "r"), (403, "r"), (429, "r"), (429, "r")],
    },
    Door {
        name: "cloudwatch",
        path: "/cloudwatch",
        headers: &[("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "Logs_20140328.PutLogEvents")],
        good: || {
            let events = json!([{"timestamp": super::now().0 / 1_000_000, "message": "m"}]);
            json!({"logGroupName": "doors", "logStreamName": "s", "logEvents": events}).to_string().into_bytes()
        },
        kind: |reply| {
            assert_eq!(reply.header("x-amzn-errortype"), reply.json()["__type"], "{reply:?}");
            text(&reply.json()["__type"])
        },
        // Its clients know what to do by the name.
        said: [
            (400, "MissingAuthenticationTokenException"),
            (400, "AccessDeniedException"),
            (400, "AccessDeniedException"),
            (400, "AccessDeniedException"),
            (400, "ThrottlingException"),
            (400, "ThrottlingException"),
        ],
    },
    Door {
        name: "journal",
        path: "/journal/upload?group=doors",
        headers: &[("content-type", "application/vnd.fdo.journal")],
        good: || b"__CURSOR=s=a;i=1\n__REALTIME_TIMESTAMP=1795175000000001\nMESSAGE=m\n\n".into(),
        ..NATIVE
    },
];

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn record() -> Vec<u8> {
    b"{\"message\":\"m\"}\n".into()
}

/// Returns a message of protobuf with these fields, all of bytes.
pub(super) fn message(fields: &[(u8, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    fields.iter().for_each(|(number, bytes)| write_text(*number, bytes, &mut out));
    out
}

fn otlp_protobuf() -> Vec<u8> {
    let service = message(&[(1, b"service.name"), (2, &message(&[(1, b"doors")]))]);
    let record = message(&[(5, &message(&[(1, b"m")]))]);
    message(&[(1, &message(&[(1, &message(&[(1, &service)])), (2, &message(&[(2, &record)]))]))])
}

/// Returns a block of Snappy of one literal of at most 60 bytes.
fn snappy(bytes: &[u8]) -> Vec<u8> {
    let n_bytes = bytes.len() as u8;
    [&[n_bytes, (n_bytes - 1) << 2][..], bytes].concat()
}

impl Door {
    async fn send(&self, house: &House, key: Option<&str>, body: Vec<u8>) -> Reply {
        let mut request = Request::post(self.path);
        for (name, value) in self.headers {
            request = request.header(*name, *value);
        }
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        house.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// Sends a good event, which must be taken.
    async fn send_good(&self, house: &House, key: &str) {
        let reply = self.send(house, Some(key), (self.good)()).await;
        let is_good = reply.status < 300 && matches!(reply.header("grpc-status"), "" | "0");
        assert!(is_good, "{}: {reply:?}", self.name);
    }

    /// Sends a good event, which must be refused as it is said under this number.
    async fn assert_refused(&self, house: &House, key: Option<&str>, at: usize) -> Reply {
        let reply = self.send(house, key, (self.good)()).await;
        let said = (reply.status, (self.kind)(&reply));
        assert_eq!((said.0, said.1.as_str()), self.said[at], "{} {at}: {reply:?}", self.name);
        reply
    }

    /// The same, with the word when to come back.
    async fn assert_put_off(&self, house: &House, key: &str, at: usize) {
        let reply = self.assert_refused(house, Some(key), at).await;
        let seconds: Option<u64> = reply.header("retry-after").parse().ok();
        assert!(seconds.is_some_and(|seconds| (1..=60).contains(&seconds)), "{} {at}: {reply:?}", self.name);
    }
}

/// Returns a house with a group and a stream where those must be made, and a key for sending there.
async fn open(bytes_per_s: Option<u64>, clock: Clock) -> (House, String) {
    let house = House::with_key_rate(Limits::default(), clock, bytes_per_s);
    for (operation, more) in [("CreateLogGroup", ""), ("CreateLogStream", ",\"logStreamName\":\"s\"")] {
        let request = Request::post("/cloudwatch").header("x-amz-target", format!("Logs_20140328.{operation}"));
        let body = format!("{{\"logGroupName\":\"doors\"{more}}}");
        let reply = house.send(request.header("x-catat-key", super::ADMIN_KEY).body(body.into()).expect("a request"));
        assert_eq!(reply.await.status, 200, "{operation}");
    }
    let (_, key) = house.key("ingest", &["doors", "sentry/*"]).await;
    (house, key)
}

#[tokio::test]
async fn who_has_no_right_to_a_door_is_told_so_in_its_form_and_stores_nothing() {
    let (house, key) = open(None, Clock::new(super::now)).await;
    let (_, reader) = house.key("read", &["*"]).await;
    let (_, other) = house.key("ingest", &["elsewhere/*"]).await;
    for door in &DOORS {
        for (at, key) in [None, Some("wrong"), Some(&*reader), Some(&*other)].into_iter().enumerate() {
            let reply = door.assert_refused(&house, key, at).await;
            assert_eq!(reply.header("retry-after"), "", "{} {at}: it will not be right later", door.name);
        }
    }
    let query = json!({"query": "stats count(*) as n", "from": "2000-01-01T00:00:00Z", "groups": ["*"]}).to_string();
    let count = async || house.administer("POST", "/api/v1/query", query.clone()).await.json()["rows"].clone();
    let nothing = count().await;
    assert!(nothing == json!([]) || nothing == json!([[0]]), "{nothing}");
    for door in &DOORS {
        door.send_good(&house, &key).await;
    }
    assert_ne!(count().await, nothing);
}

#[tokio::test]
async fn a_key_that_sends_too_much_waits_in_the_form_of_each_door_and_others_do_not() {
    let now_ns = Arc::new(AtomicI64::new(super::now().0));
    let of_clock = now_ns.clone();
    let clock = Clock::new(move || Timestamp(of_clock.load(Ordering::Relaxed)));
    let (house, key) = open(Some(100), clock).await;
    let (_, other) = house.key("ingest", &["*"]).await;
    let large = json!({"message": "a".repeat(1500)}).to_string().into_bytes();
    let reply = NATIVE.send(&house, Some(&key), large).await;
    assert_eq!(reply.status, 200, "what empties the bucket goes through");
    for door in &DOORS {
        door.assert_put_off(&house, &key, 4).await;
    }
    let reply = NATIVE.assert_refused(&house, Some(&key), 4).await;
    let seconds: u64 = reply.header("retry-after").parse().expect("a number of seconds");
    assert!((5..=7).contains(&seconds), "{seconds}");
    NATIVE.send_good(&house, &other).await;
    now_ns.fetch_add(7 * Timestamp::SECOND, Ordering::Relaxed);
    NATIVE.send_good(&house, &key).await;
}

#[tokio::test]
async fn a_full_house_puts_senders_off_in_the_form_of_each_door_and_takes_them_later() {
    let (house, key) = open(None, Clock::new(super::now)).await;
    let full = house.server.intake.fill().await;
    for door in &DOORS {
        door.assert_put_off(&house, &key, 5).await;
    }
    drop(full);
    for door in &DOORS {
        door.send_good(&house, &key).await;
    }
}

#[tokio::test]
async fn two_long_names_are_two_groups_at_every_door_and_one_that_fits_stays_as_it_is() {
    let long = "x".repeat(511);
    let names = [long.clone(), format!("{long}y"), format!("{long}yy"), format!("{long}yz")];
    let otlp = |name: &str| {
        json!({"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": name}}]},
               "scopeLogs": [{"logRecords": [{"timeUnixNano": "1795175700000000000", "body": {"stringValue": "m"}}]}]}]})
    };
    let loki = |name: &str| json!({"streams": [{"stream": {"group": name}, "values": [["1795175700000000000", "m"]]}]});
    let bulk = |name: &str| format!("{{\"create\":{{\"_index\":\"{name}\"}}}}\n{{\"message\":\"m\"}}\n");
    let splunk = |name: &str| json!({"index": name, "event": "m"}).to_string();
    let house = House::new();
    let mut groups = Vec::new();
    for (n_doors, name) in (1..).zip(&names) {
        let bodies = [
            (format!("/api/v1/ingest?group={name}"), "{\"message\":\"m\"}".to_owned()),
            (format!("/elasticsearch/{name}/_doc"), "{\"message\":\"m\"}".to_owned()),
            ("/elasticsearch/_bulk".to_owned(), bulk(name)),
            ("/loki/api/v1/push".to_owned(), loki(name).to_string()),
            ("/v1/logs".to_owned(), otlp(name).to_string()),
            ("/services/collector".to_owned(), splunk(name)),
        ];
        for (path, body) in bodies {
            let request = Request::post(&path).header("content-type", "application/json");
            let request = request.header("authorization", "Splunk token").body(Body::from(body)).expect("a request");
            let reply = house.send(request).await;
            assert!((200..300).contains(&reply.status), "{path:.40}: {}", reply.text());
            groups = house.store.groups().iter().map(|group| group.name.to_string()).collect();
            assert_eq!(groups.len(), n_doors, "{path:.40}: {groups:?}");
        }
        let found = house.post(&format!("/elasticsearch/{name}/_count"), "{}".to_owned()).await;
        assert_eq!(found.json()["count"], 6, "{}", found.text());
    }
    assert!(groups.contains(&names[0]) && groups.contains(&names[1]), "{groups:?}");
    assert!(groups.iter().all(|name| name.len() <= 512));
}

/// Writes bytes as the field of a number of a protobuf message.
fn write_text(number: u8, text: &[u8], out: &mut Vec<u8>) {
    out.push(number << 3 | 2);
    varint(text.len() as u64, out);
    out.extend_from_slice(text);
}

/// Writes a number as protobuf and Snappy do.
pub(super) fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
