//! The alarms that a composite alarm depends on: their states, and the alarm whose change decided.

use alert::DependencyState;
use serde_json::json;
use types::Timestamp;

use super::composite::CompositeRule;
use super::state::{AlarmMemory, ChildState, Children, name_of, state_of};
use super::threshold::time_text;

impl ChildState {
    /// Returns the state of an alarm that was found now; `before` is its state at the last evaluation.
    ///
    /// An alarm remembers when its state changed. A rule of catat that is well has no such time: its change is dated by
    /// the evaluation that found it.
    pub(super) fn new(found: &DependencyState, before: Option<&Self>, now_ms: i64) -> Self {
        let state = name_of(found.state);
        let memory = found.memory.as_ref().and_then(AlarmMemory::read);
        let of_alarm = memory.filter(|memory| memory.state == state).map(|memory| memory.transitioned_ms);
        let of_rule = || found.since.map(|since| since.0.div_euclid(Timestamp::MILLISECOND));
        let of_evaluation = || match before {
            Some(before) if before.state == state => before.since_ms,
            Some(_) => Some(now_ms),
            None => None,
        };
        Self { state: state.to_owned(), since_ms: of_alarm.or_else(of_rule).or_else(of_evaluation) }
    }

    /// Returns the reason that names this alarm by its ARN, and the data of the reason.
    pub(super) fn reason(&self, arn: &str) -> (String, String) {
        let Self { state, since_ms } = self;
        let mut shown = json!({"value": state});
        let reason = match since_ms.map(time_text) {
            Some(time) => {
                let reason = format!("{arn} transitioned to {state} at {time}");
                shown["timestamp"] = time.into();
                reason
            }
            None => format!("{arn} is in the state {state}"),
        };
        let data = json!({"triggeringAlarms": [{"arn": arn, "state": shown}]});
        (reason, data.to_string())
    }
}

/// Reports whether a rule holds by the states of its alarms.
pub(super) fn holds(rule: &CompositeRule, children: &Children) -> bool {
    rule.holds(&|name: &str| state_of(&children.get(name)?.state))
}

/// Returns the alarm whose change decided, `before` being the states at the last evaluation.
///
/// A change decides if the rule would give another result without it. Of several such changes, or without any, the latest
/// counts.
pub(super) fn deciding<'c>(
    rule: &CompositeRule,
    children: &'c Children,
    before: &Children,
) -> Option<(&'c str, &'c ChildState)> {
    let result = holds(rule, children);
    let decides = |name: &str| {
        let Some(old) = before.get(name) else { return false };
        let unchanged = |other: &str| {
            let child = if other == name { Some(old) } else { children.get(other) };
            state_of(&child?.state)
        };
        rule.holds(&unchanged) != result
    };
    let latest = children.iter().max_by_key(|(name, child)| (decides(name.as_str()), child.since_ms))?;
    Some((latest.0.as_str(), latest.1))
}

#[cfg(test)]
mod tests {
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
}
