//! The doors that events come in by: how a good request looks at each, and how each says no.

use serde_json::{Value, json};

use crate::server::{Answer, Server};

/// 2025-11-17T12:00:00Z.
const THEN_S: u64 = 1_763_380_800;

/// One way in.
pub(crate) struct Door {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    /// How a sender says what its body is.
    pub(crate) content_type: &'static str,
    /// A request that brings one event of this text.
    pub(crate) good: fn(&str) -> Vec<u8>,
    /// What a refusal says, once it is checked that it is said in the form of the protocol.
    pub(crate) refusal: fn(&Answer) -> Refusal,
    /// How a body that is too large is refused.
    pub(crate) too_large: (u16, &'static str),
    /// How a sender is told to come back later because the disk is full.
    pub(crate) full: (u16, &'static str),
}

/// A refusal taken apart: status, the name or number of the fault, and the words.
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) message: String,
}

impl Refusal {
    fn new(answer: &Answer, kind: &Value, message: &Value) -> Refusal {
        let kind = kind.as_str().map_or_else(|| kind.to_string(), str::to_owned);
        let message = message.as_str().unwrap_or_else(|| panic!("no words: {answer:?}")).to_owned();
        Refusal { status: answer.status, kind, message }
    }
}

impl Door {
    /// What a sender at this door says beside the body.
    pub(crate) fn headers<'h>(&self, more: &[(&'h str, &'h str)]) -> Vec<(&'h str, &'h str)>
    where
        Self: 'h,
    {
        let mut headers = vec![("content-type", self.content_type)];
        if self.path == "/cloudwatch" {
            headers.push(("x-amz-target", "Logs_20140328.PutLogEvents"));
        }
        headers.extend(more);
        headers
    }

