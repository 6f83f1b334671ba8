//! Spans in both forms, and damaged ones. `crates/serve/src/tests/spans` has the fields that a span becomes.

use proptest::prelude::*;

use super::{House, bytes, fixed, pair, request, text};
use crate::otlp::decode::{OtlpForm, Signal};
use types::GroupScope;

const START: u64 = 1_795_175_700_000_000_000;

/// Returns a span of protobuf with valid ids and times, and further fields.
fn span(more: &[Vec<u8>]) -> Vec<u8> {
    let own = [bytes(1, &[0xab; 16]), bytes(2, &[0xcd; 8]), fixed(7, START), fixed(8, START + 1_000_000)];
    [own.concat(), more.concat()].concat()
}

/// Returns the same request in both forms.
fn both() -> [(OtlpForm, Vec<u8>); 2] {
    let event = [fixed(1, START + 5), bytes(2, b"retry"), pair(3, "http.code", &[3 << 3, 7])].concat();
    let link = [bytes(1, &[1; 16]), bytes(2, &[2; 8]), bytes(3, b"a=b"), pair(4, "k", &text("v"))].concat();
    let first = span(&[
        bytes(3, b"c=d"),
        bytes(4, &[0xef; 8]),
        bytes(5, b"GET /"),
        vec![6 << 3, 2],
        pair(9, "http.status_code", &[3 << 3, 0xf7, 3]),
        pair(9, "name", &text("own")),
        bytes(11, &event),
        vec![10 << 3, 1],
        bytes(11, b""),
        vec![12 << 3, 2],
        bytes(13, &link),
        vec![14 << 3, 3],
        bytes(15, &[bytes(2, b"refused"), vec![3 << 3, 2]].concat()),
        [&[0x85, 1][..], &1u32.to_le_bytes()].concat(),
    ]);
    let wrong = span(&[bytes(1, &[1; 15])]);
    let scope = [bytes(1, b"io.shop"), bytes(2, b"2.0")].concat();
    let json = r#"{"resource_spans":[{"scope_spans":[{"spans":[{"trace_id":"ABABABABABABABABABABABABABABABAB",
        "span_id":"cdcdcdcdcdcdcdcd","trace_state":"c=d","parent_span_id":"efefefefefefefef","name":"GET /","kind":2,
        "start_time_unix_nano":"1795175700000000000","end_time_unix_nano":1795175700001000000,"attributes":[
        {"key":"http.status_code","value":{"intValue":503}},{"key":"name","value":{"stringValue":"own"}}],
        "dropped_attributes_count":1,"dropped_events_count":2,"dropped_links_count":"3","events":[{"name":"retry",
        "time_unix_nano":"1795175700000000005","attributes":[{"key":"http.code","value":{"intValue":"7"}}]},{}],
        "links":[{"trace_id":"01010101010101010101010101010101","span_id":"0202020202020202","trace_state":"a=b",
        "attributes":[{"key":"k","value":{"stringValue":"v"}}]}],"status":{"message":"refused","code":2},"flags":1},
        {"traceId":"010101010101010101010101010101","spanId":"cdcdcdcdcdcdcdcd"}],
        "scope":{"name":"io.shop","version":"2.0"}}],
        "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]}}]}"#;
    let service = [pair(1, "service.name", &text("shop"))];
    [(OtlpForm::Protobuf, request(&service, &scope, &[first, wrong])), (OtlpForm::Json, json.into())]
}

impl House {
    fn send_spans(&self, body: &[u8], form: OtlpForm) -> Result<(u64, Vec<String>), String> {
        let answer =
            self.send_signal(body, (Signal::Traces, form), &GroupScope::All).map_err(|error| error.to_string())?;
        let rejected = answer.rejected.iter().map(|rejected| format!("{}: {}", rejected.line, rejected.error));
        Ok((answer.accepted, rejected.collect()))
    }
}

