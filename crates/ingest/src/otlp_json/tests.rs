//! Drawn messages in both forms, wrong values with their places, and bounds.

use std::slice::Iter;

use data_encoding::HEXUPPER;
use proptest::prelude::*;

use super::*;
use crate::protobuf::{Content as Held, Message};

/// Choices of a drawn message. Where they end, everything else is absent.
struct Draw<'c>(Iter<'c, u32>);

impl Draw<'_> {
    fn next(&mut self, n: usize) -> usize {
        self.0.next().map_or(0, |choice| *choice as usize % n)
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.next(choices.len())]
    }

    fn spelled(&mut self, number: impl std::fmt::Display) -> String {
        if self.next(2) == 0 { number.to_string() } else { format!("\"{number}\"") }
    }
}

/// Returns a tag and a number as protobuf has them.
fn varints(number: u64, kind: u64, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    for mut rest in [number << 3 | kind, value] {
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }
    out
}

fn bytes(number: u64, bytes: &[u8]) -> Vec<u8> {
    [&varints(number, 2, bytes.len() as u64)[..], bytes].concat()
}

fn fixed(number: u64, kind: u64, bytes: &[u8]) -> Vec<u8> {
    let tag = varints(number, kind, 0);
    [&tag[..tag.len() - 1], bytes].concat()
}

/// Returns a message in both forms.
fn message(draw: &mut Draw<'_>, message: &OtlpMessage, depth: usize) -> (Vec<u8>, String) {
    let (mut wire, mut members) = (Vec::new(), Vec::new());
    for field in message.0 {
        if draw.next(3) == 0 || depth > 40 {
            continue;
        }
        let (own, value) = self::value(draw, field.number, field.content, depth);
        wire.extend(own);
        let snake = || field.name().chars().map(|c| if c.is_uppercase() { format!("_{c}") } else { c.to_string() });
        let name = match draw.next(4) {
            0 => snake().collect::<String>().to_lowercase(),
            _ => field.name().to_owned(),
        };
        let space = draw.of(&["", "", " ", "\n\t"]);
        members.push(format!("{space}\"{name}\"{}:{space}{value}", draw.of(&["", "", space])));
        if draw.next(5) == 4 {
            members.push(r#""unknown" : [{"values":"}\""},null,1.5]"#.to_owned());
        }
    }
    (wire, format!("{{{}}}", members.join(",")))
}

fn value(draw: &mut Draw<'_>, number: u64, content: Content, depth: usize) -> (Vec<u8>, String) {
    let integers = [0, 7, -1, i64::MAX, i64::MIN, 1 << 32];
    match content {
        Content::Text => {
            let text = draw.of(&["", "x", "a \"quoted\" \\ text\n", "über 😀", &"long ".repeat(60)]).to_owned();
            (bytes(number, text.as_bytes()), serde_json::to_string(&text).unwrap())
        }
        Content::Bytes => {
            let held = draw.of(&[&b""[..], b"\xff\0", b"four"]);
            (bytes(number, held), format!("{:?}", BASE64.encode(held)))
        }
        Content::Id => {
            let id = [0xab, 0, 0x9f, 7].repeat(draw.next(5));
            (bytes(number, &id), format!("{:?}", HEXUPPER.encode(&id)))
        }
        Content::IdOf(n_bytes) => {
            let id = vec![draw.next(256) as u8; n_bytes];
            match draw.next(4) {
                0 => (bytes(number, &id), format!("{:?}", BASE64.encode(&id))),
                1 => (bytes(number, b"no id            "), "\"no id\"".to_owned()),
                _ => (bytes(number, &id), format!("{:?}", HEXUPPER.encode(&id).to_lowercase())),
            }
        }
        Content::Bool => draw.of(&[(1, "true"), (0, "false")]).to_wire(number),
        Content::Varint => {
            let integer = draw.of(&integers);
            (varints(number, 0, integer as u64), draw.spelled(integer))
        }
        Content::Zigzag => {
            let (integer, code) = draw.of(&[(0, 0), (-1, 1), (1, 2), (-2, 3), (i64::MAX, u64::MAX - 1)]);
            (varints(number, 0, code), draw.spelled(integer))
        }
        Content::Enum(prefix, names) => {
            let place = draw.next(names.split(' ').count());
            let name = format!("\"{prefix}{}\"", names.split(' ').nth(place).unwrap());
            let spelled = draw.spelled(place);
            (varints(number, 0, place as u64), if draw.next(2) == 0 { name } else { spelled })
        }
        Content::Fixed32 => {
            let integer = draw.of(&[0, 1, u32::MAX]);
            (fixed(number, 5, &integer.to_le_bytes()), draw.spelled(integer))
        }
        Content::Fixed64 => {
            let integer = draw.of(&integers);
            (fixed(number, 1, &integer.to_le_bytes()), draw.spelled(integer))
        }
        Content::Time => {
            let time = draw.of(&integers);
            (fixed(number, 1, &time.max(0).to_le_bytes()), draw.spelled(time))
        }
        Content::Double => {
            let double = draw.of(&[0.0, -0.5, 1e300, 3.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]);
            let json = match double {
                double if double.is_finite() => draw.spelled(double),
                double if double.is_nan() => "\"NaN\"".to_owned(),
                double => format!("\"{}Infinity\"", if double > 0.0 { "" } else { "-" }),
            };
            (fixed(number, 1, &double.to_le_bytes()), json)
        }
        Content::List(element) => several(draw, |draw| value(draw, number, *element, depth)),
        Content::Message(inner) => several(draw, |draw| {
            let (wire, json) = message(draw, inner, depth + 1);
            (bytes(number, &wire), json)
        }),
    }
}

trait ToWire {
    fn to_wire(self, number: u64) -> (Vec<u8>, String);
}

impl ToWire for (u64, &str) {
    fn to_wire(self, number: u64) -> (Vec<u8>, String) {
        (varints(number, 0, self.0), self.1.to_owned())
    }
}

/// Returns one value, a list of them, or none.
fn several(draw: &mut Draw<'_>, mut one: impl FnMut(&mut Draw<'_>) -> (Vec<u8>, String)) -> (Vec<u8>, String) {
    let n_values = match draw.next(6) {
        0 => return one(draw),
        1 => return (Vec::new(), "null".to_owned()),
        n => n - 2,
    };
    let (wire, json): (Vec<_>, Vec<_>) = (0..n_values).map(|_| one(draw)).unzip();
    (wire.concat(), format!("[ {}]", json.join(" ,")))
}

