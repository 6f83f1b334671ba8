//! Requests as exporters and collectors make them, in both forms, and broken ones.

use std::sync::Arc;

use proptest::prelude::*;
use storage::{Options, Store};
use tempfile::TempDir;
use types::{GroupPattern, GroupScope, Limits, RowSet, TimeRange, Timestamp};

use super::*;

mod both_forms;
mod spans;

/// Field `number` holding `bytes`.
fn bytes(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(bytes);
    out
}

fn fixed(number: u8, value: u64) -> Vec<u8> {
    [&[number << 3 | 1][..], &value.to_le_bytes()].concat()
}

fn text(value: &str) -> Vec<u8> {
    bytes(1, value.as_bytes())
}

fn pair(number: u8, key: &str, value: &[u8]) -> Vec<u8> {
    bytes(number, &[bytes(1, key.as_bytes()), bytes(2, value)].concat())
}

/// Returns a request of one resource and one scope.
fn request(resource: &[Vec<u8>], scope: &[u8], records: &[Vec<u8>]) -> Vec<u8> {
    let records: Vec<u8> = records.iter().flat_map(|record| bytes(2, record)).collect();
    let scope_logs = bytes(2, &[bytes(1, scope), records].concat());
    // The resource stands behind its records: the order of fields is free.
    bytes(1, &[scope_logs, bytes(1, &resource.concat())].concat())
}

struct House {
    intake: Intake,
    store: Arc<Store>,
    _dir: TempDir,
}

impl House {
    fn new() -> Self {
        Self::with(Limits { body_bytes_max: 100_000, field_bytes_max: 1_000, ..Limits::default() })
    }

    fn with(limits: Limits) -> Self {
        let dir = TempDir::new().unwrap();
        let (store, _) = Store::open(Options::new(dir.path().join("data"))).unwrap();
        Self { intake: Intake::new(store.clone(), limits, 0), store, _dir: dir }
    }

    fn send_within(&self, body: &[u8], form: OtlpForm, within: &GroupScope) -> Result<IngestAnswer, IngestError> {
        self.send_signal(body, (Signal::Logs, form), within)
    }

    fn send_signal(
        &self,
        body: &[u8],
        request: (Signal, OtlpForm),
        within: &GroupScope,
    ) -> Result<IngestAnswer, IngestError> {
        let now = Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").unwrap();
        let sender = Sender { name: "", within, batch_id: None, now, groups: None };
        ingest_otlp(&self.intake, body, Encoding::Identity, request, &sender)
    }

    fn send(&self, body: &[u8], form: OtlpForm) -> Result<u64, String> {
        let sent = self.send_within(body, form, &GroupScope::All);
        sent.map(|answer| answer.accepted).map_err(|error| error.to_string())
    }

    fn events(&self, names: &[&str]) -> Vec<String> {
        let mut events = Vec::new();
        for run in self.store.snapshot(&[GroupPattern::new("*")], TimeRange::ALL).runs {
            let columns = run.read(0, names, &RowSet::all(run.block_rows(0))).unwrap();
            let shown = |row| columns.iter().map(move |c| c.value(row).map_or("-".into(), |value| value.to_string()));
            events.extend((0..run.block_rows(0)).map(|row| shown(row).collect::<Vec<_>>().join(" | ")));
        }
        events.sort();
        events
    }
}

