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
mod tests;
