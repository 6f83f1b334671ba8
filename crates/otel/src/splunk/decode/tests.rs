//! Requests as Splunk's libraries, Docker's driver and agents make them, and broken ones.

use types::{GroupPattern, GroupScope};

use super::*;
use crate::house::{House, sender};

impl House {
    fn send_within(&self, body: &str, form: HecForm, within: &GroupScope) -> (u64, Option<(usize, HecFault)>) {
        let sender = sender(within);
        let defaults = HecDefaults { host: Some("of-all".into()), ..HecDefaults::default() };
        let answer = ingest_hec(&self.intake, body.as_bytes(), Encoding::Identity, form, &defaults, &sender).unwrap();
        (answer.accepted, answer.fault)
    }

    fn send(&self, body: &str) -> (u64, Option<(usize, HecFault)>) {
        self.send_within(body, HecForm::Events, &GroupScope::All)
    }
}

#[test]
fn objects_stand_one_behind_the_other() {
    for between in ["", "\n", "\r\n\r\n", "  \t"] {
        let house = House::new();
        let body = [r#"{"event":"a"}"#, r#"{"event":{"msg":"b","n":1}}"#, r#"{"event":7}"#].join(between);
        assert_eq!(house.send(&format!("{body}{between}")), (3, None), "{between:?}");
        assert_eq!(house.events(&["@log", "@message", "n"]), ["splunk | 7 | -", "splunk | a | -", "splunk | b | 1"]);
    }
}

#[test]
fn an_event_of_dockers_driver_has_its_line_and_its_tag() {
    let house = House::new();
    let body = r#"{"event":{"line":"GET /\u00e9 200","source":"stdout","tag":"5c1a2d3e4f50"},"time":"1795175700.123456","host":"node-1"}"#;
    assert_eq!(house.send(body), (1, None));
    let names = ["@timestamp", "@logStream", "host", "line", "source", "tag"];
    let expected = "2026-11-20T11:55:00.123456Z | node-1 | node-1 | GET /é 200 | stdout | 5c1a2d3e4f50";
    assert_eq!(house.events(&names), [expected]);
}

#[test]
fn times_are_numbers_or_texts_with_exact_fractions() {
    let check = |time: &str, expected: &str| {
        let house = House::new();
        assert_eq!(house.send(&format!(r#"{{"time":{time},"event":"x"}}"#)), (1, None), "{time}");
        assert_eq!(house.events(&["@timestamp", "@timestampRejected", "time"]), [expected], "{time}");
    };
    check("1795175700", "2026-11-20T11:55:00Z | - | -");
    check("1795175700.001", "2026-11-20T11:55:00.001Z | - | -");
    check("\"1795175700.123456789\"", "2026-11-20T11:55:00.123456789Z | - | -");
    check("1.79517570025E9", "2026-11-20T11:55:00.25Z | - | -");
    check("1795175700123", "2026-11-20T11:55:00.123Z | - | -");
    check("null", "2026-11-20T12:00:00Z | - | -");
    check("4000000000", "2026-11-20T12:00:00Z | 9223372036854775807 | 4000000000");
}

#[test]
fn fields_are_fields_whatever_they_hold() {
    let house = House::new();
    let fields =
        r#"{"a":"1","b":2,"c":2.5,"d":true,"e":null,"f":{"g":"h"},"l":["x","y"],"@log":"forged","severity":"warn"}"#;
    assert_eq!(house.send(&format!(r#"{{"event":"x","fields":{fields}}}"#)), (1, None));
    assert_eq!(
        house.events(&["a", "b", "c", "d", "e", "f.g", "l", "_log", "@level", "host"]),
        [r#"1 | 2 | 2.5 | true | - | h | ["x","y"] | forged | warn | of-all"#]
    );
    let deep = format!("{}1{}", r#"{"a":"#.repeat(50_000), "}".repeat(50_000));
    assert_eq!(house.send(&format!(r#"{{"event":"deep","fields":{deep}}}"#)), (1, None));
}

#[test]
fn the_first_fault_is_named_and_the_rest_is_stored_once() {
    let house = House::new();
    let body = r#"{"event":"a"}{"no":1}{"event":"b","host":{}}{"event":"c"}{"event":"d","#;
    for _ in 0..2 {
        let (_, fault) = house.send(body);
        assert_eq!(fault, Some((1, HecFault::NoEvent)));
    }
    assert_eq!(house.events(&["@message"]), ["a", "c"]);
    assert_eq!(house.send(" \n").1, Some((0, HecFault::NoData)));
    assert!(matches!(house.send("nonsense").1, Some((0, HecFault::BadFormat(_)))));
    assert!(matches!(house.send(r#"{"event":"x"} nonsense {"event":"y"}"#).1, Some((1, HecFault::BadFormat(_)))));
    assert!(matches!(house.send(r#"[{"event":"in a list"}] 7 {"event":"z"}"#), (1, Some((0, HecFault::BadFormat(_))))));
}

#[test]
fn behind_broken_json_the_next_line_is_read() {
    let house = House::new();
    let body = "{\"event\":\"a\"}\n{\"event\":\"b\",\n{\"event\":\"c\"}{\"event\":\"d\"}\nnonsense\n{\"event\":[\n{\"event\":\"e\"}";
    assert!(matches!(house.send(body), (4, Some((1, HecFault::BadFormat(_))))));
    assert_eq!(house.events(&["@message"]), ["a", "c", "d", "e"]);
    // Each line is read once more at the most, however many of them are broken.
    let lines = "{\"event\":[1,\n".repeat(100_000);
    assert!(matches!(house.send(&lines), (0, Some((0, HecFault::BadFormat(_))))));
}

#[test]
fn a_body_that_is_cut_anywhere_keeps_what_was_whole() {
    let house = House::new();
    let body = r#"{"event":"a","fields":{"k":"v"}}{"event":{"m":[1,"\u0041"]},"time":1795175700.5}"#;
    let first = body.find("}{").unwrap() + 2;
    for end in 1..body.len() {
        let (accepted, fault) = house.send(&body[..end]);
        assert_eq!((accepted > 0, fault.is_some()), (end > first - 2, end + 1 != first), "cut at {end}");
    }
}

#[test]
fn an_index_out_of_scope_is_incorrect() {
    let house = House::new();
    let within = GroupScope::Matching(vec![GroupPattern::new("mine")]);
    let body = r#"{"event":"a","index":"mine"}{"event":"b","index":"theirs"}"#;
    let (accepted, fault) = house.send_within(body, HecForm::Events, &within);
    assert!(accepted == 1 && matches!(fault, Some((1, HecFault::BadIndex(_)))), "{fault:?}");
    let (accepted, fault) = house.send_within("line", HecForm::Raw, &within);
    assert!(accepted == 0 && matches!(fault, Some((0, HecFault::BadIndex(_)))), "{fault:?}");
    assert_eq!(house.events(&["@log"]), ["mine"]);
}

#[test]
fn raw_lines_keep_their_times_levels_and_traces() {
    let house = House::new();
    let body = "2026-11-20T11:55:00Z ERROR it broke\n  at a.b.C\n\n2026-11-20T11:56:00Z fine\r\n";
    assert_eq!(house.send_within(body, HecForm::Raw, &GroupScope::All), (2, None));
    let events = house.events(&["@timestamp", "@level", "@message"]);
    assert_eq!(events[0], "2026-11-20T11:55:00Z | error | 2026-11-20T11:55:00Z ERROR it broke\n  at a.b.C");
    assert!(events[1].starts_with("2026-11-20T11:56:00Z | - | "), "{events:?}");
}