/// Returns the same request in both forms: what a collector sends of a file, and an SDK of a program.
fn both() -> [(OtlpForm, Vec<u8>); 2] {
    let resource = [
        pair(1, "service.name", &text("shop/eu west")),
        pair(1, "service.instance.id", &text("i-1")),
        pair(1, "host.name", &text("h")),
        pair(1, "level", &text("debug")),
    ];
    let scope = [bytes(1, b"io.shop"), bytes(2, b"2.0"), pair(3, "kind", &text("auto"))].concat();
    let list = bytes(5, &[bytes(1, &text("a")), bytes(1, &[3 << 3, 7]), bytes(1, &[])].concat());
    let object = bytes(6, &[pair(1, "path", &text("/p")), pair(1, "ok", &[2 << 3, 1])].concat());
    let first = [
        fixed(1, 1_795_175_700_000_000_001),
        vec![2 << 3, 14],
        bytes(3, b"WARN2"),
        bytes(5, &text("slow")),
        pair(6, "http", &object),
        pair(6, "tags", &list),
        pair(6, "n", &[&[3 << 3][..], &[0xff; 9], &[1]].concat()),
        pair(6, "share", &fixed(4, 0.5f64.to_bits())),
        pair(6, "raw", &bytes(7, &[0xff, 0])),
        pair(6, "@id", &text("forged")),
        pair(6, "kind", &text("own")),
        vec![7 << 3, 2],
        [&[8 << 3 | 5][..], &1u32.to_le_bytes()].concat(),
        bytes(9, &[0xab; 16]),
        bytes(10, &[0x01; 8]),
        fixed(11, 1_795_175_700_000_000_009),
        bytes(12, b"checkout"),
    ]
    .concat();
    let second = [fixed(11, 1_795_175_701_000_000_000), bytes(5, &object), bytes(9, &[0; 16])].concat();
    let json = r#"{"resourceLogs":[{"scopeLogs":[{"scope":{"name":"io.shop","version":"2.0","attributes":
        [{"key":"kind","value":{"stringValue":"auto"}}]},"schemaUrl":"x","logRecords":[{
        "timeUnixNano":"1795175700000000001","observedTimeUnixNano":1795175700000000009,"severityNumber":14,
        "severityText":"WARN2","body":{"stringValue":"slow"},"droppedAttributesCount":2,"flags":1,"attributes":[
        {"key":"http","value":{"kvlistValue":{"values":[{"key":"path","value":{"stringValue":"/p"}},
        {"key":"ok","value":{"boolValue":true}}]}}},
        {"key":"tags","value":{"arrayValue":{"values":[{"stringValue":"a"},{"intValue":"7"},{}]}}},
        {"key":"n","value":{"intValue":"-1"}},{"key":"share","value":{"doubleValue":0.5}},
        {"key":"raw","value":{"bytesValue":"/wA="}},{"key":"@id","value":{"stringValue":"forged"}},
        {"key":"kind","value":{"stringValue":"own"}}],"traceId":"ABababababababababababababababab",
        "spanId":"0101010101010101","eventName":"checkout"},
        {"observed_time_unix_nano":"1795175701000000000","severity_number":"SEVERITY_NUMBER_UNSPECIFIED","trace_id":"",
        "body":{"kvlistValue":{"values":[{"key":"path","value":{"stringValue":"/p"}},
        {"key":"ok","value":{"boolValue":true}}]}}}]}],"resource":{"attributes":[
        {"key":"service.name","value":{"stringValue":"shop/eu west"}},
        {"key":"service.instance.id","value":{"stringValue":"i-1"}},
        {"key":"host.name","value":{"stringValue":"h"}},
        {"key":"level","value":{"stringValue":"debug"}}]}}],"extra":[[{}]]}"#;
    [(OtlpForm::Protobuf, request(&resource, &scope, &[first, second])), (OtlpForm::Json, json.into())]
}

#[test]
fn both_forms_say_all_that_a_record_has() {
    for (form, body) in both() {
        let house = House::new();
        assert_eq!(house.send(&body, form), Ok(2), "{form:?}");
        let system = ["@timestamp", "@log", "@logStream", "@message", "@level"];
        assert_eq!(
            house.events(&system),
            [
                "2026-11-20T11:55:00.000000001Z | shop/eu_west | i-1 | slow | warn",
                r#"2026-11-20T11:55:01Z | shop/eu_west | i-1 | {"path":"/p","ok":true} | debug"#,
            ],
            "{form:?}"
        );
        let own = ["http.path", "http.ok", "tags", "n", "share", "raw", "_id", "kind", "path"];
        let expected = [
            "- | - | - | - | - | - | - | auto | /p",
            r#"/p | true | ["a",7,null] | -1 | 0.5 | /wA= | forged | own | -"#,
        ];
        assert_eq!(house.events(&own), expected, "{form:?}");
        let beside =
            ["scope.name", "scope.version", "severity_text", "severity_number", "trace_id", "span_id", "flags"];
        let ids = "abababababababababababababababab | 0101010101010101";
        let expected =
            ["io.shop | 2.0 | - | - | - | - | -".to_owned(), format!("io.shop | 2.0 | WARN2 | 14 | {ids} | 1")];
        assert_eq!(house.events(&beside), expected, "{form:?}");
        let rare = ["event_name", "dropped_attributes_count", "observed_timestamp", "host.name"];
        let expected = ["- | - | 1795175701000000000 | h", "checkout | 2 | 1795175700000000009 | h"];
        assert_eq!(house.events(&rare), expected, "{form:?}");
    }
}

