//! Requests as Datadog's agent and libraries make them, and broken ones.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use types::{GroupPattern, GroupScope};

use super::*;
use crate::house::{House, sender};

const AGENT: &str = r#"[{"message":"2026-11-20T11:54:59Z ERROR pool is empty user=7","status":"error","timestamp":1795175700123,
    "hostname":"node-1","service":"shop","ddsource":"java","ddtags":"env:prod,team:a,kube:x:y,env:eu, canary,image:"},
    {"message":"{\"level\":\"warn\",\"msg\":\"slow\",\"ms\":12}","service":"pay","usr":{"id":"u1"},"n":[1,2]}]"#;

impl House {
    fn send_as(
        &self,
        body: &[u8],
        defaults: &DatadogDefaults,
        within: &GroupScope,
    ) -> Result<IngestAnswer, IngestError> {
        ingest_datadog(&self.intake, (body, Encoding::Identity), DatadogForm::Json, defaults, &sender(within))
    }

    /// Returns the number of accepted events, and the numbers of the rejected ones.
    fn send_logs(&self, body: &str) -> (u64, Vec<usize>) {
        let answer = self.send_as(body.as_bytes(), &DatadogDefaults::default(), &GroupScope::All).unwrap();
        (answer.accepted, answer.rejected.iter().map(|one| one.line).collect())
    }
}

#[test]
fn events_of_the_agent_have_their_origin_and_their_tags() {
    let house = House::new();
    assert_eq!(house.send_logs(AGENT), (2, vec![]));
    let names =
        ["@log", "@logStream", "@timestamp", "@level", "host", "source", "service", "env", "team", "kube", "tags"];
    let expected = [
        "pay |  | 2026-11-20T11:55:00.123Z | warn | - | - | pay | - | - | - | -",
        r#"shop | node-1 | 2026-11-20T11:55:00.123Z | error | node-1 | java | shop | ["prod","eu"] | a | x:y | canary"#,
    ];
    assert_eq!(house.events(&names), expected);
    assert_eq!(
        house.events(&["@message", "ms", "usr.id", "n", "status", "image", "user"]),
        [
            "2026-11-20T11:54:59Z ERROR pool is empty user=7 | - | - | - | error |  | -",
            r#"{"level":"warn","msg":"slow","ms":12} | 12 | u1 | [1,2] | - | - | -"#,
        ]
    );
}

#[test]
fn what_the_address_states_holds_for_events_that_state_nothing_else() {
    let house = House::new();
    let [service, host, source, tags] = ["web", "h0", "nginx", "env:prod,x:1"].map(str::to_owned);
    let defaults = DatadogDefaults { service, host, source, tags };
    let body = br#"[{"message":"a"},{"message":"b","hostname":"h1","ddtags":"x:2"}]"#;
    house.send_as(body, &defaults, &GroupScope::All).unwrap();
    let lines = (&b"c\nd x=3\n\tat e\n"[..], Encoding::Identity);
    let form = DatadogForm::Lines;
    assert_eq!(ingest_datadog(&house.intake, lines, form, &defaults, &sender(&GroupScope::All)).unwrap().accepted, 2);
    assert_eq!(
        house.events(&["@message", "@log", "@logStream", "source", "env", "x"]),
        [
            "a | web | h0 | nginx | prod | 1",
            r#"b | web | h1 | nginx | prod | ["1","2"]"#,
            "c | web | h0 | nginx | prod | 1",
            "d x=3\n\tat e | web | h0 | nginx | prod | 1",
        ]
    );
}