proptest! {
    #[test]
    fn json_becomes_the_message_that_it_stands_for(choices in prop::collection::vec(any::<u32>(), 0..600)) {
        for request in [&LOGS, &TRACES, &METRICS] {
            let (wire, json) = message(&mut Draw(choices.iter()), request, 0);
            prop_assert_eq!(to_protobuf(&json, request), Ok(wire), "{}", json);
        }
    }

    #[test]
    fn damaged_requests_are_read_or_refused(choices in prop::collection::vec(any::<u32>(), 0..200), at: prop::sample::Index, damage: char) {
        let (_, json) = message(&mut Draw(choices.iter()), &TRACES, 0);
        let mut damaged: Vec<char> = json.chars().collect();
        *at.get_mut(&mut damaged) = damage;
        let _ = to_protobuf(&damaged.into_iter().collect::<String>(), &TRACES);
    }
}

/// Returns the content of the only field of a message.
fn only(message: &[u8]) -> (u64, &[u8]) {
    let fields: Vec<_> = Message::new(message, "message").collect::<Result<_, _>>().unwrap();
    let [(number, Held::Bytes(inner))] = fields[..] else { panic!("{fields:?}") };
    (number, inner)
}

#[test]
fn lengths_of_every_size_are_those_of_what_follows() {
    for n_bytes in [0, 1, 120, 123, 124, 125, 126, 127, 128, 129, 16_376, 16_379, 16_384, 2_097_140, 2_097_152] {
        let text = "x".repeat(n_bytes);
        let json = format!(
            r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{{"stringValue":"{text}"}}}}]}}]}}]}}"#
        );
        let request = to_protobuf(&json, &LOGS).unwrap();
        let mut inner = &request[..];
        for number in [1, 2, 2, 5, 1] {
            let found = only(inner);
            assert_eq!(found.0, number, "{n_bytes}");
            inner = found.1;
        }
        assert_eq!(inner, text.as_bytes(), "{n_bytes}");
    }
}

#[test]
fn a_wrong_value_is_shown_with_its_place_and_what_was_expected() {
    let check = |json: &str, expected: &str| assert_eq!(to_protobuf(json, &METRICS).unwrap_err(), expected, "{json}");
    check(
        r#"{"resourceMetrics": 7}"#,
        r#""7" is not a valid value of resourceMetrics; expected an object at column 21"#,
    );
    let sum = |member: &str| {
        format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"sum":{{"aggregationTemporality":{member}}}}}]}}]}}]}}"#
        )
    };
    let place = "of aggregationTemporality; expected a number or name at column 83";
    check(&sum(r#""LOUD""#), &format!(r#""LOUD" is not a valid value {place}"#));
    check(&sum("[1]"), &format!(r#""[1]" is not a valid value {place}"#));
    check(&sum("1e30"), &format!(r#""1e30" is not a valid value {place}"#));
    let shown = "é".repeat(50);
    check(&sum(&format!("\"{}\"", "é".repeat(99))), &format!("{shown:?} is not a valid value {place}"));
    check(&sum("\"open"), "text without closing quote at column 96");
    check("{}{}", "expected the end of the request at column 3");
    check("{", "expected a text in quotes at column 2");
    check("", "expected an object at column 1");
}

#[test]
fn nesting_and_the_size_of_the_message_are_bounded() {
    for deep in [
        "[".repeat(50_000),
        r#"{"resource":{"attributes":{"value":"#.to_owned() + &r#"{"arrayValue":{"values":"#.repeat(50_000),
    ] {
        let refused = to_protobuf(&format!("{{\"resourceLogs\":{deep}"), &LOGS).unwrap_err();
        assert_eq!(refused, "the request is nested more than 280 levels deep");
    }
    let counts = format!(r#"{{"dataPoints":{{"bucketCounts":[{}1]}}}}"#, "1,".repeat(10_000));
    let json = format!(r#"{{"resourceMetrics":{{"scopeMetrics":{{"metrics":{{"histogram":{counts}}}}}}}}}"#);
    let message = to_protobuf(&json, &METRICS).unwrap();
    assert!(message.len() > 80_000 && message.len() < 5 * json.len(), "{}", message.len());
}