#[test]
fn a_record_without_a_body_is_its_event_or_its_attributes() {
    let house = House::new();
    let named = bytes(12, b"deployed");
    let described = pair(6, "region", &text("eu"));
    assert_eq!(house.send(&request(&[], &[], &[named, described, Vec::new()]), OtlpForm::Protobuf), Ok(3));
    assert_eq!(
        house.events(&["@log", "@message", "region"]),
        ["otlp |  | -", "otlp | deployed | -", r#"otlp | {"region":"eu"} | eu"#]
    );
}

#[test]
fn severities_are_levels_by_number_then_by_text() {
    let check = |number: u8, word: &str, expected: &str| {
        let house = House::new();
        let record = [vec![2 << 3, number], bytes(3, word.as_bytes()), bytes(5, &text("ERROR in the text"))].concat();
        assert_eq!(house.send(&request(&[], &[], &[record]), OtlpForm::Protobuf), Ok(1));
        assert_eq!(house.events(&["@level"]), [expected], "{number} {word}");
    };
    for (number, expected) in [(1, "trace"), (5, "debug"), (12, "info"), (13, "warn"), (20, "error"), (24, "fatal")] {
        check(number, "whatever", expected);
    }
    check(0, "Warning", "warn");
    check(99, "notice", "info");
    check(0, "", "error");
}

#[test]
fn a_long_list_is_kept_as_text_and_deep_nesting_is_refused() {
    let house = House::new();
    let list = bytes(5, &bytes(1, &text("0123456789")).repeat(100));
    let record = pair(6, "long", &list);
    assert_eq!(house.send(&request(&[], &[], &[record]), OtlpForm::Protobuf), Ok(1));
    assert_eq!(house.events(&["long", "@fieldsDropped"]), ["- | 1"]);
    let mut value = text("x");
    for _ in 0..100 {
        value = bytes(5, &bytes(1, &value));
    }
    let refused = house.send(&request(&[], &[], &[bytes(5, &value)]), OtlpForm::Protobuf).unwrap_err();
    assert!(refused.contains("more than 64 levels"), "{refused}");
    let deep = format!("{}{}", r#"{"resourceLogs":["#, "[".repeat(50_000));
    assert!(house.send(deep.as_bytes(), OtlpForm::Json).unwrap_err().contains("nested more than"));
}

#[test]
fn what_a_sender_may_not_write_is_rejected_beside_what_it_may() {
    let house = House::new();
    let of = |service: &str| request(&[pair(1, "service.name", &text(service))], &[], &[bytes(5, &text("x"))]);
    let within = GroupScope::Matching(vec![GroupPattern::new("mine")]);
    let body = [of("theirs"), of("mine")].concat();
    let answer = house.send_within(&body, OtlpForm::Protobuf, &within).unwrap();
    assert_eq!((answer.accepted, answer.rejected.len(), answer.rejected[0].line), (1, 1, 1));
    let refused = house.send_within(&of("theirs"), OtlpForm::Protobuf, &within);
    assert!(matches!(refused, Err(IngestError::OutOfScope(_))), "{refused:?}");
    assert_eq!(house.events(&["@log"]), ["mine"]);
}

#[test]
fn a_request_that_is_cut_anywhere_stores_nothing() {
    let house = House::new();
    for (form, body) in both() {
        for end in 1..body.len() {
            assert!(house.send(&body[..end], form).is_err(), "{form:?} cut at {end}");
        }
    }
    assert_eq!(house.events(&["@message"]), [""; 0]);
}

#[test]
fn empty_records_cannot_take_more_memory_than_a_request_may() {
    let house = House::new();
    let many = request(&[], &[], &vec![Vec::new(); 49_000]);
    assert!(many.len() < 100_000);
    let sent = house.send(&many, OtlpForm::Protobuf);
    assert!(sent.as_ref().is_err_and(|error| error.contains("memory")) || sent == Ok(49_000), "{sent:?}");
    let shared: Vec<Vec<u8>> = (0..2_000).map(|i| pair(1, &format!("attribute-{i}"), &text("v"))).collect();
    let refused = house.send(&request(&shared, &[], &vec![Vec::new(); 10_000]), OtlpForm::Protobuf).unwrap_err();
    assert!(refused.contains("memory"), "{refused}");
}

#[test]
fn what_records_share_is_not_written_without_bound() {
    let house = House::with(Limits::default());
    let large = pair(1, "large", &text(&"v".repeat(50_000)));
    let many: Vec<u8> = (0..1_000).flat_map(|i| pair(1, &format!("attribute-{i:04}"), &text("v"))).collect();
    for shared in [large, many] {
        let body = |n_records| request(std::slice::from_ref(&shared), &[], &vec![Vec::new(); n_records]);
        assert_eq!(house.send(&body(100), OtlpForm::Protobuf), Ok(100));
        let refused = house.send(&body(20_000), OtlpForm::Protobuf).unwrap_err();
        assert!(refused.contains("smaller batches"), "{refused}");
    }
}

#[test]
fn values_of_the_wrong_kind_are_named() {
    let house = House::new();
    let check = |record: &str, expected: &str| {
        let refused = house.send(json_request(record).as_bytes(), OtlpForm::Json).unwrap_err();
        assert!(refused.contains(expected), "{record}: {refused}");
    };
    check(r#"{"timeUnixNano":"noon"}"#, r#""noon" is not a valid value of timeUnixNano"#);
    check(r#"{"traceId":"not hex!"}"#, "traceId");
    check(r#"{"body":"text"}"#, "body");
    check(r#"{"severityNumber":"SEVERITY_NUMBER_LOUD"}"#, "severityNumber");
    check(r#"{"flags":-1}"#, "flags");
    check("7", "logRecords");
    assert!(house.send(b"{}{}", OtlpForm::Json).unwrap_err().contains("expected the end of the request"));
    assert!(house.send(b"", OtlpForm::Json).is_err());
}

/// Returns a request in JSON of records without resource and scope.
fn json_request(records: &str) -> String {
    format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{records}]}}]}}]}}"#)
}

