//! Envelopes as Sentry's SDKs make them, and broken ones.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use types::{GroupPattern, GroupScope};

use super::*;
use crate::house::{House, sender};

const LOGS: &str = r#"{"dsn":"http://key@localhost/1","sent_at":"2026-11-20T11:55:01Z"}
{"type":"log","item_count":2,"content_type":"application/vnd.sentry.items.log+json"}
{"items":[{"timestamp":1795175700.125,"level":"warn","body":"order 7 is late","trace_id":"4BF92f3577b34da6a3ce929d0e0e4736","attributes":{"sentry.message.template":{"value":"order {n} is late","type":"string"},"n":{"value":7,"type":"integer"},"paid":{"value":false,"type":"boolean"},"server.address":{"value":"node-1","type":"string"},"sentry.trace.parent_span_id":{"value":"00f067aa0ba902b7","type":"string"}}},{"timestamp":1795175701,"level":"error","body":"b","trace_id":"00000000000000000000000000000000"}]}
"#;

const ERROR: &str = r#"{"event_id":"9ec79c33ec9942ab8353589fcb2e04dc"}
{"type":"session","length":2}
{}
{"type":"event","length":LENGTH}
PAYLOAD
{"type":"attachment","length":3,"filename":"x"}
a
b
{"type":"session"}
{"a":1}"#;

fn envelope_of(payload: &str) -> String {
    ERROR.replace("LENGTH", &payload.len().to_string()).replace("PAYLOAD", payload)
}

impl House {
    fn send_envelope_as(&self, body: &[u8], within: &GroupScope) -> Result<EnvelopeAnswer, IngestError> {
        let group = GroupName::new("sentry/1").unwrap();
        ingest_envelope(&self.intake, (body, Encoding::Identity), &group, &sender(within))
    }

    fn send_envelope(&self, body: &str) -> EnvelopeAnswer {
        self.send_envelope_as(body.as_bytes(), &GroupScope::All).unwrap()
    }
}

#[test]
fn logs_have_their_attributes_and_their_trace() {
    let house = House::new();
    let answer = house.send_envelope(LOGS);
    assert_eq!((answer.id, answer.stored.accepted, answer.ignored.len()), (None, 2, 0));
    assert_eq!(
        house.events(&["@log", "@timestamp", "@level", "@message", "host", "@logStream", "trace_id", "span_id"]),
        [
            "sentry/1 | 2026-11-20T11:55:00.125Z | warn | order 7 is late | node-1 | node-1 | 4bf92f3577b34da6a3ce929d0e0e4736 | 00f067aa0ba902b7",
            "sentry/1 | 2026-11-20T11:55:01Z | error | b | - |  | - | -",
        ]
    );
    assert_eq!(
        house.events(&["n", "paid", "sentry.message.template", "level"]),
        ["- | - | - | error", "7 | false | order {n} is late | warn",]
    );
}

#[test]
fn an_error_has_its_stack_and_the_fields_of_an_exception() {
    let house = House::new();
    let payload = r#"{"event_id":"9ec79c33ec9942ab8353589fcb2e04dc","timestamp":"2026-11-20T11:55:00.5Z","platform":"python","level":"fatal",
        "server_name":"node-1","release":"shop@1.2","environment":"prod","tags":{"shop":"eu"},"modules":{"a":"1"},"user":{"id":7},
        "contexts":{"trace":{"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7"}},
        "exception":{"values":[{"type":"KeyError","module":"builtins","value":"'x'"},{"type":"PayError","module":"shop.errors","value":"no money",
        "stacktrace":{"frames":[{"filename":"main.py","abs_path":"/srv/main.py","lineno":9,"function":"main","context_line":"    pay(order)"},
        {"filename":"pay.py","abs_path":"/srv/pay.py","lineno":12,"function":"pay","context_line":"raise PayError()"}]}}]}}"#
        .replace('\n', " ");
    let answer = house.send_envelope(&envelope_of(&payload));
    let ignored = [("attachment", 1), ("event.modules", 1), ("session", 2)].map(|(kind, n)| (kind.to_owned(), n));
    assert_eq!((answer.id.as_deref(), answer.stored.accepted), (Some("9ec79c33ec9942ab8353589fcb2e04dc"), 1));
    assert_eq!(answer.ignored, ignored.into());
    let text = "KeyError: 'x'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  \
        File \"/srv/main.py\", line 9, in main\n    pay(order)\n  File \"/srv/pay.py\", line 12, in pay\n    raise PayError()\n\
        shop.errors.PayError: no money";
    assert_eq!(house.events(&["@message"]), [text]);
    let names =
        ["@level", "exception.type", "exception.message", "code.function.name", "code.file.path", "code.line.number"];
    assert_eq!(house.events(&names), ["fatal | shop.errors.PayError | no money | pay | /srv/pay.py | 12"]);
    let names =
        ["@timestamp", "host", "shop", "sentry.release", "sentry.environment", "trace_id", "span_id", "user.id"];
    assert_eq!(
        house.events(&names),
        [
            "2026-11-20T11:55:00.5Z | node-1 | eu | shop@1.2 | prod | 4bf92f3577b34da6a3ce929d0e0e4736 | 00f067aa0ba902b7 | 7"
        ]
    );
}