    /// Sends a body to this door.
    pub(crate) fn send(&self, server: &Server, more: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Answer {
        server.post(self.path, &self.headers(more), body)
    }

    /// Sends a good event, which must be taken.
    pub(crate) fn send_good(&self, server: &Server, text: &str) {
        let answer = self.send(server, &[], (self.good)(text));
        assert!(answer.status < 300, "{}: {answer:?}", self.name);
    }

    /// Checks that an answer is a refusal of this status and kind, in this door's form; returns its words.
    pub(crate) fn assert_refused(&self, answer: &Answer, (status, kind): (u16, &str)) -> String {
        let refusal = (self.refusal)(answer);
        assert_eq!((refusal.status, &*refusal.kind), (status, kind), "{}: {answer:?}", self.name);
        assert!(!refusal.message.is_empty(), "{}: {answer:?}", self.name);
        refusal.message
    }
}

/// Makes what must be there before a door can be used.
pub(crate) fn prepare(server: &Server) {
    for (operation, input) in [
        ("CreateLogGroup", json!({"logGroupName": "doors"})),
        ("CreateLogStream", json!({"logGroupName": "doors", "logStreamName": "s"})),
    ] {
        let target = format!("Logs_20140328.{operation}");
        let headers = [("x-amz-target", &*target), ("content-type", "application/x-amz-json-1.1")];
        let answer = server.post("/cloudwatch", &headers, input.to_string());
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

/// All doors.
pub(crate) const DOORS: [Door; 14] = [
    Door { name: "ndjson", path: "/api/v1/ingest?group=doors&format=ndjson", good: record, ..NATIVE },
    Door { name: "text", path: "/api/v1/ingest?group=doors&format=text", good: line, ..NATIVE },
    Door { name: "lines", path: "/api/v1/ingest?group=doors&format=lines", good: piece, ..NATIVE },
    Door { name: "bulk", path: "/elasticsearch/doors/_bulk", good: bulk, ..ELASTIC },
    Door { name: "document", path: "/elasticsearch/doors/_doc", good: record, ..ELASTIC },
    Door { name: "loki json", content_type: "application/json", good: loki_json, ..LOKI },
    Door { name: "loki protobuf", content_type: "application/x-protobuf", good: loki_protobuf, ..LOKI },
    Door {
        name: "otlp json",
        path: "/v1/logs",
        content_type: "application/json",
        good: otlp_json,
        refusal: |answer| Refusal::new(answer, &answer.json()["code"], &answer.json()["message"]),
        too_large: (413, "3"),
        full: (503, "14"),
    },
    Door {
        name: "otlp protobuf",
        path: "/v1/logs",
        content_type: "application/x-protobuf",
        good: otlp_protobuf,
        refusal: rpc_status,
        too_large: (413, "3"),
        full: (503, "14"),
    },
    Door {
        name: "cloudwatch",
        path: "/cloudwatch",
        content_type: "application/x-amz-json-1.1",
        good: put_log_events,
        refusal: |answer| {
            assert_eq!(answer.header("x-amzn-errortype"), answer.json()["__type"], "{answer:?}");
            Refusal::new(answer, &answer.json()["__type"], &answer.json()["message"])
        },
        // Its clients know no 413.
        too_large: (400, "InvalidParameterException"),
        full: (503, "ServiceUnavailableException"),
    },
    Door {
        name: "datadog",
        path: "/api/v2/logs",
        content_type: "application/json",
        good: |text| {
            json!([{"message": text, "service": "doors", "timestamp": THEN_S * 1000}]).to_string().into_bytes()
        },
        refusal: |answer| {
            let error = &answer.json()["errors"][0];
            Refusal::new(answer, &error["status"], &error["detail"])
        },
        too_large: (413, "413"),
        full: (507, "507"),
    },
    Door {
        name: "sentry",
        path: "/api/1/envelope/",
        content_type: "application/x-sentry-envelope",
        good: |text| {
            let items = json!({"items": [{"timestamp": THEN_S, "body": text}]});
            format!("{{}}\n{{\"type\":\"log\"}}\n{items}\n").into_bytes()
        },
        refusal: |answer| Refusal::new(answer, &json!("detail"), &answer.json()["detail"]),
        too_large: (413, "detail"),
        full: (507, "detail"),
    },
    Door { name: "splunk", path: "/services/collector/event", good: hec, ..SPLUNK },
    Door { name: "splunk raw", path: "/services/collector/raw?index=doors", good: line, ..SPLUNK },
];

const NATIVE: Door = Door {
    name: "",
    path: "",
    content_type: "application/octet-stream",
    good: line,
    refusal: |answer| Refusal::new(answer, &answer.json()["error"]["code"], &answer.json()["error"]["message"]),
    too_large: (413, "body-too-large"),
    full: (507, "disk-full"),
};

const ELASTIC: Door = Door {
    content_type: "application/x-ndjson",
    refusal: |answer| {
        let json = answer.json();
        assert_eq!(json["status"], answer.status, "{answer:?}");
        assert_eq!(json["error"]["root_cause"][0]["type"], json["error"]["type"], "{answer:?}");
        Refusal::new(answer, &json["error"]["type"], &json["error"]["reason"])
    },
    too_large: (413, "content_too_long_exception"),
    full: (503, "unavailable_shards_exception"),
    ..NATIVE
};

const LOKI: Door = Door {
    path: "/loki/api/v1/push",
    refusal: |answer| {
        assert!(answer.header("content-type").starts_with("text/plain"), "{answer:?}");
        // It is a text, and the status is all there is of a number.
        Refusal::new(answer, &json!("text"), &json!(answer.body))
    },
    too_large: (413, "text"),
    full: (503, "text"),
    ..NATIVE
};

const SPLUNK: Door = Door {
    content_type: "application/json",
    refusal: |answer| {
        assert!(answer.json()["text"].as_str().is_some_and(|text| !text.is_empty()), "{answer:?}");
        Refusal::new(answer, &answer.json()["code"], &answer.json()["message"])
    },
    too_large: (413, "27"),
    full: (503, "9"),
    ..NATIVE
};

fn record(text: &str) -> Vec<u8> {
    (json!({ "message": text }).to_string() + "\n").into_bytes()
}

fn line(text: &str) -> Vec<u8> {
    format!("{text}\n").into_bytes()
}

fn piece(text: &str) -> Vec<u8> {
    // The text is the file's name too: what is sent of one file twice is stored once.
    let header = json!({"source": "doors", "file": text, "generation": 1, "start": 0});
    format!("{header}\n{text}\n").into_bytes()
}

fn bulk(text: &str) -> Vec<u8> {
    [b"{\"index\":{}}\n", &*record(text)].concat()
}

fn loki_json(text: &str) -> Vec<u8> {
    let time = format!("{THEN_S}000000000");
    json!({"streams": [{"stream": {"job": "doors"}, "values": [[time, text]]}]}).to_string().into_bytes()
}

fn loki_protobuf(text: &str) -> Vec<u8> {
    let time = [&[1 << 3][..], &varint(THEN_S)].concat();
    let entry = [field(1, &time), field(2, text.as_bytes())].concat();
    snappy(&field(1, &[field(1, b"{job=\"doors\"}"), field(2, &entry)].concat()))
}

fn otlp_json(text: &str) -> Vec<u8> {
    let service = json!({"key": "service.name", "value": {"stringValue": "doors"}});
    let records = json!([{"timeUnixNano": format!("{THEN_S}000000000"), "body": {"stringValue": text}}]);
    let resource = json!({"resource": {"attributes": [service]}, "scopeLogs": [{"logRecords": records}]});
    json!({ "resourceLogs": [resource] }).to_string().into_bytes()
}

fn otlp_protobuf(text: &str) -> Vec<u8> {
    let service = [field(1, b"service.name"), field(2, &field(1, b"doors"))].concat();
    let record = field(5, &field(1, text.as_bytes()));
    field(1, &[field(1, &field(1, &service)), field(2, &field(2, &record))].concat())
}

fn put_log_events(text: &str) -> Vec<u8> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
    let events = json!([{"timestamp": now.as_millis() as u64, "message": text}]);
    json!({"logGroupName": "doors", "logStreamName": "s", "logEvents": events}).to_string().into_bytes()
}

fn hec(text: &str) -> Vec<u8> {
    json!({"event": text, "index": "doors", "time": THEN_S}).to_string().into_bytes()
}

/// `google.rpc.Status { code = 1, message = 2 }`.
fn rpc_status(answer: &Answer) -> Refusal {
    let bytes = answer.body.as_bytes();
    assert_eq!((answer.header("content-type"), bytes[0], bytes[2]), ("application/x-protobuf", 1 << 3, 2 << 3 | 2));
    // Behind the length, of one byte or two.
    let start = if bytes[3] < 0x80 { 4 } else { 5 };
    Refusal::new(answer, &json!(bytes[1]), &json!(answer.body[start..]))
}

/// A field of a protobuf message that holds bytes.
pub(crate) fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2][..], &varint(bytes.len() as u64), bytes].concat()
}

pub(crate) fn varint(mut number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
    out
}

/// A block of Snappy that repeats nothing: literals of up to 60 bytes.
pub(crate) fn snappy(bytes: &[u8]) -> Vec<u8> {
    let mut block = varint(bytes.len() as u64);
    for literal in bytes.chunks(60) {
        block.push((literal.len() as u8 - 1) << 2);
        block.extend_from_slice(literal);
    }
    block
}
