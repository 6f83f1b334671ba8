//! Small bodies that expand to much data are refused, or cost at most a fixed multiple of an ordinary body of the same size.

use serde_json::{Value, json};

use crate::doors::{field, snappy};
use crate::server::Server;

/// Bytes of a body.
const BODY_BYTES: usize = 1 << 20;

/// Bytes of an ordinary body: large enough that its processor time exceeds a tick of the kernel.
const ORDINARY_BYTES: usize = 4 * BODY_BYTES;

/// Most processor time of a body, in multiples of that of an ordinary body of the same size.
const RATIO_MAX: f64 = 20.0;

/// Returns the processor time that the server has used, in ticks.
fn ticks(server: &Server) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.pid())).expect("it runs");
    let fields = stat.rsplit_once(')').expect("a name in parentheses").1;
    // User and system time are fields 14 and 15; the first two are cut off.
    let ticks = |place: usize| fields.split_whitespace().nth(place).and_then(|text| text.parse::<f64>().ok());
    ticks(11).zip(ticks(12)).map(|(user, system)| user + system).expect("two numbers")
}

/// Returns a body of up to `n_bytes`, made of numbered parts.
fn filled(n_bytes: usize, part: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    let mut body = Vec::with_capacity(n_bytes);
    for number in 0.. {
        let next = part(number);
        if body.len() + next.len() > n_bytes {
            break;
        }
        body.extend(next);
    }
    body
}

/// An endpoint with an ordinary body, and bodies that stand for far more than their size.
struct Case {
    path: &'static str,
    content_type: &'static str,
    ordinary: Vec<u8>,
    dense: Vec<(&'static str, Vec<u8>)>,
}

/// Returns a pair of a name and a value in protobuf: an attribute, a label or an item of metadata.
fn pair(name: &str, value: &[u8]) -> Vec<u8> {
    [field(1, name.as_bytes()), field(2, value)].concat()
}

fn ndjson() -> Case {
    let line = |value: Value| format!("{value}\n").into_bytes();
    let ordinary = |i| {
        line(json!({"level": "info", "message": format!("request {i} served from cache"), "status": 200, "took_ms": i}))
    };
    let sets: Vec<Value> = (0..100).map(|i| json!([format!("d{}", i / 10), format!("d{}", i % 10)])).collect();
    let metrics: Vec<Value> = (0..90).map(|i| json!({"Name": format!("m{i}")})).collect();
    let directive = json!({"Namespace": "n", "Dimensions": sets, "Metrics": metrics});
    let mut embedded = json!({"_aws": {"CloudWatchMetrics": [directive]}});
    (0..10).for_each(|i| embedded[format!("d{i}")] = json!("x"));
    (0..90).for_each(|i| embedded[format!("m{i}")] = json!(i));
    let one = |members: Vec<u8>| [b"{\"m\":1", &*members, b"}\n"].concat();
    Case {
        path: "/api/v1/ingest?group=expansion&format=ndjson",
        content_type: "application/x-ndjson",
        ordinary: filled(ORDINARY_BYTES, ordinary),
        dense: vec![
            ("metrics times sets of dimensions", filled(BODY_BYTES, |_| line(embedded.clone()))),
            ("one name again and again", one(filled(BODY_BYTES, |_| b",\"a\":1".to_vec()))),
            ("one path in two spellings", one(filled(BODY_BYTES, |_| b",\"a.b\":1,\"a\":{\"b\":2}".to_vec()))),
            ("names of one event", one(filled(BODY_BYTES, |i| format!(",\"k{i}\":1").into_bytes()))),
            (
                "causes of exceptions",
                filled(BODY_BYTES, |_| line(json!({"message": "Caused by: a.b.C: x\n".repeat(200)}))),
            ),
        ],
    }
}

fn otlp(path: &'static str) -> Case {
    let shared = |name: &str, value: &str| field(1, &pair(name, &field(1, value.as_bytes())));
    let service = shared("service.name", "expansion");
    let request = |resource: &[u8], records: &[u8]| field(1, &[field(1, resource), field(2, records)].concat());
    let record = |i: usize| match path {
        "/v1/logs" => field(2, &field(5, &field(1, b"request served from cache"))),
        _ => field(2, &[field(1, &(i as u128 + 1).to_be_bytes()), field(2, &(i as u64 + 1).to_be_bytes())].concat()),
    };
    let many = || filled(BODY_BYTES / 2, |i| shared(&format!("attribute-{i}"), "some value"));
    let large = shared("large", &"v".repeat(BODY_BYTES / 2));
    let with = |resource: &[u8]| request(&[&service, resource].concat(), &filled(BODY_BYTES / 2, record));
    Case {
        path,
        content_type: "application/x-protobuf",
        ordinary: request(&service, &filled(ORDINARY_BYTES, record)),
        dense: vec![("attributes times records", with(&many())), ("a long attribute times records", with(&large))],
    }
}

fn loki() -> Case {
    let entry = |_| field(2, &field(2, b"request served from cache"));
    let push = |labels: String, n_bytes| field(1, &[field(1, labels.as_bytes()), filled(n_bytes, entry)].concat());
    let labels: String = (0..400).map(|i| format!(",label_{i}=\"some value\"")).collect();
    Case {
        path: "/loki/api/v1/push",
        content_type: "application/x-protobuf",
        ordinary: snappy(&push("{job=\"expansion\"}".to_owned(), ORDINARY_BYTES)),
        dense: vec![("labels times entries", snappy(&push(format!("{{job=\"expansion\"{labels}}}"), BODY_BYTES)))],
    }
}

#[test]
fn no_body_costs_twenty_times_as_much_as_an_ordinary_one() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    for Case { path, content_type, ordinary, dense } in [ndjson(), otlp("/v1/logs"), otlp("/v1/traces"), loki()] {
        let send = |body: &[u8]| {
            let before = ticks(&server);
            let answer = server.post(path, &[("content-type", content_type)], body);
            (ticks(&server) - before, answer)
        };
        let (of_ordinary, answer) = send(&ordinary);
        assert!(answer.status < 300, "{path}: {answer:?}");
        for (name, body) in dense {
            let (spent, answer) = send(&body);
            assert!(matches!(answer.status, 200..300 | 400 | 413), "{name}: {answer:?}");
            let expected = of_ordinary.max(1.0) * body.len() as f64 / ordinary.len() as f64;
            assert!(spent <= RATIO_MAX * expected, "{path}, {name}: {spent} ticks beside {expected}");
        }
    }
}