#[test]
fn stacks_of_other_languages_are_read_too() {
    let check = |platform: &str, frame: &str, expected: &str| {
        let house = House::new();
        let payload = format!(
            r#"{{"platform":"{platform}","logentry":{{"formatted":"it failed"}},"exception":{{"values":[{{"type":"Cause","value":"c"}},
            {{"type":"TypeError","value":"x is not","stacktrace":{{"frames":[{{"filename":"outer","lineno":1}},{frame}]}}}}]}}}}"#
        );
        assert_eq!(house.send_envelope(&envelope_of(&payload.replace('\n', " "))).stored.accepted, 1);
        let names = ["@level", "exception.type", "code.function.name", "code.file.path", "code.line.number"];
        assert_eq!(house.events(&names), [expected], "{:?}", house.events(&["@message"]));
    };
    check(
        "javascript",
        r#"{"filename":"app:///src/pay.js","function":"Pay.charge","lineno":3,"colno":9}"#,
        "error | TypeError | Pay.charge | app:///src/pay.js | 3",
    );
    check(
        "java",
        r#"{"filename":"Checkout.java","module":"pay.Checkout","function":"charge","lineno":12}"#,
        "error | TypeError | pay.Checkout.charge | Checkout.java | 12",
    );
}

#[test]
fn messages_and_odd_events_are_events() {
    let house = House::new();
    for payload in [
        r#"{"message":"plain","level":"info","tags":[["a","1"],["b"]]}"#,
        r#"{"logentry":{"message":"order %s","params":[7]},"timestamp":"noon","level":"odd"}"#,
        r#"{"exception":{"values":[{"type":"Lonely","value":"no stack"}]},"timestamp":1795175700}"#,
    ] {
        assert_eq!(house.send_envelope(&envelope_of(payload)).stored.accepted, 1, "{payload}");
    }
    let names = [
        "@message", "@level", "a", "tags", "sentry.message.params", "timestamp", "exception.type", "exception.message",
    ];
    assert_eq!(
        house.events(&names),
        [
            "Lonely: no stack | error | - | - | - | - | Lonely | no stack",
            r#"order %s | error | - | - | [7] | noon | - | -"#,
            r#"plain | info | 1 | ["b"] | - | - | - | -"#,
        ]
    );
}

#[test]
fn invalid_events_are_named_and_the_others_are_stored_once() {
    let house = House::new();
    let body = "{}\n{\"type\":\"log\"}\n{\"items\":[{\"body\":\"a\"},7,{\"body\":\"b\",\"attributes\":{\"x\":{\"value\":01}}},{\"body\":\"c\"}]}\n\
        {\"type\":\"event\"}\n[]\n";
    for is_repeated in [false, true] {
        let stored = house.send_envelope(body).stored;
        let rejected: Vec<usize> = stored.rejected.iter().map(|one| one.line).collect();
        assert_eq!((stored.duplicate, rejected), (is_repeated, vec![2, 3, 5]));
    }
    assert_eq!(house.events(&["@message"]), ["a", "c"]);
    for malformed in [
        "",
        "x",
        "[]\n",
        "{}\n{}\nx",
        "{}\n{\"type\":\"event\",\"length\":9}\n{}",
        "{}\n{\"type\":\"log\"}\n{\"items\":[{}",
    ] {
        assert!(house.send_envelope_as(malformed.as_bytes(), &GroupScope::All).is_err(), "{malformed}");
    }
    let within = GroupScope::Matching(vec![GroupPattern::new("shop")]);
    assert!(matches!(house.send_envelope_as(LOGS.as_bytes(), &within), Err(IngestError::OutOfScope(_))));
    assert_eq!(house.events(&["@message"]).len(), 2);
}

/// Whatever happens to the bytes of an envelope, each of its events is stored or named, or the envelope is refused.
#[test]
fn broken_envelopes_are_refused_or_accounted_for() {
    let house = House::new();
    let error = envelope_of(r#"{"message":"m","exception":{"values":[{"type":"T"}]}}"#);
    let whole = [LOGS, &error].map(str::as_bytes);
    let n_stored = Cell::new(0);
    let changes = (any::<prop::sample::Index>(), 0..2usize, prop::collection::vec(any::<u8>(), 0..4));
    let mut runner = TestRunner::default();
    let checked = runner.run(&changes, |(at, which, with)| {
        let mut body = whole[which].to_vec();
        let at = at.index(body.len());
        body.splice(at..(at + with.len().max(1)).min(body.len()), with);
        if let Ok(EnvelopeAnswer { stored, .. }) = house.send_envelope_as(&body, &GroupScope::All) {
            let n_before = n_stored.replace(house.events(&["@message"]).len() as u64);
            prop_assert_eq!(n_stored.get() - n_before, if stored.duplicate { 0 } else { stored.accepted });
        }
        Ok(())
    });
    checked.unwrap();
}