#[test]
fn events_without_a_text_are_records_and_odd_members_are_kept() {
    let house = House::new();
    let body = r#"[{"a":1,"ddtags":"t:1","status":"warning"},{"message":{"msg":"m","b":2},"service":["x"]},{"message":7},
        {"message":"twice","message":"more"},{"message":"when","timestamp":"noon"},{"message":"late","date":"2026-11-20T10:00:00Z"}]"#;
    assert_eq!(house.send_logs(body), (6, vec![]));
    let names = ["@message", "@log", "@level", "a", "b", "t", "service", "message", "timestamp", "@timestamp"];
    assert_eq!(
        house.events(&names),
        [
            "7 | datadog | - | - | - | - | - | - | - | 2026-11-20T12:00:00Z",
            "late | datadog | - | - | - | - | - | - | - | 2026-11-20T10:00:00Z",
            "m | datadog | - | - | 2 | - | [\"x\"] | - | - | 2026-11-20T12:00:00Z",
            "twice | datadog | - | - | - | - | - | more | - | 2026-11-20T12:00:00Z",
            "when | datadog | - | - | - | - | - | - | noon | 2026-11-20T12:00:00Z",
            "{\"a\":1,\"status\":\"warning\"} | datadog | warn | 1 | - | 1 | - | - | - | 2026-11-20T12:00:00Z",
        ]
    );
}

#[test]
fn invalid_events_are_named_and_the_others_are_stored_once() {
    let house = House::new();
    let body = r#"[{"message":"a"},7,{"message":"b","x":01},{"message":"c"}]"#;
    assert_eq!(house.send_logs(body), (2, vec![2, 3]));
    let again = house.send_as(body.as_bytes(), &DatadogDefaults::default(), &GroupScope::All).unwrap();
    assert!(again.duplicate, "{again:?}");
    // The same bytes for another service are another request.
    let other = DatadogDefaults { service: "other".into(), ..DatadogDefaults::default() };
    assert!(!house.send_as(body.as_bytes(), &other, &GroupScope::All).unwrap().duplicate);
    assert_eq!(house.events(&["@message", "@log"]), ["a | datadog", "a | other", "c | datadog", "c | other"]);
    for malformed in ["[", "[{\"message\":\"x\"}", "[{\"message\":\"x\"}] y", "[{\"message\":\"x\"} {}]"] {
        assert!(house.send_as(malformed.as_bytes(), &other, &GroupScope::All).is_err(), "{malformed}");
    }
    assert_eq!(house.send_logs("{\"message\":"), (0, vec![1]));
    assert_eq!(house.events(&["@message"]).len(), 4);
}

#[test]
fn parameters_that_are_written_too_often_are_refused() {
    let house = House::new();
    let body = format!("[{}{{}}]", "{},".repeat(20_000));
    let defaults = DatadogDefaults { host: "h".repeat(16 << 10), ..DatadogDefaults::default() };
    let refused = house.send_as(body.as_bytes(), &defaults, &GroupScope::All);
    assert!(matches!(refused, Err(IngestError::TooManyFields { .. })), "{refused:?}");
}

#[test]
fn a_key_for_one_service_stores_nothing_for_others() {
    let house = House::new();
    let within = GroupScope::Matching(vec![GroupPattern::new("shop")]);
    let answer = house.send_as(AGENT.as_bytes(), &DatadogDefaults::default(), &within).unwrap();
    assert_eq!((answer.accepted, answer.rejected[0].line), (1, 2));
    let foreign = house.send_as(br#"{"message":"x"}"#, &DatadogDefaults::default(), &within);
    assert!(matches!(foreign, Err(IngestError::OutOfScope(_))), "{foreign:?}");
}

/// Whatever happens to the bytes of a request, each of its events is stored or named, or the request is refused.
#[test]
fn broken_requests_are_refused_or_accounted_for() {
    let house = House::new();
    let n_stored = Cell::new(0);
    let changes = (0..AGENT.len(), prop::collection::vec(any::<u8>(), 0..4));
    let mut runner = TestRunner::default();
    let checked = runner.run(&changes, |(at, with)| {
        let mut body = AGENT.as_bytes().to_vec();
        body.splice(at..(at + with.len().max(1)).min(AGENT.len()), with);
        if let Ok(answer) = house.send_as(&body, &DatadogDefaults::default(), &GroupScope::All) {
            let n_before = n_stored.replace(house.events(&["@message"]).len() as u64);
            prop_assert_eq!(n_stored.get() - n_before, if answer.duplicate { 0 } else { answer.accepted });
            prop_assert!(answer.accepted + answer.rejected.len() as u64 >= 1);
        }
        Ok(())
    });
    checked.unwrap();
}
