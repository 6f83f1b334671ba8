//! The states of alarms as Amazon spells them, and what is remembered of an alarm.

use std::collections::BTreeMap;

use alert::AlarmState;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::error::bad_value;
use crate::answer::Result;

/// States and their names; longer names come before those that they begin with.
pub(super) const STATES: [(&str, AlarmState); 3] =
    [("INSUFFICIENT_DATA", AlarmState::InsufficientData), ("ALARM", AlarmState::Alarm), ("OK", AlarmState::Ok)];

/// Returns the name of a state.
pub(super) fn name_of(state: AlarmState) -> &'static str {
    STATES.iter().find(|(_, known)| *known == state).map_or("", |(name, _)| name)
}

/// Returns the state with a name.
pub(super) fn state_of(name: &str) -> Option<AlarmState> {
    STATES.iter().find(|(known, _)| *known == name).map(|(_, state)| *state)
}

/// Returns the name of a state that a request names, or the error for another one.
pub(super) fn state_named(name: String) -> Result<String> {
    match state_of(&name) {
        Some(_) => Ok(name),
        None => Err(bad_value(format!("The value {name:?} of StateValue must be OK, ALARM or INSUFFICIENT_DATA."))),
    }
}

/// The alarms that a composite alarm depends on, by name.
pub(super) type Children = BTreeMap<String, ChildState>;

/// The state of an alarm that a composite alarm depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ChildState {
    /// The name of the state.
    pub(super) state: String,
    /// Since when the alarm is in the state, ms since the Unix epoch; `None` if that is not known.
    pub(super) since_ms: Option<i64>,
}

/// What is remembered of an alarm. It is saved with the state of its rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct AlarmMemory {
    /// The name of the state.
    pub(super) state: String,
    pub(super) reason: String,
    /// The data of the reason, a JSON text.
    pub(super) reason_data: Option<String>,
    /// When state or reason changed, and when the state did, ms since the Unix epoch.
    pub(super) updated_ms: i64,
    pub(super) transitioned_ms: i64,
    /// The last order of `SetAlarmState` that was carried out.
    pub(super) order: Option<String>,
    /// Items of the history that may not be stored yet.
    #[serde(default)]
    pub(super) unwritten: Vec<Value>,
    /// The alarms that a composite alarm depends on, as they were at its last evaluation.
    #[serde(default, skip_serializing_if = "Children::is_empty")]
    pub(super) children: Children,
}

impl AlarmMemory {
    /// Returns what is known of an alarm that was made at a time.
    pub(super) fn initial(made_ms: i64) -> Self {
        Self {
            state: name_of(AlarmState::InsufficientData).to_owned(),
            reason: "Unchecked: Initial alarm creation".to_owned(),
            reason_data: None,
            updated_ms: made_ms,
            transitioned_ms: made_ms,
            order: None,
            unwritten: Vec::new(),
            children: Children::new(),
        }
    }

    /// Reads a memory; `None` if it is none.
    pub(super) fn read(value: &Value) -> Option<Self> {
        serde_json::from_value(value.clone()).ok()
    }
}

/// An order to set the state of an alarm, as a document of kind [`ORDER`] with its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StateOrder {
    pub(super) id: String,
    pub(super) state: String,
    pub(super) reason: String,
    pub(super) reason_data: Option<String>,
}

/// The kind of documents that are orders.
pub(super) const ORDER: &str = "alarm-order";