#[test]
fn both_forms_carry_every_part_of_a_span() {
    for (form, body) in both() {
        let house = House::new();
        let (n_accepted, rejected) = house.send_spans(&body, form).unwrap();
        assert_eq!((n_accepted, rejected.len()), (1, 1), "{form:?}");
        assert!(rejected[0].starts_with("2: trace id"), "{rejected:?}");
        let check = |names: &[&str], expected: &str| assert_eq!(house.events(names), [expected], "{form:?}");
        check(&["@log", "@type", "@message", "@level"], "traces/shop | span | GET / 503 1 ms | error");
        let ids = format!("{} | {} | {}", "ab".repeat(16), "cd".repeat(8), "ef".repeat(8));
        check(&["trace_id", "span_id", "parent_span_id"], &ids);
        check(&["name", "attributes.name", "kind", "service", "duration_ms"], "GET / | own | server | shop | 1.0");
        check(&["status", "status_message", "trace_state", "flags"], "error | refused | c=d | 1");
        check(&["scope.name", "scope.version", "http.status_code"], "io.shop | 2.0 | 503");
        let events = r#"[{"timestamp":"2026-11-20T11:55:00.000000005Z","name":"retry","attributes":{"http.code":7}},{"name":"","attributes":{}}]"#;
        check(&["events"], events);
        let links = format!(
            r#"[{{"trace_id":"{}","span_id":"{}","trace_state":"a=b","attributes":{{"k":"v"}}}}]"#,
            "01".repeat(16),
            "02".repeat(8)
        );
        check(&["links"], &links);
        check(&["dropped_attributes_count", "dropped_events_count", "dropped_links_count"], "1 | 2 | 3");
        check(&["span_problem"], "-");
    }
}

#[test]
fn events_and_links_are_bounded_and_what_is_left_out_is_counted() {
    let house = House::new();
    let event = bytes(11, &bytes(2, b"tick"));
    let link = bytes(13, &[bytes(1, &[1; 16]), bytes(2, &[2; 8])].concat());
    let body = request(&[], &[], &[span(&[event.repeat(2_000), link.repeat(30)])]);
    assert_eq!(house.send_spans(&body, OtlpForm::Protobuf), Ok((1, vec![])));
    let found = house.events(&["dropped_events_count", "dropped_links_count", "span_problem"]).concat();
    // A field of this house has 1,000 bytes: 31 events of 32 bytes, and 10 links of 99.
    let expected = "1969 | 20 | 1969 events are left out: a span has at most 1000 in 1000 bytes; \
        20 links are left out: a span has at most 1000 in 1000 bytes";
    assert_eq!(found, expected);
}

#[test]
fn deep_attributes_of_events_are_refused_and_many_are_read_again() {
    let house = House::new();
    let mut value = text("x");
    for _ in 0..100 {
        value = bytes(5, &bytes(1, &value));
    }
    let deep = request(&[], &[], &[span(&[bytes(11, &pair(3, "deep", &value))])]);
    assert!(house.send_spans(&deep, OtlpForm::Protobuf).unwrap_err().contains("more than 64 levels"));
    let many: Vec<Vec<u8>> = (0..300).map(|i| pair(9, &format!("a{i}"), &text("v"))).collect();
    assert_eq!(house.send_spans(&request(&[], &[], &[span(&many)]), OtlpForm::Protobuf), Ok((1, vec![])));
    assert_eq!(house.events(&["a0", "a255", "a256", "a299"]), ["v | v | v | v"]);
}

#[test]
fn a_request_that_is_cut_anywhere_stores_nothing() {
    let house = House::new();
    for (form, body) in both() {
        for end in 1..body.len() {
            assert!(house.send_spans(&body[..end], form).is_err(), "{form:?} cut at {end}");
        }
    }
    assert_eq!(house.events(&["@message"]), [""; 0]);
}

#[test]
fn empty_spans_cannot_take_more_memory_than_a_request_may() {
    let house = House::new();
    let shared: Vec<Vec<u8>> = (0..2_000).map(|i| pair(1, &format!("attribute-{i}"), &text("v"))).collect();
    let refused = house.send_spans(&request(&shared, &[], &vec![span(&[]); 600]), OtlpForm::Protobuf).unwrap_err();
    assert!(refused.contains("memory"), "{refused}");
    let (n_accepted, rejected) =
        house.send_spans(&request(&[], &[], &vec![Vec::new(); 49_000]), OtlpForm::Protobuf).unwrap();
    assert_eq!((n_accepted, rejected.len()), (0, 1_000));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_requests_are_read_or_refused(at in 0usize..1_500, byte: u8, json: bool) {
        let house = House::new();
        let (form, mut body) = both()[usize::from(json)].clone();
        let at = at % body.len();
        body[at] = byte;
        let _ = house.send_spans(&body, form);
    }
}