#[test]
fn space_order_and_members_that_nobody_knows_change_nothing() {
    let compact = r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeLogs":[{"scope":{"name":"lib","attributes":[{"key":"k","value":{"stringValue":"v"}}]},"logRecords":[{"timeUnixNano":"1795175700000000001","severityNumber":9,"body":{"stringValue":"a \"b\" \u00e9"},"attributes":[{"key":"n","value":{"intValue":"-7"}},{"key":"t","value":{"stringValue":"\"x\""}},{"key":"l","value":{"arrayValue":{"values":[{"doubleValue":0.5},{"boolValue":true}]}}}]}]}]}]}"#;
    let tree: serde_json::Value = serde_json::from_str(compact).unwrap();
    // The members of an object in the order of their names: records stand before their scope.
    let pretty = serde_json::to_string_pretty(&tree)
        .unwrap()
        .replace("\"attributes\":", "\"unknown\": [{\"attributes\": \"}\\\"\"}, null],\n\"attributes\":");
    let events = |text: &str| {
        let house = House::new();
        assert_eq!(house.send(text.as_bytes(), OtlpForm::Json), Ok(1), "{text}");
        house.events(&["@timestamp", "@log", "@message", "@level", "scope.name", "k", "n", "t", "l"])
    };
    let expected =
        [r#"2026-11-20T11:55:00.000000001Z | shop | a "b" é | info | lib | v | -7 | "x" | [0.5,true]"#.to_owned()];
    assert_eq!(events(compact), expected);
    assert_eq!(events(&pretty), expected);
    assert_eq!(events(&pretty.replace("severityNumber", "severity_number")), expected);
}

