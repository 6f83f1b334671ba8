//! Drawn records and spans, which become the same events in both forms.

use data_encoding::{BASE64, HEXLOWER};
use ingest::protobuf::put_varint;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;
use serde_json::{Value as Json, json};

use super::{House, bytes, fixed, pair, request, text};
use crate::otlp::decode::{OtlpForm, Signal};
use types::{GroupPattern, GroupScope, TimeRange};

const START: u64 = 1_795_175_700_000_000_000;

/// A member in both forms.
type Part = (Vec<u8>, &'static str, Json);

/// Returns a message in both forms, of any of the parts in any order.
fn message(parts: impl Strategy<Value = Vec<Part>> + 'static) -> BoxedStrategy<(Vec<u8>, Json)> {
    let some = parts.prop_flat_map(|parts| {
        let n_parts = parts.len();
        subsequence(parts, 0..=n_parts).prop_shuffle()
    });
    some.prop_map(of_parts).boxed()
}

fn of_parts(parts: Vec<Part>) -> (Vec<u8>, Json) {
    let wire = parts.iter().flat_map(|(wire, ..)| wire.clone()).collect();
    (wire, parts.into_iter().map(|(_, name, json)| (name.to_owned(), json)).collect())
}

fn number(number: u8, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(u64::from(number) << 3, &mut out);
    put_varint(value, &mut out);
    out
}

fn flags(tag: u64, flags: u32) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(tag << 3 | 5, &mut out);
    [out, flags.to_le_bytes().to_vec()].concat()
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z.@ ]{0,9}", any::<String>(), Just("long ".repeat(40))]
}

/// Returns a value, which is up to three levels deep.
fn value() -> BoxedStrategy<(Vec<u8>, Json)> {
    let double = |double: f64| match double {
        double if double.is_finite() => json!(double),
        double => json!(double.to_string().replace("inf", "Infinity")),
    };
    let scalar = prop_oneof![
        Just((Vec::new(), json!({}))),
        texts().prop_map(|held| (text(&held), json!({"stringValue": held}))),
        any::<bool>().prop_map(|held| (number(2, held.into()), json!({"boolValue": held}))),
        any::<i64>().prop_map(|held| (number(3, held as u64), json!({"intValue": held.to_string()}))),
        any::<i64>().prop_map(|held| (number(3, held as u64), json!({"int_value": held}))),
        any::<f64>().prop_map(move |held| (fixed(4, held.to_bits()), json!({"doubleValue": double(held)}))),
        vec(any::<u8>(), 0..9).prop_map(|held| (bytes(7, &held), json!({"bytesValue": BASE64.encode(&held)}))),
    ];
    let nested = scalar.prop_recursive(3, 12, 4, |inner| {
        let list = vec(inner.clone(), 0..4).prop_map(|values| {
            let (wire, json): (Vec<_>, Vec<_>) = values.into_iter().unzip();
            let wire: Vec<u8> = wire.iter().flat_map(|value| bytes(1, value)).collect();
            (bytes(5, &wire), json!({"arrayValue": {"values": json}}))
        });
        let object = vec((texts(), inner), 0..4).prop_map(|pairs| {
            let (wire, json) = of_pairs(1, pairs);
            (bytes(6, &wire), json!({"kvlistValue": {"values": json}}))
        });
        prop_oneof![list, object]
    });
    nested.boxed()
}

fn of_pairs(number: u8, pairs: Vec<(String, (Vec<u8>, Json))>) -> (Vec<u8>, Json) {
    let wire = pairs.iter().flat_map(|(key, (value, _))| pair(number, key, value)).collect();
    (wire, pairs.into_iter().map(|(key, (_, value))| json!({"key": key, "value": value})).collect())
}

fn attributes(number: u8) -> impl Strategy<Value = (Vec<u8>, Json)> {
    vec((texts(), value()), 0..5).prop_map(move |pairs| of_pairs(number, pairs))
}

fn log_record() -> BoxedStrategy<(Vec<u8>, Json)> {
    let drawn = (any::<u64>(), 0..30u64, texts(), value(), attributes(6), any::<[u8; 16]>(), any::<u32>(), texts());
    message(drawn.prop_map(|(time, severity, word, body, attributes, id, n, event)| {
        std::vec![
            (fixed(1, START), "timeUnixNano", json!(START)),
            (fixed(11, time), "observedTimeUnixNano", json!(time.to_string())),
            (number(2, severity), "severity_number", json!(severity)),
            (bytes(3, word.as_bytes()), "severityText", json!(word)),
            (bytes(5, &body.0), "body", body.1),
            (attributes.0, "attributes", attributes.1),
            (number(7, n.into()), "droppedAttributesCount", json!(n)),
            (flags(8, n), "flags", json!(n)),
            (bytes(9, &id), "traceId", json!(HEXLOWER.encode(&id))),
            (bytes(10, &id[8..]), "span_id", json!(HEXLOWER.encode(&id[8..]).to_uppercase())),
            (bytes(12, event.as_bytes()), "eventName", json!(event)),
        ]
    }))
}

