//! The child that decided, the time of a state and its reason.

use alert::AlarmState;

use super::*;

fn children(states: &[(&str, &str, i64)]) -> Children {
    let child = |state: &str, since_ms: i64| ChildState { state: state.to_owned(), since_ms: Some(since_ms) };
    states.iter().map(|(name, state, since_ms)| ((*name).to_owned(), child(state, *since_ms))).collect()
}

#[test]
fn the_alarm_whose_change_decided_is_named() {
    let check = |rule: &str, before: &[(&str, &str, i64)], now: &[(&str, &str, i64)], expected: &str| {
        let (rule, now) = (CompositeRule::read(rule).expect(rule), children(now));
        let found = deciding(&rule, &now, &children(before)).map(|(name, _)| name);
        assert_eq!(found, Some(expected), "{rule:?}");
    };
    let rule = "ALARM(a) OR ALARM(b)";
    let unknown = ("b", "INSUFFICIENT_DATA", 5);
    check(rule, &[("a", "OK", 1), unknown], &[("a", "ALARM", 10), unknown], "a");
    check(rule, &[("a", "ALARM", 10), unknown], &[("a", "OK", 20), unknown], "a");
    check(rule, &[("a", "ALARM", 10), ("b", "OK", 30)], &[("a", "OK", 20), ("b", "OK", 30)], "a");
    // Data of `a` ceased in the same round, which would not have changed the result.
    check(rule, &[("a", "OK", 1), ("b", "OK", 1)], &[("a", "INSUFFICIENT_DATA", 50), ("b", "ALARM", 40)], "b");
    // Nothing is known of an evaluation before, or both changed.
    check(rule, &[], &[("a", "OK", 20), ("b", "OK", 10)], "a");
    check("ALARM(a) AND ALARM(b)", &[("a", "OK", 1), ("b", "OK", 1)], &[("a", "ALARM", 7), ("b", "ALARM", 8)], "b");
    assert_eq!(deciding(&CompositeRule::Constant(true), &Children::new(), &Children::new()), None);
}

#[test]
fn the_time_of_a_state_is_the_alarms_own_or_that_of_its_change() {
    let found = |state: AlarmState, since: Option<i64>, memory: Option<AlarmMemory>| DependencyState {
        state,
        since: since.map(|ms| Timestamp(ms * Timestamp::MILLISECOND)),
        memory: memory.map(|memory| serde_json::to_value(memory).expect("a memory is JSON")),
    };
    let memory = AlarmMemory { state: "OK".to_owned(), transitioned_ms: 70, ..AlarmMemory::initial(1) };
    let alarm = found(AlarmState::Ok, Some(3), Some(memory));
    assert_eq!(ChildState::new(&alarm, None, 100).since_ms, Some(70));
    let firing = ChildState::new(&found(AlarmState::Alarm, Some(3), None), None, 100);
    assert_eq!(firing, ChildState { state: "ALARM".to_owned(), since_ms: Some(3) });
    let well = found(AlarmState::Ok, None, None);
    let changed = ChildState::new(&well, Some(&firing), 100);
    assert_eq!(changed.since_ms, Some(100));
    assert_eq!(ChildState::new(&well, Some(&changed), 200).since_ms, Some(100));
    assert_eq!(ChildState::new(&well, None, 100).since_ms, None);
}

#[test]
fn a_reason_names_a_time_only_if_there_is_one() {
    let child = |since_ms: Option<i64>| ChildState { state: "OK".to_owned(), since_ms };
    let (reason, data) = child(Some(1_500)).reason("arn:a");
    assert_eq!(reason, "arn:a transitioned to OK at 1970-01-01T00:00:01.500+0000");
    let data: serde_json::Value = serde_json::from_str(&data).expect("JSON");
    let expected = json!({"value": "OK", "timestamp": "1970-01-01T00:00:01.500+0000"});
    assert_eq!(data["triggeringAlarms"], json!([{"arn": "arn:a", "state": expected}]));
    let (reason, data) = child(None).reason("arn:a");
    assert_eq!(reason, "arn:a is in the state OK");
    assert!(!data.contains("timestamp"), "{data}");
}
