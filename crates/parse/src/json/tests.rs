//! Records of every shape: what becomes text, time, level and fields, and what is refused.

mod refusals;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use types::{Batch, BatchBuilder, Level, Limits, Timestamp, Value};

use crate::{ArrivalContext, EventParser, Extras, FieldWriter, ObjectReader, Zone};

fn with_limits(lines: &[&str], limits: &Limits) -> Batch {
    let at = Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").expect("a valid time");
    let mut parser = EventParser::new(ArrivalContext { at, modified: None, previous: None, zone: Zone::UTC, limits });
    let mut builder = BatchBuilder::new();
    for line in lines {
        parser.record(line.as_bytes(), &Extras::default(), &mut builder).expect("a JSON object");
    }
    builder.finish()
}

fn batch(line: &str) -> Batch {
    with_limits(&[line], &Limits::default())
}

fn field(batch: &Batch, name: &str) -> Option<Value> {
    batch.field(name).value(0)
}

fn error(line: &str) -> String {
    let limits = Limits::default();
    let mut parser = EventParser::new(ArrivalContext {
        at: Timestamp(0),
        modified: None,
        previous: None,
        zone: Zone::UTC,
        limits: &limits,
    });
    let mut builder = BatchBuilder::new();
    let error = parser.record(line.as_bytes(), &Extras::default(), &mut builder).expect_err("no JSON object");
    assert!(builder.finish().fields.is_empty());
    error.to_string()
}