fn event() -> BoxedStrategy<(Vec<u8>, Json)> {
    message((any::<u64>(), texts(), attributes(3)).prop_map(|(time, name, attributes)| {
        std::vec![
            (fixed(1, time), "timeUnixNano", json!(time.to_string())),
            (bytes(2, name.as_bytes()), "name", json!(name)),
            (attributes.0, "attributes", attributes.1),
        ]
    }))
}

fn link() -> BoxedStrategy<(Vec<u8>, Json)> {
    message((any::<[u8; 16]>(), texts(), attributes(4)).prop_map(|(id, state, attributes)| {
        std::vec![
            (bytes(1, &id), "trace_id", json!(HEXLOWER.encode(&id))),
            (bytes(2, &id[8..]), "spanId", json!(BASE64.encode(&id[8..]))),
            (bytes(3, state.as_bytes()), "traceState", json!(state)),
            (attributes.0, "attributes", attributes.1),
        ]
    }))
}

fn span() -> BoxedStrategy<(Vec<u8>, Json)> {
    let lists = (attributes(9), vec(event(), 0..3), vec(link(), 0..3));
    let drawn = (any::<[u8; 16]>(), 0..8u64, any::<u32>(), START - 9..START + 99_999, texts(), texts(), lists);
    message(drawn.prop_map(|(id, kind, n, end, name, state, (attributes, events, links))| {
        let many = |number, messages: Vec<(Vec<u8>, Json)>| {
            let wire: Vec<u8> = messages.iter().flat_map(|(wire, _)| bytes(number, wire)).collect();
            (wire, messages.into_iter().map(|(_, json)| json).collect::<Json>())
        };
        let (events, links) = (many(11, events), many(13, links));
        let status = [bytes(2, state.as_bytes()), number(3, kind % 4)].concat();
        std::vec![
            (bytes(1, &id), "traceId", json!(HEXLOWER.encode(&id))),
            (bytes(2, &id[8..]), "spanId", json!(HEXLOWER.encode(&id[8..]))),
            (bytes(3, state.as_bytes()), "traceState", json!(state)),
            (bytes(4, &id[..8]), "parentSpanId", json!(HEXLOWER.encode(&id[..8]))),
            (flags(16, n), "flags", json!(n)),
            (bytes(5, name.as_bytes()), "name", json!(name)),
            (number(6, kind), "kind", json!(kind)),
            (fixed(7, START), "startTimeUnixNano", json!(START.to_string())),
            (fixed(8, end), "endTimeUnixNano", json!(end)),
            (attributes.0, "attributes", attributes.1),
            (number(10, n.into()), "droppedAttributesCount", json!(n)),
            (events.0, "events", events.1),
            (number(12, n.into()), "droppedEventsCount", json!(n.to_string())),
            (links.0, "links", links.1),
            (number(14, n.into()), "droppedLinksCount", json!(n)),
            (bytes(15, &status), "status", json!({"message": state, "code": kind % 4})),
        ]
    }))
}

/// Returns what becomes of a request with records and one with spans: the numbers of rejected ones, and all fields of all events.
fn outcome(form: OtlpForm, logs: &[u8], traces: &[u8]) -> (Vec<Vec<usize>>, Vec<String>) {
    let house = House::new();
    let send = |body, signal| {
        let answer = house.send_signal(body, (signal, form), &GroupScope::All).unwrap();
        answer.rejected.iter().map(|rejected| rejected.line).collect()
    };
    let rejected = std::vec![send(logs, Signal::Logs), send(traces, Signal::Traces)];
    let mut names: Vec<String> = ["@timestamp", "@log", "@logStream", "@message", "@level"].map(String::from).into();
    for run in house.store.snapshot(&[GroupPattern::new("*")], TimeRange::ALL).runs {
        names.extend(run.field_names().unwrap().iter().map(|name| name.to_string()));
    }
    names.sort();
    names.dedup();
    let events = house.events(&names.iter().map(String::as_str).collect::<Vec<_>>());
    (rejected, [names, events].concat())
}

proptest! {
    // A store is opened for each request.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn both_forms_become_the_same_events(
        resource in attributes(1),
        scope in attributes(3),
        records in vec(log_record(), 0..8),
        spans in vec(span(), 0..8),
    ) {
        let resource_json = json!({"attributes": resource.1});
        let scope_json = json!({"name": "lib", "attributes": scope.1});
        let scope_wire = [bytes(1, b"lib"), scope.0].concat();
        let body = |records: &[Vec<u8>]| request(std::slice::from_ref(&resource.0), &scope_wire, records);
        let (records, logs): (Vec<_>, Vec<_>) = records.into_iter().unzip();
        let logs = json!({"resourceLogs": [
            {"resource": resource_json, "scopeLogs": [{"logRecords": logs, "scope": scope_json}]}]});
        let (spans, traces): (Vec<_>, Vec<_>) = spans.into_iter().unzip();
        let traces = json!({"resourceSpans": [
            {"scopeSpans": [{"spans": traces, "scope": scope_json}], "resource": resource_json}]});
        let expected = outcome(OtlpForm::Protobuf, &body(&records), &body(&spans));
        let found = outcome(OtlpForm::Json, logs.to_string().as_bytes(), traces.to_string().as_bytes());
        prop_assert_eq!(found, expected);
    }
}
