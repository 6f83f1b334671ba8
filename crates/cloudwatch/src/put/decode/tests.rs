//! Batches as Amazon's agents send them, and those that are refused, whole or in part.

use storage::{Clock, Options, Store};
use types::{GroupScope, Limits};

use super::*;

/// When it is in tests, in milliseconds.
const NOW_MS: i64 = 1_795_176_000_000;

fn body(events: &str) -> String {
    format!(r#"{{"logGroupName":"/ecs/pay","logStreamName":"web/1","logEvents":[{events}]}}"#)
}

fn event(timestamp: i64, message: &str) -> String {
    serde_json::json!({"timestamp": timestamp, "message": message}).to_string()
}

fn refused(body: &str) -> String {
    match PutLogEvents::read(body.as_bytes()) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

/// Stores a body; returns the outcome and how many events are there.
fn put(body: &str, times: usize) -> (PutOutcome, u64) {
    let dir = tempfile::TempDir::new().expect("a scratch directory");
    let clock = Clock::new(|| Timestamp(NOW_MS * MILLISECOND));
    let options = Options { clock, ..Options::new(dir.path().join("data")) };
    let (store, _) = Store::open(options).expect("a new store opens");
    let intake = Intake::new(store.clone(), Limits::default(), 0);
    let sender = Sender {
        name: "",
        within: &GroupScope::All,
        batch_id: None,
        now: Timestamp(NOW_MS * MILLISECOND),
        groups: None,
    };
    let mut outcome = PutOutcome::default();
    for _ in 0..times {
        let put = PutLogEvents::read(body.as_bytes()).expect("it is right");
        outcome = ingest_cloudwatch(&intake, &put, body.as_bytes(), &sender).expect("it is stored");
    }
    let groups = store.groups();
    assert!(groups.iter().all(|group| group.streams.iter().all(|stream| &**stream == "web/1")), "{groups:?}");
    let n_events: u64 = groups.iter().map(|group| group.n_events).sum();
    (outcome, n_events)
}

#[test]
fn bodies_of_agents_are_read() {
    // As boto3, Fluent Bit, the CloudWatch agent and Docker shape them: order and company of the members differ.
    for (text, n_events) in [
        (r#"{"logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp": 1, "message": "a"}]}"#, 1),
        (
            r#"{"logGroupName":"g","logStreamName":"s","sequenceToken":"49","logEvents":[{"timestamp":1,"message":"a\n"},{"timestamp":1,"message":"\u00e4"}]}"#,
            2,
        ),
        (
            r#"{"entity":{"keyAttributes":{"Name":"x","Type":"Service"},"attributes":{"a":"b"}},"logEvents":[{"message":"m","timestamp":5}],"logGroupName":"g","logStreamName":"s"}"#,
            1,
        ),
        (
            r#"{"logEvents":[{"message":"m","timestamp":5}],"logGroupName":"g","logStreamName":"s","sequenceToken":null}"#,
            1,
        ),
    ] {
        let read = PutLogEvents::read(text.as_bytes()).expect(text);
        assert_eq!((read.group.as_str(), &*read.stream, read.events.len()), ("g", "s", n_events));
    }
}

#[test]
fn what_is_against_a_rule_is_refused_with_it() {
    let check = |text: &str, part: &str| {
        let message = refused(text);
        assert!(message.contains(part), "{message:?} has no {part:?}");
    };
    check(&body(""), "'logEvents' failed");
    check(&body(&[event(2, "a"), event(1, "b")].join(",")), "chronological order");
    check(&body(&[event(0, "a"), event(SPAN_MS_MAX + 1, "b")].join(",")), "more than 24 hours");
    check(&body(&event(1, "")), "logEvents.1.member.message");
    check(&body(&event(-1, "a")), "logEvents.1.member.timestamp");
    check(&body(&event(1, &"x".repeat(BATCH_BYTES_MAX - 25))), "Upload too large: 1048577 bytes");
    check(&body(&vec![event(1, "a"); EVENTS_MAX + 1].join(",")), "less than or equal to 10000");
    check(&body(&event(1, "a")).replace("/ecs/pay", "a b"), "logGroupName");
    check(&body(&event(1, "a")).replace("web/1", "a:b"), "logStreamName");
    assert_eq!(refused(&body(&event(1, &"x".repeat(BATCH_BYTES_MAX - 26)))), "");
    assert_eq!(refused(&body(&vec![event(1, "a"); EVENTS_MAX].join(","))), "");
    assert_eq!(refused(&body(&[event(0, "a"), event(SPAN_MS_MAX, "b")].join(","))), "");
}

#[test]
fn no_body_that_is_cut_or_nested_or_of_another_kind_is_taken() {
    let whole = body(&[event(1, "a\"\u{e4}"), event(2, "b")].join(","));
    for end in 0..whole.len() {
        assert!(matches!(PutLogEvents::read(&whole.as_bytes()[..end]), Err(PutError::Form(_))), "{end}");
    }
    let nested = format!(r#"{{"x":{}"#, "[".repeat(100_000));
    for text in [
        &*nested,
        "[]",
        r#"["g","s",[[1,"a"]]]"#,
        r#"{"logGroupName":"g","logStreamName":"s"}"#,
        r#"{"logGroupName":1,"logStreamName":"s","logEvents":[]}"#,
        r#"{"logGroupName":"g","logStreamName":"s","logEvents":{"timestamp":1}}"#,
        r#"{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":"1","message":"a"}]}"#,
        r#"{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":99999999999999999999,"message":"a"}]}"#,
    ] {
        assert!(matches!(PutLogEvents::read(text.as_bytes()), Err(PutError::Form(_))), "{text:.60}");
    }
}

#[test]
fn the_same_body_is_stored_once() {
    let text = body(&[event(NOW_MS - 1000, "one"), event(NOW_MS - 1000, "two")].join(","));
    let (outcome, n_events) = put(&text, 2);
    assert!(outcome.answer.duplicate);
    assert_eq!(n_events, 2);
}

#[test]
fn what_is_too_far_ahead_is_named_and_the_rest_stored() {
    let ahead_ms = Limits::default().future_ns_max / MILLISECOND;
    let times = [NOW_MS + ahead_ms - 1000, NOW_MS + ahead_ms, NOW_MS + ahead_ms + 1, NOW_MS + ahead_ms + 2];
    let text = body(&times.map(|time| event(time, "x")).join(","));
    let (outcome, n_events) = put(&text, 1);
    assert_eq!((outcome.too_new_from, outcome.expired_until, outcome.answer.accepted), (Some(2), None, 2));
    assert_eq!(n_events, 2);
    let (outcome, _) = put(&body(&event(i64::MAX, "x")), 1);
    assert_eq!((outcome.too_new_from, outcome.answer.accepted), (Some(0), 0));
}