#[test]
fn ids_are_hex_of_any_length_or_base64() {
    let id = |text: &str| {
        let house = House::new();
        house.send(json_request(&format!(r#"{{"traceId":"{text}"}}"#)).as_bytes(), OtlpForm::Json)?;
        Ok::<_, String>(house.events(&["trace_id"]).concat())
    };
    assert_eq!(id("0A0b").as_deref(), Ok("0a0b"));
    assert_eq!(id(&"ab".repeat(40)), Ok("ab".repeat(40)));
    assert_eq!(id("/w==").as_deref(), Ok("ff"));
    assert_eq!(id("0000").as_deref(), Ok("-"));
    assert!(id("abc").is_err());
}

#[test]
fn numbers_in_json_are_texts_or_numbers() {
    let check = |value: &str, expected: &str| {
        for space in ["", " "] {
            let house = House::new();
            let record = format!(r#"{{"attributes":[{{"key":"n","value":{space}{{{value}}}}}]}}"#);
            assert_eq!(house.send(json_request(&record).as_bytes(), OtlpForm::Json), Ok(1), "{value}");
            assert_eq!(house.events(&["n"]), [expected], "{value}");
        }
    };
    check(r#""intValue":7"#, "7");
    check(r#""intValue":"-9223372036854775808""#, "-9223372036854775808");
    check(r#""intValue":1e3"#, "1000");
    check(r#""intValue":18446744073709551615"#, "-1");
    check(r#""intValue":"""#, "-");
    check(r#""intValue":null"#, "-");
    check(r#""stringValue":null"#, "-");
    check(r#""doubleValue":3"#, "3.0");
    check(r#""doubleValue":"0.25""#, "0.25");
    check(r#""doubleValue":"NaN""#, "NaN");
    for wrong in [r#""intValue":0.5"#, r#""intValue":"x""#, r#""intValue":1e30"#, r#""doubleValue":1e999"#] {
        let record = format!(r#"{{"attributes":[{{"key":"n","value":{{{wrong}}}}}]}}"#);
        let refused = House::new().send(json_request(&record).as_bytes(), OtlpForm::Json).unwrap_err();
        assert!(refused.contains("is not a valid value of"), "{wrong}: {refused}");
    }
}

#[test]
fn a_record_may_have_more_attributes_than_are_kept() {
    let names = || (0..300).map(|i| format!("a{i}"));
    let wire: Vec<u8> = names().flat_map(|name| pair(6, &name, &bytes(6, &pair(1, "x", &text(&name))))).collect();
    let json = names().map(|name| {
        format!(r#"{{"key":"{name}","value":{{"kvlistValue":{{"values":[{{"key":"x","value":{{"stringValue":"{name}"}}}}]}}}}}}"#)
    });
    let json = json_request(&format!(r#"{{"attributes":[{}]}}"#, json.collect::<Vec<_>>().join(",")));
    let all = names().map(|name| format!(r#""{name}":{{"x":"{name}"}}"#)).collect::<Vec<_>>().join(",");
    for (form, body) in [(OtlpForm::Protobuf, request(&[], &[], &[wire])), (OtlpForm::Json, json.into_bytes())] {
        let house = House::new();
        assert_eq!(house.send(&body, form), Ok(1), "{form:?}");
        let expected = format!("{{{all}}} | a0 | a255 | a256 | a299");
        assert_eq!(house.events(&["@message", "a0.x", "a255.x", "a256.x", "a299.x"]), [expected], "{form:?}");
    }
}

#[test]
fn a_value_in_json_is_nested_as_deep_as_one_in_protobuf() {
    let nested = |n_levels: usize| {
        let open = r#"{"kvlistValue":{"values":[{"key":"k","value":"#.repeat(n_levels);
        let body = format!(r#"{{"body":{open}{{"stringValue":"x"}}{}}}"#, "}]}}".repeat(n_levels));
        House::new().send(json_request(&body).as_bytes(), OtlpForm::Json)
    };
    assert_eq!(nested(63), Ok(1));
    let refused = nested(64).unwrap_err();
    assert!(refused.contains("more than 64 levels"), "{refused}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_requests_are_read_or_refused(at in 0usize..900, byte: u8, json: bool) {
        let house = House::new();
        let (form, mut body) = both()[usize::from(json)].clone();
        let at = at % body.len();
        body[at] = byte;
        let _ = house.send(&body, form);
    }
}
