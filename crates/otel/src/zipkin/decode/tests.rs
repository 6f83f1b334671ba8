//! Damaged and hostile requests. `crates/serve/src/tests/spans` has the fields that a span becomes.

use proptest::prelude::*;
use storage::{Options, Store};
use tempfile::TempDir;
use types::{GroupPattern, GroupScope, Limits, Timestamp};

use super::*;

const BODY: &str = r#"[{"traceId":"5af7183fb1d4cf5f","id":"352bff9a74ca9ad2","parentId":"6b221d5bc9e6496c","name":"get",
    "kind":"CLIENT","timestamp":1795175700000001,"duration":207123,"localEndpoint":{"serviceName":"a","ipv4":"10.0.0.1"},
    "remoteEndpoint":{"serviceName":"b","port":9000},"annotations":[{"timestamp":1795175700050000,"value":"x"}],
    "tags":{"http.status_code":"503","error":"e","otel.scope.name":"s"},"shared":true},{"traceId":"1","id":"2"}]"#;

fn send(body: &[u8], within: &GroupScope) -> Result<(u64, Vec<String>), IngestError> {
    let dir = TempDir::new().unwrap();
    let (store, _) = Store::open(Options::new(dir.path().join("data"))).unwrap();
    let limits = Limits { body_bytes_max: 100_000, event_bytes_max: 2_000, ..Limits::default() };
    let intake = Intake::new(store, limits, 0);
    let now = Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").unwrap();
    let sender = Sender { name: "", within, batch_id: None, now, groups: None };
    let answer = ingest_zipkin(&intake, body, Encoding::Identity, &sender)?;
    let rejected = answer.rejected.iter().map(|rejected| format!("{}: {}", rejected.line, rejected.error));
    Ok((answer.accepted, rejected.collect()))
}

#[test]
fn a_request_that_is_cut_anywhere_stores_nothing() {
    assert_eq!(send(BODY.as_bytes(), &GroupScope::All), Ok((2, vec![])));
    for end in 0..BODY.len() {
        assert!(send(&BODY.as_bytes()[..end], &GroupScope::All).is_err(), "cut at {end}");
    }
}

#[test]
fn a_large_or_deep_span_is_rejected_and_the_others_are_stored() {
    let large = format!(r#"{{"traceId":"1","id":"1","name":"{}"}}"#, "x".repeat(2_000));
    let deep = format!(r#"{{"traceId":"1","id":"1","tags":{}{}}}"#, "[".repeat(500), "]".repeat(500));
    let body = format!(r#"[{large},{deep},{{"traceId":"1","id":"1"}}]"#);
    let (n_accepted, rejected) = send(body.as_bytes(), &GroupScope::All).unwrap();
    assert_eq!((n_accepted, rejected.len()), (1, 2));
    assert_eq!(rejected[0], "1: has 2034 bytes; a span has at most 2000 (limits.max_event_bytes)");
    assert!(rejected[1].starts_with("2: recursion limit exceeded"), "{rejected:?}");
}

#[test]
fn spans_outside_the_scope_are_rejected_and_the_others_are_stored() {
    let within = GroupScope::Matching(vec![GroupPattern::new("traces/a")]);
    let (n_accepted, rejected) = send(BODY.as_bytes(), &within).unwrap();
    assert_eq!(
        (n_accepted, rejected),
        (1, vec!["2: this key may not send to the group traces/unknown_service".into()])
    );
    let within = GroupScope::Matching(vec![GroupPattern::new("logs")]);
    assert!(matches!(send(BODY.as_bytes(), &within), Err(IngestError::OutOfScope(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_requests_are_read_or_refused(at in 0..BODY.len(), byte: u8) {
        let mut body = BODY.as_bytes().to_vec();
        body[at] = byte;
        let _ = send(&body, &GroupScope::All);
    }
}