#[test]
fn nested_objects_become_paths_and_lists_stay_values() {
    let batch = batch(r#"{"a":{"b":{"c":1},"d":"x"},"l":[1,2.5,"s",null,{"k":true}],"e":{},"n":null,"f.g":7,"z":[]}"#);
    assert_eq!(field(&batch, "a.b.c"), Some(Value::Integer(1)));
    assert_eq!(field(&batch, "a.d"), Some(Value::text("x")));
    assert_eq!(field(&batch, "f.g"), Some(Value::Integer(7)));
    assert_eq!(field(&batch, "e"), Some(Value::Object(Default::default())));
    assert_eq!(field(&batch, "z"), Some(Value::List(Default::default())));
    assert_eq!(field(&batch, "n"), None);
    let mut list = String::new();
    field(&batch, "l").expect("the list").write_json(&mut list);
    assert_eq!(list, r#"[1,2.5,"s",null,{"k":true}]"#);
}

#[test]
fn the_first_usable_key_gives_the_text_and_stays_a_field() {
    let shown = |line: &str| {
        let batch = batch(line);
        (batch.messages.get(0).to_string(), field(&batch, "message"), field(&batch, "msg"))
    };
    let text = |t: &str| Some(Value::text(t));
    assert_eq!(shown(r#"{"message":"x"}"#), ("x".into(), text("x"), None));
    assert_eq!(shown(r#"{"msg":"y","message":"x"}"#), ("x".into(), text("x"), text("y")));
    assert_eq!(shown(r#"{"@message":"z","message":"x"}"#), ("z".into(), text("x"), None));
    assert_eq!(shown(r#"{"message":5,"msg":"y"}"#), ("y".into(), Some(Value::Integer(5)), text("y")));
    assert_eq!(
        shown(r#"{"message":"old","message":"new"}"#),
        ("old".into(), Some(Value::List(Arc::new(vec![text("old"), text("new")]))), None)
    );
    assert_eq!(shown(r#" {"n": 1} "#), (r#"{"n": 1}"#.into(), None, None));
    assert_eq!(shown(r#"{"@message":{"n":[1]}}"#), (r#"{"n":[1]}"#.into(), None, None));
    assert_eq!(batch(r#"{"@message":"z","@timestamp":5}"#).fields.len(), 0);
}

#[test]
fn the_first_usable_key_gives_the_time_and_keeps_its_value_and_type() {
    let shown = |line: &str| {
        let batch = batch(line);
        (Timestamp(batch.timestamps.get(0)).to_string(), field(&batch, "ts"), batch.fields.len())
    };
    let expected = "2025-11-20T06:00:00Z".to_string();
    assert_eq!(shown(r#"{"ts":1763618400}"#), (expected.clone(), Some(Value::Integer(1_763_618_400)), 0));
    assert_eq!(shown(r#"{"ts":1763618400000}"#), (expected.clone(), Some(Value::Integer(1_763_618_400_000)), 0));
    assert_eq!(shown(r#"{"ts":1763618400.0}"#), (expected.clone(), Some(Value::Float(1_763_618_400.0)), 1));
    let text = "2025-11-20T06:00:00.000Z";
    assert_eq!(shown(&format!(r#"{{"ts":"{text}"}}"#)), (expected.clone(), Some(Value::text(text)), 0));
    let text = "2025-11-20T07:00:00+01:00";
    assert_eq!(shown(&format!(r#"{{"ts":"{text}"}}"#)), (expected.clone(), Some(Value::text(text)), 1));
    assert_eq!(shown(r#"{"ts":1.7636184e12}"#), (expected.clone(), Some(Value::Float(1.7636184e12)), 1));
    assert_eq!(shown(r#"{"@timestamp":"2025-11-20T06:00:00Z","ts":5}"#), (expected, Some(Value::Integer(5)), 1));
    assert_eq!(shown(r#"{"ts":"soon"}"#), ("2026-11-20T12:00:00Z".into(), Some(Value::text("soon")), 1));
}

#[test]
fn keys_of_single_libraries_give_the_time_and_the_text() {
    let check = |line: &str, message: &str| {
        let batch = batch(line);
        let at = Timestamp(batch.timestamps.get(0)).to_string();
        assert_eq!((&*at, batch.messages.get(0)), ("2025-11-20T06:00:00.5Z", message), "{line}");
    };
    check(r#"{"asctime":"2025-11-20 06:00:00,500","message":"x"}"#, "x");
    check(r#"{"t":{"$date":"2025-11-20T06:00:00.500+00:00"},"msg":"x"}"#, "x");
    check(r#"{"record":{"time":{"repr":"2025-11-20 06:00:00.5+00:00","timestamp":1763618400.5},"message":"x"}}"#, "x");
    check(r#"{"instant":{"epochSecond":1763618400,"nanoOfSecond":500000000},"message":"x"}"#, "x");
    check(r#"{"expires_at":"2027-01-01T00:00:00Z","datetime":"2025-11-20T06:00:00.5Z","message":"x"}"#, "x");
    check(r#"{"date":1763618400.5,"fields":{"message":"x"}}"#, "x");
    check(r#"{"timestamp_ns":1763618400500000000,"short_message":"x"}"#, "x");
    check(r#"{"created":1763618400.5,"levelname":"INFO","message":"x"}"#, "x");
    check(r#"{"timestamp":"soon","@t":"2025-11-20T06:00:00.5Z","@m":"x"}"#, "x");
    let line = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1763618400500000000"}]}]}]}"#;
    check(line, line);
    let untimed = [r#"{"created_at":"2025-11-20T06:00:00Z"}"#, r#"{"created":1763618400}"#, r#"{"t":5,"date":7}"#];
    let arrival = "2026-11-20T12:00:00Z".to_string();
    untimed.iter().for_each(|line| assert_eq!(Timestamp(batch(line).timestamps.get(0)).to_string(), arrival, "{line}"));
}

#[test]
fn a_time_that_comes_beside_a_line_leaves_the_times_in_it_as_they_are() {
    let limits = Limits::default();
    let at = Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").expect("a valid time");
    let mut parser =
        EventParser::new(ArrivalContext { at, modified: None, previous: None, zone: Zone::UTC, limits: &limits });
    let mut builder = BatchBuilder::new();
    let extras = Extras { time: Some(Timestamp(7_000_000_000)), ..Extras::default() };
    parser.text(br#"{"ts":1763618400,"time":"2026-11-20T06:47:13Z"}"#, &extras, &mut builder);
    let batch = builder.finish();
    assert_eq!(*batch.timestamps.to_slice(), [7_000_000_000]);
    assert_eq!(field(&batch, "ts"), Some(Value::Integer(1_763_618_400)));
    assert_eq!(field(&batch, "time"), Some(Value::text("2026-11-20T06:47:13Z")));
}

#[test]
fn a_time_that_events_cannot_have_is_kept_beside_the_arrival() {
    let check = |line: &str, original: &str| {
        let batch = batch(line);
        assert_eq!(Timestamp(batch.timestamps.get(0)).to_string(), "2026-11-20T12:00:00Z", "{line}");
        assert_eq!(field(&batch, "@timestampRejected"), Some(Value::text(original)), "{line}");
    };
    check(r#"{"ts":"1969-12-31T23:59:59Z"}"#, "1969-12-31T23:59:59Z");
    check(r#"{"@timestamp":"2300-01-01T00:00:00Z"}"#, "2300-01-01T00:00:00Z");
    check(r#"{"time":"2026-11-21T12:00:01Z"}"#, "2026-11-21T12:00:01Z");
    check(r#"{"ts":2000000000}"#, "2000000000");
    check(r#"{"@timestamp":-1}"#, "-1");
    check(r#"{"@timestamp":18446744073709551615}"#, "18446744073709551615");
    check(r#"{"@timestamp":1e300}"#, "1e300");
    check(r#"{"@timestamp":-1e400}"#, "-1e400");
    check(r#"{"@timestamp":"soon"}"#, "soon");
}

#[test]
fn a_number_that_no_log_can_mean_as_a_time_is_a_field() {
    let arrival = "2026-11-20T12:00:00Z";
    let check = |number: &str, key: &str, expected: &str| {
        let batch = batch(&format!(r#"{{"{key}":{number},"message":"x"}}"#));
        assert_eq!(Timestamp(batch.timestamps.get(0)).to_string(), expected, "{key} {number}");
        assert_eq!(field(&batch, "@timestampRejected"), None, "{key} {number}");
        assert_eq!(field(&batch, key).map(|value| value.to_string()).as_deref(), Some(number.trim_matches('"')));
    };
    for key in ["time", "ts", "timestamp", "Timestamp", "t", "date"] {
        let durations = ["0", "5", "0.25", "-3", "1500", "86400", "1700000", "523000000", "60000000000", "99999999999"];
        durations.iter().for_each(|number| check(number, key, arrival));
        [r#""0""#, r#""12""#, r#""0.25""#, r#""12ms""#, r#""12 ms""#, r#""1500""#]
            .iter()
            .for_each(|text| check(text, key, arrival));
        check("883612800", key, "1998-01-01T00:00:00Z");
        check(r#""883612800""#, key, "1998-01-01T00:00:00Z");
        check("1763618400.25", key, "2025-11-20T06:00:00.25Z");
        check("1763618400250", key, "2025-11-20T06:00:00.25Z");
        check("1763618400250000", key, "2025-11-20T06:00:00.25Z");
        check("1763618400250000000", key, "2025-11-20T06:00:00.25Z");
        check(r#""1763618400.25""#, key, "2025-11-20T06:00:00.25Z");
    }
    assert_eq!(batch(r#"{"@timestamp":5}"#).timestamps.get(0), 5_000_000_000);
    assert_eq!(batch(r#"{"time":5,"ts":1763618400}"#).timestamps.get(0), 1_763_618_400_000_000_000);
}

#[test]
fn a_path_that_has_several_values_keeps_them_all() {
    let check = |line: &str, expected: &[(&str, &str)]| {
        let batch = batch(line);
        for (name, value) in expected {
            assert_eq!(field(&batch, name).map_or("-".into(), |value| value.to_string()), *value, "{name} of {line}");
        }
    };
    check(r#"{"a.b":1,"a":{"b":2}}"#, &[("a.b", "[1,2]")]);
    check(r#"{"a":{"b":[3,4]},"a.b":5}"#, &[("a.b", "[3,4,5]")]);
    check(r#"{"a":{"b.c":1,"b":{"c":[2]}},"a.b.c":"x","a.b":{"c":true}}"#, &[("a.b.c", r#"[1,2,"x",true]"#)]);
    check(r#"{"k":1,"k":1,"k":null,"s":"x","s":"x"}"#, &[("k", "[1,1]"), ("s", "x")]);
    check(r#"{"a":1,"a.b":2,"l":[{"k":1,"j":0,"k":2}]}"#, &[("a", "1"), ("a.b", "2"), ("l", r#"[{"k":[1,2],"j":0}]"#)]);
    check(r#"{"a":{"b":1},"a":{"c":2},"a":3}"#, &[("a.b", "1"), ("a.c", "2"), ("a", "3")]);
    check(r#"{"level":"info","level":"error"}"#, &[("level", r#"["info","error"]"#)]);
    check(r#"{"@level":"a","_level":"b"}"#, &[("_level", r#"["a","b"]"#)]);
    check(r#"{"msg":"first","msg":"second"}"#, &[("msg", r#"["first","second"]"#)]);
    check(r#"{"message":["a","b"],"message":"c"}"#, &[("message", r#"["c","a","b"]"#)]);
    check(r#"{"@message":"a","@message":"b","message":"c"}"#, &[("_message", "b"), ("message", "c")]);
    check(
        r#"{"time":"2026-11-20T06:00:00Z","time":"later","message":"x"}"#,
        &[("time", r#"["2026-11-20T06:00:00Z","later"]"#)],
    );
    check(
        r#"{"@timestamp":"2026-11-20T06:00:00Z","@timestamp":"2026-11-20T07:00:00Z"}"#,
        &[("_timestamp", "2026-11-20T07:00:00Z")],
    );
    assert_eq!(batch(r#"{"msg":"first","msg":"second"}"#).messages.get(0), "first");
}

#[test]
fn numbers_keep_their_value_whatever_it_takes() {
    let check = |number: &str, expected: Value| {
        assert_eq!(field(&batch(&format!("{{\"v\":{number}}}")), "v"), Some(expected), "{number}");
    };
    check("0", Value::Integer(0));
    check("-7", Value::Integer(-7));
    check("9223372036854775807", Value::Integer(i64::MAX));
    check("-9223372036854775808", Value::Integer(i64::MIN));
    check("9223372036854775808", Value::text("9223372036854775808"));
    check("123456789012345678901234567890", Value::text("123456789012345678901234567890"));
    check("12.50", Value::Float(12.5));
    check("1e5", Value::Float(100_000.0));
    check("1E-3", Value::Float(0.001));
    check("0.1", Value::Float(0.1));
    check("0.30000000000000004", Value::Float(0.300_000_000_000_000_04));
    check("0.1000000000000000055511151231257827", Value::text("0.1000000000000000055511151231257827"));
    check("1e400", Value::text("1e400"));
    check("0e99999999999999999999", Value::text("0e99999999999999999999"));
    check("0.00000000000000000000", Value::Float(0.0));
}

#[test]
fn texts_are_unescaped_and_lone_surrogates_replaced() {
    let batch =
        batch(r#"{"a":"q\"\\\/\b\f\n\r\t\u0041","b":"\ud83d\ude00","c":"\ud83d x","d\u0000":"nul","e":"\ude00"}"#);
    assert_eq!(field(&batch, "a"), Some(Value::text("q\"\\/\u{8}\u{c}\n\r\tA")));
    assert_eq!(field(&batch, "b"), Some(Value::text("😀")));
    assert_eq!(field(&batch, "c"), Some(Value::text("\u{fffd} x")));
    assert_eq!(field(&batch, "d\0"), Some(Value::text("nul")));
    assert_eq!(field(&batch, "e"), Some(Value::text("\u{fffd}")));
}

#[test]
fn invalid_utf_8_is_marked_and_nul_is_kept() {
    let limits = Limits::default();
    let mut parser = EventParser::new(ArrivalContext {
        at: Timestamp(0),
        modified: None,
        previous: None,
        zone: Zone::UTC,
        limits: &limits,
    });
    let mut builder = BatchBuilder::new();
    parser.record(b"{\"message\":\"a\xffb\0c\"}", &Extras::default(), &mut builder).expect("a JSON object");
    let batch = builder.finish();
    assert_eq!(batch.messages.get(0), "a\u{fffd}b\0c");
    assert_eq!(field(&batch, "@encoding"), Some(Value::text("lossy")));
}

#[test]
fn names_of_the_system_cannot_be_forged() {
    let batch = batch(r#"{"@id":"i","@level":"fatal","@rest":"r","@part":1,"@version":"1","@timestamp":[1]}"#);
    assert_eq!(batch.levels.get(0), 0);
    for (name, expected) in [("_id", "i"), ("_level", "fatal"), ("_rest", "r"), ("@version", "1")] {
        assert_eq!(field(&batch, name), Some(Value::text(expected)), "{name}");
    }
    assert_eq!(field(&batch, "@id"), None);
    assert_eq!(field(&batch, "@timestamp"), None);
}

#[test]
fn levels_come_from_fields_then_status_then_text() {
    let check = |line: &str, expected: Option<Level>| {
        assert_eq!(Level::of_code(batch(line).levels.get(0)), expected, "{line}");
    };
    check(r#"{"level":"Warning","message":"[error] x"}"#, Some(Level::Warn));
    check(r#"{"log":{"level":"err"}}"#, Some(Level::Error));
    check(r#"{"level":20}"#, Some(Level::Debug));
    check(r#"{"method":"GET","status":503}"#, Some(Level::Error));
    check(r#"{"path":"/","status":"404"}"#, Some(Level::Warn));
    check(r#"{"status":503}"#, None);
    check(r#"{"message":"ERROR x"}"#, Some(Level::Error));
    check(r#"{"error_severity":"LOG","message":"x"}"#, Some(Level::Info));
    check(r#"{"record":{"level":{"name":"CRITICAL","no":50}},"text":"x"}"#, Some(Level::Fatal));
    check(r#"{"@fields":{"levelname":"WARNING"},"@message":"x"}"#, Some(Level::Warn));
    check(r#"{"level":30000,"level_name":"ERROR"}"#, Some(Level::Error));
    check(r#"{"level":60,"severity":"info"}"#, Some(Level::Info));
    check(r#"{"level":400,"channel":"shop"}"#, Some(Level::Error));
    check(r#"{"level":400,"health":7}"#, None);
    check(r#"{"level":3,"reqId":"a","url":"/"}"#, Some(Level::Error));
    check(r#"{"level":3,"short_message":"x","version":"1.1"}"#, Some(Level::Error));
    check(r#"{"level":3}"#, None);
    check(r#"{"t":{"$date":"2026-11-20T06:00:00Z"},"s":"E","c":"STORAGE","ctx":"main"}"#, Some(Level::Error));
    check(r#"{"s":"E","t":5}"#, None);
    check(r#"{"level":"DEBUG-4"}"#, Some(Level::Trace));
    check(r#"{"level":"WARN+2"}"#, Some(Level::Warn));
    check(r#"{"level":"ERROR+4"}"#, Some(Level::Fatal));
    check(r#"{"level":"\u001b[32minfo\u001b[39m"}"#, Some(Level::Info));
    check(r#"{"level":"verbose"}"#, Some(Level::Debug));
    check(r#"{"@t":"2026-11-20T06:00:00Z","@mt":"x"}"#, Some(Level::Info));
    check(r#"{"@t":"2026-11-20T06:00:00Z","@mt":"x","@l":"Warning"}"#, Some(Level::Warn));
    check(r#"{"@level":"error","@message":"x","@module":"raft"}"#, Some(Level::Error));
    check(r#"{"PRIORITY":"err"}"#, Some(Level::Error));
    check(r#"{"alert":{"severity":1},"priority":"high"}"#, None);
    let records = r#"{"severityNumber":9},{"severityText":"WARN"}"#;
    check(&format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{records}]}}]}}]}}"#), Some(Level::Warn));
    let pod = r#""involvedObject":{"kind":"Pod","name":"web"}"#;
    for (reason, kind, expected) in [
        ("BackOff", "Warning", Level::Error),
        ("OOMKilling", "Warning", Level::Error),
        ("Unhealthy", "Warning", Level::Warn),
        ("Pulled", "Normal", Level::Info),
    ] {
        let event = format!(r#"{{"reason":"{reason}","type":"{kind}","message":"x",{pod}}}"#);
        check(&event, Some(expected));
        check(&format!(r#"{{"verb":"ADDED","event":{event}}}"#), Some(expected));
    }
    check(r#"{"containerStatuses":{"lastState":{"terminated":{"reason":"OOMKilled"}}}}"#, Some(Level::Error));
    check(r#"{"reason":"BackOff","type":"Warning"}"#, None);
    check(r#"{"level":"info","reason":"OOMKilled"}"#, Some(Level::Info));
    check(r#"{"message":"0 errors"}"#, None);
    check(r#"{"n":"ERROR"}"#, None);
}

#[test]
fn fields_over_the_limit_are_kept_as_text() {
    let limits = Limits { fields_max: 3, ..Limits::default() };
    let all = with_limits(&[r#"{"a":1,"b":2,"c":3,"d":{"x":4}, "e\n":"5" ,"message":"m"}"#], &limits);
    assert_eq!(field(&all, "@rest"), Some(Value::text(r#"{"d":{"x":4},"e\n":"5"}"#)));
    assert_eq!(field(&all, "@fieldsDropped"), Some(Value::Integer(2)));
    assert_eq!(all.messages.get(0), "m");
    let nested = with_limits(&[r#"{"o":{"a":1,"b":2,"c":3,"d":4,"e":[5] },"f":6}"#], &limits);
    assert_eq!(field(&nested, "@rest"), Some(Value::text(r#"{"o":{"d":4,"e":[5]},"f":6}"#)));
    assert_eq!(field(&nested, "@fieldsDropped"), Some(Value::Integer(3)));
}

#[test]
fn five_thousand_fields_are_accepted() {
    let members: Vec<String> = (0..5000).map(|i| format!("\"f{i:04}\":{i}")).collect();
    let batch = batch(&format!("{{{}}}", members.join(",")));
    assert_eq!(field(&batch, "f0999"), Some(Value::Integer(999)));
    assert_eq!(field(&batch, "@fieldsDropped"), Some(Value::Integer(4000)));
    let Some(Value::String(rest)) = field(&batch, "@rest") else { panic!("no rest") };
    let rest: BTreeMap<String, i64> = serde_json::from_str(&rest).expect("the rest is JSON");
    assert_eq!((rest.len(), rest["f4999"]), (4000, 4999));
}

#[test]
fn long_values_and_names_are_kept_as_text() {
    let limits = Limits { field_bytes_max: 20, ..Limits::default() };
    let long = "x".repeat(30);
    let all = with_limits(&[&format!(r#"{{"a":"{long}","b":[1,[2,"{long}"]],"c":"ok","message":"{long}"}}"#)], &limits);
    assert_eq!(field(&all, "@rest"), Some(Value::text(format!(r#"{{"a":"{long}","b":[1,[2,"{long}"]]}}"#))));
    assert_eq!(field(&all, "c"), Some(Value::text("ok")));
    assert_eq!(all.messages.get(0), long);
    let name = "n".repeat(600);
    let named = batch(&format!(r#"{{"{name}":{{"a":1}},"b":1}}"#));
    assert_eq!(field(&named, "@rest"), Some(Value::text(format!(r#"{{"{name}":{{"a":1}}}}"#))));
    assert_eq!(field(&named, "b"), Some(Value::Integer(1)));
}

#[test]
fn values_may_be_as_long_as_the_limit_without_quotes_and_escapes() {
    let limits = Limits { field_bytes_max: 4, ..Limits::default() };
    let line = r#"{"a":"1234","b":"\u0031\"34","c":"12345","message":"m","msg":"1234","d":99999999999999999999}"#;
    let found = with_limits(&[line], &limits);
    let shown = |name: &str| field(&found, name).map(|value| value.to_string());
    assert_eq!(["a", "b", "msg"].map(shown), ["1234", "1\"34", "1234"].map(|text| Some(text.to_string())));
    assert_eq!(shown("@rest").as_deref(), Some(r#"{"c":"12345","d":99999999999999999999}"#));
}

#[test]
fn an_escape_that_stands_for_no_character_is_marked() {
    let encoding = |line: &str| field(&batch(line), "@encoding");
    assert_eq!(encoding(r#"{"message":"\ud800 alone"}"#), Some(Value::text("lossy")));
    assert_eq!(encoding(r#"{"message":"x","\udc00":1}"#), Some(Value::text("lossy")));
    assert_eq!(encoding(r#"{"message":"\ud83d\ude00"}"#), None);
}

#[test]
fn a_long_text_is_split_and_the_first_part_has_the_fields() {
    let limits = Limits { event_bytes_max: 5, ..Limits::default() };
    let batch = with_limits(&[r#"{"message":"aaaé bbbb","ts":1763618400,"n":1}"#], &limits);
    assert_eq!(batch.messages.iter().collect::<Vec<_>>(), ["aaaé", " bbbb"]);
    assert_eq!(batch.timestamps.get(0), batch.timestamps.get(1));
    assert_eq!((batch.field("n").value(0), batch.field("n").value(1)), (Some(Value::Integer(1)), None));
    assert_eq!(batch.field("@part").value(1), Some(Value::Integer(2)));
}

/// What the flat fields of a document must be, by way of a tree.
fn flatten(path: &str, value: &serde_json::Value, into: &mut BTreeMap<String, serde_json::Value>) {
    match value {
        serde_json::Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(&path, value, into);
            }
        }
        serde_json::Value::Null => {}
        serde_json::Value::Object(_) if path.is_empty() => {}
        other => {
            into.insert(path.to_string(), other.clone());
        }
    }
}

fn any_document() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        // serde_json reads only such decimals exactly.
        any::<i32>().prop_map(|number| (f64::from(number) / 64.0).into()),
        "\\PC{0,20}|[\"\\\\\n\u{0}\u{1f600}]{0,5}".prop_map(Into::into),
    ];
    let tree = leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            proptest::collection::btree_map("[a-f\"\\\\é]{1,4}", inner, 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    });
    proptest::collection::btree_map("[a-f]{1,3}[\"\\\\é\n]?", tree, 0..6)
        .prop_map(|members| serde_json::Value::Object(members.into_iter().collect()))
}

proptest! {
    #[test]
    fn documents_have_the_fields_that_a_tree_of_them_has(document in any_document(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) };
        let batch = batch(&text.expect("a document can be written"));
        let mut expected = BTreeMap::new();
        flatten("", &document, &mut expected);
        let mut found = BTreeMap::new();
        for name in batch.field_names() {
            let mut json = String::new();
            batch.field(&name).value(0).expect("one event has all fields").write_json(&mut json);
            found.insert(name.to_string(), serde_json::from_str::<serde_json::Value>(&json).expect("JSON"));
        }
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn what_a_strict_reader_takes_is_taken_and_nothing_panics(text in "[{}\\[\\]\",:0-9a-e.\\\\u +-]{0,40}") {
        let limits = Limits::default();
        let received = ArrivalContext { at: Timestamp(0), modified: None, previous: None, zone: Zone::UTC, limits: &limits };
        for line in [text.clone(), format!("{{\"a\":{text}}}")] {
            let is_object = serde_json::from_str::<BTreeMap<String, serde_json::Value>>(&line).is_ok();
            let found = EventParser::new(received).record(line.as_bytes(), &Extras::default(), &mut BatchBuilder::new());
            prop_assert!(found.is_ok() || !is_object, "{}", line);
        }
    }

    #[test]
    fn every_decimal_comes_back(number in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
        for written in [format!("{number:?}"), format!("{number:e}"), format!("{number:.3}")] {
            let expected: f64 = written.parse().expect("a number");
            match field(&batch(&format!("{{\"v\":{written}}}")), "v") {
                Some(Value::Float(found)) => prop_assert_eq!(found.to_bits(), expected.to_bits(), "{}", written),
                Some(Value::Integer(found)) => prop_assert_eq!(found as f64, expected, "{}", written),
                Some(Value::String(digits)) => prop_assert_eq!(&*digits, &written),
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let limits = Limits::default();
        let received = ArrivalContext { at: Timestamp(0), modified: None, previous: None, zone: Zone::UTC, limits: &limits };
        let _ = EventParser::new(received).record(&bytes, &Extras::default(), &mut BatchBuilder::new());
        EventParser::new(received).text(&bytes, &Extras::default(), &mut BatchBuilder::new());
    }
}

#[test]
fn an_object_beside_an_event_becomes_its_fields_within_the_limits() {
    let limits = Limits { fields_max: 4, ..Limits::default() };
    let text = r#"{"time":"1","a":{"b":2.5,"c":[1]},"msg":"m","n":18446744073709551616,"d":true,"over":"x"}"#;
    let mut reader = ObjectReader::default();
    reader.read(text, &limits).expect("an object");
    let mut builder = BatchBuilder::new();
    let mut fields = FieldWriter::new(&mut builder, &limits);
    reader.write(text, &mut fields);
    fields.finish();
    builder.commit();
    let batch = builder.finish();
    let shown = |name: &str| batch.field(name).value(0).map_or("-".to_owned(), |value| value.to_string());
    let found = ["a.b", "a.c", "n", "d", "time", "msg"].map(shown);
    assert_eq!(found, ["2.5", "[1]", "18446744073709551616", "true", "-", "-"]);
    assert_eq!((shown("@rest"), shown("@fieldsDropped")), (r#"{"msg":"m","time":"1","over":"x"}"#.into(), "3".into()));
    assert!(reader.read("[1]", &limits).is_err());
}
