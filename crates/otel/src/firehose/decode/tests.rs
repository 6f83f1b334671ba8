//! Requests as Firehose makes them, and broken ones.

use std::cell::Cell;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use types::{GroupPattern, GroupScope};

use super::*;
use crate::house::{House, sender};

const BATCH: &str = r#"{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/aws/lambda/pay","logStream":"2026/11/20/[$LATEST]a",
    "subscriptionFilters":["all"],"logEvents":[{"id":"1","timestamp":1795175700123,"message":"START RequestId: x"},
    {"id":"2","timestamp":1795175701000,"message":"{\"level\":\"error\",\"msg\":\"no money\",\"user\":\"u1\"}"}]}"#;

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

fn request(id: &str, records: &[&[u8]]) -> String {
    let records: Vec<String> = records.iter().map(|data| format!(r#"{{"data":"{}"}}"#, BASE64.encode(data))).collect();
    format!(r#"{{"requestId":"{id}","timestamp":1795175702000,"records":[{}]}}"#, records.join(","))
}

impl House {
    fn deliver(
        &self,
        body: &str,
        defaults: &FirehoseDefaults,
        within: &GroupScope,
    ) -> Result<IngestAnswer, IngestError> {
        let body = (body.as_bytes(), Encoding::Identity);
        ingest_firehose(&self.intake, body, defaults, &sender(within)).map(|(_, answer)| answer)
    }

    /// Returns the number of accepted events, and the records of rejected ones.
    fn deliver_all(&self, body: &str) -> (u64, Vec<usize>) {
        let defaults = FirehoseDefaults { delivery_stream: "logs".into(), ..FirehoseDefaults::default() };
        let answer = self.deliver(body, &defaults, &GroupScope::All).unwrap();
        (answer.accepted, answer.rejected.iter().map(|one| one.line).collect())
    }
}

#[test]
fn batches_of_subscriptions_go_to_their_groups() {
    let house = House::new();
    let control = BATCH.replace("DATA_MESSAGE", "CONTROL_MESSAGE");
    assert_eq!(house.deliver_all(&request("r", &[&gzip(BATCH), &gzip(&control)])), (2, vec![]));
    assert_eq!(
        house.events(&["@log", "@logStream", "@timestamp", "@level", "owner", "user"]),
        [
            "/aws/lambda/pay | 2026/11/20/[$LATEST]a | 2026-11-20T11:55:00.123Z | - | 123456789012 | -",
            "/aws/lambda/pay | 2026/11/20/[$LATEST]a | 2026-11-20T11:55:01Z | error | 123456789012 | u1",
        ]
    );
}

#[test]
fn other_data_are_objects_or_lines() {
    let house = House::new();
    let records: [&[u8]; 5] = [
        b"{\"message\":\"a\",\"n\":1}{\"message\":\"b\"}\n{\"message\":\n\"c\"}",
        b"d\nERROR e\n\tat f\n",
        b"{\"message\":\"g\"}\n{no json}\nh",
        &gzip("i\n"),
        b"\xff\xfe j",
    ];
    let body = request("r", &records);
    assert_eq!(house.deliver_all(&body), (10, vec![]));
    assert_eq!(
        house.events(&["@log", "@message", "n"]),
        [
            "firehose/logs | ERROR e\n\tat f | -",
            "firehose/logs | a | 1",
            "firehose/logs | b | -",
            "firehose/logs | c | -",
            "firehose/logs | d | -",
            "firehose/logs | g | -",
            "firehose/logs | h | -",
            "firehose/logs | i | -",
            "firehose/logs | {no json} | -",
            "firehose/logs | \u{fffd}\u{fffd} j | -",
        ]
    );
}

#[test]
fn common_attributes_are_group_stream_and_fields() {
    let house = House::new();
    let fields = vec![("env".to_owned(), "prod".to_owned())];
    let defaults = FirehoseDefaults { group: "web".into(), stream: "s".into(), fields, ..FirehoseDefaults::default() };
    house.deliver(&request("r", &[BATCH.as_bytes(), b"line"]), &defaults, &GroupScope::All).unwrap();
    assert_eq!(house.events(&["@log", "@logStream", "env"]), ["web | s | prod"; 3]);
}

#[test]
fn a_repeated_request_is_stored_once_whatever_its_time() {
    let house = House::new();
    let body = request("r", &[b"a", b"b"]);
    assert_eq!(house.deliver_all(&body), (2, vec![]));
    house.deliver_all(&body.replace("1795175702000", "1795175799000"));
    assert_eq!(house.events(&["@message"]).len(), 2);
    house.deliver_all(&request("another", &[b"a", b"b"]));
    assert_eq!(house.events(&["@message"]).len(), 4);
}

#[test]
fn what_cannot_be_stored_is_named_and_the_rest_is_stored() {
    let house = House::new();
    let broken = &gzip(BATCH)[..60];
    let body =
        request("r", &[b"a", broken, b"b"]).replace("{\"data\":\"Yg==\"}", "{\"data\":\"Yg==\"},7,{\"data\":\"?\"},{}");
    assert_eq!(house.deliver_all(&body), (2, vec![2, 4, 5, 6]));
    let no_message = BATCH.replace("\"message\":\"START", "\"text\":\"START");
    assert_eq!(house.deliver_all(&request("r2", &[no_message.as_bytes()])), (1, vec![1]));
    assert_eq!(house.events(&["@message"]).len(), 3);
    for malformed in [
        "",
        "[]",
        "{\"requestId\":\"r\"}",
        "{\"requestId\":\"r\",\"records\":[",
        "{\"requestId\":\"r\",\"records\":{}}",
    ] {
        assert!(house.deliver(malformed, &FirehoseDefaults::default(), &GroupScope::All).is_err(), "{malformed}");
    }
    let within = GroupScope::Matching(vec![GroupPattern::new("firehose")]);
    let answer =
        house.deliver(&request("r3", &[b"mine", BATCH.as_bytes()]), &FirehoseDefaults::default(), &within).unwrap();
    assert_eq!((answer.accepted, answer.rejected[0].line), (1, 2));
    let foreign = house.deliver(&request("r4", &[BATCH.as_bytes()]), &FirehoseDefaults::default(), &within);
    assert!(matches!(foreign, Err(IngestError::OutOfScope(_))));
}

#[test]
fn data_may_unfold_to_no_more_than_a_body() {
    let mut house = House::new();
    house.intake.limits.body_bytes_max = 1 << 20;
    let packed = gzip(&"a line of a log\n".repeat(4 << 10));
    let records = vec![&*packed; 17];
    let refused = house.deliver(&request("r", &records), &FirehoseDefaults::default(), &GroupScope::All);
    assert!(matches!(refused, Err(IngestError::TooLarge { .. })), "{refused:?}");
}

/// Whatever happens to the bytes of a request, each of its events is stored or named, or the request is refused.
#[test]
fn broken_requests_are_refused_or_accounted_for() {
    let house = House::new();
    let n_stored = Cell::new(0);
    let changes = (any::<prop::sample::Index>(), any::<bool>(), prop::collection::vec(any::<u8>(), 0..4));
    let n_requests = Cell::new(0);
    let mut runner = TestRunner::default();
    let checked = runner.run(&changes, |(at, is_within, with)| {
        n_requests.set(n_requests.get() + 1);
        let id = n_requests.get().to_string();
        let change = |bytes: &[u8]| {
            let at = at.index(bytes.len());
            let mut bytes = bytes.to_vec();
            bytes.splice(at..(at + with.len().max(1)).min(bytes.len()), with.iter().copied());
            bytes
        };
        let data = if is_within { change(BATCH.as_bytes()) } else { gzip(BATCH) };
        let body = request(&id, &[&data, b"line"]);
        let body = if is_within { body } else { String::from_utf8_lossy(&change(body.as_bytes())).into_owned() };
        if let Ok(answer) = house.deliver(&body, &FirehoseDefaults::default(), &GroupScope::All) {
            let n_before = n_stored.replace(house.events(&["@message"]).len() as u64);
            prop_assert_eq!(n_stored.get() - n_before, if answer.duplicate { 0 } else { answer.accepted });
        }
        Ok(())
    });
    checked.unwrap();
}
