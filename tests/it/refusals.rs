//! Every kind of bad event at every door: it is kept and marked, or named, and the good events beside it are stored. What
//! concerns a whole request is refused in the words of the protocol, with the limit.

use serde_json::{Value, json};

use crate::doors::{self, DOORS, Door, field, snappy};
use crate::server::{Answer, Launch, Server};

/// What is wrong with an event: a name, and a JSON record of which the message begins with `faulty N.`.
type Fault = (&'static str, fn(usize) -> Vec<u8>);

const FAULTS: [Fault; 10] = [
    ("a long line", |n| format!("{{\"message\":\"faulty {n}.{}\"}}", "x".repeat(3 << 20)).into_bytes()),
    ("a long field", |n| with(n, &format!("\"f\":\"{}\"", "x".repeat(100 << 10)))),
    ("a long name", |n| with(n, &format!("\"{}\":1", "n".repeat(70 << 10)))),
    ("many fields", |n| with(n, &(0..5_000).map(|i| format!("\"f{i}\":{i}")).collect::<Vec<_>>().join(","))),
    ("deep nesting", |n| with(n, &format!("\"d\":{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000)))),
    ("no UTF-8", |n| [format!("{{\"message\":\"faulty {n}.\",\"f\":\"").as_bytes(), b"\xff\xc3\"}"].concat()),
    ("NUL", |n| with(n, "\"f\":\"a\\u0000b\"")),
    ("a number too large", |n| with(n, "\"f\":1e400,\"g\":123456789012345678901234567890")),
    ("an absurd time", |n| with(n, "\"timestamp\":\"9999-12-31T23:59:59Z\"")),
    ("broken JSON", |n| format!("{{\"message\":\"faulty {n}.\",").into_bytes()),
];

/// Requests that are refused whole for one event, as their protocol has it: a batch for CloudWatch has a megabyte.
const REFUSED_WHOLE: [(&str, &str); 1] = [("cloudwatch", "a long line")];

fn with(n: usize, more: &str) -> Vec<u8> {
    format!("{{\"message\":\"faulty {n}.\",{more}}}").into_bytes()
}

/// A text as a JSON string, its bytes as they are.
fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
    out
}

/// `before` and `after` around each text, and `between` the texts.
fn joined(texts: &[Vec<u8>; 3], before: &str, between: &str, after: &str) -> Vec<u8> {
    let each = |text: &Vec<u8>| [before.as_bytes(), text, after.as_bytes()].concat();
    texts.iter().map(each).collect::<Vec<_>>().join(between.as_bytes())
}

/// Three events as one request at a door; none at doors for one.
fn request(door: &Door, n: usize, records: &[Vec<u8>; 3]) -> Option<Vec<u8>> {
    let as_texts = || records.each_ref().map(|record| quoted(record));
    let around = |before: &str, events: Vec<u8>, after: &str| [before.as_bytes(), &events, after.as_bytes()].concat();
    Some(match door.name {
        "ndjson" | "text" | "splunk raw" => joined(records, "", "", "\n"),
        "lines" => {
            let header = json!({"source": "doors", "file": format!("refusals {n}"), "generation": 1, "start": 0});
            around(&format!("{header}\n"), joined(records, "", "", "\n"), "")
        }
        "bulk" => joined(records, "{\"create\":{}}\n", "", "\n"),
        "splunk" => joined(records, "{\"index\":\"doors\",\"event\":", "\n", "}"),
        "loki json" => {
            let values = joined(&as_texts(), "[\"1763380800000000000\",", ",", "]");
            around("{\"streams\":[{\"stream\":{\"job\":\"doors\"},\"values\":[", values, "]}]}")
        }
        "loki protobuf" => {
            let entries: Vec<u8> = records.iter().flat_map(|record| field(2, &field(2, record))).collect();
            snappy(&field(1, &[field(1, b"{job=\"doors\"}"), entries].concat()))
        }
        "otlp json" => {
            let list = joined(&as_texts(), "{\"body\":{\"stringValue\":", ",", "}}");
            around("{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[", list, "]}]}]}")
        }
        "datadog" => {
            let list = joined(&as_texts(), "{\"service\":\"doors\",\"message\":", ",", "}");
            around("[", list, "]")
        }
        "sentry" => {
            let list = joined(&as_texts(), "{\"body\":", ",", "}");
            around("{}\n{\"type\":\"log\"}\n{\"items\":[", list, "]}\n")
        }
        "otlp protobuf" => {
            let list: Vec<u8> = records.iter().flat_map(|record| field(2, &field(5, &field(1, record)))).collect();
            field(1, &field(2, &list))
        }
        "cloudwatch" => {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
            let list = joined(&as_texts(), &format!("{{\"timestamp\":{},\"message\":", now.as_millis()), ",", "}");
            around("{\"logGroupName\":\"doors\",\"logStreamName\":\"s\",\"logEvents\":[", list, "]}")
        }
        _ => return None,
    })
}

/// Whether an answer names the second of three events as one that was not taken.
fn names_the_second(door: &Door, answer: &Answer) -> bool {
    let json = || answer.json();
    let is_said = |text: &Value| text.as_str().is_some_and(|text| !text.is_empty());
    match door.name {
        "ndjson" | "text" => json()["rejected"][0]["line"] == 2 && is_said(&json()["rejected"][0]["error"]),
        "lines" => json()["rejected"][0]["line"] == 3 && is_said(&json()["rejected"][0]["error"]),
        "bulk" => {
            json()["items"][1]["create"]["status"] == 400 && is_said(&json()["items"][1]["create"]["error"]["reason"])
        }
        "splunk" | "splunk raw" => json()["invalid-event-number"] == 1 && is_said(&json()["message"]),
        "otlp json" => json()["partialSuccess"]["rejectedLogRecords"] == "1",
        _ => false,
    }
}

#[test]
fn a_bad_event_is_kept_or_named_and_its_neighbours_are_stored() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    doors::prepare(&server);
    let mut cases = Vec::new();
    for door in &DOORS {
        for (fault, record) in FAULTS {
            let n = 100 + cases.len();
            let good = |word: &str| json!({ "message": format!("{word} {n}.") }).to_string().into_bytes();
            let Some(body) = request(door, n, &[good("before"), record(n), good("after")]) else { continue };
            let answer = door.send(&server, &[], body);
            cases.push((door, fault, n, answer));
        }
    }
    let rows = server.rows("fields substr(@message, 0, 200) as text, substr(@rest, 0, 20) as rest");
    let stored: Vec<String> = rows.iter().map(|row| row[0].to_string()).collect();
    let mut wrong = Vec::new();
    for (door, fault, n, answer) in &cases {
        let has = |word: &str| stored.iter().any(|text| text.contains(&format!("{word} {n}.")));
        let (neighbours, faulty) = (has("before") && has("after"), has("faulty"));
        let is_named = names_the_second(door, answer);
        let is_whole = REFUSED_WHOLE.contains(&(door.name, *fault));
        let is_right = if is_whole {
            !has("before") && !has("after") && !faulty && !(door.refusal)(answer).message.is_empty()
        } else {
            neighbours && (faulty || is_named)
        };
        let words: String = answer.body.chars().take(200).collect();
        eprintln!(
            "{} {fault}: {} neighbours {neighbours} kept {faulty} named {is_named} {words}",
            door.name, answer.status
        );
        if !is_right {
            wrong.push(format!("{} {fault}: {} {words}", door.name, answer.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_concerns_a_whole_request_is_refused_with_the_limit() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Launch::configured(scratch.path(), "[limits]\nmax_body_bytes = \"1MiB\"\n").start();
    doors::prepare(&server);
    for door in &DOORS {
        let answer = door.send(&server, &[], (door.good)(&"x".repeat(2 << 20)));
        let words = door.assert_refused(&answer, door.too_large);
        assert!(words.contains("1048576"), "{}: {words}", door.name);
        // Loki's protobuf has Snappy inside, and takes no other.
        let unknown = door.send(&server, &[("content-encoding", "br")], (door.good)("packed"));
        let words = (door.refusal)(&unknown);
        assert!(matches!(words.status, 400 | 415) && words.message.contains("\"br\""), "{}: {unknown:?}", door.name);
        if door.name != "loki protobuf" {
            let broken = door.send(&server, &[("content-encoding", "gzip")], (door.good)("said to be packed"));
            let words = (door.refusal)(&broken);
            assert!(words.status == 400 && words.message.contains("gzip"), "{}: {broken:?}", door.name);
        }
        door.send_good(&server, "good");
    }
    assert_eq!(server.value("filter @message like \"packed\" | stats count(*) as n"), 0);
    for (door, kind) in [("otlp json", "text/plain"), ("otlp protobuf", "application/x-www-form-urlencoded")] {
        let door = DOORS.iter().find(|known| known.name == door).expect("it is listed");
        let answer = server.post(door.path, &[("content-type", kind)], (door.good)("of another kind"));
        assert_eq!(answer.status, 415, "{answer:?}");
        assert!(answer.json()["message"].as_str().is_some_and(|text| text.contains(kind)), "{answer:?}");
    }
}
